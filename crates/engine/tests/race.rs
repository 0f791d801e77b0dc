//! Writers and collectors side by side, step by step: whatever happens between any two calls of one
//! of them, a backup that reported success can be restored.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Fragile, restored, try_restore};
use strongroom_engine::*;
use strongroom_model::id::BackupId;
use strongroom_testkit::volume::noise;

/// Runs `case` with call numbers 1, 2, 3… until a call is no longer reached.
fn at_every_call(case: impl Fn(Arc<Fragile>, u64)) {
    for call in 1..500 {
        let vault = Arc::new(Fragile::new());
        case(Arc::clone(&vault), call);
        let was_reached = !vault.faulty.is_waiting();
        if !was_reached {
            assert!(call > 1, "nothing was interrupted");
            return;
        }
    }
    panic!("the verb never ends");
}

fn collect(vault: &Fragile) -> GcReport {
    gc(&vault.open_sound(), &GcOptions::default()).unwrap()
}

fn source() -> MemorySource {
    MemorySource::new(noise(1, 600_000))
}

/// Deletes the parent and collects twice, as a busy collector would.
fn wipe(vault: &Fragile, parent: BackupId) {
    delete(&vault.open_sound(), parent).unwrap();
    collect(vault);
    collect(vault);
}

#[test]
fn the_parent_may_vanish_at_any_step_of_a_backup() {
    at_every_call(|vault, call| {
        let parent = vault.save(&noise(1, 600_000), None);
        let repository = vault.open();
        let options = vault.fresh(Some(parent));
        let other = Arc::clone(&vault);
        vault.faulty.interrupt_at(call, move || wipe(&other, parent));
        backup(&repository, &source(), &options).unwrap();
        if vault.faulty.is_waiting() {
            return;
        }
        vault.tidy();
        assert!(restored(&vault.open_sound(), options.backup_id) == noise(1, 600_000));
        assert_eq!(list(&vault.open_sound()).unwrap().backups.len(), 1);
    });
}

#[test]
fn a_writer_that_overslept_its_lease_never_commits_what_is_gone() {
    at_every_call(|vault, call| {
        let parent = vault.save(&noise(1, 600_000), None);
        let repository = vault.open();
        let options = vault.fresh(Some(parent));
        let other = Arc::clone(&vault);
        vault.faulty.interrupt_at(call, move || {
            other.clock.advance(Duration::from_secs(7200));
            wipe(&other, parent);
        });
        let outcome = backup(&repository, &source(), &options);
        if vault.faulty.is_waiting() {
            return;
        }
        vault.tidy();
        let found = try_restore(&vault.open_sound(), options.backup_id);
        match outcome {
            Ok(_) => assert!(found.unwrap() == noise(1, 600_000)),
            Err(Error::Fenced(_)) => {
                assert!(matches!(found, Err(Error::BackupMissing(_))), "{found:?}");
            }
            Err(other) => panic!("{other}"),
        }
    });
}

#[test]
fn a_backup_may_run_at_any_step_of_a_collection() {
    at_every_call(|vault, call| {
        let parent = vault.save(&noise(1, 600_000), None);
        delete(&vault.open_sound(), parent).unwrap();
        let collector = vault.open();
        let options = vault.fresh(Some(parent));
        let (other, session) = (Arc::clone(&vault), options.clone());
        vault.faulty.interrupt_at(call, move || {
            backup(&other.open_sound(), &source(), &session).unwrap();
        });
        gc(&collector, &GcOptions::default()).unwrap();
        if vault.faulty.is_waiting() {
            return;
        }
        vault.tidy();
        assert!(restored(&vault.open_sound(), options.backup_id) == noise(1, 600_000));
    });
}

#[test]
fn a_collector_that_slept_does_no_harm_when_it_wakes() {
    at_every_call(|vault, call| {
        let first = vault.save(&noise(1, 600_000), None);
        delete(&vault.open_sound(), first).unwrap();
        let sleeper = vault.open();
        let options = vault.fresh(None);
        let (other, session) = (Arc::clone(&vault), options.clone());
        vault.faulty.interrupt_at(call, move || {
            collect(&other);
            backup(&other.open_sound(), &source(), &session).unwrap();
            let gone = other.save(&noise(2, 600_000), None);
            delete(&other.open_sound(), gone).unwrap();
            collect(&other);
        });
        gc(&sleeper, &GcOptions::default()).unwrap();
        if vault.faulty.is_waiting() {
            return;
        }
        vault.tidy();
        assert!(restored(&vault.open_sound(), options.backup_id) == noise(1, 600_000));
        assert_eq!(vault.objects("packs").len(), 1);
    });
}

#[test]
fn of_two_attempts_at_one_backup_at_most_one_is_committed() {
    at_every_call(|vault, call| {
        let repository = vault.open();
        let first = vault.fresh(None);
        let second =
            BackupOptions { session_id: SessionId::random(&*vault.chance), ..first.clone() };
        let (other, rival) = (Arc::clone(&vault), second.clone());
        vault.faulty.interrupt_at(call, move || {
            let source = MemorySource::new(noise(2, 600_000));
            let _either = backup(&other.open_sound(), &source, &rival);
        });
        let outcome = backup(&repository, &source(), &first);
        if vault.faulty.is_waiting() {
            return;
        }
        let sound = vault.open_sound();
        let ends = [&first, &second].map(|o| resolve_session(&sound, o.session_id).unwrap());
        let committed = ends.iter().filter(|end| **end != SessionOutcome::Aborted).count();
        assert_eq!(committed, 1, "call {call}: {ends:?}, {outcome:?}");
        assert_eq!(outcome.is_ok(), ends[0] != SessionOutcome::Aborted);
        let seed = if outcome.is_ok() { 1 } else { 2 };
        vault.tidy();
        assert!(restored(&vault.open_sound(), first.backup_id) == noise(seed, 600_000));
    });
}
