//! Storing a backup, from `creating` to `available`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use strongroom_catalog::Transaction;
use strongroom_engine::{
    BackupOptions, BackupStats, FileSource, Progress, Repository, SessionId, SessionOutcome,
    VolumeSource,
};
use strongroom_model::backup::{Backup, BackupStatus, Measured};
use strongroom_model::id::BackupId;
use strongroom_model::job::Claim;
use strongroom_model::snapshot::SnapshotStatus;
use strongroom_model::volume::VolumeStatus;
use tokio_util::sync::CancellationToken;

use super::failure::{Failure, Work};
use super::supervise::{Copy, Watched};
use crate::{Error, Service};

/// A backup to be stored, with what its job knows.
pub(super) struct Order {
    pub(super) backup: Backup,
    pub(super) parent: Option<Backup>,
    /// The session that an earlier attempt opened.
    pub(super) session: Option<String>,
}

/// A file that is safe to read.
pub(super) struct Frozen {
    pub(super) path: PathBuf,
    /// Whether it may mix states of a volume that was written to meanwhile.
    pub(super) is_torn: bool,
}

/// A backup that was committed.
struct Stored {
    stats: BackupStats,
    /// Whether it may mix states of a volume that was written to meanwhile.
    is_torn: bool,
}

/// What a backup says of itself if it may mix states.
pub(super) const TORN: &str =
    "the volume was written to while it was read: the backup may mix its states";

/// Why a policy's task failed whose backup was deleted, or its status set, while it was made.
pub(super) const NOT_WANTED: &str =
    "the backup was deleted or its status was set while it was made";

impl Service {
    /// Stores the bytes of a backup's source, then says so.
    pub(super) async fn store_backup(
        &self,
        claim: &Claim,
        id: BackupId,
        stop: &CancellationToken,
    ) -> Work<()> {
        let Some(order) = self.backup_order(claim, id).await? else {
            return self.drop_backup(claim, id).await;
        };
        let repository = self.repository_to_fill(order.backup.vault_id).await?;
        let settled = self.settle(&repository, order.session.as_deref()).await?;
        let stored = match settled {
            Some(stats) => Stored { stats, is_torn: false },
            None => self.run_backup(claim, &order, &repository, stop).await?,
        };
        self.check_readable(claim, &repository, &order.backup, stop).await?;
        let key = self.vaults().master_key_id();
        let measured = measured(&stored.stats, order.parent.as_ref(), key);
        self.publish_backup(claim, id, &measured, stored.is_torn).await?;
        self.expire_after(&order.backup).await;
        self.watch_vault(order.backup.vault_id).await;
        self.discard_frozen(id).await
    }

    /// Reads what is to be done; `None` if the backup was deleted or reset meanwhile.
    pub(super) async fn backup_order(&self, claim: &Claim, id: BackupId) -> Work<Option<Order>> {
        let order = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    let Some(backup) = tx.backups().find_any(id).await? else {
                        return Ok(None);
                    };
                    let (vault, volume) = (backup.vault_id, backup.volume_id);
                    let parent = tx.backups().newest_available(vault, volume).await?;
                    let parent = parent.filter(|_| !backup.wants_full);
                    let session = tx.jobs().session_of(claim.job.id).await?;
                    Ok::<_, Error>(Some(Order { backup, parent, session }))
                })
            })
            .await?;
        Ok(order.filter(|order| order.backup.status == BackupStatus::Creating))
    }

    /// Ends the session that an earlier attempt left behind; what it committed counts.
    pub(super) async fn settle(
        &self,
        repository: &Repository,
        session: Option<&str>,
    ) -> Work<Option<BackupStats>> {
        let Some(session) = session.and_then(SessionId::parse) else {
            return Ok(None);
        };
        let repository = repository.clone();
        blocking(move || match strongroom_engine::resolve_session(&repository, session)? {
            SessionOutcome::Aborted => Ok(None),
            SessionOutcome::Committed { backup, .. } => {
                Ok(strongroom_engine::find(&repository, backup)?.map(|entry| entry.stats))
            }
        })
        .await
    }

    async fn run_backup(
        &self,
        claim: &Claim,
        order: &Order,
        repository: &Repository,
        stop: &CancellationToken,
    ) -> Work<Stored> {
        let backup = &order.backup;
        let frozen = self.readable_source(claim, backup, stop).await?;
        let session = SessionId::random(self.chance());
        self.note_session(claim, session).await?;
        let progress = Arc::<Progress>::default();
        let options = BackupOptions {
            parent: order.parent.as_ref().map(|parent| parent.data_id),
            meta: record(backup),
            threads: self.settings().threads,
            node: self.settings().node.clone(),
            progress: Arc::clone(&progress),
            ..BackupOptions::new(backup.data_id, session)
        };
        let watched =
            Watched { shows_progress: true, progress, ..Watched::of_backup(claim, backup, stop) };
        let (repository, size_bytes) = (repository.clone(), backup.size.bytes());
        self.supervise(watched, move || {
            let source = open_source(&frozen.path, size_bytes)?;
            let report = strongroom_engine::backup(&repository, &source, &options)?;
            let is_torn = frozen.is_torn || report.source_changed;
            Ok(Stored { stats: report.stats, is_torn })
        })
        .await
    }
}

impl Service {
    /// A file that nobody writes while it is read: the snapshot, the volume at rest, or a frozen
    /// copy of a volume in use.
    async fn readable_source(
        &self,
        claim: &Claim,
        backup: &Backup,
        stop: &CancellationToken,
    ) -> Work<Frozen> {
        if let Some(snapshot) = backup.snapshot_id {
            return Ok(Frozen { path: self.folder().snapshot(snapshot), is_torn: false });
        }
        if backup.origin.server_backup_id.is_some() {
            return self.frozen_disk(backup).await;
        }
        let live = self.folder().volume(backup.volume_id);
        let volume = self.volume_row(backup.volume_id).await?;
        let Some(volume) = volume else {
            return Err(Failure::Permanent(format!("volume {} is gone", backup.volume_id)));
        };
        if volume.previous_status != Some(VolumeStatus::InUse) {
            return Ok(Frozen { path: live, is_torn: false });
        }
        let (path, size_bytes) = (self.folder().frozen(backup.id), backup.size.bytes());
        // Always anew: whether the copy of an earlier attempt mixes states is not known any more.
        let copy = Copy { from: live, to: path.clone(), size_bytes };
        let is_torn = self.copy_file(Watched::of_backup(claim, backup, stop), copy).await?;
        Ok(Frozen { path, is_torn })
    }

    pub(super) async fn discard_frozen(&self, id: BackupId) -> Work<()> {
        let frozen = self.folder().frozen(id);
        Ok(self.on_folder(move |folder| folder.delete(&frozen)).await?)
    }

    /// Notes the session before anything is written in it, so that a later attempt can settle it.
    pub(super) async fn note_session(&self, claim: &Claim, session: SessionId) -> Work<()> {
        let session = &session.to_string();
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    match tx.jobs().set_session(claim, session).await? {
                        true => Ok(()),
                        false => Err(Failure::Lost),
                    }
                })
            })
            .await
    }

    /// Reads back what a restore would need first: the manifest, its pages, and every pack's table.
    /// Only then is the backup called available.
    pub(super) async fn check_readable(
        &self,
        claim: &Claim,
        repository: &Repository,
        backup: &Backup,
        stop: &CancellationToken,
    ) -> Work<()> {
        let progress = Arc::<Progress>::default();
        let watched =
            Watched { progress: Arc::clone(&progress), ..Watched::of_backup(claim, backup, stop) };
        let (repository, id) = (repository.clone(), backup.data_id);
        self.supervise(watched, move || Ok(strongroom_engine::check(&repository, id, &progress)?))
            .await
    }

    pub(super) async fn publish_backup(
        &self,
        claim: &Claim,
        id: BackupId,
        measured: &Measured,
        is_torn: bool,
    ) -> Work<()> {
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut unwanted = Some(NOT_WANTED);
                    if let Some(mut backup) = tx.backups().find_any(id).await? {
                        if backup.status == BackupStatus::Creating {
                            unwanted = None;
                            tx.tasks().finish_of(id, self.now(), None).await?;
                            backup.status = BackupStatus::Available;
                            backup.progress = 100;
                            let noted = backup.fail_reason.take();
                            backup.fail_reason = is_torn.then(|| TORN.to_owned()).or(noted);
                        }
                        backup.measured = Some(measured.clone());
                        self.write_backup(tx, &mut backup).await?;
                        self.release_source(tx, &backup).await?;
                        self.settle_server_backup(tx, &backup).await?;
                        self.settle_copy(tx, &backup).await?;
                    }
                    self.fail_task_of(tx, id, NOT_WANTED).await?;
                    self.finish_as(tx, claim, unwanted).await
                })
            })
            .await
    }

    /// The backup was deleted or reset before its work began: only the source is given back.
    pub(super) async fn drop_backup(&self, claim: &Claim, id: BackupId) -> Work<()> {
        self.discard_frozen(id).await?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    if let Some(backup) = tx.backups().find_any(id).await? {
                        self.settle_copy(tx, &backup).await?;
                        self.release_source(tx, &backup).await?;
                        self.settle_server_backup(tx, &backup).await?;
                    }
                    self.fail_task_of(tx, id, NOT_WANTED).await?;
                    self.finish_as(tx, claim, Some(NOT_WANTED)).await
                })
            })
            .await
    }

    /// Writes why a backup could not be made. A backup that is being deleted stays so.
    pub(super) async fn fail_new_backup(
        &self,
        tx: &mut Transaction<'_>,
        id: BackupId,
        reason: &str,
    ) -> crate::Result<()> {
        self.fail_record(tx, id, reason).await?;
        self.fail_task_of(tx, id, reason).await?;
        let Some(backup) = tx.backups().find_any(id).await? else { return Ok(()) };
        self.settle_copy(tx, &backup).await?;
        self.release_source(tx, &backup).await?;
        self.settle_server_backup(tx, &backup).await
    }

    /// Writes why a record could not be adopted. It never held a source.
    pub(super) async fn fail_record(
        &self,
        tx: &mut Transaction<'_>,
        id: BackupId,
        reason: &str,
    ) -> crate::Result<()> {
        if let Some(mut backup) = tx.backups().find_any(id).await?
            && backup.status == BackupStatus::Creating
        {
            backup.status = BackupStatus::Error;
            backup.fail_reason = Some(reason.to_owned());
            self.write_backup(tx, &mut backup).await?;
        }
        Ok(())
    }

    /// Gives a backup's source the status that it had.
    pub(super) async fn release_source(
        &self,
        tx: &mut Transaction<'_>,
        backup: &Backup,
    ) -> crate::Result<()> {
        if backup.origin.is_replica {
            return Ok(());
        }
        if let Some(snapshot_id) = backup.snapshot_id {
            if let Some(mut snapshot) = tx.snapshots().find_any(snapshot_id).await?
                && snapshot.status == SnapshotStatus::BackingUp
            {
                snapshot.status = SnapshotStatus::Available;
                self.write_snapshot(tx, &mut snapshot).await?;
            }
            return Ok(());
        }
        let others = tx.backups().being_made_of(backup.volume_id).await?;
        if others.iter().any(|other| other.id != backup.id) {
            // After a status was set by hand another backup may be reading the volume.
            return Ok(());
        }
        if let Some(mut volume) = tx.volumes().find_any(backup.volume_id).await?
            && volume.status == VolumeStatus::BackingUp
        {
            volume.status = volume.previous_status.take().unwrap_or(VolumeStatus::Available);
            self.write_volume(tx, &mut volume).await?;
        }
        Ok(())
    }
}

/// What is recorded in the store beside the bytes: enough to make the row again from the store.
pub(super) fn record(backup: &Backup) -> serde_json::Map<String, serde_json::Value> {
    let record = serde_json::json!({
        "name": backup.name,
        "backup_id": backup.id,
        "project_id": backup.project_id,
        "user_id": backup.user_id,
        "volume_id": backup.volume_id,
        "snapshot_id": backup.snapshot_id,
        "description": backup.description,
        "size_gib": backup.size,
        "container": backup.container,
        "availability_zone": backup.availability_zone,
        "is_incremental": backup.is_incremental,
        "is_bootable": backup.is_bootable,
        "metadata": backup.metadata,
        "volume_metadata": backup.volume_metadata,
        "created_at": backup.created_at.format_utc_micros(),
        "data_timestamp": backup.data_timestamp.format_utc_micros(),
    });
    match record {
        serde_json::Value::Object(map) => map,
        _ => serde_json::Map::new(),
    }
}

/// A volume's file, which must not hold more than the volume: what is beyond would be lost.
fn open_source(path: &Path, size_bytes: u64) -> Work<FileSource> {
    let fault = |error: &dyn std::fmt::Display| {
        Failure::Permanent(format!("cannot read the volume's file: {error}"))
    };
    let source = FileSource::open(path).map_err(|error| fault(&error))?;
    if source.size_bytes() > size_bytes {
        return Err(fault(&"it is larger than the volume"));
    }
    Ok(source)
}

/// The engine's figures as the row keeps them.
pub(super) fn measured(
    stats: &BackupStats,
    parent: Option<&Backup>,
    master_key_id: String,
) -> Measured {
    let before = parent.and_then(|parent| parent.measured.as_ref());
    let chain_before = before.map_or(0, |before| before.chain_stored_bytes);
    Measured {
        size_bytes: stats.size_bytes,
        read_bytes: stats.read_bytes,
        stored_bytes: stats.stored_bytes,
        chain_stored_bytes: stats.stored_bytes + chain_before,
        duration_micros: stats.duration_ms * 1000,
        object_count: stats.object_count,
        is_incremental: parent.is_some(),
        master_key_id,
    }
}

/// Runs a short piece of blocking engine work.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> strongroom_engine::Result<T> + Send + 'static,
) -> Work<T> {
    let result = tokio::task::spawn_blocking(work).await;
    Ok(result.map_err(|error| Failure::Permanent(error.to_string()))??)
}
