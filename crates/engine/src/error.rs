//! What can go wrong in the engine; every variant names the object at fault.

use std::io;

use strongroom_model::id::{BackupId, VaultId};
use uuid::Uuid;

use crate::id::{ChunkId, PackId, SessionId};
use crate::replica::WireError;
use crate::store::StoreError;

/// The result of everything fallible here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored object is not what was once written under its name.
    #[error("object '{object}' is damaged: {detail}")]
    Damaged {
        /// Name of the object.
        object: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A record in a pack is not what was once written there.
    #[error("chunk {chunk} in pack {pack}, record {ordinal}, is damaged: {detail}")]
    ChunkDamaged {
        /// The content that should be there.
        chunk: ChunkId,
        /// The pack that should hold it.
        pack: PackId,
        /// Which record of the pack.
        ordinal: u32,
        /// What is wrong with it.
        detail: String,
    },
    /// The object was written by a later version.
    #[error("object '{object}' needs a later version: {detail}")]
    Unsupported {
        /// Name of the object.
        object: String,
        /// What this version does not know.
        detail: String,
    },
    /// The text or file does not hold a master key.
    #[error("'{origin}' does not hold a master key: {detail}")]
    BadKey {
        /// Where the key should have come from; never the key.
        origin: String,
        /// What is wrong.
        detail: String,
    },
    /// The vault is sealed with another master key.
    #[error("vault {vault} is sealed with master key {wanted}, the key given is {given}")]
    WrongKey {
        /// The vault.
        vault: VaultId,
        /// Id of the key that opens it.
        wanted: Uuid,
        /// Id of the key that was tried.
        given: Uuid,
    },
    /// The vault to be created is there.
    #[error("vault {0} exists")]
    VaultExists(VaultId),
    /// The store holds no such vault.
    #[error("there is no vault {0} in this store")]
    VaultMissing(VaultId),
    /// The vault holds no such committed backup.
    #[error("there is no backup {0} in this vault")]
    BackupMissing(BackupId),
    /// The backup was deleted.
    #[error("backup {0} is deleted")]
    BackupDeleted(BackupId),
    /// Another attempt of the same backup was committed.
    #[error("backup {backup} is already committed, by session {session}")]
    AlreadyCommitted {
        /// The backup.
        backup: BackupId,
        /// The session that won.
        session: SessionId,
    },
    /// Somebody ended the session: its lease ran out or a later attempt took over.
    #[error("session {0} was ended by somebody else, nothing was committed")]
    Fenced(SessionId),
    /// A session id was used before.
    #[error("session {0} exists")]
    SessionExists(SessionId),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// The volume could not be read.
    #[error("could not read the source at byte {offset_bytes}")]
    Source {
        /// Where.
        offset_bytes: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The target could not be written.
    #[error("could not write the target at byte {offset_bytes}")]
    Target {
        /// Where.
        offset_bytes: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The target cannot hold the volume.
    #[error("the target holds {target_bytes} bytes, the volume has {volume_bytes}")]
    TargetTooSmall {
        /// Room of the target.
        target_bytes: u64,
        /// Size of the volume.
        volume_bytes: u64,
    },
    /// The other side of a replication could not be asked.
    #[error("could not get {request} from the other side: {source}")]
    Wire {
        /// What was asked for.
        request: String,
        /// Why there was no answer.
        source: WireError,
    },
    /// The other side of a replication answered what cannot be true.
    #[error("refused {answer} of the other side: {detail}")]
    Unfaithful {
        /// What it answered.
        answer: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The volume is larger than the format can describe.
    #[error("a volume of {size_bytes} bytes is too large")]
    VolumeTooLarge {
        /// Size of the volume.
        size_bytes: u64,
    },
}

impl Error {
    /// Whether the same call may succeed later without anybody's help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Store(e) if e.is_transient()) || self.is_cut()
    }

    /// Whether only the way to the other side of a replication was cut.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self, Self::Wire { source: WireError::Cut(_), .. })
    }

    /// Whether the store ran out of room.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Store(e) if e.is_full())
    }

    /// Whether stored data is lost or wrong, as opposed to out of reach.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Store(e) => e.is_missing(),
            other => matches!(other, Self::Damaged { .. } | Self::ChunkDamaged { .. }),
        }
    }

    pub(crate) fn damaged(object: &str, detail: impl Into<String>) -> Self {
        Self::Damaged { object: object.to_owned(), detail: detail.into() }
    }

    pub(crate) fn unsupported(object: &str, detail: impl Into<String>) -> Self {
        Self::Unsupported { object: object.to_owned(), detail: detail.into() }
    }
}
