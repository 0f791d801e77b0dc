//! The law of paging: pages put together are the whole list, filtered and sorted as a loop over
//! all rows would do it, by markers and by offsets, for every key.

use std::cmp::Ordering;

use strongroom_catalog::{
    BackupFilter, BackupKey, BackupQuery, Error, SnapshotFilter, SnapshotKey, SnapshotQuery,
    VolumeFilter, VolumeKey, VolumeQuery,
};
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, VolumeId};
use strongroom_model::page::{Direction, Page, SortBy, Start};
use strongroom_model::size::GiB;
use strongroom_model::snapshot::Snapshot;
use strongroom_model::volume::{Volume, VolumeStatus};

use crate::support::{Outcome, World, at, on_both, pairs, project};

on_both!(
    pages_of_backups_make_up_the_list,
    pages_of_volumes_make_up_the_list,
    pages_of_snapshots_make_up_the_list,
    a_marker_outlives_its_match,
    a_marker_must_exist_in_the_project,
    wildcards_in_filters_stand_for_themselves,
    metadata_is_matched_pair_by_pair,
    ids_and_empty_pages,
);

/// Names that sort otherwise in a dictionary than by their bytes.
const NAMES: [Option<&str>; 9] = [
    None,
    Some(""),
    Some("a"),
    Some("B"),
    Some("b"),
    Some("Ä"),
    Some("ä_1"),
    Some("z-Z"),
    Some("日本"),
];

/// What a key compares by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Int(i64),
    Text(String),
}

fn text(value: impl ToString) -> By {
    By::Text(value.to_string())
}

fn opt<T: ToString>(value: Option<&T>) -> By {
    By::Text(value.map(ToString::to_string).unwrap_or_default())
}

/// Compares by every key in turn, then by time and id in the direction of the first.
fn compare<K: Copy, T>(
    sort: &[SortBy<K>],
    by: impl Fn(K, &T) -> By,
    ties: [K; 2],
    a: &T,
    b: &T,
) -> Ordering {
    let first = sort.first().map_or(Direction::Desc, |s| s.direction);
    let keys = sort.iter().map(|s| (s.key, s.direction));
    let ties = ties.map(|key| (key, first));
    keys.chain(ties).fold(Ordering::Equal, |so_far, (key, direction)| {
        so_far.then_with(|| {
            let ascending = by(key, a).cmp(&by(key, b));
            match direction {
                Direction::Asc => ascending,
                Direction::Desc => ascending.reverse(),
            }
        })
    })
}

/// Every single key in both directions, then some lists of up to three.
fn sorts<K: Copy>(world: &World, keys: &[K]) -> Vec<Vec<SortBy<K>>> {
    let directions = [Direction::Asc, Direction::Desc];
    let mut sorts = vec![vec![]];
    for key in keys {
        sorts.extend(directions.map(|direction| vec![SortBy { key: *key, direction }]));
    }
    for _ in 0..20 {
        let one = |_| SortBy { key: world.one_of(keys), direction: world.one_of(&directions) };
        sorts.push((0..2 + world.below(2)).map(one).collect());
    }
    sorts
}

fn backup_by(key: BackupKey, b: &Backup) -> By {
    match key {
        BackupKey::Id => text(b.id),
        BackupKey::Status => text(b.status.as_str()),
        BackupKey::Size => By::Int(b.size.0.into()),
        BackupKey::CreatedAt => By::Int(b.created_at.as_micros()),
        BackupKey::UpdatedAt => By::Int(b.updated_at.map_or(0, |t| t.as_micros())),
        BackupKey::VolumeId => text(b.volume_id),
        BackupKey::AvailabilityZone => opt(b.availability_zone.as_ref()),
        BackupKey::Container => opt(b.container.as_ref()),
        BackupKey::ObjectCount => {
            let count = b.measured.as_ref().map_or(0, |m| m.object_count);
            By::Int(count.try_into().unwrap())
        }
        BackupKey::DataTimestamp => By::Int(b.data_timestamp.as_micros()),
        BackupKey::SnapshotId => opt(b.snapshot_id.as_ref()),
        BackupKey::FailReason => opt(b.fail_reason.as_ref()),
        BackupKey::Name => opt(b.name.as_ref()),
        BackupKey::Description => opt(b.description.as_ref()),
        BackupKey::Constant => By::Int(0),
    }
}

fn backup_matches(filter: &BackupFilter, b: &Backup) -> bool {
    let name = b.name.clone().unwrap_or_default();
    match filter {
        BackupFilter::Name(wanted) => name == *wanted,
        BackupFilter::NameLike(part) => name.to_lowercase().contains(&part.to_lowercase()),
        BackupFilter::Status(word) => b.status.as_str() == word,
        BackupFilter::StatusLike(part) => b.status.as_str().contains(&part.to_lowercase()),
        BackupFilter::VolumeId(id) => b.volume_id.to_string() == *id,
        BackupFilter::VolumeIdLike(part) => b.volume_id.to_string().contains(&part.to_lowercase()),
        BackupFilter::SnapshotId(id) => {
            b.snapshot_id.map(|s| s.to_string()).unwrap_or_default() == *id
        }
        BackupFilter::AvailabilityZone(zone) => {
            b.availability_zone.clone().unwrap_or_default() == *zone
        }
        BackupFilter::IsIncremental(flag) => b.is_incremental == *flag,
        BackupFilter::Metadata(key, value) => b.metadata.get(key) == Some(value),
        BackupFilter::Project(id) => b.project_id == *id,
        BackupFilter::Ids(ids) => ids.contains(&b.id),
    }
}

/// Backups that share most values with others, so that every key has ties.
async fn some_backups(world: &World, count: usize) -> Vec<Backup> {
    let vault = world.vault("p").await;
    let volumes = [(); 3].map(|()| VolumeId::random(&world.chance));
    let one = |_| {
        let mut b = world.backup(world.one_of(&["p", "p", "q"]), vault);
        b.name = world.one_of(&NAMES).map(str::to_owned);
        b.description = world.one_of(&NAMES).map(str::to_owned);
        b.fail_reason = world.one_of(&NAMES).map(str::to_owned);
        b.container = world.one_of(&NAMES).map(str::to_owned);
        b.availability_zone = world.one_of(&NAMES).map(str::to_owned);
        b.volume_id = world.one_of(&volumes);
        b.snapshot_id = b.snapshot_id.filter(|_| world.below(2) == 0);
        b.status = world.one_of(&BackupStatus::ALL);
        b.size = GiB(world.one_of(&[0, 1, 2]));
        b.is_incremental = world.below(2) == 0;
        b.measured = b.measured.filter(|_| world.below(2) == 0);
        b.created_at = at(world.one_of(&[1, 2, 3, 4]));
        b.updated_at = world.one_of(&[None, Some(at(1)), Some(at(2))]);
        b.data_timestamp = at(world.one_of(&[-1, 0, 1]));
        b.metadata = pairs(&[("k", world.one_of(&["v", "w"]))]);
        b
    };
    let backups: Vec<_> = (0..count).map(one).collect();
    world.insert_backups(&backups).await;
    backups
}

fn some_filter(world: &World, backups: &[Backup]) -> BackupFilter {
    let volume = backups[world.below(backups.len())].volume_id.to_string();
    let name = world.one_of(&NAMES).unwrap_or_default().to_owned();
    match world.below(9) {
        0 => BackupFilter::Name(name),
        1 => BackupFilter::NameLike(name),
        2 => BackupFilter::Status("available".to_owned()),
        3 => BackupFilter::StatusLike("ERROR".to_owned()),
        4 => BackupFilter::VolumeId(volume),
        5 => BackupFilter::VolumeIdLike(volume[..3].to_uppercase()),
        6 => BackupFilter::IsIncremental(true),
        7 => BackupFilter::Metadata("k".to_owned(), "v".to_owned()),
        _ => BackupFilter::SnapshotId(String::new()),
    }
}

async fn backups(world: &World, query: &BackupQuery) -> Outcome<Page<Backup>> {
    let work = world.catalog.read(|tx| Box::pin(async move { tx.backups().list(query).await }));
    work.await
}

async fn pages_of_backups_make_up_the_list(world: &World) {
    let all = some_backups(world, 40).await;
    for (n, sort) in sorts(world, &BackupKey::ALL).into_iter().enumerate() {
        let filters: Vec<_> = (0..n % 3).map(|_| some_filter(world, &all)).collect();
        let owner = world.one_of(&[None, Some("p"), Some("p")]).map(project);
        let mut expected: Vec<_> = all
            .iter()
            .filter(|b| owner.as_ref().is_none_or(|owner| b.project_id == *owner))
            .filter(|b| filters.iter().all(|filter| backup_matches(filter, b)))
            .cloned()
            .collect();
        let ties = [BackupKey::CreatedAt, BackupKey::Id];
        expected.sort_by(|a, b| compare(&sort, backup_by, ties, a, b));
        let limit = 1 + n % 7;
        let mut query = BackupQuery {
            project: owner,
            filters,
            sort,
            start: Start::default(),
            limit: limit.try_into().unwrap(),
            with_total: true,
        };
        let (mut by_marker, mut by_offset) = (Vec::new(), Vec::new());
        loop {
            let page = backups(world, &query).await.unwrap();
            assert_eq!(page.total, Some(expected.len().try_into().unwrap()));
            let Some(last) = page.items.last() else { break };
            query.start = Start::After(last.id);
            by_marker.extend(page.items);
        }
        assert_eq!(by_marker, expected, "by marker: {query:?}");
        for offset in (0..=expected.len()).step_by(limit) {
            query.start = Start::Offset(offset.try_into().unwrap());
            by_offset.extend(backups(world, &query).await.unwrap().items);
        }
        assert_eq!(by_offset, expected, "by offset: {query:?}");
    }
}

fn volume_by(key: VolumeKey, v: &Volume) -> By {
    match key {
        VolumeKey::Name => opt(v.name.as_ref()),
        VolumeKey::Status => text(v.status.as_str()),
        VolumeKey::Size => By::Int(v.size.0.into()),
        VolumeKey::CreatedAt => By::Int(v.created_at.as_micros()),
        VolumeKey::Id => text(v.id),
        VolumeKey::UpdatedAt => By::Int(v.updated_at.map_or(0, |t| t.as_micros())),
        VolumeKey::AvailabilityZone => text(&v.availability_zone),
        VolumeKey::Bootable => By::Int(v.is_bootable.into()),
        VolumeKey::Constant => By::Int(0),
    }
}

async fn pages_of_volumes_make_up_the_list(world: &World) {
    let one = |_| {
        let mut v = world.volume(world.one_of(&["p", "q"]));
        v.name = world.one_of(&NAMES).map(str::to_owned);
        v.status = world.one_of(&VolumeStatus::ALL);
        v.size = GiB(world.one_of(&[1, 2]));
        v.is_bootable = world.below(2) == 0;
        v.availability_zone = world.one_of(&["nova", "Nova"]).to_owned();
        v.created_at = at(world.one_of(&[1, 2]));
        v.updated_at = world.one_of(&[None, Some(at(1))]);
        v
    };
    let all: Vec<_> = (0..30).map(one).collect();
    world.insert_volumes(&all).await;
    let filters =
        vec![VolumeFilter::AvailabilityZone("nova".to_owned()), VolumeFilter::Bootable(true)];
    for (n, sort) in sorts(world, &VolumeKey::ALL).into_iter().enumerate() {
        let filters = if n % 2 == 0 { vec![] } else { filters.clone() };
        let wanted = |v: &&Volume| {
            v.project_id == project("p")
                && (n % 2 == 0 || (v.is_bootable && v.availability_zone == "nova"))
        };
        let mut expected: Vec<_> = all.iter().filter(wanted).cloned().collect();
        let ties = [VolumeKey::CreatedAt, VolumeKey::Id];
        expected.sort_by(|a, b| compare(&sort, volume_by, ties, a, b));
        let mut query = VolumeQuery {
            project: Some(project("p")),
            filters,
            sort,
            limit: 4,
            ..VolumeQuery::default()
        };
        let mut by_marker = Vec::new();
        loop {
            let (query_ref, catalog) = (&query, &world.catalog);
            let work =
                catalog.read(|tx| Box::pin(async move { tx.volumes().list(query_ref).await }));
            let page = Outcome::unwrap(work.await);
            assert_eq!(page.total, None);
            let Some(last) = page.items.last() else { break };
            query.start = Start::After(last.id);
            by_marker.extend(page.items);
        }
        assert_eq!(by_marker, expected, "{query:?}");
    }
}

fn snapshot_by(key: SnapshotKey, s: &Snapshot) -> By {
    match key {
        SnapshotKey::Name => opt(s.name.as_ref()),
        SnapshotKey::Status => text(s.status.as_str()),
        SnapshotKey::Size => By::Int(s.size.0.into()),
        SnapshotKey::CreatedAt => By::Int(s.created_at.as_micros()),
        SnapshotKey::Id => text(s.id),
        SnapshotKey::UpdatedAt => By::Int(s.updated_at.map_or(0, |t| t.as_micros())),
        SnapshotKey::VolumeId => text(s.volume_id),
        SnapshotKey::Constant => By::Int(0),
    }
}

async fn pages_of_snapshots_make_up_the_list(world: &World) {
    let volume_id = VolumeId::random(&world.chance);
    let one = |n| {
        let mut s = world.snapshot("p");
        s.name = world.one_of(&NAMES).map(str::to_owned);
        s.volume_id = if n % 4 == 0 { s.volume_id } else { volume_id };
        s.created_at = at(world.one_of(&[1, 2]));
        s
    };
    let all: Vec<_> = (0..20).map(one).collect();
    let stored = &all;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            for snapshot in stored {
                tx.snapshots().insert(snapshot).await?;
            }
            Outcome::Ok(())
        })
    });
    work.await.unwrap();
    for sort in sorts(world, &SnapshotKey::ALL) {
        let of_volume = all.iter().filter(|s| s.volume_id == volume_id);
        let mut expected: Vec<_> = of_volume.cloned().collect();
        let ties = [SnapshotKey::CreatedAt, SnapshotKey::Id];
        expected.sort_by(|a, b| compare(&sort, snapshot_by, ties, a, b));
        let first = SnapshotQuery {
            filters: vec![SnapshotFilter::VolumeId(volume_id.to_string())],
            sort,
            start: Start::After(expected[4].id),
            limit: 1000,
            with_total: true,
            ..SnapshotQuery::default()
        };
        let query = &first;
        let work =
            world.catalog.read(|tx| Box::pin(async move { tx.snapshots().list(query).await }));
        let page = Outcome::unwrap(work.await);
        assert_eq!(page.items, expected[5..], "{query:?}");
        assert_eq!(page.total, Some(expected.len().try_into().unwrap()));
    }
}

fn ids(page: &Page<Backup>) -> Vec<BackupId> {
    page.items.iter().map(|backup| backup.id).collect()
}

async fn a_marker_outlives_its_match(world: &World) {
    let vault = world.vault("p").await;
    let one = |created_at, status| Backup {
        created_at: at(created_at),
        status,
        ..world.backup("p", vault)
    };
    let stored = [
        one(1, BackupStatus::Available),
        one(2, BackupStatus::Error),
        one(3, BackupStatus::Available),
    ];
    world.insert_backups(&stored).await;
    let query = BackupQuery {
        project: Some(project("p")),
        filters: vec![BackupFilter::Status("available".to_owned())],
        start: Start::After(stored[1].id),
        limit: 10,
        ..BackupQuery::default()
    };
    let page = backups(world, &query).await.unwrap();
    assert_eq!(ids(&page), [stored[0].id]);
}

async fn a_marker_must_exist_in_the_project(world: &World) {
    let vault = world.vault("q").await;
    let foreign = world.backup("q", vault);
    world.insert_backups(std::slice::from_ref(&foreign)).await;
    let query = |owner: Option<&str>, marker| BackupQuery {
        project: owner.map(project),
        start: Start::After(marker),
        limit: 0,
        ..BackupQuery::default()
    };
    let unknown = BackupId::random(&world.chance);
    for (owner, marker) in [(Some("p"), foreign.id), (None, unknown)] {
        let error = backups(world, &query(owner, marker)).await.unwrap_err();
        let named = matches!(&error, Error::MarkerNotFound(id) if *id == marker.to_string());
        assert!(named, "{error:?}");
    }
    assert!(backups(world, &query(None, foreign.id)).await.is_ok());
}

async fn wildcards_in_filters_stand_for_themselves(world: &World) {
    let vault = world.vault("p").await;
    let names = ["100%", "1000", "a_b", "aXb", "c\\d", "Straße ÄÖ"];
    let stored =
        names.map(|name| Backup { name: Some(name.to_owned()), ..world.backup("p", vault) });
    world.insert_backups(&stored).await;
    let cases = [
        ("0%", vec!["100%"]),
        ("A_B", vec!["a_b"]),
        ("\\", vec!["c\\d"]),
        ("E äö", vec!["Straße ÄÖ"]),
        ("'", vec![]),
    ];
    for (part, expected) in cases {
        let query = BackupQuery {
            filters: vec![BackupFilter::NameLike(part.to_owned())],
            limit: 10,
            ..BackupQuery::default()
        };
        let page = backups(world, &query).await.unwrap();
        let found: Vec<_> = page.items.into_iter().filter_map(|b| b.name).collect();
        assert_eq!(found, expected, "{part}");
    }
}

async fn metadata_is_matched_pair_by_pair(world: &World) {
    let vault = world.vault("p").await;
    let stored = [
        pairs(&[("a", "x"), ("b", "y"), ("c", "z")]),
        pairs(&[("q", ",\"b\":\"y\""), ("A", "x")]),
        pairs(&[("x,\"b", "y"), ("b", "yy"), ("bb", "y")]),
        pairs(&[("q\"ä\\", "100 %_"), ("b", "Y")]),
    ]
    .map(|metadata| Backup { metadata, ..world.backup("p", vault) });
    world.insert_backups(&stored).await;
    let cases = [
        (("a", "x"), Some(0)),
        (("b", "y"), Some(0)),
        (("c", "z"), Some(0)),
        (("c", "zz"), None),
        (("A", "x"), Some(1)),
        (("x,\"b", "y"), Some(2)),
        (("q\"ä\\", "100 %_"), Some(3)),
        (("b", "Y"), Some(3)),
    ];
    for ((key, value), expected) in cases {
        let query = BackupQuery {
            filters: vec![BackupFilter::Metadata(key.to_owned(), value.to_owned())],
            limit: 10,
            ..BackupQuery::default()
        };
        let found = ids(&backups(world, &query).await.unwrap());
        let expected: Vec<_> = expected.map(|n: usize| stored[n].id).into_iter().collect();
        assert_eq!(found, expected, "{key}={value}");
    }
}

async fn ids_and_empty_pages(world: &World) {
    let all = some_backups(world, 10).await;
    let wanted = vec![all[3].id, all[7].id];
    let query = |ids: &[BackupId], limit| BackupQuery {
        filters: vec![BackupFilter::Ids(ids.to_vec())],
        limit,
        with_total: true,
        ..BackupQuery::default()
    };
    let page = backups(world, &query(&wanted, 10)).await.unwrap();
    assert_eq!(page.items.len(), 2);
    let page = backups(world, &query(&[], 10)).await.unwrap();
    assert_eq!((page.items.len(), page.total), (0, Some(0)));
    let page = backups(world, &query(&wanted, 0)).await.unwrap();
    assert_eq!((page.items.len(), page.total), (0, Some(2)));
}
