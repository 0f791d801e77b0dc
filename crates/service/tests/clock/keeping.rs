//! What a retention keeps, said rule by rule for one backup at a time by counting the others.

use std::collections::BTreeSet;

use strongroom_model::backup::BackupStatus;
use strongroom_model::policy::Retention;
use strongroom_service::policy::retention::Candidate;

use super::calendar::{DAY, instant, periods};

/// Whether a backup must be kept at an instant in seconds.
pub(crate) fn is_kept(retention: &Retention, now: i64, one: &Candidate, all: &[Candidate]) -> bool {
    let zone = retention.zone.name();
    let order = |c: &Candidate| (c.created_at, c.id);
    let is_available = |c: &&Candidate| c.status == BackupStatus::Available;
    let newer = all.iter().filter(is_available).filter(|c| order(c) > order(one)).count();
    if one.status == BackupStatus::Available && newer == 0 {
        return true;
    }
    let at_rest = [BackupStatus::Available, BackupStatus::Error].contains(&one.status);
    if one.is_held || !at_rest {
        return true;
    }
    let made = one.created_at.as_secs();
    let usable =
        |c: &&Candidate| [BackupStatus::Available, BackupStatus::Restoring].contains(&c.status);
    let month = |at| periods(zone, at)[2];
    let earlier_of_month = all
        .iter()
        .filter(usable)
        .filter(|c| month(c.created_at.as_secs()) == month(made) && order(c) < order(one))
        .count();
    let is_first = month(made) == month(now) && earlier_of_month == 0 && usable(&one);
    if retention.keeps_first_of_month && is_first {
        return true;
    }
    if one.expires_at.is_some_and(|at| at <= instant(now)) {
        return false;
    }
    if one.status == BackupStatus::Error {
        let failed = all.iter().filter(|c| c.status == BackupStatus::Error);
        let newer = failed.filter(|c| order(c) > order(one)).count();
        return newer < 10 && now <= made + 30 * DAY;
    }
    let Some(count) = retention.count else { return true };
    let is_picked = |kind: usize, wanted: u32| {
        let own = periods(zone, made)[kind];
        let available = all.iter().filter(is_available);
        let same = available.clone().filter(|c| periods(zone, c.created_at.as_secs())[kind] == own);
        let is_latest = same.filter(|c| order(c) > order(one)).count() == 0;
        let later: BTreeSet<_> = available
            .map(|c| periods(zone, c.created_at.as_secs())[kind])
            .filter(|period| *period > own)
            .collect();
        is_latest && later.len() < wanted as usize
    };
    let picks = &retention.picks;
    newer < count as usize
        || is_picked(0, picks.daily)
        || is_picked(1, picks.weekly)
        || is_picked(2, picks.monthly)
        || is_picked(3, picks.yearly)
}
