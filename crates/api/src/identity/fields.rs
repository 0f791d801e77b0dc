//! The fields of a body, with refusals that name them.

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The most characters of a name or a description.
const MAX_CHARS: usize = 255;

/// The object under one key of a body.
#[derive(Debug)]
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The object under `name`.
    pub(super) fn of(body: &'a Value, name: &str) -> Result<Self, Refusal> {
        body.get(name).and_then(Value::as_object).map(Self).ok_or_else(|| Refusal::lacking(name))
    }

    /// The value of a key, if it is there and not null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// Whether the key is there, even with null.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, Refusal> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let text =
            value.as_str().filter(|text| text.chars().count() <= MAX_CHARS && !text.contains('\0'));
        text.map(|text| Some(text.to_owned()))
            .ok_or_else(|| invalid(key, "it must be a text of at most 255 characters"))
    }

    /// A text that is not blank if it is there.
    pub(super) fn filled(&self, key: &str) -> Result<Option<String>, Refusal> {
        match self.text(key)? {
            Some(text) if text.trim().is_empty() => Err(invalid(key, "it must not be blank")),
            text => Ok(text),
        }
    }

    /// A text that must be there and not be blank.
    pub(super) fn required(&self, key: &str) -> Result<String, Refusal> {
        self.filled(key)?
            .ok_or_else(|| Refusal::bad_request(format!("'{key}' is a required property")))
    }

    /// A boolean.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, Refusal> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(invalid(key, "it must be true or false")),
        }
    }

    /// An id, as `parse` reads it.
    pub(super) fn id<I, E>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Result<I, E>,
    ) -> Result<Option<I>, Refusal> {
        let text = self.text(key)?;
        text.map(|text| parse(&text)).transpose().map_err(|_| invalid(key, "it is no id"))
    }
}

fn invalid(key: &str, why: &str) -> Refusal {
    Refusal::bad_request(format!("Invalid input for field '{key}': {why}"))
}
