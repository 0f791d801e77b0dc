//! Copies of backups in another region: two whole services with a wire between them that breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use strongroom_catalog::Error as CatalogError;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::chance::{Chance, SeededChance};
use strongroom_model::checkpoint::Checkpoint;
use strongroom_model::id::{BackupId, CheckpointId, ProjectId, ServerId, VaultId};
use strongroom_model::identity::Role;
use strongroom_model::operation::OperationStatus;
use strongroom_model::replication::{Replication, ReplicationSide, ReplicationStatus};
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::size::GiB;
use strongroom_model::vault::{ObjectType, ProtectType, Vault, VaultTerms};
use strongroom_model::volume::Volume;
use strongroom_service::replication::{
    CopyState, Destination, Offer, PartQuestion, PartRequest, Peer, PeerError, PeerFuture, Peers,
    ReplicaSource, WireError,
};
use strongroom_service::restore::RestoreRequest;
use strongroom_service::{Caller, Error, Refusal, Service, Settings};
use tokio::runtime::Handle;

use super::world::{World, new_backup};

/// A wire to a service of the same process. Of every `n` calls one is cut, if `n` is not 0.
#[derive(Debug, Clone)]
struct Wire {
    /// The region that asks.
    own: &'static str,
    /// The region that is asked.
    region: &'static str,
    service: Service,
    /// The number of the call that is cut next; none if 0.
    cut_at: Arc<AtomicU64>,
    calls: Arc<AtomicU64>,
    /// Bytes of all answers about parts.
    bytes: Arc<AtomicU64>,
}

impl Wire {
    fn new(own: &'static str, region: &'static str, service: &Service) -> Self {
        Self {
            own,
            region,
            service: service.clone(),
            cut_at: Arc::default(),
            calls: Arc::default(),
            bytes: Arc::default(),
        }
    }

    fn pass(&self) -> Result<(), PeerError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if call == self.cut_at.load(Ordering::Relaxed) {
            let reason = format!("call {call} is cut");
            return Err(PeerError::Unreachable { region: self.region.to_owned(), reason });
        }
        Ok(())
    }
}

impl Peer for Wire {
    fn check(&self, offer: Offer) -> PeerFuture<'_, ()> {
        Box::pin(async move {
            self.pass()?;
            self.service.check_offer(self.own, &offer).await
        })
    }

    fn offer(&self, offer: Offer) -> PeerFuture<'_, CopyState> {
        Box::pin(async move {
            let state = self.service.accept_offer(self.own, &offer).await?;
            // What is cut here was done over there.
            self.pass()?;
            Ok(state)
        })
    }

    fn state(&self, id: strongroom_model::id::ReplicationId) -> PeerFuture<'_, CopyState> {
        Box::pin(async move {
            self.pass()?;
            self.service.copy_state(self.own, id).await
        })
    }

    fn part(&self, request: PartRequest) -> Arc<dyn ReplicaSource> {
        Arc::new(Part { wire: self.clone(), request, runtime: Handle::current() })
    }
}

struct Part {
    wire: Wire,
    request: PartRequest,
    runtime: Handle,
}

impl Part {
    fn ask(&self, question: PartQuestion) -> Result<Vec<u8>, WireError> {
        let told = |error: PeerError| match error {
            PeerError::Unreachable { reason, .. } => WireError::Cut(reason),
            PeerError::Refused { message, .. } => WireError::Refused(message),
        };
        self.wire.pass().map_err(told)?;
        let asked = self.wire.service.answer_part(self.wire.own, &self.request, question);
        let bytes = self.runtime.block_on(asked).map_err(told)?;
        self.wire.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

impl ReplicaSource for Part {
    fn summary(&self) -> Result<Vec<u8>, WireError> {
        self.ask(PartQuestion::Summary)
    }

    fn outline(&self, page: u64, with_base: bool) -> Result<Vec<u8>, WireError> {
        self.ask(PartQuestion::Outline { page, with_base })
    }

    fn chunks(&self, cells: &[u64]) -> Result<Vec<u8>, WireError> {
        self.ask(PartQuestion::Chunks { cells: cells.to_vec() })
    }
}

/// Two regions, a user in each, and the vault that is to have the copies.
struct Scene {
    here: World,
    there: World,
    owner: Caller,
    receiver: Caller,
    /// From here to there.
    out: Wire,
    /// From there to here.
    back: Wire,
    vault: Vault,
}

impl Scene {
    async fn new(object_type: ObjectType) -> Self {
        let settings = |region: &str| Settings { region: region.to_owned(), ..Settings::default() };
        let here = World::seeded(settings("r1"), 11).await;
        let there = World::seeded(settings("r2"), 22).await;
        let owner = here.project("ours", Role::Member).await;
        let receiver = there.project("theirs", Role::Member).await;
        let vault = plant_vault(&there, &receiver, object_type, ProtectType::Replication).await;
        let out = Wire::new("r1", "r2", &there.service);
        let back = Wire::new("r2", "r1", &here.service);
        let peers = |name: &str, wire: &Wire| {
            Peers::of([(name.to_owned(), Arc::new(wire.clone()) as Arc<dyn Peer>)])
        };
        here.service.connect_peers(peers("r2", &out));
        there.service.connect_peers(peers("r1", &back));
        Self { here, there, owner, receiver, out, back, vault }
    }

    fn to(&self) -> Destination {
        Destination {
            region: "r2".to_owned(),
            project_id: self.vault.project_id.to_string(),
            vault_id: self.vault.id,
            name: None,
            description: None,
        }
    }

    async fn replicate(&self, id: BackupId) -> Result<Replication, Error> {
        let service = &self.here.service;
        let started = service.replicate_backup(&self.owner, &id.to_string(), &self.to()).await?;
        Ok(record(&self.here, started.replication_id).await)
    }

    /// Lets both regions work, and time pass, until nothing is left to do.
    async fn settle(&self) {
        for _ in 0..60 {
            let done = self.here.work().await + self.there.work().await;
            if done == 0 && !self.is_unfinished().await {
                return;
            }
            self.here.clock.advance(Duration::from_secs(2));
            self.there.clock.advance(Duration::from_secs(2));
        }
        panic!("the regions never come to rest");
    }

    async fn is_unfinished(&self) -> bool {
        for world in [&self.here, &self.there] {
            let catalog = world.catalog().await;
            let jobs =
                catalog.read(|tx| Box::pin(async move { tx.jobs().list_unfinished().await }));
            if !jobs.await.unwrap().is_empty() {
                return true;
            }
        }
        false
    }

    /// The copies that are listed over there, oldest first.
    async fn copies(&self) -> Vec<Backup> {
        let (catalog, vault) = (self.there.catalog().await, self.vault.id);
        let found = catalog.read(|tx| Box::pin(async move { tx.backups().of_vault(vault).await }));
        let mut found = found.await.unwrap();
        found.reverse();
        found
    }

    /// Restores a copy onto a new volume over there.
    async fn restored(&self, copy: &Backup) -> Volume {
        let service = &self.there.service;
        let id = copy.id.to_string();
        let request = RestoreRequest::default();
        let restore = service.restore_backup(&self.receiver, &id, request).await.unwrap();
        self.there.work().await;
        service.volume(&self.receiver, &restore.volume_id.to_string()).await.unwrap()
    }
}

fn project_of(caller: &Caller) -> ProjectId {
    caller.project(Role::Reader, "test").unwrap().clone()
}

async fn plant_vault(
    world: &World,
    owner: &Caller,
    object_type: ObjectType,
    protect_type: ProtectType,
) -> Vault {
    let chance = SeededChance::new(world.service.now().as_micros().unsigned_abs() + 5);
    let id = VaultId::random(&chance);
    let vault = Vault {
        name: "copies".to_owned(),
        is_default: false,
        size: GiB(100),
        terms: VaultTerms::of(object_type, protect_type),
        ..Vault::default_of(id, project_of(owner), world.service.now())
    };
    let (catalog, row) = (world.catalog().await, &vault);
    let planted = catalog.transact(|tx| Box::pin(async move { tx.vaults().insert(row).await }));
    planted.await.unwrap();
    vault
}

async fn record(world: &World, id: strongroom_model::id::ReplicationId) -> Replication {
    let catalog = world.catalog().await;
    let found = catalog.read(|tx| Box::pin(async move { tx.replications().find(id).await }));
    found.await.unwrap().unwrap()
}

async fn operation_status(world: &World, backup: BackupId) -> Vec<OperationStatus> {
    let catalog = world.catalog().await;
    let running =
        catalog.read(|tx| Box::pin(async move { tx.operations().running_of(backup).await }));
    running.await.unwrap().into_iter().map(|operation| operation.status).collect()
}

fn reason(error: Error) -> Refusal {
    match error {
        Error::Refused { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_is_replicated_and_restored_in_the_other_region() {
    let s = Scene::new(ObjectType::Disk).await;
    let volume = s.here.written_volume(&s.owner, "precious").await;
    let backup = s.here.backup(&s.owner, &volume).await;
    let begun = s.replicate(backup.id).await.unwrap();
    assert_eq!((begun.status, begun.side), (ReplicationStatus::Waiting, ReplicationSide::Source));
    s.settle().await;

    let [copy] = s.copies().await.try_into().unwrap();
    assert_eq!(copy.status, BackupStatus::Available);
    assert!(copy.origin.is_replica && copy.measured.is_some());
    assert_eq!((copy.volume_id, &copy.name), (backup.volume_id, &backup.name));
    let (ours, theirs) = (record(&s.here, begun.id).await, record(&s.there, begun.id).await);
    for (record, own) in [(&ours, backup.id), (&theirs, copy.id)] {
        assert_eq!(record.status, ReplicationStatus::Success);
        assert_eq!((record.backup_id, record.progress), (own, 100));
        assert_eq!(record.destination_backup_id, Some(copy.id));
        assert_eq!(record.destination_checkpoint_id, Some(copy.checkpoint_id()));
        assert_eq!(record.source_backup_id, backup.id);
    }
    assert_eq!(operation_status(&s.here, backup.id).await, []);
    assert_eq!(operation_status(&s.there, copy.id).await, []);
    let restored = s.restored(&copy).await;
    assert_eq!(s.there.digest(&restored), s.here.digest(&volume));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_copy_sends_what_changed_and_the_same_is_not_made_twice() {
    let s = Scene::new(ObjectType::Disk).await;
    let volume = s.here.written_volume(&s.owner, "first").await;
    let mut noise = vec![0; 8 << 20];
    SeededChance::new(4).fill(&mut noise);
    let file = std::fs::OpenOptions::new().write(true).open(s.here.path(&volume)).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &noise, 64 << 20).unwrap();
    let first = s.here.backup(&s.owner, &volume).await;
    s.replicate(first.id).await.unwrap();
    s.settle().await;
    let before = s.back.bytes.load(Ordering::Relaxed);
    assert_eq!(reason(s.replicate(first.id).await.unwrap_err()), Refusal::ReplicaExists);

    s.here.clock.advance(Duration::from_secs(60));
    std::os::unix::fs::FileExt::write_all_at(&file, b"second", 700 << 20).unwrap();
    let second = s.here.backup(&s.owner, &volume).await;
    s.replicate(second.id).await.unwrap();
    s.settle().await;
    let sent = s.back.bytes.load(Ordering::Relaxed) - before;
    assert!(sent < before / 50, "{sent} bytes the second time, {before} the first");
    let copies = s.copies().await;
    assert_eq!(copies.len(), 2);
    let restored = s.restored(&copies[1]).await;
    assert_eq!(s.there.digest(&restored), s.here.digest(&volume));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cut_is_gone_on_from() {
    let s = Scene::new(ObjectType::Disk).await;
    let volume = s.here.written_volume(&s.owner, "whatever happens").await;
    let digest = s.here.digest(&volume);
    for (wire, cut_at) in [(&s.out, 2), (&s.out, 3), (&s.back, 1), (&s.back, 2), (&s.back, 4)] {
        s.here.clock.advance(Duration::from_secs(60));
        let backup = s.here.backup(&s.owner, &volume).await;
        let known = s.copies().await.len();
        wire.calls.store(0, Ordering::Relaxed);
        wire.cut_at.store(cut_at, Ordering::Relaxed);
        let begun = s.replicate(backup.id).await.unwrap();
        s.settle().await;
        wire.cut_at.store(0, Ordering::Relaxed);
        let record = record(&s.here, begun.id).await;
        assert_eq!(record.status, ReplicationStatus::Success, "cut at {cut_at}");
        let copies = s.copies().await;
        assert_eq!(copies.len(), known + 1, "cut at {cut_at}");
        let restored = s.restored(&copies[known]).await;
        assert_eq!(s.there.digest(&restored), digest, "cut at {cut_at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_replicated_as_a_whole() {
    let s = Scene::new(ObjectType::Server).await;
    let one = s.here.written_volume(&s.owner, "root").await;
    let two = s.here.written_volume(&s.owner, "data").await;
    let vault = plant_vault(&s.here, &s.owner, ObjectType::Server, ProtectType::Backup).await;
    let server = plant_server_backup(&s, &vault, &[&one, &two]).await;
    let begun = s.replicate(server.id).await.unwrap();
    s.settle().await;
    assert_eq!(record(&s.here, begun.id).await.status, ReplicationStatus::Success);
    let theirs = record(&s.there, begun.id).await;
    let (catalog, id) = (s.there.catalog().await, theirs.backup_id);
    let found = catalog.read(|tx| Box::pin(async move { tx.server_backups().find_any(id).await }));
    let whole = found.await.unwrap().unwrap();
    assert_eq!(whole.status, BackupStatus::Available);
    assert_eq!(whole.documents, server.documents);
    assert!(whole.is_replica);
    for (copy, volume) in s.copies().await.iter().zip([&one, &two]) {
        assert_eq!(copy.origin.server_backup_id, Some(whole.id));
        let restored = s.restored(copy).await;
        assert_eq!(s.there.digest(&restored), s.here.digest(volume));
    }
}

/// An available backup of a server with those disks, as the checkpoint's job leaves it.
async fn plant_server_backup(s: &Scene, vault: &Vault, disks: &[&Volume]) -> ServerBackup {
    let chance = SeededChance::new(99);
    let checkpoint_id = CheckpointId(chance.uuid());
    let mut backups = Vec::new();
    for disk in disks {
        backups.push(s.here.backup(&s.owner, disk).await);
    }
    let now = s.here.service.now();
    let server = ServerBackup {
        id: BackupId::random(&chance),
        project_id: vault.project_id.clone(),
        user_id: s.owner.user_id.clone(),
        vault_id: vault.id,
        checkpoint_id,
        server_id: ServerId(chance.uuid()),
        server_name: "web-1".to_owned(),
        name: "nightly".to_owned(),
        description: None,
        status: BackupStatus::Available,
        fail_reason: None,
        size: GiB(2),
        availability_zone: None,
        architecture: Some("x86_64".to_owned()),
        has_system_disk: true,
        is_incremental: false,
        is_automatic: false,
        is_replica: false,
        wants_full: false,
        policy_id: None,
        expires_at: None,
        documents: Some("{\"server\":{}}".to_owned()),
        restore_server_id: None,
        created_at: now,
        updated_at: None,
        protected_at: Some(now),
    };
    let checkpoint = Checkpoint {
        id: checkpoint_id,
        project_id: vault.project_id.clone(),
        user_id: s.owner.user_id.clone(),
        vault_id: vault.id,
        policy_id: None,
        name: "nightly".to_owned(),
        description: String::new(),
        is_automatic: false,
        retention_days: None,
        skipped: Vec::new(),
        created_at: now,
    };
    let (row, run, children) = (&server, &checkpoint, &backups);
    let catalog = s.here.catalog().await;
    let planted = catalog.transact(|tx| {
        Box::pin(async move {
            tx.checkpoints().insert(run).await?;
            tx.server_backups().insert(row).await?;
            for child in children {
                let mut child = child.clone();
                child.origin.server_backup_id = Some(row.id);
                child.origin.checkpoint_id = Some(run.id);
                tx.backups().update(&child).await?;
            }
            Ok::<_, CatalogError>(())
        })
    });
    planted.await.unwrap();
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_copied_is_refused_before_anything_is_begun() {
    let s = Scene::new(ObjectType::Disk).await;
    let volume = s.here.written_volume(&s.owner, "x").await;
    let making = s.here.service.create_backup(&s.owner, new_backup(&volume)).await.unwrap();
    assert_eq!(reason(s.replicate(making.id).await.unwrap_err()), Refusal::NotReplicable);
    s.here.work().await;
    let id = making.id.to_string();
    let service = &s.here.service;
    let wrong = [
        (Destination { region: "r1".to_owned(), ..s.to() }, Refusal::RegionUnknown),
        (Destination { region: "r3".to_owned(), ..s.to() }, Refusal::RegionUnknown),
        (Destination { project_id: "nobody".to_owned(), ..s.to() }, Refusal::DestinationMissing),
        (Destination { vault_id: making.vault_id, ..s.to() }, Refusal::DestinationMissing),
    ];
    for (to, expected) in wrong {
        let refused = service.replicate_backup(&s.owner, &id, &to).await.unwrap_err();
        assert_eq!(reason(refused), expected, "{to:?}");
    }
    let unfit = plant_vault(&s.there, &s.receiver, ObjectType::Server, ProtectType::Replication);
    s.there.clock.advance(Duration::from_secs(1));
    let to = Destination { vault_id: unfit.await.id, ..s.to() };
    let refused = service.replicate_backup(&s.owner, &id, &to).await.unwrap_err();
    assert_eq!(reason(refused), Refusal::DestinationUnfit);
    let foreign = s.here.project("foreign", Role::Member).await;
    let missing = service.replicate_backup(&foreign, &id, &s.to()).await.unwrap_err();
    assert!(matches!(missing, Error::BackupNotFound(_)), "{missing}");
    assert_eq!(s.copies().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_are_handed_out_only_for_what_is_on_offer() {
    let s = Scene::new(ObjectType::Disk).await;
    let volume = s.here.written_volume(&s.owner, "secret").await;
    let backup = s.here.backup(&s.owner, &volume).await;
    let other = s.here.backup(&s.owner, &s.here.written_volume(&s.owner, "other").await).await;
    let begun = s.replicate(backup.id).await.unwrap();
    let naming = serde_json::from_value(serde_json::json!("00".repeat(32))).unwrap();
    let request =
        PartRequest { replication_id: begun.id, backup_id: backup.id, base_id: None, naming };
    let ask = |region: &'static str, request: PartRequest| {
        let service = s.here.service.clone();
        async move { service.answer_part(region, &request, PartQuestion::Summary).await.is_ok() }
    };
    assert!(ask("r2", request.clone()).await);
    assert!(!ask("r3", request.clone()).await);
    assert!(!ask("r2", PartRequest { backup_id: other.id, ..request.clone() }).await);
    s.settle().await;
    assert!(!ask("r2", request).await, "the replication is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_deleted_over_there_can_be_made_again() {
    let s = Scene::new(ObjectType::Disk).await;
    let volume = s.here.written_volume(&s.owner, "again").await;
    let backup = s.here.backup(&s.owner, &volume).await;
    s.replicate(backup.id).await.unwrap();
    s.settle().await;
    let [copy] = s.copies().await.try_into().unwrap();
    s.there.service.delete_backup(&s.receiver, &copy.id.to_string(), false).await.unwrap();
    s.settle().await;
    let again = s.replicate(backup.id).await.unwrap();
    s.settle().await;
    assert_eq!(record(&s.here, again.id).await.status, ReplicationStatus::Success);
    let [copy] = s.copies().await.try_into().unwrap();
    let restored = s.restored(&copy).await;
    assert_eq!(s.there.digest(&restored), s.here.digest(&volume));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_stays_away_ends_in_a_failure_that_says_so() {
    let s = Scene::new(ObjectType::Disk).await;
    let volume = s.here.written_volume(&s.owner, "patience").await;
    let backup = s.here.backup(&s.owner, &volume).await;
    let begun = s.replicate(backup.id).await.unwrap();
    for day in 0..2 {
        let next = s.out.calls.load(Ordering::Relaxed) + 1;
        s.out.cut_at.store(next, Ordering::Relaxed);
        s.here.work().await;
        let status = record(&s.here, begun.id).await.status;
        let expected = [ReplicationStatus::Waiting, ReplicationStatus::Fail][day];
        assert_eq!(status, expected);
        s.here.clock.advance(Duration::from_secs(25 * 3600));
    }
    let failed = record(&s.here, begun.id).await;
    assert!(failed.message.unwrap().contains("r2"));
    assert_eq!(operation_status(&s.here, backup.id).await, []);
}
