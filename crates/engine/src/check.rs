//! Checks that a fresh backup can be found again: what its session wrote is read back from the
//! store, all but the chunks themselves.

use std::collections::HashSet;

use strongroom_model::id::BackupId;

use crate::error::Result;
use crate::format::manifest::PageRef;
use crate::format::pack::RecordKind;
use crate::format::page::Cell;
use crate::repository::Repository;

/// Reads back the manifest, every page that differs from the parent's, and the table of every pack
/// that those pages need, and finds each chunk in its table. Chunks are not decrypted: that is
/// what verifying is for.
///
/// Costs one read for each such page and pack; an unchanged volume costs the manifest alone.
pub fn check(repository: &Repository, backup: BackupId) -> Result<()> {
    let manifest = repository.load_manifest(backup)?;
    let place = |page: &PageRef| (page.id, page.location.pack);
    let parent = manifest.parent.and_then(|parent| repository.load_manifest(parent).ok());
    let known: HashSet<_> =
        parent.iter().flat_map(|parent| parent.pages.iter().flatten()).map(place).collect();
    let mut packs = HashSet::new();
    for page in manifest.pages.iter().flatten().filter(|page| !known.contains(&place(page))) {
        for cell in repository.load_page(page)? {
            let Cell::Chunk(id, location) = cell else { continue };
            if packs.insert(location.pack) {
                // Not through the cache: the store itself must have it.
                repository.load_pack(location.pack)?;
            }
            repository.open_pack(location.pack)?.entry(RecordKind::Chunk, id, location.ordinal)?;
        }
    }
    Ok(())
}
