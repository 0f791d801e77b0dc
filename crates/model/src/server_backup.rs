//! Backups of servers: all disks at one point, and the documents of that day.

use crate::backup::BackupStatus;
use crate::id::{BackupId, CheckpointId, PolicyId, ProjectId, ServerId, UserId, VaultId};
use crate::size::GiB;
use crate::time::Timestamp;

/// One saved point of a server. The bytes are its children's: the backups of its disks, which name
/// it in their [`Origin`](crate::backup::Origin).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerBackup {
    /// Its id.
    pub id: BackupId,
    /// The project that owns it.
    pub project_id: ProjectId,
    /// The user who asked for it.
    pub user_id: UserId,
    /// The vault that keeps it.
    pub vault_id: VaultId,
    /// The run that made it.
    pub checkpoint_id: CheckpointId,
    /// The server; kept when it is gone.
    pub server_id: ServerId,
    /// The server's name when it was backed up.
    pub server_name: String,
    /// Its name, not unique.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Its state: `creating` until every disk is stored, `available` if all are.
    pub status: BackupStatus,
    /// Why the last work on it failed, or what is to be known about it.
    pub fail_reason: Option<String>,
    /// Size of its disks together.
    pub size: GiB,
    /// The zone of the server.
    pub availability_zone: Option<String>,
    /// The architecture of the server, as in `x86_64`.
    pub architecture: Option<String>,
    /// Whether the system disk is among its disks.
    pub has_system_disk: bool,
    /// Whether earlier backups of its disks stood ready to build on.
    pub is_incremental: bool,
    /// Whether a schedule made it, so that retention applies.
    pub is_automatic: bool,
    /// Whether it is a copy of another region's backup.
    pub is_replica: bool,
    /// Whether it was asked for as a full backup.
    pub wants_full: bool,
    /// The policy that made it, which may be gone.
    pub policy_id: Option<PolicyId>,
    /// When it is removed by its date.
    pub expires_at: Option<Timestamp>,
    /// The documents of the server and its disks at that time, as JSON; none until they are taken.
    pub documents: Option<String>,
    /// The server that it is being restored onto.
    pub restore_server_id: Option<ServerId>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// The instant at which its disks were frozen.
    pub protected_at: Option<Timestamp>,
}
