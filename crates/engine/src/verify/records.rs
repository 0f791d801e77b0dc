//! Checks the small objects: keys, vault record, sessions, tombs, lists of condemned packs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use strongroom_model::id::BackupId;
use strongroom_model::time::Timestamp;

use super::Findings;
use crate::error::Result;
use crate::format::keyfile::KeyFile;
use crate::format::manifest::Manifest;
use crate::format::name;
use crate::id::SessionId;
use crate::list::{load_committed, manifest_names};
use crate::repository::Repository;
use crate::session::{EndRecord, OpenRecord, RenewRecord};

/// What is known of one session from its records.
#[derive(Debug, Default)]
struct Seen {
    opened: Option<OpenRecord>,
    end: Option<EndRecord>,
    has_end: bool,
    /// The last sign of life.
    alive_at: Option<Timestamp>,
}

/// Checks all small objects; returns the manifests of the live backups.
pub(super) fn check(repository: &Repository, findings: &mut Findings) -> Result<Vec<Manifest>> {
    check_keys(repository, findings)?;
    let vault = repository.vault();
    check_record::<Value>(repository, &name::vault(vault), findings)?;
    for object in repository.store().list(&name::gc(vault))? {
        check_record::<Value>(repository, &object.name, findings)?;
    }
    let mut tombs = BTreeSet::new();
    let folder = name::tombs(vault);
    for object in repository.store().list(&folder)? {
        if check_record::<Value>(repository, &object.name, findings)?.is_some() {
            let id = object.name.rsplit('/').next().and_then(|id| BackupId::parse(id).ok());
            tombs.extend(id);
        }
    }
    let sessions = read_sessions(repository, findings)?;
    check_sessions(repository, (&sessions, &tombs), findings)
}

/// Both copies of each version of the vault's key must be there, whole and equal.
fn check_keys(repository: &Repository, findings: &mut Findings) -> Result<()> {
    for version in 1..=repository.key_version() {
        let mut copies = Vec::new();
        for copy in ['a', 'b'] {
            let object = name::key(repository.vault(), version, copy);
            let read = repository.store().get(&object).map_err(Into::into).and_then(|bytes| {
                let file = KeyFile::decode(&bytes).map_err(|flaw| flaw.at(&object))?;
                Ok((file, bytes))
            });
            match read {
                Ok((file, _)) if file.vault != repository.vault() || file.version != version => {
                    findings.object(&object, "it belongs elsewhere");
                }
                Ok((_, bytes)) => copies.push((object, bytes)),
                Err(e) => {
                    findings.error(&object, e)?;
                }
            }
        }
        if let [(_, first), (object, second)] = &copies[..]
            && first != second
        {
            findings.object(object, "the two copies differ");
        }
    }
    Ok(())
}

fn check_record<T: serde::de::DeserializeOwned>(
    repository: &Repository,
    object: &str,
    findings: &mut Findings,
) -> Result<Option<T>> {
    match repository.find_record(object) {
        Ok(Some(record)) => return Ok(Some(record)),
        Ok(None) => findings.object(object, "it does not exist"),
        Err(e) => findings.error(object, e)?,
    };
    Ok(None)
}

fn read_sessions(
    repository: &Repository,
    findings: &mut Findings,
) -> Result<BTreeMap<SessionId, Seen>> {
    let folder = name::sessions(repository.vault());
    let mut sessions: BTreeMap<SessionId, Seen> = BTreeMap::new();
    for object in repository.store().list(&folder)? {
        let parts = name::parts(&object.name, &folder).unwrap_or_default();
        let Some(id) = parts.first().and_then(|id| SessionId::parse(id)) else {
            continue;
        };
        let seen = sessions.entry(id).or_default();
        match parts[1..] {
            ["open"] => {
                seen.opened = check_record(repository, &object.name, findings)?;
                seen.alive_at = seen.alive_at.max(seen.opened.as_ref().map(|o| o.opened_at));
            }
            ["end"] => {
                seen.has_end = true;
                seen.end = check_record(repository, &object.name, findings)?;
            }
            ["renew", _] => {
                let renewal: Option<RenewRecord> =
                    check_record(repository, &object.name, findings)?;
                seen.alive_at = seen.alive_at.max(renewal.map(|r| r.renewed_at));
            }
            _ => {}
        }
    }
    Ok(sessions)
}

fn check_sessions(
    repository: &Repository,
    (sessions, tombs): (&BTreeMap<SessionId, Seen>, &BTreeSet<BackupId>),
    findings: &mut Findings,
) -> Result<Vec<Manifest>> {
    let vault = repository.vault();
    let mut live = Vec::new();
    for (id, seen) in sessions {
        let Some(EndRecord::Commit { backup, .. }) = &seen.end else {
            continue;
        };
        if tombs.contains(backup) {
            continue;
        }
        if seen.opened.is_none() {
            findings.object(&name::session_open(vault, *id), "it does not exist");
        }
        match load_committed(repository, *backup, *id) {
            Ok(Some((manifest, _))) => live.push(manifest),
            Ok(None) => {}
            Err(e) => {
                let object = name::manifest(vault, *backup, *id);
                findings.error(&object, e)?.backups.insert(*backup);
            }
        }
    }
    for (backup, id) in manifest_names(repository)? {
        if tombs.contains(&backup) {
            continue;
        }
        let end = name::session_end(vault, id);
        match sessions.get(&id) {
            Some(seen) if seen.end.is_some() => {}
            Some(seen) if seen.has_end => {
                findings.object(&end, "it is damaged").backups.insert(backup);
            }
            Some(seen) if is_alive(repository, seen) => {}
            _ => {
                let detail = "there is a manifest, but its session was never ended";
                findings.object(&end, detail).backups.insert(backup);
            }
        }
    }
    Ok(live)
}

/// Whether a session that has not ended may still be at work.
fn is_alive(repository: &Repository, seen: &Seen) -> bool {
    let (Some(opened), Some(alive_at)) = (&seen.opened, seen.alive_at) else {
        return false;
    };
    let lease = Duration::from_secs(opened.lease_secs);
    repository.clock().now().since(alive_at) < lease
}
