//! A backup of one vault as a backup of another.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;
mod replica {
    pub(crate) mod wire;
}

use common::restored;
use replica::wire::{Pair, Wire};
use strongroom_engine::*;
use strongroom_testkit::volume::{disk, noise, scribble};

#[test]
fn a_first_copy_restores_to_the_same_bytes() {
    let pair = Pair::new();
    let volume = disk(1, 5_000_000);
    let backup = pair.near.save(&volume, None);
    let options = pair.far.fresh(None);
    let report = pair.receive(backup, None, &options).unwrap();
    assert!(restored(&pair.far.open_sound(), options.backup_id) == volume);
    assert_eq!(report.announced_chunks, report.fetched_chunks + report.reused_chunks);
    assert_eq!(report.backup.stats.new_chunks, report.fetched_chunks);
    assert!(report.backup.problems.is_empty(), "{:?}", report.backup.problems);
    let entry = find(&pair.far.open_sound(), options.backup_id).unwrap().unwrap();
    assert_eq!(entry.root, report.backup.root);
    assert_eq!(entry.meta[CONTENT_ROOT], report.content_root.to_string());
    pair.far.tidy();
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
    let report = pair.receive(second, Some(first), &options).unwrap();
    let changed = changed_cells(&old, &new);
    assert!(report.used_base && changed > 0);
    assert_eq!((report.fetched_chunks, report.announced_chunks), (changed, 32));
    assert!(restored(&pair.far.open_sound(), options.backup_id) == new);
    pair.far.tidy();
}

/// Cells with data that differ.
fn changed_cells(old: &[u8], new: &[u8]) -> u64 {
    let cells = |bytes: &[u8]| bytes.chunks(1 << 18).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (old, new) = (cells(old), cells(new));
    let differs = |(place, cell): &(usize, &Vec<u8>)| old.get(*place) != Some(*cell);
    let changed = new.iter().enumerate().filter(differs);
    changed.filter(|(_, cell)| cell.iter().any(|byte| *byte != 0)).count() as u64
}
