//! Agents in servers.

use super::Route;

pub(super) const ROUTES: &[Route] = &[];
