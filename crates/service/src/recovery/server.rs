//! Restoring the backup of a server onto disks of a server.

use std::collections::BTreeSet;

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{OperationId, ServerId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::operation::{Operation, OperationDetail, OperationKind};
use strongroom_model::server::{Server, ServerStatus};
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::volume::Volume;

use super::{DiskMapping, RecoveryRequest, target};
use crate::error::{Error, Result};
use crate::servers::ServerDocuments;
use crate::{Caller, Refusal, Service};

impl Service {
    /// Begins to restore the backup of a server: all of the disks that were asked for, or none.
    pub(super) async fn begin_server_recovery(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        mut backup: ServerBackup,
        request: &RecoveryRequest,
    ) -> Result<OperationId> {
        if backup.status != BackupStatus::Available {
            return Err(Error::BackupNotRestorable(backup.status));
        }
        let own = request.server_id.map(Into::into);
        let wanted = target(own, request.resource_id, "server_id")?.server();
        let server = self.server_to_restore(caller, &backup, wanted).await?;
        let children = tx.backups().of_server_backup(backup.id).await?;
        if let Some(busy) = children.iter().find(|one| one.status != BackupStatus::Available) {
            return Err(Error::BackupNotRestorable(busy.status));
        }
        let system = system_disk_of(&backup);
        for (mut child, volume_id) in pairs(&children, &server, &backup, &request.mappings)? {
            let volume = self.find_target(tx, caller, volume_id).await?;
            check_disk(&server, &volume, system == Some(child.volume_id))?;
            let volume = self.claim_disk(tx, volume, &child).await?;
            self.begin_read_back(tx, caller, &mut child, &volume).await?;
        }
        backup.status = BackupStatus::Restoring;
        backup.restore_server_id = Some(server.id);
        self.write_server_backup(tx, &mut backup).await?;
        let operation = self.server_operation(tx, caller, OperationKind::Restore, &backup).await?;
        let detail = OperationDetail {
            target: Some((server.id.into(), server.name)),
            power_on: Some(request.power_on),
            ..OperationDetail::default()
        };
        let operation = Operation { detail, ..operation };
        tx.operations().insert(&operation).await?;
        Ok(operation.id)
    }

    /// The server that is restored onto, if it can be.
    async fn server_to_restore(
        &self,
        caller: &Caller,
        backup: &ServerBackup,
        wanted: ServerId,
    ) -> Result<Server> {
        let project = caller.project(Role::Member, "saved:restore")?;
        let server = match self.project_server(project, wanted).await {
            Err(Error::ServerNotFound(_)) if wanted == backup.server_id => {
                let message = format!("server {wanted} was deleted");
                return Err(Refusal::TargetGone.because(message));
            }
            found => found?,
        };
        if server.status == ServerStatus::Error {
            let message = format!("server {wanted} is {}", server.status.as_str());
            return Err(Refusal::TargetServerState.because(message));
        }
        match &backup.architecture {
            Some(other) if *other != server.architecture => {
                let message =
                    format!("server {wanted} is {}, the backup is {other}", server.architecture);
                Err(Refusal::TargetArchitecture.because(message))
            }
            _ => Ok(server),
        }
    }
}

/// A disk must be the server's, and what is not a system disk's must not become one.
fn check_disk(server: &Server, volume: &Volume, is_system: bool) -> Result<()> {
    let Some(disk) = server.disk(volume.id) else {
        let message = format!("disk {} is not one of server {}", volume.id, server.id);
        return Err(Refusal::TargetForeign.because(message));
    };
    if disk.is_system && !is_system {
        let message = format!("disk {} is the system disk of server {}", volume.id, server.id);
        return Err(Refusal::TargetSystemDisk.because(message));
    }
    Ok(())
}

/// Which disk's backup goes onto which disk. Each its own if that is not said and the server is the
/// one that was backed up.
fn pairs(
    children: &[Backup],
    server: &Server,
    backup: &ServerBackup,
    mappings: &[DiskMapping],
) -> Result<Vec<(Backup, VolumeId)>> {
    let fault = |message: String| Error::Invalid { field: "mappings", message };
    if !mappings.is_empty() {
        return mapped(children, mappings).map_err(fault);
    }
    if server.id != backup.server_id {
        let message = "which disk of another server gets what has to be said".to_owned();
        return Err(fault(message));
    }
    let gone: Vec<_> = children
        .iter()
        .filter(|child| server.disk(child.volume_id).is_none())
        .map(|child| child.volume_id.to_string())
        .collect();
    if !gone.is_empty() {
        let message = format!("no longer disks of server {}: {}", server.id, gone.join(", "));
        return Err(Refusal::TargetDisks.because(message));
    }
    Ok(children.iter().map(|child| (child.clone(), child.volume_id)).collect())
}

/// What was said, if each backup and each disk is named once and every backup belongs to the whole.
fn mapped(
    children: &[Backup],
    mappings: &[DiskMapping],
) -> std::result::Result<Vec<(Backup, VolumeId)>, String> {
    let (mut backups, mut volumes) = (BTreeSet::new(), BTreeSet::new());
    let mut pairs = Vec::with_capacity(mappings.len());
    for DiskMapping { backup_id, volume_id } in mappings {
        if !backups.insert(*backup_id) {
            return Err(format!("backup {backup_id} is there twice"));
        }
        if !volumes.insert(*volume_id) {
            return Err(format!("volume {volume_id} is there twice"));
        }
        let child = children.iter().find(|child| child.id == *backup_id);
        let child = child.ok_or_else(|| format!("backup {backup_id} is not one of its disks"))?;
        pairs.push((child.clone(), *volume_id));
    }
    Ok(pairs)
}

/// The volume that was the server's system disk when it was backed up, as its documents say.
fn system_disk_of(backup: &ServerBackup) -> Option<VolumeId> {
    let documents: ServerDocuments = serde_json::from_str(backup.documents.as_deref()?).ok()?;
    let root = documents.server.pointer("/server/OS-EXT-SRV-ATTR:root_device_name")?.as_str()?;
    let volumes = documents.volumes.iter().filter_map(|document| document.get("volume"));
    let system = volumes.into_iter().find(|volume| {
        volume.pointer("/attachments/0/device").and_then(|device| device.as_str()) == Some(root)
    });
    VolumeId::parse(system?.get("id")?.as_str()?).ok()
}
