//! Rows put into the catalogue as another process would, where no door makes them with such ids.

use strongroom_model::backup::{Backup, BackupStatus, Origin};
use strongroom_model::id::{
    BackupId, CheckpointId, OperationId, ProjectId, ServerId, UserId, VaultId, VolumeId,
};
use strongroom_model::operation::{Operation, OperationDetail, OperationKind, OperationStatus};
use strongroom_model::project::Project;
use strongroom_model::replication::Replication;
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::size::GiB;
use strongroom_model::time::Timestamp;
use strongroom_model::vault::{ObjectType, ProtectType, Vault, VaultTerms};
use strongroom_service::Error;

use crate::world::World;

/// What a test puts into the catalogue.
pub(crate) enum Row {
    Project(Project),
    Vault(Vault),
    Disk(Backup),
    Server(ServerBackup),
    Operation(Operation),
    Replication(Replication),
}

/// Puts rows in, in their order.
pub(crate) async fn plant(world: &World, rows: &[Row]) {
    let catalog = world.catalog().await;
    let work = catalog.transact(|tx| {
        Box::pin(async move {
            for row in rows {
                match row {
                    Row::Project(project) => tx.projects().insert(project).await?,
                    Row::Vault(vault) => tx.vaults().insert(vault).await?,
                    Row::Disk(backup) => tx.backups().insert(backup).await?,
                    Row::Server(backup) => tx.server_backups().insert(backup).await?,
                    Row::Operation(operation) => tx.operations().insert(operation).await?,
                    Row::Replication(one) => tx.replications().insert(one).await?,
                }
            }
            Ok::<_, Error>(())
        })
    });
    work.await.unwrap();
}

/// An id that tells its number.
pub(crate) fn numbered(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(crate) fn project(id: &str) -> ProjectId {
    ProjectId::parse(id).unwrap()
}

fn user() -> UserId {
    UserId::parse("38d65be2ecd840d19046e239e841a734").unwrap()
}

/// An empty vault of 100 GiB.
pub(crate) fn vault(owner: &str, id: &str, object_type: ObjectType) -> Vault {
    Vault {
        id: VaultId::parse(id).unwrap(),
        project_id: project(owner),
        user_id: Some(user()),
        name: "nightly".to_owned(),
        description: None,
        is_default: false,
        size: GiB(100),
        status: strongroom_model::vault::VaultStatus::Available,
        is_locked: false,
        terms: VaultTerms::of(object_type, ProtectType::Backup),
        created_at: at("2026-01-15T08:00:00.000001Z"),
    }
}

/// An available backup of a disk, made by itself.
pub(crate) fn disk(owner: &str, vault: &str, id: &str) -> Backup {
    Backup {
        id: BackupId::parse(id).unwrap(),
        project_id: project(owner),
        user_id: user(),
        vault_id: VaultId::parse(vault).unwrap(),
        data_id: BackupId::parse(id).unwrap(),
        volume_id: VolumeId::parse(&numbered(0xd15c)).unwrap(),
        snapshot_id: None,
        name: Some("manualbk_0001".to_owned()),
        description: None,
        status: BackupStatus::Available,
        fail_reason: None,
        size: GiB(40),
        container: None,
        availability_zone: Some("az1".to_owned()),
        is_incremental: false,
        is_bootable: false,
        metadata: std::collections::BTreeMap::new(),
        volume_metadata: std::collections::BTreeMap::new(),
        progress: 100,
        measured: None,
        restore_volume_id: None,
        policy_id: None,
        expires_at: None,
        wants_full: false,
        origin: Origin { volume_name: Some("data-1".to_owned()), ..Origin::default() },
        created_at: at("2026-01-15T22:00:03.120450Z"),
        updated_at: None,
        data_timestamp: at("2026-01-15T22:00:03.120450Z"),
    }
}

/// An available backup of a server.
pub(crate) fn server(owner: &str, vault: &str, id: &str) -> ServerBackup {
    ServerBackup {
        id: BackupId::parse(id).unwrap(),
        project_id: project(owner),
        user_id: user(),
        vault_id: VaultId::parse(vault).unwrap(),
        checkpoint_id: CheckpointId::parse(&numbered(0xc0)).unwrap(),
        server_id: ServerId::parse(&numbered(0x5e)).unwrap(),
        server_name: "web-1".to_owned(),
        name: "manualbk_7f3a".to_owned(),
        description: None,
        status: BackupStatus::Available,
        fail_reason: None,
        size: GiB(40),
        availability_zone: Some("az1".to_owned()),
        architecture: Some("x86_64".to_owned()),
        has_system_disk: true,
        is_incremental: true,
        is_automatic: false,
        is_replica: false,
        wants_full: false,
        policy_id: None,
        expires_at: None,
        documents: None,
        restore_server_id: None,
        created_at: at("2026-01-15T22:00:03.120450Z"),
        updated_at: Some(at("2026-01-15T22:04:10.000210Z")),
        protected_at: None,
    }
}

/// The backup of a disk of a server.
pub(crate) fn part_of(whole: &ServerBackup, id: &str) -> Backup {
    let alone = disk(whole.project_id.as_str(), &whole.vault_id.to_string(), id);
    Backup {
        name: Some(format!("{}_web-1-root", whole.name)),
        is_bootable: true,
        origin: Origin {
            checkpoint_id: Some(whole.checkpoint_id),
            server_backup_id: Some(whole.id),
            is_automatic: whole.is_automatic,
            is_replica: false,
            volume_name: Some("web-1-root".to_owned()),
        },
        ..alone
    }
}

/// An operation that ended well.
pub(crate) fn operation(owner: &str, id: &str, kind: OperationKind) -> Operation {
    Operation {
        id: OperationId::parse(id).unwrap(),
        kind,
        status: OperationStatus::Success,
        project_id: project(owner),
        vault_id: None,
        vault_name: None,
        object_type: Some(ObjectType::Server),
        checkpoint_id: None,
        policy_id: None,
        resource: None,
        backup_id: None,
        backup_name: None,
        job_id: None,
        detail: OperationDetail::default(),
        fault: None,
        message: None,
        progress: 100,
        request_id: "req-5d".to_owned(),
        created_at: at("2026-01-16T09:00:00.100000Z"),
        updated_at: at("2026-01-16T09:03:12.500000Z"),
        ended_at: Some(at("2026-01-16T09:03:12.500000Z")),
    }
}
