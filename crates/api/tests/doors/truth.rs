//! Three dialects, one truth: whatever is done at one door is seen alike at all of them.
//!
//! Sequences of operations follow from a seed. After each operation everything is read in Cinder's
//! dialect, in the vendor's and in that of the vaults, as its owner and as a project that it is
//! shared with, and all of it must agree. A failure tells the seed and what was done;
//! [`a_seed_is_replayed`] shows where to put it.

mod asked;
mod backups;
mod dice;
mod policies;
mod scene;
mod shares;
mod views;

use std::collections::BTreeMap;

use asked::{Effect, Step};
use dice::Dice;
use scene::Scene;
use views::Truth;

/// Operations of one sequence.
const STEPS: usize = 40;

/// What a sequence is made of: how often, relative to the others, its name and what it asks for.
type Kind = (i64, &'static str, fn(&Scene, &Truth, &mut Dice) -> Option<Step>);

const KINDS: [Kind; 32] = [
    (5, "work", |_, _, _| Some(Step::Work)),
    (2, "one job", |_, _, _| Some(Step::OneJob)),
    (3, "time", |_, _, dice| Some(Step::Pass(dice.below(2400).unsigned_abs()))),
    (3, "native backup", backups::native),
    (2, "cloud backup", backups::cloud),
    (4, "checkpoint", backups::checkpoint),
    (1, "native name", backups::name_natively),
    (2, "cbr name", backups::name),
    (1, "native delete", backups::delete_natively),
    (1, "cloud delete", backups::delete_by_job),
    (2, "cbr delete", backups::delete),
    (1, "native restore", backups::restore_natively),
    (1, "cloud restore", backups::restore_by_job),
    (2, "cbr restore", backups::restore),
    (1, "status by hand", backups::set_status),
    (1, "backup tags", backups::tag),
    (1, "vault tags", backups::tag_vault),
    (3, "share", shares::share),
    (5, "offer", shares::offer),
    (4, "answer", shares::answer),
    (1, "end of a share", shares::end),
    (2, "end of all shares", shares::end_all),
    (1, "end of a member", shares::remove),
    (2, "volume of a share", shares::use_it),
    (1, "vendor's policy", policies::make_vendors),
    (2, "policy", policies::make),
    (1, "vendor's policy changed", policies::change_as_vendors),
    (1, "policy changed", policies::change),
    (1, "vendor's policy removed", policies::remove_as_vendors),
    (1, "policy removed", policies::remove),
    (2, "policy of a vault", policies::apply),
    (3, "policy of a disk", policies::bind),
];

/// Tells what was done if the test fails meanwhile.
struct Told {
    seed: u64,
    done: Vec<String>,
}

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("sequence of seed {}:\n{}", self.seed, self.done.join("\n"));
        }
    }
}

/// Runs one sequence, and adds to how often each kind of operation was accepted. Returns what was
/// done.
async fn run(seed: u64, accepted: &mut BTreeMap<&'static str, u32>) -> Vec<String> {
    let mut told = Told { seed, done: Vec::new() };
    let scene = Scene::new().await;
    let mut dice = Dice::new(seed);
    let mut truth = views::read(&scene, 3).await;
    for number in 0..STEPS {
        let (name, step) = choose(&scene, &truth, &mut dice);
        told.done.push(format!("{number}. {name}: {step:?}"));
        let (is_accepted, effect) = scene.take(step, &mut told.done).await;
        let next = views::read(&scene, number).await;
        assert_holds(&effect, &next);
        views::assert_gone(&scene, &truth, &next).await;
        truth = next;
        *accepted.entry(name).or_default() += u32::from(is_accepted);
    }
    told.done.push("the end".to_owned());
    for _ in 0..4 {
        scene.world.settle().await;
    }
    views::read(&scene, STEPS + 3).await.assert_rests();
    std::mem::take(&mut told.done)
}

fn choose(scene: &Scene, truth: &Truth, dice: &mut Dice) -> (&'static str, Step) {
    let all: i64 = KINDS.iter().map(|(weight, ..)| weight).sum();
    loop {
        let mut at = dice.below(all);
        for (weight, name, make) in KINDS {
            at -= weight;
            if at < 0 {
                match make(scene, truth, dice) {
                    Some(step) => return (name, step),
                    None => break,
                }
            }
        }
    }
}

/// What was accepted has come to pass.
fn assert_holds(effect: &Effect, truth: &Truth) {
    match effect {
        Effect::None => {}
        Effect::Named(id, name) => assert_eq!(truth.name_of(id), Some(name.as_str())),
        Effect::Going(id) => {
            assert!([None, Some("deleting")].contains(&truth.status_of(id)), "{id} stays");
        }
        Effect::Member(backup, to, status) => {
            assert_eq!(truth.member_status(backup, to), status.as_deref());
        }
        Effect::Policy(id, expected) => assert_eq!(truth.policies.get(id), expected.as_ref()),
    }
}

/// Runs sequences, of which every kind of operation must have been accepted at least once.
async fn run_all(seeds: std::ops::Range<u64>) {
    let mut accepted = BTreeMap::new();
    for seed in seeds {
        run(seed, &mut accepted).await;
    }
    let never: Vec<_> = accepted.iter().filter(|(_, times)| **times == 0).collect();
    assert!(never.is_empty() && accepted.len() == KINDS.len(), "{accepted:?}");
}

#[tokio::test]
async fn all_dialects_tell_the_same() {
    run_all(0..12).await;
}

#[tokio::test]
async fn all_dialects_tell_the_same_of_other_sequences() {
    run_all(100..112).await;
}

/// The same operations with the same answers: a seed that failed can be put here.
#[tokio::test]
async fn a_seed_is_replayed() {
    const SEED: u64 = 7;
    let mut done = Vec::new();
    for _ in 0..2 {
        done.push(run(SEED, &mut BTreeMap::new()).await);
    }
    assert!(done[0] == done[1], "{:#?}", done);
}
