//! A year of random policies on vaults of a real service, which change now and then, against the
//! model: which backups of each disk there are after every step.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use strongroom_model::backup::BackupStatus;
use strongroom_model::chance::SeededChance;
use strongroom_model::id::{BackupId, VolumeId};
use strongroom_model::policy::{Picks, Retention};
use strongroom_model::zone::Zone;
use strongroom_service::policy::retention::Candidate;
use strongroom_service::policy::{NewPatternedPolicy, PatternedChange};

use super::calendar::{DAY, Dice, HOUR, instant, weekday};
use super::keeping::is_kept;
use super::vault_policies::patterned;
use super::world::World;

const STEP: i64 = 6 * HOUR;

const NAMES: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

/// When a policy runs, as the model has it: at an hour of UTC, on a day of the week or every so many
/// days from one on.
#[derive(Debug, Clone, Copy)]
struct Rhythm {
    hour: i64,
    weekday: Option<i64>,
    every: i64,
    since: i64,
}

impl Rhythm {
    fn some(dice: &mut Dice, now: i64) -> Self {
        let weekday = dice.once_in(2).then(|| dice.below(7));
        let (hour, every) = (6 * dice.below(4), 5 + dice.below(6));
        Self { hour, weekday, every, since: now.div_euclid(DAY) }
    }

    fn pattern(&self) -> String {
        let days = match self.weekday {
            Some(day) => format!("FREQ=WEEKLY;BYDAY={}", NAMES[usize::try_from(day).unwrap()]),
            None => format!("FREQ=DAILY;INTERVAL={}", self.every),
        };
        format!("{days};BYHOUR={:02};BYMINUTE=00", self.hour)
    }

    fn fires(&self, at: i64) -> bool {
        let day = at.div_euclid(DAY);
        let is_day = match self.weekday {
            Some(wanted) => weekday(day) == wanted,
            None => day >= self.since && (day - self.since) % self.every == 0,
        };
        is_day && at.rem_euclid(DAY) == self.hour * HOUR
    }
}

/// What is kept, as the model has it.
#[derive(Debug, Clone)]
struct Keeping {
    retention: Retention,
    /// Backups of Sundays are kept for so many weeks.
    sundays: Option<i64>,
}

impl Keeping {
    fn some(dice: &mut Dice) -> Self {
        let few = |dice: &mut Dice| u32::from(1 + dice.small(5));
        let plain = Retention { zone: Zone::utc(), ..Retention::for_ever() };
        let (retention, sundays) = match dice.below(5) {
            0 => (Retention { count: Some(few(dice)), ..plain }, None),
            1 => {
                let (weekly, monthly) = (few(dice), few(dice));
                let picks = Picks { weekly, monthly, ..Picks::default() };
                (Retention { count: Some(few(dice)), picks, ..plain }, None)
            }
            2 => (Retention { days: Some(10 * few(dice)), ..plain }, None),
            3 => (Retention { days: Some(10 * few(dice)), ..plain }, Some(3 * dice.below(8) + 1)),
            _ => (plain, None),
        };
        Self { retention, sundays }
    }

    fn definition(&self) -> Map<String, Value> {
        let Retention { count, days, picks, .. } = &self.retention;
        let mut said = json!({
            "max_backups": count.map_or(-1, i64::from),
            "retention_duration_days": days.map_or(-1, i64::from),
            "week_backups": picks.weekly,
            "month_backups": picks.monthly,
            "timezone": "UTC+00:00",
        });
        if let Some(weeks) = self.sundays {
            said["advanced_retention_rules"] = json!({"weekly_retention_rules":
                {"days_of_week": ["SU"], "retention_duration_periods": weeks}});
        }
        said.as_object().unwrap().clone()
    }

    fn date(&self, now: i64) -> Option<i64> {
        let days = i64::from(self.retention.days?);
        let is_sunday = weekday(now.div_euclid(DAY)) == 0;
        let weeks = self.sundays.filter(|_| is_sunday).unwrap_or(0);
        Some(now + days.max(7 * weeks) * DAY)
    }
}

/// A policy on a vault with one disk, and what the model says that it has.
struct Lane {
    id: String,
    disk: VolumeId,
    rhythm: Rhythm,
    keeping: Keeping,
    backups: BTreeMap<i64, Candidate>,
}

impl Lane {
    async fn new(w: &World, dice: &mut Dice) -> Self {
        let disk = w.volume(&w.admin).await;
        let rhythm = Rhythm::some(dice, w.service.now().as_secs());
        let keeping = Keeping::some(dice);
        let new = NewPatternedPolicy {
            definition: keeping.definition(),
            ..patterned(&rhythm.pattern(), &json!({}))
        };
        let made = w.service.create_patterned_policy(&w.admin, new).await.unwrap();
        let id = made.policy.id.to_string();
        w.safe(&[&disk], Some(&id)).await;
        Self { id, disk: disk.id, rhythm, keeping, backups: BTreeMap::new() }
    }

    /// Changes the policy, in the model and in the service.
    async fn change(&mut self, w: &World, dice: &mut Dice) {
        let mut change = PatternedChange::default();
        if dice.once_in(2) {
            let before = self.rhythm.pattern();
            let rhythm = Rhythm::some(dice, w.service.now().as_secs());
            change.patterns = Some(vec![rhythm.pattern()]);
            if rhythm.pattern() != before {
                self.rhythm = rhythm;
            }
        } else {
            self.keeping = Keeping::some(dice);
            change.definition = Some(self.keeping.definition());
        }
        w.change(&self.id, change).await.unwrap();
    }

    /// Whether a run is due in the steps after `before` up to `now`; if so, it is made.
    fn step(&mut self, chance: &SeededChance, before: i64, now: i64) -> bool {
        let mut steps = (before / STEP + 1..=now / STEP).map(|step| step * STEP);
        let is_due = steps.any(|at| self.rhythm.fires(at));
        if is_due {
            let one = Candidate {
                id: BackupId::random(chance),
                created_at: instant(now),
                status: BackupStatus::Available,
                expires_at: self.keeping.date(now).map(instant),
                is_held: false,
            };
            self.backups.insert(now, one);
            self.sweep(now);
        }
        is_due
    }

    fn sweep(&mut self, now: i64) {
        let all: Vec<_> = self.backups.values().cloned().collect();
        self.backups.retain(|_, one| is_kept(&self.keeping.retention, now, one, &all));
    }
}

#[tokio::test]
async fn a_year_of_vaults_keeps_what_the_model_keeps() {
    let w = World::new().await;
    let (mut dice, chance) = (Dice(12), SeededChance::new(12));
    w.at("2023-12-01T00:00:00Z");
    let mut lanes = Vec::new();
    for _ in 0..4 {
        lanes.push(Lane::new(&w, &mut dice).await);
    }
    let end = w.service.now().as_secs() + 366 * DAY;
    let (mut before, mut made, mut gone, mut changed) = (w.service.now().as_secs(), 0, 0, 0);
    while before < end {
        let outage = if dice.once_in(120) { dice.below(120) } else { 0 };
        let now = before + STEP * (1 + outage);
        w.clock.advance(Duration::from_secs((now - before).unsigned_abs()));
        let had: usize = lanes.iter().map(|lane| lane.backups.len()).sum();
        let mut ran = 0;
        for lane in &mut lanes {
            ran += usize::from(lane.step(&chance, before, now));
        }
        assert_eq!(w.run_due().await, ran, "at {}", instant(now).format_rfc3339());
        w.work().await;
        if now % (3 * DAY) == 0 || outage > 0 {
            lanes.iter_mut().for_each(|lane| lane.sweep(now));
            w.service.expire_backups().await.unwrap();
            w.work().await;
        }
        let left: usize = lanes.iter().map(|lane| lane.backups.len()).sum();
        gone += had + ran - left;
        if ran > 0 || now % (3 * DAY) == 0 {
            compare(&w, &lanes).await;
        }
        for lane in &mut lanes {
            if dice.once_in(100) {
                lane.change(&w, &mut dice).await;
                changed += 1;
            }
        }
        (before, made) = (now, made + ran);
    }
    assert!(made > 100 && gone > 50 && changed > 20, "{made} made, {gone} gone, {changed} changed");
}

async fn compare(w: &World, lanes: &[Lane]) {
    let now = w.service.now().format_rfc3339();
    let backups = w.backups(&w.admin).await;
    for lane in lanes {
        let own = backups.iter().filter(|backup| backup.volume_id == lane.disk);
        let found: Vec<_> = own.map(|backup| backup.created_at.as_secs()).collect();
        let expected: Vec<_> = lane.backups.keys().copied().collect();
        assert_eq!(found, expected, "{:?} {:?} at {now}", lane.rhythm, lane.keeping);
    }
}
