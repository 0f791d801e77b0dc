//! A vault and a model of it live the same life: after any sequence of writes, backups, deletes and
//! collections every live backup comes back as it was.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::collections::BTreeMap;

use common::{World, restored};
use proptest::prelude::*;
use strongroom_engine::*;
use strongroom_model::id::BackupId;
use strongroom_testkit::volume::{disk, scribble};

/// One step of a life.
#[derive(Debug, Clone)]
enum Step {
    Scribble { seed: u64, count: usize },
    Resize { len: usize },
    Backup { parent: Option<usize> },
    Delete { which: usize },
    Collect,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (any::<u64>(), 1..6_usize).prop_map(|(seed, count)| Step::Scribble { seed, count }),
        1 => (0..3_000_000_usize).prop_map(|len| Step::Resize { len }),
        4 => prop::option::of(0..8_usize).prop_map(|parent| Step::Backup { parent }),
        2 => (0..8_usize).prop_map(|which| Step::Delete { which }),
        2 => Just(Step::Collect),
        1 => Just(Step::Reopen),
    ]
}

/// The vault and what it should hold.
struct Life {
    world: World,
    volume: Vec<u8>,
    made: Vec<BackupId>,
    live: BTreeMap<BackupId, Vec<u8>>,
}

impl Life {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Scribble { seed, count } => scribble(&mut self.volume, *seed, *count, 300_000),
            Step::Resize { len } => self.volume.resize(*len, 7),
            Step::Backup { parent } => {
                // The parent may be any backup that ever was, deleted ones too.
                let parent = parent.and_then(|n| self.made.get(n).copied());
                let id = self.world.save(&self.volume, parent);
                self.made.push(id);
                self.live.insert(id, self.volume.clone());
            }
            Step::Delete { which } => {
                if let Some(id) = self.made.get(*which) {
                    delete(&self.world.repository, *id).unwrap();
                    self.live.remove(id);
                }
            }
            Step::Collect => {
                gc(&self.world.repository, &GcOptions::default()).unwrap();
            }
            Step::Reopen => self.world.repository = self.world.reopened(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_vault_holds_what_the_model_holds(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..20),
    ) {
        let volume = disk(seed, 2_000_000);
        let (made, live) = (Vec::new(), BTreeMap::new());
        let mut life = Life { world: World::new(), volume, made, live };
        for step in &steps {
            life.take(step);
        }
        let listed = list(&life.world.repository).unwrap();
        prop_assert!(listed.problems.is_empty());
        prop_assert_eq!(listed.backups.len(), life.live.len());
        for (id, bytes) in &life.live {
            prop_assert!(restored(&life.world.repository, *id) == *bytes);
        }
        let options = VerifyOptions { depth: VerifyDepth::Data, ..Default::default() };
        let report = verify(&life.world.repository, &options).unwrap();
        prop_assert!(report.is_clean(), "{:?}", report.findings);
    }
}
