//! Tags: keys and values on things of any kind that can have some.
//!
//! A tag names its owner by kind and id, so no constraint removes it with the owner: whoever removes
//! a row clears its tags in the same transaction.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row;
use strongroom_model::id::ProjectId;
use strongroom_model::page::Page;
use strongroom_model::tag::{TagMatch, TagQuery, Tagged, Tags};

use crate::error::{Error, Result};
use crate::page::Conditions;
use crate::sql::{Session, Value};

const WHAT: &str = "tag";

/// Something that was found by its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// Which things to find by their tags, oldest first.
#[derive(Debug, Clone, Default)]
pub struct TaggedQuery {
    /// Conditions on the tags.
    pub tags: TagQuery,
    /// The name is this; the empty one also stands for none.
    pub name: Option<String>,
    /// Items to leave out.
    pub offset: u32,
    /// Items at most.
    pub limit: u32,
}

/// Reads and writes tags.
#[derive(Debug)]
pub struct TagSets<'t>(pub(crate) &'t mut Session);

impl TagSets<'_> {
    /// The tags of one thing; none if there is no such thing.
    pub async fn get(&mut self, kind: Tagged, id: &str) -> Result<Tags> {
        let sql = "SELECT name, value FROM tag WHERE owner_kind = $1 AND owner_id = $2";
        let rows = self.0.rows(WHAT, sql, owner(kind, id)).await?;
        let pair = |row: &sqlx::any::AnyRow| Ok((row.try_get("name")?, row.try_get("value")?));
        rows.iter().map(pair).collect::<Result<_, sqlx::Error>>().map_err(Error::Database)
    }

    /// Adds tags to a thing of a project, over those of the same keys.
    pub async fn put(
        &mut self,
        project: &ProjectId,
        kind: Tagged,
        id: &str,
        tags: &Tags,
    ) -> Result<()> {
        let sql = "INSERT INTO tag (owner_kind, owner_id, project_id, name, value) \
                   VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (owner_kind, owner_id, name) DO UPDATE SET value = excluded.value";
        for (name, value) in tags {
            let mut values = owner(kind, id);
            values.extend([Value::text(project), Value::text(name), Value::text(value)]);
            self.0.execute(WHAT, sql, values).await?;
        }
        Ok(())
    }

    /// Gives a thing of a project these tags and no others.
    pub async fn replace(
        &mut self,
        project: &ProjectId,
        kind: Tagged,
        id: &str,
        tags: &Tags,
    ) -> Result<()> {
        self.clear(kind, id).await?;
        self.put(project, kind, id, tags).await
    }

    /// Removes tags of a thing by key; returns how many there were.
    pub async fn remove(&mut self, kind: Tagged, id: &str, keys: &[String]) -> Result<u64> {
        let mut conditions = owned_by(kind, id);
        conditions.is_one_of("name", keys.iter().map(Value::text));
        let sql = format!("DELETE FROM tag {}", conditions.where_clause());
        self.0.execute(WHAT, sql, conditions.values()).await
    }

    /// Removes every tag of a thing; returns how many there were.
    pub async fn clear(&mut self, kind: Tagged, id: &str) -> Result<u64> {
        let sql = "DELETE FROM tag WHERE owner_kind = $1 AND owner_id = $2";
        self.0.execute(WHAT, sql, owner(kind, id)).await
    }

    /// Every key in use on things of a kind in a project, with its values.
    pub async fn in_use(
        &mut self,
        project: &ProjectId,
        kind: Tagged,
    ) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let sql = "SELECT DISTINCT name, value FROM tag \
                   WHERE project_id = $1 AND owner_kind = $2 ORDER BY name, value";
        let values = vec![Value::text(project), Value::text(kind.as_str())];
        let rows = self.0.rows(WHAT, sql, values).await?;
        let mut all = BTreeMap::<String, BTreeSet<String>>::new();
        for row in &rows {
            let name = row.try_get("name").map_err(Error::Database)?;
            let value = row.try_get("value").map_err(Error::Database)?;
            all.entry(name).or_default().insert(value);
        }
        Ok(all)
    }

    /// A page of the things of a kind in a project whose tags meet a query, with the total.
    pub async fn find(
        &mut self,
        project: &ProjectId,
        kind: Tagged,
        query: &TaggedQuery,
    ) -> Result<Page<TaggedRow>> {
        let mut conditions = Conditions::default();
        conditions.equals("project_id", Value::text(project));
        if let Some(name) = &query.name {
            conditions.equals("COALESCE(name, '')", Value::text(name));
        }
        meets(&mut conditions, kind, &query.tags);
        let table = table(kind);
        let total = conditions.count_from(self.0, WHAT, table).await?;
        let sql = format!(
            "SELECT id, name FROM {table} {} ORDER BY created_at, id LIMIT {} OFFSET {}",
            conditions.where_clause(),
            query.limit,
            query.offset
        );
        let rows = self.0.rows(WHAT, sql, conditions.values()).await?;
        let item = |row: &sqlx::any::AnyRow| {
            Ok(TaggedRow { id: row.try_get("id")?, name: row.try_get("name")?, tags: Tags::new() })
        };
        let items: Result<Vec<_>, sqlx::Error> = rows.iter().map(item).collect();
        let mut items = items.map_err(Error::Database)?;
        self.fill(kind, &mut items).await?;
        Ok(Page { items, total: Some(total) })
    }

    /// Gives rows their tags.
    async fn fill(&mut self, kind: Tagged, items: &mut [TaggedRow]) -> Result<()> {
        let mut conditions = Conditions::default();
        conditions.equals("owner_kind", Value::text(kind.as_str()));
        conditions.is_one_of("owner_id", items.iter().map(|item| Value::text(&item.id)));
        let sql = format!("SELECT owner_id, name, value FROM tag {}", conditions.where_clause());
        let rows = self.0.rows(WHAT, sql, conditions.values()).await?;
        let mut found = BTreeMap::<String, Tags>::new();
        for row in &rows {
            let column = |name| row.try_get::<String, _>(name).map_err(Error::Database);
            found.entry(column("owner_id")?).or_default().insert(column("name")?, column("value")?);
        }
        for item in items {
            item.tags = found.remove(&item.id).unwrap_or_default();
        }
        Ok(())
    }
}

/// The table whose rows are of that kind.
const fn table(kind: Tagged) -> &'static str {
    match kind {
        Tagged::Backup => "backup",
        Tagged::Policy => "policy",
        Tagged::Vault => "vault",
    }
}

fn owner(kind: Tagged, id: &str) -> Vec<Value> {
    vec![Value::text(kind.as_str()), Value::text(id)]
}

fn owned_by(kind: Tagged, id: &str) -> Conditions {
    let mut conditions = Conditions::default();
    conditions.equals("owner_kind", Value::text(kind.as_str()));
    conditions.equals("owner_id", Value::text(id));
    conditions
}

/// The tags of a row of the kind's table meet a query.
fn meets(conditions: &mut Conditions, kind: Tagged, query: &TagQuery) {
    for (matches, joint, verb) in [
        (&query.all, " AND ", ""),
        (&query.any, " OR ", ""),
        (&query.not_all, " AND ", "NOT "),
        (&query.not_any, " OR ", "NOT "),
    ] {
        let terms: Vec<_> = matches.iter().map(|one| has_tag(conditions, kind, one)).collect();
        if !terms.is_empty() {
            conditions.push(format!("{verb}({})", terms.join(joint)));
        }
    }
}

fn has_tag(conditions: &mut Conditions, kind: Tagged, wanted: &TagMatch) -> String {
    let table = table(kind);
    let word = conditions.bind(Value::text(kind.as_str()));
    let name = conditions.bind(Value::text(&wanted.key));
    let values: Vec<_> =
        wanted.values.iter().map(|value| conditions.bind(Value::text(value))).collect();
    let one_of = match values.as_slice() {
        [] => String::new(),
        _ => format!(" AND tag.value IN ({})", values.join(", ")),
    };
    format!(
        "EXISTS (SELECT 1 FROM tag WHERE tag.owner_kind = {word} AND tag.owner_id = {table}.id \
         AND tag.name = {name}{one_of})"
    )
}
