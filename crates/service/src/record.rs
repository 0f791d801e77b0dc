//! Records of backups, by which a backup is adopted where its bytes are: export and import.

use strongroom_model::backup::{Backup, BackupStatus, Origin};
use strongroom_model::id::{BackupId, ProjectId, VaultId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::job::JobKind;
use strongroom_model::quota::Resource;
use strongroom_model::size::GiB;
use strongroom_model::volume::Metadata;

use crate::error::{Error, Result};
use crate::{Caller, Service};

/// A record of a backup that was exported, here or elsewhere over the same store.
#[derive(Debug, Clone)]
pub struct ImportedRecord {
    /// The id that the backup shall have.
    pub id: BackupId,
    /// The backup in the store that holds the bytes.
    pub data_id: BackupId,
    /// The volume it was made of; nil if unknown.
    pub volume_id: VolumeId,
    /// Size of that volume.
    pub size: GiB,
    /// Its name.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Echoed.
    pub container: Option<String>,
    /// Zone to note.
    pub availability_zone: Option<String>,
    /// The user's key-value pairs.
    pub metadata: Metadata,
}

impl Service {
    /// The backup whose record is to be exported (admin); it must be available.
    pub async fn export_backup(&self, caller: &Caller, id: &str) -> Result<Backup> {
        let project = caller.project(Role::Admin, "backup:export-import")?;
        let backup = self
            .catalog()
            .read(|tx| Box::pin(async move { self.find_backup(tx, caller, project, id).await }))
            .await?;
        match backup.status {
            BackupStatus::Available => Ok(backup),
            other => Err(Error::BackupNotExportable(other)),
        }
    }

    /// Adopts a record (admin): `creating` until its bytes were found in the store.
    pub async fn import_backup(&self, caller: &Caller, record: ImportedRecord) -> Result<Backup> {
        let project = caller.project(Role::Admin, "backup:backup-import")?;
        let record = &record;
        let backup = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    if tx.backups().find_any(record.id).await?.is_some() {
                        return Err(Error::BackupExists(record.id.to_string()));
                    }
                    if tx.backups().is_being_deleted(record.data_id).await? {
                        return Err(Error::BackupNotFound(record.data_id.to_string()));
                    }
                    let asked = [
                        (Resource::Backups, 1),
                        (Resource::BackupGigabytes, i64::from(record.size.0)),
                    ];
                    self.check_quota(tx, project, &asked).await?;
                    let vault = self.default_vault(tx, project).await?;
                    let backup = self.imported_row(caller, project, record, vault.id);
                    tx.backups().insert(&backup).await?;
                    self.enqueue(tx, caller, JobKind::ImportBackup { backup_id: backup.id })
                        .await?;
                    Ok(backup)
                })
            })
            .await?;
        self.nudge();
        Ok(backup)
    }

    fn imported_row(
        &self,
        caller: &Caller,
        project: &ProjectId,
        record: &ImportedRecord,
        vault_id: VaultId,
    ) -> Backup {
        let now = self.now();
        Backup {
            id: record.id,
            project_id: project.clone(),
            user_id: caller.user_id.clone(),
            vault_id,
            data_id: record.data_id,
            volume_id: record.volume_id,
            snapshot_id: None,
            name: record.name.clone(),
            description: record.description.clone(),
            status: BackupStatus::Creating,
            fail_reason: None,
            size: record.size,
            container: record.container.clone(),
            availability_zone: record.availability_zone.clone(),
            is_incremental: false,
            is_bootable: false,
            metadata: record.metadata.clone(),
            volume_metadata: Metadata::new(),
            progress: 0,
            measured: None,
            restore_volume_id: None,
            policy_id: None,
            expires_at: None,
            wants_full: false,
            origin: Origin::default(),
            created_at: now,
            updated_at: None,
            data_timestamp: now,
        }
    }
}
