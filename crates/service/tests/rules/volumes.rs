//! Volumes and snapshots of the folder source.

use strongroom_model::quota::{Resource, UNLIMITED};
use strongroom_model::size::GiB;
use strongroom_model::volume::{Metadata, VolumeStatus};
use strongroom_service::Error;
use strongroom_service::snapshot::NewSnapshot;
use strongroom_service::volume::{NewVolume, VolumeDeletion, VolumeOrigin};

use super::world::World;

fn snapshot_of(volume: &strongroom_model::volume::Volume) -> NewSnapshot {
    NewSnapshot {
        volume_id: volume.id,
        name: Some("s".to_owned()),
        description: None,
        is_forced: false,
        metadata: Metadata::new(),
    }
}

#[tokio::test]
async fn a_volume_is_a_file_of_its_size_until_it_is_deleted() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    assert_eq!(std::fs::metadata(w.path(&volume)).unwrap().len(), 1 << 30);
    let id = volume.id.to_string();
    w.service.extend_volume(&w.admin, &id, GiB(2)).await.unwrap();
    assert_eq!(std::fs::metadata(w.path(&volume)).unwrap().len(), 2 << 30);
    let shrink = w.service.extend_volume(&w.admin, &id, GiB(1)).await;
    assert!(matches!(shrink, Err(Error::SizeTooSmall { needed: GiB(3), .. })));
    w.service.delete_volume(&w.admin, &id, VolumeDeletion::default()).await.unwrap();
    assert_eq!(w.show_volume(&w.admin, &volume).await.status, VolumeStatus::Deleting);
    w.work().await;
    assert!(matches!(w.service.volume(&w.admin, &id).await, Err(Error::VolumeNotFound(_))));
    assert!(!w.path(&volume).exists());
}

#[tokio::test]
async fn a_volume_grows_to_the_quota_of_one_volume_and_no_further() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let (id, project) = (volume.id.to_string(), &volume.project_id);
    let limits = [(Resource::PerVolumeGigabytes, 2), (Resource::Gigabytes, UNLIMITED)];
    w.service.set_quotas(&w.admin, project, &limits).await.unwrap();
    let refused = w.service.extend_volume(&w.admin, &id, GiB(3)).await;
    let resource = Resource::PerVolumeGigabytes;
    assert!(
        matches!(&refused, Err(Error::QuotaExceeded { resource: found, .. }) if *found == resource),
        "{refused:?}"
    );
    w.service.extend_volume(&w.admin, &id, GiB(2)).await.unwrap();
}

// A file of 2^61 bytes is more than any file system keeps.
#[tokio::test]
async fn a_volume_that_cannot_grow_stays_as_it_is() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let limits = [(Resource::PerVolumeGigabytes, UNLIMITED), (Resource::Gigabytes, UNLIMITED)];
    w.service.set_quotas(&w.admin, &volume.project_id, &limits).await.unwrap();
    let grown = w.service.extend_volume(&w.admin, &volume.id.to_string(), GiB(1 << 31)).await;
    assert!(matches!(grown, Err(Error::Invalid { field: "new_size", .. })), "{grown:?}");
    let shown = w.show_volume(&w.admin, &volume).await;
    assert_eq!((shown.size, shown.status), (GiB(1), VolumeStatus::Available));
    assert_eq!(std::fs::metadata(w.path(&volume)).unwrap().len(), 1 << 30);
}

#[tokio::test]
async fn copies_of_volumes_and_snapshots_hold_the_same_bytes() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "original").await;
    let digest = w.digest(&volume);
    let snapshot = w.service.create_snapshot(&w.admin, snapshot_of(&volume)).await.unwrap();
    w.work().await;
    w.write(&volume, "changed");
    for origin in [VolumeOrigin::Snapshot(snapshot.id), VolumeOrigin::Volume(volume.id)] {
        let new = NewVolume { origin, ..NewVolume::default() };
        let copy = w.service.create_volume(&w.admin, new).await.unwrap();
        w.work().await;
        let expected = match origin {
            VolumeOrigin::Snapshot(_) => digest,
            _ => w.digest(&volume),
        };
        assert_eq!(w.digest(&copy), expected);
    }
}

#[tokio::test]
async fn a_volume_with_snapshots_goes_only_with_them() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let snapshot = w.service.create_snapshot(&w.admin, snapshot_of(&volume)).await.unwrap();
    w.work().await;
    let id = volume.id.to_string();
    let refused = w.service.delete_volume(&w.admin, &id, VolumeDeletion::default()).await;
    assert!(matches!(refused, Err(Error::VolumeHasSnapshots(_))));
    let deletion = VolumeDeletion { cascade: true, ..VolumeDeletion::default() };
    w.service.delete_volume(&w.admin, &id, deletion).await.unwrap();
    w.work().await;
    let gone = w.service.snapshot(&w.admin, &snapshot.id.to_string()).await;
    assert!(matches!(gone, Err(Error::SnapshotNotFound(_))));
    assert!(!w.service.folder().snapshot(snapshot.id).exists());
}

#[tokio::test]
async fn a_volume_goes_no_sooner_than_its_snapshots() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let snapshot = w.service.create_snapshot(&w.admin, snapshot_of(&volume)).await.unwrap();
    w.work().await;
    // What stands in the place of the snapshot's file cannot be removed like a file.
    let file = w.service.folder().snapshot(snapshot.id);
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let deletion = VolumeDeletion { cascade: true, ..VolumeDeletion::default() };
    w.service.delete_volume(&w.admin, &volume.id.to_string(), deletion).await.unwrap();
    w.work().await;
    assert!(w.service.snapshot(&w.admin, &snapshot.id.to_string()).await.is_ok());
    assert!(w.service.volume(&w.admin, &volume.id.to_string()).await.is_ok());
}

#[tokio::test]
async fn sizes_that_cannot_hold_their_origin_are_refused() {
    let w = World::new().await;
    let zero = NewVolume { size: Some(GiB(0)), ..NewVolume::default() };
    let refused = w.service.create_volume(&w.admin, zero).await;
    assert!(matches!(refused, Err(Error::SizeTooSmall { .. })));
    let two = NewVolume { size: Some(GiB(2)), ..NewVolume::default() };
    let two = w.service.create_volume(&w.admin, two).await.unwrap();
    w.work().await;
    let origin = VolumeOrigin::Volume(two.id);
    let small = NewVolume { size: Some(GiB(1)), origin, ..NewVolume::default() };
    let refused = w.service.create_volume(&w.admin, small).await;
    assert!(matches!(refused, Err(Error::SizeTooSmall { needed: GiB(2), .. })));
}
