//! Renaming and deleting saved points.

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::identity::Role;
use strongroom_model::saved::Saved;

use super::view::{SavedView, view_whole};
use crate::error::{Error, Result};
use crate::{Caller, Refusal, Service};

impl Service {
    /// Gives a backup at rest another name.
    pub async fn rename_saved(&self, caller: &Caller, id: &str, name: &str) -> Result<SavedView> {
        let project = caller.project(Role::Member, "saved:update")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut saved = self.find_saved(tx, project, id).await?;
                    if !is_at_rest(saved.status()) {
                        let status = saved.status().as_str();
                        let message = format!("a backup that is {status} cannot be renamed");
                        return Err(Error::Invalid { field: "status", message });
                    }
                    match &mut saved {
                        Saved::Disk(backup) => {
                            backup.name = Some(name.to_owned());
                            self.write_backup(tx, backup).await?;
                        }
                        Saved::Server(backup) => {
                            name.clone_into(&mut backup.name);
                            self.write_server_backup(tx, backup).await?;
                        }
                    }
                    view_whole(tx, saved, None).await
                })
            })
            .await
    }

    /// Begins the removal of a backup at rest that stands by itself.
    pub async fn delete_saved(&self, caller: &Caller, id: &str) -> Result<()> {
        let project = caller.project(Role::Member, "saved:delete")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let saved = self.find_saved(tx, project, id).await?;
                    refuse_kept(tx, &saved).await?;
                    match saved {
                        Saved::Disk(mut backup) => {
                            self.begin_deletion(tx, caller, &mut backup).await?;
                        }
                        Saved::Server(mut backup) => {
                            self.refuse_while_locked(tx, &backup, self.now()).await?;
                            self.begin_server_deletion(tx, caller, &mut backup).await?;
                        }
                    }
                    Ok::<_, Error>(())
                })
            })
            .await?;
        self.nudge();
        Ok(())
    }
}

/// Refuses to remove what is no whole, is not at rest, or is being used.
async fn refuse_kept(tx: &mut Transaction<'_>, saved: &Saved) -> Result<()> {
    let id = saved.id();
    if let Some(parent) = saved.parent_id() {
        let message = format!("backup {id} belongs to backup {parent} and goes with it");
        return Err(Refusal::BackupNotDeletable.because(message));
    }
    let status = saved.status();
    if status == BackupStatus::Restoring {
        return Err(Refusal::BackupInUse.because(format!("backup {id} is being restored")));
    }
    if !is_at_rest(status) {
        return Err(Error::BackupNotDeletable(status));
    }
    if tx.replications().is_any_unfinished(id).await? {
        return Err(Refusal::BackupInUse.because(format!("backup {id} is being copied")));
    }
    let disks = match saved {
        Saved::Disk(backup) => vec![backup.clone()],
        Saved::Server(backup) => tx.backups().of_server_backup(backup.id).await?,
    };
    for disk in &disks {
        if is_built_on(tx, disk).await? {
            let message = format!("the next backup of {} is being made from {id}", disk.volume_id);
            return Err(Refusal::BackupInUse.because(message));
        }
    }
    Ok(())
}

/// Whether it is the newest of its disk in its vault while the next one is being made.
async fn is_built_on(tx: &mut Transaction<'_>, backup: &Backup) -> Result<bool> {
    let others = tx.backups().being_made_of(backup.volume_id).await?;
    if !others.iter().any(|other| other.vault_id == backup.vault_id && other.id != backup.id) {
        return Ok(false);
    }
    let newest = tx.backups().newest_available(backup.vault_id, backup.volume_id).await?;
    Ok(newest.is_some_and(|newest| newest.id == backup.id))
}

const fn is_at_rest(status: BackupStatus) -> bool {
    matches!(status, BackupStatus::Available | BackupStatus::Error | BackupStatus::ErrorDeleting)
}
