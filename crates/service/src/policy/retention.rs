//! Which backups a retention removes: a decision over what there is, no more.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Date;
use strongroom_model::backup::BackupStatus;
use strongroom_model::id::BackupId;
use strongroom_model::policy::Retention;
use strongroom_model::time::Timestamp;

/// Failed backups that are kept at most, the newest ones.
pub const FAILED_KEPT: usize = 10;

/// How long a failed backup is kept at most.
pub const FAILED_KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// A backup that a retention decides over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The backup.
    pub id: BackupId,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Its state.
    pub status: BackupStatus,
    /// The date that was set when it was made.
    pub expires_at: Option<Timestamp>,
    /// Whether it is shared, or is to be read by something else.
    pub is_held: bool,
}

/// Those that are to be removed now, oldest first, of one policy's own backups of one disk.
///
/// One that is neither available nor failed is never among them, nor one that is held, nor the
/// newest available one. A date removes whatever else would keep; the first of the month outlasts
/// count and date. The count and the picks look at available ones only.
pub fn expired(retention: &Retention, now: Timestamp, candidates: &[Candidate]) -> Vec<BackupId> {
    let mut newest_first: Vec<_> = candidates.iter().collect();
    newest_first.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.id)));
    let of = |status| newest_first.iter().copied().filter(move |one| one.status == status);
    let available: Vec<_> = of(BackupStatus::Available).collect();
    let failed: Vec<_> = of(BackupStatus::Error).collect();

    let mut doomed: BTreeSet<BackupId> = beyond_count(retention, &available);
    doomed.extend(failed.iter().skip(FAILED_KEPT).map(|one| one.id));
    let is_old = |one: &&&Candidate| now > one.created_at.plus(FAILED_KEPT_FOR);
    doomed.extend(failed.iter().filter(is_old).map(|one| one.id));
    let at_rest = available.iter().chain(&failed);
    let is_past = |one: &&&Candidate| one.expires_at.is_some_and(|at| at <= now);
    doomed.extend(at_rest.filter(is_past).map(|one| one.id));

    // After the clock was set back some are dated ahead: the newest of the others is spared too.
    let newest = available.first();
    let newest_so_far = available.iter().find(|one| one.created_at <= now);
    let spared = [
        newest.map(|one| one.id),
        newest_so_far.map(|one| one.id),
        first_of_month(retention, now, candidates),
    ];
    let removable = |one: &&&Candidate| {
        doomed.contains(&one.id) && !one.is_held && !spared.contains(&Some(one.id))
    };
    newest_first.iter().rev().filter(removable).map(|one| one.id).collect()
}

/// Those that the count does not keep, nor a pick. Without a count nothing.
fn beyond_count(retention: &Retention, available: &[&Candidate]) -> BTreeSet<BackupId> {
    let Some(count) = retention.count else { return BTreeSet::new() };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let picked = picked(retention, available);
    let beyond = available.iter().skip(count).map(|one| one.id);
    beyond.filter(|id| !picked.contains(id)).collect()
}

/// The latest of each of the most recent days, weeks, months and years that have one.
fn picked(retention: &Retention, available: &[&Candidate]) -> BTreeSet<BackupId> {
    let picks = &retention.picks;
    // A period is named by a pair of numbers.
    type Period = fn(Date) -> (i16, i16);
    let kinds: [(u32, Period); 4] = [
        (picks.daily, |date| (date.year(), date.day_of_year())),
        (picks.weekly, |date| {
            let week = date.iso_week_date();
            (week.year(), week.week().into())
        }),
        (picks.monthly, |date| (date.year(), date.month().into())),
        (picks.yearly, |date| (date.year(), 0)),
    ];
    let latest_of = |(wanted, period): (u32, Period)| {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let mut seen = BTreeSet::new();
        let latest = available
            .iter()
            .filter(move |one| seen.insert(period(retention.zone.date(one.created_at))));
        latest.take(wanted).map(|one| one.id)
    };
    kinds.into_iter().flat_map(latest_of).collect()
}

/// The oldest usable one of the month that `now` falls in, if the retention keeps that.
fn first_of_month(
    retention: &Retention,
    now: Timestamp,
    candidates: &[Candidate],
) -> Option<BackupId> {
    let month = |at| retention.zone.date(at).first_of_month();
    let is_usable =
        |one: &&Candidate| matches!(one.status, BackupStatus::Available | BackupStatus::Restoring);
    let of_month = |one: &&Candidate| month(one.created_at) == month(now);
    let usable = candidates.iter().filter(is_usable).filter(of_month);
    let first = usable.min_by_key(|one| (one.created_at, one.id))?;
    retention.keeps_first_of_month.then_some(first.id)
}
