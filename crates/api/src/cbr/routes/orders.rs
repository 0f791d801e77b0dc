//! Orders, which here are changes at once.

use super::Route;

pub(super) const ROUTES: &[Route] = &[];
