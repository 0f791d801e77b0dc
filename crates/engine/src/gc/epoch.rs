//! Epochs of collection: which packs are condemned, and which sessions that waits for.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::GcReport;
use super::survey::{Survey, unended_sessions};
use crate::error::Result;
use crate::format::name;
use crate::id::{PackId, SessionId};
use crate::index::Condemned;
use crate::repository::Repository;
use crate::session::{OpenRecord, RenewRecord, abort, end};
use crate::store::Created;

/// The record `gc/<epoch>/condemned`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct CondemnedRecord {
    /// Pack ids in hexadecimal, sorted.
    packs: Vec<String>,
}

/// The record `gc/<epoch>/waits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct WaitsRecord {
    /// The sessions that were open at some moment after the epoch's list was complete.
    sessions: Vec<String>,
}

/// Whether an epoch's condemned packs may be deleted when they are found dead.
pub(super) enum Settled {
    /// Every session that could know nothing of the list has ended.
    Yes,
    /// These have not.
    Waiting(Vec<SessionId>),
}

/// The epochs there are and all that they condemned.
#[derive(Debug, Default)]
pub(super) struct Epochs {
    /// Oldest first.
    numbers: Vec<u64>,
    condemned: BTreeSet<PackId>,
}

impl Epochs {
    /// Reads all lists; `Err` tells which could not be read.
    pub(super) fn read(repository: &Repository) -> Result<Result<Self, Vec<String>>> {
        let numbers = numbers(repository)?;
        let (condemned, problems) = read_condemned(repository)?;
        if condemned.all {
            return Ok(Err(problems));
        }
        Ok(Ok(Self { numbers, condemned: condemned.packs.into_iter().collect() }))
    }

    pub(super) fn is_condemned(&self, pack: &PackId) -> bool {
        self.condemned.contains(pack)
    }

    /// Whether the newest epoch may be acted on.
    pub(super) fn settle(&self, repository: &Repository) -> Result<Settled> {
        let Some(newest) = self.numbers.last() else {
            return Ok(Settled::Yes);
        };
        let object = name::gc_waits(repository.vault(), *newest);
        let mut waits = repository.find_record::<WaitsRecord>(&object)?;
        if waits.is_none() {
            let open = unended_sessions(repository)?;
            let sessions = open.iter().map(SessionId::to_string).collect();
            repository.create_record(&object, &WaitsRecord { sessions })?;
            waits = repository.find_record(&object)?;
        }
        let open = unended_sessions(repository)?;
        let waits = waits.map(|record| record.sessions).unwrap_or_default();
        let waiting: Vec<_> = waits
            .iter()
            .filter_map(|id| SessionId::parse(id))
            .filter(|id| open.contains(id))
            .collect();
        Ok(if waiting.is_empty() { Settled::Yes } else { Settled::Waiting(waiting) })
    }

    /// Removes the lists before the newest. Call it only once the newest is settled.
    pub(super) fn drop_older(&mut self, repository: &Repository) -> Result<()> {
        let Some(newest) = self.numbers.pop() else {
            return Ok(());
        };
        for number in self.numbers.drain(..) {
            repository.store().delete(&name::gc_waits(repository.vault(), number))?;
            repository.store().delete(&name::gc_condemned(repository.vault(), number))?;
        }
        self.numbers.push(newest);
        Ok(())
    }

    /// Begins a new epoch if there is anything to condemn; false if there is not.
    pub(super) fn condemn(
        &mut self,
        repository: &Repository,
        survey: &Survey,
        report: &mut GcReport,
    ) -> Result<bool> {
        let fresh = survey.newly_dead(repository, &self.condemned, report)?;
        if fresh.is_empty() {
            return Ok(false);
        }
        let next = self.numbers.last().map_or(1, |newest| newest + 1);
        let existing = self.condemned.iter().filter(|pack| survey.packs.contains_key(pack));
        let packs: BTreeSet<_> = existing.chain(&fresh).copied().collect();
        let record = CondemnedRecord { packs: packs.iter().map(PackId::to_string).collect() };
        let object = name::gc_condemned(repository.vault(), next);
        if repository.create_record(&object, &record)? == Created::Exists {
            // Another collector was faster; its list is as good, and the next run reads it.
            return Ok(false);
        }
        report.condemned_packs += fresh.len() as u64;
        self.numbers.push(next);
        self.condemned.extend(fresh);
        Ok(true)
    }
}

/// Numbers of the epochs that have a list, oldest first.
fn numbers(repository: &Repository) -> Result<Vec<u64>> {
    let folder = name::gc(repository.vault());
    let mut found = Vec::new();
    for object in repository.store().list(&folder)? {
        let parts = name::parts(&object.name, &folder).unwrap_or_default();
        if let [epoch, "condemned"] = parts[..] {
            found.extend(epoch.parse::<u64>().ok());
        }
    }
    Ok(found)
}

/// The union of all lists of condemned packs, and what is wrong with lists.
///
/// Call it after the session was opened. A list is removed only once its successor is settled,
/// which takes the end of every session that was open before that successor; so the newest list at
/// the opening of a session can be read as long as the session is open, and an older one that
/// vanishes meanwhile holds nothing the newest does not.
pub(crate) fn read_condemned(repository: &Repository) -> Result<(Condemned, Vec<String>)> {
    let (mut condemned, mut problems) = (Condemned::default(), Vec::new());
    for number in numbers(repository)? {
        let object = name::gc_condemned(repository.vault(), number);
        match repository.find_record::<CondemnedRecord>(&object) {
            Ok(Some(list)) => {
                condemned.packs.extend(list.packs.iter().filter_map(|pack| PackId::parse(pack)));
            }
            Ok(None) => {}
            Err(e) if e.is_damage() => {
                condemned.all = true;
                problems.push(e.to_string());
            }
            Err(e) => return Err(e),
        }
    }
    Ok((condemned, problems))
}

/// Gives up the sessions that were silent for longer than their lease.
pub(super) fn abort_expired(repository: &Repository, report: &mut GcReport) -> Result<()> {
    for session in unended_sessions(repository)? {
        if is_within_lease(repository, session, report)? {
            continue;
        }
        let wanted = abort("the lease ran out");
        if end(repository, session, &wanted)? == wanted {
            report.aborted_sessions += 1;
        }
    }
    Ok(())
}

/// Whether a session gave a sign of life lately. One whose opening cannot be read has no lease.
fn is_within_lease(
    repository: &Repository,
    session: SessionId,
    report: &mut GcReport,
) -> Result<bool> {
    let object = name::session_open(repository.vault(), session);
    let opened = match repository.find_record::<OpenRecord>(&object) {
        Ok(Some(opened)) => opened,
        Ok(None) => return Ok(false),
        Err(e) if e.is_damage() => {
            report.problems.push(e.to_string());
            return Ok(false);
        }
        Err(e) => return Err(e),
    };
    let mut alive_at = opened.opened_at;
    let folder = name::session_renewals(repository.vault(), session);
    if let Some(newest) = repository.store().list(&folder)?.last() {
        match repository.find_record::<RenewRecord>(&newest.name) {
            Ok(renewal) => alive_at = renewal.map_or(alive_at, |r| r.renewed_at.max(alive_at)),
            Err(e) if e.is_damage() => report.problems.push(e.to_string()),
            Err(e) => return Err(e),
        }
    }
    let lease = Duration::from_secs(opened.lease_secs);
    Ok(repository.clock().now().since(alive_at) <= lease)
}
