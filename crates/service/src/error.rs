//! Why the service refused or failed, in words that no dialect owns.
//!
//! Each variant is one reason with the facts that a front door needs to say it in its own words.
//! Nothing here knows HTTP: [`Error::kind`] is the coarse class that a front door maps to a status.

use strongroom_model::backup::BackupStatus;
use strongroom_model::id::{PolicyId, SnapshotId, VolumeId};
use strongroom_model::quota::Resource;
use strongroom_model::size::GiB;
use strongroom_model::snapshot::SnapshotStatus;
use strongroom_model::volume::VolumeStatus;

use crate::refusal::Refusal;

/// The coarse class of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What was named does not exist, or not for this caller.
    NotFound,
    /// The request contradicts the present state or itself.
    Invalid,
    /// What was to be made exists.
    Conflict,
    /// Nobody proved who they are.
    Unauthenticated,
    /// The caller is known and may not.
    Forbidden,
    /// A quota would be exceeded.
    QuotaExceeded,
    /// A part that is needed cannot be reached now; trying again later may help.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// Why the service refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such backup in the caller's project.
    #[error("backup {0} could not be found")]
    BackupNotFound(String),
    /// No such volume in the caller's project.
    #[error("volume {0} could not be found")]
    VolumeNotFound(String),
    /// No such snapshot in the caller's project.
    #[error("snapshot {0} could not be found")]
    SnapshotNotFound(String),
    /// No such server in the caller's project.
    #[error("server {0} could not be found")]
    ServerNotFound(String),
    /// No such policy in the caller's project.
    #[error("policy {0} could not be found")]
    PolicyNotFound(String),
    /// No such share by or with the caller's project.
    #[error("share {0} could not be found")]
    ShareNotFound(String),
    /// No such job of the caller's project, or one that ended too long ago.
    #[error("job {0} could not be found")]
    JobNotFound(String),
    /// No pair of that key in the metadata.
    #[error("metadata {0} could not be found")]
    MetadataNotFound(String),
    /// A page should start after an item that does not exist in the list's project.
    #[error("marker {0} could not be found")]
    MarkerNotFound(String),
    /// No such domain, project, user, role or assignment.
    #[error("{what} {id} could not be found")]
    IdentityNotFound {
        /// `domain`, `project`, `user`, `role` or `assignment`.
        what: &'static str,
        /// What was asked for.
        id: String,
    },
    /// A backup must be available or in error to be deleted.
    #[error("a backup that is {} cannot be deleted", .0.as_str())]
    BackupNotDeletable(BackupStatus),
    /// A backup must be available to be restored, or to make a volume of it.
    #[error("a backup that is {} cannot be restored", .0.as_str())]
    BackupNotRestorable(BackupStatus),
    /// A backup must be available for its record to be exported.
    #[error("a backup that is {} cannot be exported", .0.as_str())]
    BackupNotExportable(BackupStatus),
    /// An increment was asked for, there is no parent, and the service is set to insist on one.
    #[error("no backup is available to build an increment on")]
    NoParent,
    /// A volume must be available or in use to be backed up.
    #[error("a volume that is {} cannot be backed up", .0.as_str())]
    VolumeNotBackupable(VolumeStatus),
    /// A volume in use is backed up only by force.
    #[error("a volume in use is backed up only by force")]
    VolumeInUse,
    /// A volume must be at rest for what was asked.
    #[error("volume {id} is {}", .status.as_str())]
    VolumeBusy {
        /// The volume.
        id: VolumeId,
        /// Its status.
        status: VolumeStatus,
    },
    /// A volume with snapshots cannot be deleted.
    #[error("volume {0} has snapshots")]
    VolumeHasSnapshots(VolumeId),
    /// A restore needs an available volume.
    #[error("a volume that is {} cannot be restored onto", .0.as_str())]
    TargetNotAvailable(VolumeStatus),
    /// A restore needs a volume at least as large as the backup.
    #[error("a volume of {} GiB is too small for a backup of {} GiB", .volume.0, .backup.0)]
    TargetTooSmall {
        /// Size of the volume.
        volume: GiB,
        /// Size of the backup.
        backup: GiB,
    },
    /// The snapshot is not one of the named volume.
    #[error("volume {volume} does not match the snapshot's volume {snapshot_volume}")]
    SnapshotMismatch {
        /// The volume that was named.
        volume: VolumeId,
        /// The volume that the snapshot is of.
        snapshot_volume: VolumeId,
    },
    /// A snapshot must be available to be backed up or copied.
    #[error("a snapshot that is {} cannot be used", .0.as_str())]
    SnapshotNotAvailable(SnapshotStatus),
    /// A snapshot must be available or in error to be deleted.
    #[error("snapshot {id} is {}", .status.as_str())]
    SnapshotBusy {
        /// The snapshot.
        id: SnapshotId,
        /// Its status.
        status: SnapshotStatus,
    },
    /// A new volume must be at least as large as what it is made from, and an extension larger.
    #[error("{wanted} GiB is smaller than the {needed} GiB that are needed", wanted = .wanted.0, needed = .needed.0)]
    SizeTooSmall {
        /// What was asked for.
        wanted: GiB,
        /// The least that would do.
        needed: GiB,
    },
    /// A value that no dialect's schema could refuse but that makes no sense.
    #[error("{field}: {message}")]
    Invalid {
        /// The field at fault.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// A backup of that id exists.
    #[error("backup {0} exists")]
    BackupExists(String),
    /// A domain, project or user of that name exists.
    #[error("{what} {name} exists")]
    IdentityExists {
        /// `domain`, `project` or `user`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A run of the policy goes on.
    #[error("policy {0} is running")]
    PolicyRunning(PolicyId),
    /// A backup must be available to be shared.
    #[error("a backup that is {} cannot be shared", .0.as_str())]
    BackupNotShareable(BackupStatus),
    /// A backup cannot be shared with the project that owns it.
    #[error("a backup cannot be shared with its own project")]
    ShareWithOwner,
    /// The project has as many policies as it may have.
    #[error("{0} policies are all that a project may have")]
    TooManyPolicies(u32),
    /// A tag cannot be like that.
    #[error("the {part} of a tag {reason}")]
    InvalidTag {
        /// `key` or `value`.
        part: &'static str,
        /// What is wrong with it, as in `contains invalid characters`.
        reason: &'static str,
    },
    /// A thing would have more tags than it may have.
    #[error("{0} tags are all that a thing may have")]
    TooManyTags(usize),
    /// No such vault in the caller's project.
    #[error("vault {0} could not be found")]
    VaultNotFound(String),
    /// No such checkpoint in the caller's project, or none of its backups is left.
    #[error("checkpoint {0} could not be found")]
    CheckpointNotFound(String),
    /// No such operation of the caller's project, or one that ended too long ago.
    #[error("operation {0} could not be found")]
    OperationNotFound(String),
    /// A rule of vaults, checkpoints, restores, members or replication.
    #[error("{message}")]
    Refused {
        /// Why.
        reason: Refusal,
        /// The same as a sentence for the caller.
        message: String,
    },
    /// A quota would be exceeded.
    #[error("{} quota exceeded: limit {limit}, in use {in_use}, requested {requested}", .resource.name())]
    QuotaExceeded {
        /// The resource.
        resource: Resource,
        /// Its limit.
        limit: i64,
        /// What the project has.
        in_use: i64,
        /// What this request would add.
        requested: i64,
    },
    /// A quota cannot be set below what is in use.
    #[error("{} quota cannot be set below the {in_use} in use", .resource.name())]
    QuotaBelowUse {
        /// The resource.
        resource: Resource,
        /// What the project has.
        in_use: i64,
    },
    /// Wrong password, unknown user, or a token that is forged, revoked or too old.
    #[error("the request you have made requires authentication")]
    Unauthenticated,
    /// The caller's role does not allow it.
    #[error("policy does not allow {0} to be performed")]
    Forbidden(&'static str),
    /// The store, the catalogue or the folder of volumes cannot be reached now.
    #[error("{what} is unavailable")]
    Unavailable {
        /// What is missing.
        what: &'static str,
        /// Why, for the log.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A fault of ours; the source is for the log, never for the caller.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What every fallible function of the service returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Wraps a fault of ours.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// The coarse class.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::BackupNotFound(_)
            | Self::VolumeNotFound(_)
            | Self::SnapshotNotFound(_)
            | Self::ServerNotFound(_)
            | Self::PolicyNotFound(_)
            | Self::ShareNotFound(_)
            | Self::JobNotFound(_)
            | Self::MetadataNotFound(_)
            | Self::MarkerNotFound(_)
            | Self::VaultNotFound(_)
            | Self::CheckpointNotFound(_)
            | Self::OperationNotFound(_)
            | Self::IdentityNotFound { .. } => Kind::NotFound,
            Self::Refused { reason, .. } => reason.kind(),
            Self::BackupNotDeletable(_)
            | Self::BackupNotRestorable(_)
            | Self::BackupNotExportable(_)
            | Self::NoParent
            | Self::VolumeNotBackupable(_)
            | Self::VolumeInUse
            | Self::VolumeBusy { .. }
            | Self::VolumeHasSnapshots(_)
            | Self::TargetNotAvailable(_)
            | Self::TargetTooSmall { .. }
            | Self::SnapshotMismatch { .. }
            | Self::SnapshotNotAvailable(_)
            | Self::SnapshotBusy { .. }
            | Self::SizeTooSmall { .. }
            | Self::QuotaBelowUse { .. }
            | Self::BackupExists(_)
            | Self::Invalid { .. } => Kind::Invalid,
            Self::BackupNotShareable(_)
            | Self::ShareWithOwner
            | Self::InvalidTag { .. }
            | Self::TooManyTags(_) => Kind::Invalid,
            Self::IdentityExists { .. } | Self::PolicyRunning(_) => Kind::Conflict,
            Self::QuotaExceeded { .. } | Self::TooManyPolicies(_) => Kind::QuotaExceeded,
            Self::Unauthenticated => Kind::Unauthenticated,
            Self::Forbidden(_) => Kind::Forbidden,
            Self::Unavailable { .. } => Kind::Unavailable,
            Self::Internal(_) => Kind::Internal,
        }
    }
}

impl From<strongroom_catalog::Error> for Error {
    fn from(error: strongroom_catalog::Error) -> Self {
        match error {
            strongroom_catalog::Error::MarkerNotFound(id) => Self::MarkerNotFound(id),
            error if error.is_transient() => {
                Self::Unavailable { what: "the catalogue", source: Box::new(error) }
            }
            error => Self::Internal(Box::new(error)),
        }
    }
}
