//! Pieces of JSON Schema. What an answer holds is exact: no key beyond those that are named.

use serde_json::{Map, Value, json};

/// A reference to a named schema.
pub(super) fn named(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object with these keys, all of them present, and no others.
pub(super) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = fields.iter().map(|(key, _)| *key).collect();
    json!({
        "type": "object",
        "properties": properties(&fields),
        "required": required,
        "additionalProperties": false,
    })
}

/// An object of which each of these keys may be absent, and that has no others.
pub(super) fn choice<const N: usize>(fields: [(&str, Value); N]) -> Value {
    json!({"type": "object", "properties": properties(&fields), "additionalProperties": false})
}

fn properties(fields: &[(&str, Value)]) -> Map<String, Value> {
    fields.iter().map(|(key, schema)| ((*key).to_owned(), schema.clone())).collect()
}

/// The same object with keys that may be absent.
pub(super) fn with_optional<const N: usize>(
    mut object: Value,
    fields: [(&str, Value); N],
) -> Value {
    for (key, schema) in fields {
        object["properties"][key] = schema;
    }
    object
}

/// The same object, of which these keys must be present.
pub(super) fn requiring<const N: usize>(mut object: Value, keys: [&str; N]) -> Value {
    object["required"] = json!(keys.as_slice());
    object
}

/// The same object beside whose keys others may stand.
pub(super) fn open(mut object: Value) -> Value {
    if let Some(map) = object.as_object_mut() {
        map.shift_remove("additionalProperties");
    }
    object
}

/// The same schema, or null.
pub(super) fn nullable(mut schema: Value) -> Value {
    match schema.get("type") {
        Some(Value::String(kind)) if schema.get("enum").is_none() => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        _ => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

/// A list of such things.
pub(super) fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// Any text.
pub(super) fn text() -> Value {
    json!({"type": "string"})
}

/// A text that matches a pattern.
pub(super) fn pattern(pattern: &str) -> Value {
    json!({"type": "string", "pattern": pattern})
}

/// One of some words.
pub(super) fn word<const N: usize>(words: [&str; N]) -> Value {
    json!({"type": "string", "enum": words.as_slice()})
}

/// Exactly this.
pub(super) fn only(value: impl Into<Value>) -> Value {
    json!({"const": value.into()})
}

/// A whole number.
pub(super) fn whole() -> Value {
    json!({"type": "integer"})
}

/// A whole number from 0.
pub(super) fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

/// A boolean.
pub(super) fn flag() -> Value {
    json!({"type": "boolean"})
}

/// An id as answers show it.
pub(super) fn uuid() -> Value {
    named("Uuid")
}

/// An instant with six digits and no zone.
pub(super) fn instant() -> Value {
    named("Instant")
}

/// A text in a body: at most 255 characters, none of them NUL.
pub(super) fn short_text() -> Value {
    json!({"type": "string", "maxLength": 255, "pattern": "^[^\\x00]*$"})
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
