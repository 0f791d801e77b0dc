//! The query of a URL: pairs in order, of which a repeated key has several values.
//!
//! Every value is read like a field of a body: `query.optional("limit", |it| it.digits(1..=1000))`.
//! An empty value is an absent one.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::fault::Fault;
use super::fields::Field;

/// The pairs of a query.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(String, Value)>);

impl Query {
    /// Decodes a query; refuses what is no UTF-8 or holds a NUL.
    pub(super) fn parse(raw: Option<&str>) -> Result<Self, Fault> {
        let pieces = raw.unwrap_or_default().split('&').filter(|piece| !piece.is_empty());
        let pairs = pieces.map(|piece| {
            let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
            Ok((decode(key)?, Value::String(decode(value)?)))
        });
        Ok(Self(pairs.collect::<Result<_, Fault>>()?))
    }

    /// The text of a key, the last if there are several.
    pub(super) fn get<'a>(&'a self, key: &'a str) -> Option<&'a str> {
        self.values(key).next_back()
    }

    /// Every text of a key that may be repeated or hold several between commas.
    pub(super) fn all<'a>(&'a self, key: &'a str) -> Vec<&'a str> {
        let pieces = self.values(key).flat_map(|value| value.split(','));
        pieces.map(str::trim).filter(|piece| !piece.is_empty()).collect()
    }

    /// Reads the value of a key, the last if there are several.
    pub(super) fn optional<'a, T>(
        &'a self,
        key: &str,
        read: impl FnOnce(Field<'a>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let found = self.0.iter().rev().find(|(k, value)| k == key && value != "");
        found.map(|(key, value)| read(Field::new(key.as_str(), value))).transpose()
    }

    /// Reads the value of a key that must be there.
    pub(super) fn required<'a, T>(
        &'a self,
        key: &str,
        read: impl FnOnce(Field<'a>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.optional(key, read)?.ok_or_else(|| Fault::invalid(format!("{key} is needed.")))
    }

    /// Reads every value of a key that may be repeated or hold several between commas.
    pub(super) fn each<T>(
        &self,
        key: &str,
        read: impl Fn(Field<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let texts = self.all(key).into_iter();
        texts.map(|text| read(Field::new(key, &Value::String(text.to_owned())))).collect()
    }

    fn values<'a>(&'a self, key: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
        let found = self.0.iter().filter(move |(k, _)| k == key);
        found.filter_map(|(_, value)| value.as_str().filter(|text| !text.is_empty()))
    }
}

fn decode(text: &str) -> Result<String, Fault> {
    let spaced = text.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err(Fault::invalid("The query is not UTF-8 encoded.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c31_repeated_keys_and_commas_are_several_values() {
        let query = Query::parse(Some("status=a&status=b&id=1,2&id=3&id=&name=a+b%2Cc")).unwrap();
        assert_eq!(query.all("status"), ["a", "b"]);
        assert_eq!(query.all("id"), ["1", "2", "3"]);
        assert_eq!(query.get("id"), Some("3"));
        assert_eq!(query.get("name"), Some("a b,c"));
        assert_eq!(query.get("none"), None);
    }

    #[test]
    fn refuses_what_is_no_text() {
        for bad in ["name=%FF", "%C3=1", "name=%00"] {
            assert!(Query::parse(Some(bad)).is_err(), "{bad}");
        }
    }
}
