//! A vault that version 1 of the format wrote, kept as files: it must be readable for ever.
//!
//! `fixtures/v1` was made once by `make` below. It is never made again: a change that cannot read it
//! is a new format.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{key, restored};
use strongroom_engine::*;
use strongroom_model::chance::{Chance as _, SeededChance};
use strongroom_model::id::{BackupId, VaultId};
use strongroom_model::time::{SettableClock, Timestamp};

const VAULT: &str = "11111111-1111-4111-8111-111111111111";
const FIRST: &str = "22222222-2222-4222-8222-222222222222";
const SECOND: &str = "33333333-3333-4333-8333-333333333333";
const DELETED: &str = "44444444-4444-4444-8444-444444444444";

/// The content of the volume: text, zeros, something that does not compress, a short last cell.
fn content(version: u8) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        (0..40_000).flat_map(|n| format!("{version} line {n}\n").into_bytes()).collect();
    bytes.truncate(400_000);
    bytes.resize(800_000, 0);
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"golden");
    let mut noise = [0; 3000];
    hasher.finalize_xof().fill(&mut noise);
    bytes.extend_from_slice(&noise);
    bytes
}

fn id(text: &str) -> BackupId {
    BackupId::parse(text).unwrap()
}

/// Makes the vault: two backups, one deleted, one aborted attempt, one epoch of collection.
fn make(root: &Path) {
    let chance = Arc::new(SeededChance::new(1));
    let clock = Arc::new(SettableClock::new(Timestamp::from_micros(1_790_000_000_000_000)));
    let options = RepositoryOptions { clock, chance: Arc::clone(&chance) as _ };
    let vault = VaultId::parse(VAULT).unwrap();
    let store = Store::folder(root).unwrap();
    let repository = Repository::create(store, vault, &key(), options).unwrap();
    let suites = [Suite::Aes256Gcm, Suite::ChaCha20Poly1305, Suite::Aes256Gcm];
    for (version, (name, suite)) in (1..).zip([FIRST, SECOND, DELETED].into_iter().zip(suites)) {
        let mut options = BackupOptions::new(id(name), SessionId::random(&*chance));
        options.parent = (version == 2).then(|| id(FIRST));
        options.suite = Some(suite);
        options.threads = 1;
        options.node = "node".to_owned();
        options.meta.insert("name".to_owned(), format!("backup {version}").into());
        backup(&repository, &MemorySource::new(content(version)), &options).unwrap();
    }
    resolve_session(&repository, SessionId::random(&*chance)).unwrap();
    delete(&repository, id(DELETED)).unwrap();
    gc(&repository, &GcOptions::default()).unwrap();
    delete(&repository, id(DELETED)).unwrap();
}

/// Everything the vault must give back.
fn check(root: &Path) {
    let store = Store::folder(root).unwrap();
    let vault = list_vaults(&store).unwrap();
    assert_eq!(vault, [VaultId::parse(VAULT).unwrap()]);
    let repository =
        Repository::open(store, vault[0], &key(), RepositoryOptions::default()).unwrap();
    assert_eq!(repository.problems(), [""; 0]);
    assert!(restored(&repository, id(FIRST)) == content(1));
    assert!(restored(&repository, id(SECOND)) == content(2));
    let listed = list(&repository).unwrap();
    assert_eq!(listed.problems, [""; 0]);
    let [first, second] = &listed.backups[..] else { panic!("{listed:?}") };
    assert_eq!((first.meta["name"].as_str(), first.parent), (Some("backup 1"), None));
    assert_eq!(
        (second.meta["name"].as_str(), second.parent),
        (Some("backup 2"), Some(first.backup_id))
    );
    assert_eq!(second.size_bytes, 803_000);
    assert_eq!((first.stats.zero_chunks, first.stats.new_chunks), (1, 3));
    assert!(matches!(find(&repository, id(DELETED)), Ok(None)));
    let options = VerifyOptions { depth: VerifyDepth::Data, ..Default::default() };
    let report = verify(&repository, &options).unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    // And it can still be written to.
    let options = BackupOptions {
        parent: Some(second.backup_id),
        ..BackupOptions::new(id(DELETED.replace('4', "5").as_str()), SessionId(uuid(9)))
    };
    let stats = backup(&repository, &MemorySource::new(content(2)), &options).unwrap().stats;
    assert_eq!((stats.new_chunks, stats.object_count), (0, 1));
}

fn uuid(n: u64) -> uuid::Uuid {
    SeededChance::new(n).uuid()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn the_first_version_is_readable() {
    let dir = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1"), dir.path());
    check(dir.path());
}

#[test]
fn what_is_written_today_is_read_alike() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path());
    check(dir.path());
}
