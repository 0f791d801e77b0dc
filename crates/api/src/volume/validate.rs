//! The shape of bodies: which keys, of which types, refused in the words of Cinder's schemas.
//!
//! Only shape is judged here. Whether a value is allowed in the present state is the service's.

use serde_json::{Map, Value};
use strongroom_model::volume::Metadata;

use crate::fault::Fault;
use crate::json::{plain, repr};

/// The most characters of a name, a description, a key or a value.
const MAX_CHARS: usize = 255;

/// The booleans that Cinder takes besides JSON's.
const TRUE: [&str; 11] = ["True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes", "y"];
const FALSE: [&str; 11] =
    ["False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no", "n"];

/// The object under the one key of a body.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    name: &'a str,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The object under `name`.
    pub(super) fn of(body: &'a Value, name: &'a str) -> Result<Self, Fault> {
        let Value::Object(outer) = body else {
            return Err(Fault::bad_request(format!("{} is not of type 'object'", repr(body))));
        };
        match outer.get(name) {
            None => Err(Fault::bad_request(format!("'{name}' is a required property"))),
            Some(Value::Object(map)) => Ok(Self { name, map }),
            Some(other) => Err(mistyped(name, other, "'object'")),
        }
    }

    /// As [`Self::of`], and nothing stands beside it.
    pub(super) fn alone(body: &'a Value, name: &'a str) -> Result<Self, Fault> {
        let fields = Self::of(body, name)?;
        let outer = body.as_object().into_iter().flatten();
        let others: Vec<&str> =
            outer.map(|(key, _)| key.as_str()).filter(|key| *key != name).collect();
        match others.as_slice() {
            [] => Ok(fields),
            others => Err(Fault::bad_request(unexpected(others))),
        }
    }

    /// Refuses keys other than these.
    pub(super) fn only(&self, allowed: &[&str]) -> Result<(), Fault> {
        let others: Vec<&str> =
            self.map.keys().map(String::as_str).filter(|key| !allowed.contains(key)).collect();
        match others.as_slice() {
            [] => Ok(()),
            others => Err(self.refuse(&unexpected(others))),
        }
    }

    /// The value of a key; absent if it is null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// The value of a key that must be there.
    pub(super) fn required(&self, key: &str) -> Result<&'a Value, Fault> {
        self.map.get(key).ok_or_else(|| self.refuse(&format!("'{key}' is a required property")))
    }

    /// A text of at most 255 characters, trimmed.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, Fault> {
        self.get(key).map(|value| text(key, value)).transpose()
    }

    /// What to set a text to: nothing if the key is absent, none if it is null.
    pub(super) fn text_change(&self, key: &str) -> Result<Option<Option<String>>, Fault> {
        match self.map.contains_key(key) {
            true => self.text(key).map(Some),
            false => Ok(None),
        }
    }

    /// A boolean, or a word that stands for one; false if absent.
    pub(super) fn flag(&self, key: &str) -> Result<bool, Fault> {
        self.map.get(key).map_or(Ok(false), |value| flag(key, value))
    }

    /// An id, as `parse` reads it.
    pub(super) fn id<I, E>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Result<I, E>,
    ) -> Result<Option<I>, Fault> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let id = value.as_str().and_then(|text| parse(text).ok());
        id.map(Some).ok_or_else(|| invalid(key, value, &format!("{} is not a 'uuid'", repr(value))))
    }

    /// Key-value pairs; absent if null.
    pub(super) fn metadata(&self, key: &str) -> Result<Option<Metadata>, Fault> {
        self.get(key).map(|value| metadata(key, value)).transpose()
    }

    fn refuse(&self, why: &str) -> Fault {
        invalid(self.name, &Value::Object(self.map.clone()), why)
    }
}

/// A refusal of a value.
pub(super) fn invalid(field: &str, value: &Value, why: &str) -> Fault {
    Fault::bad_request(format!(
        "Invalid input for field/attribute {field}. Value: {}. {why}",
        plain(value)
    ))
}

/// A refusal of a value of the wrong type.
pub(super) fn mistyped(field: &str, value: &Value, types: &str) -> Fault {
    invalid(field, value, &format!("{} is not of type {types}", repr(value)))
}

/// A text of at most 255 characters without NUL, trimmed.
pub(super) fn text(field: &str, value: &Value) -> Result<String, Fault> {
    let Value::String(text) = value else {
        return Err(mistyped(field, value, "'string', 'null'"));
    };
    if text.chars().count() > MAX_CHARS {
        return Err(invalid(field, value, &format!("{} is too long", repr(value))));
    }
    if text.contains('\0') {
        let why = format!("{} has a character that is not printable", repr(value));
        return Err(invalid(field, value, &why));
    }
    Ok(text.trim().to_owned())
}

/// A boolean, or a word that stands for one.
pub(super) fn flag(field: &str, value: &Value) -> Result<bool, Fault> {
    let word = match value {
        Value::Bool(flag) => return Ok(*flag),
        Value::String(word) => word.as_str(),
        _ => "",
    };
    if TRUE.contains(&word) || word == "t" {
        Ok(true)
    } else if FALSE.contains(&word) || word == "f" {
        Ok(false)
    } else {
        let why = format!("{} is not one of [True, False]", repr(value));
        Err(invalid(field, value, &why))
    }
}

/// Key-value pairs: keys of 1 to 255 characters of `[A-Za-z0-9-_:. /]`, values up to 255.
pub(super) fn metadata(field: &str, value: &Value) -> Result<Metadata, Fault> {
    let Value::Object(map) = value else {
        return Err(mistyped(field, value, "'object', 'null'"));
    };
    map.iter()
        .map(|(key, item)| Ok((metadata_key(field, key, value)?, metadata_value(key, item)?)))
        .collect()
}

fn metadata_key(field: &str, key: &str, whole: &Value) -> Result<String, Fault> {
    let fits = (1..=MAX_CHARS).contains(&key.len())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:. /".contains(&b));
    if fits {
        return Ok(key.to_owned());
    }
    let key = repr(&Value::from(key));
    let why = format!("{key} does not match any of the regexes: '^[a-zA-Z0-9-_:. /]{{1,255}}$'");
    Err(invalid(field, whole, &why))
}

fn metadata_value(key: &str, value: &Value) -> Result<String, Fault> {
    match value {
        Value::String(text) if text.chars().count() > MAX_CHARS || text.contains('\0') => {
            Err(invalid(key, value, &format!("{} is too long", repr(value))))
        }
        Value::String(text) => Ok(text.clone()),
        other => Err(mistyped(key, other, "'string'")),
    }
}

fn unexpected(keys: &[&str]) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| repr(&Value::from(*key))).collect();
    let verb = if quoted.len() == 1 { "was" } else { "were" };
    format!("Additional properties are not allowed ({} {verb} unexpected)", quoted.join(", "))
}

/// The name and argument of an action: the one key of its body.
pub(super) fn action(body: &Value) -> Result<(&str, &Value), Fault> {
    let mut entries = body.as_object().into_iter().flatten();
    match (entries.next(), entries.next()) {
        (Some((name, argument)), None) => Ok((name, argument)),
        _ => Err(Fault::malformed_body()),
    }
}

/// The refusal of an action that does not exist.
pub(super) fn no_action(name: &str) -> Fault {
    Fault::bad_request(format!(
        "There is no such action: {name}. Verify the request body and Content-Type header and \
         try again."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
        result.unwrap_err().message
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        let body = json!({"backup": {"name": "b", "x": 1}});
        let fields = Fields::of(&body, "backup").unwrap();
        insta::assert_snapshot!(refusal(fields.required("volume_id")), @"Invalid input for field/attribute backup. Value: {'name': 'b', 'x': 1}. 'volume_id' is a required property");
        insta::assert_snapshot!(refusal(fields.only(&["name"])), @"Invalid input for field/attribute backup. Value: {'name': 'b', 'x': 1}. Additional properties are not allowed ('x' was unexpected)");
        assert_eq!(refusal(fields.only(&[])).matches("were").count(), 1);
        assert_eq!(refusal(Fields::of(&body, "restore")), "'restore' is a required property");
        assert_eq!(refusal(Fields::of(&json!([]), "backup")), "[] is not of type 'object'");
        let beside = json!({"backup": {}, "y": 1});
        assert!(refusal(Fields::alone(&beside, "backup")).contains("('y' was unexpected)"));
        assert!(refusal(Fields::of(&json!({"backup": 1}), "backup")).contains("Value: 1."));
    }

    #[test]
    fn texts_are_trimmed_and_bounded() {
        let long = "ü".repeat(255);
        let body = json!({"b": {"name": "  a b ", "n": null, "i": 7, "l": long, "ll": "x".repeat(256), "z": "\0"}});
        let fields = Fields::of(&body, "b").unwrap();
        assert_eq!(fields.text("name").unwrap().as_deref(), Some("a b"));
        assert_eq!(fields.text("n").unwrap(), None);
        assert_eq!(fields.text_change("n").unwrap(), Some(None));
        assert_eq!(fields.text_change("absent").unwrap(), None);
        assert!(fields.text("l").is_ok());
        assert!(refusal(fields.text("ll")).ends_with("is too long"));
        assert!(fields.text("z").is_err());
        insta::assert_snapshot!(refusal(fields.text("i")), @"Invalid input for field/attribute i. Value: 7. 7 is not of type 'string', 'null'");
    }

    #[test]
    fn booleans_come_as_words_too() {
        for (value, expected) in [(json!(true), true), (json!("Off"), false), (json!("t"), true)] {
            assert_eq!(flag("force", &value).unwrap(), expected);
        }
        for bad in [json!("maybe"), json!(1), json!(null), json!([])] {
            assert!(flag("force", &bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn metadata_keys_and_values_are_texts_of_some_length() {
        let pairs = metadata("metadata", &json!({"a:b/c d": "v"})).unwrap();
        assert_eq!(pairs["a:b/c d"], "v");
        for bad in [
            json!({"": "v"}),
            json!({"ä": "v"}),
            json!({"k": 1}),
            json!({"k": "v".repeat(256)}),
            json!([]),
        ] {
            assert!(metadata("metadata", &bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_action_is_one_key() {
        assert_eq!(action(&json!({"os-x": null})).unwrap(), ("os-x", &Value::Null));
        for bad in [json!({}), json!({"a": 1, "b": 2}), json!([]), json!(null)] {
            assert_eq!(refusal(action(&bad)), "Malformed request body");
        }
    }
}
