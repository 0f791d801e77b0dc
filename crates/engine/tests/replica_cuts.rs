//! A reception that is cut anywhere: at the wire, in this store or in the origin's. The next attempt
//! goes on from what had become durable, and the copy is as if nothing had happened.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;
mod replica {
    pub(crate) mod wire;
}

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{Fragile, restored, try_restore};
use replica::wire::{Dice, Pair, Wire, changed_cells, stored_chunks};
use strongroom_engine::*;
use strongroom_model::id::BackupId;
use strongroom_testkit::store::Fault;
use strongroom_testkit::volume::noise;

/// Every way in which a store breaks.
const FAULTS: [Fault; 5] =
    [Fault::FailBefore, Fault::FailAfter, Fault::StopBefore, Fault::StopAfter, Fault::Full];
const CELL: usize = 1 << 18;

/// Where the first attempt is cut.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// No answer to this request and all later ones.
    Wire(u64),
    /// This call to the store of the vault that receives goes wrong.
    Far(u64, Fault),
    /// This call to the origin's store goes wrong.
    Near(u64, Fault),
}

/// What is received, and how.
struct Case {
    pair: Pair,
    /// The near vault through the store that breaks.
    near: Repository,
    new: Vec<u8>,
    first: BackupId,
    second: BackupId,
    copy: BackupId,
    /// Cells of the second backup that the far vault lacks.
    lacking: u64,
    has_base: bool,
    /// Chunks that fill a pack.
    per_pack: usize,
    /// Whether the process lives on between the attempts.
    lives_on: bool,
}

impl Case {
    fn new(dice: &mut Dice) -> Self {
        let mut below = |end| usize::try_from(dice.below(end)).unwrap();
        let pair = Pair::new();
        let cells = 6 + below(6);
        let old = noise(1, cells * CELL - below(3) * 1000);
        let mut new = old.clone();
        for cell in 0..cells {
            if below(10) < 7 {
                new[cell * CELL + below(1000)] ^= 1;
            }
        }
        new[5000] ^= 2;
        let first = pair.near.save(&old, None);
        let second = pair.near.save(&new, Some(first));
        let copy = pair.copy(first, None, None);
        let lacking = changed_cells(&old, &new).len() as u64;
        let (has_base, lives_on, per_pack) = (below(2) == 0, below(2) == 0, 1 + below(3));
        let near = pair.near.open();
        Self { pair, near, new, first, second, copy, lacking, has_base, per_pack, lives_on }
    }

    fn options(&self, backup_id: BackupId) -> BackupOptions {
        let session = SessionId::random(&*self.pair.far.chance);
        BackupOptions {
            parent: Some(self.copy),
            threads: 1,
            // Noise is stored as it is, so that a pack is full with this many chunks.
            pack_bytes: self.per_pack * CELL,
            ..BackupOptions::new(backup_id, session)
        }
    }

    /// One attempt over a wire that is cut at `cut`; also which cells came how often.
    fn attempt(
        &self,
        far: &Repository,
        options: &BackupOptions,
        cut: u64,
    ) -> (Result<ReceiveReport>, BTreeMap<u64, u64>, u64) {
        let base = Some(self.first).filter(|_| self.has_base);
        let naming = far.naming_key();
        let origin = match Origin::open(&self.near, self.second, base, naming) {
            Ok(origin) => origin,
            Err(error) => return (Err(error), BTreeMap::new(), 0),
        };
        let wire = Wire::cut_at(&origin, cut);
        let outcome = receive(far, &wire, options);
        (outcome, wire.cells(), wire.calls())
    }

    /// Cuts the first attempt, settles it as the service does, and goes on; returns whether the cut
    /// was reached.
    fn run(&self, cut: Cut) -> bool {
        let (near, far) = (&self.pair.near, &self.pair.far);
        let repository = far.open();
        let options = self.options(BackupId::random(&*far.chance));
        match cut {
            Cut::Wire(_) => {}
            Cut::Far(call, fault) => far.faulty.break_at(call, fault),
            Cut::Near(call, fault) => near.faulty.break_at(call, fault),
        }
        let wire_cut = if let Cut::Wire(call) = cut { call } else { u64::MAX };
        let (outcome, mut came, calls) = self.attempt(&repository, &options, wire_cut);
        let was_reached = far.faulty.heal() | near.faulty.heal() | (calls >= wire_cut);
        assert!(was_reached || outcome.is_ok(), "{cut:?}: {outcome:?}");
        self.assert_kind(cut, &outcome);
        let settled = resolve_session(&far.open_sound(), options.session_id).unwrap();
        if settled == SessionOutcome::Aborted {
            assert!(outcome.is_err(), "{cut:?}: an aborted session reported success");
            let missing = try_restore(&far.open_sound(), options.backup_id);
            assert!(matches!(missing, Err(Error::BackupMissing(_))), "{cut:?}");
            let again = self.options(options.backup_id);
            let repository = if self.lives_on { repository } else { far.open() };
            let (outcome, more, _) = self.attempt(&repository, &again, u64::MAX);
            let report = outcome.unwrap();
            assert_eq!(report.used_base, self.has_base);
            assert_eq!(report.fetched_chunks, more.values().sum::<u64>());
            more.into_iter().for_each(|(cell, count)| *came.entry(cell).or_default() += count);
        }
        self.assert_bound(cut, &came);
        self.assert_copy(options.backup_id);
        was_reached
    }

    /// A cut is worth another attempt, and what the far store says is said.
    fn assert_kind(&self, cut: Cut, outcome: &Result<ReceiveReport>) {
        let Err(error) = outcome else { return };
        match cut {
            Cut::Wire(_) | Cut::Near(..) => {
                let is_full = matches!(cut, Cut::Near(_, Fault::Full));
                assert!(error.is_transient() || is_full, "{cut:?}: {error:?}");
            }
            Cut::Far(_, Fault::Full) => assert!(error.is_full(), "{cut:?}: {error:?}"),
            Cut::Far(..) => assert!(error.is_transient(), "{cut:?}: {error:?}"),
        }
    }

    /// No chunk came twice, but those that were not durable when this side was cut: in two packs and
    /// one request.
    fn assert_bound(&self, cut: Cut, came: &BTreeMap<u64, u64>) {
        assert_eq!(came.len() as u64, self.lacking, "{cut:?}");
        let twice = came.values().sum::<u64>() - self.lacking;
        let bound = match cut {
            Cut::Wire(_) | Cut::Near(..) => 0,
            Cut::Far(..) => 3 * self.per_pack as u64,
        };
        assert!(twice <= bound, "{cut:?}: {twice} of {} came twice", self.lacking);
        // What is durable is found again, so nothing is stored twice however it was cut.
        let stored = stored_chunks(&self.pair.far);
        assert!(stored.values().all(|count| *count == 1), "{cut:?}");
    }

    /// The copy is whole before and after a collection, which finds nothing of it to be garbage,
    /// whether the base goes with it or not.
    fn assert_copy(&self, copy: BackupId) {
        let far = &self.pair.far;
        assert!(restored(&far.open_sound(), copy) == self.new);
        let cells = self.new.len().div_ceil(CELL) as u64;
        let total = cells + self.lacking;
        let (mut manifests, mut chunks) = (2, total..=total);
        if !self.lives_on {
            delete(&far.open_sound(), self.copy).unwrap();
            (manifests, chunks) = (1, cells..=total);
        }
        far.tidy();
        assert!(restored(&far.open_sound(), copy) == self.new);
        assert_eq!(far.objects("manifests").len(), manifests);
        assert!(chunks.contains(&(stored_chunks(far).len() as u64)));
    }
}

#[test]
fn a_wire_cut_at_any_request_costs_nothing_that_came() {
    for has_base in [false, true] {
        for call in 1.. {
            let mut dice = Dice(3 << 32);
            let case = Case { has_base, ..Case::new(&mut dice) };
            if !case.run(Cut::Wire(call)) {
                assert!(call > 4, "nothing was cut");
                break;
            }
        }
    }
}

#[test]
fn a_cut_at_any_call_to_this_store_costs_two_packs_and_a_request_at_most() {
    for fault in [Fault::FailAfter, Fault::StopBefore, Fault::Full] {
        for call in 1.. {
            let mut dice = Dice(4 << 32);
            if !Case::new(&mut dice).run(Cut::Far(call, fault)) {
                assert!(call > 10, "{fault:?}: nothing was cut");
                break;
            }
        }
    }
}

#[test]
fn a_cut_at_any_call_to_the_store_of_the_origin_costs_nothing_that_came() {
    for fault in [Fault::FailBefore, Fault::StopAfter] {
        for call in 1.. {
            let mut dice = Dice(5 << 32);
            if !Case::new(&mut dice).run(Cut::Near(call, fault)) {
                assert!(call > 10, "{fault:?}: nothing was cut");
                break;
            }
        }
    }
}

#[test]
fn cuts_anywhere_in_any_workload() {
    let mut reached = 0;
    for seed in 0..230_u64 {
        let mut dice = Dice(seed << 32);
        let case = Case::new(&mut dice);
        let fault = FAULTS[usize::try_from(dice.below(5)).unwrap()];
        let cut = match seed % 3 {
            0 => Cut::Wire(1 + dice.below(4)),
            1 => Cut::Far(1 + dice.below(30), fault),
            _ => Cut::Near(1 + dice.below(9), fault),
        };
        reached += u64::from(case.run(cut));
    }
    assert!(reached >= 200, "only {reached} cuts were reached");
}

#[test]
fn many_cuts_in_a_row_come_to_an_end() {
    // Every attempt gets one request with chunks further.
    let mut dice = Dice(6 << 32);
    let case = Case::new(&mut dice);
    let far = &case.pair.far;
    let backup = BackupId::random(&*far.chance);
    let mut came = BTreeMap::<u64, u64>::new();
    for attempt in 1.. {
        let options = case.options(backup);
        let (outcome, cells, _) = case.attempt(&far.open(), &options, 4);
        cells.into_iter().for_each(|(cell, count)| *came.entry(cell).or_default() += count);
        if outcome.is_ok() {
            assert!(attempt > 1);
            break;
        }
        assert!(attempt < 30, "it never ends: {outcome:?}");
        let settled = resolve_session(&far.open_sound(), options.session_id).unwrap();
        assert_eq!(settled, SessionOutcome::Aborted);
    }
    case.assert_bound(Cut::Wire(4), &came);
    case.assert_copy(backup);
}

#[test]
fn a_collection_between_two_attempts_costs_what_came_and_nothing_else() {
    let mut dice = Dice(7 << 32);
    let case = Case::new(&mut dice);
    let far = &case.pair.far;
    let options = case.options(BackupId::random(&*far.chance));
    let (outcome, came, _) = case.attempt(&far.open(), &options, 5);
    assert!(outcome.is_err() && !came.is_empty());
    far.tidy();
    let again = case.options(options.backup_id);
    let (outcome, _, _) = case.attempt(&far.open(), &again, u64::MAX);
    assert_eq!(outcome.unwrap().fetched_chunks, case.lacking);
    case.assert_copy(options.backup_id);
}

#[test]
fn the_base_may_vanish_at_any_step_of_a_reception() {
    for has_overslept in [false, true] {
        for call in 1.. {
            assert!(call < 500, "the reception never ends");
            let mut dice = Dice(8 << 32);
            let case = Case { has_base: true, ..Case::new(&mut dice) };
            let Case { pair: Pair { far, .. }, near, new, copy, first, second, .. } = case;
            let (far, options) = (Arc::new(far), BackupOptions::new);
            let options = BackupOptions {
                parent: Some(copy),
                threads: 1,
                ..options(BackupId::random(&*far.chance), SessionId::random(&*far.chance))
            };
            let repository = far.open();
            let other = Arc::clone(&far);
            far.faulty.interrupt_at(call, move || wipe(&other, copy, has_overslept));
            let naming = repository.naming_key();
            let origin = Origin::open(&near, second, Some(first), naming).unwrap();
            let outcome = receive(&repository, &origin, &options);
            if far.faulty.is_waiting() {
                assert!(call > 10, "nothing was interrupted");
                break;
            }
            far.tidy();
            let found = try_restore(&far.open_sound(), options.backup_id);
            match outcome {
                Ok(_) => assert!(found.unwrap() == new),
                Err(Error::Fenced(_)) if has_overslept => {
                    assert!(matches!(found, Err(Error::BackupMissing(_))), "{found:?}");
                }
                Err(other) => panic!("call {call}: {other}"),
            }
        }
    }
}

/// Deletes a backup and collects twice, as a busy collector would.
fn wipe(vault: &Fragile, backup: BackupId, has_overslept: bool) {
    if has_overslept {
        vault.clock.advance(std::time::Duration::from_secs(7200));
    }
    delete(&vault.open_sound(), backup).unwrap();
    for _ in 0..2 {
        gc(&vault.open_sound(), &GcOptions::default()).unwrap();
    }
}
