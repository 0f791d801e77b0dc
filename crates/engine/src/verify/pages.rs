//! Checks that every cell of every live backup leads to a record that is there and whole.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{Findings, Packs};
use crate::error::{Error, Result};
use crate::format::manifest::{Manifest, PageRef};
use crate::format::name;
use crate::format::pack::RecordKind;
use crate::format::page::{Cell, Location};
use crate::id::{ChunkId, PackId};
use crate::list::cell_count;
use crate::repository::Repository;

/// The findings that hurt a page, by their keys.
type Hurt = Arc<BTreeSet<(String, Option<u32>)>>;

/// Walks all live backups; pages that backups share are walked once.
pub(super) fn check(
    repository: &Repository,
    live: &[Manifest],
    packs: &Packs,
    findings: &mut Findings,
) -> Result<()> {
    let mut seen: HashMap<(ChunkId, Location, u64), Hurt> = HashMap::new();
    for manifest in live {
        for (number, page) in manifest.pages.iter().enumerate() {
            let Some(page) = page else { continue };
            let count = cell_count(manifest.size_bytes, manifest.grid_bytes, number);
            let key = (page.id, page.location, count);
            let hurt = match seen.get(&key) {
                Some(hurt) => Arc::clone(hurt),
                None => {
                    let hurt = Arc::new(walk(repository, (page, count), packs, findings)?);
                    seen.insert(key, Arc::clone(&hurt));
                    hurt
                }
            };
            for key in &*hurt {
                if let Some(finding) = findings.0.get_mut(key) {
                    finding.backups.insert(manifest.backup);
                }
            }
        }
    }
    Ok(())
}

/// Walks one page; returns the findings that hurt it.
fn walk(
    repository: &Repository,
    (page, count): (&PageRef, u64),
    packs: &Packs,
    findings: &mut Findings,
) -> Result<BTreeSet<(String, Option<u32>)>> {
    let mut hurt = BTreeSet::new();
    let mut note = |pack: PackId, error: Error| -> Result<()> {
        let finding = findings.error(&name::pack(repository.vault(), pack), error)?;
        hurt.insert((finding.object.clone(), finding.ordinal));
        Ok(())
    };
    let misfit = |chunk, location: Location, detail: &str| Error::ChunkDamaged {
        chunk,
        pack: location.pack,
        ordinal: u32::from(location.ordinal),
        detail: detail.to_owned(),
    };
    let loaded =
        open(repository, packs, page.location.pack).and_then(|()| repository.load_page(page));
    let cells = match loaded {
        Ok(cells) if cells.len() as u64 == count => cells,
        Ok(_) => {
            note(page.location.pack, misfit(page.id, page.location, "a page of another length"))?;
            return Ok(hurt);
        }
        Err(e) => {
            note(page.location.pack, e)?;
            return Ok(hurt);
        }
    };
    let mut opened: HashMap<PackId, bool> = HashMap::new();
    for cell in cells {
        let Cell::Chunk(id, location) = cell else {
            continue;
        };
        let opens = match opened.get(&location.pack) {
            Some(opens) => *opens,
            None => {
                let error = open(repository, packs, location.pack).err();
                opened.insert(location.pack, error.is_none());
                match error {
                    Some(error) => {
                        note(location.pack, error)?;
                        false
                    }
                    None => true,
                }
            }
        };
        if !opens {
            continue;
        }
        let ordinal = u32::from(location.ordinal);
        let entry = repository
            .open_pack(location.pack)
            .and_then(|open| open.entry(RecordKind::Chunk, id, location.ordinal).map(|_| ()));
        if let Err(e) = entry {
            note(location.pack, e)?;
        } else if packs.bad_records.get(&location.pack).is_some_and(|bad| bad.contains(&ordinal)) {
            note(location.pack, misfit(id, location, "it is damaged"))?;
        }
    }
    Ok(hurt)
}

/// Opens a pack, unless it is gone or was found broken, which a footer in memory would hide.
fn open(repository: &Repository, packs: &Packs, pack: PackId) -> Result<()> {
    if !packs.present.contains(&pack) {
        let object = name::pack(repository.vault(), pack);
        return Err(Error::damaged(&object, "it does not exist"));
    }
    if packs.broken.contains(&pack) {
        let object = name::pack(repository.vault(), pack);
        return Err(Error::damaged(&object, "it is damaged"));
    }
    repository.open_pack(pack).map(|_| ())
}
