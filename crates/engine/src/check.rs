//! Checks that a fresh backup can be found again: what its session wrote is read back from the
//! store, all but the chunks themselves.

use std::collections::HashSet;
use std::collections::hash_map::{Entry, HashMap};

use strongroom_model::id::BackupId;

use crate::error::Result;
use crate::format::manifest::PageRef;
use crate::format::pack::RecordKind;
use crate::format::page::Cell;
use crate::id::PackId;
use crate::pack::OpenPack;
use crate::progress::Progress;
use crate::repository::Repository;

/// Tables of packs that are kept at once; a page seldom needs more than a few.
const TABLES_MAX: usize = 64;

/// Reads back the manifest, every page that differs from the parent's, and the table of every pack
/// that those pages need, and finds each chunk in its table. Chunks are not decrypted: that is
/// what verifying is for.
///
/// Costs one read for each such page and pack; an unchanged volume costs the manifest alone.
pub fn check(repository: &Repository, backup: BackupId, progress: &Progress) -> Result<()> {
    let manifest = repository.load_manifest(backup)?;
    let place = |page: &PageRef| (page.id, page.location.pack);
    let parent = manifest.parent.and_then(|parent| repository.load_manifest(parent).ok());
    let known: HashSet<_> =
        parent.iter().flat_map(|parent| parent.pages.iter().flatten()).map(place).collect();
    // Not through the repository's cache: the store itself must have them.
    let mut packs: HashMap<PackId, OpenPack> = HashMap::new();
    for page in manifest.pages.iter().flatten().filter(|page| !known.contains(&place(page))) {
        progress.check()?;
        for cell in repository.load_page(page)? {
            let Cell::Chunk(id, location) = cell else { continue };
            let pack = match packs.entry(location.pack) {
                Entry::Occupied(read) => read.into_mut(),
                Entry::Vacant(unread) => unread.insert(repository.load_pack(location.pack)?),
            };
            pack.entry(RecordKind::Chunk, id, location.ordinal)?;
        }
        if packs.len() > TABLES_MAX {
            packs.clear();
        }
    }
    Ok(())
}
