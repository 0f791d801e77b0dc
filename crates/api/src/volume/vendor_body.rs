//! Bodies of the vendor's half, whose refusals have codes.

use axum::http::StatusCode;
use serde_json::{Map, Value};
use strongroom_model::tag::Tags;

use super::call::Call;
use crate::fault::Fault;

/// Characters that no text of the vendor's half may have.
const BRACKETS: [char; 2] = ['<', '>'];

/// 400 with a code.
pub(super) fn refuse(code: &'static str, message: impl Into<String>) -> Fault {
    Fault::coded(StatusCode::BAD_REQUEST, code, message)
}

/// The codes of a family of operations for bodies that say nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyCodes {
    /// There is no body.
    pub(super) absent: &'static str,
    /// It is an empty object.
    pub(super) empty: &'static str,
    /// It is no JSON, or no object.
    pub(super) malformed: &'static str,
}

impl BodyCodes {
    /// One code for all.
    pub(super) const fn all(code: &'static str) -> Self {
        Self { absent: code, empty: code, malformed: code }
    }
}

/// The body, which must be an object that is not empty.
pub(super) fn object(call: &Call, codes: BodyCodes) -> Result<Map<String, Value>, Fault> {
    let Some(bytes) = &call.body else {
        return Err(refuse(codes.absent, "The request has no body."));
    };
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(map)) if map.is_empty() => {
            Err(refuse(codes.empty, "The body of the request is empty."))
        }
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(refuse(codes.malformed, "The body of the request is not a JSON object.")),
    }
}

/// The value of a key; absent if it is null.
pub(super) fn get<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    map.get(key).filter(|value| !value.is_null())
}

/// The object under a key that must be there.
pub(super) fn inner<'a>(
    map: &'a Map<String, Value>,
    key: &str,
    code: &'static str,
) -> Result<&'a Map<String, Value>, Fault> {
    let inner = get(map, key).and_then(Value::as_object);
    inner.ok_or_else(|| refuse(code, format!("'{key}' must be an object.")))
}

/// Whether a text has a character that no text of the vendor's half may have.
pub(super) fn has_brackets(text: &str) -> bool {
    text.contains(BRACKETS)
}

/// A list of tags, each key once; none if absent. A tag without a value has an empty one, because
/// clients leave empty values out. Whether keys and values are allowed is judged later.
pub(super) fn tags(value: Option<&Value>, code: &'static str) -> Result<Tags, Fault> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(Tags::new()) };
    let Value::Array(items) = value else {
        return Err(refuse(code, "'tags' must be a list."));
    };
    let mut tags = Tags::new();
    for item in items {
        let (key, value) = tag(item, code)?;
        if tags.insert(key.clone(), value).is_some() {
            return Err(refuse(code, format!("The tag '{key}' occurs twice.")));
        }
    }
    Ok(tags)
}

/// One tag, an object with `key` and `value`.
pub(super) fn tag(value: &Value, code: &'static str) -> Result<(String, String), Fault> {
    let read = || {
        let map = value.as_object()?;
        let key = map.get("key")?.as_str()?;
        let value = match get(map, "value") {
            None => "",
            Some(value) => value.as_str()?,
        };
        Some((key.to_owned(), value.to_owned()))
    };
    read().ok_or_else(|| refuse(code, "A tag must be an object with the texts 'key' and 'value'."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tags_are_a_list_of_pairs_with_each_key_once() {
        let read = |value: Value| tags(Some(&value), "C");
        assert_eq!(tags(None, "C").unwrap(), Tags::new());
        assert_eq!(read(Value::Null).unwrap(), Tags::new());
        let found = read(json!([{"key": "a", "value": "1"}, {"key": "b"}])).unwrap();
        assert_eq!(found.into_values().collect::<Vec<_>>(), ["1", ""]);
        for bad in [
            json!({}),
            json!("a"),
            json!([1]),
            json!([{}]),
            json!([{"key": 1, "value": "x"}]),
            json!([{"key": "a", "value": 1}]),
            json!([{"key": "a", "value": "1"}, {"key": "a", "value": "1"}]),
        ] {
            assert_eq!(read(bad).unwrap_err().code, Some("C"));
        }
    }
}
