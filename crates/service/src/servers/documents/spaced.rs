//! JSON in one line with a space after each separator, as Python writes it.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// A document as Python writes it: `{"a": 1, "b": [2, 3]}`.
pub fn spaced(document: &Value) -> String {
    let mut text = Vec::new();
    let written = document.serialize(&mut Serializer::with_formatter(&mut text, Spaced));
    match (written, String::from_utf8(text)) {
        (Ok(()), Ok(text)) => text,
        // Neither happens: what is written is memory, and JSON is UTF-8.
        _ => document.to_string(),
    }
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        is_first: bool,
    ) -> io::Result<()> {
        if is_first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        is_first: bool,
    ) -> io::Result<()> {
        if is_first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn separators_are_followed_by_a_space_and_texts_are_left_alone() {
        let document = json!({"a": 1, "b": [2, {"c": "x,y:z\"", "d": null}], "e": {}, "f": []});
        let text = spaced(&document);
        let expected = r#"{"a": 1, "b": [2, {"c": "x,y:z\"", "d": null}], "e": {}, "f": []}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    }
}
