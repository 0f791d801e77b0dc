//! JSON values as Python prints them, because clients know Cinder's validation texts by heart.

use serde_json::Value;

/// The most characters of a value that an error text repeats.
const SHOWN_CHARS: usize = 1000;

/// `repr(value)`, cut when it is long.
pub(crate) fn repr(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    cut(out)
}

/// `str(value)`: text without its quotes, everything else as [`repr`].
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text.clone()),
        other => repr(other),
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => write_list(items.iter(), ['[', ']'], out, |item, out| {
            write(item, out);
        }),
        Value::Object(map) => write_list(map.iter(), ['{', '}'], out, |(key, item), out| {
            write_text(key, out);
            out.push_str(": ");
            write(item, out);
        }),
    }
}

fn write_list<T>(
    items: impl Iterator<Item = T>,
    [open, close]: [char; 2],
    out: &mut String,
    write_item: impl Fn(T, &mut String),
) {
    out.push(open);
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write_item(item, out);
    }
    out.push(close);
}

fn write_text(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c == quote => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn prints_as_python_does() {
        let value = json!({"name": "it's", "force": true, "snapshot_id": null, "n": [1, "a"]});
        assert_eq!(
            repr(&value),
            r#"{'name': "it's", 'force': True, 'snapshot_id': None, 'n': [1, 'a']}"#
        );
        assert_eq!(plain(&json!("a")), "a");
    }

    #[test]
    fn long_values_are_cut_at_a_character() {
        assert_eq!(plain(&json!("ü".repeat(2000))).chars().count(), 1003);
    }
}
