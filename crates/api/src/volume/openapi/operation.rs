//! How one operation is described: a line of the tables from which the document is made.

/// What stands for one operation in the document, beside its method and path, which its route has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    /// The name of its route.
    pub(super) id: &'static str,
    /// What it does, in one line.
    pub(super) summary: &'static str,
    /// The microversion that brought it. Such an operation does not exist in version 2.
    pub(super) since: Option<&'static str>,
    /// It exists below `/v1` too.
    pub(super) is_in_v1: bool,
    /// The parameters of its query.
    pub(super) query: &'static [Parameter],
    /// The body that it reads.
    pub(super) request: Option<Schema>,
    /// What it answers when it succeeds: the status, and the document if there is one.
    pub(super) answer: (u16, Option<Schema>),
    /// Another status of success, which has no document.
    pub(super) or_else: Option<u16>,
    /// The statuses of its refusals, beyond those that every operation has.
    pub(super) refusals: &'static [u16],
    /// The envelope of its refusals.
    pub(super) dialect: Dialect,
}

/// The envelope in which an operation tells a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Cinder's: the name of the fault around its code and sentence.
    Cinder,
    /// The vendor's: `error` around a code that is a text, and a sentence.
    Vendor,
}

/// A schema by its name among the components.
#[derive(Debug, Clone, Copy)]
pub(super) enum Schema {
    /// The same in every version.
    One(&'static str),
    /// `NAMEV2` in versions 1 and 2, `NAMEV3` in version 3.
    Each(&'static str),
}

/// A parameter of a query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    /// Its name.
    pub(super) name: &'static str,
    /// What its value is.
    pub(super) kind: Kind,
    /// The microversion that brought it. Such a parameter means nothing in version 2.
    pub(super) since: Option<&'static str>,
}

/// What the value of a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// A whole number from 0.
    Whole,
    /// A boolean, or a word that stands for one.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
}

const fn operation(id: &'static str, summary: &'static str) -> Operation {
    Operation {
        id,
        summary,
        since: None,
        is_in_v1: false,
        query: &[],
        request: None,
        answer: (200, None),
        or_else: None,
        refusals: &[],
        dialect: Dialect::Cinder,
    }
}

/// An operation that answers in Cinder's way, with no more said about it.
pub(super) const fn cinder(id: &'static str, summary: &'static str) -> Operation {
    operation(id, summary)
}

/// An operation that answers in the vendor's way, with no more said about it.
pub(super) const fn vendor(id: &'static str, summary: &'static str) -> Operation {
    Operation { dialect: Dialect::Vendor, ..operation(id, summary) }
}

/// A parameter of every version.
pub(super) const fn parameter(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, since: None }
}

/// A parameter from a microversion on.
pub(super) const fn newer(name: &'static str, kind: Kind, since: &'static str) -> Parameter {
    Parameter { name, kind, since: Some(since) }
}
