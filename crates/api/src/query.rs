//! The query of a URL as decoded pairs, in order; of a repeated key the last one counts.

use std::collections::HashSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::fault::Fault;

/// What is written as it is inside a query; everything else is percent-encoded.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');

/// The pairs of a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a query; refuses what is no UTF-8 or holds a NUL, which no database keeps.
    pub(crate) fn parse(raw: Option<&str>) -> Result<Self, Fault> {
        let mut pairs = raw
            .unwrap_or_default()
            .split('&')
            .filter(|piece| !piece.is_empty())
            .map(|piece| {
                let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
                Ok((decode(key)?, decode(value)?))
            })
            .collect::<Result<Vec<_>, Fault>>()?;
        let mut seen = HashSet::new();
        pairs.reverse();
        pairs.retain(|(key, _)| seen.insert(key.clone()));
        pairs.reverse();
        Ok(Self(pairs))
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(k, _)| *k == key).map(|(_, value)| value)
    }

    /// Every pair.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// This query with one key set, encoded.
    pub(crate) fn encode_with(&self, key: &str, value: &str) -> String {
        let kept = self.iter().filter(|(k, _)| *k != key);
        kept.chain([(key, value)])
            .map(|(k, v)| format!("{}={}", encode(k), encode(v)))
            .collect::<Vec<_>>()
            .join("&")
    }
}

fn encode(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, PLAIN)
}

fn decode(text: &str) -> Result<String, Fault> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    match decoded {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err(Fault::bad_request("Query string is not UTF-8 encoded")),
    }
}

/// A boolean in a query, as Python and people write it.
pub(crate) fn parse_bool(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "yes" | "y" | "t" => Some(true),
        "false" | "0" | "off" | "no" | "n" | "f" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_and_the_last_of_a_key_counts() {
        let query = Query::parse(Some("name%7E=a+b&limit=1&&flag&limit=2")).unwrap();
        let pairs: Vec<_> = query.iter().collect();
        assert_eq!(pairs, [("name~", "a b"), ("flag", ""), ("limit", "2")]);
    }

    #[test]
    fn refuses_what_is_no_text() {
        for bad in ["name=%FF", "%C3=1", "name=%00"] {
            assert!(Query::parse(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn keeps_every_pair_and_sets_one() {
        let query = Query::parse(Some("marker=x&name~=a%26b%20c&sort=name:asc")).unwrap();
        assert_eq!(query.encode_with("marker", "7"), "name~=a%26b%20c&sort=name:asc&marker=7");
    }

    // T-17: Python-style booleans.
    #[test]
    fn t17_booleans_as_python_writes_them() {
        for (word, value) in [("True", true), ("False", false), ("1", true), ("n", false)] {
            assert_eq!(parse_bool(word), Some(value));
        }
        assert_eq!(parse_bool("2"), None);
        assert_eq!(parse_bool(""), None);
    }
}
