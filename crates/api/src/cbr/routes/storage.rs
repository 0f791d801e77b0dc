//! Space in use.

use super::Route;

pub(super) const ROUTES: &[Route] = &[];
