//! Every kind of stored object, damaged in every way: verify names it, other backups come back, and
//! wrong bytes never do.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use common::{World, try_restore};
use strongroom_engine::*;
use strongroom_model::id::BackupId;
use strongroom_testkit::volume::noise;

/// A vault with two backups that share nothing, one deleted backup and their objects by kind.
struct Scene {
    world: World,
    contents: BTreeMap<BackupId, Vec<u8>>,
    objects: Vec<String>,
    /// Ids of the deleted backup's session and of its pack.
    dead: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let mut contents = BTreeMap::new();
        for seed in [1, 2] {
            let bytes = noise(seed, 700_000);
            contents.insert(world.save(&bytes, None), bytes);
        }
        let packs = format!("{}/packs", world.repository.vault());
        let before = world.repository.store().list(&packs).unwrap();
        let gone = world.save(&noise(3, 300_000), None);
        let after = world.repository.store().list(&packs).unwrap();
        let mut dead: Vec<_> = after.into_iter().filter(|pack| !before.contains(pack)).collect();
        let mut dead: Vec<_> = dead.drain(..).map(|pack| pack.name).collect();
        dead.push(find(&world.repository, gone).unwrap().unwrap().session_id.to_string());
        delete(&world.repository, gone).unwrap();
        // Beyond every lease: a manifest whose session has no end is no longer work in progress.
        world.clock.advance(std::time::Duration::from_secs(7200));
        let folder = world.repository.vault().to_string();
        let objects = world.repository.store().list(&folder).unwrap();
        let objects = objects.into_iter().map(|object| object.name).collect();
        Self { world, contents, objects, dead }
    }

    fn path(&self, object: &str) -> PathBuf {
        self.world.dir.path().join("store").join(object)
    }

    /// Damages an object, checks what must hold, and puts the object back.
    fn check(&self, object: &str, damage: &str, bytes: Option<Vec<u8>>) {
        let path = self.path(object);
        let whole = fs::read(&path).unwrap();
        match bytes {
            Some(bytes) if bytes == whole => return,
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let case = format!("{object}, {damage}");
        let Ok(repository) = self.world.try_reopen() else {
            panic!("{case}: one damaged object must not lock the vault");
        };
        let lost: Vec<_> = self
            .contents
            .iter()
            .filter(|(backup, content)| match try_restore(&repository, **backup) {
                Ok(bytes) => {
                    assert!(bytes == **content, "{case}: wrong bytes came back");
                    false
                }
                Err(_) => true,
            })
            .map(|(backup, _)| *backup)
            .collect();
        assert!(lost.len() <= 1, "{case}: {} backups lost", lost.len());
        let options = VerifyOptions { depth: VerifyDepth::Data, ..Default::default() };
        let report = verify(&repository, &options).unwrap();
        let named = report.findings.iter().any(|finding| finding.object == object);
        assert!(named || !self.must_be_named(object, damage), "{case}: {:?}", report.findings);
        for backup in lost {
            let blamed = report.findings.iter().any(|finding| finding.backups.contains(&backup));
            assert!(blamed, "{case}: backup {backup} is lost and verify does not say so");
        }
        fs::write(&path, whole).unwrap();
    }

    /// A tomb that is gone cannot be told from one that never was; and what is missing of a
    /// deleted backup is on its way out, pack, manifest and session alike.
    fn must_be_named(&self, object: &str, damage: &str) -> bool {
        let is_dead = self.dead.iter().any(|id| object.contains(id));
        match kind(object).as_str() {
            "tombs" => damage != "missing",
            "manifests" => !is_dead,
            _ => !(is_dead && damage == "missing"),
        }
    }
}

fn kind(object: &str) -> String {
    let parts: Vec<_> = object.split('/').skip(1).collect();
    match parts[..] {
        ["sessions", _, "renew", _] => "renew".to_owned(),
        ["sessions", _, what] => what.to_owned(),
        _ => parts.first().copied().unwrap_or("").to_owned(),
    }
}

#[test]
fn whatever_is_damaged_is_found_and_nothing_else_is_lost() {
    let scene = Scene::new();
    for object in &scene.objects {
        let whole = fs::read(scene.path(object)).unwrap();
        scene.check(object, "missing", None);
        scene.check(object, "empty", Some(Vec::new()));
        for cut in [1, whole.len() / 2, whole.len() - 1] {
            scene.check(object, "truncated", Some(whole[..cut].to_vec()));
        }
        for at in [0, 9, whole.len() / 3, whole.len() / 2, whole.len() - 30, whole.len() - 2] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            scene.check(object, &format!("flipped at {at}"), Some(bytes));
        }
        let other = scene.objects.iter().find(|o| *o != object && kind(o) == kind(object));
        if let Some(other) = other.filter(|_| kind(object) != "keys") {
            scene.check(object, "swapped", Some(fs::read(scene.path(other)).unwrap()));
        }
    }
}

#[test]
fn a_chunk_that_lies_twice_survives_the_loss_of_one() {
    let world = World::new();
    let bytes = noise(1, 700_000);
    let first = world.save(&bytes, None);
    let packs = format!("{}/packs", world.repository.vault());
    let pack = world.repository.store().list(&packs).unwrap()[0].name.clone();
    let path = world.dir.path().join("store").join(pack);
    let whole = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    // Nothing can be stored against a pack that is gone, so the same content is stored again.
    let second = BackupOptions { parent: Some(first), ..world.fresh() };
    backup(&world.reopened(), &MemorySource::new(bytes.clone()), &second).unwrap();
    let repository = world.reopened();
    // The page of the first backup went with its pack, the chunks did not.
    assert!(try_restore(&repository, first).is_err());
    let mut broken = whole;
    broken[200] ^= 1;
    fs::write(&path, broken).unwrap();
    assert!(try_restore(&repository, first).unwrap() == bytes);
    assert!(try_restore(&repository, second.backup_id).unwrap() == bytes);
}
