//! Dictionaries as Python prints them, which clients put into queries: `{'a': ['b', 'c']}`.
//!
//! Keys are texts; values are texts or lists of texts. JSON of that shape is a subset, but for the
//! escapes of characters beyond 16 bits, so JSON is tried first.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::{Map, Value};

/// Reads a dictionary; `None` if the text is none, or holds anything but texts.
pub(super) fn parse_dict(text: &str) -> Option<Map<String, Value>> {
    if let Ok(Value::Object(map)) = serde_json::from_str(text) {
        return map.values().all(is_text_or_texts).then_some(map);
    }
    let mut reader = Reader(text.chars().peekable());
    let map = reader.dict()?;
    reader.skip_blanks();
    reader.0.next().is_none().then_some(map)
}

fn is_text_or_texts(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(Value::is_string),
        other => other.is_string(),
    }
}

struct Reader<'a>(Peekable<Chars<'a>>);

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        while self.0.next_if(|c| c.is_whitespace()).is_some() {}
    }

    /// The next character that is no blank, if it is this one.
    fn take(&mut self, wanted: char) -> Option<char> {
        self.skip_blanks();
        self.0.next_if_eq(&wanted)
    }

    fn dict(&mut self) -> Option<Map<String, Value>> {
        self.take('{')?;
        let mut map = Map::new();
        while self.take('}').is_none() {
            let key = self.text()?;
            self.take(':')?;
            let value = self.value()?;
            map.insert(key, value);
            if self.take(',').is_none() {
                self.take('}')?;
                break;
            }
        }
        Some(map)
    }

    fn value(&mut self) -> Option<Value> {
        for (open, close) in [('[', ']'), ('(', ')')] {
            if self.take(open).is_some() {
                return self.texts(close);
            }
        }
        self.text().map(Value::String)
    }

    fn texts(&mut self, close: char) -> Option<Value> {
        let mut items = Vec::new();
        while self.take(close).is_none() {
            items.push(Value::String(self.text()?));
            if self.take(',').is_none() {
                self.take(close)?;
                break;
            }
        }
        Some(Value::Array(items))
    }

    fn text(&mut self) -> Option<String> {
        self.take('u');
        self.skip_blanks();
        let quote = self.0.next_if(|c| matches!(c, '\'' | '"'))?;
        let mut text = String::new();
        loop {
            match self.0.next()? {
                '\\' => text.push(self.escape()?),
                c if c == quote => return Some(text),
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        match self.0.next()? {
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'x' => self.code(2),
            'u' => self.code(4),
            'U' => self.code(8),
            c => matches!(c, '\\' | '\'' | '"' | '/').then_some(c),
        }
    }

    fn code(&mut self, digits: usize) -> Option<char> {
        let mut code = 0;
        for _ in 0..digits {
            code = code * 16 + self.0.next()?.to_digit(16)?;
        }
        char::from_u32(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn python_and_json_are_read() {
        for (text, value) in [
            ("{}", json!({})),
            ("{'a': ['b', 'c'], 'd': []}", json!({"a": ["b", "c"], "d": []})),
            ("{u'a':u'b'}", json!({"a": "b"})),
            ("{\"a\": [\"b\"]}", json!({"a": ["b"]})),
            ("{'a': ('b', )}", json!({"a": ["b"]})),
            ("{\"it's\": ['say \"x\"'],}", json!({"it's": ["say \"x\""]})),
            ("{'\\'\\\\\\u00e9\\xe9': 'é'}", json!({"'\\éé": "é"})),
        ] {
            assert_eq!(parse_dict(text).map(Value::Object), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_dictionary_of_texts_is_none() {
        for text in [
            "",
            "a",
            "['a']",
            "{'a'}",
            "{'a': 1}",
            "{\"a\": 1}",
            "{\"a\": [[]]}",
            "{'a': ['b'}",
            "{'a': 'b'",
            "{'a': 'b'} x",
            "{'a' 'b'}",
            "{'a': 'b' 'c': 'd'}",
            "{'a': '\\ud800'}",
            "{'a': '\\q'}",
            "{'a': None}",
            "{'a': __import__('os')}",
        ] {
            assert_eq!(parse_dict(text), None, "{text}");
        }
    }
}
