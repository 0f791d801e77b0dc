//! The vendor's policies with their disks, tasks and tags.

use super::{Route, routes};

pub(super) const ROUTES: &[Route] = routes! {};
