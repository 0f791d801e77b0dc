//! Lists of saved points: what comes from several tables is one list, as a loop over all rows would
//! make it, page by page, for every key.

use std::cmp::Ordering;

use strongroom_catalog::{Error, Ownership, SavedFilter, SavedKey, SavedQuery};
use strongroom_model::backup::{Backup, BackupStatus, Origin};
use strongroom_model::id::{BackupId, CheckpointId, ServerId, ShareId, VaultId};
use strongroom_model::page::{Direction, Page, SortBy, Start};
use strongroom_model::resource::ResourceKind;
use strongroom_model::saved::Saved;
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::share::{Share, ShareStatus};
use strongroom_model::size::GiB;

use crate::support::{Outcome, World, at, on_both, project};

on_both!(
    pages_of_saved_points_make_up_the_list,
    received_points_are_listed_by_their_shares,
    names_are_matched_letter_for_letter,
    a_marker_must_be_there,
);

const NAMES: [Option<&str>; 6] = [None, Some(""), Some("a"), Some("A_1%"), Some("ä"), Some("b")];

const STATUSES: [BackupStatus; 4] = [
    BackupStatus::Available,
    BackupStatus::Creating,
    BackupStatus::Error,
    BackupStatus::ErrorDeleting,
];

fn server_backup(world: &World, owner: &str, vault_id: VaultId) -> ServerBackup {
    ServerBackup {
        id: BackupId::random(&world.chance),
        project_id: project(owner),
        user_id: strongroom_model::id::UserId::parse("ann").unwrap(),
        vault_id,
        checkpoint_id: CheckpointId::random(&world.chance),
        server_id: ServerId::random(&world.chance),
        server_name: "web-1".to_owned(),
        name: "nightly".to_owned(),
        description: None,
        status: BackupStatus::Available,
        fail_reason: None,
        size: GiB(3),
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
        created_at: at(1),
        updated_at: None,
        protected_at: None,
    }
}

async fn insert(world: &World, disks: &[Backup], servers: &[ServerBackup], shares: &[Share]) {
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            for backup in disks {
                tx.backups().insert(backup).await?;
            }
            for backup in servers {
                tx.server_backups().insert(backup).await?;
            }
            for share in shares {
                tx.shares().insert(share).await?;
            }
            Outcome::Ok(())
        })
    });
    work.await.unwrap();
}

async fn list(world: &World, query: &SavedQuery) -> Outcome<Page<(Saved, Option<Share>)>> {
    let work = world.catalog.transact(|tx| Box::pin(async move { tx.saved().list(query).await }));
    work.await
}

async fn ids(world: &World, query: &SavedQuery) -> Vec<BackupId> {
    let page = list(world, query).await.unwrap();
    page.items.iter().map(|(saved, _)| saved.id()).collect()
}

/// What a row is sorted by under a key; what is missing comes last either way.
fn value(saved: &Saved, key: SavedKey) -> Option<(i64, String)> {
    let number = |at: Option<strongroom_model::time::Timestamp>| {
        at.map(|at| (at.as_micros(), String::new()))
    };
    let text = |text: &str| Some((0, text.to_owned()));
    match (key, saved) {
        (SavedKey::CreatedAt, Saved::Disk(one)) => number(Some(one.created_at)),
        (SavedKey::CreatedAt, Saved::Server(one)) => number(Some(one.created_at)),
        (SavedKey::UpdatedAt, Saved::Disk(one)) => number(one.updated_at),
        (SavedKey::UpdatedAt, Saved::Server(one)) => number(one.updated_at),
        (SavedKey::Name, Saved::Disk(one)) => one.name.as_deref().and_then(text),
        (SavedKey::Name, Saved::Server(one)) => text(&one.name),
        (SavedKey::Status, _) => text(match saved.status() {
            BackupStatus::Creating => "protecting",
            BackupStatus::ErrorDeleting => "error",
            other => other.as_str(),
        }),
        (SavedKey::ProtectedAt, Saved::Disk(one)) => {
            one.measured.as_ref().and_then(|_| number(Some(one.data_timestamp)))
        }
        (SavedKey::ProtectedAt, Saved::Server(one)) => number(one.protected_at),
        (SavedKey::Id, _) => text(&saved.id().to_string()),
    }
}

fn compare(sort: &[SortBy<SavedKey>], one: &Saved, other: &Saved) -> Ordering {
    let first = sort.first().map_or(Direction::Desc, |by| by.direction);
    let ties = [SavedKey::CreatedAt, SavedKey::Id].map(|key| SortBy { key, direction: first });
    for by in sort.iter().copied().chain(ties) {
        let (one, other) = (value(one, by.key), value(other, by.key));
        let missing = one.is_none().cmp(&other.is_none());
        let found = match by.direction {
            Direction::Asc => one.cmp(&other),
            Direction::Desc => other.cmp(&one),
        };
        if missing != Ordering::Equal {
            return missing;
        }
        if found != Ordering::Equal {
            return found;
        }
    }
    Ordering::Equal
}

/// Own ones and received ones of both kinds, with many equal keys.
async fn scene(world: &World) -> Vec<Saved> {
    let vaults = [world.vault("p").await, world.vault("q").await];
    let (mut disks, mut servers, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..40 {
        let (owner, vault) = if number % 3 == 0 { ("q", vaults[1]) } else { ("p", vaults[0]) };
        let status = world.one_of(&STATUSES);
        let (created_at, changed) = (at(world.one_of(&[1, 2, 3])), world.one_of(&[None, Some(5)]));
        let mut id = None;
        if number % 2 == 0 {
            let name = world.one_of(&NAMES).map(str::to_owned);
            let mut backup = world.backup(owner, vault);
            backup = Backup { name, status, created_at, updated_at: changed.map(at), ..backup };
            if number % 4 == 0 {
                backup.measured = None;
            }
            if number == 34 {
                backup.origin = Origin {
                    server_backup_id: Some(BackupId::random(&world.chance)),
                    ..Origin::default()
                };
            } else {
                id = Some(backup.id);
            }
            disks.push(backup);
        } else {
            let name = world.one_of(&NAMES).unwrap_or("z").to_owned();
            let backup = server_backup(world, owner, vault);
            let protected_at = changed.map(at);
            let updated_at = protected_at;
            id = Some(backup.id);
            servers.push(ServerBackup {
                name,
                status,
                created_at,
                updated_at,
                protected_at,
                ..backup
            });
        }
        if let (Some(backup_id), "q") = (id, owner) {
            shares.push(Share {
                id: ShareId::random(&world.chance),
                backup_id,
                from_project_id: project("q"),
                to_project_id: project("p"),
                status: ShareStatus::Accepted,
                vault_id: Some(vaults[0]),
                created_at: at(1),
                updated_at: None,
            });
        }
    }
    insert(world, &disks, &servers, &shares).await;
    let disks = disks.into_iter().filter(|one| one.origin.server_backup_id.is_none());
    disks.map(Saved::Disk).chain(servers.into_iter().map(Saved::Server)).collect()
}

async fn pages_of_saved_points_make_up_the_list(world: &World) {
    let all = scene(world).await;
    let keys = [
        SavedKey::CreatedAt,
        SavedKey::UpdatedAt,
        SavedKey::Name,
        SavedKey::Status,
        SavedKey::ProtectedAt,
        SavedKey::Id,
    ];
    let mut orders: Vec<Vec<SortBy<SavedKey>>> = vec![Vec::new()];
    for key in keys {
        for direction in [Direction::Asc, Direction::Desc] {
            orders.push(vec![SortBy { key, direction }]);
            let second = SortBy { key: SavedKey::Name, direction: Direction::Asc };
            orders.push(vec![SortBy { key, direction }, second]);
        }
    }
    for sort in orders {
        for ownership in [Ownership::Own, Ownership::Both(None)] {
            let mut expected: Vec<_> = all
                .iter()
                .filter(|saved| ownership != Ownership::Own || *saved.project_id() == project("p"))
                .collect();
            expected.sort_by(|one, other| compare(&sort, one, other));
            let expected: Vec<_> = expected.into_iter().map(Saved::id).collect();
            let whole = SavedQuery {
                ownership,
                sort: sort.clone(),
                with_total: true,
                ..SavedQuery::of(project("p"), 1000)
            };
            let page = list(world, &whole).await.unwrap();
            assert_eq!(page.total, Some(expected.len() as u64));
            assert_eq!(ids(world, &whole).await, expected, "{sort:?}");
            let (mut by_marker, mut by_offset) = (Vec::new(), Vec::new());
            let mut start = Start::Offset(0);
            loop {
                let page = ids(world, &SavedQuery { start, limit: 7, ..whole.clone() }).await;
                let Some(last) = page.last().copied() else { break };
                by_marker.extend(page);
                let offset = Start::Offset(u32::try_from(by_offset.len()).unwrap());
                let page = SavedQuery { start: offset, limit: 7, ..whole.clone() };
                by_offset.extend(ids(world, &page).await);
                start = Start::After(last);
            }
            assert_eq!(by_marker, expected, "{sort:?}");
            assert_eq!(by_offset, expected, "{sort:?}");
        }
    }
}

async fn received_points_are_listed_by_their_shares(world: &World) {
    let all = scene(world).await;
    let received = all.iter().filter(|saved| *saved.project_id() == project("q")).count();
    let of = |ownership, filters| SavedQuery {
        ownership,
        filters,
        with_total: true,
        ..SavedQuery::of(project("p"), 1000)
    };
    let page = list(world, &of(Ownership::Received(None), Vec::new())).await.unwrap();
    assert_eq!(page.items.len(), received);
    for (saved, share) in &page.items {
        let share = share.as_ref().unwrap();
        assert_eq!((share.backup_id, &share.from_project_id), (saved.id(), saved.project_id()));
    }
    let pending = of(Ownership::Received(Some(ShareStatus::Pending)), Vec::new());
    assert_eq!(list(world, &pending).await.unwrap().total, Some(0));
    let taken = page.items[0].1.as_ref().unwrap().vault_id.unwrap();
    let in_vault = of(Ownership::Received(None), vec![SavedFilter::Vaults(vec![taken])]);
    assert_eq!(list(world, &in_vault).await.unwrap().total, Some(received as u64));
    let kept = page.items[0].0.vault_id();
    let in_owners = of(Ownership::Received(None), vec![SavedFilter::Vaults(vec![kept])]);
    assert_eq!(list(world, &in_owners).await.unwrap().total, Some(0));
    let own = list(world, &of(Ownership::Own, Vec::new())).await.unwrap();
    assert!(own.items.iter().all(|(_, share)| share.is_none()));
    let disks = of(Ownership::Both(None), vec![SavedFilter::Kind(ResourceKind::Volume)]);
    let disks = list(world, &disks).await.unwrap();
    assert!(disks.items.iter().all(|(saved, _)| matches!(saved, Saved::Disk(_))));
}

async fn names_are_matched_letter_for_letter(world: &World) {
    let vault = world.vault("p").await;
    let names = ["a%b", "A%B", "axb", "ä_'"];
    let servers = names
        .map(|name| ServerBackup { name: name.to_owned(), ..server_backup(world, "p", vault) });
    insert(world, &[], &servers, &[]).await;
    for (part, expected) in [("a%b", 1), ("a", 2), ("%", 2), ("ä_'", 1), ("_", 1), ("", 4)] {
        let filters = vec![SavedFilter::NamePart(part.to_owned())];
        let query = SavedQuery { filters, ..SavedQuery::of(project("p"), 10) };
        assert_eq!(ids(world, &query).await.len(), expected, "{part}");
    }
}

async fn a_marker_must_be_there(world: &World) {
    let all = scene(world).await;
    let theirs = all.iter().find(|saved| *saved.project_id() == project("q")).unwrap().id();
    for marker in [theirs, BackupId::random(&world.chance)] {
        let start = Start::After(marker);
        let query = SavedQuery { start, ..SavedQuery::of(project("p"), 10) };
        let refused = list(world, &query).await;
        assert!(matches!(refused, Err(Error::MarkerNotFound(_))), "{refused:?}");
    }
}
