//! What was done.

use super::Route;

pub(super) const ROUTES: &[Route] = &[];
