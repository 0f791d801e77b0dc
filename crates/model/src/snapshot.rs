//! Snapshots: one frozen state of a volume.

use serde::{Deserialize, Serialize};

use crate::id::{ProjectId, SnapshotId, UserId, VolumeId};
use crate::size::GiB;
use crate::time::Timestamp;
use crate::volume::Metadata;

/// The state of a snapshot, in Cinder's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotStatus {
    /// Being taken.
    Creating,
    /// At rest and free to use.
    Available,
    /// Its bytes are being read by a backup.
    BackingUp,
    /// Being removed.
    Deleting,
    /// Could not be taken.
    Error,
    /// Could not be removed.
    ErrorDeleting,
}

impl SnapshotStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Creating,
        Self::Available,
        Self::BackingUp,
        Self::Deleting,
        Self::Error,
        Self::ErrorDeleting,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Available => "available",
            Self::BackingUp => "backing-up",
            Self::Deleting => "deleting",
            Self::Error => "error",
            Self::ErrorDeleting => "error_deleting",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// One frozen state of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id; the folder source keeps its bytes in `SNAPSHOT_ID.raw`.
    pub id: SnapshotId,
    /// The project that owns it.
    pub project_id: ProjectId,
    /// The user who took it.
    pub user_id: UserId,
    /// The volume it was taken of.
    pub volume_id: VolumeId,
    /// Its name, not unique.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// The volume's size when it was taken.
    pub size: GiB,
    /// Its state.
    pub status: SnapshotStatus,
    /// The user's key-value pairs.
    pub metadata: Metadata,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}
