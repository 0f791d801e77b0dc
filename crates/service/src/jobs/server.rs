//! Backing up a server: its disks are frozen at one point, then stored one by one.
//!
//! One job freezes; in the transaction that ends it, a job for each disk is enqueued, which reads
//! the frozen bytes and nothing else. If those are gone the disk's backup fails, and with it the
//! whole: disks of different points are never called one backup.

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::BackupId;
use strongroom_model::job::{Claim, JobKind};
use strongroom_model::operation::{OperationFault, OperationKind};
use strongroom_model::server::{Server, ServerStatus};
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::time::Timestamp;
use strongroom_model::volume::{Volume, VolumeStatus};
use tokio_util::sync::CancellationToken;

use super::backup::{Frozen, NOT_WANTED, TORN};
use super::failure::{Failure, Work};
use super::supervise::Watched;
use crate::backup::subject;
use crate::folder::{Part, Point};
use crate::servers::{Place, ServerDocuments};
use crate::{Caller, Error, Service};

/// What a server's backup says of itself if its disks may belong to different instants.
const TORN_SERVER: &str =
    "the disks were written to while they were frozen: they may not belong to one instant";

/// A server's backup that is to be frozen.
struct Order {
    backup: ServerBackup,
    /// The backups of its disks that are to be made, each with the disk.
    disks: Vec<(Backup, Volume)>,
}

/// What was frozen.
struct Taken {
    at: Timestamp,
    point: Point,
    documents: String,
}

impl Service {
    /// Freezes the disks of a server and takes its documents; then lets the disks be stored.
    pub(super) async fn freeze_server(
        &self,
        claim: &Claim,
        id: BackupId,
        stop: &CancellationToken,
    ) -> Work<()> {
        let Some(order) = self.freeze_order(id).await? else {
            return self.drop_server_backup(claim, id).await;
        };
        let Order { backup, disks } = &order;
        let server = self.project_server(&backup.project_id, backup.server_id).await?;
        let volumes: Vec<_> = disks.iter().map(|(_, volume)| volume.clone()).collect();
        let documents = ServerDocuments::of(&server, &volumes, &Place::default());
        let documents = serde_json::to_string(&documents)
            .map_err(|error| Failure::Permanent(error.to_string()))?;
        let at = self.now();
        let parts: Vec<_> = disks.iter().map(|disk| self.part(&server, disk)).collect();
        let folder = self.folder().clone();
        let point = self
            .supervise(Watched::alone(claim, stop), move || {
                folder.freeze(&parts).map_err(|error| {
                    Failure::Permanent(format!("cannot freeze the server's disks: {error}"))
                })
            })
            .await?;
        self.publish_freeze(claim, &order, &Taken { at, point, documents }).await
    }

    /// Reads what is to be frozen; `None` if it is not wanted any more.
    async fn freeze_order(&self, id: BackupId) -> Work<Option<Order>> {
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let found = tx.server_backups().find_any(id).await?;
                    let Some(backup) =
                        found.filter(|backup| backup.status == BackupStatus::Creating)
                    else {
                        return Ok(None);
                    };
                    let mut disks = Vec::new();
                    for child in tx.backups().of_server_backup(id).await? {
                        let gone =
                            || Failure::Permanent(format!("volume {} is gone", child.volume_id));
                        let volume = tx.volumes().find_any(child.volume_id).await?;
                        disks.push((child.clone(), volume.ok_or_else(gone)?));
                    }
                    Ok(Some(Order { backup, disks }))
                })
            })
            .await
    }

    /// How a disk is frozen. One that was available cannot be attached while it is backed up, and a
    /// server that is off writes nothing: together they spare the copy.
    fn part(&self, server: &Server, (child, volume): &(Backup, Volume)) -> Part {
        let was_available = volume.previous_status == Some(VolumeStatus::Available);
        Part {
            from: self.folder().volume(volume.id),
            to: self.folder().frozen(child.id),
            size_bytes: child.size.bytes(),
            is_at_rest: was_available && server.status == ServerStatus::Shutoff,
        }
    }

    async fn publish_freeze(&self, claim: &Claim, order: &Order, taken: &Taken) -> Work<()> {
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let found = tx.server_backups().find_any(order.backup.id).await?;
                    let Some(mut backup) =
                        found.filter(|backup| backup.status == BackupStatus::Creating)
                    else {
                        self.fail_server_backup(tx, order.backup.id, NOT_WANTED).await?;
                        return self.finish_as(tx, claim, Some(NOT_WANTED)).await;
                    };
                    backup.documents = Some(taken.documents.clone());
                    backup.protected_at = Some(taken.at);
                    backup.fail_reason = (!taken.point.is_one).then(|| TORN_SERVER.to_owned());
                    self.write_server_backup(tx, &mut backup).await?;
                    let caller = Caller {
                        request_id: claim.job.request_id.clone(),
                        ..self.caller_for(&backup.user_id, &backup.project_id)
                    };
                    for ((child, _), is_torn) in order.disks.iter().zip(&taken.point.are_torn) {
                        self.begin_disk_of_server(tx, &caller, child.id, (taken.at, *is_torn))
                            .await?;
                    }
                    self.finish(tx, claim).await
                })
            })
            .await
    }

    /// Lets a frozen disk be stored.
    async fn begin_disk_of_server(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        id: BackupId,
        (frozen_at, is_torn): (Timestamp, bool),
    ) -> crate::Result<()> {
        let Some(mut child) = tx.backups().find_any(id).await? else { return Ok(()) };
        child.data_timestamp = frozen_at;
        child.fail_reason = is_torn.then(|| TORN.to_owned());
        self.write_backup(tx, &mut child).await?;
        let kind = JobKind::CreateBackup { backup_id: id };
        self.enqueue_about(tx, caller, kind, subject(&child)).await?;
        Ok(())
    }

    /// The frozen bytes of a server's disk. They are not made anew: they would be of another point
    /// than those of the other disks.
    pub(super) async fn frozen_disk(&self, backup: &Backup) -> Work<Frozen> {
        let path = self.folder().frozen(backup.id);
        let file = path.clone();
        let names = self.on_folder(move |folder| folder.names_of(&file)).await?;
        let volume = self.volume_row(backup.volume_id).await?;
        let is_held = volume.is_some_and(|volume| volume.status == VolumeStatus::BackingUp);
        match names {
            0 => Err(Failure::Permanent("the frozen copy of the disk is gone".to_owned())),
            // Not copied: only as long as the volume is held does it stand still.
            2.. if !is_held => Err(Failure::Permanent(
                "the disk's status was set by hand before it was stored".to_owned(),
            )),
            _ => Ok(Frozen { path, is_torn: false }),
        }
    }

    /// The backup of a server was deleted or reset before its work began: only the disks are given
    /// back.
    async fn drop_server_backup(&self, claim: &Claim, id: BackupId) -> Work<()> {
        self.discard_frozen_of_server(id).await?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    self.fail_server_backup(tx, id, NOT_WANTED).await?;
                    self.finish_as(tx, claim, Some(NOT_WANTED)).await
                })
            })
            .await
    }

    /// Removes what an attempt at freezing left behind.
    pub(super) async fn discard_frozen_of_server(&self, id: BackupId) -> Work<()> {
        let children = self
            .catalog()
            .read(|tx| {
                Box::pin(async move { Ok::<_, Error>(tx.backups().of_server_backup(id).await?) })
            })
            .await?;
        for child in children {
            self.discard_frozen(child.id).await?;
        }
        Ok(())
    }

    /// Writes why a server could not be frozen, on the whole and on each disk.
    pub(super) async fn fail_server_backup(
        &self,
        tx: &mut Transaction<'_>,
        id: BackupId,
        reason: &str,
    ) -> crate::Result<()> {
        let Some(mut whole) = tx.server_backups().find_any(id).await? else { return Ok(()) };
        if whole.status == BackupStatus::Creating {
            self.end_server_backup(tx, &mut whole, Some(reason)).await?;
        }
        for child in tx.backups().of_server_backup(id).await? {
            if child.status == BackupStatus::Creating {
                self.fail_new_backup(tx, child.id, reason).await?;
            }
        }
        Ok(())
    }

    /// The work on a disk's backup has ended: with the last disk's that of the server's ends too.
    pub(super) async fn settle_server_backup(
        &self,
        tx: &mut Transaction<'_>,
        child: &Backup,
    ) -> crate::Result<()> {
        let Some(id) = child.origin.server_backup_id else { return Ok(()) };
        let found = tx.server_backups().find_any(id).await?;
        let Some(mut whole) = found.filter(|whole| whole.status == BackupStatus::Creating) else {
            return Ok(());
        };
        let children = tx.backups().of_server_backup(id).await?;
        if children.iter().any(|child| child.status == BackupStatus::Creating) {
            return note_progress(tx, id, (OperationKind::Backup, self.now()), mean(&children))
                .await;
        }
        let reason = why_not_whole(&children);
        self.end_server_backup(tx, &mut whole, reason.as_deref()).await
    }

    /// Ends the making of a server's backup and its operation: well, or with a reason.
    async fn end_server_backup(
        &self,
        tx: &mut Transaction<'_>,
        whole: &mut ServerBackup,
        reason: Option<&str>,
    ) -> crate::Result<()> {
        whole.status = match reason {
            None => BackupStatus::Available,
            Some(reason) => {
                whole.fail_reason = Some(reason.to_owned());
                BackupStatus::Error
            }
        };
        self.write_server_backup(tx, whole).await?;
        for operation in tx.operations().running_of(whole.id).await? {
            if operation.kind == OperationKind::Backup {
                let end = reason.map_or(Ok(()), |text| Err((OperationFault::BackupFailed, text)));
                tx.operations().end_one(operation.id, self.now(), end).await?;
            }
        }
        Ok(())
    }
}

/// Notes how far an operation on a server's backup has come.
pub(super) async fn note_progress(
    tx: &mut Transaction<'_>,
    id: BackupId,
    (kind, now): (OperationKind, Timestamp),
    percent: u8,
) -> crate::Result<()> {
    for mut operation in tx.operations().running_of(id).await? {
        if operation.kind == kind && operation.progress < percent {
            operation.progress = percent;
            operation.updated_at = now;
            tx.operations().update(&operation).await?;
        }
    }
    Ok(())
}

/// How far the disks have come, taken together: never quite done.
fn mean(children: &[Backup]) -> u8 {
    let sum: usize = children.iter().map(|child| usize::from(child.progress)).sum();
    let mean = sum.checked_div(children.len()).unwrap_or(0);
    u8::try_from(mean).unwrap_or(99).min(99)
}

/// Why a server's backup is not whole: the disks that were not stored, and why.
fn why_not_whole(children: &[Backup]) -> Option<String> {
    let is_stored =
        |child: &&Backup| matches!(child.status, BackupStatus::Available | BackupStatus::Restoring);
    let reasons: Vec<_> = children
        .iter()
        .filter(|child| !is_stored(child))
        .map(|child| {
            let reason = child.fail_reason.as_deref().unwrap_or(NOT_WANTED);
            format!("disk {}: {reason}", child.volume_id)
        })
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}
