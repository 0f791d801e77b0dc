//! Tags on backups and policies.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_catalog::{TaggedQuery, Transaction};
use strongroom_model::backup::Backup;
use strongroom_model::id::{PolicyId, ProjectId, VaultId};
use strongroom_model::identity::Role;
use strongroom_model::page::Page;
use strongroom_model::tag::{TagQuery, Tagged, Tags};

use crate::error::{Error, Result};
use crate::policy::find_policy;
use crate::{Caller, Service};

/// The most tags of one thing but a vault.
pub const TAGS_MAX: usize = 10;

/// The most tags of a vault.
pub const VAULT_TAGS_MAX: usize = 20;

/// The most characters of a tag's key, which has one at least.
pub const TAG_KEY_MAX_CHARS: usize = 36;

/// The most characters of a tag's value.
pub const TAG_VALUE_MAX_CHARS: usize = 43;

/// Characters that a tag cannot have, besides ASCII's control characters.
const FORBIDDEN: &str = "=*<>\\,|/";

/// Something that was found by its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedThing {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// A search by tags.
#[derive(Debug, Clone, Default)]
pub struct TagSearch {
    /// Conditions on the tags.
    pub query: TagQuery,
    /// The name is this.
    pub name: Option<String>,
    /// How many to leave out.
    pub offset: u32,
    /// The most items to return.
    pub limit: u32,
}

/// The name of a thing that can have tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaggedId {
    kind: Tagged,
    id: String,
}

impl TaggedId {
    /// A backup.
    pub(crate) fn of(backup: &Backup) -> Self {
        Self { kind: Tagged::Backup, id: backup.id.to_string() }
    }

    /// A policy.
    pub(crate) fn of_policy(id: PolicyId) -> Self {
        Self { kind: Tagged::Policy, id: id.to_string() }
    }

    /// A vault.
    pub(crate) fn of_vault(id: VaultId) -> Self {
        Self { kind: Tagged::Vault, id: id.to_string() }
    }
}

impl Service {
    /// The tags of one thing of the caller's project.
    pub async fn tags(&self, caller: &Caller, kind: Tagged, id: &str) -> Result<Tags> {
        caller.project(Role::Reader, "tag:get")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let (thing, _) = self.find_thing(tx, caller, kind, id).await?;
                    Ok(tx.tags().get(kind, &thing.id).await?)
                })
            })
            .await
    }

    /// Adds tags to a thing, over those of the same keys; returns all that it then has.
    pub async fn add_tags(
        &self,
        caller: &Caller,
        kind: Tagged,
        id: &str,
        tags: &Tags,
    ) -> Result<Tags> {
        caller.project(Role::Member, "tag:update")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let (thing, owner) = self.find_thing(tx, caller, kind, id).await?;
                    self.put_tags(tx, &owner, &thing, tags).await?;
                    Ok(tx.tags().get(kind, &thing.id).await?)
                })
            })
            .await
    }

    /// Gives a thing these tags and no others.
    pub async fn replace_tags(
        &self,
        caller: &Caller,
        kind: Tagged,
        id: &str,
        tags: &Tags,
    ) -> Result<Tags> {
        caller.project(Role::Member, "tag:update")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let (thing, owner) = self.find_thing(tx, caller, kind, id).await?;
                    tx.tags().clear(kind, &thing.id).await?;
                    self.put_tags(tx, &owner, &thing, tags).await?;
                    Ok(tags.clone())
                })
            })
            .await
    }

    /// Removes tags by key and returns how many there were; keys that are not there do not matter.
    pub async fn remove_tags(
        &self,
        caller: &Caller,
        kind: Tagged,
        id: &str,
        keys: &[String],
    ) -> Result<usize> {
        caller.project(Role::Member, "tag:update")?;
        // No tag has a NUL, and no database takes one.
        let keys: Vec<_> = keys.iter().filter(|key| !key.contains('\0')).cloned().collect();
        let keys = &keys;
        let removed = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let (thing, _) = self.find_thing(tx, caller, kind, id).await?;
                    Ok::<_, Error>(tx.tags().remove(kind, &thing.id, keys).await?)
                })
            })
            .await?;
        usize::try_from(removed).map_err(Error::internal)
    }

    /// Every key in use on things of this kind in the caller's project, with its values.
    pub async fn all_tags(
        &self,
        caller: &Caller,
        kind: Tagged,
    ) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let project = caller.project(Role::Reader, "tag:get")?;
        self.catalog()
            .read(|tx| Box::pin(async move { Ok(tx.tags().in_use(project, kind).await?) }))
            .await
    }

    /// The things of this kind in the caller's project whose tags meet a query, always with the
    /// total; oldest first.
    pub async fn tagged(
        &self,
        caller: &Caller,
        kind: Tagged,
        search: TagSearch,
    ) -> Result<Page<TaggedThing>> {
        let project = caller.project(Role::Reader, "tag:get")?;
        let TagSearch { query, name, offset, limit } = search;
        check_search(&query, name.as_deref())?;
        let query = &TaggedQuery { tags: query, name, offset, limit };
        let page = self
            .catalog()
            .read(|tx| {
                Box::pin(async move { Ok::<_, Error>(tx.tags().find(project, kind, query).await?) })
            })
            .await?;
        let items = page.items.into_iter();
        let items =
            items.map(|row| TaggedThing { id: row.id, name: row.name, tags: row.tags }).collect();
        Ok(Page { items, total: page.total })
    }

    /// A thing that the caller may see, and its project. A backup that is only shared with the
    /// caller is not found.
    async fn find_thing(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        kind: Tagged,
        id: &str,
    ) -> Result<(TaggedId, ProjectId)> {
        let project = caller.project(Role::Reader, "tag:get")?;
        Ok(match kind {
            Tagged::Backup => {
                let backup = self.find_backup(tx, caller, project, id).await?;
                (TaggedId::of(&backup), backup.project_id)
            }
            Tagged::Vault => {
                let missing = || Error::VaultNotFound(id.to_owned());
                let parsed = VaultId::parse(id).map_err(|_| missing())?;
                let vault = tx.vaults().find(project, parsed).await?.ok_or_else(missing)?;
                (TaggedId::of_vault(vault.id), vault.project_id)
            }
            Tagged::Policy => {
                let policy = find_policy(tx, project, id).await?;
                (TaggedId::of_policy(policy.id), policy.project_id)
            }
        })
    }

    /// Adds tags to a thing that the caller may change, unless they are bad or too many.
    pub(crate) async fn put_tags(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        thing: &TaggedId,
        tags: &Tags,
    ) -> Result<()> {
        check_each(tags)?;
        let mut all = tx.tags().get(thing.kind, &thing.id).await?;
        all.extend(tags.clone());
        let max = if thing.kind == Tagged::Vault { VAULT_TAGS_MAX } else { TAGS_MAX };
        if all.len() > max {
            return Err(Error::TooManyTags(max));
        }
        Ok(tx.tags().put(project, thing.kind, &thing.id, tags).await?)
    }
}

/// Refuses tags of bad keys or values, and more than a thing may have.
pub(crate) fn check_tags(tags: &Tags) -> Result<()> {
    check_each(tags)?;
    if tags.len() > TAGS_MAX {
        return Err(Error::TooManyTags(TAGS_MAX));
    }
    Ok(())
}

/// Refuses tags of bad keys or values.
fn check_each(tags: &Tags) -> Result<()> {
    let bad = tags.iter().find_map(|(key, value)| fault_of(key, value));
    bad.map_or(Ok(()), |(part, reason)| Err(Error::InvalidTag { part, reason }))
}

/// Refuses texts with a NUL, which no database takes.
fn check_search(query: &TagQuery, name: Option<&str>) -> Result<()> {
    let refused = |part| Error::InvalidTag { part, reason: "contains invalid characters" };
    let TagQuery { all, any, not_all, not_any } = query;
    for wanted in [all, any, not_all, not_any].into_iter().flatten() {
        if wanted.key.contains('\0') {
            return Err(refused("key"));
        }
        if wanted.values.iter().any(|value| value.contains('\0')) {
            return Err(refused("value"));
        }
    }
    match name {
        Some(name) if name.contains('\0') => {
            Err(Error::Invalid { field: "name", message: "contains invalid characters".to_owned() })
        }
        _ => Ok(()),
    }
}

/// Which part of a tag is bad, and why.
fn fault_of(key: &str, value: &str) -> Option<(&'static str, &'static str)> {
    if !(1..=TAG_KEY_MAX_CHARS).contains(&key.chars().count()) {
        return Some(("key", "must have 1 to 36 characters"));
    }
    if value.chars().count() > TAG_VALUE_MAX_CHARS {
        return Some(("value", "must have at most 43 characters"));
    }
    let is_bad = |text: &str| text.chars().any(|c| c < ' ' || FORBIDDEN.contains(c));
    let parts = [("key", key), ("value", value)];
    let bad = parts.into_iter().find(|(_, text)| is_bad(text));
    bad.map(|(part, _)| (part, "contains invalid characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_bounded_keys_and_values_of_allowed_characters() {
        let (long, longer) = ("ü".repeat(36), "ü".repeat(37));
        for (key, value) in [("k", ""), ("a b.c:d", "é\u{7f}"), (&long, &"v".repeat(43))] {
            assert_eq!(fault_of(key, value), None, "{key} {value}");
        }
        let (length, characters) = ("must have 1 to 36 characters", "contains invalid characters");
        assert_eq!(fault_of("", "v"), Some(("key", length)));
        assert_eq!(fault_of(&longer, "v"), Some(("key", length)));
        let too_long = Some(("value", "must have at most 43 characters"));
        assert_eq!(fault_of("k", &"v".repeat(44)), too_long);
        for bad in ["=", "*", "<", ">", "\\", ",", "|", "/", "\0", "\n", "\u{1f}"] {
            assert_eq!(fault_of(bad, "v"), Some(("key", characters)), "{bad:?}");
            assert_eq!(fault_of("k", bad), Some(("value", characters)), "{bad:?}");
        }
    }
}
