//! Shared backups: who may share, what a share opens, and that nothing is left when it ends.

use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use strongroom_engine::Store;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::chance::SeededChance;
use strongroom_model::id::{ProjectId, ShareId};
use strongroom_model::identity::Role;
use strongroom_model::page::Start;
use strongroom_model::share::{Share, ShareStatus};
use strongroom_model::tag::{Tagged, Tags};
use strongroom_model::volume::{Volume, VolumeStatus};
use strongroom_service::backup::{BackupChange, BackupListing};
use strongroom_service::metadata::MetadataChange;
use strongroom_service::restore::RestoreRequest;
use strongroom_service::share::{RECIPIENTS_MAX, ShareListing};
use strongroom_service::volume::{NewVolume, VolumeChange, VolumeDeletion, VolumeOrigin};
use strongroom_service::{Caller, CallerScope, Error, Kind, Settings};
use strongroom_testkit::store::FaultyStore;

use super::world::{World, new_backup};

fn project_of(caller: &Caller) -> ProjectId {
    match &caller.scope {
        CallerScope::Project(project) => project.clone(),
        other => panic!("{other:?} is no project"),
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> Kind {
    result.unwrap_err().kind()
}

/// An owner with a backup of a bootable volume with metadata, and somebody else.
struct Scene {
    w: World,
    owner: Caller,
    other: Caller,
    volume: Volume,
    backup: Backup,
}

impl Scene {
    async fn new() -> Self {
        Self::of(World::new().await, Role::Member).await
    }

    async fn of(w: World, role: Role) -> Self {
        let owner = w.project("alpha", Role::Member).await;
        let other = w.project("beta", role).await;
        let volume = w.written_volume(&owner, "theirs").await;
        let change = VolumeChange {
            metadata: Some(MetadataChange::Replace(Tags::from([(
                "inner".to_owned(),
                "secret".to_owned(),
            )]))),
            is_bootable: Some(true),
            ..VolumeChange::default()
        };
        let volume = w.service.update_volume(&owner, &volume.id.to_string(), change).await.unwrap();
        let backup = w.backup(&owner, &volume).await;
        Self { w, owner, other, volume, backup }
    }

    fn id(&self) -> String {
        self.backup.id.to_string()
    }

    async fn share(&self) -> Share {
        let with = [project_of(&self.other)];
        let mut shares = self.w.service.share_backup(&self.owner, &self.id(), &with).await.unwrap();
        shares.remove(0)
    }

    async fn end(&self, share: &Share) {
        self.w.service.end_share(&self.owner, &share.id.to_string()).await.unwrap();
    }

    async fn make_volume(&self, caller: &Caller) -> Result<Volume, Error> {
        let origin = VolumeOrigin::Backup(self.backup.id);
        self.w.service.create_volume(caller, NewVolume { origin, ..NewVolume::default() }).await
    }

    /// The status of a volume of the recipient's, and whether its file holds anything.
    async fn outcome(&self, volume: &Volume) -> (VolumeStatus, bool) {
        let status = self.w.show_volume(&self.other, volume).await.status;
        let file = std::fs::metadata(self.w.path(volume));
        (status, file.is_ok_and(|file| file.blocks() > 0))
    }
}

const EMPTY_ERROR: (VolumeStatus, bool) = (VolumeStatus::Error, false);

#[tokio::test]
async fn only_an_available_backup_of_ones_own_is_shared_and_only_with_others() {
    let s = Scene::new().await;
    let (service, id) = (&s.w.service, s.id());
    let (own, beta) = (project_of(&s.owner), project_of(&s.other));
    let share = async |caller: &Caller, id: &str, with: &[ProjectId]| {
        service.share_backup(caller, id, with).await
    };
    assert!(matches!(share(&s.owner, &id, &[]).await, Err(Error::Invalid { .. })));
    let many: Vec<_> =
        (0..=RECIPIENTS_MAX).map(|n| ProjectId::parse(&format!("p{n}")).unwrap()).collect();
    assert!(matches!(share(&s.owner, &id, &many).await, Err(Error::Invalid { .. })));
    let with_self = share(&s.owner, &id, &[beta.clone(), own]).await;
    assert!(matches!(with_self, Err(Error::ShareWithOwner)));
    for missing in ["no-uuid", "44444444-4444-4444-8444-444444444444"] {
        let refusal = share(&s.owner, missing, std::slice::from_ref(&beta)).await;
        assert!(matches!(refusal, Err(Error::BackupNotFound(_))));
    }
    let elsewhere = [ProjectId::parse("gamma").unwrap()];
    for stranger in [&s.other, &s.w.admin] {
        let refusal = share(stranger, &id, &elsewhere).await;
        assert!(matches!(refusal, Err(Error::BackupNotFound(_))));
    }
    let nothing = ShareListing { limit: 9, ..ShareListing::default() };
    assert_eq!(service.shares(&s.owner, nothing).await.unwrap().items, []);
    let unfinished = service.create_backup(&s.owner, new_backup(&s.volume)).await.unwrap();
    let refusal = share(&s.owner, &unfinished.id.to_string(), &[beta]).await;
    assert!(matches!(refusal, Err(Error::BackupNotShareable(BackupStatus::Creating))));
}

#[tokio::test]
async fn a_reader_looks_at_shares_and_changes_none() {
    let s = Scene::new().await;
    let share = s.share().await;
    let project = project_of(&s.owner);
    s.w.user("rita", &project, Role::Reader).await;
    let rita = super::world::log_in(&s.w.service, "rita", "password", "alpha").await;
    let (service, id) = (&s.w.service, share.id.to_string());
    assert_eq!(service.share(&rita, &id).await.unwrap().share, share);
    let with = [project_of(&s.other)];
    assert_eq!(refused(service.share_backup(&rita, &s.id(), &with).await), Kind::Forbidden);
    assert_eq!(refused(service.end_share(&rita, &id).await), Kind::Forbidden);
    assert_eq!(refused(service.end_shares_of(&rita, &s.id()).await), Kind::Forbidden);
}

#[tokio::test]
async fn sharing_again_returns_the_share_there_is() {
    let s = Scene::new().await;
    let first = s.share().await;
    s.w.clock.advance(Duration::from_secs(1));
    let gamma = ProjectId::parse("gamma").unwrap();
    let with = [gamma.clone(), project_of(&s.other), gamma.clone()];
    let shares = s.w.service.share_backup(&s.owner, &s.id(), &with).await.unwrap();
    assert_eq!(shares.iter().map(|it| &it.to_project_id).collect::<Vec<_>>(), with.each_ref());
    assert_eq!((&shares[1], &shares[0]), (&first, &shares[2]));
    assert_ne!(shares[0].id, first.id);
    let delta = [ProjectId::parse("delta").unwrap()];
    let id = s.id();
    let (one, two) = tokio::join!(
        s.w.service.share_backup(&s.owner, &id, &delta),
        s.w.service.share_backup(&s.owner, &id, &delta)
    );
    assert_eq!(one.unwrap(), two.unwrap());
}

#[tokio::test]
async fn both_sides_see_a_share_and_nobody_else_does() {
    let s = Scene::new().await;
    let share = s.share().await;
    let third = s.w.project("gamma", Role::Admin).await;
    let (service, id) = (&s.w.service, share.id.to_string());
    for side in [&s.owner, &s.other] {
        let shown = service.share(side, &id).await.unwrap();
        assert_eq!((&shown.share, shown.backup.id), (&share, s.backup.id));
    }
    assert!(matches!(service.share(&third, &id).await, Err(Error::ShareNotFound(_))));
    assert!(matches!(service.share(&s.owner, "x").await, Err(Error::ShareNotFound(_))));
    for (caller, to_me, count) in [
        (&s.owner, false, 1),
        (&s.owner, true, 0),
        (&s.other, true, 1),
        (&s.other, false, 0),
        (&third, true, 0),
        (&third, false, 0),
    ] {
        let listing = ShareListing { to_me, limit: 9, with_total: true, ..Default::default() };
        let page = service.shares(caller, listing).await.unwrap();
        assert_eq!((page.items.len(), page.total), (count, Some(count as u64)));
    }
    for stranger in [&s.other, &third] {
        assert!(matches!(service.end_share(stranger, &id).await, Err(Error::ShareNotFound(_))));
        let all = service.end_shares_of(stranger, &s.id()).await;
        assert!(matches!(all, Err(Error::ShareNotFound(_))));
    }
    service.end_shares_of(&s.owner, &s.id()).await.unwrap();
    let again = service.end_shares_of(&s.owner, &s.id()).await;
    assert!(matches!(again, Err(Error::ShareNotFound(_))));
    assert!(matches!(service.end_share(&s.owner, &id).await, Err(Error::ShareNotFound(_))));
}

#[tokio::test]
async fn a_recipient_sees_the_backup_without_what_is_only_its_owners() {
    let s = Scene::new().await;
    let change = BackupChange {
        metadata: Some(MetadataChange::Replace(Tags::from([(
            "note".to_owned(),
            "internal".to_owned(),
        )]))),
        ..BackupChange::default()
    };
    s.w.service.update_backup(&s.owner, &s.id(), change).await.unwrap();
    let share = s.share().await;
    // A restore that failed leaves its reason, which names a volume of the owner's.
    let target = RestoreRequest { volume_id: Some(s.volume.id), name: None };
    s.w.service.restore_backup(&s.owner, &s.id(), target).await.unwrap();
    let available = BackupStatus::Available;
    let admin = &s.w.admin;
    s.w.service.reset_backup(admin, &s.id(), available).await.unwrap();
    s.w.work().await;
    let whole = s.w.show(&s.owner, &s.backup).await;
    assert!(whole.fail_reason.is_some());
    assert!(!whole.measured.as_ref().unwrap().master_key_id.is_empty());
    assert!(!whole.metadata.is_empty() && !whole.volume_metadata.is_empty());
    let listing = ShareListing { to_me: true, limit: 9, ..ShareListing::default() };
    let listed = s.w.service.shares(&s.other, listing).await.unwrap().items.remove(0).backup;
    let shown = s.w.service.share(&s.other, &share.id.to_string()).await.unwrap().backup;
    for seen in [s.w.show(&s.other, &s.backup).await, listed, shown] {
        assert_eq!(seen.fail_reason, None);
        assert_eq!((seen.id, &seen.name, seen.status), (whole.id, &whole.name, whole.status));
        assert_eq!(seen.measured.unwrap().master_key_id, "");
        assert!(seen.metadata.is_empty() && seen.volume_metadata.is_empty());
    }
}

#[tokio::test]
async fn a_recipient_makes_a_volume_with_the_bytes_and_not_the_metadata() {
    let s = Scene::new().await;
    s.share().await;
    let made = s.make_volume(&s.other).await.unwrap();
    s.w.work().await;
    let made = s.w.show_volume(&s.other, &made).await;
    assert_eq!((made.status, made.is_bootable), (VolumeStatus::Available, true));
    assert!(made.metadata.is_empty(), "{:?}", made.metadata);
    assert_eq!(s.w.digest(&made), s.w.digest(&s.volume));
    let own = s.make_volume(&s.owner).await.unwrap();
    assert_eq!(own.metadata, s.volume.metadata);
    s.w.work().await;
}

/// Everything that a share does not open, as the recipient and the admin of its project try it.
async fn check_closed(s: &Scene, member: &Caller, admin: &Caller, own: &Volume) {
    let (v, id, kind) = (&s.w.service, &s.id(), Tagged::Backup);
    let tags = Tags::from([("a".to_owned(), "b".to_owned())]);
    let onto = RestoreRequest { volume_id: Some(own.id), name: None };
    let delta = [ProjectId::parse("delta").unwrap()];
    let marker =
        BackupListing { start: Start::After(s.backup.id), limit: 9, ..BackupListing::default() };
    for caller in [member, admin] {
        let kinds = [
            refused(v.own_backup(caller, id).await),
            refused(v.update_backup(caller, id, BackupChange::default()).await),
            refused(v.delete_backup(caller, id, false).await),
            refused(v.restore_backup(caller, id, RestoreRequest::default()).await),
            refused(v.restore_backup(caller, id, onto.clone()).await),
            refused(v.share_backup(caller, id, &delta).await),
            refused(v.end_shares_of(caller, id).await),
            refused(v.tags(caller, kind, id).await),
            refused(v.add_tags(caller, kind, id, &tags).await),
            refused(v.replace_tags(caller, kind, id, &tags).await),
            refused(v.remove_tags(caller, kind, id, &["a".to_owned()]).await),
            refused(v.create_backup(caller, new_backup(&s.volume)).await),
            refused(v.backups(caller, marker.clone()).await),
        ];
        assert_eq!(kinds, [Kind::NotFound; 13]);
        let listing = BackupListing { all_projects: true, limit: 9, ..BackupListing::default() };
        assert_eq!(v.backups(caller, listing).await.unwrap().items, []);
        assert!(v.all_tags(caller, kind).await.unwrap().is_empty());
        let found = v.tagged(caller, kind, Default::default()).await.unwrap();
        assert_eq!((found.items.len(), found.total), (0, Some(0)));
    }
    assert_eq!(refused(v.delete_backup(admin, id, true).await), Kind::NotFound);
    assert_eq!(refused(v.export_backup(admin, id).await), Kind::NotFound);
    assert_eq!(refused(v.reset_backup(admin, id, BackupStatus::Error).await), Kind::NotFound);
}

#[tokio::test]
async fn a_share_opens_nothing_else_and_nothing_when_it_has_ended() {
    let s = Scene::new().await;
    let tags = Tags::from([("k".to_owned(), "v".to_owned())]);
    s.w.service.add_tags(&s.owner, Tagged::Backup, &s.id(), &tags).await.unwrap();
    let own = s.w.volume(&s.other).await;
    s.w.user("boss", &project_of(&s.other), Role::Admin).await;
    let boss = super::world::log_in(&s.w.service, "boss", "password", "beta").await;
    let share = s.share().await;
    check_closed(&s, &s.other, &boss, &own).await;
    assert!(s.w.service.backup(&s.other, &s.id()).await.is_ok());
    s.end(&share).await;
    check_closed(&s, &s.other, &boss, &own).await;
    for caller in [&s.other, &boss] {
        let gone = s.w.service.backup(caller, &s.id()).await;
        assert!(matches!(gone, Err(Error::BackupNotFound(id)) if id == s.id()));
        assert_eq!(refused(s.make_volume(caller).await), Kind::NotFound);
        let share = s.w.service.share(caller, &share.id.to_string()).await;
        assert_eq!(refused(share), Kind::NotFound);
    }
    assert_eq!(s.w.work().await, 0, "nothing was begun");
    assert_eq!(s.w.show(&s.owner, &s.backup).await, s.backup);
}

#[tokio::test]
async fn a_share_that_is_not_taken_opens_nothing() {
    let s = Scene::new().await;
    let share = &Share {
        id: ShareId::random(&SeededChance::new(3)),
        backup_id: s.backup.id,
        from_project_id: project_of(&s.owner),
        to_project_id: project_of(&s.other),
        status: ShareStatus::Pending,
        vault_id: None,
        created_at: s.w.service.now(),
        updated_at: None,
    };
    let catalog = s.w.catalog().await;
    let insert = catalog.transact(|tx| Box::pin(async move { tx.shares().insert(share).await }));
    insert.await.unwrap();
    assert_eq!(refused(s.w.service.backup(&s.other, &s.id()).await), Kind::NotFound);
    assert_eq!(refused(s.make_volume(&s.other).await), Kind::NotFound);
}

#[tokio::test]
async fn the_cloud_admin_needs_no_share_and_loses_nothing_with_one() {
    let s = Scene::new().await;
    let admin = &s.w.admin;
    let made = s.make_volume(admin).await.unwrap();
    assert_eq!(made.metadata, s.volume.metadata);
    let with = [project_of(admin)];
    let shares = s.w.service.share_backup(&s.owner, &s.id(), &with).await.unwrap();
    s.end(&shares[0]).await;
    s.w.work().await;
    let made = s.w.show_volume(admin, &made).await;
    assert_eq!(made.status, VolumeStatus::Available);
    assert_eq!(s.w.digest(&made), s.w.digest(&s.volume));
}

#[tokio::test]
async fn deleting_a_backup_ends_its_shares_at_once() {
    let s = Scene::new().await;
    s.share().await;
    let volume = s.make_volume(&s.other).await.unwrap();
    s.w.service.delete_backup(&s.owner, &s.id(), false).await.unwrap();
    assert_eq!(refused(s.w.service.backup(&s.other, &s.id()).await), Kind::NotFound);
    let listing = ShareListing { limit: 9, ..ShareListing::default() };
    assert_eq!(s.w.service.shares(&s.owner, listing).await.unwrap().items, []);
    s.w.work().await;
    assert_eq!(s.outcome(&volume).await, EMPTY_ERROR);
}

#[tokio::test]
async fn a_share_that_ended_before_the_job_began_makes_no_volume() {
    let s = Scene::new().await;
    let share = s.share().await;
    let volume = s.make_volume(&s.other).await.unwrap();
    s.end(&share).await;
    // A new share does not revive what the old one had begun.
    s.share().await;
    s.w.work().await;
    assert_eq!(s.outcome(&volume).await, EMPTY_ERROR);
    let again = s.make_volume(&s.other).await.unwrap();
    s.w.work().await;
    assert_eq!(s.outcome(&again).await, (VolumeStatus::Available, true));
}

#[tokio::test]
async fn a_share_that_ends_while_the_bytes_are_read_hands_nothing_over() {
    let store = FaultyStore::in_memory();
    let objects = Store::objects(std::sync::Arc::<FaultyStore>::clone(&store)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let s = Scene::of(World::over(objects, dir, Settings::default()).await, Role::Admin).await;
    let mut ended = 0;
    for call in 1.. {
        let share = s.share().await;
        let volume = s.make_volume(&s.other).await.unwrap();
        let (service, owner, id) = (s.w.service.clone(), s.owner.clone(), share.id.to_string());
        let here = tokio::runtime::Handle::current();
        store.interrupt_at(call, move || {
            here.block_on(service.end_share(&owner, &id)).unwrap();
        });
        s.w.work().await;
        if store.is_waiting() {
            // The volume was made in fewer calls.
            store.heal();
            assert_eq!(s.outcome(&volume).await, (VolumeStatus::Available, true));
            break;
        }
        ended += 1;
        assert_eq!(s.outcome(&volume).await, EMPTY_ERROR, "at call {call}");
    }
    assert!(ended > 1, "the bytes were read in {ended} calls");
}

#[tokio::test]
async fn a_status_set_by_hand_does_not_save_a_volume_whose_share_has_ended() {
    let s = Scene::of(World::new().await, Role::Admin).await;
    let share = s.share().await;
    let volume = s.make_volume(&s.other).await.unwrap();
    let id = volume.id.to_string();
    s.w.service.reset_volume(&s.other, &id, VolumeStatus::Available).await.unwrap();
    s.end(&share).await;
    s.w.work().await;
    assert_eq!(s.outcome(&volume).await, EMPTY_ERROR);
}

#[tokio::test]
async fn a_volume_that_was_deleted_meanwhile_stays_gone() {
    let s = Scene::of(World::new().await, Role::Admin).await;
    let share = s.share().await;
    let volume = s.make_volume(&s.other).await.unwrap();
    let forced = VolumeDeletion { is_forced: true, cascade: false };
    s.w.service.delete_volume(&s.other, &volume.id.to_string(), forced).await.unwrap();
    s.end(&share).await;
    s.w.work().await;
    assert!(!s.w.path(&volume).exists());
    let gone = s.w.service.volume(&s.other, &volume.id.to_string()).await;
    assert_eq!(refused(gone), Kind::NotFound);
}
