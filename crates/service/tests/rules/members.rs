//! Offers of backups: what a receiver gets by taking one, and that nothing is left when it ends.

use strongroom_model::backup::{Backup, BackupStatus, Origin};
use strongroom_model::id::{BackupId, CheckpointId, ProjectId, ServerId, VaultId};
use strongroom_model::identity::Role;
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::share::{Share, ShareStatus};
use strongroom_model::size::GiB;
use strongroom_model::vault::{ObjectType, ProtectType, Vault, VaultStatus, VaultTerms};
use strongroom_model::volume::{Volume, VolumeStatus};
use strongroom_service::member::{MemberChange, MemberListing};
use strongroom_service::restore::RestoreRequest;
use strongroom_service::saved::{Ownership, Saved, SavedListing};
use strongroom_service::share::ShareListing;
use strongroom_service::volume::{NewVolume, VolumeOrigin};
use strongroom_service::{Caller, CallerScope, Error, Refusal};

use super::world::{World, new_backup};

fn project_of(caller: &Caller) -> ProjectId {
    match &caller.scope {
        CallerScope::Project(project) => project.clone(),
        other => panic!("{other:?} is no project"),
    }
}

/// The reason for which a rule refused.
fn reason<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result.unwrap_err() {
        Error::Refused { reason, .. } => reason,
        other => panic!("{other:?} is no refusal of a rule"),
    }
}

/// An owner with a disk's backup that belongs to that of a server, and a receiver with a vault.
struct Scene {
    w: World,
    owner: Caller,
    other: Caller,
    volume: Volume,
    disk: Backup,
    whole: ServerBackup,
    vault: VaultId,
}

impl Scene {
    async fn new() -> Self {
        let w = World::new().await;
        let owner = w.project("alpha", Role::Member).await;
        let other = w.project("beta", Role::Member).await;
        let volume = w.written_volume(&owner, "theirs").await;
        let mut disk = w.backup(&owner, &volume).await;
        let whole = ServerBackup {
            id: BackupId::parse("00000010-0000-4000-8000-000000000000").unwrap(),
            project_id: project_of(&owner),
            user_id: owner.user_id.clone(),
            vault_id: disk.vault_id,
            checkpoint_id: CheckpointId::parse("000000c0-0000-4000-8000-000000000000").unwrap(),
            server_id: ServerId::parse("0000005e-0000-4000-8000-000000000000").unwrap(),
            server_name: "web-1".to_owned(),
            name: "nightly".to_owned(),
            description: None,
            status: BackupStatus::Available,
            fail_reason: None,
            size: GiB(1),
            availability_zone: None,
            architecture: None,
            has_system_disk: true,
            is_incremental: false,
            is_automatic: false,
            is_replica: false,
            wants_full: false,
            policy_id: None,
            expires_at: None,
            documents: None,
            restore_server_id: None,
            created_at: w.service.now(),
            updated_at: None,
            protected_at: None,
        };
        let vault = Vault {
            id: VaultId::parse("0000006a-0000-4000-8000-000000000000").unwrap(),
            project_id: project_of(&other),
            user_id: None,
            name: "received".to_owned(),
            description: None,
            is_default: false,
            size: GiB(10),
            status: VaultStatus::Available,
            is_locked: false,
            terms: VaultTerms::of(ObjectType::Server, ProtectType::Backup),
            created_at: w.service.now(),
        };
        disk.origin = Origin { server_backup_id: Some(whole.id), ..disk.origin };
        let (kept, server, place) = (&disk, &whole, &vault);
        let catalog = w.catalog().await;
        let work = catalog.transact(|tx| {
            Box::pin(async move {
                tx.vaults().insert(place).await?;
                tx.server_backups().insert(server).await?;
                tx.backups().update(kept).await?;
                Ok::<_, Error>(())
            })
        });
        work.await.unwrap();
        Self { w, owner, other, volume, disk, whole, vault: vault.id }
    }

    async fn offer(&self) -> Share {
        let with = [project_of(&self.other)];
        let id = self.whole.id.to_string();
        self.w.service.add_members(&self.owner, &id, &with).await.unwrap().remove(0)
    }

    async fn answer(&self, status: ShareStatus) -> Share {
        let (id, member) = (self.whole.id.to_string(), project_of(&self.other).to_string());
        let change = MemberChange { status, vault_id: Some(self.vault) };
        self.w.service.change_member(&self.other, &id, &member, change).await.unwrap()
    }

    /// A volume of the receiver's from the disk's backup.
    async fn make_volume(&self) -> Result<Volume, Error> {
        let origin = VolumeOrigin::Backup(self.disk.id);
        self.w
            .service
            .create_volume(&self.other, NewVolume { origin, ..NewVolume::default() })
            .await
    }
}

#[tokio::test]
async fn who_takes_a_servers_backup_can_make_disks_of_its_parts() {
    let s = Scene::new().await;
    assert!(matches!(s.make_volume().await, Err(Error::BackupNotFound(_))));
    s.offer().await;
    assert!(matches!(s.make_volume().await, Err(Error::BackupNotFound(_))), "only offered");
    s.answer(ShareStatus::Accepted).await;
    let made = s.make_volume().await.unwrap();
    s.w.work().await;
    assert_eq!(s.w.show_volume(&s.other, &made).await.status, VolumeStatus::Available);
    assert_eq!(s.w.digest(&made), s.w.digest(&s.volume));
    s.answer(ShareStatus::Rejected).await;
    assert!(matches!(s.make_volume().await, Err(Error::BackupNotFound(_))), "declined");
}

#[tokio::test]
async fn a_disk_that_is_being_made_fails_when_the_share_ends() {
    let s = Scene::new().await;
    s.offer().await;
    for end in ["declined", "ended"] {
        s.answer(ShareStatus::Accepted).await;
        let made = s.make_volume().await.unwrap();
        if end == "declined" {
            s.answer(ShareStatus::Rejected).await;
        } else {
            let (id, member) = (s.whole.id.to_string(), project_of(&s.other).to_string());
            s.w.service.remove_member(&s.owner, &id, &member).await.unwrap();
        }
        s.w.work().await;
        assert_eq!(s.w.show_volume(&s.other, &made).await.status, VolumeStatus::Error, "{end}");
    }
}

#[tokio::test]
async fn a_receiver_sees_nothing_that_is_only_the_owners() {
    let s = Scene::new().await;
    s.offer().await;
    s.answer(ShareStatus::Accepted).await;
    let id = s.whole.id.to_string();
    let seen = s.w.service.saved(&s.other, &id).await.unwrap();
    assert_eq!((seen.vault_id, seen.children.len()), (Some(s.vault), 1));
    assert_eq!(seen.children[0].metadata.len(), 0);
    let key = &seen.children[0].measured.as_ref().unwrap().master_key_id;
    assert_eq!(key, "");
    assert!(matches!(
        s.w.service.saved_documents(&s.other, &id).await,
        Err(Error::BackupNotFound(_))
    ));
    assert!(matches!(
        s.w.service.rename_saved(&s.other, &id, "x").await,
        Err(Error::BackupNotFound(_))
    ));
    assert!(matches!(s.w.service.delete_saved(&s.other, &id).await, Err(Error::BackupNotFound(_))));
    let part = s.disk.id.to_string();
    let restored = s.w.service.restore_backup(&s.other, &part, RestoreRequest::default()).await;
    assert!(matches!(restored, Err(Error::BackupNotFound(_))));
}

#[tokio::test]
async fn an_administrator_gives_nothing_of_others_away() {
    let s = Scene::new().await;
    let id = s.whole.id.to_string();
    let hidden = s.w.service.saved(&s.w.admin, &id).await;
    assert!(matches!(hidden, Err(Error::BackupNotFound(_))));
    let with = [project_of(&s.w.admin)];
    let given = s.w.service.add_members(&s.w.admin, &id, &with).await;
    assert!(matches!(given, Err(Error::BackupNotFound(_))));
    s.offer().await;
    let member = project_of(&s.other).to_string();
    let ended = s.w.service.remove_member(&s.w.admin, &id, &member).await;
    assert!(matches!(ended, Err(Error::BackupNotFound(_))));
}

#[tokio::test]
async fn two_offers_at_once_are_one() {
    let s = Scene::new().await;
    let (id, with) = (s.whole.id.to_string(), [project_of(&s.other)]);
    let (one, two) = tokio::join!(
        s.w.service.add_members(&s.owner, &id, &with),
        s.w.service.add_members(&s.owner, &id, &with)
    );
    assert_ne!(one.is_ok(), two.is_ok());
    let failed = if one.is_ok() { two } else { one };
    assert_eq!(reason(failed), Refusal::AlreadyShared);
}

#[tokio::test]
async fn a_share_by_the_volume_door_counts_as_taken_whatever_became_of_the_offer() {
    let s = Scene::new().await;
    let backup = s.w.backup(&s.owner, &s.volume).await;
    let (id, with) = (backup.id.to_string(), [project_of(&s.other)]);
    let offered = s.w.service.add_members(&s.owner, &id, &with).await.unwrap().remove(0);
    let listing = ShareListing { limit: 9, ..ShareListing::default() };
    assert_eq!(s.w.service.shares(&s.owner, listing.clone()).await.unwrap().items, []);
    assert!(s.w.service.share(&s.owner, &offered.id.to_string()).await.is_err());
    let shared = s.w.service.share_backup(&s.owner, &id, &with).await.unwrap().remove(0);
    assert_eq!((shared.id, shared.status), (offered.id, ShareStatus::Accepted));
    assert_eq!(s.w.service.shares(&s.owner, listing).await.unwrap().items.len(), 1);
    let members = MemberListing { limit: 9, ..MemberListing::default() };
    let members = s.w.service.members(&s.owner, &id, members).await.unwrap();
    assert_eq!((members.total, members.items[0].status), (Some(1), ShareStatus::Accepted));
    let part = s.w.service.share_backup(&s.owner, &s.disk.id.to_string(), &with).await;
    assert_eq!(reason(part), Refusal::NotShareable);
}

#[tokio::test]
async fn deleting_a_backup_ends_its_shares() {
    let s = Scene::new().await;
    s.offer().await;
    s.answer(ShareStatus::Accepted).await;
    let id = s.whole.id.to_string();
    s.w.service.delete_saved(&s.owner, &id).await.unwrap();
    assert!(matches!(s.w.service.saved(&s.other, &id).await, Err(Error::BackupNotFound(_))));
    s.w.work().await;
    for id in [id, s.disk.id.to_string()] {
        assert!(matches!(s.w.service.saved(&s.owner, &id).await, Err(Error::BackupNotFound(_))));
    }
}

#[tokio::test]
async fn a_locked_vault_keeps_what_has_no_date() {
    let s = Scene::new().await;
    let catalog = s.w.catalog().await;
    let (id, place) = (s.whole.id, s.whole.vault_id);
    let work = catalog.transact(|tx| {
        Box::pin(async move {
            let mut vault = tx.vaults().find_any(place).await?.unwrap();
            vault.is_locked = true;
            tx.vaults().update(&vault).await?;
            Ok::<_, Error>(())
        })
    });
    work.await.unwrap();
    let alone = s.w.backup(&s.owner, &s.volume).await;
    for id in [id, alone.id] {
        let refused = s.w.service.delete_saved(&s.owner, &id.to_string()).await;
        assert_eq!(reason(refused), Refusal::Locked);
    }
    let listing = SavedListing { limit: 9, ..SavedListing::default() };
    let left = s.w.service.saved_points(&s.owner, listing).await.unwrap();
    assert!(left.items.iter().all(|one| one.saved.status() == BackupStatus::Available));
}

#[tokio::test]
async fn the_newest_is_kept_while_the_next_is_made() {
    let s = Scene::new().await;
    let first = s.w.backup(&s.owner, &s.volume).await;
    s.w.clock.advance(std::time::Duration::from_secs(1));
    let newest = s.w.backup(&s.owner, &s.volume).await;
    s.w.clock.advance(std::time::Duration::from_secs(1));
    s.w.service.create_backup(&s.owner, new_backup(&s.volume)).await.unwrap();
    let refused = s.w.service.delete_saved(&s.owner, &newest.id.to_string()).await;
    assert_eq!(reason(refused), Refusal::BackupInUse);
    s.w.service.delete_saved(&s.owner, &first.id.to_string()).await.unwrap();
    s.w.work().await;
    s.w.service.delete_saved(&s.owner, &newest.id.to_string()).await.unwrap();
}

#[tokio::test]
async fn lists_have_what_stands_by_itself() {
    let s = Scene::new().await;
    let alone = s.w.backup(&s.owner, &s.volume).await;
    s.offer().await;
    let list = async |caller: &Caller, ownership| {
        let listing = SavedListing { ownership, limit: 9, ..SavedListing::default() };
        let page = s.w.service.saved_points(caller, listing).await.unwrap();
        assert_eq!(page.total, Some(page.items.len() as u64));
        let mut ids: Vec<_> = page.items.iter().map(|one| one.saved.id()).collect();
        ids.sort();
        ids
    };
    let mut both = vec![s.whole.id, alone.id];
    both.sort();
    assert_eq!(list(&s.owner, Ownership::Own).await, both);
    assert_eq!(list(&s.other, Ownership::Own).await, []);
    assert_eq!(list(&s.other, Ownership::Both(None)).await, [s.whole.id]);
    let part = s.w.service.saved(&s.owner, &s.disk.id.to_string()).await.unwrap();
    assert!(matches!(part.saved, Saved::Disk(_)));
    assert_eq!(part.saved.parent_id(), Some(s.whole.id));
    let alone = s.w.service.delete_saved(&s.owner, &s.disk.id.to_string()).await;
    assert_eq!(reason(alone), Refusal::BackupNotDeletable);
}
