//! Rows to records and back: the small machinery that every family shares.

use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;
use strongroom_model::time::Timestamp;

use crate::error::{Error, Result};
use crate::sql::{Session, Value};

/// A table whose rows are read and written whole, and found by their first column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// What one row is called in errors.
    pub(crate) what: &'static str,
    /// Its columns; the first is the primary key.
    pub(crate) columns: &'static [&'static str],
}

impl Table {
    /// `SELECT` every column, followed by `tail`.
    pub(crate) fn select(&self, tail: &str) -> String {
        format!("SELECT {} FROM {} {tail}", self.columns.join(", "), self.name)
    }

    fn placeholders(&self) -> String {
        let all: Vec<_> = (1..=self.columns.len()).map(|n| format!("${n}")).collect();
        all.join(", ")
    }

    /// Adds a row; `values` stand in the order of the columns.
    pub(crate) async fn insert(&self, session: &mut Session, values: Vec<Value>) -> Result<()> {
        let (name, columns) = (self.name, self.columns.join(", "));
        let sql = format!("INSERT INTO {name} ({columns}) VALUES ({})", self.placeholders());
        session.execute(self.what, sql, values).await?;
        Ok(())
    }

    /// Writes a whole row over the one of the same key; tells whether there was one.
    pub(crate) async fn update(&self, session: &mut Session, values: Vec<Value>) -> Result<bool> {
        let (name, columns) = (self.name, self.columns.join(", "));
        let sql = format!(
            "UPDATE {name} SET ({columns}) = ({}) WHERE {} = $1",
            self.placeholders(),
            self.columns[0]
        );
        Ok(session.execute(self.what, sql, values).await? > 0)
    }

    /// Removes the row of that key; tells whether there was one.
    pub(crate) async fn delete(&self, session: &mut Session, key: Value) -> Result<bool> {
        let sql = format!("DELETE FROM {} WHERE {} = $1", self.name, self.columns[0]);
        Ok(session.execute(self.what, sql, vec![key]).await? > 0)
    }

    /// Reads the rows that `tail` selects, in its order.
    pub(crate) async fn list<T>(
        &self,
        session: &mut Session,
        tail: &str,
        values: Vec<Value>,
        decode: fn(&Fields<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let rows = session.rows(self.what, self.select(tail), values).await?;
        rows.iter().map(|row| decode(&self.fields(row))).collect()
    }

    /// Reads the first row that `tail` selects.
    pub(crate) async fn find<T>(
        &self,
        session: &mut Session,
        tail: &str,
        values: Vec<Value>,
        decode: fn(&Fields<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let found = self.list(session, tail, values, decode).await?;
        Ok(found.into_iter().next())
    }

    /// The columns of a row of this table.
    pub(crate) const fn fields<'r>(&self, row: &'r AnyRow) -> Fields<'r> {
        Fields { table: self.name, key: self.columns[0], row }
    }
}

/// The columns of one row, read as the model's types.
pub(crate) struct Fields<'r> {
    table: &'static str,
    key: &'static str,
    row: &'r AnyRow,
}

impl Fields<'_> {
    /// A text.
    pub(crate) fn text(&self, column: &'static str) -> Result<String> {
        self.row.try_get(column).map_err(Error::Database)
    }

    /// A text or null.
    pub(crate) fn opt_text(&self, column: &'static str) -> Result<Option<String>> {
        self.row.try_get(column).map_err(Error::Database)
    }

    /// A number.
    pub(crate) fn int(&self, column: &'static str) -> Result<i64> {
        self.row.try_get(column).map_err(Error::Database)
    }

    /// A number or null.
    pub(crate) fn opt_int(&self, column: &'static str) -> Result<Option<i64>> {
        self.row.try_get(column).map_err(Error::Database)
    }

    /// A number of a narrower kind.
    pub(crate) fn narrow<N: TryFrom<i64>>(&self, column: &'static str) -> Result<N> {
        N::try_from(self.int(column)?).map_err(|_| self.unreadable(column))
    }

    /// A flag.
    pub(crate) fn flag(&self, column: &'static str) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }

    /// An instant.
    pub(crate) fn instant(&self, column: &'static str) -> Result<Timestamp> {
        self.int(column).map(Timestamp::from_micros)
    }

    /// An instant or null.
    pub(crate) fn opt_instant(&self, column: &'static str) -> Result<Option<Timestamp>> {
        let micros: Option<i64> = self.row.try_get(column).map_err(Error::Database)?;
        Ok(micros.map(Timestamp::from_micros))
    }

    /// A text that `parse` makes something of: an id or a word.
    pub(crate) fn parsed<T>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T> {
        parse(&self.text(column)?).ok_or_else(|| self.unreadable(column))
    }

    /// As [`Fields::parsed`], or null.
    pub(crate) fn opt_parsed<T>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        self.opt_text(column)?
            .map(|text| parse(&text).ok_or_else(|| self.unreadable(column)))
            .transpose()
    }

    /// An id.
    pub(crate) fn id<T, E>(
        &self,
        column: &'static str,
        parse: fn(&str) -> Result<T, E>,
    ) -> Result<T> {
        self.parsed(column, |text| parse(text).ok())
    }

    /// An id or null.
    pub(crate) fn opt_id<T, E>(
        &self,
        column: &'static str,
        parse: fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>> {
        self.opt_parsed(column, |text| parse(text).ok())
    }

    /// A document.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        self.parsed(column, |text| serde_json::from_str(text).ok())
    }

    /// A document or null.
    pub(crate) fn opt_json<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>> {
        self.opt_parsed(column, |text| serde_json::from_str(text).ok())
    }

    fn unreadable(&self, column: &'static str) -> Error {
        Error::Unreadable { table: self.table, id: self.text(self.key).unwrap_or_default(), column }
    }
}
