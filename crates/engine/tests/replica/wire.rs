//! Two vaults, and a wire between them that counts, cuts and lies when told.

use std::collections::BTreeMap;
use std::sync::Mutex;

use strongroom_engine::*;
use strongroom_model::id::BackupId;

use crate::common::Fragile;

/// The vault that has backups, and the one that is to have copies.
pub(crate) struct Pair {
    pub(crate) near: Fragile,
    pub(crate) far: Fragile,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self { near: Fragile::seeded(42), far: Fragile::seeded(43) }
    }

    /// The other end of the wire.
    pub(crate) fn origin(&self, backup: BackupId, base: Option<BackupId>) -> Origin {
        let naming = self.far.open_sound().naming_key();
        Origin::open(&self.near.open_sound(), backup, base, naming).unwrap()
    }

    pub(crate) fn receive(
        &self,
        backup: BackupId,
        base: Option<BackupId>,
        options: &BackupOptions,
    ) -> Result<ReceiveReport> {
        receive(&self.far.open(), &self.origin(backup, base), options)
    }

    /// Copies a backup and returns the copy's id.
    pub(crate) fn copy(
        &self,
        backup: BackupId,
        base: Option<BackupId>,
        parent: Option<BackupId>,
    ) -> BackupId {
        let options = self.far.fresh(parent);
        self.receive(backup, base, &options).unwrap();
        options.backup_id
    }
}

/// What is done to an answer on its way.
pub(crate) type Tamper = Box<dyn Fn(Answer) -> Result<Vec<u8>, WireError> + Send + Sync>;

/// An answer on its way, with its number counted from 1.
pub(crate) struct Answer {
    pub(crate) call: u64,
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// A wire that does something to answers and counts the cells that came over it.
pub(crate) struct Wire<'a> {
    pub(crate) origin: &'a dyn ReplicaSource,
    tamper: Tamper,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: u64,
    /// How often each cell was delivered.
    cells: BTreeMap<u64, u64>,
}

impl<'a> Wire<'a> {
    pub(crate) fn new(origin: &'a dyn ReplicaSource, tamper: Tamper) -> Self {
        Self { origin, tamper, state: Mutex::default() }
    }

    /// A wire that only counts.
    pub(crate) fn honest(origin: &'a dyn ReplicaSource) -> Self {
        Self::new(origin, Box::new(|answer| Ok(answer.bytes)))
    }

    /// A wire whose call number `at`, counted from 1, and all later ones get no answer.
    pub(crate) fn cut_at(origin: &'a dyn ReplicaSource, at: u64) -> Self {
        Self::new(
            origin,
            Box::new(move |answer| match answer.call {
                call if call >= at => Err(WireError::Cut("cut as planned".to_owned())),
                _ => Ok(answer.bytes),
            }),
        )
    }

    pub(crate) fn calls(&self) -> u64 {
        self.state.lock().unwrap().calls
    }

    /// How often each cell was delivered.
    pub(crate) fn cells(&self) -> BTreeMap<u64, u64> {
        self.state.lock().unwrap().cells.clone()
    }

    fn pass(
        &self,
        kind: &'static str,
        answer: Result<Vec<u8>, WireError>,
        cells: &[u64],
    ) -> Result<Vec<u8>, WireError> {
        let call = {
            let mut state = self.state.lock().unwrap();
            state.calls += 1;
            state.calls
        };
        let bytes = (self.tamper)(Answer { call, kind, bytes: answer? })?;
        for cell in cells {
            *self.state.lock().unwrap().cells.entry(*cell).or_default() += 1;
        }
        Ok(bytes)
    }
}

impl ReplicaSource for Wire<'_> {
    fn summary(&self) -> Result<Vec<u8>, WireError> {
        self.pass("summary", self.origin.summary(), &[])
    }

    fn outline(&self, page: u64, with_base: bool) -> Result<Vec<u8>, WireError> {
        self.pass("outline", self.origin.outline(page, with_base), &[])
    }

    fn chunks(&self, cells: &[u64]) -> Result<Vec<u8>, WireError> {
        self.pass("chunks", self.origin.chunks(cells), cells)
    }
}
