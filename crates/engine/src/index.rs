//! Where known content lies, so that it is not stored twice.
//!
//! Built from the footers of packs and kept for the life of the repository. Condemned packs are left
//! out, and what was ever condemned stays out. Losing an entry costs room in the store, nothing else.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use crate::error::Result;
use crate::format::page::Location;
use crate::format::{GRID_BYTES, name};
use crate::id::{ChunkId, PackId};
use crate::repository::Repository;

/// The shared index; one lock for all threads, held shortly.
#[derive(Debug, Default)]
pub(crate) struct Index(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    /// Packs by slot; slots are never reused.
    slots: Vec<PackId>,
    usable: HashSet<PackId>,
    /// Every pack that was ever seen condemned, or all of them.
    condemned: Condemned,
    /// Prefix of the content's id to slot and ordinal.
    chunks: HashMap<[u8; 16], (u32, u16)>,
    /// Lengths of the contents that are not as long as a grid cell, which are few.
    odd_lengths: HashMap<[u8; 16], u32>,
}

/// The packs that nothing may be stored against.
#[derive(Debug, Default, Clone)]
pub(crate) struct Condemned {
    /// A list could not be read: nothing that exists may be relied on.
    pub(crate) all: bool,
    pub(crate) packs: HashSet<PackId>,
}

impl Index {
    /// Finds content; an answer lies in a pack that may be relied on by sessions open now.
    pub(crate) fn find(&self, id: &ChunkId) -> Option<Location> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (slot, ordinal) = *state.chunks.get(&id.prefix())?;
        let pack = *state.slots.get(slot as usize)?;
        state.usable.contains(&pack).then_some(Location { pack, ordinal })
    }

    /// How long the plaintext of content that [`Self::find`] found is.
    pub(crate) fn plain_len(&self, id: &ChunkId) -> u32 {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        state.odd_lengths.get(&id.prefix()).copied().unwrap_or(GRID_BYTES)
    }

    /// Whether a pack exists and may be relied on by sessions open now.
    pub(crate) fn is_usable(&self, pack: PackId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).usable.contains(&pack)
    }

    /// Brings the index up to date. Call it after the session was opened.
    ///
    /// Returns what is wrong with packs that had to be left out.
    pub(crate) fn refresh(
        &self,
        repository: &Repository,
        condemned: &Condemned,
    ) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        let known = self.usable();
        let lengths: HashMap<PackId, u64> = repository.list_packs()?.into_iter().collect();
        let listed = lengths.keys().copied().collect();
        for pack in self.retain(&listed, &known, condemned) {
            match repository.load_listed_pack(pack, lengths[&pack]) {
                Ok(open) => self.insert(pack, open.entries.iter().map(|e| (e.id, e.plain))),
                Err(e) if e.is_damage() => problems.push(e.to_string()),
                Err(e) => return Err(e),
            }
        }
        Ok(problems)
    }

    fn usable(&self) -> HashSet<PackId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).usable.clone()
    }

    /// Drops what is gone or condemned; returns the packs that are not known yet.
    ///
    /// `known` is what was known before the list was made: a pack that came to be known meanwhile
    /// may be missing in the list because it is younger.
    fn retain(
        &self,
        listed: &HashSet<PackId>,
        known: &HashSet<PackId>,
        condemned: &Condemned,
    ) -> Vec<PackId> {
        let mut guard = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *guard;
        // A list that could not be read hides names, so it counts for this and all later looks.
        state.condemned.all |= condemned.all;
        state.condemned.packs.extend(&condemned.packs);
        if state.condemned.all {
            state.condemned.packs.extend(listed);
            state.condemned.all = false;
        }
        let before = state.usable.len();
        let outcasts = &state.condemned.packs;
        state.usable.retain(|pack| {
            (listed.contains(pack) || !known.contains(pack)) && !outcasts.contains(pack)
        });
        if state.usable.len() < before {
            let (slots, usable) = (&state.slots, &state.usable);
            state.chunks.retain(|_, (slot, _)| {
                slots.get(*slot as usize).is_some_and(|pack| usable.contains(pack))
            });
        }
        // Names of packs that are gone for good need no memory.
        state.condemned.packs.retain(|pack| listed.contains(pack));
        let is_new = |pack: &&PackId| {
            !state.usable.contains(*pack) && !state.condemned.packs.contains(*pack)
        };
        listed.iter().filter(is_new).copied().collect()
    }

    /// Adds the records of a pack, ids and plain lengths in the order of their ordinals.
    pub(crate) fn insert(&self, pack: PackId, records: impl Iterator<Item = (ChunkId, u32)>) {
        let mut guard = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *guard;
        if state.condemned.packs.contains(&pack) || !state.usable.insert(pack) {
            return;
        }
        let Ok(slot) = u32::try_from(state.slots.len()) else {
            return;
        };
        state.slots.push(pack);
        for (ordinal, (id, plain_len)) in (0..=u16::MAX).zip(records) {
            state.chunks.entry(id.prefix()).or_insert((slot, ordinal));
            if plain_len != GRID_BYTES {
                state.odd_lengths.insert(id.prefix(), plain_len);
            }
        }
    }
}

impl Repository {
    /// The packs that exist and their lengths in bytes; names that are no packs are passed over.
    pub(crate) fn list_packs(&self) -> Result<Vec<(PackId, u64)>> {
        let objects = self.store().list(&name::packs(self.vault()))?;
        let parse = |name: &str| PackId::parse(name.rsplit('/').next()?);
        Ok(objects.iter().filter_map(|o| Some((parse(&o.name)?, o.size_bytes))).collect())
    }
}
