//! What a backup tells, and how it ends when it cannot go on.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use common::{World, key, restored, try_restore};
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use strongroom_engine::*;
use strongroom_testkit::volume::{noise, text};

/// A volume that does something when certain bytes are read.
struct Trap<F> {
    inner: MemorySource,
    at: Range<u64>,
    action: F,
}

impl<F: Fn() -> io::Result<()> + Send + Sync> VolumeSource for Trap<F> {
    fn size_bytes(&self) -> u64 {
        self.inner.size_bytes()
    }

    fn extents(&self, range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
        self.inner.extents(range)
    }

    fn read_at(&self, offset_bytes: u64, buf: &mut [u8]) -> io::Result<()> {
        if offset_bytes < self.at.end && self.at.start < offset_bytes + buf.len() as u64 {
            (self.action)()?;
        }
        self.inner.read_at(offset_bytes, buf)
    }

    fn has_changed(&self) -> io::Result<bool> {
        Ok(false)
    }
}

fn trap<F: Fn() -> io::Result<()> + Send + Sync>(action: F) -> Trap<F> {
    Trap { inner: MemorySource::new(noise(1, 12 << 20)), at: 5 << 20..6 << 20, action }
}

#[test]
fn a_read_error_names_the_place_and_aborts_the_session() {
    let world = World::new();
    let options = world.fresh();
    let source = trap(|| Err(io::ErrorKind::InvalidData.into()));
    let error = backup(&world.repository, &source, &options).unwrap_err();
    assert!(matches!(error, Error::Source { offset_bytes: 4_194_304, .. }), "{error}");
    let end = resolve_session(&world.repository, options.session_id).unwrap();
    assert_eq!(end, SessionOutcome::Aborted);
    assert!(list(&world.repository).unwrap().backups.is_empty());
}

#[test]
fn a_cancelled_backup_ends_and_leaves_nothing() {
    let world = World::new();
    let options = BackupOptions { threads: 1, ..world.fresh() };
    let progress = Arc::clone(&options.progress);
    let source = trap(move || {
        progress.cancel();
        Ok(())
    });
    let error = backup(&world.repository, &source, &options).unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error}");
    assert!(options.progress.done_bytes() < options.progress.total_bytes());
    assert_eq!(gc(&world.repository, &GcOptions::default()).unwrap().blocked, [""; 0]);
    assert!(matches!(
        try_restore(&world.repository, options.backup_id),
        Err(Error::BackupMissing(_))
    ));
}

#[test]
fn a_long_backup_renews_its_lease() {
    let world = World::new();
    let options = BackupOptions { threads: 1, ..world.fresh() };
    let (clock, repository) = (Arc::clone(&world.clock), world.repository.clone());
    // Each of three units takes more than half of the lease, all together more than the whole.
    let source = Trap {
        at: 0..u64::MAX,
        ..trap(move || {
            clock.advance(Duration::from_secs(1900));
            let report = gc(&repository, &GcOptions::default()).unwrap();
            assert_eq!((report.aborted_sessions, report.deleted_packs), (0, 0));
            Ok(())
        })
    };
    backup(&world.repository, &source, &options).unwrap();
    assert!(restored(&world.repository, options.backup_id) == noise(1, 12 << 20));
}

#[test]
fn a_file_written_to_meanwhile_is_told() {
    let world = World::new();
    let path = world.dir.path().join("disk");
    std::fs::write(&path, text(1, 10_000)).unwrap();
    let source = FileSource::open(&path).unwrap();
    let quiet = backup(&world.repository, &source, &world.fresh()).unwrap();
    assert!(!quiet.source_changed);
    std::fs::write(&path, text(2, 10_001)).unwrap();
    let torn = backup(&world.repository, &source, &world.fresh()).unwrap();
    assert!(torn.source_changed);
}

#[test]
fn the_numbers_are_true() {
    let world = World::new();
    let mut bytes = noise(1, 2 << 20);
    bytes.extend_from_slice(&noise(1, 1 << 20)[..512 << 10]);
    bytes.resize(4 << 20, 0);
    let options = BackupOptions { threads: 1, ..world.fresh() };
    let stats = backup(&world.repository, &MemorySource::new(bytes), &options).unwrap().stats;
    assert_eq!((stats.size_bytes, stats.read_bytes), (4 << 20, 4 << 20));
    assert_eq!((stats.new_chunks, stats.reused_chunks, stats.zero_chunks), (8, 2, 6));
    assert_eq!((stats.new_bytes, stats.changed_bytes), (2 << 20, (2 << 20) + (512 << 10)));
    let vault = world.repository.vault();
    let of = |folder: &str| world.repository.store().list(&format!("{vault}/{folder}")).unwrap();
    let written: Vec<_> = of("packs").into_iter().chain(of("manifests")).collect();
    assert_eq!(stats.object_count, written.len() as u64);
    assert_eq!(stats.stored_bytes, written.iter().map(|o| o.size_bytes).sum::<u64>());
    let listed = find(&world.repository, options.backup_id).unwrap().unwrap();
    assert_eq!(listed.stats, stats);
}

#[test]
fn a_session_id_serves_once_and_a_deleted_backup_is_gone() {
    let world = World::new();
    let options = world.fresh();
    let source = MemorySource::new(noise(1, 1000));
    backup(&world.repository, &source, &options).unwrap();
    let again = backup(&world.repository, &source, &options).unwrap_err();
    assert!(matches!(again, Error::SessionExists(_)), "{again}");
    let session_id = SessionId::random(&*world.chance);
    let other = BackupOptions { session_id, ..options.clone() };
    let again = backup(&world.repository, &source, &other).unwrap_err();
    assert!(matches!(again, Error::AlreadyCommitted { .. }), "{again}");
    delete(&world.repository, options.backup_id).unwrap();
    let other = BackupOptions { session_id: SessionId::random(&*world.chance), ..options };
    let gone = backup(&world.repository, &source, &other).unwrap_err();
    assert!(matches!(gone, Error::BackupDeleted(_)), "{gone}");
}

#[test]
fn an_export_is_a_raw_file_and_its_description() {
    let world = World::new();
    let mut options = world.fresh();
    options.meta.insert("name".to_owned(), "database".into());
    backup(&world.repository, &MemorySource::new(text(1, 300_000)), &options).unwrap();
    let dir = world.dir.path().join("out");
    let report =
        export(&world.repository, options.backup_id, &dir, &RestoreOptions::default()).unwrap();
    assert!(std::fs::read(report.image).unwrap() == text(1, 300_000));
    let text = std::fs::read_to_string(report.description).unwrap();
    let description: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(description["meta"]["name"], "database");
    assert_eq!(description["size_bytes"], 300_000);
    let twice = export(&world.repository, options.backup_id, &dir, &RestoreOptions::default());
    assert!(twice.is_err());
}

#[test]
fn a_creation_is_finished_by_the_next_and_refused_after_that() {
    let world = World::new();
    let store = world.repository.store().clone();
    let vault = world.repository.vault();
    world.save(&noise(1, 1000), None);
    store.delete(&format!("{vault}/vault")).unwrap();
    assert_eq!(world.reopened().problems().len(), 1);
    let again = || Repository::create(store.clone(), vault, &key(), world.options());
    assert_eq!(list(&again().unwrap()).unwrap().backups.len(), 1);
    assert!(matches!(again(), Err(Error::VaultExists(_))));
}

#[test]
fn threads_that_meet_the_same_content_store_it_once() {
    let world = World::new();
    let bytes = noise(1, 256 << 10).repeat(100);
    let options = BackupOptions { threads: 4, ..world.fresh() };
    let source = MemorySource::new(bytes.clone());
    let stats = backup(&world.repository, &source, &options).unwrap().stats;
    assert_eq!((stats.new_chunks, stats.reused_chunks), (1, 99));
    assert!(restored(&world.repository, options.backup_id) == bytes);
}

/// A volume too large to be kept: each cell is the same noise behind its own place.
struct Endless {
    size_bytes: u64,
    cell: Vec<u8>,
}

impl VolumeSource for Endless {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn extents(&self, range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
        Ok(vec![range])
    }

    fn read_at(&self, offset_bytes: u64, buf: &mut [u8]) -> io::Result<()> {
        let places = (offset_bytes..).step_by(self.cell.len());
        for (place, part) in places.zip(buf.chunks_mut(self.cell.len())) {
            part.copy_from_slice(&self.cell);
            part[..8].copy_from_slice(&place.to_le_bytes());
        }
        Ok(())
    }

    fn has_changed(&self) -> io::Result<bool> {
        Ok(false)
    }
}

#[test]
fn readers_that_are_faster_than_the_store_wait_and_go_on() {
    let wait_put_per_call = Duration::from_millis(100);
    let config = ThrottleConfig { wait_put_per_call, ..Default::default() };
    let store = Store::objects(Arc::new(ThrottledStore::new(InMemory::new(), config))).unwrap();
    let world = World::new();
    let vault = world.repository.vault();
    let repository = Repository::create(store, vault, &key(), world.options()).unwrap();
    let source = Endless { size_bytes: 256 << 20, cell: noise(1, 256 << 10) };
    let stats = backup(&repository, &source, &world.fresh()).unwrap().stats;
    assert_eq!(stats.new_chunks, 256 * 4);
}
