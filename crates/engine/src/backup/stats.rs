//! What a backup read and stored: counted while it runs, kept with it for ever.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a backup read and stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackupStats {
    /// Size of the volume.
    pub size_bytes: u64,
    /// Bytes read from the source.
    pub read_bytes: u64,
    /// Plain bytes of cells that differ from the parent, or of all cells with data without one.
    pub changed_bytes: u64,
    /// Plain bytes of chunks that the vault did not hold.
    pub new_bytes: u64,
    /// Bytes of the packs and the manifest this session wrote.
    pub stored_bytes: u64,
    /// Number of packs and manifests this session wrote.
    pub object_count: u64,
    /// Cells of zeros.
    pub zero_chunks: u64,
    /// Cells that were never written and not read.
    pub hole_chunks: u64,
    /// Cells whose content the vault held.
    pub reused_chunks: u64,
    /// Chunks stored.
    pub new_chunks: u64,
    /// From the start to the sealing of the manifest.
    pub duration_ms: u64,
}

impl BackupStats {
    /// Accounts for the manifest, whose own statistics cannot hold its length.
    pub(crate) fn add_manifest(&mut self, len: u64) {
        self.stored_bytes += len;
        self.object_count += 1;
    }
}

/// The counters of a running backup; shared by its threads.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) read_bytes: AtomicU64,
    pub(crate) changed_bytes: AtomicU64,
    pub(crate) new_bytes: AtomicU64,
    pub(crate) stored_bytes: AtomicU64,
    pub(crate) object_count: AtomicU64,
    pub(crate) zero_chunks: AtomicU64,
    pub(crate) hole_chunks: AtomicU64,
    pub(crate) reused_chunks: AtomicU64,
    pub(crate) new_chunks: AtomicU64,
}

impl Counters {
    pub(crate) fn stats(&self, size_bytes: u64, duration: Duration) -> BackupStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BackupStats {
            size_bytes,
            read_bytes: read(&self.read_bytes),
            changed_bytes: read(&self.changed_bytes),
            new_bytes: read(&self.new_bytes),
            stored_bytes: read(&self.stored_bytes),
            object_count: read(&self.object_count),
            zero_chunks: read(&self.zero_chunks),
            hole_chunks: read(&self.hole_chunks),
            reused_chunks: read(&self.reused_chunks),
            new_chunks: read(&self.new_chunks),
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}
