//! What goes in comes out: files, holes, odd sizes, targets with garbage.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use strongroom_engine::*;
use strongroom_model::chance::{Chance as _, SeededChance, SystemChance};
use strongroom_model::id::{BackupId, VaultId};

fn fresh(dir: &tempfile::TempDir) -> Repository {
    let store = Store::folder(&dir.path().join("store")).unwrap();
    let key = MasterKey::from_bytes([1; 32]);
    Repository::create(
        store,
        VaultId::random(&SystemChance),
        &key,
        RepositoryOptions::default(),
    )
    .unwrap()
}

fn options() -> BackupOptions {
    BackupOptions::new(
        BackupId::random(&SystemChance),
        SessionId::random(&SystemChance),
    )
}

fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    SeededChance::new(seed).fill(&mut bytes);
    bytes
}

fn restored(repository: &Repository, backup: BackupId, size: usize) -> Vec<u8> {
    let target = MemoryTarget::new(size);
    restore(repository, backup, &target, &RestoreOptions::default()).unwrap();
    target.into_bytes()
}

#[test]
fn volumes_of_every_odd_size_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let repository = fresh(&dir);
    for size in [0, 1, 4095, 262_144, 262_145, 5_000_000, 9 << 20] {
        let bytes = noise(size as u64, size);
        let options = options();
        let report = backup(&repository, &MemorySource::new(bytes.clone()), &options).unwrap();
        assert_eq!(report.stats.size_bytes, size as u64);
        assert!(
            restored(&repository, options.backup_id, size) == bytes,
            "{size} bytes"
        );
    }
    assert_eq!(list(&repository).unwrap().backups.len(), 7);
}

#[test]
fn an_unchanged_volume_costs_one_small_object() {
    let dir = tempfile::tempdir().unwrap();
    let repository = fresh(&dir);
    let source = MemorySource::new(noise(1, 6 << 20));
    let first = options();
    backup(&repository, &source, &first).unwrap();
    let second = BackupOptions {
        parent: Some(first.backup_id),
        ..options()
    };
    let stats = backup(&repository, &source, &second).unwrap().stats;
    assert_eq!(
        (stats.new_chunks, stats.changed_bytes, stats.object_count),
        (0, 0, 1)
    );
    assert_eq!(stats.reused_chunks, 24);
    delete(&repository, first.backup_id).unwrap();
    assert!(restored(&repository, second.backup_id, 6 << 20) == noise(1, 6 << 20));
}

#[test]
fn a_huge_sparse_file_is_neither_read_nor_written() {
    let dir = tempfile::tempdir().unwrap();
    let repository = fresh(&dir);
    let (path, size) = (dir.path().join("disk"), (64 << 30) + 12_345);
    let disk = File::create(&path).unwrap();
    disk.set_len(size).unwrap();
    for at in [0, 10 << 30, size - 100] {
        disk.write_all_at(b"here", at).unwrap();
    }
    let options = options();
    let source = FileSource::open(&path).unwrap();
    let report = backup(&repository, &source, &options).unwrap();
    assert!(report.stats.read_bytes < 1 << 20, "{:?}", report.stats);
    let copy = dir.path().join("copy");
    let target = FileTarget::create(&copy, size).unwrap();
    restore(
        &repository,
        options.backup_id,
        &target,
        &RestoreOptions::default(),
    )
    .unwrap();
    let mut buf = [0; 4];
    for at in [0, 10 << 30, size - 100] {
        File::open(&copy)
            .unwrap()
            .read_exact_at(&mut buf, at)
            .unwrap();
        assert_eq!(&buf, b"here");
    }
    assert!(fs::metadata(&copy).unwrap().blocks() * 512 < 4 << 20);
}

#[test]
fn garbage_in_the_target_does_not_survive() {
    let dir = tempfile::tempdir().unwrap();
    let repository = fresh(&dir);
    let mut bytes = noise(3, 3 << 20);
    bytes[1 << 20..2 << 20].fill(0);
    let options = options();
    backup(&repository, &MemorySource::new(bytes.clone()), &options).unwrap();
    let path = dir.path().join("old");
    fs::write(&path, vec![0xEE; 4 << 20]).unwrap();
    let target = FileTarget::open(&path, bytes.len() as u64).unwrap();
    restore(
        &repository,
        options.backup_id,
        &target,
        &RestoreOptions::default(),
    )
    .unwrap();
    assert!(fs::read(&path).unwrap() == bytes);
}

#[test]
fn a_wrong_key_names_both_keys() {
    let dir = tempfile::tempdir().unwrap();
    let repository = fresh(&dir);
    let other = MasterKey::from_bytes([2; 32]);
    let opened = Repository::open(
        repository.store().clone(),
        repository.vault(),
        &other,
        RepositoryOptions::default(),
    );
    let error = opened.unwrap_err().to_string();
    assert!(error.contains(&other.id().to_string()), "{error}");
    assert!(
        error.contains(&MasterKey::from_bytes([1; 32]).id().to_string()),
        "{error}"
    );
    assert_eq!(
        list_vaults(repository.store()).unwrap(),
        [repository.vault()]
    );
}
