//! Runs of a vault.

use super::Route;

pub(super) const ROUTES: &[Route] = &[];
