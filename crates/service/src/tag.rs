//! Tags on backups and policies.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_model::page::Page;
use strongroom_model::tag::{TagQuery, Tagged, Tags};

use crate::error::Result;
use crate::{Caller, Service};

/// The most tags of one thing.
pub const TAGS_MAX: usize = 10;

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

impl Service {
    /// The tags of one thing of the caller's project.
    pub async fn tags(&self, _caller: &Caller, _kind: Tagged, _id: &str) -> Result<Tags> {
        todo!()
    }

    /// Adds tags to a thing, over those of the same keys; returns all that it then has.
    pub async fn add_tags(
        &self,
        _caller: &Caller,
        _kind: Tagged,
        _id: &str,
        _tags: &Tags,
    ) -> Result<Tags> {
        todo!()
    }

    /// Gives a thing these tags and no others.
    pub async fn replace_tags(
        &self,
        _caller: &Caller,
        _kind: Tagged,
        _id: &str,
        _tags: &Tags,
    ) -> Result<Tags> {
        todo!()
    }

    /// Removes tags by key and returns how many there were; keys that are not there do not matter.
    pub async fn remove_tags(
        &self,
        _caller: &Caller,
        _kind: Tagged,
        _id: &str,
        _keys: &[String],
    ) -> Result<usize> {
        todo!()
    }

    /// Every key in use on things of this kind in the caller's project, with its values.
    pub async fn all_tags(
        &self,
        _caller: &Caller,
        _kind: Tagged,
    ) -> Result<BTreeMap<String, BTreeSet<String>>> {
        todo!()
    }

    /// The things of this kind in the caller's project whose tags meet a query, always with the
    /// total; oldest first.
    pub async fn tagged(
        &self,
        _caller: &Caller,
        _kind: Tagged,
        _search: TagSearch,
    ) -> Result<Page<TaggedThing>> {
        todo!()
    }
}
