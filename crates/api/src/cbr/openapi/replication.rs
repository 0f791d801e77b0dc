//! Copies in other regions.

use serde_json::Value;

use super::operation::Operation;

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    Vec::new()
}
