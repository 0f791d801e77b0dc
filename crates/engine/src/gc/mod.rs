//! Collection of what no backup needs, safe beside writers and beside other collectors.
//!
//! One rule carries it: *a condemned pack is condemned for ever*. A session reads the lists of
//! condemned packs after it was opened and never stores against one. So once a list is written and
//! every session that was open at that moment has ended, nobody can come to need a condemned pack
//! that nobody needs: being dead is then a stable property. Whoever finds a pack dead after that may
//! delete it at any later time, be it this collector, another one, or one that slept for a week.
//!
//! Clocks decide only when a silent session is given up, which costs that session its backup and
//! nothing else: its end is created once, and if that is an abort it can no longer commit.

mod cleanup;
pub(crate) mod epoch;
mod survey;

use std::collections::BTreeSet;
use std::sync::Arc;

use strongroom_model::id::BackupId;

use crate::error::Result;
use crate::format::name;
use crate::id::{PackId, SessionId};
use crate::list::list;
use crate::progress::Progress;
use crate::repository::Repository;
use epoch::{Epochs, Settled};
use survey::{Survey, Surveyed};

/// How to collect.
#[derive(Debug, Clone, Default)]
pub struct GcOptions {
    /// Backups that the caller knows to exist. If one is not there, something was lost that only a
    /// person can judge, a commit record say, and nothing is collected.
    pub expected: BTreeSet<BackupId>,
    /// The way to cancel.
    pub progress: Arc<Progress>,
}

/// What a collection did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GcReport {
    /// Packs that were condemned by this run.
    pub condemned_packs: u64,
    /// Packs that were deleted.
    pub deleted_packs: u64,
    /// Bytes that deleted packs held.
    pub freed_bytes: u64,
    /// Deleted backups of which nothing is left.
    pub removed_backups: u64,
    /// Sessions that were given up because their lease had run out.
    pub aborted_sessions: u64,
    /// Files of writers that died.
    pub removed_leftovers: u64,
    /// Sessions that have to end before condemned packs can go; the next run continues.
    pub waiting_for: Vec<SessionId>,
    /// Why nothing was deleted, if something could not be read.
    pub blocked: Vec<String>,
    /// What is wrong besides.
    pub problems: Vec<String>,
}

/// Frees what no backup needs. Safe at any time, also while backups and other collections run.
///
/// If anything that a live backup needs cannot be read, nothing is deleted and the report says why.
pub fn gc(repository: &Repository, options: &GcOptions) -> Result<GcReport> {
    repository.ensure_writable()?;
    let mut report = GcReport {
        removed_leftovers: repository.store().remove_leftovers()?,
        ..GcReport::default()
    };
    // Before anything else: a session whose commit record was lost looks like one that crashed.
    report.blocked = missing(repository, &options.expected)?;
    if !report.blocked.is_empty() {
        return Ok(report);
    }
    epoch::abort_expired(repository, &mut report)?;
    let mut epochs = match Epochs::read(repository)? {
        Ok(epochs) => epochs,
        Err(blocked) => {
            report.blocked = blocked;
            return Ok(report);
        }
    };
    // The first round finishes the epoch that is there, the second one the epoch it began.
    for may_begin in [true, false] {
        options.progress.check()?;
        if let Settled::Waiting(sessions) = epochs.settle(repository)? {
            report.waiting_for = sessions;
            return Ok(report);
        }
        let survey = match Survey::take(repository, &mut report)? {
            Surveyed::Whole(survey) => survey,
            Surveyed::Blocked(blocked) => {
                report.blocked = blocked;
                return Ok(report);
            }
        };
        sweep(repository, &epochs, &survey, &mut report)?;
        epochs.drop_older(repository)?;
        cleanup::run(repository, &survey, &mut report)?;
        if !may_begin || !epochs.condemn(repository, &survey, &mut report)? {
            break;
        }
    }
    Ok(report)
}

/// Tells which of the backups that must exist do not.
fn missing(repository: &Repository, expected: &BTreeSet<BackupId>) -> Result<Vec<String>> {
    if expected.is_empty() {
        return Ok(Vec::new());
    }
    let listed = list(repository)?;
    let found: BTreeSet<_> = listed.backups.iter().map(|entry| entry.backup_id).collect();
    let missing = expected.difference(&found);
    Ok(missing.map(|id| format!("backup {id} should be there and cannot be read")).collect())
}

/// Deletes the condemned packs that no backup needs, and only those.
fn sweep(
    repository: &Repository,
    epochs: &Epochs,
    survey: &Survey,
    report: &mut GcReport,
) -> Result<()> {
    let is_due = |pack: &PackId| epochs.is_condemned(pack) && !survey.live.contains(pack);
    for (pack, size_bytes) in survey.packs.iter().filter(|(pack, _)| is_due(pack)) {
        repository.store().delete(&name::pack(repository.vault(), *pack))?;
        report.deleted_packs += 1;
        report.freed_bytes += size_bytes;
    }
    Ok(())
}
