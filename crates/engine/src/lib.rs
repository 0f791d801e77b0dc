//! Blocks in, blocks out: the backup engine of Strongroom.
//!
//! ```
//! use strongroom_engine::*;
//! use strongroom_model::{chance::SystemChance, id::{BackupId, VaultId}};
//!
//! # let dir = tempfile::tempdir()?;
//! # let (disk, copy) = (dir.path().join("disk"), dir.path().join("copy"));
//! # std::fs::write(&disk, "precious")?;
//! let key = MasterKey::random(&SystemChance);
//! let store = Store::folder(&dir.path().join("store"))?;
//! let vault = VaultId::random(&SystemChance);
//! let repository = Repository::create(store, vault, &key, RepositoryOptions::default())?;
//!
//! let id = BackupId::random(&SystemChance);
//! let options = BackupOptions::new(id, SessionId::random(&SystemChance));
//! let report = backup(&repository, &FileSource::open(&disk)?, &options)?;
//!
//! let target = FileTarget::create(&copy, report.stats.size_bytes)?;
//! restore(&repository, id, &target, &RestoreOptions::default())?;
//! assert_eq!(std::fs::read(&copy)?, b"precious");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # From the outside in
//!
//! The verbs are functions with options in and a report out: [`backup()`], [`restore()`], [`list()`],
//! [`find`], [`delete()`], [`verify()`], [`gc()`], [`export()`], [`receive`], [`changed()`] and
//! [`resolve_session`]. They work on a [`Repository`], one vault in one [`Store`]. A volume comes
//! from a [`VolumeSource`] and goes to a [`RestoreTarget`]; a backup comes from another vault
//! through a [`ReplicaSource`].
//!
//! A volume is cut by a fixed grid into *chunks*, which are named by the keyed hash of their content
//! and stored once per vault, compressed and sealed, in *packs* of 32 MiB. What a backup is made of
//! stands in *pages* of 1024 cells, stored like chunks and shared by backups where they are equal, and
//! in a *manifest* that names the pages. An attempt at a backup is a *session*; creating the record of
//! its end is the one moment at which a backup comes to exist. `docs/format.md` has every byte.
//!
//! # What holds at any time
//!
//! - Nothing in the store is ever overwritten. An interrupted verb leaves garbage, never damage.
//! - The store is the truth: vault, key and store are enough to list and restore everything.
//! - A backup is whole by itself; its parent only saved work. Any backup may be deleted.
//! - No byte reaches a target that was not decrypted, hashed and found to be what was named.
//! - Damage is an error that names the object, never a panic and never wrong data.
//!
//! # Threads
//!
//! Everything blocks and runs on plain threads, so call it from a thread of your own or from
//! `spawn_blocking`. Async happens only inside the object store. A running verb is watched and
//! cancelled through its [`Progress`]. It knows no wall clock and no randomness but those it is given.

mod backup;
mod changed;
mod check;
mod crew;
mod delete;
mod error;
mod export;
mod format;
mod gc;
mod id;
mod index;
mod key;
mod list;
mod num;
mod pack;
mod progress;
mod replica;
mod repository;
mod restore;
mod session;
mod source;
mod store;
mod target;
mod verify;

pub use backup::{BackupOptions, BackupReport, BackupStats, backup};
pub use changed::{ChangedRanges, changed};
pub use check::check;
pub use delete::delete;
pub use error::{Error, Result};
pub use export::{ExportReport, export};
pub use gc::{GcOptions, GcReport, gc};
pub use id::{ChunkId, Digest, PackId, SessionId};
pub use key::{MasterKey, NamingKey, Suite};
pub use list::{BackupEntry, CONTENT_ROOT, ListReport, find, list};
pub use progress::Progress;
pub use replica::{
    CELLS_PER_REQUEST_MAX, CHUNKS_BYTES_MAX, OUTLINE_BYTES_MAX, Origin, ReceiveReport,
    ReplicaSource, SUMMARY_BYTES_MAX, WireError, receive,
};
pub use repository::{Repository, RepositoryOptions, list_vaults};
pub use restore::{RestoreOptions, RestoreReport, restore};
pub use session::{SessionOutcome, resolve_session};
pub use source::{FileSource, MemorySource, VolumeSource};
pub use store::{Created, ObjectMeta, S3Options, Store, StoreError};
pub use target::{FileTarget, MemoryTarget, RestoreTarget};
pub use verify::{Finding, VerifyDepth, VerifyOptions, VerifyReport, verify};
