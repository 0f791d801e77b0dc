//! Vaults as callers see them: what is refused, what is shown, what they protect.

use strongroom_model::id::VaultId;
use strongroom_model::identity::Role;
use strongroom_model::page::Start;
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::server::Server;
use strongroom_model::size::GiB;
use strongroom_model::tag::{TagMatch, TagQuery, Tagged, Tags};
use strongroom_model::vault::{
    BindTag, ChargingMode, ConsistentLevel, ObjectType, ProtectStatus, ProtectType, VAULT_SIZE_MAX,
    VaultStatus, VaultTerms,
};
use strongroom_model::volume::{Metadata, Volume};
use strongroom_service::backup::NewBackup;
use strongroom_service::checkpoint::NewCheckpoint;
use strongroom_service::vault::{
    AutoProtection, NewResource, NewVault, RESOURCES_MAX, StorageListing, VaultChange, VaultFilter,
    VaultListing, VaultSearch, VaultView,
};
use strongroom_service::volume::NewVolume;
use strongroom_service::{Caller, Error, Refusal, Settings};

use super::policies::{UNKNOWN, daily, new_policy};
use super::servers::{project_of, server};
use super::world::World;

pub(crate) fn new_vault(object_type: ObjectType) -> NewVault {
    NewVault {
        name: "nightly".to_owned(),
        description: None,
        size: GiB(100),
        is_locked: false,
        terms: VaultTerms::of(object_type, ProtectType::Backup),
        resources: Vec::new(),
        policy_id: None,
        tags: Tags::new(),
    }
}

pub(crate) fn disk(volume: &Volume) -> NewResource {
    let kind = ResourceKind::Volume;
    NewResource { id: volume.id.into(), kind, excluded_volumes: Vec::new(), included_volumes: None }
}

/// Why something was refused.
#[track_caller]
pub(crate) fn reason<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result {
        Err(Error::Refused { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

impl World {
    /// A vault for disks that protects these.
    pub(crate) async fn vault(&self, caller: &Caller, volumes: &[&Volume]) -> VaultView {
        let resources = volumes.iter().map(|volume| disk(volume)).collect();
        let new = NewVault { resources, ..new_vault(ObjectType::Disk) };
        self.service.create_vault(caller, new).await.unwrap()
    }

    pub(crate) async fn show_vault(&self, caller: &Caller, view: &VaultView) -> VaultView {
        self.service.vault(caller, &view.id().to_string()).await.unwrap()
    }

    /// Backs up everything that a vault protects.
    pub(crate) async fn checkpoint(&self, caller: &Caller, view: &VaultView) {
        let new = NewCheckpoint::of(view.id());
        self.service.create_checkpoint(caller, new).await.unwrap();
        self.work().await;
    }

    /// Sets a vault's status, as only work that is going on does.
    pub(crate) async fn set_status(&self, view: &VaultView, status: VaultStatus) {
        let id = view.id();
        let catalog = self.catalog().await;
        let work = catalog.transact(|tx| {
            Box::pin(async move {
                let mut vault = tx.vaults().find_any(id).await?.unwrap();
                vault.status = status;
                tx.vaults().update(&vault).await?;
                Ok::<_, Error>(())
            })
        });
        work.await.unwrap();
    }
}

fn all() -> VaultListing {
    VaultListing { limit: 1000, ..VaultListing::default() }
}

async fn listed(w: &World, caller: &Caller, filters: Vec<VaultFilter>) -> Vec<VaultId> {
    let listing = VaultListing { filters, ..all() };
    let page = w.service.list_vaults(caller, &listing).await.unwrap();
    assert_eq!(page.total, Some(page.items.len() as u64));
    page.items.iter().map(VaultView::id).collect()
}

#[tokio::test]
async fn a_new_vault_is_what_was_asked_for_and_shows_the_same_at_once() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let policy = w.service.create_policy(&w.admin, new_policy(daily(&[3]))).await.unwrap();
    let new = NewVault {
        resources: vec![disk(&volume)],
        policy_id: Some(policy.id.to_string()),
        tags: Tags::from([("env".to_owned(), "prod".to_owned())]),
        ..new_vault(ObjectType::Disk)
    };
    let made = w.service.create_vault(&w.admin, new).await.unwrap();
    assert_eq!(made, w.show_vault(&w.admin, &made).await);
    assert_eq!(
        (made.vault.status, made.allocated_gib, made.used_mib),
        (VaultStatus::Available, 1, 0)
    );
    let resource = &made.resources[0];
    assert_eq!((resource.status, resource.backup_count), (ProtectStatus::Available, 0));
    assert_eq!(listed(&w, &w.admin, vec![VaultFilter::Policy(policy.id)]).await, [made.id()]);
}

#[tokio::test]
async fn sizes_terms_and_numbers_of_vaults_have_bounds() {
    let w = World::with(Settings { vaults_max: 1, ..Settings::default() }).await;
    let create = |new| w.service.create_vault(&w.admin, new);
    let of = |change: fn(&mut NewVault)| {
        let mut new = new_vault(ObjectType::Disk);
        change(&mut new);
        new
    };
    for new in [of(|it| it.size = GiB(9)), of(|it| it.size = GiB(VAULT_SIZE_MAX.0 + 1))] {
        assert_eq!(reason(create(new).await), Refusal::VaultSize);
    }
    for new in [
        of(|it| it.terms.consistent_level = ConsistentLevel::Application),
        of(|it| it.terms.demand_billing = true),
        of(|it| {
            it.terms.auto_expand = true;
            it.terms.charging_mode = ChargingMode::PrePaid;
        }),
    ] {
        assert!(matches!(create(new).await, Err(Error::Invalid { .. })));
    }
    create(of(|_| {})).await.unwrap();
    assert_eq!(reason(create(of(|_| {})).await), Refusal::TooManyVaults);
}

#[tokio::test]
async fn resources_are_bound_once_by_vaults_of_their_kind() {
    let w = World::new().await;
    let ann = w.project("ann", Role::Member).await;
    let bob = w.project("bob", Role::Member).await;
    let (volume, foreign) = (w.volume(&ann).await, w.volume(&bob).await);
    let vault = w.vault(&ann, &[&volume]).await;
    let id = vault.id().to_string();
    let other = w.vault(&ann, &[]).await.id().to_string();
    let add = |id: &str, new: Vec<NewResource>| {
        let id = id.to_owned();
        let (w, ann) = (&w, &ann);
        async move { w.service.add_resources(ann, &id, &new).await }
    };
    assert_eq!(reason(add(&id, vec![disk(&volume)]).await), Refusal::DiskBound);
    assert_eq!(reason(add(&other, vec![disk(&volume)]).await), Refusal::ResourceTaken);
    let second = w.volume(&ann).await;
    let twice = vec![disk(&second), disk(&second)];
    assert_eq!(reason(add(&id, twice).await), Refusal::ResourceTwice);
    let as_server = NewResource { kind: ResourceKind::Server, ..disk(&second) };
    assert_eq!(reason(add(&id, vec![as_server]).await), Refusal::ResourceUnfit);
    let many = vec![disk(&second); RESOURCES_MAX];
    let many = many.into_iter().enumerate().map(|(n, one)| NewResource { id: unknown(n), ..one });
    assert_eq!(reason(add(&id, many.collect()).await), Refusal::TooManyResources);
    // Nothing of another project is told, not even that it is bound there.
    w.vault(&bob, &[&foreign]).await;
    let taken = add(&id, vec![disk(&second), disk(&foreign)]).await;
    assert!(matches!(taken, Err(Error::VolumeNotFound(_))), "{taken:?}");
    assert_eq!(w.show_vault(&ann, &vault).await.resources.len(), 1, "all or nothing");
    let shared_kind = NewVault {
        terms: VaultTerms::of(ObjectType::Turbo, ProtectType::Backup),
        resources: vec![NewResource { kind: ResourceKind::FileSystem, ..disk(&second) }],
        ..new_vault(ObjectType::Turbo)
    };
    assert_eq!(reason(w.service.create_vault(&ann, shared_kind).await), Refusal::ResourceMissing);
    let copies = NewVault {
        terms: VaultTerms::of(ObjectType::Disk, ProtectType::Replication),
        resources: vec![disk(&second)],
        ..new_vault(ObjectType::Disk)
    };
    assert_eq!(reason(w.service.create_vault(&ann, copies).await), Refusal::VaultTakesNone);
}

/// An id that nothing has.
fn unknown(n: usize) -> ResourceId {
    ResourceId::parse(&format!("{:032x}", n + 1)).unwrap()
}

#[tokio::test]
async fn a_server_is_as_large_as_its_disks_and_may_leave_some_out() {
    let w = World::new().await;
    let ann = w.project("ann", Role::Member).await;
    let (system, data) = (w.volume(&ann).await, w.volume(&ann).await);
    let machine = w.service.keep_server(server(&ann, 1, &[&system, &data])).await.unwrap();
    let named = |excluded: &Volume| NewResource {
        id: machine.id.into(),
        kind: ResourceKind::Server,
        excluded_volumes: vec![excluded.id.into()],
        included_volumes: None,
    };
    let stranger = w.volume(&ann).await;
    let new = NewVault { resources: vec![named(&stranger)], ..new_vault(ObjectType::Server) };
    assert!(matches!(w.service.create_vault(&ann, new).await, Err(Error::Invalid { .. })));
    let new = NewVault { resources: vec![named(&data)], ..new_vault(ObjectType::Server) };
    let vault = w.service.create_vault(&ann, new).await.unwrap();
    let resource = &vault.resources[0].resource;
    assert_eq!((resource.name.as_str(), resource.size), ("Server 1", GiB(2)));
    assert_eq!(resource.excluded_volumes, [data.id.into()]);
    let included = |disks: &[&Volume], excluded: &[&Volume]| NewResource {
        excluded_volumes: excluded.iter().map(|disk| disk.id.into()).collect(),
        included_volumes: Some(disks.iter().map(|disk| disk.id.into()).collect()),
        ..named(&data)
    };
    for bad in [included(&[&stranger], &[]), included(&[&system], &[&data])] {
        let new = NewVault { resources: vec![bad], ..new_vault(ObjectType::Server) };
        let refused = w.service.create_vault(&ann, new).await;
        assert!(matches!(refused, Err(Error::Invalid { field: "include_volumes", .. })));
    }
    let (root, more) = (w.volume(&ann).await, w.volume(&ann).await);
    let of_other = w.service.keep_server(server(&ann, 2, &[&root, &more])).await.unwrap();
    let only = NewResource { id: of_other.id.into(), ..included(&[&root], &[]) };
    let new = NewVault { resources: vec![only], ..new_vault(ObjectType::Server) };
    let other = w.service.create_vault(&ann, new).await.unwrap();
    assert_eq!(other.resources[0].resource.excluded_volumes, [more.id.into()]);
    w.service.forget_server(&project_of(&ann), machine.id).await.unwrap();
    assert_eq!(w.show_vault(&ann, &vault).await.resources, vault.resources, "a gone one stays");
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() {
    let w = World::new().await;
    let vault = w.vault(&w.admin, &[]).await;
    let id = vault.id().to_string();
    let update = |change| w.service.update_vault(&w.admin, &id, change);
    assert_eq!(update(VaultChange::default()).await.unwrap(), vault);
    let tag = BindTag { key: "a".to_owned(), value: "b".to_owned() };
    let change = VaultChange {
        name: Some("weekly".to_owned()),
        bind_tags: Some(vec![tag.clone()]),
        threshold: Some(50),
        ..VaultChange::default()
    };
    let changed = update(change).await.unwrap();
    assert_eq!((changed.vault.name.as_str(), changed.vault.size), ("weekly", GiB(100)));
    assert_eq!(
        (&changed.vault.terms.bind_tags[..], changed.vault.terms.threshold),
        (&[tag][..], 50)
    );
    let cleared = VaultChange { bind_tags: Some(Vec::new()), ..VaultChange::default() };
    assert!(update(cleared).await.unwrap().vault.terms.bind_tags.is_empty());
    let everywhere = VaultChange { threshold: Some(7), ..VaultChange::default() };
    assert_eq!(w.service.update_vaults(&w.admin, everywhere).await.unwrap(), [vault.id()]);
    assert_eq!(w.show_vault(&w.admin, &vault).await.vault.terms.threshold, 7);
}

#[tokio::test]
async fn each_state_allows_what_it_should() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let vault = w.vault(&w.admin, &[]).await;
    let id = vault.id().to_string();
    let rename = || VaultChange { name: Some("n".to_owned()), ..VaultChange::default() };
    let resize = || VaultChange { size: Some(GiB(50)), ..VaultChange::default() };
    use VaultStatus::{Deleting, Error as Broken, Frozen, Lock};
    for (status, named, sized, bound, deleted) in [
        (Lock, None, Some(Refusal::VaultExpanding), None, Some(Refusal::VaultNotDeletable)),
        (
            Frozen,
            Some(Refusal::VaultNotUpdatable),
            Some(Refusal::VaultNotUpdatable),
            Some(Refusal::VaultState),
            None,
        ),
        (
            Deleting,
            Some(Refusal::VaultNotUpdatable),
            Some(Refusal::VaultNotUpdatable),
            Some(Refusal::VaultState),
            Some(Refusal::BackupsRunning),
        ),
        (Broken, None, Some(Refusal::VaultState), Some(Refusal::VaultState), None),
    ] {
        w.set_status(&vault, status).await;
        let s = &w.service;
        let check = |result: Result<(), Error>, wanted: Option<Refusal>| match wanted {
            Some(wanted) => assert_eq!(reason(result), wanted, "{status:?}"),
            None => assert!(result.is_ok(), "{status:?}: {result:?}"),
        };
        check(s.update_vault(&w.admin, &id, rename()).await.map(drop), named);
        check(s.update_vault(&w.admin, &id, resize()).await.map(drop), sized);
        let added = s.add_resources(&w.admin, &id, &[disk(&volume)]).await.map(drop);
        let is_added = added.is_ok();
        check(added, bound);
        if is_added {
            s.remove_resources(&w.admin, &id, &[volume.id.into()]).await.unwrap();
        }
        if deleted.is_some() {
            check(s.delete_vault(&w.admin, &id).await.map(drop), deleted);
        }
    }
}

#[tokio::test]
async fn lists_take_conditions_pages_and_markers() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let mut made = Vec::new();
    for name in ["a-b", "a", "c"] {
        w.clock.advance(std::time::Duration::from_secs(1));
        let new = NewVault { name: name.to_owned(), ..new_vault(ObjectType::Server) };
        made.push(w.service.create_vault(&w.admin, new).await.unwrap().id());
    }
    let disks = w.vault(&w.admin, &[&volume]).await.id();
    let list = |filters| listed(&w, &w.admin, filters);
    assert_eq!(list(vec![VaultFilter::ObjectType(ObjectType::Disk)]).await, [disks]);
    let named = |name: &str| VaultFilter::NameContains(name.to_owned());
    assert_eq!(list(vec![named("a"), VaultFilter::Ids(made.clone())]).await, [made[1], made[0]]);
    let resources = VaultFilter::Resources(vec![volume.id.into(), unknown(1)]);
    assert_eq!(list(vec![resources]).await, [disks]);
    assert_eq!(list(vec![VaultFilter::Status(VaultStatus::Error)]).await, []);
    assert_eq!(list(vec![VaultFilter::ProtectType(ProtectType::Hybrid)]).await, []);
    let eps = |id: &str| VaultFilter::EnterpriseProjects(vec![id.to_owned()]);
    assert_eq!(list(vec![eps("all_granted_eps")]).await.len(), 4);
    assert_eq!(list(vec![eps("1")]).await, []);
    let page = |start, limit| {
        let listing = VaultListing { start, limit, ..VaultListing::default() };
        let w = &w;
        async move {
            let page = w.service.list_vaults(&w.admin, &listing).await.unwrap();
            (page.items.iter().map(VaultView::id).collect::<Vec<_>>(), page.total)
        }
    };
    let everything = list(Vec::new()).await;
    assert_eq!(page(Start::Offset(1), 2).await, (everything[1..3].to_vec(), Some(4)));
    assert_eq!(page(Start::After(everything[2]), 2).await, (everything[3..].to_vec(), Some(4)));
    assert_eq!(page(Start::After(VaultId(unknown(9).0)), 2).await, (Vec::new(), Some(4)));
    assert_eq!(page(Start::Offset(99), 2).await, (Vec::new(), Some(4)));
}

#[tokio::test]
async fn vaults_are_found_by_their_tags() {
    let w = World::new().await;
    let tagged = |pairs: &[(&str, &str)]| NewVault {
        tags: pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        ..new_vault(ObjectType::Disk)
    };
    let create = |new| w.service.create_vault(&w.admin, new);
    let red = create(tagged(&[("colour", "red")])).await.unwrap().id();
    let blue = create(tagged(&[("colour", "blue"), ("x", "")])).await.unwrap().id();
    let plain = create(tagged(&[])).await.unwrap().id();
    let one = |key: &str, values: &[&str]| TagMatch {
        key: key.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let find = |tags: TagQuery, is_untagged| {
        let search = VaultSearch { tags, is_untagged, limit: Some(9), ..VaultSearch::default() };
        let w = &w;
        async move {
            let page = w.service.search_vaults(&w.admin, &search).await.unwrap();
            let mut ids: Vec<_> = page.items.iter().map(VaultView::id).collect();
            ids.sort();
            assert_eq!(page.total, Some(ids.len() as u64));
            ids
        }
    };
    let sorted = |mut ids: Vec<VaultId>| {
        ids.sort();
        ids
    };
    let query = TagQuery { all: vec![one("colour", &["red", "green"])], ..TagQuery::default() };
    assert_eq!(find(query, false).await, [red]);
    let query = TagQuery { any: vec![one("colour", &[]), one("y", &[])], ..TagQuery::default() };
    assert_eq!(find(query, false).await, sorted(vec![red, blue]));
    let query = TagQuery { not_any: vec![one("x", &[])], ..TagQuery::default() };
    assert_eq!(find(query, false).await, sorted(vec![red, plain]));
    assert_eq!(find(TagQuery::default(), true).await, [plain]);
    let counted = VaultSearch::default();
    let counted = w.service.search_vaults(&w.admin, &counted).await.unwrap();
    assert_eq!((counted.items.len(), counted.total), (0, Some(3)));
    let many = (0..21).map(|n| (format!("k{n}"), String::new())).collect();
    let id = plain.to_string();
    let refused = w.service.add_tags(&w.admin, Tagged::Vault, &id, &many).await;
    assert!(matches!(refused, Err(Error::TooManyTags(20))));
}

#[tokio::test]
async fn use_is_what_the_store_holds_and_a_full_vault_takes_no_more() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let vault = w.vault(&w.admin, &[&volume]).await;
    w.checkpoint(&w.admin, &vault).await;
    let shown = w.show_vault(&w.admin, &vault).await;
    assert_eq!((shown.used_mib, shown.resources[0].backup_count), (1, 1));
    assert_eq!(shown.resources[0].backup_mib, 1);
    let summary = w.service.vault_summary(&w.admin).await.unwrap();
    assert_eq!((summary.size_gib, summary.used_gib), (100, 1));
    let listing = StorageListing { limit: 9, ..StorageListing::default() };
    let usage = w.service.storage_usage(&w.admin, &listing).await.unwrap();
    assert_eq!((usage.items[0].count, usage.total), (1, Some(1)));

    fill(&w, &vault).await;
    let id = vault.id().to_string();
    let too_small = VaultChange { size: Some(GiB(99)), ..VaultChange::default() };
    let refused = w.service.update_vault(&w.admin, &id, too_small).await;
    assert_eq!(reason(refused), Refusal::VaultSize);
    let again = || w.service.create_checkpoint(&w.admin, NewCheckpoint::of(vault.id()));
    assert_eq!(reason(again().await), Refusal::VaultFull);
    let growing = VaultChange { auto_expand: Some(true), ..VaultChange::default() };
    w.service.update_vault(&w.admin, &id, growing).await.unwrap();
    again().await.unwrap();
    assert_eq!(w.show_vault(&w.admin, &vault).await.vault.size, GiB(125));
}

/// Makes the vault's newest backup say that it fills it.
async fn fill(w: &World, vault: &VaultView) {
    let (id, bytes) = (vault.id(), vault.vault.size.bytes());
    let catalog = w.catalog().await;
    let work = catalog.transact(|tx| {
        Box::pin(async move {
            let mut backup = tx.backups().of_vault(id).await?.remove(0);
            backup.measured.as_mut().unwrap().stored_bytes = bytes;
            tx.backups().update(&backup).await?;
            Ok::<_, Error>(())
        })
    });
    work.await.unwrap();
}

#[tokio::test]
async fn a_vault_beyond_its_threshold_is_warned_of_once() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let vault = w.vault(&w.admin, &[&volume]).await;
    w.checkpoint(&w.admin, &vault).await;
    let warned = || async {
        let warnings = w.service.vault_warnings(&w.admin).await.unwrap();
        warnings.iter().map(|one| (one.vault_id, one.percent)).collect::<Vec<_>>()
    };
    assert_eq!(warned().await, []);
    fill(&w, &vault).await;
    let id = vault.id().to_string();
    let lower = VaultChange { threshold: Some(40), ..VaultChange::default() };
    w.service.update_vault(&w.admin, &id, lower).await.unwrap();
    assert_eq!(warned().await, [(vault.id(), 100)]);
    let larger = VaultChange { size: Some(GiB(1000)), ..VaultChange::default() };
    w.service.update_vault(&w.admin, &id, larger).await.unwrap();
    assert_eq!(warned().await, []);
    let ann = w.project("ann", Role::Admin).await;
    assert!(matches!(w.service.vault_warnings(&ann).await, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn volume_backups_go_into_a_vault_like_others() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    w.backup(&w.admin, &volume).await;
    let ids = listed(&w, &w.admin, Vec::new()).await;
    let view = w.service.vault(&w.admin, &ids[0].to_string()).await.unwrap();
    assert_eq!((view.vault.name.as_str(), view.vault.size), ("default", VAULT_SIZE_MAX));
    assert_eq!((view.used_mib, view.resources.len()), (1, 0));
    let id = view.id().to_string();
    let renamed = VaultChange { name: Some("mine".to_owned()), ..VaultChange::default() };
    assert_eq!(w.service.update_vault(&w.admin, &id, renamed).await.unwrap().vault.name, "mine");
    assert_eq!(w.service.adopt_disks(&w.admin).await.unwrap(), [volume.id]);
    assert_eq!(w.service.adopt_disks(&w.admin).await.unwrap(), []);
    assert_eq!(w.show_vault(&w.admin, &view).await.resources[0].backup_count, 1);
    fill_default(&w, &id).await;
    let full = w.service.create_backup(&w.admin, NewBackup::of(volume.id)).await;
    assert_eq!(reason(full), Refusal::VaultFull);
}

async fn fill_default(w: &World, id: &str) {
    let small = VaultChange { size: Some(GiB(1)), ..VaultChange::default() };
    let view = w.service.update_vault(&w.admin, id, small).await.unwrap();
    fill(w, &view).await;
}

#[tokio::test]
async fn resources_move_between_vaults_of_a_kind_unless_backups_hold_them() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let (from, to) = (w.vault(&w.admin, &[&volume]).await, w.vault(&w.admin, &[]).await);
    let servers = w.service.create_vault(&w.admin, new_vault(ObjectType::Server)).await.unwrap();
    let ids = [ResourceId::from(volume.id)];
    let id = from.id().to_string();
    let go = |to| w.service.move_resources(&w.admin, &id, (to, &ids));
    assert_eq!(reason(go(servers.id()).await), Refusal::ResourceUnfit);
    assert_eq!(reason(go(from.id()).await), Refusal::ResourceUnfit);
    assert_eq!(reason(go(VaultId(unknown(1).0)).await), Refusal::DestinationMissing);
    assert_eq!(go(to.id()).await.unwrap(), ids);
    assert_eq!(reason(go(to.id()).await), Refusal::ResourceNotInVault);
    w.checkpoint(&w.admin, &to).await;
    let back = w.service.move_resources(&w.admin, &to.id().to_string(), (from.id(), &ids)).await;
    assert_eq!(reason(back), Refusal::VaultNotUpdatable);
}

#[tokio::test]
async fn resources_are_suspended_in_the_words_of_the_contract() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let vault = w.vault(&w.admin, &[&volume]).await;
    let id = vault.id().to_string();
    let ids = [ResourceId::from(volume.id)];
    for (action, takes_part) in
        [(AutoProtection::Unsuspend, false), (AutoProtection::Suspend, true)]
    {
        w.service.set_resources(&w.admin, &id, (&ids, action)).await.unwrap();
        let shown = w.show_vault(&w.admin, &vault).await;
        assert_eq!(shown.resources[0].resource.auto_protect, takes_part);
    }
    let others = [unknown(1)];
    let refused = w.service.set_resources(&w.admin, &id, (&others, AutoProtection::Suspend)).await;
    assert_eq!(reason(refused), Refusal::ResourceNotInVault);
}

#[tokio::test]
async fn policies_are_applied_and_taken_off() {
    let w = World::new().await;
    let vault = w.vault(&w.admin, &[]).await;
    let id = vault.id().to_string();
    let policy = w.service.create_policy(&w.admin, new_policy(daily(&[3]))).await.unwrap();
    let key = policy.id.to_string();
    let keys = [key.clone()];
    for _ in 0..2 {
        let bound = w.service.associate_policies(&w.admin, &id, (&keys, None)).await.unwrap();
        assert_eq!((bound.vault_id, bound.policy_id), (vault.id(), policy.id));
    }
    w.service.dissociate_policy(&w.admin, &id, &key).await.unwrap();
    let twice = w.service.dissociate_policy(&w.admin, &id, &key).await;
    assert_eq!(reason(twice), Refusal::PolicyNotBound);
    let unknown = [UNKNOWN.to_owned()];
    let missing = w.service.associate_policies(&w.admin, &id, (&unknown, None)).await;
    assert!(matches!(missing, Err(Error::PolicyNotFound(_))));
}

#[tokio::test]
async fn unbound_disks_whose_metadata_fit_are_bound_when_the_policy_runs() {
    let w = World::new().await;
    let metadata = Metadata::from([("env".to_owned(), "prod".to_owned())]);
    let new = NewVolume { size: Some(GiB(1)), metadata, ..NewVolume::default() };
    let fits = w.service.create_volume(&w.admin, new).await.unwrap();
    let other = w.volume(&w.admin).await;
    w.work().await;
    let policy = w.service.create_policy(&w.admin, new_policy(daily(&[3]))).await.unwrap();
    let mut new = new_vault(ObjectType::Disk);
    new.terms.auto_bind = true;
    new.terms.bind_tags = vec![BindTag { key: "env".to_owned(), value: "prod".to_owned() }];
    new.policy_id = Some(policy.id.to_string());
    let vault = w.service.create_vault(&w.admin, new).await.unwrap();
    w.clock.advance(std::time::Duration::from_secs(24 * 3600));
    w.service.run_due_policies().await.unwrap();
    let shown = w.show_vault(&w.admin, &vault).await;
    let bound: Vec<_> = shown.resources.iter().map(|one| one.resource.id).collect();
    assert_eq!(bound, [fits.id.into()]);
    assert!(!bound.contains(&other.id.into()));
}

#[tokio::test]
async fn unbound_servers_whose_tags_fit_are_bound_when_the_policy_runs() {
    let w = World::new().await;
    let disk = w.volume(&w.admin).await;
    let tagged = |seed, disks: &[&Volume], env: &str| {
        let tags = [("env".to_owned(), env.to_owned())].into();
        Server { tags, ..server(&w.admin, seed, disks) }
    };
    let fits = w.service.keep_server(tagged(1, &[&disk], "prod")).await.unwrap().id;
    let other = w.service.keep_server(tagged(2, &[], "test")).await.unwrap().id;
    let policy = w.service.create_policy(&w.admin, new_policy(daily(&[3]))).await.unwrap();
    let mut new = new_vault(ObjectType::Server);
    new.terms.auto_bind = true;
    new.terms.bind_tags = vec![BindTag { key: "env".to_owned(), value: "prod".to_owned() }];
    new.policy_id = Some(policy.id.to_string());
    let vault = w.service.create_vault(&w.admin, new).await.unwrap();
    w.clock.advance(std::time::Duration::from_secs(24 * 3600));
    w.service.run_due_policies().await.unwrap();
    let shown = w.show_vault(&w.admin, &vault).await;
    let bound: Vec<_> = shown.resources.iter().map(|one| one.resource.id).collect();
    assert_eq!(bound, [fits.into()]);
    assert!(!bound.contains(&other.into()));
    assert_eq!(shown.resources[0].resource.size, GiB(1));
}

#[tokio::test]
async fn another_projects_vault_is_a_missing_one() {
    let w = World::new().await;
    let (ann, bob) = (w.project("ann", Role::Admin).await, w.project("bob", Role::Admin).await);
    let volume = w.volume(&ann).await;
    let vault = w.vault(&ann, &[&volume]).await;
    let id = vault.id().to_string();
    let s = &w.service;
    let ids = [ResourceId::from(volume.id)];
    let missing = |result: Result<(), Error>| {
        assert!(matches!(result, Err(Error::VaultNotFound(_))), "{result:?}");
    };
    missing(s.vault(&bob, &id).await.map(drop));
    missing(s.update_vault(&bob, &id, VaultChange::default()).await.map(drop));
    missing(s.delete_vault(&bob, &id).await.map(drop));
    missing(s.remove_resources(&bob, &id, &ids).await.map(drop));
    missing(s.set_resources(&bob, &id, (&ids, AutoProtection::Suspend)).await);
    missing(s.tags(&bob, Tagged::Vault, &id).await.map(drop));
    missing(s.prepay_vaults(&bob, &[vault.id()]).await);
    missing(s.order_size(&bob, &id, GiB(20)).await);
    let own = w.vault(&bob, &[]).await.id().to_string();
    let stolen = s.move_resources(&bob, &own, (vault.id(), &ids)).await;
    assert_eq!(reason(stolen), Refusal::DestinationMissing);
    assert!(listed(&w, &bob, vec![VaultFilter::Ids(vec![vault.id()])]).await.is_empty());
    let resources = vec![VaultFilter::Resources(ids.to_vec())];
    assert!(listed(&w, &bob, resources).await.is_empty());
    let theirs = project_of(&ann).to_string();
    let external = s.list_external_vaults(&bob, &theirs, &all()).await;
    assert!(matches!(external, Err(Error::IdentityNotFound { .. })), "{external:?}");
    assert_eq!(s.list_external_vaults(&ann, &theirs, &all()).await.unwrap().total, Some(1));
    let reader = w.project("eve", Role::Reader).await;
    let forbidden = s.create_vault(&reader, new_vault(ObjectType::Disk)).await;
    assert!(matches!(forbidden, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn orders_are_carried_out_at_once() {
    let w = World::new().await;
    let vault = w.vault(&w.admin, &[]).await;
    let id = vault.id().to_string();
    w.service.order_size(&w.admin, &id, GiB(200)).await.unwrap();
    w.service.prepay_vaults(&w.admin, &[vault.id()]).await.unwrap();
    let shown = w.show_vault(&w.admin, &vault).await.vault;
    assert_eq!((shown.size, shown.terms.charging_mode), (GiB(200), ChargingMode::PrePaid));
    let refused = w.service.order_size(&w.admin, &id, GiB(0)).await;
    assert_eq!(reason(refused), Refusal::VaultSize);
}
