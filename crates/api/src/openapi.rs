//! Pieces of JSON Schema. What an answer holds is exact: no key beyond those that are named.

use serde_json::{Map, Value, json};

/// A reference to a named schema.
pub(crate) fn named(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object with these keys, all of them present, and no others.
pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = fields.iter().map(|(key, _)| *key).collect();
    json!({
        "type": "object",
        "properties": properties(&fields),
        "required": required,
        "additionalProperties": false,
    })
}

/// An object of which each of these keys may be absent, and that has no others.
pub(crate) fn choice<const N: usize>(fields: [(&str, Value); N]) -> Value {
    json!({"type": "object", "properties": properties(&fields), "additionalProperties": false})
}

fn properties(fields: &[(&str, Value)]) -> Map<String, Value> {
    fields.iter().map(|(key, schema)| ((*key).to_owned(), schema.clone())).collect()
}

/// The same object with keys that may be absent.
pub(crate) fn with_optional<const N: usize>(
    mut object: Value,
    fields: [(&str, Value); N],
) -> Value {
    for (key, schema) in fields {
        object["properties"][key] = schema;
    }
    object
}

/// The same object, of which these keys must be present.
pub(crate) fn requiring<const N: usize>(mut object: Value, keys: [&str; N]) -> Value {
    object["required"] = json!(keys.as_slice());
    object
}

/// The same object beside whose keys others may stand.
pub(crate) fn open(mut object: Value) -> Value {
    if let Some(map) = object.as_object_mut() {
        map.shift_remove("additionalProperties");
    }
    object
}

/// The same schema, or null.
pub(crate) fn nullable(mut schema: Value) -> Value {
    match schema.get("type") {
        Some(Value::String(kind)) if schema.get("enum").is_none() => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        _ => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

/// A list of such things.
pub(crate) fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// Any text.
pub(crate) fn text() -> Value {
    json!({"type": "string"})
}

/// A text that matches a pattern.
pub(crate) fn pattern(pattern: &str) -> Value {
    json!({"type": "string", "pattern": pattern})
}

/// One of some words.
pub(crate) fn word<const N: usize>(words: [&str; N]) -> Value {
    json!({"type": "string", "enum": words.as_slice()})
}

/// Exactly this.
pub(crate) fn only(value: impl Into<Value>) -> Value {
    json!({"const": value.into()})
}

/// A whole number.
pub(crate) fn whole() -> Value {
    json!({"type": "integer"})
}

/// A whole number from 0.
pub(crate) fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

/// A boolean.
pub(crate) fn flag() -> Value {
    json!({"type": "boolean"})
}

/// A text in a body: at most 255 characters, none of them NUL.
pub(crate) fn short_text() -> Value {
    json!({"type": "string", "maxLength": 255, "pattern": "^[^\\x00]*$"})
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Collects what a document refers to.
    pub(crate) fn collect_references(value: &Value, names: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                names.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|inner| collect_references(inner, names));
            }
            Value::Array(items) => {
                items.iter().for_each(|inner| collect_references(inner, names));
            }
            _ => {}
        }
    }
}
