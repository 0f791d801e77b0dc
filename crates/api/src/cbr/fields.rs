//! What a body says, read key by key: type, length, range and shape are checked, and what is wrong
//! is named by its path.
//!
//! `fields.required("name", |it| it.text(NAME))?` reads what must be there,
//! `fields.optional("threshold", |it| it.whole(1..=100))?` what may be absent; null is absent too.
//! Keys that nobody asks for are ignored. The same readers serve the query, where every value is a
//! text.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use strongroom_model::id::InvalidId;

use super::fault::Fault;

/// What a text must be like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    /// The fewest characters.
    pub(super) min: usize,
    /// The most characters.
    pub(super) max: usize,
    /// Which characters it may have.
    pub(super) allows: fn(char) -> bool,
}

/// A name: Chinese and Latin letters, digits, `_`, `-` and `.`.
pub(super) const NAME: Text = Text { min: 1, max: 64, allows: is_name };

/// Free text without angle brackets.
pub(super) const TEXT: Text = Text { min: 0, max: 255, allows: is_plain };

/// The name of a region.
pub(super) const REGION: Text = Text { min: 0, max: 255, allows: is_region };

/// Any text of at most so many characters.
pub(super) const fn any_text(max: usize) -> Text {
    Text { min: 0, max, allows: |_| true }
}

/// Any text of so many characters that is not empty.
pub(super) const fn some_text(max: usize) -> Text {
    Text { min: 1, max, allows: |_| true }
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || "_-.".contains(letter)
        || ('\u{4E00}'..='\u{9FA5}').contains(&letter)
        || ('\u{F900}'..='\u{FA2D}').contains(&letter)
}

fn is_plain(letter: char) -> bool {
    letter != '<' && letter != '>'
}

fn is_region(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "._-".contains(letter)
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Field<'a> {
    /// A value at a path.
    pub(super) fn new(path: impl Into<String>, value: &'a Value) -> Self {
        Self { path: path.into(), value }
    }

    /// The value as it is.
    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    /// The refusal of this value; the reason ends the sentence.
    pub(super) fn refuse(&self, reason: impl std::fmt::Display) -> Fault {
        Fault::invalid(format!("Invalid {} provided: {reason}.", self.path))
    }

    /// Any text without NUL, which no database keeps.
    pub(super) fn string(&self) -> Result<&'a str, Fault> {
        let text = self.value.as_str().ok_or_else(|| self.refuse("a string is needed"))?;
        if text.contains('\0') { Err(self.refuse("it holds a NUL")) } else { Ok(text) }
    }

    /// A text of that length and of those characters.
    pub(super) fn text(&self, is: Text) -> Result<&'a str, Fault> {
        let text = self.string()?;
        if !(is.min..=is.max).contains(&text.chars().count()) {
            return Err(self.refuse(format!("{} to {} characters are needed", is.min, is.max)));
        }
        if !text.chars().all(is.allows) {
            return Err(self.refuse("it holds characters that are not allowed"));
        }
        Ok(text)
    }

    /// A boolean.
    pub(super) fn flag(&self) -> Result<bool, Fault> {
        self.value.as_bool().ok_or_else(|| self.refuse("a boolean is needed"))
    }

    /// A boolean, or the word for one, as a query has it.
    pub(super) fn flag_word(&self) -> Result<bool, Fault> {
        match self.value.as_str() {
            Some("true" | "True" | "TRUE" | "1") => Ok(true),
            Some("false" | "False" | "FALSE" | "0") => Ok(false),
            _ => self.flag(),
        }
    }

    /// A whole number in a range.
    pub(super) fn whole(&self, range: RangeInclusive<i64>) -> Result<i64, Fault> {
        let number = self.value.as_i64().filter(|number| range.contains(number));
        number.ok_or_else(|| self.out_of(&range))
    }

    /// A whole number in a range, or its digits.
    pub(super) fn digits(&self, range: RangeInclusive<i64>) -> Result<i64, Fault> {
        let Some(text) = self.value.as_str() else { return self.whole(range) };
        let number = text.trim().parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| self.out_of(&range))
    }

    fn out_of(&self, range: &RangeInclusive<i64>) -> Fault {
        self.refuse(format!("a whole number from {} to {} is needed", range.start(), range.end()))
    }

    /// An id: `it.id(VaultId::parse)`.
    pub(super) fn id<I>(&self, parse: fn(&str) -> Result<I, InvalidId>) -> Result<I, Fault> {
        parse(self.string()?).map_err(|_| self.refuse("it is no id"))
    }

    /// One of some words: `it.word(Kind::parse)`, where `parse` gives nothing for any other.
    pub(super) fn word<T>(&self, parse: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        parse(self.string()?).ok_or_else(|| self.refuse("the value is not one of those that exist"))
    }

    /// An object.
    pub(super) fn object(&self) -> Result<Fields<'a>, Fault> {
        let map = self.value.as_object().ok_or_else(|| self.refuse("an object is needed"))?;
        Ok(Fields { path: self.path.clone(), map })
    }

    /// A list of a length in a range, each of its items.
    pub(super) fn list(&self, lengths: RangeInclusive<usize>) -> Result<Vec<Self>, Fault> {
        let items = self.value.as_array().ok_or_else(|| self.refuse("a list is needed"))?;
        if !lengths.contains(&items.len()) {
            let (least, most) = lengths.into_inner();
            return Err(self.refuse(format!("{least} to {most} items are needed")));
        }
        let at = |(at, value)| Self { path: format!("{}[{at}]", self.path), value };
        Ok(items.iter().enumerate().map(at).collect())
    }

    /// A list of a length in a range, each of its items read.
    pub(super) fn each<T>(
        &self,
        lengths: RangeInclusive<usize>,
        read: impl Fn(Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        self.list(lengths)?.into_iter().map(read).collect()
    }
}

/// An object and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// A whole body, which must be an object.
    pub(super) fn of(body: &'a Value) -> Result<Self, Fault> {
        let map = body
            .as_object()
            .ok_or_else(|| Fault::invalid("The request body must be a JSON object."))?;
        Ok(Self { path: String::new(), map })
    }

    /// The value of a key as it is, null and all.
    pub(super) fn raw(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key)
    }

    /// The field of a key, if it is there and not null.
    pub(super) fn field(&self, key: &str) -> Option<Field<'a>> {
        let value = self.map.get(key).filter(|value| !value.is_null())?;
        Some(Field { path: self.path_of(key), value })
    }

    /// Reads what may be absent.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(Field<'a>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        self.field(key).map(read).transpose()
    }

    /// Reads what must be there.
    pub(super) fn required<T>(
        &self,
        key: &str,
        read: impl FnOnce(Field<'a>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.optional(key, read)?
            .ok_or_else(|| Fault::invalid(format!("{} is needed.", self.path_of(key))))
    }

    /// The object of a key that must be there.
    pub(super) fn object(&self, key: &str) -> Result<Self, Fault> {
        self.required(key, |it| it.object())
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use strongroom_model::id::VaultId;

    fn told<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
        match result {
            Ok(value) => format!("{value:?}"),
            Err(Fault::Refused { message, .. }) => message,
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_path() {
        let body = json!({"vault": {
            "name": "a<b", "long": "x".repeat(65), "size": 0, "big": 1e300, "half": 1.5,
            "flag": "true", "id": "x", "list": [1, "2"], "nul": "a\u{0}", "null": null,
        }});
        let body = Fields::of(&body).unwrap();
        let vault = body.object("vault").unwrap();
        let lines = [
            told(vault.required("name", |it| it.text(NAME))),
            told(vault.required("name", |it| it.text(TEXT))),
            told(vault.required("long", |it| it.text(NAME))),
            told(vault.required("size", |it| it.whole(1..=10))),
            told(vault.required("big", |it| it.whole(1..=10))),
            told(vault.required("half", |it| it.digits(1..=10))),
            told(vault.required("flag", |it| it.flag())),
            told(vault.required("flag", |it| it.flag_word())),
            told(vault.required("id", |it| it.id(VaultId::parse))),
            told(vault.required("list", |it| it.each(0..=5, |it| it.digits(2..=2)))),
            told(vault.required("list", |it| it.list(3..=5))),
            told(vault.required("nul", |it| it.string())),
            told(vault.required("null", |it| it.string())),
            told(vault.optional("null", |it| it.string())),
            told(vault.required("name", |it| it.object())),
            told(body.object("policy")),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        Invalid vault.name provided: it holds characters that are not allowed.
        Invalid vault.name provided: it holds characters that are not allowed.
        Invalid vault.long provided: 1 to 64 characters are needed.
        Invalid vault.size provided: a whole number from 1 to 10 is needed.
        Invalid vault.big provided: a whole number from 1 to 10 is needed.
        Invalid vault.half provided: a whole number from 1 to 10 is needed.
        Invalid vault.flag provided: a boolean is needed.
        true
        Invalid vault.id provided: it is no id.
        Invalid vault.list[0] provided: a whole number from 2 to 2 is needed.
        Invalid vault.list provided: 3 to 5 items are needed.
        Invalid vault.nul provided: it holds a NUL.
        vault.null is needed.
        None
        Invalid vault.name provided: an object is needed.
        policy is needed.
        ");
    }

    #[test]
    fn names_may_be_chinese_and_texts_anything_but_markup() {
        let value = json!("存储库_a-1.b");
        assert_eq!(told(Field::new("name", &value).text(NAME)), "\"存储库_a-1.b\"");
        let value = json!("a b");
        assert!(Field::new("name", &value).text(NAME).is_err());
        assert!(Field::new("name", &value).text(TEXT).is_ok());
    }
}
