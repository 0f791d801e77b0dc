//! What can be protected.

use super::Route;

pub(super) const ROUTES: &[Route] = &[];
