//! The end that has the backup: starts replications and follows them.

use std::sync::Arc;

use strongroom_catalog::Transaction;
use strongroom_model::backup::BackupStatus;
use strongroom_model::id::{BackupId, OperationId, ProjectId, ReplicationId, VaultId};
use strongroom_model::identity::Role;
use strongroom_model::job::{JobKind, Subject};
use strongroom_model::operation::{Operation, OperationDetail, OperationKind, ReplicationEnds};
use strongroom_model::policy::{self, Policy};
use strongroom_model::replication::{
    ReplicaPart, Replication, ReplicationDetail, ReplicationSide, ReplicationStatus,
};
use strongroom_model::vault::{ProtectType, Vault, VaultStatus};

use super::{Offer, OfferedBackup, OfferedDisk, OfferedServer, Peer, PeerError, PeerRefusal};
use crate::error::{Error, Result};
use crate::saved::Saved;
use crate::{Caller, Refusal, Service};

/// Where copies are to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The region.
    pub region: String,
    /// The project there.
    pub project_id: String,
    /// The vault there.
    pub vault_id: VaultId,
    /// A name for the copy other than the backup's.
    pub name: Option<String>,
    /// A description for the copy other than the backup's.
    pub description: Option<String>,
}

/// A replication that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedReplication {
    /// The backup.
    pub backup_id: BackupId,
    /// The vault that keeps it.
    pub vault: Vault,
    /// The replication.
    pub replication_id: ReplicationId,
}

impl Service {
    /// Begins to copy a backup of a disk or of a server to another region.
    ///
    /// # Errors
    /// [`Refusal::RegionUnknown`], [`Refusal::DestinationMissing`] and its like after asking that
    /// region; [`Refusal::ReplicaExists`]; [`Refusal::NotReplicable`] for a backup that is not
    /// available or belongs to a server's; [`Error::Unavailable`] if the region cannot be reached.
    pub async fn replicate_backup(
        &self,
        caller: &Caller,
        id: &str,
        to: &Destination,
    ) -> Result<StartedReplication> {
        let project = caller.project(Role::Member, "backup:replicate")?;
        let peer = self.peer(&to.region)?;
        let (saved, offer) = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    let saved = self.find_saved(tx, project, id).await?;
                    check_saved(&saved)?;
                    let offer = self.draft_offer(tx, &saved, to).await?;
                    Ok::<_, Error>((saved, offer))
                })
            })
            .await?;
        self.forget_deleted_copy(&peer, saved.id(), &to.region).await?;
        peer.check(offer).await.map_err(told)?;
        let started = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let saved = self.find_saved(tx, project, id).await?;
                    self.begin_replication(tx, caller, &saved, (to, false)).await
                })
            })
            .await?;
        self.nudge();
        Ok(started)
    }

    /// Begins to copy every available backup of a vault to another region that has no copy there.
    ///
    /// # Errors
    /// As [`Service::replicate_backup`]; [`Refusal::NotReplicable`] if there is nothing to copy.
    pub async fn replicate_whole_vault(
        &self,
        caller: &Caller,
        vault: &str,
        to: &Destination,
        is_automatic: bool,
    ) -> Result<(Vault, Vec<StartedReplication>)> {
        let project = caller.project(Role::Member, "backup:replicate")?;
        let peer = self.peer(&to.region)?;
        let (vault, offer) = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    let vault = self.find_vault(tx, project, vault).await?;
                    let offer = match self.uncopied(tx, &vault, &to.region).await?.first() {
                        Some(saved) => Some(self.draft_offer(tx, saved, to).await?),
                        None => None,
                    };
                    Ok::<_, Error>((vault, offer))
                })
            })
            .await?;
        let Some(offer) = offer else {
            return Err(Refusal::NotReplicable.because("the vault has no backup left to copy"));
        };
        peer.check(offer).await.map_err(told)?;
        let vault = &vault;
        let started = self
            .catalog()
            .transact(|tx| {
                Box::pin(
                    async move { self.begin_copies(tx, caller, vault, (to, is_automatic)).await },
                )
            })
            .await?;
        self.nudge();
        Ok((vault.clone(), started))
    }

    /// Begins to copy what a vault holds and the destination has not, on behalf of a policy, without
    /// asking the other region first: what stands in the way there becomes the failure of each
    /// replication. The workers are still to be nudged.
    pub(crate) async fn begin_vault_replication(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        vault: &Vault,
        (_policy, destination, vault_id): (&Policy, &policy::Destination, Option<VaultId>),
    ) -> Result<()> {
        let message = "the policy is bound without a vault to copy to";
        let vault_id = vault_id.ok_or_else(|| Refusal::DestinationMissing.because(message))?;
        let to = Destination {
            region: destination.region.clone(),
            project_id: destination.project_id.clone(),
            vault_id,
            name: None,
            description: None,
        };
        self.begin_copies(tx, caller, vault, (&to, true)).await?;
        Ok(())
    }

    async fn begin_copies(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        vault: &Vault,
        (to, is_automatic): (&Destination, bool),
    ) -> Result<Vec<StartedReplication>> {
        self.peer(&to.region)?;
        check_vault(vault)?;
        let mut started = Vec::new();
        for saved in self.uncopied(tx, vault, &to.region).await? {
            started.push(self.begin_replication(tx, caller, &saved, (to, is_automatic)).await?);
        }
        Ok(started)
    }

    /// The available backups of a vault of which that region has no copy and gets none, oldest first.
    async fn uncopied(
        &self,
        tx: &mut Transaction<'_>,
        vault: &Vault,
        region: &str,
    ) -> Result<Vec<Saved>> {
        let disks = tx.backups().of_vault(vault.id).await?.into_iter().map(Saved::Disk);
        let servers = tx.server_backups().of_vault(vault.id).await?.into_iter().map(Saved::Server);
        let mut found = Vec::new();
        for saved in disks.chain(servers) {
            if check_saved(&saved).is_ok() && !self.is_copied(tx, saved.id(), region).await? {
                found.push(saved);
            }
        }
        found.sort_by_key(|saved| (created_at(saved), saved.id()));
        Ok(found)
    }

    async fn is_copied(
        &self,
        tx: &mut Transaction<'_>,
        id: BackupId,
        region: &str,
    ) -> Result<bool> {
        let records = tx.replications().of_backup(id).await?;
        Ok(records.iter().any(|record| {
            record.side == ReplicationSide::Source
                && record.destination_region == region
                && record.status != ReplicationStatus::Fail
        }))
    }

    async fn begin_replication(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        saved: &Saved,
        (to, is_automatic): (&Destination, bool),
    ) -> Result<StartedReplication> {
        check_saved(saved)?;
        let missing = || Error::VaultNotFound(saved.vault_id().to_string());
        let vault = tx.vaults().find_any(saved.vault_id()).await?.ok_or_else(missing)?;
        check_vault(&vault)?;
        if self.is_copied(tx, saved.id(), &to.region).await? {
            let message = format!("the backup has a copy in {}, or gets one", to.region);
            return Err(Refusal::ReplicaExists.because(message));
        }
        let parts = self.parts_of(tx, saved).await?;
        let record = Replication {
            id: ReplicationId(self.chance().uuid()),
            side: ReplicationSide::Source,
            project_id: saved.project_id().clone(),
            vault_id: vault.id,
            backup_id: saved.id(),
            status: ReplicationStatus::Waiting,
            source_region: self.settings().region.clone(),
            source_project_id: saved.project_id().to_string(),
            source_vault_id: vault.id,
            source_backup_id: saved.id(),
            source_checkpoint_id: saved.checkpoint_id(),
            destination_region: to.region.clone(),
            destination_project_id: to.project_id.clone(),
            destination_vault_id: to.vault_id,
            destination_backup_id: None,
            destination_checkpoint_id: None,
            is_automatic,
            progress: 0,
            message: None,
            detail: ReplicationDetail {
                parts,
                copy_name: to.name.clone(),
                copy_description: to.description.clone(),
            },
            created_at: self.now(),
            updated_at: None,
        };
        tx.replications().insert(&record).await?;
        let work = JobKind::ReplicateBackup { replication_id: record.id };
        let about = Subject {
            project_id: Some(record.project_id.clone()),
            backup_id: Some(saved.id()),
            backup_name: name_of(saved),
            ..Subject::default()
        };
        let job_id = self.enqueue_about(tx, caller, work, about).await?;
        let place = (&record.project_id, Some(vault.id));
        let operation = self.new_operation(tx, caller, OperationKind::Replication, place).await?;
        let operation = Operation {
            id: OperationId(job_id.0),
            job_id: Some(job_id),
            detail: OperationDetail {
                replication: Some(ends(&record, name_of(saved).unwrap_or_default())),
                ..OperationDetail::default()
            },
            ..about_saved(operation, saved)
        };
        tx.operations().insert(&operation).await?;
        Ok(StartedReplication { backup_id: saved.id(), vault, replication_id: record.id })
    }

    /// A copy that was deleted over there may be made again.
    async fn forget_deleted_copy(
        &self,
        peer: &Arc<dyn Peer>,
        id: BackupId,
        region: &str,
    ) -> Result<()> {
        let records = self
            .catalog()
            .read(|tx| {
                Box::pin(async move { Ok::<_, Error>(tx.replications().of_backup(id).await?) })
            })
            .await?;
        let done = records.into_iter().find(|record| {
            record.side == ReplicationSide::Source
                && record.destination_region == region
                && record.status == ReplicationStatus::Success
        });
        let Some(mut record) = done else { return Ok(()) };
        match peer.state(record.id).await {
            Ok(state) if state.status == ReplicationStatus::Fail => {}
            Err(PeerError::Refused { reason: PeerRefusal::CopyMissing, .. }) => {}
            _ => return Ok(()),
        }
        record.status = ReplicationStatus::Fail;
        record.message = Some("the copy was deleted".to_owned());
        record.updated_at = Some(self.now());
        let record = &record;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    tx.replications().update(record).await?;
                    Ok(())
                })
            })
            .await
    }

    /// The way to a region that is not this one.
    pub(crate) fn peer(&self, region: &str) -> Result<Arc<dyn Peer>> {
        let unknown = |message: String| Refusal::RegionUnknown.because(message);
        if region == self.settings().region {
            return Err(unknown("backups are copied to another region".to_owned()));
        }
        let found = self.peers().and_then(|peers| peers.get(region)).cloned();
        found.ok_or_else(|| unknown(format!("region {region} takes no copies from here")))
    }

    /// The regions that copies can go to.
    pub fn replication_regions(&self) -> Vec<String> {
        self.peers().map(super::Peers::regions).unwrap_or_default()
    }

    async fn parts_of(&self, tx: &mut Transaction<'_>, saved: &Saved) -> Result<Vec<ReplicaPart>> {
        let disks = match saved {
            Saved::Disk(backup) => vec![backup.clone()],
            Saved::Server(backup) => tx.backups().of_server_backup(backup.id).await?,
        };
        if disks.is_empty() || disks.iter().any(|disk| disk.status != BackupStatus::Available) {
            let message = "only a backup whose disks are all available can be copied";
            return Err(Refusal::NotReplicable.because(message));
        }
        let part = |id| ReplicaPart { source_backup_id: id, destination_backup_id: None };
        Ok(disks.iter().map(|disk| part(disk.id)).collect())
    }

    /// An offer of a backup under an id of no meaning, to be checked.
    async fn draft_offer(
        &self,
        tx: &mut Transaction<'_>,
        saved: &Saved,
        to: &Destination,
    ) -> Result<Offer> {
        Ok(Offer {
            id: ReplicationId(self.chance().uuid()),
            source_region: self.settings().region.clone(),
            source_project_id: saved.project_id().to_string(),
            source_vault_id: saved.vault_id(),
            source_checkpoint_id: saved.checkpoint_id(),
            destination_project_id: to.project_id.clone(),
            destination_vault_id: to.vault_id,
            name: to.name.clone(),
            description: to.description.clone(),
            is_automatic: false,
            backup: self.offered_backup(tx, saved).await?,
        })
    }

    async fn offered_backup(
        &self,
        tx: &mut Transaction<'_>,
        saved: &Saved,
    ) -> Result<OfferedBackup> {
        Ok(match saved {
            Saved::Disk(backup) => OfferedBackup::Disk(OfferedDisk::of(backup)),
            Saved::Server(backup) => {
                let disks = tx.backups().of_server_backup(backup.id).await?;
                OfferedBackup::Server(OfferedServer::of(backup, &disks))
            }
        })
    }

    /// The offer of a replication that was begun; none if its backup is gone.
    pub(crate) async fn offer_of(
        &self,
        tx: &mut Transaction<'_>,
        record: &Replication,
    ) -> Result<Option<Offer>> {
        let found = crate::saved::find_any(tx, record.backup_id).await?;
        let is_whole = |saved: &Saved| {
            matches!(saved.status(), BackupStatus::Available | BackupStatus::Restoring)
        };
        let Some(saved) = found.filter(is_whole) else { return Ok(None) };
        let to = Destination {
            region: record.destination_region.clone(),
            project_id: record.destination_project_id.clone(),
            vault_id: record.destination_vault_id,
            name: record.detail.copy_name.clone(),
            description: record.detail.copy_description.clone(),
        };
        let draft = self.draft_offer(tx, &saved, &to).await?;
        let disks = draft.backup.disks().iter().map(|disk| disk.backup_id);
        let parts = record.detail.parts.iter().map(|part| part.source_backup_id);
        if !disks.eq(parts) {
            return Ok(None);
        }
        Ok(Some(Offer { id: record.id, is_automatic: record.is_automatic, ..draft }))
    }
}

/// What the log says of both ends.
pub(super) fn ends(record: &Replication, name: String) -> ReplicationEnds {
    ReplicationEnds {
        source_region: record.source_region.clone(),
        source_project_id: record.source_project_id.clone(),
        source_checkpoint_id: record.source_checkpoint_id,
        source_backup_id: record.source_backup_id,
        destination_backup_name: record.detail.copy_name.clone().unwrap_or_else(|| name.clone()),
        source_backup_name: name,
        destination_region: record.destination_region.clone(),
        destination_project_id: record.destination_project_id.clone(),
        destination_vault_id: record.destination_vault_id,
        destination_checkpoint_id: record.destination_checkpoint_id,
        destination_backup_id: record.destination_backup_id,
    }
}

/// An operation on a backup, of a disk or of a server.
pub(super) fn about_saved(operation: Operation, saved: &Saved) -> Operation {
    let (id, kind) = saved.resource();
    let name = match saved {
        Saved::Disk(backup) => backup.origin.volume_name.clone().unwrap_or_default(),
        Saved::Server(backup) => backup.server_name.clone(),
    };
    Operation {
        checkpoint_id: Some(saved.checkpoint_id()),
        resource: Some((id, kind, name)),
        backup_id: Some(saved.id()),
        backup_name: name_of(saved),
        ..operation
    }
}

fn name_of(saved: &Saved) -> Option<String> {
    match saved {
        Saved::Disk(backup) => backup.name.clone(),
        Saved::Server(backup) => Some(backup.name.clone()),
    }
}

const fn created_at(saved: &Saved) -> strongroom_model::time::Timestamp {
    match saved {
        Saved::Disk(backup) => backup.created_at,
        Saved::Server(backup) => backup.created_at,
    }
}

fn check_saved(saved: &Saved) -> Result<()> {
    if saved.parent_id().is_some() {
        let message = "the backup of a server's disk is copied with that of the server";
        return Err(Refusal::NotReplicable.because(message));
    }
    if saved.status() != BackupStatus::Available {
        let message = format!("a backup that is {} cannot be copied", saved.status().as_str());
        return Err(Refusal::NotReplicable.because(message));
    }
    Ok(())
}

fn check_vault(vault: &Vault) -> Result<()> {
    if vault.terms.protect_type != ProtectType::Backup {
        let message = "backups of a vault that holds copies are not copied on";
        return Err(Refusal::VaultNotReplicable.because(message));
    }
    if !matches!(vault.status, VaultStatus::Available | VaultStatus::Lock) {
        let message = format!("the vault is {}", vault.status.as_str());
        return Err(Refusal::VaultState.because(message));
    }
    Ok(())
}

/// What the other region said, as this one's error.
fn told(error: PeerError) -> Error {
    match error {
        PeerError::Unreachable { .. } => {
            Error::Unavailable { what: "the other region", source: error.into() }
        }
        PeerError::Refused { reason, message } => {
            let reason = match reason {
                PeerRefusal::VaultMissing => Refusal::DestinationMissing,
                PeerRefusal::VaultFull => Refusal::DestinationFull,
                PeerRefusal::VaultUnfit
                | PeerRefusal::VaultState
                | PeerRefusal::CopyMissing
                | PeerRefusal::Other => Refusal::DestinationUnfit,
            };
            reason.because(message)
        }
    }
}

/// The project of a record that was made here.
pub(super) fn project_of(text: &str) -> Option<ProjectId> {
    ProjectId::parse(text).ok()
}
