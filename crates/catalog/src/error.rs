//! What can go wrong in the catalogue, by the object at fault.
//!
//! "Not found" is no error here: look-ups return `Option`, changes tell whether a row was there.

/// The result of a call to the catalogue.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the catalogue could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A row of that id or unique name is there already.
    #[error("a {what} of that id or name exists already")]
    Conflict {
        /// The kind of row.
        what: &'static str,
    },
    /// The row names another that does not exist, or is still named by one.
    #[error("a {what} names a row that does not exist, or is still named by one")]
    Reference {
        /// The kind of row that was being written.
        what: &'static str,
    },
    /// The row after which a page should start does not exist, or belongs to another project.
    #[error("the marker {0} was not found")]
    MarkerNotFound(String),
    /// Other transactions kept getting in the way; worth trying again later.
    #[error("gave up after {attempts} attempts against competing transactions")]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
    /// A statement failed, yet the transaction was to be committed; nothing of it was saved.
    #[error("an earlier statement of this transaction failed, so nothing was saved")]
    Spoiled,
    /// The database was written by a newer release, which alone may read it.
    #[error("the database has schema {found}, this release knows up to {known}")]
    NewerSchema {
        /// Schema of the database.
        found: i64,
        /// Newest schema known here.
        known: i64,
    },
    /// The address names no database that the catalogue can use.
    #[error("'{scheme}' is no database scheme; use sqlite:///path/file.db or postgres://…")]
    UnknownScheme {
        /// What stands before the colon; the rest may hold a password.
        scheme: String,
    },
    /// A stored value is not one that this release writes.
    #[error("{table} {id} holds an unreadable {column}")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The row's id.
        id: String,
        /// The column.
        column: &'static str,
    },
    /// A value does not fit the database's 64-bit signed integers.
    #[error("a {what} is too large to be stored")]
    TooLarge {
        /// The value.
        what: &'static str,
    },
    /// The database refused or could not be reached.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

impl Error {
    /// Whether the same call may succeed later without any change.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Contended { .. } => true,
            Self::Database(source) => is_outage(source) || is_clash(source),
            _ => false,
        }
    }

    /// Whether another transaction got in the way of this one.
    pub(crate) fn is_clash(&self) -> bool {
        matches!(self, Self::Database(source) if is_clash(source))
    }

    /// Names the kind of row in a violated constraint; every other error stays what it is.
    pub(crate) fn of(what: &'static str, source: sqlx::Error) -> Self {
        match source.as_database_error().map(|error| error.kind()) {
            Some(sqlx::error::ErrorKind::UniqueViolation) => Self::Conflict { what },
            Some(sqlx::error::ErrorKind::ForeignKeyViolation) => Self::Reference { what },
            _ => Self::Database(source),
        }
    }
}

/// Serialization failure or deadlock on PostgreSQL; busy or locked, in any extended form, on
/// SQLite, whose codes are decimal numbers of at most four digits.
pub(crate) fn is_clash(error: &sqlx::Error) -> bool {
    let Some(code) = error.as_database_error().and_then(|error| error.code()) else {
        return false;
    };
    match code.as_ref() {
        "40001" | "40P01" => true,
        short if short.len() < 5 => {
            // The low byte is the primary code: 5 is SQLITE_BUSY, 6 SQLITE_LOCKED.
            short.parse::<u32>().is_ok_and(|n| matches!(n & 0xff, 5 | 6))
        }
        _ => false,
    }
}

/// The database could not be reached, is starting, or is shutting down.
fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
        // PostgreSQL's classes 08 (connection), 53 (resources) and 57P0x (shutdown, start-up).
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code.len() == 5
                && (code.starts_with("08") || code.starts_with("53") || code.starts_with("57P"))
        }),
        _ => false,
    }
}
