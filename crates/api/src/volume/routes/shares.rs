//! The vendor's sharing of backups between projects.

use super::{Route, routes};

pub(super) const ROUTES: &[Route] = routes! {};
