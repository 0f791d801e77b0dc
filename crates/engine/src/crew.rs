//! What threads of one verb share: the next unit of work, and the first failure.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// No verb uses more threads.
const THREADS_MAX: usize = 8;

/// Hands out units 0, 1, 2… until all are done or one failed.
#[derive(Debug)]
pub(crate) struct Crew {
    next: AtomicU64,
    units: u64,
    has_failed: AtomicBool,
    failure: Mutex<Option<Error>>,
}

impl Crew {
    pub(crate) fn new(units: u64) -> Self {
        Self {
            next: AtomicU64::new(0),
            units,
            has_failed: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// The next unit; `None` when there is nothing more to do.
    pub(crate) fn next(&self) -> Option<u64> {
        if self.has_failed() {
            return None;
        }
        let unit = self.next.fetch_add(1, Ordering::Relaxed);
        (unit < self.units).then_some(unit)
    }

    /// Does units until there are none; a failure stops all threads after their present unit.
    pub(crate) fn work(&self, mut unit: impl FnMut(u64) -> Result<()>) {
        while let Some(number) = self.next() {
            if let Err(error) = unit(number) {
                self.fail(error);
            }
        }
    }

    /// Keeps the first failure.
    pub(crate) fn fail(&self, error: Error) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.has_failed.store(true, Ordering::Release);
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// Whether what was done so far is to be made durable although the verb failed: it did so for
    /// want of the other side only, and the next attempt goes on from there.
    pub(crate) fn is_worth_saving(&self) -> bool {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.as_ref().is_some_and(Error::is_cut)
    }

    /// The first failure, once all threads are done.
    pub(crate) fn finish(self) -> Result<()> {
        match self.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// How many threads to use where `wanted` of 0 means as many as there are cores.
pub(crate) fn thread_count(wanted: usize) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let count = if wanted == 0 { cores() } else { wanted };
    count.clamp(1, THREADS_MAX)
}
