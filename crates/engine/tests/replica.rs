//! A backup of one vault as a backup of another.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;
mod replica {
    pub(crate) mod wire;
}

use std::sync::Arc;

use common::restored;
use proptest::prelude::*;
use replica::wire::{Pair, Sparse, Wire, changed_cells, stored_chunks};
use strongroom_engine::*;
use strongroom_model::id::BackupId;
use strongroom_testkit::volume::{disk, noise, scribble};

const MIB: u64 = 1 << 20;

impl Pair {
    /// Backs a sparse volume up in the near vault.
    fn save(&self, volume: &Sparse, parent: Option<BackupId>) -> BackupId {
        let options = self.near.fresh(parent);
        backup(&self.near.open_sound(), volume, &options).unwrap();
        options.backup_id
    }

    /// The copy holds the same bytes, and both vaults are whole.
    fn assert_copy(&self, copy: BackupId, volume: &[u8]) {
        assert!(restored(&self.far.open_sound(), copy) == volume);
        self.far.tidy();
        self.near.tidy();
        assert!(restored(&self.far.open_sound(), copy) == volume);
    }
}

#[test]
fn a_first_copy_restores_to_the_same_bytes() {
    let pair = Pair::new();
    let volume = disk(1, 5_000_000);
    let backup = pair.near.save(&volume, None);
    let options = pair.far.fresh(None);
    let report = pair.receive(backup, None, &options).unwrap();
    assert_eq!(report.announced_chunks, report.fetched_chunks + report.reused_chunks);
    assert_eq!(report.backup.stats.new_chunks, report.fetched_chunks);
    assert!(report.backup.problems.is_empty() && !report.used_base);
    assert!(report.fetched_bytes > 0 && report.outline_bytes > 0);
    let entry = find(&pair.far.open_sound(), options.backup_id).unwrap().unwrap();
    assert_eq!(entry.root, report.backup.root);
    assert_eq!(entry.meta[CONTENT_ROOT], report.content_root.to_string());
    assert_eq!(options.progress.done_bytes(), 5_000_000);
    check(&pair.far.open_sound(), options.backup_id, &Progress::default()).unwrap();
    pair.assert_copy(options.backup_id, &volume);
}

#[test]
fn an_increment_with_a_base_brings_only_what_changed() {
    let pair = Pair::new();
    let old = noise(1, 8 << 20);
    let mut new = old.clone();
    scribble(&mut new, 7, 3, 100_000);
    let first = pair.near.save(&old, None);
    let second = pair.near.save(&new, Some(first));
    let base = pair.copy(first, None, None);
    let options = pair.far.fresh(Some(base));
    let origin = pair.origin(second, Some(first));
    let wire = Wire::honest(&origin);
    let report = receive(&pair.far.open(), &wire, &options).unwrap();
    let changed = changed_cells(&old, &new);
    assert!(report.used_base && !changed.is_empty());
    assert_eq!((report.fetched_chunks, report.announced_chunks), (changed.len() as u64, 32));
    let fetched = wire.cells().into_keys().map(|cell| usize::try_from(cell).unwrap());
    assert!(fetched.eq(changed));
    pair.assert_copy(options.backup_id, &new);
}

#[test]
fn an_increment_without_a_base_is_told_by_names_and_brings_no_more() {
    let pair = Pair::new();
    let old = noise(1, 8 << 20);
    let mut new = old.clone();
    scribble(&mut new, 7, 3, 100_000);
    let first = pair.near.save(&old, None);
    let second = pair.near.save(&new, Some(first));
    let copy = pair.copy(first, None, None);
    for (base, parent) in [(None, Some(copy)), (None, None), (Some(first), None)] {
        let options = pair.far.fresh(parent);
        let report = pair.receive(second, base, &options).unwrap();
        assert!(!report.used_base);
        let is_first = base.is_none() && parent.is_some();
        let changed = changed_cells(&old, &new).len() as u64;
        assert_eq!(report.fetched_chunks, if is_first { changed } else { 0 });
        pair.assert_copy(options.backup_id, &new);
    }
}

#[test]
fn what_the_vault_holds_for_another_volume_is_not_fetched() {
    let pair = Pair::new();
    let volume = disk(3, 3_000_000);
    pair.far.save(&volume, None);
    let backup = pair.near.save(&volume, None);
    let options = pair.far.fresh(None);
    let report = pair.receive(backup, None, &options).unwrap();
    assert_eq!((report.fetched_chunks, report.fetched_bytes), (0, 0));
    assert_eq!(report.reused_chunks, report.announced_chunks);
    pair.assert_copy(options.backup_id, &volume);
}

#[test]
fn a_vault_may_copy_a_backup_of_its_own() {
    let pair = Pair::new();
    let volume = disk(4, 2_000_000);
    let backup = pair.near.save(&volume, None);
    let repository = pair.near.open_sound();
    let origin = Origin::open(&repository, backup, None, repository.naming_key()).unwrap();
    let options = pair.near.fresh(None);
    let report = receive(&repository, &origin, &options).unwrap();
    assert_eq!(report.fetched_chunks, 0);
    assert!(restored(&repository, options.backup_id) == volume);
}

#[test]
fn holes_and_zeros_stay_what_they_are_and_cost_nothing() {
    let pair = Pair::new();
    // Three pages: data and zeros, nothing at all, and the odd end of the volume.
    let volume = Sparse::new(
        600 * MIB + 777,
        &[
            (0, noise(1, 700_000)),
            (10 * MIB, vec![0; 3 << 20]),
            (599 * MIB, noise(2, (1 << 20) + 777)),
        ],
    );
    let first = pair.save(&volume, None);
    let options = pair.far.fresh(None);
    let report = pair.receive(first, None, &options).unwrap();
    let near = find(&pair.near.open_sound(), first).unwrap().unwrap();
    let far = find(&pair.far.open_sound(), options.backup_id).unwrap().unwrap();
    assert_eq!(far.stats.hole_chunks, near.stats.hole_chunks);
    assert_eq!((far.stats.zero_chunks, far.size_bytes), (12, volume.size_bytes));
    assert_eq!(report.fetched_chunks, 8);
    assert!(restored(&pair.far.open_sound(), options.backup_id) == volume.bytes());

    // Nothing changed: three short outlines, the pages are shared.
    let second = pair.save(&volume, Some(first));
    let again = pair.far.fresh(Some(options.backup_id));
    let report = pair.receive(second, Some(first), &again).unwrap();
    assert!(report.used_base && report.outline_bytes < 400, "{}", report.outline_bytes);
    assert_eq!((report.fetched_chunks, report.backup.stats.object_count), (0, 1));
    assert_eq!(report.backup.root, far.root);
}

#[test]
fn volumes_grow_and_shrink_across_cells_and_pages() {
    let pair = Pair::new();
    let sizes = [600 * MIB, 256 * MIB, 256 * MIB - 5, 0, 5, 300_000, 256 * MIB + 1, 700 * MIB];
    let mut last: Option<(BackupId, BackupId)> = None;
    for (step, size_bytes) in sizes.into_iter().enumerate() {
        let seed = step as u64;
        let all = [(0, noise(9, 900_000)), (seed * MIB, noise(seed, 300_000))];
        let fits = |(at, bytes): &&(u64, Vec<u8>)| at + bytes.len() as u64 <= size_bytes;
        let mut data: Vec<_> = all.iter().filter(fits).cloned().collect();
        let tail = usize::try_from(size_bytes.min(1000)).unwrap();
        data.push((size_bytes - tail as u64, noise(77, tail)));
        let volume = Sparse::new(size_bytes, &data);
        let (base, parent) = last.unzip();
        let backup = pair.save(&volume, base);
        let options = pair.far.fresh(parent);
        let report = pair.receive(backup, base, &options).unwrap();
        assert_eq!(report.used_base, base.is_some() && size_bytes > 0, "{size_bytes}");
        assert!(report.backup.problems.is_empty(), "{:?}", report.backup.problems);
        assert!(restored(&pair.far.open_sound(), options.backup_id) == volume.bytes());
        last = Some((backup, options.backup_id));
    }
    pair.far.tidy();
}

#[test]
fn a_base_that_is_gone_here_or_there_is_done_without() {
    let old = noise(1, 4 << 20);
    let mut new = old.clone();
    new[1_000_000..1_000_010].fill(1);
    for is_collected in [false, true] {
        let pair = Pair::new();
        let first = pair.near.save(&old, None);
        let second = pair.near.save(&new, Some(first));
        let base = pair.copy(first, None, None);
        delete(&pair.far.open_sound(), base).unwrap();
        if is_collected {
            pair.far.tidy();
        }
        let options = pair.far.fresh(Some(base));
        let report = pair.receive(second, Some(first), &options).unwrap();
        assert!(!report.used_base && !report.backup.problems.is_empty());
        assert_eq!(report.fetched_chunks, if is_collected { 16 } else { 1 });
        pair.assert_copy(options.backup_id, &new);
    }
    let pair = Pair::new();
    let first = pair.near.save(&old, None);
    let second = pair.near.save(&new, Some(first));
    let base = pair.copy(first, None, None);
    delete(&pair.near.open_sound(), first).unwrap();
    pair.near.tidy();
    let options = pair.far.fresh(Some(base));
    let report = pair.receive(second, Some(first), &options).unwrap();
    assert_eq!((report.used_base, report.fetched_chunks), (false, 1));
    pair.assert_copy(options.backup_id, &new);
}

#[test]
fn a_parent_that_is_no_copy_of_the_base_is_not_taken_for_it() {
    let pair = Pair::new();
    let (old, new) = (noise(1, 2 << 20), noise(2, 2 << 20));
    let first = pair.near.save(&old, None);
    let second = pair.near.save(&new, Some(first));
    let strange = pair.copy(second, None, None);
    let made_here = pair.far.save(&old, None);
    for parent in [strange, made_here] {
        let options = pair.far.fresh(Some(parent));
        let report = pair.receive(second, Some(first), &options).unwrap();
        assert_eq!((report.used_base, report.fetched_chunks), (false, 0));
        assert!(report.backup.problems[0].contains("is not the base"));
        assert!(restored(&pair.far.open_sound(), options.backup_id) == new);
    }
}

#[test]
fn a_copy_of_a_copy_serves_as_a_base_of_its_own() {
    // Near to far, far to near: a vault that was lost comes back.
    let pair = Pair::new();
    let (old, mut new) = (noise(1, 3 << 20), noise(1, 3 << 20));
    new[7] ^= 1;
    let first = pair.near.save(&old, None);
    let copies = [pair.copy(first, None, None), pair.far.save(&new, None)];
    let back = |copy, base, parent| {
        let near = pair.near.open_sound();
        let origin = Origin::open(&pair.far.open_sound(), copy, base, near.naming_key()).unwrap();
        let options = pair.near.fresh(parent);
        (receive(&near, &origin, &options).unwrap(), options.backup_id)
    };
    let (report, returned) = back(copies[0], None, None);
    assert_eq!(report.fetched_chunks, 0);
    let (report, newest) = back(copies[1], Some(copies[0]), Some(returned));
    assert_eq!((report.used_base, report.fetched_chunks), (true, 1));
    assert!(restored(&pair.near.open_sound(), newest) == new);
}

#[test]
fn a_base_damaged_here_is_told_by_names_and_fetched_again() {
    let pair = Pair::new();
    let old = noise(1, 2 << 20);
    let first = pair.near.save(&old, None);
    let base = pair.copy(first, None, None);
    // All chunks are lost and the copy's only page with them; its manifest is there.
    let packs = pair.far.objects("packs");
    assert_eq!(packs.len(), 1);
    pair.far.sound.delete(&packs[0]).unwrap();
    let second = pair.near.save(&old, Some(first));
    let options = pair.far.fresh(Some(base));
    let report = pair.receive(second, Some(first), &options).unwrap();
    assert_eq!((report.used_base, report.fetched_chunks), (true, 8));
    assert!(restored(&pair.far.open_sound(), options.backup_id) == old);
}

#[test]
fn where_a_base_lost_packs_here_its_cells_are_fetched_again() {
    let pair = Pair::new();
    let old = noise(1, 2 << 20);
    let first = pair.near.save(&old, None);
    let small = BackupOptions { pack_bytes: 3 << 18, ..pair.far.fresh(None) };
    let base = small.backup_id;
    pair.receive(first, None, &small).unwrap();
    // Packs with three, three and two chunks; the page lies with the two.
    let lost = |name: &&String| pair.far.sound.size(name).unwrap() > 600_000;
    let packs = pair.far.objects("packs");
    let lost: Vec<_> = packs.iter().filter(lost).collect();
    assert_eq!((packs.len(), lost.len()), (3, 2));
    pair.far.sound.delete(lost[0]).unwrap();
    let second = pair.near.save(&old, Some(first));
    let options = pair.far.fresh(Some(base));
    let report = pair.receive(second, Some(first), &options).unwrap();
    assert_eq!((report.used_base, report.fetched_chunks), (true, 3));
    assert!(restored(&pair.far.open_sound(), options.backup_id) == old);
}

#[test]
fn threads_that_lack_the_same_chunk_fetch_it_once() {
    let pair = Pair::new();
    // Six pages with the same content, so that all threads want all of it at once.
    let content = noise(5, 20 << 18);
    let data: Vec<_> = (0..6).map(|page| (page * 256 * MIB, content.clone())).collect();
    let volume = Sparse::new(6 * 256 * MIB, &data);
    let backup = pair.save(&volume, None);
    let origin = pair.origin(backup, None);
    let wire = Wire::honest(&origin);
    let options = BackupOptions { threads: 4, ..pair.far.fresh(None) };
    let report = receive(&pair.far.open(), &wire, &options).unwrap();
    assert_eq!((report.fetched_chunks, report.announced_chunks), (20, 120));
    assert_eq!(wire.cells().values().sum::<u64>(), 20);
    assert!(stored_chunks(&pair.far).values().all(|count| *count == 1));
    check(&pair.far.open_sound(), options.backup_id, &Progress::default()).unwrap();
}

#[test]
fn damage_in_the_origin_is_for_good_and_names_the_object() {
    let pair = Pair::new();
    let backup = pair.near.save(&noise(1, 2 << 20), None);
    let origin = pair.origin(backup, None);
    let pack = pair.near.objects("packs").remove(0);
    let mut bytes = pair.near.sound.get(&pack).unwrap().to_vec();
    bytes[300_000] ^= 1;
    pair.near.sound.delete(&pack).unwrap();
    pair.near.sound.create(&pack, bytes.into()).unwrap();
    let options = pair.far.fresh(None);
    let error = receive(&pair.far.open(), &origin, &options).unwrap_err();
    assert!(matches!(&error, Error::Wire { source: WireError::Refused(_), .. }), "{error}");
    let id = pack.rsplit('/').next().unwrap();
    assert!(error.to_string().contains(id) && !error.is_transient(), "{error}");
    assert!(list(&pair.far.open_sound()).unwrap().backups.is_empty());
}

#[test]
fn a_cancelled_reception_ends_and_leaves_nothing() {
    let pair = Pair::new();
    let backup = pair.near.save(&noise(1, 8 << 20), None);
    let origin = pair.origin(backup, None);
    let options = pair.far.fresh(None);
    let progress = Arc::clone(&options.progress);
    let tamper = move |answer: replica::wire::Answer| {
        if answer.kind == "chunks" {
            progress.cancel();
        }
        Ok(answer.bytes)
    };
    let wire = Wire::new(&origin, Box::new(tamper));
    let error = receive(&pair.far.open(), &wire, &options).unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error}");
    assert_eq!(wire.cells().values().sum::<u64>(), 8);
    pair.far.tidy();
    assert!(pair.far.objects("packs").is_empty() && pair.far.objects("manifests").is_empty());
}

#[test]
fn an_origin_answers_nothing_that_was_not_outlined() {
    let pair = Pair::new();
    let volume = Sparse::new(300 * MIB, &[(0, noise(1, 1 << 20))]);
    let origin = pair.origin(pair.save(&volume, None), None);
    assert!(origin.outline(2, false).is_err() && origin.outline(u64::MAX, true).is_err());
    let most: Vec<u64> = (0..=CELLS_PER_REQUEST_MAX as u64).collect();
    for cells in [&[4][..], &[1, 0], &[1, 1], &[u64::MAX], &[0, 1024], &[0, 1200], &most] {
        assert!(origin.chunks(cells).is_err(), "{cells:?}");
    }
    assert!(origin.chunks(&[0, 3]).is_ok() && origin.chunks(&[]).is_ok());
}

#[test]
fn a_naming_key_is_told_in_hexadecimal_and_never_by_accident() {
    let key = Pair::new().far.open_sound().naming_key();
    let text = serde_json::to_string(&key).unwrap();
    assert_eq!(text.len(), 66);
    assert_eq!(serde_json::from_str::<NamingKey>(&text).unwrap(), key);
    assert_eq!(NamingKey::parse(&key.to_hex()), Some(key.clone()));
    assert!(NamingKey::parse("77").is_none());
    assert_eq!(format!("{key:?}"), "NamingKey(..)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_chain_of_copies_is_a_chain_of_equals(
        seed in any::<u64>(),
        steps in prop::collection::vec((0..3_000_000_usize, 0..6_usize, any::<bool>(), 1..5_usize), 1..5)
    ) {
        let pair = Pair::new();
        let mut volume = disk(seed, steps[0].0);
        let mut last: Option<(BackupId, BackupId)> = None;
        for (len, edits, has_base, threads) in steps {
            volume.resize(len, 7);
            scribble(&mut volume, seed ^ len as u64, edits, 300_000);
            let (base, parent) = last.unzip();
            let backup = pair.near.save(&volume, base);
            let pack_bytes = 1 << 20;
            let options = BackupOptions { threads, pack_bytes, ..pair.far.fresh(parent) };
            let report = pair.receive(backup, base.filter(|_| has_base), &options).unwrap();
            prop_assert_eq!(report.announced_chunks, report.fetched_chunks + report.reused_chunks);
            prop_assert!(restored(&pair.far.open_sound(), options.backup_id) == volume);
            last = Some((backup, options.backup_id));
        }
        pair.far.tidy();
    }
}
