//! Volumes: the disks that are protected.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{BackupId, ProjectId, SnapshotId, UserId, VolumeId};
use crate::size::GiB;
use crate::time::Timestamp;

/// Key-value pairs that a user attaches to a resource, in key order.
pub type Metadata = BTreeMap<String, String>;

/// The state of a volume, in Cinder's words.
///
/// ```text
/// creating ──► available ◄──► in-use        (by way of attaching, if it was reserved first)
///    │           │  ▲ ▲
///    ▼           │  │ └─ backing-up        (also from and to in-use)
///  error         │  └─── restoring-backup ──► error_restoring | error
///                └─► deleting ──► (gone) | error_deleting
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeStatus {
    /// Being made; nothing may use it yet.
    Creating,
    /// At rest and free to use.
    Available,
    /// Promised to a server that is about to attach it.
    Attaching,
    /// Attached to a server.
    InUse,
    /// Kept from use by an administrator.
    Maintenance,
    /// Its bytes are being read by a backup; it returns to the status it had.
    BackingUp,
    /// A backup is being written over it.
    RestoringBackup,
    /// Being removed.
    Deleting,
    /// Could not be made.
    Error,
    /// Could not be removed.
    ErrorDeleting,
    /// A restore onto it failed: its bytes are not to be trusted.
    ErrorRestoring,
}

impl VolumeStatus {
    /// Every status.
    pub const ALL: [Self; 11] = [
        Self::Creating,
        Self::Available,
        Self::Attaching,
        Self::InUse,
        Self::Maintenance,
        Self::BackingUp,
        Self::RestoringBackup,
        Self::Deleting,
        Self::Error,
        Self::ErrorDeleting,
        Self::ErrorRestoring,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Available => "available",
            Self::Attaching => "attaching",
            Self::InUse => "in-use",
            Self::Maintenance => "maintenance",
            Self::BackingUp => "backing-up",
            Self::RestoringBackup => "restoring-backup",
            Self::Deleting => "deleting",
            Self::Error => "error",
            Self::ErrorDeleting => "error_deleting",
            Self::ErrorRestoring => "error_restoring",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether a job owns the volume, so that nothing else may touch it.
    pub const fn is_busy(self) -> bool {
        matches!(self, Self::Creating | Self::BackingUp | Self::RestoringBackup | Self::Deleting)
    }
}

/// A disk of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its id; the folder source keeps its bytes in `VOLUME_ID.raw`.
    pub id: VolumeId,
    /// The project that owns it.
    pub project_id: ProjectId,
    /// The user who made it.
    pub user_id: UserId,
    /// Its name, not unique.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Its size; never shrinks.
    pub size: GiB,
    /// Its state.
    pub status: VolumeStatus,
    /// The status to return to when the job that owns the volume ends.
    pub previous_status: Option<VolumeStatus>,
    /// Whether a server could start from it.
    pub is_bootable: bool,
    /// The zone it lies in.
    pub availability_zone: String,
    /// The user's key-value pairs.
    pub metadata: Metadata,
    /// The snapshot it was made from.
    pub snapshot_id: Option<SnapshotId>,
    /// The volume it was copied from.
    pub source_volume_id: Option<VolumeId>,
    /// The backup it was made from.
    pub backup_id: Option<BackupId>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_statuses_correspond() {
        for status in VolumeStatus::ALL {
            assert_eq!(VolumeStatus::parse(status.as_str()), Some(status));
        }
        assert_eq!(VolumeStatus::parse("gone"), None);
    }
}
