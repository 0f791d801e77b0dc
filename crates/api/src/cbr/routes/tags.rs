//! The tags of vaults.

use super::Route;

pub(super) const ROUTES: &[Route] = &[];
