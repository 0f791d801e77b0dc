//! One look at the whole vault: what is there, and what live backups need.
//!
//! The order of the looks matters. Packs come before sessions: the session of a pack that is listed
//! was opened before, so it is in the later list, or has ended and was cleaned up. Tombs come before
//! sessions, and sessions before manifests: a session seen committed has its manifest in the list
//! unless its tomb was seen too.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use strongroom_model::id::BackupId;

use super::GcReport;
use crate::error::{Error, Result};
use crate::format::manifest::Manifest;
use crate::format::name;
use crate::format::page::Cell;
use crate::id::{ChunkId, PackId, SessionId};
use crate::list::{load_committed, manifest_names};
use crate::repository::Repository;
use crate::session::EndRecord;

/// What a look found.
pub(super) struct Survey {
    /// The packs there are, with their lengths.
    pub(super) packs: BTreeMap<PackId, u64>,
    /// The packs that live backups need.
    pub(super) live: HashSet<PackId>,
    /// Backups with an authentic tomb.
    pub(super) tombs: BTreeSet<BackupId>,
    /// The sessions there are, and how they ended.
    pub(super) sessions: BTreeMap<SessionId, State>,
    /// Ended sessions that still have more objects than their end.
    pub(super) littered: BTreeSet<SessionId>,
    /// All manifests, committed or not.
    pub(super) manifests: Vec<(BackupId, SessionId)>,
}

/// What became of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It may still be at work.
    Open,
    /// It ended, and this is how.
    Ended(EndRecord),
    /// It ended, and how cannot be read.
    Unreadable,
}

/// A survey, or why there is none.
pub(super) enum Surveyed {
    /// Everything that live backups need could be read.
    Whole(Survey),
    /// These could not be read.
    Blocked(Vec<String>),
}

impl Survey {
    /// Looks at everything.
    pub(super) fn take(repository: &Repository, report: &mut GcReport) -> Result<Surveyed> {
        let mut survey = Self {
            packs: repository.list_packs()?.into_iter().collect(),
            live: HashSet::new(),
            tombs: tombs(repository, report)?,
            sessions: BTreeMap::new(),
            littered: BTreeSet::new(),
            manifests: Vec::new(),
        };
        survey.sessions = sessions(repository, &mut survey.littered, report)?;
        survey.manifests = manifest_names(repository)?;
        let blocked = survey.mark(repository)?;
        Ok(if blocked.is_empty() { Surveyed::Whole(survey) } else { Surveyed::Blocked(blocked) })
    }

    /// Finds the packs that live backups need; returns what could not be read.
    fn mark(&mut self, repository: &Repository) -> Result<Vec<String>> {
        let mut blocked = Vec::new();
        let mut pages: HashSet<(ChunkId, PackId)> = HashSet::new();
        for (backup, session) in self.live_manifests() {
            let marked = load_root(repository, backup, session, self.sessions.get(&session))
                .and_then(|manifest| mark_manifest(repository, &manifest, &mut pages));
            match marked {
                Ok(needed) => self.live.extend(needed),
                Err(e @ Error::Store(_)) if !e.is_damage() => return Err(e),
                Err(e) => blocked.push(format!("backup {backup}: {e}")),
            }
        }
        Ok(blocked)
    }

    /// The manifests that must be kept: committed, or of sessions whose end cannot be read, and
    /// not deleted. A committed one that is not listed is among them, to be found missing.
    fn live_manifests(&self) -> BTreeSet<(BackupId, SessionId)> {
        let committed = self.sessions.iter().filter_map(|(session, state)| match state {
            State::Ended(EndRecord::Commit { backup, .. }) => Some((*backup, *session)),
            _ => None,
        });
        let is_unreadable =
            |session: &SessionId| self.sessions.get(session) == Some(&State::Unreadable);
        let doubtful = self.manifests.iter().filter(|(_, session)| is_unreadable(session)).copied();
        committed.chain(doubtful).filter(|(backup, _)| !self.tombs.contains(backup)).collect()
    }

    /// The packs of ended sessions that no live backup needs and that are not condemned yet.
    pub(super) fn newly_dead(
        &self,
        repository: &Repository,
        condemned: &BTreeSet<PackId>,
        report: &mut GcReport,
    ) -> Result<BTreeSet<PackId>> {
        let all_ended = !self.sessions.values().any(|state| *state == State::Open);
        let mut dead = BTreeSet::new();
        for pack in self.packs.keys() {
            if self.live.contains(pack) || condemned.contains(pack) {
                continue;
            }
            // Only the pack itself knows its session, and only a dead pack needs to be asked.
            let is_ended = all_ended
                || match repository.load_pack(*pack) {
                    Ok(open) => self.sessions.get(&open.header.session) != Some(&State::Open),
                    Err(e) if e.is_damage() => {
                        report.problems.push(e.to_string());
                        false
                    }
                    Err(e) => return Err(e),
                };
            if is_ended {
                dead.insert(*pack);
            }
        }
        Ok(dead)
    }
}

/// The sessions that have been opened and not ended.
pub(super) fn unended_sessions(repository: &Repository) -> Result<BTreeSet<SessionId>> {
    let listed = list_sessions(repository)?.into_iter();
    Ok(listed.filter(|(_, listed)| !listed.has_end).map(|(id, _)| id).collect())
}

/// What objects a session has.
#[derive(Debug, Default)]
struct Listed {
    has_end: bool,
    /// Whether there is anything but the end.
    has_signs: bool,
}

/// All sessions, and what objects each has.
fn list_sessions(repository: &Repository) -> Result<BTreeMap<SessionId, Listed>> {
    let folder = name::sessions(repository.vault());
    let mut found: BTreeMap<SessionId, Listed> = BTreeMap::new();
    for object in repository.store().list(&folder)? {
        let parts = name::parts(&object.name, &folder).unwrap_or_default();
        let Some(id) = parts.first().and_then(|id| SessionId::parse(id)) else {
            continue;
        };
        let is_end = parts[1..] == ["end"];
        let listed = found.entry(id).or_default();
        listed.has_end |= is_end;
        listed.has_signs |= !is_end;
    }
    Ok(found)
}

fn sessions(
    repository: &Repository,
    littered: &mut BTreeSet<SessionId>,
    report: &mut GcReport,
) -> Result<BTreeMap<SessionId, State>> {
    let mut found = BTreeMap::new();
    for (id, listed) in list_sessions(repository)? {
        if !listed.has_end {
            found.insert(id, State::Open);
            continue;
        }
        littered.extend(listed.has_signs.then_some(id));
        let object = name::session_end(repository.vault(), id);
        match repository.find_record(&object) {
            Ok(Some(end)) => {
                found.insert(id, State::Ended(end));
            }
            Ok(None) => {}
            Err(e @ Error::Store(_)) => return Err(e),
            Err(e) => {
                report.problems.push(e.to_string());
                found.insert(id, State::Unreadable);
            }
        }
    }
    Ok(found)
}

/// The deleted backups. A tomb that is not authentic deletes nothing.
fn tombs(repository: &Repository, report: &mut GcReport) -> Result<BTreeSet<BackupId>> {
    let mut found = BTreeSet::new();
    for object in repository.store().list(&name::tombs(repository.vault()))? {
        let id = object.name.rsplit('/').next().and_then(|id| BackupId::parse(id).ok());
        match repository.find_record::<serde_json::Value>(&object.name) {
            Ok(Some(_)) => found.extend(id),
            Ok(None) => {}
            Err(e @ Error::Store(_)) => return Err(e),
            Err(e) => report.problems.push(e.to_string()),
        }
    }
    Ok(found)
}

/// Reads a manifest that must be kept.
fn load_root(
    repository: &Repository,
    backup: BackupId,
    session: SessionId,
    state: Option<&State>,
) -> Result<Manifest> {
    if state != Some(&State::Unreadable) {
        let found = load_committed(repository, backup, session)?;
        return found.map(|(manifest, _)| manifest).ok_or(Error::BackupMissing(backup));
    }
    let object = name::manifest(repository.vault(), backup, session);
    let bytes = repository.store().get(&object)?;
    Manifest::open(repository.keys(), &bytes).map_err(|flaw| flaw.at(&object))
}

/// The packs a manifest needs, besides those of pages already in `pages`.
fn mark_manifest(
    repository: &Repository,
    manifest: &Manifest,
    pages: &mut HashSet<(ChunkId, PackId)>,
) -> Result<HashSet<PackId>> {
    let mut needed = HashSet::new();
    for page in manifest.pages.iter().flatten() {
        if !pages.insert((page.id, page.location.pack)) {
            continue;
        }
        needed.insert(page.location.pack);
        for cell in repository.load_page(page)? {
            if let Cell::Chunk(_, location) = cell {
                needed.insert(location.pack);
            }
        }
    }
    Ok(needed)
}
