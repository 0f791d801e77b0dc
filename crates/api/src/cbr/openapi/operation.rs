//! How one operation is described: a line of the tables from which the document is made.

use crate::cbr::code::Code;

/// What stands for one operation in the document, beside its method and path, which its route has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    /// The name of its route.
    pub(super) id: &'static str,
    /// What it does, in one line.
    pub(super) summary: &'static str,
    /// The parameters of its query.
    pub(super) query: &'static [Parameter],
    /// The schema of the body that it reads.
    pub(super) request: Option<&'static str>,
    /// What it answers when it succeeds: the status, and the schema of the document if there is
    /// one.
    pub(super) answer: (u16, Option<&'static str>),
    /// The codes of its refusals, beyond those that every operation has.
    pub(super) codes: &'static [Code],
}

/// A parameter of a query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    /// Its name.
    pub(super) name: &'static str,
    /// What its value is.
    pub(super) kind: Kind,
    /// Whether it must be there.
    pub(super) is_required: bool,
}

/// What the value of a parameter is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// A whole number from one to another.
    Whole(i64, i64),
    /// A boolean.
    Flag,
    /// An id.
    Id,
    /// An id that may be repeated.
    Ids,
    /// An instant.
    Instant,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words, repeated.
    Words(&'static [&'static str]),
}

/// An operation with no more said about it: no body, 200 without a document.
pub(super) const fn operation(id: &'static str, summary: &'static str) -> Operation {
    Operation { id, summary, query: &[], request: None, answer: (200, None), codes: &[] }
}

/// A parameter that may be absent.
pub(super) const fn parameter(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, is_required: false }
}

/// A parameter that must be there.
pub(super) const fn required(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, is_required: true }
}

/// The most items of a page.
pub(super) const LIMIT: Parameter = parameter("limit", Kind::Whole(1, 1000));

/// How many items come before a page.
pub(super) const OFFSET: Parameter = parameter("offset", Kind::Whole(0, 0x7fff_ffff));

/// The last item of the page before.
pub(super) const MARKER: Parameter = parameter("marker", Kind::Id);
