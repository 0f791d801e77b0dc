//! The headers of answers.

use serde_json::{Map, Value, json};

use super::schema::{only, pattern, text};
use crate::volume::microversion::Generation;

/// A reference to the description of a header.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

/// The headers that every answer of a version has.
pub(super) fn of_answer(generation: Generation) -> Map<String, Value> {
    let names: &[&str] = match generation {
        Generation::V1 | Generation::V2 => &["X-Openstack-Request-Id", "X-Compute-Request-Id"],
        Generation::V3 => {
            &["X-Openstack-Request-Id", "X-Compute-Request-Id", "OpenStack-API-Version", "Vary"]
        }
    };
    names.iter().map(|name| ((*name).to_owned(), reference(name))).collect()
}

/// The descriptions of all headers.
pub(super) fn components() -> Map<String, Value> {
    let request_id = pattern("^req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$");
    [
        ("X-Openstack-Request-Id", request_id.clone()),
        ("X-Compute-Request-Id", request_id),
        ("OpenStack-API-Version", pattern("^volume 3\\.\\d+$")),
        ("Vary", only("OpenStack-API-Version")),
        ("WWW-Authenticate", text()),
        ("Retry-After", only("0")),
    ]
    .into_iter()
    .map(|(name, schema)| (name.to_owned(), json!({"required": true, "schema": schema})))
    .collect()
}
