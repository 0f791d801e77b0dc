//! Adopting an imported record: available only once its bytes were found.

use strongroom_engine::{BackupEntry, Repository};
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, VaultId};
use strongroom_model::job::Claim;
use strongroom_model::time::Timestamp;
use strongroom_model::vault::Vault;
use tokio_util::sync::CancellationToken;

use super::backup::{blocking, measured};
use super::failure::{Failure, Work};
use crate::Service;

impl Service {
    /// Looks for the record's bytes in the vaults of the store, and takes the facts from there.
    pub(super) async fn adopt_backup(
        &self,
        claim: &Claim,
        id: BackupId,
        stop: &CancellationToken,
    ) -> Work<()> {
        let backup = self.backup_row(id).await?;
        let Some(backup) = backup.filter(|backup| backup.status == BackupStatus::Creating) else {
            return self
                .catalog()
                .transact(|tx| Box::pin(async move { self.finish(tx, claim).await }))
                .await;
        };
        let (repository, info) = self.find_bytes(&backup).await?;
        self.check_readable(claim, &repository, &backup, stop).await?;
        let vault_id = repository.vault();
        let measured = measured(&info.stats, None, self.vaults().master_key_id());
        let (info, measured) = (&info, &measured);
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let backup = tx.backups().find_any(id).await?;
                    let wanted = backup.filter(|backup| backup.status == BackupStatus::Creating);
                    let Some(mut backup) = wanted else {
                        return self.finish(tx, claim).await;
                    };
                    if tx.vaults().find_any(vault_id).await?.is_none() {
                        let found =
                            Vault::default_of(vault_id, backup.project_id.clone(), self.now());
                        let name = format!("adopted-{vault_id}");
                        let vault = Vault { name, is_default: false, ..found };
                        tx.vaults().insert(&vault).await?;
                    }
                    complete(&mut backup, info, vault_id);
                    backup.measured = Some(measured.clone());
                    self.write_backup(tx, &mut backup).await?;
                    self.finish(tx, claim).await
                })
            })
            .await
    }

    /// The vault that holds the record's bytes. Bytes of another project are not found, so that a
    /// forged record opens nobody's data.
    async fn find_bytes(&self, backup: &Backup) -> Work<(Repository, BackupEntry)> {
        let vaults = self.vaults().clone();
        let (data_id, home) = (backup.data_id, backup.vault_id);
        let project = backup.project_id.as_str().to_owned();
        let found = blocking(move || {
            let mut candidates = vaults.stored()?;
            candidates.sort_by_key(|vault| *vault != home);
            let mut unreadable = None;
            for vault in candidates {
                // A vault that another key opens, or that is damaged, is not the end of the search.
                let found = vaults.repository(vault).and_then(|repository| {
                    let info = strongroom_engine::find(&repository, data_id)?;
                    Ok(info.map(|info| (repository, info)))
                });
                match found {
                    Ok(Some((repository, info))) => {
                        let owner = info.meta.get("project_id").and_then(|id| id.as_str());
                        if owner.is_none() || owner == Some(&project) {
                            return Ok(Some((repository, info)));
                        }
                    }
                    Ok(None) => {}
                    Err(error) => unreadable = unreadable.or(Some(error)),
                }
            }
            unreadable.map_or(Ok(None), Err)
        })
        .await?;
        let (repository, info) = found
            .ok_or_else(|| Failure::Permanent(format!("the store holds no backup {data_id}")))?;
        if info.size_bytes > backup.size.bytes() {
            let (stored, told) = (info.size_bytes, backup.size.0);
            let reason =
                format!("the stored backup holds {stored} bytes, the record says {told} GiB");
            return Err(Failure::Permanent(reason));
        }
        Ok((repository, info))
    }
}

/// Facts that the store knows better than the record.
fn complete(backup: &mut Backup, info: &BackupEntry, vault_id: VaultId) {
    let text = |key: &str| info.meta.get(key).and_then(|value| value.as_str());
    backup.vault_id = vault_id;
    backup.status = BackupStatus::Available;
    backup.progress = 100;
    if let Some(instant) = text("data_timestamp").and_then(Timestamp::parse) {
        backup.data_timestamp = instant;
    }
    if let Some(is_bootable) = info.meta.get("is_bootable").and_then(serde_json::Value::as_bool) {
        backup.is_bootable = is_bootable;
    }
    if let Some(metadata) = info.meta.get("volume_metadata")
        && let Ok(metadata) = serde_json::from_value(metadata.clone())
    {
        backup.volume_metadata = metadata;
    }
}
