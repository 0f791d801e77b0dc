//! Which chunks are being fetched right now, so that no two threads fetch the same one.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::id::ChunkId;

/// The chunks being fetched, by name.
#[derive(Debug, Default)]
pub(super) struct Claims {
    names: Mutex<HashSet<ChunkId>>,
    freed: Condvar,
}

/// The claims of one thread; given back when dropped, whatever became of them.
#[derive(Debug)]
pub(super) struct Claimed<'a> {
    claims: &'a Claims,
    names: Vec<ChunkId>,
}

impl Claims {
    /// No claims yet.
    pub(super) fn begin(&self) -> Claimed<'_> {
        Claimed { claims: self, names: Vec::new() }
    }

    /// Waits until nobody fetches `name`. Hold no claims while you wait.
    pub(super) fn wait(&self, name: &ChunkId) {
        let names = self.names();
        drop(
            self.freed
                .wait_while(names, |names| names.contains(name))
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn names(&self) -> MutexGuard<'_, HashSet<ChunkId>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claimed<'_> {
    /// Claims a name; false if somebody has it.
    pub(super) fn claim(&mut self, name: ChunkId) -> bool {
        let is_free = self.claims.names().insert(name);
        if is_free {
            self.names.push(name);
        }
        is_free
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        let mut names = self.claims.names();
        for name in &self.names {
            names.remove(name);
        }
        self.claims.freed.notify_all();
    }
}
