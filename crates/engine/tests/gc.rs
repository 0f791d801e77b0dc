//! Collection: what it frees, what it waits for and what it must never touch.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::time::Duration;

use common::{World, restored, try_restore};
use strongroom_engine::*;
use strongroom_testkit::volume::noise;

fn collect(world: &World) -> GcReport {
    gc(&world.repository, &GcOptions::default()).unwrap()
}

fn objects(world: &World, folder: &str) -> Vec<String> {
    let prefix = format!("{}/{folder}", world.repository.vault());
    let listed = world.repository.store().list(&prefix).unwrap();
    listed.into_iter().map(|object| object.name).collect()
}

#[test]
fn a_deleted_backup_leaves_nothing_behind() {
    let world = World::new();
    let kept = world.save(&noise(1, 1 << 20), None);
    let gone = world.save(&noise(2, 1 << 20), None);
    assert_eq!(collect(&world).deleted_packs, 0);
    delete(&world.repository, gone).unwrap();
    let report = collect(&world);
    assert_eq!((report.condemned_packs, report.deleted_packs, report.removed_backups), (1, 1, 1));
    assert!(report.freed_bytes >= 1 << 20);
    assert_eq!(objects(&world, "packs").len(), 1);
    assert_eq!(objects(&world, "manifests").len(), 1);
    assert_eq!(objects(&world, "sessions").len(), 2);
    assert!(objects(&world, "tombs").is_empty());
    assert!(restored(&world.repository, kept) == noise(1, 1 << 20));
    let report = verify(&world.repository, &VerifyOptions::default()).unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
}

#[test]
fn shared_packs_stay_until_their_last_backup_goes() {
    let world = World::new();
    let bytes = noise(1, 1 << 20);
    let first = world.save(&bytes, None);
    let second = world.save(&bytes, Some(first));
    delete(&world.repository, first).unwrap();
    assert_eq!(collect(&world).deleted_packs, 0);
    assert!(restored(&world.reopened(), second) == bytes);
    delete(&world.repository, second).unwrap();
    assert_eq!(collect(&world).deleted_packs, 1);
    assert!(objects(&world, "packs").is_empty());
}

#[test]
fn a_crashed_session_is_given_up_when_its_lease_is_over() {
    let world = World::new();
    world.save(&noise(1, 1 << 20), None);
    let open = objects(&world, "sessions").into_iter().find(|name| name.ends_with("end")).unwrap();
    // As if the process had died between the upload of the manifest and the commit.
    world.repository.store().delete(&open).unwrap();
    let report = collect(&world);
    assert_eq!((report.aborted_sessions, report.condemned_packs, report.deleted_packs), (0, 0, 0));
    world.clock.advance(Duration::from_secs(3601));
    let report = collect(&world);
    assert_eq!((report.aborted_sessions, report.deleted_packs), (1, 1));
    assert!(objects(&world, "packs").is_empty() && objects(&world, "manifests").is_empty());
    let sessions = objects(&world, "sessions");
    assert!(sessions.len() == 1 && sessions[0].ends_with("/end"), "{sessions:?}");
}

#[test]
fn an_unreadable_manifest_stops_all_deletion() {
    let world = World::new();
    let kept = world.save(&noise(1, 1 << 20), None);
    let gone = world.save(&noise(2, 1 << 20), None);
    delete(&world.repository, gone).unwrap();
    let manifest = objects(&world, "manifests")
        .into_iter()
        .find(|name| name.contains(&kept.to_string()))
        .unwrap();
    let path = world.dir.path().join("store").join(manifest);
    let whole = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let report = collect(&world);
    assert_eq!((report.deleted_packs, report.removed_backups), (0, 0));
    assert!(report.blocked[0].contains(&kept.to_string()), "{:?}", report.blocked);
    std::fs::write(&path, whole).unwrap();
    assert_eq!(collect(&world).deleted_packs, 1);
    assert!(try_restore(&world.repository, kept).is_ok());
}

#[test]
fn a_backup_whose_commit_record_was_lost_is_not_collected_while_it_is_expected() {
    let world = World::new();
    let id = world.save(&noise(1, 1 << 20), None);
    let end = objects(&world, "sessions").into_iter().find(|name| name.ends_with("end")).unwrap();
    world.repository.store().delete(&end).unwrap();
    world.clock.advance(Duration::from_secs(7 * 24 * 3600));
    let options = GcOptions { expected: [id].into(), ..GcOptions::default() };
    let report = gc(&world.repository, &options).unwrap();
    assert!(report.blocked[0].contains(&id.to_string()), "{report:?}");
    assert_eq!((report.aborted_sessions, report.deleted_packs), (0, 0));
    assert_eq!(objects(&world, "packs").len(), 1);
    // Whoever does not miss it gets the room back.
    assert_eq!(collect(&world).deleted_packs, 1);
}
