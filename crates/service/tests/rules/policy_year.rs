//! A year of random policies on a real service, against the model: which backups there are after
//! every step, and which runs were missed while the service was down.

use std::collections::BTreeMap;
use std::time::Duration;

use strongroom_model::backup::BackupStatus;
use strongroom_model::chance::SeededChance;
use strongroom_model::id::BackupId;
use strongroom_model::policy::{Days, Picks, Policy, Retention, Rule, TimeOfDay, Trigger, Weekday};
use strongroom_model::task::TaskFault;
use strongroom_model::zone::Zone;
use strongroom_service::policy::NewPolicy;
use strongroom_service::policy::retention::Candidate;

use super::calendar::{DAY, Dice, HOUR, ZONES, date_of, fires, instant};
use super::keeping::is_kept;
use super::policies::new_policy;
use super::world::World;

/// Times of day are multiples of this, and the clock goes by it.
const STEP: i64 = 6 * HOUR;

/// A policy with one disk, and what the model says that it has.
struct Lane {
    policy: Policy,
    /// By the instant at which each was made.
    backups: BTreeMap<i64, Candidate>,
    missed: usize,
}

impl Lane {
    fn make(&mut self, chance: &SeededChance, now: i64) {
        let days = self.policy.retention.days;
        let one = Candidate {
            id: BackupId::random(chance),
            created_at: instant(now),
            status: BackupStatus::Available,
            expires_at: days.map(|days| instant(now + i64::from(days) * DAY)),
            is_held: false,
        };
        self.backups.insert(now, one);
        self.sweep(now);
    }

    fn sweep(&mut self, now: i64) {
        let all: Vec<_> = self.backups.values().cloned().collect();
        self.backups.retain(|_, one| is_kept(&self.policy.retention, now, one, &all));
    }
}

/// Seldom enough that a year of it is made in seconds.
fn seldom(dice: &mut Dice, now: i64) -> Trigger {
    let hour = |dice: &mut Dice| TimeOfDay { hour: 6 * dice.small(4), minute: 0 };
    let days = match dice.below(3) {
        0 => Days::OfMonth { every: 6 + dice.small(20) },
        1 => Days::Weekdays(vec![dice.one_of(&Weekday::ALL)]),
        _ => {
            let day = date_of(now.div_euclid(DAY));
            let narrow = |n: i64| i8::try_from(n).unwrap();
            let from = jiff::civil::date(day.0.try_into().unwrap(), narrow(day.1), narrow(day.2));
            Days::Interval { every: 5 + dice.small(6), from }
        }
    };
    let rules = vec![Rule { times: vec![hour(dice)], days }];
    Trigger { zone: Zone::parse(dice.one_of(&ZONES)).unwrap(), rules }
}

fn some_retention(dice: &mut Dice, n: usize) -> Retention {
    let some = |dice: &mut Dice| u32::from(1 + dice.small(6));
    let picks = Picks { weekly: some(dice), monthly: some(dice), yearly: 1, ..Picks::default() };
    let zone = Zone::parse(dice.one_of(&ZONES)).unwrap();
    let plain = Retention { zone, ..Retention::for_ever() };
    match n % 4 {
        0 => Retention { count: Some(some(dice)), keeps_first_of_month: true, ..plain },
        1 => Retention { days: Some(10 * some(dice)), keeps_first_of_month: true, ..plain },
        2 => Retention { count: Some(some(dice)), picks, ..plain },
        _ => Retention { count: Some(some(dice)), days: Some(12 * some(dice)), picks, ..plain },
    }
}

async fn some_lanes(w: &World, dice: &mut Dice, count: usize) -> Vec<Lane> {
    let mut lanes = Vec::new();
    for n in 0..count {
        let volume = w.volume(&w.admin).await;
        let trigger = seldom(dice, w.service.now().as_secs());
        let retention = some_retention(dice, n);
        let new = NewPolicy { retention, ..new_policy(trigger) };
        let policy = w.policy(&w.admin, new, &[&volume]).await;
        lanes.push(Lane { policy, backups: BTreeMap::new(), missed: 0 });
    }
    lanes
}

/// What the model makes of the time from after `before` up to `now`, at which the service is up.
fn step(lane: &mut Lane, chance: &SeededChance, before: i64, now: i64) -> bool {
    let steps = (before / STEP + 1..=now / STEP).map(|step| step * STEP);
    let mut due: Vec<_> = steps.filter(|at| fires(&lane.policy.trigger, *at)).collect();
    if due.pop().is_none() {
        return false;
    }
    lane.missed += due.iter().filter(|at| **at >= now - 30 * DAY).count();
    lane.make(chance, now);
    true
}

#[tokio::test]
async fn a_year_of_policies_keeps_what_the_model_keeps() {
    let w = World::new().await;
    let (mut dice, chance) = (Dice(11), SeededChance::new(11));
    w.at("2023-12-01T00:00:00Z");
    let mut lanes = some_lanes(&w, &mut dice, 5).await;
    let end = w.service.now().as_secs() + 400 * DAY;
    let (mut before, mut made, mut gone) = (w.service.now().as_secs(), 0, 0);
    while before < end {
        let outage = if dice.once_in(120) { dice.below(200) } else { 0 };
        let now = before + STEP * (1 + outage);
        w.clock.advance(Duration::from_secs((now - before).unsigned_abs()));
        let mut ran = 0;
        for lane in &mut lanes {
            let had = lane.backups.len();
            let has_run = step(lane, &chance, before, now);
            ran += usize::from(has_run);
            gone += had + usize::from(has_run) - lane.backups.len();
        }
        assert_eq!(w.run_due().await, ran, "at {}", instant(now).format_rfc3339());
        w.work().await;
        if now % (2 * DAY) == 0 || outage > 0 {
            lanes.iter_mut().for_each(|lane| {
                let had = lane.backups.len();
                lane.sweep(now);
                gone += had - lane.backups.len();
            });
            w.service.expire_backups().await.unwrap();
            w.work().await;
            compare(&w, &lanes).await;
        } else if ran > 0 {
            compare(&w, &lanes).await;
        }
        (before, made) = (now, made + ran);
    }
    let mut missed = 0;
    for lane in &lanes {
        let tasks = w.tasks(&w.admin, &lane.policy).await;
        let noted = tasks.iter().filter(|task| task.fault == Some(TaskFault::Missed)).count();
        assert_eq!(noted, lane.missed, "{:?}", lane.policy);
        missed += noted;
    }
    assert!(made > 100 && gone > 50 && missed > 5, "{made} made, {gone} gone, {missed} missed");
}

async fn compare(w: &World, lanes: &[Lane]) {
    let now = w.service.now().format_rfc3339();
    let backups = w.backups(&w.admin).await;
    for lane in lanes {
        let own = backups.iter().filter(|backup| backup.policy_id == Some(lane.policy.id));
        let found: Vec<_> = own.map(|backup| backup.created_at.as_secs()).collect();
        let expected: Vec<_> = lane.backups.keys().copied().collect();
        assert_eq!(found, expected, "{:?} at {now}", lane.policy);
    }
}
