//! Vaults, servers and runs over them, as the tests of checkpoints and restores need them.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{SeekFrom, seek};
use strongroom_model::backup::Backup;
use strongroom_model::id::{BackupId, JobId, VaultId};
use strongroom_model::job::Claim;
use strongroom_model::operation::Operation;
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::server::Server;
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::size::GiB;
use strongroom_model::vault::{ObjectType, ProtectType, Vault, VaultResource, VaultTerms};
use strongroom_model::volume::Volume;
use strongroom_service::checkpoint::{CheckpointView, NewCheckpoint};
use strongroom_service::restore::RestoreRequest;
use strongroom_service::{Caller, Error};

use super::servers::{project_of, server};
use super::world::World;

/// A vault of the caller's project.
pub(crate) async fn vault(w: &World, caller: &Caller, object_type: ObjectType) -> Vault {
    vault_of(w, caller, VaultTerms::of(object_type, ProtectType::Backup)).await
}

/// A vault of the caller's project on these terms.
pub(crate) async fn vault_of(w: &World, caller: &Caller, terms: VaultTerms) -> Vault {
    let id = VaultId::random(&strongroom_model::chance::SeededChance::new(
        u64::try_from(w.service.now().as_micros()).unwrap() ^ terms.object_type as u64,
    ));
    let vault = Vault {
        is_default: false,
        name: "safe".to_owned(),
        size: GiB(100),
        terms,
        ..Vault::default_of(id, project_of(caller), w.service.now())
    };
    write_vault(w, &vault).await;
    vault
}

/// Writes a vault's row, new or not.
pub(crate) async fn write_vault(w: &World, vault: &Vault) {
    let catalog = w.catalog().await;
    let written = catalog.transact(|tx| {
        Box::pin(async move {
            match tx.vaults().update(vault).await? {
                true => Ok(()),
                false => tx.vaults().insert(vault).await,
            }
        })
    });
    written.await.unwrap();
}

fn resource(w: &World, vault: &Vault, id: ResourceId, kind: ResourceKind) -> VaultResource {
    VaultResource {
        vault_id: vault.id,
        id,
        kind,
        name: "bound".to_owned(),
        size: GiB(1),
        excluded_volumes: Vec::new(),
        auto_protect: true,
        is_removing: false,
        created_at: w.service.now(),
    }
}

pub(crate) async fn bind(w: &World, resource: &VaultResource) {
    let catalog = w.catalog().await;
    let bound =
        catalog.transact(|tx| Box::pin(async move { tx.vaults().insert_resource(resource).await }));
    bound.await.unwrap();
}

pub(crate) async fn bind_disk(w: &World, vault: &Vault, volume: &Volume) {
    bind(w, &resource(w, vault, volume.id.into(), ResourceKind::Volume)).await;
}

pub(crate) async fn bind_server(w: &World, vault: &Vault, server: &Server) {
    bind(w, &resource(w, vault, server.id.into(), ResourceKind::Server)).await;
}

/// A server with two disks that hold that text, each in its own way.
pub(crate) async fn machine(w: &World, caller: &Caller, seed: u64, text: &str) -> Machine {
    let root = w.written_volume(caller, &format!("{text} root")).await;
    let data = w.written_volume(caller, &format!("{text} data")).await;
    let disks = [root, data];
    let server = server(caller, seed, &[&disks[0], &disks[1]]);
    let server = w.service.keep_server(server).await.unwrap();
    Machine { server, disks }
}

/// A digest of what a file holds, whose holes are not read: only what is not zero counts.
pub(crate) fn digest(path: &Path) -> blake3::Hash {
    const BLOCK_BYTES: usize = 4096;
    let file = File::open(path).unwrap();
    let (mut hasher, mut at) = (blake3::Hasher::new(), 0);
    let mut block = vec![0; BLOCK_BYTES];
    while let Ok(start) = seek(&file, SeekFrom::Data(at)) {
        let end = seek(&file, SeekFrom::Hole(start)).unwrap();
        at = start - start % BLOCK_BYTES as u64;
        while at < end {
            block.fill(0);
            file.read_at(&mut block, at).unwrap();
            if block.iter().any(|byte| *byte != 0) {
                hasher.update(&at.to_le_bytes());
                hasher.update(&block);
            }
            at += BLOCK_BYTES as u64;
        }
    }
    hasher.finalize()
}

/// A server and its disks.
pub(crate) struct Machine {
    pub(crate) server: Server,
    pub(crate) disks: [Volume; 2],
}

impl Machine {
    pub(crate) fn digests(&self, w: &World) -> [blake3::Hash; 2] {
        [digest(&w.path(&self.disks[0])), digest(&w.path(&self.disks[1]))]
    }

    pub(crate) fn write(&self, w: &World, text: &str) {
        w.write(&self.disks[0], &format!("{text} root"));
        w.write(&self.disks[1], &format!("{text} data"));
    }
}

/// Begins a run over a vault.
pub(crate) async fn begin(w: &World, caller: &Caller, new: NewCheckpoint) -> CheckpointView {
    w.service.create_checkpoint(caller, new).await.unwrap()
}

/// A run over a vault, with its work done.
pub(crate) async fn run(w: &World, caller: &Caller, vault: &Vault) -> CheckpointView {
    let view = begin(w, caller, NewCheckpoint::of(vault.id)).await;
    w.work().await;
    w.service.checkpoint(caller, &view.checkpoint.id.to_string()).await.unwrap()
}

/// The backups of servers that a run made.
pub(crate) async fn servers_of(w: &World, view: &CheckpointView) -> Vec<ServerBackup> {
    let (catalog, id) = (w.catalog().await, view.checkpoint.id);
    let found =
        catalog.read(|tx| Box::pin(async move { tx.server_backups().of_checkpoint(id).await }));
    found.await.unwrap()
}

/// The backups of disks that a run made, with those that belong to servers'.
pub(crate) async fn disks_of(w: &World, view: &CheckpointView) -> Vec<Backup> {
    let (catalog, id) = (w.catalog().await, view.checkpoint.id);
    let found = catalog.read(|tx| Box::pin(async move { tx.backups().of_checkpoint(id).await }));
    found.await.unwrap()
}

/// The backup of a server as it is now.
pub(crate) async fn whole(w: &World, id: BackupId) -> Option<ServerBackup> {
    let catalog = w.catalog().await;
    let found = catalog.read(|tx| Box::pin(async move { tx.server_backups().find_any(id).await }));
    found.await.unwrap()
}

/// The backups of a server's disks as they are now.
pub(crate) async fn children(w: &World, id: BackupId) -> Vec<Backup> {
    let catalog = w.catalog().await;
    let found = catalog.read(|tx| Box::pin(async move { tx.backups().of_server_backup(id).await }));
    found.await.unwrap()
}

/// Every operation in a vault that has not ended.
pub(crate) async fn running(w: &World, vault: &Vault) -> Vec<Operation> {
    let (catalog, id) = (w.catalog().await, vault.id);
    let found = catalog.read(|tx| Box::pin(async move { tx.operations().running_in(id).await }));
    found.await.unwrap()
}

/// An operation as it is now.
pub(crate) async fn operation(w: &World, id: strongroom_model::id::OperationId) -> Operation {
    let catalog = w.catalog().await;
    let found = catalog.read(|tx| Box::pin(async move { tx.operations().find_any(id).await }));
    found.await.unwrap().unwrap()
}

/// Claims the next job and lets it be, as a worker does that is killed at once.
pub(crate) async fn claim_and_die(w: &World) -> Option<(JobId, Claim)> {
    let (catalog, now) = (w.catalog().await, w.service.now());
    let lease = now.plus(std::time::Duration::from_secs(30));
    let claimed =
        catalog.transact(|tx| Box::pin(async move { tx.jobs().claim("killed", now, lease).await }));
    claimed.await.unwrap().map(|claim| (claim.job.id, claim))
}

/// What is refused, by its reason.
pub(crate) fn reason<T: std::fmt::Debug>(outcome: Result<T, Error>) -> strongroom_service::Refusal {
    match outcome.unwrap_err() {
        Error::Refused { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

/// What a backup of a disk holds, found out by restoring it onto a new volume.
pub(crate) async fn digest_of(w: &World, caller: &Caller, backup: &Backup) -> blake3::Hash {
    let (id, request) = (backup.id.to_string(), RestoreRequest::default());
    let restore = w.service.restore_backup(caller, &id, request).await.unwrap();
    w.work().await;
    digest(&w.service.folder().volume(restore.volume_id))
}
