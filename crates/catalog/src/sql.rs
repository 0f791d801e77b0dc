//! The seam between the two databases, and how values and statements reach them.
//!
//! Rules that keep one SQL text valid on both, each found by trial with sqlx's `Any` driver:
//! columns are `TEXT` or `BIGINT` only (no UUID, BOOLEAN, timestamp or JSON types); booleans are 0
//! and 1; `SUM` is `NUMERIC` on PostgreSQL and must be cast to `BIGINT`; a bound text must be an
//! owned `String`. Text sorts by bytes on both, because the migrator gives PostgreSQL's columns the
//! collation "C".

use std::fmt::Display;

use serde::Serialize;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, AssertSqlSafe};

use crate::error::{Error, Result};

/// Which database is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SQLite, linked in.
    Sqlite,
    /// PostgreSQL 15 or newer.
    Postgres,
}

impl Dialect {
    /// The dialect that an address asks for.
    pub(crate) fn of(url: &str) -> Result<Self> {
        let scheme = url.split(':').next().unwrap_or_default();
        match scheme {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" | "postgresql" => Ok(Self::Postgres),
            _ => Err(Error::UnknownScheme { scheme: scheme.to_owned() }),
        }
    }

    /// Begins a transaction that may write. SQLite takes its write lock at once, since a lock that
    /// is taken at the first write fails when another writer came in between.
    pub(crate) const fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        }
    }

    /// How often a transaction is tried before it is given up as contended. On SQLite each attempt
    /// has waited for the lock as long as `busy_timeout` says; on PostgreSQL a clash is noticed at
    /// once.
    pub(crate) const fn attempts_max(self) -> u32 {
        match self {
            Self::Sqlite => 3,
            Self::Postgres => 40,
        }
    }

    /// Begins a transaction that sees one state throughout and takes no lock that a writer awaits.
    pub(crate) const fn begin_read(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN DEFERRED",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Begins a migration: it must see what another node committed while it waited for the lock.
    pub(crate) const fn begin_migration(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Waits until no other node migrates; the lock goes with the transaction.
    pub(crate) const fn lock_migration(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            // Any number will do that no other program takes in this database.
            Self::Postgres => {
                Some("SELECT CAST(pg_advisory_xact_lock(6004501128837) AS TEXT) AS locked")
            }
        }
    }

    /// The text type that sorts by bytes.
    pub(crate) const fn text_type(self) -> &'static str {
        match self {
            Self::Sqlite => "TEXT",
            Self::Postgres => "TEXT COLLATE \"C\"",
        }
    }

    /// What the document `measured` of a backup has under `stored_bytes`; for migrations, which
    /// must read what earlier versions kept in it alone.
    pub(crate) const fn stored_bytes(self) -> &'static str {
        match self {
            Self::Sqlite => "CAST(json_extract(measured, '$.stored_bytes') AS BIGINT)",
            Self::Postgres => "CAST(CAST(measured AS json) ->> 'stored_bytes' AS BIGINT)",
        }
    }

    /// Statements that every connection runs once, when it is opened.
    pub(crate) const fn on_connect(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[
                "PRAGMA busy_timeout = 10000",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "PRAGMA foreign_keys = ON",
            ],
            Self::Postgres => &[],
        }
    }

    /// Statements that a connection runs besides, if it is only read from.
    pub(crate) const fn on_connect_reader(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["PRAGMA query_only = ON"],
            Self::Postgres => &[],
        }
    }
}

/// A value to be bound to a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text or no text.
    Text(Option<String>),
    /// A number, flag or instant, or none.
    Int(Option<i64>),
}

impl Value {
    /// The text of anything that has one: ids, names, words.
    pub(crate) fn text(value: impl Display) -> Self {
        Self::Text(Some(value.to_string()))
    }

    /// As [`Value::text`], or null.
    pub(crate) fn opt_text(value: Option<impl Display>) -> Self {
        Self::Text(value.map(|value| value.to_string()))
    }

    /// A number.
    pub(crate) fn int(value: impl Into<i64>) -> Self {
        Self::Int(Some(value.into()))
    }

    /// A small document as JSON text.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        let text = serde_json::to_string(value)
            .expect("maps of strings and plain structs have a JSON form");
        Self::Text(Some(text))
    }
}

impl From<strongroom_model::time::Timestamp> for Value {
    fn from(instant: strongroom_model::time::Timestamp) -> Self {
        Self::Int(Some(instant.as_micros()))
    }
}

impl From<Option<strongroom_model::time::Timestamp>> for Value {
    fn from(instant: Option<strongroom_model::time::Timestamp>) -> Self {
        Self::Int(instant.map(strongroom_model::time::Timestamp::as_micros))
    }
}

/// A statement with its values bound, kept by the connection for the next use.
fn query(sql: String, values: Vec<Value>) -> sqlx::query::Query<'static, Any, AnyArguments> {
    // The text is put together from constants of this crate; what comes from outside is bound.
    let query = sqlx::query(AssertSqlSafe(sql));
    values.into_iter().fold(query, |query, value| match value {
        Value::Text(text) => query.bind(text),
        Value::Int(number) => query.bind(number),
    })
}

/// An open transaction: runs statements, and remembers whether one failed.
#[derive(Debug)]
pub(crate) struct Session {
    inner: sqlx::Transaction<'static, Any>,
    /// A statement failed. PostgreSQL would answer a commit with a silent roll-back.
    pub(crate) has_failed: bool,
    /// The failure came from another transaction, so trying again may help.
    pub(crate) has_clashed: bool,
}

impl Session {
    /// Wraps a transaction that has just begun.
    pub(crate) const fn new(inner: sqlx::Transaction<'static, Any>) -> Self {
        Self { inner, has_failed: false, has_clashed: false }
    }

    /// Runs a statement; returns how many rows it changed. `what` names the kind of row in errors.
    pub(crate) async fn execute(
        &mut self,
        what: &'static str,
        sql: impl Into<String>,
        values: Vec<Value>,
    ) -> Result<u64> {
        let done = query(sql.into(), values).execute(&mut *self.inner).await;
        match done {
            Ok(done) => Ok(done.rows_affected()),
            Err(error) => Err(self.note(what, error)),
        }
    }

    /// Runs a query; returns every row.
    pub(crate) async fn rows(
        &mut self,
        what: &'static str,
        sql: impl Into<String>,
        values: Vec<Value>,
    ) -> Result<Vec<AnyRow>> {
        let rows = query(sql.into(), values).fetch_all(&mut *self.inner).await;
        rows.map_err(|error| self.note(what, error))
    }

    /// Ends the transaction for good.
    pub(crate) async fn commit(self) -> Result<()> {
        self.inner.commit().await.map_err(Error::Database)
    }

    /// Ends the transaction as if it had never been.
    pub(crate) async fn roll_back(self) -> Result<()> {
        self.inner.rollback().await.map_err(Error::Database)
    }

    fn note(&mut self, what: &'static str, error: sqlx::Error) -> Error {
        self.has_failed = true;
        let error = Error::of(what, error);
        self.has_clashed |= error.is_clash();
        error
    }
}
