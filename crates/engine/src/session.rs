//! Sessions: one attempt to make one backup, from its opening to the one commit point.
//!
//! A session ends exactly once, because its `end` record can be created only once: whoever creates
//! it decides between commit and abort, and everybody else reads the decision.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strongroom_model::id::BackupId;
use strongroom_model::time::Timestamp;

use crate::error::{Error, Result};
use crate::format::name;
use crate::gc::epoch::read_condemned;
use crate::id::{Digest, SessionId};
use crate::index::Condemned;
use crate::repository::Repository;
use crate::store::Created;

/// The record `open`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OpenRecord {
    pub(crate) backup: BackupId,
    pub(crate) node: String,
    pub(crate) opened_at: Timestamp,
    pub(crate) lease_secs: u64,
}

/// The record `renew/<n>`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RenewRecord {
    pub(crate) renewed_at: Timestamp,
}

/// The record `end`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub(crate) enum EndRecord {
    /// The backup exists.
    Commit {
        /// The backup.
        backup: BackupId,
        /// BLAKE3 of the manifest object, in hexadecimal.
        manifest: String,
        /// Root of the backup, in hexadecimal.
        root: String,
    },
    /// Nothing exists and never will.
    Abort {
        /// Why.
        reason: String,
    },
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionOutcome {
    /// The backup was committed.
    Committed {
        /// The backup.
        backup: BackupId,
        /// Its root hash.
        root: Digest,
    },
    /// Nothing was committed and nothing ever will be.
    Aborted,
}

/// Ends a session that may still be open, and tells how it ended.
///
/// After `Aborted` a writer that is still running can no longer commit, so the backup may be tried
/// again with a new session. A session nobody ever opened is aborted all the same.
pub fn resolve_session(repository: &Repository, session: SessionId) -> Result<SessionOutcome> {
    outcome(end(repository, session, &abort("resolved"))?)
}

/// An abort with its reason.
pub(crate) fn abort(reason: &str) -> EndRecord {
    EndRecord::Abort { reason: reason.to_owned() }
}

/// Tries to end a session; returns how it really ended.
pub(crate) fn end(
    repository: &Repository,
    session: SessionId,
    wanted: &EndRecord,
) -> Result<EndRecord> {
    let object = name::session_end(repository.vault(), session);
    if repository.create_record(&object, wanted)? == Created::New {
        return Ok(wanted.clone());
    }
    let found = repository.find_record(&object)?;
    found.ok_or_else(|| Error::damaged(&object, "it vanished"))
}

fn outcome(end: EndRecord) -> Result<SessionOutcome> {
    let EndRecord::Commit { backup, root, .. } = end else {
        return Ok(SessionOutcome::Aborted);
    };
    let root = Digest::parse(&root)
        .ok_or_else(|| Error::damaged(&backup.to_string(), "its root is not a hash"))?;
    Ok(SessionOutcome::Committed { backup, root })
}

/// A session of this process that is open.
pub(crate) struct Session<'a> {
    repository: &'a Repository,
    pub(crate) id: SessionId,
    pub(crate) backup: BackupId,
    lease: Duration,
    /// When the last sign of life was given, in microseconds; shared by the workers.
    renewed_us: AtomicI64,
    renewals: AtomicU32,
    pub(crate) condemned: Condemned,
    pub(crate) problems: Vec<String>,
}

impl<'a> Session<'a> {
    /// Opens a session, and only then reads what is condemned.
    pub(crate) fn open(
        repository: &'a Repository,
        id: SessionId,
        record: OpenRecord,
    ) -> Result<Self> {
        repository.ensure_writable()?;
        let vault = repository.vault();
        if repository.create_record(&name::session_open(vault, id), &record)? == Created::Exists {
            return Err(Error::SessionExists(id));
        }
        let (condemned, problems) = read_condemned(repository)?;
        Ok(Self {
            repository,
            id,
            backup: record.backup,
            lease: Duration::from_secs(record.lease_secs),
            renewed_us: AtomicI64::new(record.opened_at.as_micros()),
            renewals: AtomicU32::new(0),
            condemned,
            problems,
        })
    }

    /// Gives a sign of life when a third of the lease has passed since the last one.
    pub(crate) fn renew_if_due(&self) -> Result<()> {
        let now = self.repository.clock().now();
        let last = self.renewed_us.load(Ordering::Relaxed);
        let is_due = now.since(Timestamp::from_micros(last)) >= self.lease / 3;
        let claimed = is_due
            && self
                .renewed_us
                .compare_exchange(last, now.as_micros(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if !claimed {
            return Ok(());
        }
        let serial = self.renewals.fetch_add(1, Ordering::Relaxed);
        let object = name::session_renew(self.repository.vault(), self.id, serial);
        self.repository.create_record(&object, &RenewRecord { renewed_at: now })?;
        Ok(())
    }

    /// Makes sure that no other attempt of the same backup is or can be committed.
    ///
    /// Both attempts upload their manifest before they look, so at least one sees the other; it
    /// aborts the other or finds it committed.
    pub(crate) fn fence_rivals(&self) -> Result<()> {
        let folder = name::manifests_of(self.repository.vault(), self.backup);
        for object in self.repository.store().list(&folder)? {
            let rival = object.name.rsplit('/').next().and_then(SessionId::parse);
            let Some(rival) = rival.filter(|rival| *rival != self.id) else {
                continue;
            };
            let ended = end(self.repository, rival, &abort("a later attempt took over"))?;
            if matches!(ended, EndRecord::Commit { .. }) {
                return Err(Error::AlreadyCommitted { backup: self.backup, session: rival });
            }
        }
        Ok(())
    }

    /// Creates the commit record: the one moment at which the backup comes to exist.
    pub(crate) fn commit(&self, manifest: Digest, root: Digest) -> Result<()> {
        let (manifest, root) = (manifest.to_string(), root.to_string());
        let wanted = EndRecord::Commit { backup: self.backup, manifest, root };
        if end(self.repository, self.id, &wanted)? == wanted {
            return Ok(());
        }
        Err(Error::Fenced(self.id))
    }

    /// Ends the session without a backup, if the store still answers.
    ///
    /// Where it does not, the lease runs out or the caller resolves the session.
    pub(crate) fn give_up(&self, error: &Error) {
        if let Err(e) = end(self.repository, self.id, &abort(&error.to_string())) {
            tracing::warn!(session.id = %self.id, "session {} stays open: {e}", self.id);
        }
    }
}
