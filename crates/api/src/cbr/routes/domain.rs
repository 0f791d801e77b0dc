//! What has no project in its path.

use super::Route;

pub(super) const ROUTES: &[Route] = &[];
