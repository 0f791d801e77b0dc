//! Backups and what is done with one.

use super::Route;

pub(super) const ROUTES: &[Route] = &[];
