//! What is removed of the backups of one resource in one vault.
//!
//! The vault's policy decides over the automatic ones, whichever policy made them; over the others
//! only their date does.

use std::collections::BTreeSet;

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, PolicyId, VaultId};
use strongroom_model::server_backup::ServerBackup;

use super::manage::makes_backups;
use super::retention::Candidate;
use super::sweep::{candidate, doomed_by, is_held, is_past};
use crate::Service;
use crate::error::Result;

/// A backup as a whole: of a disk, or of a server with its disks.
pub(super) enum Whole {
    Disk(Backup),
    Server(ServerBackup),
}

impl From<Backup> for Whole {
    fn from(backup: Backup) -> Self {
        Self::Disk(backup)
    }
}

impl From<ServerBackup> for Whole {
    fn from(backup: ServerBackup) -> Self {
        Self::Server(backup)
    }
}

impl Whole {
    fn candidate(&self) -> Candidate {
        match self {
            Self::Disk(backup) => candidate(backup),
            Self::Server(backup) => Candidate {
                id: backup.id,
                created_at: backup.created_at,
                status: backup.status,
                expires_at: backup.expires_at,
                is_held: false,
            },
        }
    }

    const fn policy_id(&self) -> Option<PolicyId> {
        match self {
            Self::Disk(backup) => backup.policy_id,
            Self::Server(backup) => backup.policy_id,
        }
    }

    /// Whether a schedule made it here. What was copied from another region goes by its date.
    const fn is_automatic(&self) -> bool {
        match self {
            Self::Disk(backup) => backup.origin.is_automatic && !backup.origin.is_replica,
            Self::Server(backup) => backup.is_automatic && !backup.is_replica,
        }
    }

    /// Whether its removal was begun and given up.
    fn is_half_removed(&self) -> bool {
        match self {
            Self::Disk(backup) => Service::is_half_removed(backup),
            Self::Server(backup) => backup.status == BackupStatus::ErrorDeleting,
        }
    }

    /// Whether something else may still need it: a share, or work on it or on one of its disks.
    async fn is_held(&self, tx: &mut Transaction<'_>) -> Result<bool> {
        let Self::Server(backup) = self else { return is_held(tx, self.candidate().id).await };
        if is_held(tx, backup.id).await? {
            return Ok(true);
        }
        for child in tx.backups().of_server_backup(backup.id).await? {
            let is_at_work =
                matches!(child.status, BackupStatus::Creating | BackupStatus::Restoring);
            if is_at_work || is_held(tx, child.id).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Service {
    /// Decides and acts on the backups of one resource in one vault, as one transaction sees them.
    pub(super) async fn expire_in_vault<W: Into<Whole>>(
        &self,
        tx: &mut Transaction<'_>,
        vault_id: VaultId,
        backups: Vec<W>,
    ) -> Result<Vec<BackupId>> {
        let backups: Vec<Whole> = backups.into_iter().map(Into::into).collect();
        let doomed = self.doomed_in_vault(tx, vault_id, &backups).await?;
        let mut gone = Vec::new();
        for backup in backups {
            let id = backup.candidate().id;
            if doomed.contains(&id) && self.begin_expiry(tx, backup).await? {
                gone.push(id);
            }
        }
        Ok(gone)
    }

    async fn doomed_in_vault(
        &self,
        tx: &mut Transaction<'_>,
        vault_id: VaultId,
        backups: &[Whole],
    ) -> Result<BTreeSet<BackupId>> {
        let now = self.now();
        let policies = self.policies_of_vault(tx, vault_id).await?.into_iter();
        let policy = policies.map(|(policy, _)| policy).find(makes_backups);
        let is_off = policy.as_ref().is_some_and(|policy| !policy.is_enabled);
        let retention = policy.as_ref().filter(|policy| policy.is_enabled);
        let retention = retention.map(|policy| &policy.retention);
        let disabled = disabled_makers(tx, backups).await?;
        let rests = |one: &&Whole| {
            one.is_automatic()
                && (is_off || one.policy_id().is_some_and(|id| disabled.contains(&id)))
        };
        let (automatic, others): (Vec<_>, Vec<_>) =
            backups.iter().partition(|one| one.is_automatic());
        let mut candidates: Vec<_> = automatic.iter().map(|one| one.candidate()).collect();
        let doomed = doomed_by(retention, now, &candidates);
        // What is held changes nothing for the others: only these need to be asked after.
        for (one, backup) in candidates.iter_mut().zip(&automatic) {
            if doomed.contains(&one.id) {
                one.is_held = rests(backup) || backup.is_held(tx).await?;
            }
        }
        let mut doomed: BTreeSet<_> = doomed_by(retention, now, &candidates).into_iter().collect();
        for backup in others {
            let one = backup.candidate();
            let is_at_rest = matches!(one.status, BackupStatus::Available | BackupStatus::Error);
            if is_at_rest && is_past(&one, now) && !backup.is_held(tx).await? {
                doomed.insert(one.id);
            }
        }
        let half_removed = backups.iter().filter(|one| one.is_half_removed() && !rests(one));
        let half_removed = half_removed.map(Whole::candidate).filter(|one| {
            let is_automatic = automatic.iter().any(|automatic| automatic.candidate().id == one.id);
            is_automatic || is_past(one, now)
        });
        doomed.extend(half_removed.map(|one| one.id));
        Ok(doomed)
    }

    /// Begins the removal of a backup unless a lock keeps it; tells whether it did.
    async fn begin_expiry(&self, tx: &mut Transaction<'_>, backup: Whole) -> Result<bool> {
        let now = self.now();
        match backup {
            Whole::Disk(mut backup) => {
                if self.is_kept_by_lock(tx, &backup, now).await? {
                    return Ok(false);
                }
                let caller = self.caller_for(&backup.user_id, &backup.project_id);
                self.begin_deletion(tx, &caller, &mut backup).await?;
            }
            Whole::Server(mut backup) => {
                if self.is_kept_by_lock(tx, &backup, now).await? {
                    return Ok(false);
                }
                let caller = self.caller_for(&backup.user_id, &backup.project_id);
                self.begin_server_deletion(tx, &caller, &mut backup).await?;
            }
        }
        Ok(true)
    }
}

/// The policies that made some of these backups, exist, and are disabled: they remove nothing.
async fn disabled_makers(
    tx: &mut Transaction<'_>,
    backups: &[Whole],
) -> Result<BTreeSet<PolicyId>> {
    let makers: BTreeSet<_> = backups.iter().filter_map(Whole::policy_id).collect();
    let mut disabled = BTreeSet::new();
    for id in makers {
        let policy = tx.policies().find_any(id).await?;
        if policy.is_some_and(|policy| !policy.is_enabled) {
            disabled.insert(id);
        }
    }
    Ok(disabled)
}
