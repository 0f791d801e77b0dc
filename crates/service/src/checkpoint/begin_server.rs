//! Beginning the backup of a server: every disk of it, or none.

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus, Origin};
use strongroom_model::id::BackupId;
use strongroom_model::job::{JobKind, Subject};
use strongroom_model::operation::{OperationFault, OperationKind};
use strongroom_model::resource::ResourceId;
use strongroom_model::server::{Server, ServerDisk};
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::size::GiB;
use strongroom_model::vault::{ConsistentLevel, VaultResource};
use strongroom_model::volume::Volume;

use super::begin::{Obstacle, Run};
use super::full::is_full_due;
use crate::Service;
use crate::backup::NewBackup;
use crate::error::{Error, Result};

/// The most characters of a backup's name.
const NAME_MAX_CHARS: usize = 255;

impl Service {
    /// Begins the backup of a server, or says what stands in its way. Its disks are marked busy now
    /// and frozen at one point by a job.
    pub(super) async fn begin_server(
        &self,
        tx: &mut Transaction<'_>,
        run: &Run<'_>,
        resource: &VaultResource,
    ) -> Result<Option<Obstacle>> {
        let server = match self.project_server(run.project, resource.id.server()).await {
            Err(Error::ServerNotFound(_)) => {
                let message = "the server does not exist any more".to_owned();
                return Ok(Some((OperationFault::ResourceGone, message)));
            }
            found => found?,
        };
        let left_out = &resource.excluded_volumes;
        let is_wanted = |disk: &&ServerDisk| !left_out.contains(&ResourceId::from(disk.volume_id));
        let disks: Vec<_> = server.disks.iter().filter(is_wanted).collect();
        if disks.is_empty() {
            let message = "the server has no disk to back up".to_owned();
            return Ok(Some((OperationFault::ResourceState, message)));
        }
        let volumes = match self.disks_to_back_up(tx, run, &disks).await? {
            Ok(volumes) => volumes,
            Err(obstacle) => return Ok(Some(obstacle)),
        };
        let has_system_disk = disks.iter().any(|disk| disk.is_system);
        self.begin_server_backup(tx, run, (&server, has_system_disk), &volumes).await?;
        Ok(None)
    }

    /// The volumes of a server's disks, or why one of them keeps all from being backed up.
    async fn disks_to_back_up(
        &self,
        tx: &mut Transaction<'_>,
        run: &Run<'_>,
        disks: &[&ServerDisk],
    ) -> Result<std::result::Result<Vec<Volume>, Obstacle>> {
        let mut volumes = Vec::with_capacity(disks.len());
        for disk in disks {
            let Some(volume) = tx.volumes().find(run.project, disk.volume_id).await? else {
                let message = format!("disk {} does not exist any more", disk.volume_id);
                return Ok(Err((OperationFault::ResourceState, message)));
            };
            if let Some(obstacle) = self.obstacle_of_disk(tx, &volume).await? {
                return Ok(Err(obstacle));
            }
            volumes.push(volume);
        }
        Ok(match self.quota_obstacle(tx, run.project, &volumes).await? {
            Some(obstacle) => Err(obstacle),
            None => Ok(volumes),
        })
    }

    /// Writes the rows of a server's backup and of its disks', and enqueues the freezing.
    async fn begin_server_backup(
        &self,
        tx: &mut Transaction<'_>,
        run: &Run<'_>,
        (server, has_system_disk): (&Server, bool),
        volumes: &[Volume],
    ) -> Result<()> {
        let earlier = tx.server_backups().of_server(run.vault.id, server.id).await?;
        let at_rest = earlier.iter().rev().filter(|one| one.status == BackupStatus::Available);
        let wants_full = run.wants_full(at_rest.map(|one| one.is_incremental));
        let id = BackupId::random(self.chance());
        let mut is_incremental = false;
        for volume in volumes {
            let mut child = self.prepare_disk(tx, run, (id, volume), wants_full).await?;
            let is_system = server.disk(volume.id).is_some_and(|disk| disk.is_system);
            if is_system && !child.is_bootable {
                // What a server starts from is bootable, whatever its volume was said to be.
                child.is_bootable = true;
                tx.backups().update(&child).await?;
            }
            is_incremental |= child.is_incremental;
        }
        let new = run.new;
        let backup = ServerBackup {
            id,
            project_id: run.project.clone(),
            user_id: run.caller.user_id.clone(),
            vault_id: run.vault.id,
            checkpoint_id: run.id,
            server_id: server.id,
            server_name: server.name.clone(),
            name: run.name.clone(),
            description: Some(new.description.clone()).filter(|text| !text.is_empty()),
            status: BackupStatus::Creating,
            fail_reason: None,
            size: GiB(volumes.iter().map(|volume| volume.size.0).sum()),
            availability_zone: Some(server.availability_zone.clone()),
            architecture: Some(server.architecture.clone()),
            has_system_disk,
            is_incremental,
            is_automatic: run.is_automatic(),
            is_replica: false,
            wants_full,
            policy_id: new.policy.as_ref().map(|policy| policy.policy_id),
            expires_at: run.expires_at,
            documents: None,
            restore_server_id: None,
            created_at: run.now,
            updated_at: None,
            protected_at: None,
        };
        tx.server_backups().insert(&backup).await?;
        let operation = self.server_operation(tx, run.caller, OperationKind::Backup, &backup);
        let mut operation = operation.await?;
        let level = run.vault.terms.consistent_level;
        operation.detail.wants_application_consistency =
            (level == ConsistentLevel::Application).then_some(true);
        tx.operations().insert(&operation).await?;
        let subject = Subject {
            project_id: Some(backup.project_id.clone()),
            backup_id: Some(id),
            backup_name: Some(backup.name.clone()),
            ..Subject::default()
        };
        let kind = JobKind::FreezeServer { server_backup_id: id };
        self.enqueue_about(tx, run.caller, kind, subject).await?;
        Ok(())
    }

    /// The row of the backup of a server's disk. It has neither policy nor date of its own: it goes
    /// with the whole.
    async fn prepare_disk(
        &self,
        tx: &mut Transaction<'_>,
        run: &Run<'_>,
        (server_backup_id, volume): (BackupId, &Volume),
        wants_full: bool,
    ) -> Result<Backup> {
        let parent = tx.backups().newest_available(run.vault.id, volume.id).await?;
        let asked = run.backup_of(volume, wants_full);
        let new = NewBackup {
            name: Some(child_name(&run.name, volume)),
            description: None,
            is_incremental: parent.is_some() && !wants_full,
            policy: None,
            expires_at: None,
            origin: Origin { server_backup_id: Some(server_backup_id), ..asked.origin },
            ..asked
        };
        self.prepare_backup(tx, run.caller, &new).await
    }
}

impl Run<'_> {
    /// Whether a full backup is to be made of a resource, given of its earlier ones, newest first,
    /// whether they are increments.
    pub(super) fn wants_full(&self, earlier: impl Iterator<Item = bool>) -> bool {
        let interval = self.new.policy.as_ref().and_then(|policy| policy.full_interval);
        self.new.wants_full || is_full_due(interval, earlier)
    }
}

/// The name of a disk's backup: that of the server's as it is now, and the disk's.
fn child_name(whole: &str, volume: &Volume) -> String {
    let id = volume.id.to_string();
    let disk = volume.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&id);
    format!("{whole}_{disk}").chars().take(NAME_MAX_CHARS).collect()
}
