//! Removes what is left of deleted backups and of attempts that came to nothing.
//!
//! The order makes every cut harmless: manifest, signs of life, opening, end, and the tomb last, so
//! that what remains after a crash is still known to be deleted. The end of an aborted session stays
//! for ever, because its writer may yet wake up and try to commit.

use strongroom_model::id::BackupId;

use super::GcReport;
use super::survey::{State, Survey};
use crate::error::Result;
use crate::format::name;
use crate::id::SessionId;
use crate::repository::Repository;
use crate::session::{EndRecord, OpenRecord};

/// Removes what the survey shows to be over.
pub(super) fn run(repository: &Repository, survey: &Survey, report: &mut GcReport) -> Result<()> {
    for (backup, session) in &survey.manifests {
        if is_over(survey, *backup, *session) {
            let object = name::manifest(repository.vault(), *backup, *session);
            repository.store().delete(&object)?;
        }
    }
    for (session, state) in &survey.sessions {
        match state {
            State::Ended(EndRecord::Commit { backup, .. }) if survey.tombs.contains(backup) => {
                remove_signs(repository, *session)?;
                repository.store().delete(&name::session_end(repository.vault(), *session))?;
            }
            State::Ended(EndRecord::Abort { .. }) if survey.littered.contains(session) => {
                remove_signs(repository, *session)?;
            }
            _ => {}
        }
    }
    let named = named_by_open_sessions(repository, survey)?;
    for backup in survey.tombs.iter().filter(|backup| !named.contains(&Some(**backup))) {
        // A session whose naming cannot be read might name any of them.
        if named.contains(&None) || has_unended_manifest(survey, *backup) {
            continue;
        }
        repository.store().delete(&name::tomb(repository.vault(), *backup))?;
        report.removed_backups += 1;
    }
    Ok(())
}

/// Whether a manifest can never be needed: its session came to nothing, or its backup is deleted
/// and no session is at work on it.
fn is_over(survey: &Survey, backup: BackupId, session: SessionId) -> bool {
    match survey.sessions.get(&session) {
        Some(State::Ended(EndRecord::Abort { .. })) => true,
        Some(State::Ended(EndRecord::Commit { .. }) | State::Unreadable) => {
            survey.tombs.contains(&backup)
        }
        Some(State::Open) => false,
        // Its session was cleaned up before it, which only happens to deleted backups.
        None => survey.tombs.contains(&backup),
    }
}

fn has_unended_manifest(survey: &Survey, backup: BackupId) -> bool {
    survey
        .manifests
        .iter()
        .any(|(of, session)| *of == backup && survey.sessions.get(session) == Some(&State::Open))
}

/// Removes a session's opening and its signs of life.
fn remove_signs(repository: &Repository, session: SessionId) -> Result<()> {
    let renewals = name::session_renewals(repository.vault(), session);
    for object in repository.store().list(&renewals)? {
        repository.store().delete(&object.name)?;
    }
    Ok(repository.store().delete(&name::session_open(repository.vault(), session))?)
}

/// The backups that open sessions are at work on; `None` for one that cannot be read.
fn named_by_open_sessions(
    repository: &Repository,
    survey: &Survey,
) -> Result<Vec<Option<BackupId>>> {
    let mut named = Vec::new();
    for (session, _) in survey.sessions.iter().filter(|(_, state)| **state == State::Open) {
        let object = name::session_open(repository.vault(), *session);
        match repository.find_record::<OpenRecord>(&object) {
            Ok(Some(opened)) => named.push(Some(opened.backup)),
            Ok(None) => {}
            Err(e) if e.is_damage() => named.push(None),
            Err(e) => return Err(e),
        }
    }
    Ok(named)
}
