//! Vaults and what is in them.

use super::Route;

pub(super) const ROUTES: &[Route] = &[];
