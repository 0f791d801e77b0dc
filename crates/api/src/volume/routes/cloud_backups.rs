//! The vendor's backups as jobs, and the jobs.

use super::{Route, routes};

pub(super) const ROUTES: &[Route] = routes! {};
