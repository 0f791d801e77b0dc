//! The vendor's tags on backups.

use super::{Route, routes};

pub(super) const ROUTES: &[Route] = routes! {};
