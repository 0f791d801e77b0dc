//! Backups as callers see them: create, list, show, update, delete, reset, import.

use strongroom_catalog::{BackupQuery, Transaction};
use strongroom_model::backup::{Backup, BackupStatus, Origin};
use strongroom_model::id::{BackupId, JobId, PolicyId, ProjectId, SnapshotId, VaultId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::job::{JobKind, Subject};
use strongroom_model::operation::{OperationDetail, OperationKind};
use strongroom_model::page::{Page, SortBy, Start};
use strongroom_model::quota::Resource;
use strongroom_model::size::GiB;
use strongroom_model::snapshot::{Snapshot, SnapshotStatus};
use strongroom_model::tag::Tags;
use strongroom_model::time::Timestamp;
use strongroom_model::volume::{Metadata, Volume, VolumeStatus};

pub use strongroom_catalog::{BackupFilter, BackupKey};

use crate::error::{Error, Result};
use crate::metadata::MetadataChange;
use crate::tag::{TaggedId, check_tags};
use crate::{Caller, Refusal, Service};

/// What a caller asks for when it creates a backup.
#[derive(Debug, Clone)]
pub struct NewBackup {
    /// The volume to back up.
    pub volume_id: VolumeId,
    /// The snapshot to read instead of the live volume.
    pub snapshot_id: Option<SnapshotId>,
    /// Its name.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Stored and echoed.
    pub container: Option<String>,
    /// Whether an increment is asked for. The engine stores no unchanged data twice either way.
    pub is_incremental: bool,
    /// Whether a volume in use may be read.
    pub is_forced: bool,
    /// The user's key-value pairs.
    pub metadata: Metadata,
    /// The zone to note.
    pub availability_zone: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// Whether it shall build on no earlier backup.
    pub wants_full: bool,
    /// The policy that makes it.
    pub policy: Option<MadeBy>,
    /// When it is removed by its date, if no policy says so.
    pub expires_at: Option<Timestamp>,
    /// The vault that it goes to; the project's default one unless said.
    pub vault_id: Option<VaultId>,
    /// Which run makes it, and as part of what. The volume's name is filled in.
    pub origin: Origin,
}

/// The policy that makes a backup, and when its retention removes it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeBy {
    /// The policy.
    pub policy_id: PolicyId,
    /// When the backup expires, if a date is set.
    pub expires_at: Option<Timestamp>,
}

impl NewBackup {
    /// A plain backup of a volume.
    pub fn of(volume_id: VolumeId) -> Self {
        Self {
            volume_id,
            snapshot_id: None,
            name: None,
            description: None,
            container: None,
            is_incremental: false,
            is_forced: false,
            metadata: Metadata::new(),
            availability_zone: None,
            tags: Tags::new(),
            wants_full: false,
            policy: None,
            expires_at: None,
            vault_id: None,
            origin: Origin::default(),
        }
    }
}

/// What to change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct BackupChange {
    /// The new name; `Some(None)` removes it.
    pub name: Option<Option<String>>,
    /// The new description; `Some(None)` removes it.
    pub description: Option<Option<String>>,
    /// What happens to the key-value pairs.
    pub metadata: Option<MetadataChange>,
}

/// Which backups to list, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct BackupListing {
    /// Those of every project; for admins only, ignored for others.
    pub all_projects: bool,
    /// Conditions that must all hold.
    pub filters: Vec<BackupFilter>,
    /// The order; newest first if empty.
    pub sort: Vec<SortBy<BackupKey>>,
    /// Where the page starts.
    pub start: Start<BackupId>,
    /// The most items to return.
    pub limit: u32,
    /// Whether to count the whole list.
    pub with_total: bool,
}

impl BackupListing {
    /// What the catalogue is asked: the caller's project, or all.
    fn into_query(self, project: Option<ProjectId>) -> BackupQuery {
        let Self { filters, sort, start, limit, with_total, .. } = self;
        BackupQuery { project, filters, sort, start, limit, with_total }
    }
}

impl Service {
    /// Accepts a backup: marks its source busy and enqueues the work, in one transaction.
    pub async fn create_backup(&self, caller: &Caller, new: NewBackup) -> Result<Backup> {
        Ok(self.create_backup_job(caller, new).await?.0)
    }

    /// As [`Service::create_backup`], for dialects that show the job which does the work.
    pub async fn create_backup_job(
        &self,
        caller: &Caller,
        new: NewBackup,
    ) -> Result<(Backup, JobId)> {
        let new = &new;
        let begun = self
            .catalog()
            .transact(|tx| Box::pin(async move { self.begin_backup(tx, caller, new).await }))
            .await?;
        self.nudge();
        Ok(begun)
    }

    /// As [`Service::create_backup`], in the caller's transaction; the workers are still to be
    /// nudged.
    pub(crate) async fn begin_backup(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        new: &NewBackup,
    ) -> Result<(Backup, JobId)> {
        let backup = self.prepare_backup(tx, caller, new).await?;
        let kind = JobKind::CreateBackup { backup_id: backup.id };
        let job_id = self.enqueue_about(tx, caller, kind, subject(&backup)).await?;
        let log = (OperationKind::Backup, job_id, OperationDetail::default());
        self.log_backup_job(tx, caller, log, &backup).await?;
        Ok((backup, job_id))
    }

    /// Marks a backup's source busy and adds its row. The work is still to be enqueued.
    pub(crate) async fn prepare_backup(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        new: &NewBackup,
    ) -> Result<Backup> {
        let project = caller.project(Role::Member, "backup:create")?;
        check_tags(&new.tags)?;
        let source = self.claim_source(tx, project, new).await?;
        let parent = tx.backups().newest_available(source.vault_id, source.volume.id).await?;
        let parent = parent.filter(|_| !new.wants_full);
        if new.is_incremental && parent.is_none() && self.settings().strict_cinder {
            return Err(Error::NoParent);
        }
        let asked = [(Resource::Backups, 1), (Resource::BackupGigabytes, i64::from(source.size.0))];
        self.check_quota(tx, project, &asked).await?;
        let backup = self.new_backup_row(caller, new, &source, parent.is_some());
        tx.backups().insert(&backup).await?;
        self.put_tags(tx, project, &TaggedId::of(&backup), &new.tags).await?;
        Ok(backup)
    }

    /// One backup of the caller's project, or one that is shared with it, without what is only its
    /// owner's. `id` is text as it came; what is no UUID is not found.
    pub async fn backup(&self, caller: &Caller, id: &str) -> Result<Backup> {
        let project = caller.project(Role::Reader, "backup:get")?;
        let usable = self
            .catalog()
            .read(|tx| {
                Box::pin(async move { self.find_usable_backup(tx, caller, project, id).await })
            })
            .await?;
        Ok(usable.backup)
    }

    /// One backup of the caller's project, whole.
    pub async fn own_backup(&self, caller: &Caller, id: &str) -> Result<Backup> {
        let project = caller.project(Role::Reader, "backup:get")?;
        self.catalog()
            .read(|tx| Box::pin(async move { self.find_backup(tx, caller, project, id).await }))
            .await
    }

    /// A page of backups.
    pub async fn backups(&self, caller: &Caller, listing: BackupListing) -> Result<Page<Backup>> {
        let project = caller.project(Role::Reader, "backup:get_all")?;
        let everyone = listing.all_projects && caller.is_cloud_admin;
        let query = listing.into_query((!everyone).then(|| project.clone()));
        let query = &query;
        self.catalog().read(|tx| Box::pin(async move { Ok(tx.backups().list(query).await?) })).await
    }

    /// Changes what a user may change.
    pub async fn update_backup(
        &self,
        caller: &Caller,
        id: &str,
        change: BackupChange,
    ) -> Result<Backup> {
        let project = caller.project(Role::Member, "backup:update")?;
        let change = &change;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut backup = self.find_backup(tx, caller, project, id).await?;
                    if let Some(name) = &change.name {
                        backup.name.clone_from(name);
                    }
                    if let Some(description) = &change.description {
                        backup.description.clone_from(description);
                    }
                    if let Some(metadata) = &change.metadata {
                        metadata.apply(&mut backup.metadata)?;
                    }
                    self.write_backup(tx, &mut backup).await?;
                    Ok(backup)
                })
            })
            .await
    }

    /// Marks a backup `deleting` and enqueues its removal. Forced (admin): whatever its status.
    pub async fn delete_backup(&self, caller: &Caller, id: &str, is_forced: bool) -> Result<JobId> {
        let (role, rule) = if is_forced {
            (Role::Admin, "volume_extension:backup_admin_actions:force_delete")
        } else {
            (Role::Member, "backup:delete")
        };
        let project = caller.project(role, rule)?;
        let job_id = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut backup = self.find_backup(tx, caller, project, id).await?;
                    refuse_part(&backup, Refusal::BackupNotDeletable)?;
                    let is_at_rest =
                        matches!(backup.status, BackupStatus::Available | BackupStatus::Error);
                    if !is_at_rest && !is_forced {
                        return Err(Error::BackupNotDeletable(backup.status));
                    }
                    self.begin_deletion(tx, caller, &mut backup).await
                })
            })
            .await?;
        self.nudge();
        Ok(job_id)
    }

    /// Marks a backup `deleting`, ends its shares and enqueues its removal; the workers are still to
    /// be nudged.
    pub(crate) async fn begin_deletion(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        backup: &mut Backup,
    ) -> Result<JobId> {
        self.refuse_while_locked(tx, &*backup, self.now()).await?;
        backup.status = BackupStatus::Deleting;
        self.write_backup(tx, backup).await?;
        self.fail_task_of(tx, backup.id, "the backup was deleted").await?;
        tx.shares().delete_of(backup.id).await?;
        let kind = JobKind::DeleteBackup { backup_id: backup.id };
        let job_id = self.enqueue_about(tx, caller, kind, subject(backup)).await?;
        let log = (OperationKind::Delete, job_id, OperationDetail::default());
        self.log_backup_job(tx, caller, log, backup).await?;
        Ok(job_id)
    }

    /// Sets the status by hand (admin). A restore in progress is aborted by it.
    pub async fn reset_backup(
        &self,
        caller: &Caller,
        id: &str,
        status: BackupStatus,
    ) -> Result<()> {
        let project =
            caller.project(Role::Admin, "volume_extension:backup_admin_actions:reset_status")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut backup = self.find_backup(tx, caller, project, id).await?;
                    refuse_part(&backup, Refusal::BackupInUse)?;
                    self.refuse_reset_while_locked(tx, &backup, status).await?;
                    let is_going = matches!(
                        backup.status,
                        BackupStatus::Deleting | BackupStatus::ErrorDeleting
                    );
                    if is_going {
                        // Its bytes may be marked as deleted already: it can be deleted, not kept.
                        backup.measured = None;
                    }
                    if status == BackupStatus::Available && backup.measured.is_none() {
                        return Err(Error::Invalid {
                            field: "status",
                            message: "this backup holds no bytes and cannot be called available"
                                .to_owned(),
                        });
                    }
                    backup.status = status;
                    if status != BackupStatus::Creating {
                        let reason = "the backup's status was set by hand";
                        self.fail_task_of(tx, backup.id, reason).await?;
                    }
                    self.write_backup(tx, &mut backup).await
                })
            })
            .await?;
        self.nudge();
        Ok(())
    }

    /// A backup that the caller may see: its project's own, or any for a cloud admin.
    pub(crate) async fn find_backup(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        project: &ProjectId,
        id: &str,
    ) -> Result<Backup> {
        let missing = || Error::BackupNotFound(id.to_owned());
        let parsed = BackupId::parse(id).map_err(|_| missing())?;
        let found = tx.backups().find_any(parsed).await?;
        found
            .filter(|backup| backup.project_id == *project || caller.is_cloud_admin)
            .ok_or_else(missing)
    }

    /// Writes a changed row with the present instant.
    pub(crate) async fn write_backup(
        &self,
        tx: &mut Transaction<'_>,
        backup: &mut Backup,
    ) -> Result<()> {
        backup.updated_at = Some(self.now());
        tx.backups().update(backup).await?;
        Ok(())
    }

    /// Checks the source and marks it busy: the snapshot if one is named, else the volume.
    async fn claim_source(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        new: &NewBackup,
    ) -> Result<Source> {
        let missing = || Error::VolumeNotFound(new.volume_id.to_string());
        let mut volume = tx.volumes().find(project, new.volume_id).await?.ok_or_else(missing)?;
        let vault_id = match new.vault_id {
            Some(vault_id) => vault_id,
            None => {
                let mut vault = self.default_vault(tx, project).await?;
                self.admit_backup(tx, &mut vault).await?;
                vault.id
            }
        };
        let Some(snapshot_id) = new.snapshot_id else {
            check_volume(&volume, new.is_forced)?;
            volume.previous_status = Some(volume.status);
            volume.status = VolumeStatus::BackingUp;
            self.write_volume(tx, &mut volume).await?;
            return Ok(Source { vault_id, size: volume.size, volume, snapshot: None });
        };
        let missing = || Error::SnapshotNotFound(snapshot_id.to_string());
        let mut snapshot = tx.snapshots().find(project, snapshot_id).await?.ok_or_else(missing)?;
        if snapshot.volume_id != volume.id {
            return Err(Error::SnapshotMismatch {
                volume: volume.id,
                snapshot_volume: snapshot.volume_id,
            });
        }
        if snapshot.status != SnapshotStatus::Available {
            return Err(Error::SnapshotNotAvailable(snapshot.status));
        }
        snapshot.status = SnapshotStatus::BackingUp;
        self.write_snapshot(tx, &mut snapshot).await?;
        Ok(Source { vault_id, size: snapshot.size, volume, snapshot: Some(snapshot) })
    }

    fn new_backup_row(
        &self,
        caller: &Caller,
        new: &NewBackup,
        source: &Source,
        has_parent: bool,
    ) -> Backup {
        let (id, now) = (BackupId::random(self.chance()), self.now());
        let zone = new.availability_zone.clone();
        Backup {
            id,
            project_id: source.volume.project_id.clone(),
            user_id: caller.user_id.clone(),
            vault_id: source.vault_id,
            data_id: id,
            volume_id: source.volume.id,
            snapshot_id: new.snapshot_id,
            name: new.name.clone(),
            description: new.description.clone(),
            status: BackupStatus::Creating,
            fail_reason: None,
            size: source.size,
            container: new.container.clone(),
            availability_zone: zone.or_else(|| Some(source.volume.availability_zone.clone())),
            is_incremental: new.is_incremental && has_parent,
            is_bootable: source.volume.is_bootable,
            metadata: new.metadata.clone(),
            volume_metadata: source.volume.metadata.clone(),
            progress: 0,
            measured: None,
            restore_volume_id: None,
            policy_id: new.policy.map(|made_by| made_by.policy_id),
            expires_at: new.policy.and_then(|made_by| made_by.expires_at).or(new.expires_at),
            wants_full: new.wants_full,
            origin: Origin {
                is_automatic: new.origin.is_automatic || new.policy.is_some(),
                volume_name: source.volume.name.clone(),
                ..new.origin.clone()
            },
            created_at: now,
            updated_at: None,
            data_timestamp: source.snapshot.as_ref().map_or(now, |snapshot| snapshot.created_at),
        }
    }
}

/// Refuses to treat the backup of a server's disk as if it stood by itself.
fn refuse_part(backup: &Backup, reason: Refusal) -> Result<()> {
    let Some(whole) = backup.origin.server_backup_id else { return Ok(()) };
    let message = format!(
        "backup {} is of one disk of a server and belongs to backup {whole}, which it goes with",
        backup.id
    );
    Err(reason.because(message))
}

/// What a job on a backup is about.
pub(crate) fn subject(backup: &Backup) -> Subject {
    Subject {
        project_id: Some(backup.project_id.clone()),
        backup_id: Some(backup.id),
        volume_id: Some(backup.volume_id),
        snapshot_id: backup.snapshot_id,
        backup_name: backup.name.clone(),
    }
}

/// What a new backup reads, and the vault it goes to.
struct Source {
    vault_id: VaultId,
    volume: Volume,
    snapshot: Option<Snapshot>,
    size: GiB,
}

/// A live volume is backed up when it is at rest, or in use by force.
fn check_volume(volume: &Volume, is_forced: bool) -> Result<()> {
    match volume.status {
        VolumeStatus::Available => Ok(()),
        VolumeStatus::InUse if is_forced => Ok(()),
        VolumeStatus::InUse => Err(Error::VolumeInUse),
        other => Err(Error::VolumeNotBackupable(other)),
    }
}
