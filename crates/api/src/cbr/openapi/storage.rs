//! Space in use.

use serde_json::Value;

use super::operation::{Kind, LIMIT, OFFSET, Operation, operation, parameter};
use super::schema::{count, list, object, only, text, uuid, word};
use super::vaults::RESOURCE_TYPES;

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[Operation {
    query: &[
        LIMIT,
        OFFSET,
        parameter("resource_id", Kind::Id),
        parameter("resource_type", Kind::Word(&RESOURCE_TYPES)),
    ],
    answer: (200, Some("StorageUsage")),
    ..operation("showStorageUsage", "What is stored of each resource")
}];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let one = object([
        ("resource_id", uuid()),
        ("resource_name", text()),
        ("resource_type", word(RESOURCE_TYPES)),
        ("backup_count", count()),
        ("backup_size", count()),
        ("backup_size_multiaz", only(0)),
    ]);
    vec![("StorageUsage", object([("storage_usage", list(one)), ("resource_count", count())]))]
}
