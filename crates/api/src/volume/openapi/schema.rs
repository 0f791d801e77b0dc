//! Pieces of JSON Schema that the families of this door share.

use serde_json::{Value, json};

pub(super) use crate::openapi::*;

/// An id as answers show it.
pub(super) fn uuid() -> Value {
    named("Uuid")
}

/// An instant with six digits and no zone.
pub(super) fn instant() -> Value {
    named("Instant")
}

/// The schemas that those of all families are made of.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    const HEX: &str = "[0-9a-f]";
    let id = format!("^{HEX}{{8}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{12}}$");
    let wished = "^(\\{[0-9a-fA-F-]{36}\\}|(urn:uuid:)?[0-9a-fA-F-]{36}|[0-9a-fA-F]{32})$";
    let words = [
        "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes", "y", "t", "False",
        "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no", "n", "f",
    ];
    let link = |rel: &str| object([("rel", only(rel)), ("href", text())]);
    let link_either_way = json!({
        "type": "array",
        "prefixItems": [link("self"), link("bookmark")],
        "items": false,
        "minItems": 2,
    });
    vec![
        ("Uuid", pattern(&id)),
        ("WishedUuid", pattern(wished)),
        ("Instant", pattern("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}$")),
        ("Boolean", json!({"anyOf": [flag(), word(words)]})),
        ("Pairs", json!({"type": "object", "additionalProperties": text()})),
        (
            "WishedPairs",
            json!({
                "type": "object",
                "propertyNames": {"pattern": "^[a-zA-Z0-9\\-_:. /]{1,255}$"},
                "additionalProperties": short_text(),
            }),
        ),
        ("Links", link_either_way),
        ("NextLink", json!({"type": "array", "items": link("next"), "minItems": 1, "maxItems": 1})),
    ]
}
