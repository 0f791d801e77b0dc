//! Policies of a whole domain.

use super::Route;

pub(super) const ROUTES: &[Route] = &[];
