//! Operations: what was done to protect, move or remove data, kept for whoever asks how it ended.

use serde::{Deserialize, Serialize};

use crate::id::{BackupId, CheckpointId, JobId, OperationId, PolicyId, ProjectId, VaultId};
use crate::resource::{ResourceId, ResourceKind};
use crate::time::Timestamp;
use crate::vault::{ObjectType, words};

words! {
    /// What was done.
    OperationKind {
        /// A resource was backed up.
        Backup = "backup",
        /// A backup was copied to another region, or from one.
        Replication = "replication",
        /// A backup was read back.
        Restore = "restore",
        /// A backup was removed.
        Delete = "delete",
        /// Backups of another site were brought in.
        Sync = "sync",
        /// A vault was removed with its backups.
        VaultDelete = "vault_delete",
        /// Resources were removed from a vault with their backups.
        RemoveResource = "remove_resource",
        /// The dates of a vault's backups were set.
        UpdateExpirationTime = "update_expiration_time",
    }
}

words! {
    /// Where an operation stands.
    OperationStatus {
        /// It waits for its turn.
        Waiting = "waiting",
        /// It goes on.
        Running = "running",
        /// It did what it was to do.
        Success = "success",
        /// It was not to be done.
        Skipped = "skipped",
        /// It did not.
        Failed = "failed",
        /// It took too long and was given up.
        Timeout = "timeout",
    }
}

words! {
    /// Why an operation failed or was skipped, in words that no dialect owns.
    OperationFault {
        /// The service was not running at the time, and a later run stands for this one.
        Missed = "missed",
        /// The resource does not exist any more.
        ResourceGone = "resource_gone",
        /// The resource is in a state in which it cannot be backed up or restored.
        ResourceState = "resource_state",
        /// An earlier backup of the resource is not finished.
        Unfinished = "unfinished",
        /// The resource is being restored.
        Restoring = "restoring",
        /// The number of backups would exceed the quota.
        CountQuota = "count_quota",
        /// The size of backups would exceed the quota.
        SizeQuota = "size_quota",
        /// The vault is full.
        VaultFull = "vault_full",
        /// The resource is being removed from the vault.
        Removing = "removing",
        /// The backup was begun and could not be made.
        BackupFailed = "backup_failed",
        /// The backup could not be read back.
        RestoreFailed = "restore_failed",
        /// The backup could not be removed.
        RemovalFailed = "removal_failed",
        /// The backup could not be copied.
        ReplicationFailed = "replication_failed",
        /// The backup's date has not come and the vault is locked.
        Locked = "locked",
    }
}

/// What is to be known about an operation besides what every operation has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OperationDetail {
    /// What a backup was restored onto: its id and its name.
    pub target: Option<(ResourceId, String)>,
    /// Whether the server that is restored onto is to be on afterwards.
    pub power_on: Option<bool>,
    /// How many things it was about.
    pub total: Option<u64>,
    /// How many of them it failed for.
    pub failed: Option<u64>,
    /// Resources that were removed: id, kind and name.
    pub resources: Vec<(ResourceId, ResourceKind, String)>,
    /// The day up to which backups are kept from now on, as `YYYY-MM-DD`.
    pub expiration_day: Option<String>,
    /// Both ends of a replication.
    pub replication: Option<ReplicationEnds>,
    /// Whether the vault wanted applications to be brought to rest for a backup.
    pub wants_application_consistency: Option<bool>,
}

/// Both ends of a replication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ReplicationEnds {
    pub source_region: String,
    pub source_project_id: String,
    pub source_checkpoint_id: CheckpointId,
    pub source_backup_id: BackupId,
    pub source_backup_name: String,
    pub destination_region: String,
    pub destination_project_id: String,
    pub destination_vault_id: VaultId,
    pub destination_checkpoint_id: Option<CheckpointId>,
    pub destination_backup_id: Option<BackupId>,
    pub destination_backup_name: String,
}

/// One operation and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id; that of its job, if one job does it.
    pub id: OperationId,
    /// What is done.
    pub kind: OperationKind,
    /// Where it stands.
    pub status: OperationStatus,
    /// The project that may ask.
    pub project_id: ProjectId,
    /// The vault.
    pub vault_id: Option<VaultId>,
    /// The vault's name at that time.
    pub vault_name: Option<String>,
    /// What kind of resources the vault protects.
    pub object_type: Option<ObjectType>,
    /// The run that it belongs to.
    pub checkpoint_id: Option<CheckpointId>,
    /// The policy that caused it.
    pub policy_id: Option<PolicyId>,
    /// The resource: id, kind and name.
    pub resource: Option<(ResourceId, ResourceKind, String)>,
    /// The backup that is made, read, copied or removed.
    pub backup_id: Option<BackupId>,
    /// The backup's name.
    pub backup_name: Option<String>,
    /// The job with which it ends; none if something else ends it.
    pub job_id: Option<JobId>,
    /// What else is to be known.
    pub detail: OperationDetail,
    /// Why it failed or was skipped.
    pub fault: Option<OperationFault>,
    /// The same as a sentence.
    pub message: Option<String>,
    /// Percent of its work that is done.
    pub progress: u8,
    /// The id of the request that caused it.
    pub request_id: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}
