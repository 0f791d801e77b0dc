//! With whom a backup is shared.

use super::Route;

pub(super) const ROUTES: &[Route] = &[];
