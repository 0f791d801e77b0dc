//! The headers that every answer has.

use serde_json::{Map, Value, json};

use super::schema::pattern;

const NAMES: [&str; 2] = ["X-Request-Id", "X-Openstack-Request-Id"];

/// References to the headers that every answer has.
pub(super) fn of_answer() -> Map<String, Value> {
    let reference = |name| json!({"$ref": format!("#/components/headers/{name}")});
    NAMES.into_iter().map(|name| (name.to_owned(), reference(name))).collect()
}

/// Their descriptions.
pub(super) fn components() -> Map<String, Value> {
    let id = pattern("^req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$");
    let header = json!({"required": true, "schema": id});
    NAMES.into_iter().map(|name| (name.to_owned(), header.clone())).collect()
}
