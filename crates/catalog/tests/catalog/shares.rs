//! Shares, kept and listed with their backups.

use strongroom_catalog::{Error, ShareFilter, ShareKey, ShareQuery};
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::ShareId;
use strongroom_model::page::{Direction, SortBy};
use strongroom_model::share::{Share, ShareStatus};

use crate::support::{Outcome, World, at, on_both, project};

on_both!(
    shares_are_kept_whole,
    a_backup_is_shared_once_with_a_project,
    shares_of_a_backup_go_together,
    lists_are_filtered_by_share_and_backup,
    lists_are_sorted_and_paged,
);

fn share(world: &World, backup: &Backup, to: &str, created_at: i64) -> Share {
    Share {
        id: ShareId::random(&world.chance),
        backup_id: backup.id,
        from_project_id: backup.project_id.clone(),
        to_project_id: project(to),
        status: ShareStatus::Accepted,
        vault_id: None,
        created_at: at(created_at),
        updated_at: None,
    }
}

async fn backup(world: &World, name: &str) -> Backup {
    let vault = world.vault("p").await;
    let backup = Backup { name: Some(name.to_owned()), ..world.backup("p", vault) };
    world.insert_backups(std::slice::from_ref(&backup)).await;
    backup
}

async fn insert(world: &World, shares: &[Share]) -> Outcome {
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            for share in shares {
                tx.shares().insert(share).await?;
            }
            Ok(())
        })
    });
    work.await
}

async fn shares_are_kept_whole(world: &World) {
    let backup = backup(world, "b").await;
    let stored = &Share {
        status: ShareStatus::Pending,
        vault_id: Some(backup.vault_id),
        updated_at: Some(at(3)),
        ..share(world, &backup, "q", 2)
    };
    insert(world, std::slice::from_ref(stored)).await.unwrap();
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            assert_eq!(tx.shares().find(stored.id).await?.as_ref(), Some(stored));
            let found = tx.shares().find_with(stored.backup_id, &project("q")).await?;
            assert_eq!(found.as_ref(), Some(stored));
            assert_eq!(tx.shares().find_with(stored.backup_id, &project("p")).await?, None);
            assert!(tx.shares().exist_of(stored.backup_id).await?);
            assert!(tx.shares().delete(stored.id).await?);
            assert!(!tx.shares().exist_of(stored.backup_id).await?);
            tx.shares().delete(stored.id).await
        })
    });
    assert!(!work.await.unwrap());
}

async fn a_backup_is_shared_once_with_a_project(world: &World) {
    let backup = backup(world, "b").await;
    let twice = [share(world, &backup, "q", 1), share(world, &backup, "q", 2)];
    let refused = insert(world, &twice).await.unwrap_err();
    assert!(matches!(refused, Error::Conflict { what: "share" }), "{refused}");
}

async fn shares_of_a_backup_go_together(world: &World) {
    let (one, two) = (backup(world, "one").await, backup(world, "two").await);
    let of_one = [share(world, &one, "q", 1), share(world, &one, "r", 2)];
    let of_two = [share(world, &two, "q", 3), share(world, &two, "r", 4)];
    insert(world, &of_one).await.unwrap();
    insert(world, &of_two).await.unwrap();
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            assert_eq!(tx.shares().delete_of(one.id).await?, 2);
            assert_eq!(tx.shares().delete_of(one.id).await?, 0);
            tx.shares().delete_of(two.id).await?;
            let all = ShareQuery { limit: 9, ..ShareQuery::default() };
            tx.shares().list(&all).await
        })
    });
    assert_eq!(work.await.unwrap().items, []);
}

async fn listed(world: &World, query: ShareQuery) -> (Vec<String>, Option<u64>) {
    let query = &query;
    let work = world.catalog.read(|tx| Box::pin(async move { tx.shares().list(query).await }));
    let page = work.await.unwrap();
    let labels = page.items.iter().map(|(share, backup)| {
        assert_eq!(share.backup_id, backup.id);
        format!("{}>{}", backup.name.as_deref().unwrap_or_default(), share.to_project_id)
    });
    (labels.collect(), page.total)
}

/// Two backups by `p`, shared with `q` and `r`; the second is alone in its zone and status.
async fn four(world: &World) -> (Backup, Backup) {
    let one = backup(world, "Nightly 50%").await;
    let vault = world.vault("p").await;
    let two = Backup {
        name: Some("weekly".to_owned()),
        status: BackupStatus::Available,
        availability_zone: Some("zone-2".to_owned()),
        size: strongroom_model::size::GiB(1),
        ..world.backup("p", vault)
    };
    world.insert_backups(std::slice::from_ref(&two)).await;
    let shares = [
        share(world, &one, "q", 1),
        share(world, &two, "q", 3),
        share(world, &one, "r", 2),
        share(world, &two, "r", 3),
    ];
    insert(world, &shares).await.unwrap();
    (one, two)
}

async fn lists_are_filtered_by_share_and_backup(world: &World) {
    let (one, two) = four(world).await;
    let (first, second) =
        (["Nightly 50%>q", "Nightly 50%>r"].as_slice(), ["weekly>q", "weekly>r"].as_slice());
    let table = [
        (ShareFilter::BackupId(one.id.to_string()), first),
        (ShareFilter::VolumeId(two.volume_id.to_string()), second),
        (ShareFilter::NameLike("GHTLY".to_owned()), first),
        (ShareFilter::NameLike("0%".to_owned()), first),
        (ShareFilter::NameLike("_".to_owned()), &[]),
        (ShareFilter::Status("available".to_owned()), second),
        (ShareFilter::AvailabilityZone("zone-1".to_owned()), first),
        (ShareFilter::To("q".to_owned()), &["Nightly 50%>q", "weekly>q"]),
        (ShareFilter::From("q".to_owned()), &[]),
    ];
    for (filter, expected) in table {
        let query = ShareQuery {
            filters: vec![filter.clone(), ShareFilter::From("p".to_owned())],
            sort: vec![by(ShareKey::Name, Direction::Asc), by(ShareKey::To, Direction::Asc)],
            limit: 9,
            with_total: true,
            ..ShareQuery::default()
        };
        let (labels, total) = listed(world, query).await;
        assert_eq!(labels, expected, "{filter:?}");
        assert_eq!(total, Some(expected.len() as u64), "{filter:?}");
    }
}

const fn by(key: ShareKey, direction: Direction) -> SortBy<ShareKey> {
    SortBy { key, direction }
}

async fn lists_are_sorted_and_paged(world: &World) {
    four(world).await;
    let all = ShareQuery { limit: 9, ..ShareQuery::default() };
    let (newest_first, total) = listed(world, all.clone()).await;
    assert_eq!(
        (&newest_first[2..], total),
        (&["Nightly 50%>r", "Nightly 50%>q"].map(str::to_owned)[..], None)
    );
    for key in [
        ShareKey::Id,
        ShareKey::CreatedAt,
        ShareKey::UpdatedAt,
        ShareKey::BackupId,
        ShareKey::From,
        ShareKey::To,
        ShareKey::Name,
        ShareKey::Status,
        ShareKey::Size,
        ShareKey::VolumeId,
        ShareKey::AvailabilityZone,
        ShareKey::Container,
        ShareKey::ObjectCount,
        ShareKey::DataTimestamp,
        ShareKey::SnapshotId,
        ShareKey::FailReason,
        ShareKey::Description,
        ShareKey::Constant,
    ] {
        let sort = |direction| vec![by(key, direction)];
        let asc = ShareQuery { sort: sort(Direction::Asc), ..all.clone() };
        let (rising, _) = listed(world, asc.clone()).await;
        let desc = ShareQuery { sort: sort(Direction::Desc), ..all.clone() };
        let (mut falling, _) = listed(world, desc).await;
        falling.reverse();
        assert_eq!(rising, falling, "{key:?}");
        let mut paged = Vec::new();
        for offset in 0..5 {
            let page = ShareQuery { offset, limit: 1, ..asc.clone() };
            paged.extend(listed(world, page).await.0);
        }
        assert_eq!(paged, rising, "{key:?}");
    }
    let by_size = ShareQuery { sort: vec![by(ShareKey::Size, Direction::Asc)], ..all };
    assert!(listed(world, by_size).await.0[0].starts_with("weekly"));
}
