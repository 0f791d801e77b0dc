//! Every verb, cut at every call to the store in every way: what was there stays, trying again
//! works, and collection leaves no garbage.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{Fragile, restored};
use strongroom_engine::*;
use strongroom_model::id::BackupId;
use strongroom_testkit::store::Fault;
use strongroom_testkit::volume::noise;

const FAULTS: [Fault; 5] =
    [Fault::FailBefore, Fault::FailAfter, Fault::StopBefore, Fault::StopAfter, Fault::Full];

/// Runs `case` with a fault at call 1, 2, 3… until a call is no longer reached.
fn at_every_call(case: impl Fn(&Fragile, &dyn Fn(&Fragile)) -> bool) {
    for fault in FAULTS {
        let mut call = 1;
        loop {
            let vault = Fragile::new();
            let was_reached = case(&vault, &|vault| vault.faulty.break_at(call, fault));
            if !was_reached {
                break;
            }
            call += 1;
            assert!(call < 500, "{fault:?}: the verb never ends");
        }
        assert!(call > 1, "{fault:?}: nothing was broken");
    }
}

#[test]
fn a_backup_cut_anywhere_can_be_settled_and_tried_again() {
    let old = noise(1, 600_000);
    let mut new = old.clone();
    new[300_000..].copy_from_slice(&noise(2, 300_000));
    at_every_call(|vault, break_it| {
        let first = vault.save(&old, None);
        let repository = vault.open();
        let mut options = vault.fresh(Some(first));
        break_it(vault);
        let outcome = backup(&repository, &MemorySource::new(new.clone()), &options);
        let was_reached = vault.faulty.heal();
        let settled = resolve_session(&vault.open_sound(), options.session_id).unwrap();
        if settled == SessionOutcome::Aborted {
            assert!(outcome.is_err(), "an aborted session reported success");
            options.session_id = SessionId::random(&*vault.chance);
            backup(&repository, &MemorySource::new(new.clone()), &options).unwrap();
        }
        vault.tidy();
        assert!(restored(&vault.open_sound(), first) == old);
        assert!(restored(&vault.open_sound(), options.backup_id) == new);
        assert_eq!(vault.objects("packs").len(), 2);
        assert_eq!(vault.objects("manifests").len(), 2);
        was_reached
    });
}

#[test]
fn a_full_store_says_so_and_keeps_what_it_has() {
    let vault = Fragile::new();
    let first = vault.save(&noise(1, 600_000), None);
    let repository = vault.open();
    vault.faulty.break_at(3, Fault::Full);
    let source = MemorySource::new(noise(2, 600_000));
    let error = backup(&repository, &source, &vault.fresh(None)).unwrap_err();
    assert!(error.is_full() && !error.is_transient(), "{error:?}");
    assert!(restored(&repository, first) == noise(1, 600_000));
}

#[test]
fn a_delete_cut_anywhere_happens_or_does_not() {
    at_every_call(|vault, break_it| {
        let [kept, gone] = two_backups(vault);
        let repository = vault.open();
        break_it(vault);
        let outcome = delete(&repository, gone);
        let was_reached = vault.faulty.heal();
        let is_listed = find(&repository, gone).unwrap().is_some();
        assert!(outcome.is_err() || !is_listed);
        delete(&repository, gone).unwrap();
        vault.tidy();
        assert_only(vault, kept);
        was_reached
    });
}

#[test]
fn a_collection_cut_anywhere_is_finished_by_the_next() {
    at_every_call(|vault, break_it| {
        let [kept, gone] = two_backups(vault);
        delete(&vault.open_sound(), gone).unwrap();
        let repository = vault.open();
        break_it(vault);
        let outcome = gc(&repository, &GcOptions::default());
        let was_reached = vault.faulty.heal();
        assert!(was_reached || outcome.is_ok());
        assert!(restored(&vault.open_sound(), kept) == noise(1, 600_000));
        vault.tidy();
        assert_only(vault, kept);
        was_reached
    });
}

fn two_backups(vault: &Fragile) -> [BackupId; 2] {
    [1, 2].map(|seed| vault.save(&noise(seed, 600_000), None))
}

/// The one backup is there, and nothing else is.
fn assert_only(vault: &Fragile, kept: BackupId) {
    assert!(restored(&vault.open_sound(), kept) == noise(1, 600_000));
    assert_eq!(vault.objects("packs").len(), 1);
    assert_eq!(vault.objects("manifests").len(), 1);
    assert_eq!(vault.objects("sessions").len(), 2);
    assert_eq!(vault.objects("tombs").len(), 0);
}
