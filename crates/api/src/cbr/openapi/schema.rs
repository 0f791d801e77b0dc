//! Pieces of JSON Schema that the families of this door share.

use serde_json::{Value, json};

use crate::cbr::code::Code;
pub(super) use crate::openapi::*;

/// An id as answers show it.
pub(super) fn uuid() -> Value {
    named("Uuid")
}

/// An id as a request may write it.
pub(super) fn wished_uuid() -> Value {
    named("WishedUuid")
}

/// An instant as answers show it: UTC, six digits, no zone.
pub(super) fn instant() -> Value {
    named("Instant")
}

/// A name in a request.
pub(super) fn name() -> Value {
    named("Name")
}

/// A whole number in a range.
pub(super) fn range(least: i64, most: i64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most})
}

/// A text of so many characters.
pub(super) fn text_of(least: usize, most: usize) -> Value {
    json!({"type": "string", "minLength": least, "maxLength": most, "pattern": "^[^\\x00]*$"})
}

/// A list of so many such things.
pub(super) fn list_of(items: Value, least: usize, most: usize) -> Value {
    json!({"type": "array", "items": items, "minItems": least, "maxItems": most})
}

/// A body: each of these keys may be absent or null, and others may stand beside them.
pub(super) fn wishes<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.map(|(key, schema)| (key, nullable(schema)));
    open(choice(fields))
}

/// The same body, in which these keys must be there.
pub(super) fn needing<const N: usize, const M: usize>(
    needed: [(&str, Value); N],
    wished: [(&str, Value); M],
) -> Value {
    let wished = wished.map(|(key, schema)| (key, nullable(schema)));
    open(with_optional(object(needed), wished))
}

/// The schemas that those of all families are made of.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    const HEX: &str = "[0-9a-f]";
    let id = format!("^{HEX}{{8}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{12}}$");
    let wished = "^(\\{[0-9a-fA-F-]{36}\\}|(urn:uuid:)?[0-9a-fA-F-]{36}|[0-9a-fA-F]{32})$";
    let codes: Vec<String> = Code::ALL.iter().map(|code| code.text()).collect();
    let refusal = object([("error_code", json!({"enum": codes})), ("error_msg", text())]);
    let gateway = object([
        ("error_code", pattern("^APIGW\\.\\d{4}$")),
        ("error_msg", text()),
        ("request_id", text()),
    ]);
    vec![
        ("Uuid", pattern(&id)),
        ("WishedUuid", pattern(wished)),
        ("Instant", pattern("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}$")),
        ("Name", pattern("^[\\u4E00-\\u9FA5\\uF900-\\uFA2Da-zA-Z0-9_.-]{1,64}$")),
        ("Refusal", refusal),
        ("GatewayRefusal", gateway),
    ]
}
