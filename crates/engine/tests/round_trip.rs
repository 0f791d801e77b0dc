//! What goes in comes out: files, holes, odd sizes, targets with garbage.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use common::{World, key, restored};
use strongroom_engine::*;
use strongroom_testkit::volume::noise;

#[test]
fn volumes_of_every_odd_size_come_back() {
    let world = World::new();
    for size in [0, 1, 4095, 262_144, 262_145, 5_000_000, 9 << 20] {
        let bytes = noise(size as u64, size);
        let options = world.fresh();
        let report =
            backup(&world.repository, &MemorySource::new(bytes.clone()), &options).unwrap();
        assert_eq!(report.stats.size_bytes, size as u64);
        assert!(restored(&world.repository, options.backup_id) == bytes, "{size} bytes");
    }
    assert_eq!(list(&world.repository).unwrap().backups.len(), 7);
}

#[test]
fn an_unchanged_volume_costs_one_small_object() {
    let world = World::new();
    let source = MemorySource::new(noise(1, 6 << 20));
    let first = world.fresh();
    backup(&world.repository, &source, &first).unwrap();
    let second = BackupOptions { parent: Some(first.backup_id), ..world.fresh() };
    let stats = backup(&world.repository, &source, &second).unwrap().stats;
    assert_eq!((stats.new_chunks, stats.changed_bytes, stats.object_count), (0, 0, 1));
    assert_eq!(stats.reused_chunks, 24);
    delete(&world.repository, first.backup_id).unwrap();
    assert!(restored(&world.repository, second.backup_id) == noise(1, 6 << 20));
}

#[test]
fn a_huge_sparse_file_is_neither_read_nor_written() {
    let world = World::new();
    let (path, size) = (world.dir.path().join("disk"), (64 << 30) + 12_345);
    let disk = File::create(&path).unwrap();
    disk.set_len(size).unwrap();
    for at in [0, 10 << 30, size - 100] {
        disk.write_all_at(b"here", at).unwrap();
    }
    let options = world.fresh();
    let source = FileSource::open(&path).unwrap();
    let report = backup(&world.repository, &source, &options).unwrap();
    assert!(report.stats.read_bytes < 1 << 20, "{:?}", report.stats);
    let copy = world.dir.path().join("copy");
    let target = FileTarget::create(&copy, size).unwrap();
    restore(&world.repository, options.backup_id, &target, &RestoreOptions::default()).unwrap();
    let mut buf = [0; 4];
    for at in [0, 10 << 30, size - 100] {
        File::open(&copy).unwrap().read_exact_at(&mut buf, at).unwrap();
        assert_eq!(&buf, b"here");
    }
    assert!(fs::metadata(&copy).unwrap().blocks() * 512 < 4 << 20);
}

#[test]
fn garbage_in_the_target_does_not_survive() {
    let world = World::new();
    let mut bytes = noise(3, 3 << 20);
    bytes[1 << 20..2 << 20].fill(0);
    let options = world.fresh();
    backup(&world.repository, &MemorySource::new(bytes.clone()), &options).unwrap();
    let path = world.dir.path().join("old");
    fs::write(&path, vec![0xEE; 4 << 20]).unwrap();
    let target = FileTarget::open(&path, bytes.len() as u64).unwrap();
    restore(&world.repository, options.backup_id, &target, &RestoreOptions::default()).unwrap();
    assert!(fs::read(&path).unwrap() == bytes);
}

#[test]
fn a_wrong_key_names_both_keys() {
    let world = World::new();
    let other = MasterKey::from_bytes([2; 32]);
    let opened = Repository::open(
        world.repository.store().clone(),
        world.repository.vault(),
        &other,
        RepositoryOptions::default(),
    );
    let error = opened.unwrap_err().to_string();
    assert!(error.contains(&other.id().to_string()), "{error}");
    assert!(error.contains(&key().id().to_string()), "{error}");
    assert_eq!(list_vaults(world.repository.store()).unwrap(), [world.repository.vault()]);
}
