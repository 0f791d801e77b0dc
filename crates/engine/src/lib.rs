//! Blocks in, blocks out: the backup engine of Strongroom.

mod backup;
mod crew;
mod delete;
mod error;
mod format;
mod gc;
mod id;
mod index;
mod key;
mod list;
mod num;
mod pack;
mod progress;
mod repository;
mod restore;
mod session;
mod source;
mod store;
mod target;
mod verify;

pub use backup::{BackupOptions, BackupReport, BackupStats, backup};
pub use delete::delete;
pub use error::{Error, Result};
pub use gc::{GcOptions, GcReport, gc};
pub use id::{ChunkId, Digest, PackId, SessionId};
pub use key::{MasterKey, Suite};
pub use list::{BackupEntry, ListReport, find, list};
pub use progress::Progress;
pub use repository::{Repository, RepositoryOptions, list_vaults};
pub use restore::{RestoreOptions, RestoreReport, restore};
pub use session::{SessionOutcome, resolve_session};
pub use source::{FileSource, MemorySource, VolumeSource};
pub use store::{Created, ObjectMeta, S3Options, Store, StoreError};
pub use target::{FileTarget, MemoryTarget, RestoreTarget};
pub use verify::{Finding, VerifyDepth, VerifyOptions, VerifyReport, verify};
