//! Which stretches differ between two backups.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::ops::Range;

use common::{Fragile, World, restored};
use proptest::prelude::*;
use strongroom_engine::*;
use strongroom_model::id::BackupId;
use strongroom_testkit::store::Fault;
use strongroom_testkit::volume::{disk, noise, scribble};

const CELL: usize = 1 << 18;

fn ranges(repository: &Repository, from: BackupId, to: BackupId) -> Vec<Range<u64>> {
    changed(repository, from, to).unwrap().collect::<Result<_>>().unwrap()
}

/// What differs, found by reading both.
fn compared(from: &[u8], to: &[u8]) -> Vec<Range<u64>> {
    let mut found: Vec<Range<u64>> = Vec::new();
    for start in (0..to.len()).step_by(CELL) {
        let end = (start + CELL).min(to.len());
        // A cell that was cut short is another one.
        let before = &from[start.min(from.len())..(start + CELL).min(from.len())];
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        if before == &to[start..end] || is_zero(before) && is_zero(&to[start..end]) {
            continue;
        }
        match found.last_mut() {
            Some(last) if last.end == start as u64 => last.end = end as u64,
            _ => found.push(start as u64..end as u64),
        }
    }
    found
}

#[test]
fn neighbours_are_one_range_and_the_last_ends_with_the_volume() {
    let world = World::new();
    let old = noise(1, 20 * CELL + 99);
    let mut new = old.clone();
    for at in [0, 3 * CELL, 4 * CELL + 5, 5 * CELL - 1, 20 * CELL] {
        new[at] ^= 1;
    }
    let (first, second) = (world.save(&old, None), world.save(&new, None));
    let cell = CELL as u64;
    let wanted = [0..cell, 3 * cell..5 * cell, 20 * cell..20 * cell + 99];
    assert_eq!(ranges(&world.repository, first, second), wanted);
    assert_eq!(ranges(&world.repository, second, first), wanted);
    assert_eq!(ranges(&world.repository, first, first), []);
}

#[test]
fn ranges_go_on_across_pages_and_shared_pages_are_not_read() {
    let vault = Fragile::new();
    // Three pages; the end of the first and the head of the second change.
    let page = 1024 * CELL;
    let mut volume = vec![0; 2 * page + 10];
    volume[2 * page] = 1;
    let first = vault.save(&volume, None);
    volume[page - CELL - 1..page + 1].fill(7);
    let second = vault.save(&volume, Some(first));
    let third = vault.save(&volume, Some(second));
    let (start, end) = ((page - 2 * CELL) as u64, (page + CELL) as u64);
    let found = ranges(&vault.open_sound(), first, second);
    assert_eq!((found.len(), found.first()), (1, Some(&(start..end))));
    let shared = changed(&vault.open(), second, third).unwrap();
    vault.faulty.break_at(1, Fault::StopBefore);
    assert_eq!(shared.count(), 0);
    assert!(!vault.faulty.heal());
}

#[test]
fn what_cannot_be_read_is_an_error_and_the_end() {
    let vault = Fragile::new();
    let (first, second) = (vault.save(&noise(1, CELL), None), vault.save(&noise(2, CELL), None));
    let repository = vault.open_sound();
    let gone = BackupId::random(&*vault.chance);
    assert!(matches!(changed(&repository, first, gone), Err(Error::BackupMissing(_))));
    assert!(matches!(changed(&repository, gone, first), Err(Error::BackupMissing(_))));
    let mut found = changed(&repository, first, second).unwrap();
    for pack in vault.objects("packs") {
        vault.sound.delete(&pack).unwrap();
    }
    assert!(found.next().unwrap().unwrap_err().is_damage());
    assert!(found.next().is_none());
    delete(&repository, first).unwrap();
    assert!(matches!(changed(&repository, first, second), Err(Error::BackupDeleted(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn ranges_are_those_that_reading_both_finds(
        seed in any::<u64>(), lengths in (0..2_000_000_usize, 0..2_000_000_usize), edits in 0..8_usize
    ) {
        let world = World::new();
        let old = disk(seed, lengths.0);
        let mut new = old.clone();
        new.resize(lengths.1, 0);
        scribble(&mut new, seed, edits, 400_000);
        let (first, second) = (world.save(&old, None), world.save(&new, None));
        let found = ranges(&world.repository, first, second);
        prop_assert_eq!(&found, &compared(&old, &new));
        // Applied to the former, they make the latter.
        let mut made = old;
        made.resize(new.len(), 0);
        let after = restored(&world.repository, second);
        for range in found {
            let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
            made[range.clone()].copy_from_slice(&after[range]);
        }
        prop_assert!(made == new);
    }
}
