//! Copies in other regions.

use super::Route;

pub(super) const ROUTES: &[Route] = &[];
