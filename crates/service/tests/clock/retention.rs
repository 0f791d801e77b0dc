//! Which backups go, against the model, and the promises that hold whatever the rules say.

use std::collections::BTreeSet;
use std::time::Duration;

use strongroom_model::backup::BackupStatus;
use strongroom_model::chance::SeededChance;
use strongroom_model::id::BackupId;
use strongroom_model::policy::{LongerKept, Picks, Retention};
use strongroom_model::time::Timestamp;
use strongroom_model::zone::Zone;
use strongroom_service::policy::retention::{Candidate, expired};

use super::calendar::{DAY, Dice, HOUR, Tally, ZONES, instant};
use super::keeping::is_kept;

fn some_retention(dice: &mut Dice) -> Retention {
    let some = |dice: &mut Dice, end| dice.once_in(2).then(|| u32::from(dice.small(end)) + 1);
    let pick = |dice: &mut Dice| if dice.once_in(3) { u32::from(dice.small(5)) } else { 0 };
    Retention {
        count: some(dice, 8),
        days: None,
        keeps_first_of_month: dice.once_in(2),
        picks: Picks {
            daily: pick(dice),
            weekly: pick(dice),
            monthly: pick(dice),
            yearly: pick(dice),
        },
        longer: LongerKept::default(),
        zone: Zone::parse(dice.one_of(&ZONES)).unwrap(),
    }
}

fn some_candidates(dice: &mut Dice, chance: &SeededChance, now: i64) -> Vec<Candidate> {
    let spread = dice.one_of(&[2 * DAY, 20 * DAY, 90 * DAY, 1200 * DAY]);
    let statuses = [
        BackupStatus::Available,
        BackupStatus::Available,
        BackupStatus::Available,
        BackupStatus::Available,
        dice.one_of(&BackupStatus::ALL),
        dice.one_of(&[BackupStatus::Error, BackupStatus::Available]),
    ];
    (0..dice.below(24))
        .map(|_| {
            let made = now - dice.below(spread) / HOUR * HOUR;
            Candidate {
                id: BackupId::random(chance),
                created_at: instant(made),
                status: dice.one_of(&statuses),
                expires_at: dice.once_in(3).then(|| instant(now - 5 * DAY + dice.below(10 * DAY))),
                is_held: dice.once_in(9),
            }
        })
        .collect()
}

#[test]
fn what_goes_is_what_no_rule_keeps() {
    let (mut dice, chance) = (Dice(3), SeededChance::new(3));
    let mut tally = Tally::new();
    for round in 0..6000 {
        let now =
            Timestamp::parse("2024-01-01T00:00:00Z").unwrap().as_secs() + dice.below(3 * 366 * DAY);
        let (retention, all) =
            (some_retention(&mut dice), some_candidates(&mut dice, &chance, now));
        let gone = expired(&retention, instant(now), &all);
        let expected: BTreeSet<_> = all
            .iter()
            .filter(|one| !is_kept(&retention, now, one, &all))
            .map(|one| one.id)
            .collect();
        assert_eq!(gone.iter().copied().collect::<BTreeSet<_>>(), expected, "round {round}");
        let order = |id: &BackupId| {
            let one = all.iter().find(|one| one.id == *id).unwrap();
            (one.created_at, one.id)
        };
        assert!(gone.is_sorted_by_key(order), "round {round}");
        // What was decided once is not decided otherwise when it has been done.
        let left: Vec<_> = all.into_iter().filter(|one| !expected.contains(&one.id)).collect();
        let then = expired(&retention, instant(now), &left);
        if retention.picks == Picks::default() {
            assert!(then.is_empty(), "round {round}");
        }
        *tally.entry("gone").or_default() += expected.len();
        *tally.entry("left").or_default() += left.len();
    }
    assert!(tally.values().all(|count| *count > 5000), "{tally:?}");
}

fn backups(chance: &SeededChance, days: &[&str]) -> Vec<Candidate> {
    let one = |day: &&str| Candidate {
        id: BackupId::random(chance),
        created_at: Timestamp::parse(&format!("{day}T01:00:00Z")).unwrap(),
        status: BackupStatus::Available,
        expires_at: None,
        is_held: false,
    };
    days.iter().map(one).collect()
}

fn gone(retention: &Retention, now: &str, all: &[Candidate]) -> Vec<usize> {
    let gone = expired(retention, Timestamp::parse(now).unwrap(), all);
    gone.iter().map(|id| all.iter().position(|one| one.id == *id).unwrap()).collect()
}

#[test]
fn the_first_of_the_month_is_kept_until_the_month_ends() {
    let chance = SeededChance::new(1);
    let all = backups(&chance, &["2024-02-01", "2024-02-10", "2024-02-27", "2024-02-28"]);
    let zone = Zone::parse("UTC+08:00").unwrap();
    let retention =
        Retention { count: Some(2), keeps_first_of_month: true, zone, ..Retention::for_ever() };
    assert_eq!(gone(&retention, "2024-02-29T15:59:59Z", &all), [1]);
    assert_eq!(gone(&retention, "2024-02-29T16:00:00Z", &all), [0, 1]);
    let without = Retention { keeps_first_of_month: false, ..retention };
    assert_eq!(gone(&without, "2024-02-28T02:00:00Z", &all), [0, 1]);
}

#[test]
fn dates_remove_all_but_the_newest_and_picks_alone_nothing() {
    let chance = SeededChance::new(1);
    let mut all = backups(&chance, &["2024-02-01", "2024-02-10", "2024-02-27"]);
    for one in &mut all {
        one.expires_at = Some(one.created_at.plus(Duration::from_secs(2 * 24 * 3600)));
    }
    assert_eq!(gone(&Retention::for_ever(), "2024-02-10T02:00:00Z", &all), [0]);
    assert_eq!(gone(&Retention::for_ever(), "2025-01-01T00:00:00Z", &all), [0, 1]);
    all[2].status = BackupStatus::Restoring;
    assert_eq!(gone(&Retention::for_ever(), "2025-01-01T00:00:00Z", &all), [0]);
    for one in &mut all {
        one.expires_at = None;
    }
    let picks = Picks { daily: 1, ..Picks::default() };
    let picky = Retention { picks, ..Retention::for_ever() };
    assert_eq!(gone(&picky, "2025-01-01T00:00:00Z", &all), [0; 0]);
}

#[test]
fn the_newest_so_far_is_spared_although_others_are_dated_ahead() {
    let chance = SeededChance::new(1);
    let all = backups(&chance, &["2024-02-01", "2024-02-10", "2025-06-01", "2025-06-02"]);
    let two = Retention { count: Some(2), ..Retention::for_ever() };
    assert_eq!(gone(&two, "2024-02-10T02:00:00Z", &all), [0]);
    assert_eq!(gone(&two, "2025-07-01T00:00:00Z", &all), [0, 1]);
}

#[test]
fn failed_ones_neither_count_nor_last() {
    let chance = SeededChance::new(1);
    let days: Vec<_> = (1..=14).map(|day| format!("2024-01-{day:02}")).collect();
    let days: Vec<_> = days.iter().map(String::as_str).collect();
    let mut all = backups(&chance, &days);
    for one in &mut all[1..13] {
        one.status = BackupStatus::Error;
    }
    let two = Retention { count: Some(2), ..Retention::for_ever() };
    assert_eq!(gone(&two, "2024-01-14T02:00:00Z", &all), [1, 2]);
    let later = gone(&two, "2024-02-11T02:00:00Z", &all);
    assert_eq!(later, (1..12).collect::<Vec<_>>());
}
