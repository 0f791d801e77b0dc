//! A catalogue per test, and records to put in.

use std::collections::BTreeMap;

use strongroom_catalog::{Catalog, Error};
use strongroom_model::backup::{Backup, BackupStatus, Measured, Origin};
use strongroom_model::chance::{Chance, SeededChance};
use strongroom_model::id::{
    BackupId, DomainId, JobId, ProjectId, SnapshotId, UserId, VaultId, VolumeId,
};
use strongroom_model::job::{Job, JobKind, Subject};
use strongroom_model::size::GiB;
use strongroom_model::snapshot::{Snapshot, SnapshotStatus};
use strongroom_model::time::Timestamp;
use strongroom_model::vault::Vault;
use strongroom_model::volume::{Volume, VolumeStatus};
use strongroom_testkit::database::Database;

/// Makes of each named `async fn(&World)` one test on SQLite and one on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            use strongroom_testkit::database::Database;

            use crate::support::World;

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_sqlite() {
                super::$name(&World::open(Database::sqlite()).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_postgres() {
                super::$name(&World::open(Database::postgres()).await).await;
            }
        }
    )*};
}
pub(crate) use on_both;

/// A catalogue on a database of its own, and a source of ids.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) catalog: Catalog,
    pub(crate) database: Database,
    pub(crate) chance: SeededChance,
}

pub(crate) type Outcome<T = ()> = Result<T, Error>;

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(crate) fn project(name: &str) -> ProjectId {
    ProjectId::parse(name).unwrap()
}

pub(crate) fn pairs(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = of.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    owned.collect()
}

impl World {
    pub(crate) async fn open(database: Database) -> Self {
        Self {
            catalog: Catalog::connect(database.url()).await.unwrap(),
            database,
            chance: SeededChance::new(1),
        }
    }

    /// A number below `end`.
    pub(crate) fn below(&self, end: usize) -> usize {
        let mut bytes = [0; 4];
        self.chance.fill(&mut bytes);
        u32::from_le_bytes(bytes) as usize % end
    }

    /// One of some values.
    pub(crate) fn one_of<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub(crate) fn volume(&self, owner: &str) -> Volume {
        Volume {
            id: VolumeId::random(&self.chance),
            project_id: project(owner),
            user_id: UserId::parse("ann").unwrap(),
            name: Some("disk".to_owned()),
            description: Some("a \"quoted\" text, 100 %".to_owned()),
            size: GiB(3),
            status: VolumeStatus::BackingUp,
            previous_status: Some(VolumeStatus::InUse),
            is_bootable: true,
            availability_zone: "zone-1".to_owned(),
            metadata: pairs(&[("tier", "gold"), ("päth", "C:\\x,\"y\":\"z\"")]),
            snapshot_id: Some(SnapshotId::random(&self.chance)),
            source_volume_id: Some(VolumeId::random(&self.chance)),
            backup_id: Some(BackupId::random(&self.chance)),
            created_at: at(1_000_000),
            updated_at: Some(at(2_000_000)),
        }
    }

    pub(crate) fn snapshot(&self, owner: &str) -> Snapshot {
        Snapshot {
            id: SnapshotId::random(&self.chance),
            project_id: project(owner),
            user_id: UserId::parse("ann").unwrap(),
            volume_id: VolumeId::random(&self.chance),
            name: None,
            description: None,
            size: GiB(2),
            status: SnapshotStatus::BackingUp,
            metadata: pairs(&[]),
            created_at: at(1_000_000),
            updated_at: None,
        }
    }

    /// A vault, and the same kept in the catalogue.
    pub(crate) async fn vault(&self, owner: &str) -> VaultId {
        let found = Vault::default_of(VaultId::random(&self.chance), project(owner), at(0));
        let name = format!("vault-{}", self.below(1 << 30));
        let vault = Vault { name, is_default: false, ..found };
        let stored = &vault;
        self.catalog
            .transact(|tx| Box::pin(async move { tx.vaults().insert(stored).await }))
            .await
            .unwrap();
        vault.id
    }

    pub(crate) fn backup(&self, owner: &str, vault_id: VaultId) -> Backup {
        Backup {
            id: BackupId::random(&self.chance),
            project_id: project(owner),
            user_id: UserId::parse("ann").unwrap(),
            vault_id,
            data_id: BackupId::random(&self.chance),
            volume_id: VolumeId::random(&self.chance),
            snapshot_id: Some(SnapshotId::random(&self.chance)),
            name: Some("Nightly Überblick".to_owned()),
            description: Some(String::new()),
            status: BackupStatus::Restoring,
            fail_reason: Some("the disk said no".to_owned()),
            size: GiB(u32::MAX),
            container: Some("c".to_owned()),
            availability_zone: Some("zone-1".to_owned()),
            is_incremental: true,
            is_bootable: false,
            metadata: pairs(&[("k", "v")]),
            volume_metadata: pairs(&[("tier", "gold")]),
            progress: 40,
            measured: Some(Measured {
                size_bytes: u64::MAX,
                object_count: 7,
                master_key_id: "m1".to_owned(),
                ..Measured::default()
            }),
            policy_id: None,
            expires_at: None,
            wants_full: false,
            origin: Origin::default(),
            restore_volume_id: Some(VolumeId::random(&self.chance)),
            created_at: at(1_000_000),
            updated_at: Some(at(2_000_000)),
            data_timestamp: at(-1),
        }
    }

    pub(crate) fn job(&self, not_before: i64) -> Job {
        Job {
            id: JobId::random(&self.chance),
            kind: JobKind::RestoreBackup {
                backup_id: BackupId::random(&self.chance),
                volume_id: VolumeId::random(&self.chance),
            },
            attempt: 0,
            failures: 3,
            subject: Subject { backup_name: Some("nightly".to_owned()), ..Subject::default() },
            not_before: at(not_before),
            lease_until: None,
            worker: None,
            request_id: "req-1".to_owned(),
            created_at: at(0),
        }
    }

    pub(crate) async fn enqueue(&self, jobs: &[Job]) {
        let work = self.catalog.transact(|tx| {
            Box::pin(async move {
                for job in jobs {
                    tx.jobs().enqueue(job).await?;
                }
                Outcome::Ok(())
            })
        });
        work.await.unwrap();
    }

    pub(crate) async fn insert_backups(&self, backups: &[Backup]) {
        let work = self.catalog.transact(|tx| {
            Box::pin(async move {
                for backup in backups {
                    tx.backups().insert(backup).await?;
                }
                Outcome::Ok(())
            })
        });
        work.await.unwrap();
    }

    pub(crate) async fn insert_volumes(&self, volumes: &[Volume]) {
        let work = self.catalog.transact(|tx| {
            Box::pin(async move {
                for volume in volumes {
                    tx.volumes().insert(volume).await?;
                }
                Outcome::Ok(())
            })
        });
        work.await.unwrap();
    }
}

pub(crate) fn domain_id() -> DomainId {
    DomainId::parse("default").unwrap()
}
