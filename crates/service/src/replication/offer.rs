//! What the region that has a backup tells the one that is to have its copy.

use serde::{Deserialize, Serialize};
use strongroom_model::backup::Backup;
use strongroom_model::id::{BackupId, CheckpointId, ReplicationId, ServerId, VaultId, VolumeId};
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::size::GiB;
use strongroom_model::time::Timestamp;
use strongroom_model::volume::Metadata;

/// A backup of a disk that is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedDisk {
    /// The backup.
    pub backup_id: BackupId,
    /// The disk it was made of.
    pub volume_id: VolumeId,
    /// The disk's name at that time.
    pub volume_name: Option<String>,
    /// The backup's name.
    pub name: Option<String>,
    /// The backup's description.
    pub description: Option<String>,
    /// The size of the disk.
    pub size: GiB,
    /// The zone of the backup.
    pub availability_zone: Option<String>,
    /// Whether the disk was bootable.
    pub is_bootable: bool,
    /// Whether an earlier backup of the disk was built on.
    pub is_incremental: bool,
    /// The backup's key-value pairs.
    pub metadata: Metadata,
    /// The disk's key-value pairs.
    pub volume_metadata: Metadata,
    /// The instant whose bytes it holds.
    pub data_timestamp: Timestamp,
}

impl OfferedDisk {
    /// What is told of a backup.
    pub fn of(backup: &Backup) -> Self {
        Self {
            backup_id: backup.id,
            volume_id: backup.volume_id,
            volume_name: backup.origin.volume_name.clone(),
            name: backup.name.clone(),
            description: backup.description.clone(),
            size: backup.size,
            availability_zone: backup.availability_zone.clone(),
            is_bootable: backup.is_bootable,
            is_incremental: backup.is_incremental,
            metadata: backup.metadata.clone(),
            volume_metadata: backup.volume_metadata.clone(),
            data_timestamp: backup.data_timestamp,
        }
    }
}

/// A backup of a server that is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedServer {
    /// The backup.
    pub backup_id: BackupId,
    /// The server.
    pub server_id: ServerId,
    /// The server's name at that time.
    pub server_name: String,
    /// The backup's name.
    pub name: String,
    /// The backup's description.
    pub description: Option<String>,
    /// The size of all disks.
    pub size: GiB,
    /// The zone of the server.
    pub availability_zone: Option<String>,
    /// The architecture of the server.
    pub architecture: Option<String>,
    /// Whether the system disk is among the disks.
    pub has_system_disk: bool,
    /// Whether earlier backups of the disks were built on.
    pub is_incremental: bool,
    /// The documents of the server, as JSON.
    pub documents: Option<String>,
    /// When the disks were frozen.
    pub protected_at: Option<Timestamp>,
    /// The disks.
    pub disks: Vec<OfferedDisk>,
}

impl OfferedServer {
    /// What is told of a backup and its disks' backups.
    pub fn of(backup: &ServerBackup, disks: &[Backup]) -> Self {
        Self {
            backup_id: backup.id,
            server_id: backup.server_id,
            server_name: backup.server_name.clone(),
            name: backup.name.clone(),
            description: backup.description.clone(),
            size: backup.size,
            availability_zone: backup.availability_zone.clone(),
            architecture: backup.architecture.clone(),
            has_system_disk: backup.has_system_disk,
            is_incremental: backup.is_incremental,
            documents: backup.documents.clone(),
            protected_at: backup.protected_at,
            disks: disks.iter().map(OfferedDisk::of).collect(),
        }
    }
}

/// A backup that is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferedBackup {
    /// Of a disk.
    Disk(OfferedDisk),
    /// Of a server.
    Server(OfferedServer),
}

impl OfferedBackup {
    /// The backup's id.
    pub const fn id(&self) -> BackupId {
        match self {
            Self::Disk(disk) => disk.backup_id,
            Self::Server(server) => server.backup_id,
        }
    }

    /// The disks whose bytes are to be copied.
    pub fn disks(&self) -> &[OfferedDisk] {
        match self {
            Self::Disk(disk) => std::slice::from_ref(disk),
            Self::Server(server) => &server.disks,
        }
    }
}

/// One backup and where its copy is to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The replication.
    pub id: ReplicationId,
    /// The region that has the backup.
    pub source_region: String,
    /// The project that owns the backup.
    pub source_project_id: String,
    /// The vault that keeps the backup.
    pub source_vault_id: VaultId,
    /// The run that made the backup.
    pub source_checkpoint_id: CheckpointId,
    /// The project that is to own the copy.
    pub destination_project_id: String,
    /// The vault that is to keep the copy.
    pub destination_vault_id: VaultId,
    /// A name for the copy other than the backup's.
    pub name: Option<String>,
    /// A description for the copy other than the backup's.
    pub description: Option<String>,
    /// Whether a policy caused it.
    pub is_automatic: bool,
    /// The backup.
    pub backup: OfferedBackup,
}
