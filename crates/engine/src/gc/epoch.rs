//! Epochs of collection: which packs are condemned, and which sessions that waits for.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::format::name;
use crate::id::PackId;
use crate::index::Condemned;
use crate::repository::Repository;

/// The record `gc/<epoch>/condemned`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CondemnedRecord {
    /// Pack ids in hexadecimal, sorted.
    pub(crate) packs: Vec<String>,
}

/// Numbers of the epochs that have a list, oldest first.
pub(crate) fn epochs(repository: &Repository) -> Result<Vec<u64>> {
    let folder = name::gc(repository.vault());
    let mut found = Vec::new();
    for object in repository.store().list(&folder)? {
        let parts = name::parts(&object.name, &folder).unwrap_or_default();
        if let [epoch, "condemned"] = parts[..] {
            found.extend(epoch.parse::<u64>().ok());
        }
    }
    Ok(found)
}

/// The union of all lists of condemned packs, and what is wrong with lists.
///
/// A list is removed only after every session that was open when its successor was complete has
/// ended, so a session that reads the lists after it was opened misses none that concerns it.
pub(crate) fn read_condemned(repository: &Repository) -> Result<(Condemned, Vec<String>)> {
    let (mut condemned, mut problems) = (Condemned::default(), Vec::new());
    for epoch in epochs(repository)? {
        let object = name::gc_condemned(repository.vault(), epoch);
        match repository.find_record::<CondemnedRecord>(&object) {
            Ok(Some(list)) => {
                condemned
                    .packs
                    .extend(list.packs.iter().filter_map(|pack| PackId::parse(pack)));
            }
            Ok(None) => {}
            Err(e) if e.is_damage() => {
                condemned.all = true;
                problems.push(e.to_string());
            }
            Err(e) => return Err(e),
        }
    }
    Ok((condemned, problems))
}
