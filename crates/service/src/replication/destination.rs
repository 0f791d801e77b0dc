//! The end that is to have the copy: takes offers and tells how the copies stand.

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus, Origin};
use strongroom_model::checkpoint::Checkpoint;
use strongroom_model::id::{BackupId, CheckpointId, ReplicationId, UserId};
use strongroom_model::identity::Role;
use strongroom_model::job::JobKind;
use strongroom_model::operation::{Operation, OperationDetail, OperationFault, OperationKind};
use strongroom_model::replication::{
    ReplicaPart, Replication, ReplicationDetail, ReplicationSide, ReplicationStatus,
};
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::vault::{ObjectType, ProtectType, VAULT_SIZE_MAX, Vault, VaultStatus};

use super::serve::{as_peer, refused};
use super::source::{about_saved, ends, project_of};
use super::{CopyState, Offer, OfferedBackup, OfferedDisk, OfferedServer, PeerError, PeerRefusal};
use crate::backup::subject;
use crate::error::{Error, Result};
use crate::saved::{Saved, find_any};
use crate::vault::vault_used_bytes;
use crate::{Caller, CallerScope, Service};

/// Whether an offer was taken, or why not: a refusal is an answer here, not a failure.
type Taken<T> = std::result::Result<T, PeerError>;

/// What a copy says whose rows are gone.
const DELETED: &str = "the copy was deleted";

impl Service {
    /// Tells whether an offer by another region would be taken.
    pub async fn check_offer(&self, region: &str, offer: &Offer) -> Taken<()> {
        let checked = self
            .catalog()
            .read(|tx| Box::pin(async move { self.vault_for(tx, region, offer).await }))
            .await;
        checked.map_err(as_peer)?.map(|_| ())
    }

    /// Takes an offer by another region: makes the copy's rows and enqueues the work. An offer that
    /// was taken before changes nothing.
    pub async fn accept_offer(&self, region: &str, offer: &Offer) -> Taken<CopyState> {
        let accepted = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    if let Some(record) = self.offered_before(tx, region, offer.id).await? {
                        return Ok(Ok(self.state_of(tx, &record).await?));
                    }
                    let vault = match self.vault_for(tx, region, offer).await? {
                        Ok(vault) => vault,
                        Err(refusal) => return Ok(Err(refusal)),
                    };
                    let record = self.begin_copy(tx, &vault, offer).await?;
                    Ok::<_, Error>(Ok(self.state_of(tx, &record).await?))
                })
            })
            .await;
        self.nudge();
        accepted.map_err(as_peer)?
    }

    /// How a copy stands that another region offered.
    pub async fn copy_state(&self, region: &str, id: ReplicationId) -> Taken<CopyState> {
        let found = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    match self.offered_before(tx, region, id).await? {
                        Some(record) => Ok(Some(self.state_of(tx, &record).await?)),
                        None => Ok::<_, Error>(None),
                    }
                })
            })
            .await;
        found.map_err(as_peer)?.ok_or_else(|| refused(DELETED.to_owned()))
    }

    async fn offered_before(
        &self,
        tx: &mut Transaction<'_>,
        region: &str,
        id: ReplicationId,
    ) -> Result<Option<Replication>> {
        let found = tx.replications().find(id).await?;
        Ok(found.filter(|record| {
            record.side == ReplicationSide::Destination && record.source_region == region
        }))
    }

    /// The vault that an offer names, if it takes copies of such backups.
    async fn vault_for(
        &self,
        tx: &mut Transaction<'_>,
        region: &str,
        offer: &Offer,
    ) -> Result<Taken<Vault>> {
        let refuse = |reason, message: &str| {
            Ok(Err(PeerError::Refused { reason, message: message.to_owned() }))
        };
        if offer.source_region != region {
            return refuse(PeerRefusal::Other, "the offer names another region");
        }
        let project = project_of(&offer.destination_project_id);
        let vault = match &project {
            Some(project) => tx.vaults().find(project, offer.destination_vault_id).await?,
            None => None,
        };
        let Some(vault) = vault else {
            return refuse(PeerRefusal::VaultMissing, "the destination vault does not exist");
        };
        let wanted = match &offer.backup {
            OfferedBackup::Disk(_) => ObjectType::Disk,
            OfferedBackup::Server(_) => ObjectType::Server,
        };
        if vault.terms.protect_type != ProtectType::Replication || vault.terms.object_type != wanted
        {
            let message = "the destination vault takes no copies of such backups";
            return refuse(PeerRefusal::VaultUnfit, message);
        }
        if !matches!(vault.status, VaultStatus::Available | VaultStatus::Lock) {
            return refuse(PeerRefusal::VaultState, "the destination vault is not available");
        }
        let is_bounded = vault.size < VAULT_SIZE_MAX;
        if is_bounded && vault_used_bytes(tx, vault.id).await? >= vault.size.bytes() {
            return refuse(PeerRefusal::VaultFull, "the destination vault is full");
        }
        Ok(Ok(vault))
    }

    /// Makes the rows of a copy and enqueues the work.
    async fn begin_copy(
        &self,
        tx: &mut Transaction<'_>,
        vault: &Vault,
        offer: &Offer,
    ) -> Result<Replication> {
        let caller = self.receiver(vault);
        let checkpoint_id = self.copy_checkpoint(tx, &caller, vault, offer).await?;
        let saved = match &offer.backup {
            OfferedBackup::Disk(disk) => {
                let backup = self.copied_disk(&caller, vault, (offer, disk), (checkpoint_id, None));
                tx.backups().insert(&backup).await?;
                Saved::Disk(backup)
            }
            OfferedBackup::Server(server) => {
                let backup = self.copied_server(&caller, vault, (offer, server), checkpoint_id);
                tx.server_backups().insert(&backup).await?;
                Saved::Server(backup)
            }
        };
        let mut disks = Vec::new();
        match (&saved, &offer.backup) {
            (Saved::Disk(backup), _) => disks.push((offer.backup.id(), backup.clone())),
            (Saved::Server(server), offered) => {
                for disk in offered.disks() {
                    let place = (offer, disk);
                    let run = (checkpoint_id, Some(server.id));
                    let copy = self.copied_disk(&caller, vault, place, run);
                    tx.backups().insert(&copy).await?;
                    disks.push((disk.backup_id, copy));
                }
            }
        }
        let record = self.copy_record(vault, offer, (&saved, &disks));
        tx.replications().insert(&record).await?;
        for (_, copy) in &disks {
            let work = JobKind::ReceiveBackup { backup_id: copy.id, replication_id: record.id };
            self.enqueue_about(tx, &caller, work, subject(copy)).await?;
        }
        let place = (&record.project_id, Some(vault.id));
        let operation = self.new_operation(tx, &caller, OperationKind::Replication, place).await?;
        let name = match &saved {
            Saved::Disk(backup) => backup.name.clone().unwrap_or_default(),
            Saved::Server(backup) => backup.name.clone(),
        };
        let detail = OperationDetail {
            replication: Some(ends(&record, name)),
            ..OperationDetail::default()
        };
        let operation = Operation { detail, ..about_saved(operation, &saved) };
        tx.operations().insert(&operation).await?;
        Ok(record)
    }

    fn copy_record(
        &self,
        vault: &Vault,
        offer: &Offer,
        (saved, disks): (&Saved, &[(BackupId, Backup)]),
    ) -> Replication {
        let part = |(source, copy): &(BackupId, Backup)| ReplicaPart {
            source_backup_id: *source,
            destination_backup_id: Some(copy.id),
        };
        Replication {
            id: offer.id,
            side: ReplicationSide::Destination,
            project_id: vault.project_id.clone(),
            vault_id: vault.id,
            backup_id: saved.id(),
            status: ReplicationStatus::Replicating,
            source_region: offer.source_region.clone(),
            source_project_id: offer.source_project_id.clone(),
            source_vault_id: offer.source_vault_id,
            source_backup_id: offer.backup.id(),
            source_checkpoint_id: offer.source_checkpoint_id,
            destination_region: self.settings().region.clone(),
            destination_project_id: vault.project_id.to_string(),
            destination_vault_id: vault.id,
            destination_backup_id: Some(saved.id()),
            destination_checkpoint_id: Some(saved.checkpoint_id()),
            is_automatic: offer.is_automatic,
            progress: 0,
            message: None,
            detail: ReplicationDetail {
                parts: disks.iter().map(part).collect(),
                ..ReplicationDetail::default()
            },
            created_at: self.now(),
            updated_at: None,
        }
    }

    /// Whom copies belong to: the vault's owner, as a member of its project.
    fn receiver(&self, vault: &Vault) -> Caller {
        let nobody = || UserId::parse("replication").expect("these are letters");
        Caller {
            user_id: vault.user_id.clone().unwrap_or_else(nobody),
            scope: CallerScope::Project(vault.project_id.clone()),
            role: Some(Role::Member),
            is_cloud_admin: false,
            request_id: self.request_id(),
        }
    }

    /// The copies of one run's backups are one run here.
    async fn copy_checkpoint(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        vault: &Vault,
        offer: &Offer,
    ) -> Result<CheckpointId> {
        let before = tx.replications().of_checkpoint(vault.id, offer.source_checkpoint_id).await?;
        if let Some(id) = before.and_then(|record| record.destination_checkpoint_id) {
            return Ok(id);
        }
        let name = match &offer.backup {
            OfferedBackup::Disk(disk) => disk.name.clone().unwrap_or_default(),
            OfferedBackup::Server(server) => server.name.clone(),
        };
        let checkpoint = Checkpoint {
            id: CheckpointId(self.chance().uuid()),
            project_id: vault.project_id.clone(),
            user_id: caller.user_id.clone(),
            vault_id: vault.id,
            policy_id: None,
            name: offer.name.clone().unwrap_or(name),
            description: offer.description.clone().unwrap_or_default(),
            is_automatic: offer.is_automatic,
            retention_days: None,
            skipped: Vec::new(),
            created_at: self.now(),
        };
        tx.checkpoints().insert(&checkpoint).await?;
        Ok(checkpoint.id)
    }

    fn copied_disk(
        &self,
        caller: &Caller,
        vault: &Vault,
        (offer, disk): (&Offer, &OfferedDisk),
        (checkpoint_id, server_backup_id): (CheckpointId, Option<BackupId>),
    ) -> Backup {
        let (id, now) = (BackupId::random(self.chance()), self.now());
        let own = |own: &Option<String>| own.clone().filter(|_| server_backup_id.is_none());
        Backup {
            id,
            project_id: vault.project_id.clone(),
            user_id: caller.user_id.clone(),
            vault_id: vault.id,
            data_id: id,
            volume_id: disk.volume_id,
            snapshot_id: None,
            name: own(&offer.name).or_else(|| disk.name.clone()),
            description: own(&offer.description).or_else(|| disk.description.clone()),
            status: BackupStatus::Creating,
            fail_reason: None,
            size: disk.size,
            container: None,
            availability_zone: disk.availability_zone.clone(),
            is_incremental: disk.is_incremental,
            is_bootable: disk.is_bootable,
            metadata: disk.metadata.clone(),
            volume_metadata: disk.volume_metadata.clone(),
            progress: 0,
            measured: None,
            restore_volume_id: None,
            policy_id: None,
            expires_at: None,
            wants_full: false,
            origin: Origin {
                checkpoint_id: Some(checkpoint_id),
                server_backup_id,
                is_automatic: offer.is_automatic,
                is_replica: true,
                volume_name: disk.volume_name.clone(),
            },
            created_at: now,
            updated_at: None,
            data_timestamp: disk.data_timestamp,
        }
    }

    fn copied_server(
        &self,
        caller: &Caller,
        vault: &Vault,
        (offer, server): (&Offer, &OfferedServer),
        checkpoint_id: CheckpointId,
    ) -> ServerBackup {
        ServerBackup {
            id: BackupId::random(self.chance()),
            project_id: vault.project_id.clone(),
            user_id: caller.user_id.clone(),
            vault_id: vault.id,
            checkpoint_id,
            server_id: server.server_id,
            server_name: server.server_name.clone(),
            name: offer.name.clone().unwrap_or_else(|| server.name.clone()),
            description: offer.description.clone().or_else(|| server.description.clone()),
            status: BackupStatus::Creating,
            fail_reason: None,
            size: server.size,
            availability_zone: server.availability_zone.clone(),
            architecture: server.architecture.clone(),
            has_system_disk: server.has_system_disk,
            is_incremental: server.is_incremental,
            is_automatic: offer.is_automatic,
            is_replica: true,
            wants_full: false,
            policy_id: None,
            expires_at: None,
            documents: server.documents.clone(),
            restore_server_id: None,
            created_at: self.now(),
            updated_at: None,
            protected_at: server.protected_at,
        }
    }

    /// How a copy stands, by its rows.
    async fn state_of(&self, tx: &mut Transaction<'_>, record: &Replication) -> Result<CopyState> {
        let none = || CheckpointId::alone(record.backup_id);
        let mut state = CopyState {
            status: record.status,
            progress: record.progress,
            message: record.message.clone(),
            destination_backup_id: record.backup_id,
            destination_checkpoint_id: record.destination_checkpoint_id.unwrap_or_else(none),
        };
        if record.status == ReplicationStatus::Fail {
            return Ok(state);
        }
        if find_any(tx, record.backup_id).await?.is_none() {
            state.status = ReplicationStatus::Fail;
            state.message = Some(DELETED.to_owned());
        } else if !record.status.is_ended() {
            state.progress = self.copy_progress(tx, record).await?;
        }
        Ok(state)
    }

    async fn copy_progress(&self, tx: &mut Transaction<'_>, record: &Replication) -> Result<u8> {
        let (mut done, mut all) = (0, 0);
        for part in &record.detail.parts {
            let Some(id) = part.destination_backup_id else { continue };
            let Some(backup) = tx.backups().find_any(id).await? else { continue };
            all += 100 * u64::from(backup.size.0.max(1));
            done += u64::from(backup.progress) * u64::from(backup.size.0.max(1));
        }
        Ok(u8::try_from(done * 100 / all.max(1)).unwrap_or(100).min(99))
    }

    /// Ends the record of a copy when its last part has ended, in the transaction that ended it.
    pub(crate) async fn settle_copy(&self, tx: &mut Transaction<'_>, part: &Backup) -> Result<()> {
        if !part.origin.is_replica {
            return Ok(());
        }
        let whole = part.origin.server_backup_id.unwrap_or(part.id);
        let Some(mut record) = tx.replications().of_copy(whole).await? else { return Ok(()) };
        if record.status.is_ended() {
            return Ok(());
        }
        let mut failure = None;
        for part in &record.detail.parts {
            let found = match part.destination_backup_id {
                Some(id) => tx.backups().find_any(id).await?,
                None => None,
            };
            match found {
                Some(backup) if backup.status == BackupStatus::Creating => return Ok(()),
                Some(backup) if backup.status == BackupStatus::Available => {}
                Some(backup) => {
                    failure = Some(backup.fail_reason.unwrap_or_else(|| DELETED.to_owned()));
                }
                None => failure = Some(DELETED.to_owned()),
            }
        }
        record.progress = if failure.is_none() { 100 } else { record.progress };
        record.status = match failure {
            None => ReplicationStatus::Success,
            Some(_) => ReplicationStatus::Fail,
        };
        record.updated_at = Some(self.now());
        record.message.clone_from(&failure);
        tx.replications().update(&record).await?;
        if let Some(mut server) = tx.server_backups().find_any(whole).await?
            && server.status == BackupStatus::Creating
        {
            let is_whole = failure.is_none();
            server.status = if is_whole { BackupStatus::Available } else { BackupStatus::Error };
            server.fail_reason.clone_from(&failure);
            server.updated_at = Some(self.now());
            tx.server_backups().update(&server).await?;
        }
        for operation in tx.operations().running_of(whole).await? {
            let end = match &failure {
                None => Ok(()),
                Some(reason) => Err((OperationFault::ReplicationFailed, reason.as_str())),
            };
            tx.operations().end_one(operation.id, self.now(), end).await?;
        }
        Ok(())
    }

    /// The backup in the offering region of which `parent` is the copy, to be built on.
    pub(crate) async fn source_of_copy(
        &self,
        tx: &mut Transaction<'_>,
        region: &str,
        parent: &Backup,
    ) -> Result<Option<BackupId>> {
        let whole = parent.origin.server_backup_id.unwrap_or(parent.id);
        let record = tx.replications().of_copy(whole).await?;
        let record = record.filter(|record| {
            record.source_region == region && record.status == ReplicationStatus::Success
        });
        let parts = record.map(|record| record.detail.parts).unwrap_or_default();
        let part = parts.iter().find(|part| part.destination_backup_id == Some(parent.id));
        Ok(part.map(|part| part.source_backup_id))
    }
}
