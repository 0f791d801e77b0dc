//! Which resources of vaults have backups that may be due for removal.

use sqlx::any::AnyRow;
use strongroom_model::id::{ServerId, VaultId, VolumeId};
use strongroom_model::time::Timestamp;

use crate::backup::{self, Backups};
use crate::error::Result;
use crate::server_backup::{self, ServerBackups};
use crate::sql::Value;

/// A backup of a disk that is not one of a server's, nor made by a policy that the disk is bound to
/// alone.
macro_rules! of_vault {
    () => {
        "server_backup_id IS NULL AND (checkpoint_id IS NOT NULL OR policy_id IS NULL)"
    };
}

const DISKS_TO_EXPIRE: &str = concat!(
    "SELECT vault_id, volume_id FROM backup WHERE expires_at <= $1 AND ",
    of_vault!(),
    " UNION SELECT vault_id, volume_id FROM backup WHERE status = 'error_deleting' \
     AND policy_id IS NOT NULL"
);

const SERVERS_TO_EXPIRE: &str = "SELECT vault_id, server_id FROM server_backup \
                                 WHERE expires_at <= $1";

const DISKS_AUTOMATIC: &str = "SELECT DISTINCT volume_id FROM backup WHERE vault_id = $1 \
                               AND is_automatic = 1 AND checkpoint_id IS NOT NULL \
                               AND server_backup_id IS NULL";

const SERVERS_AUTOMATIC: &str = "SELECT DISTINCT server_id FROM server_backup \
                                 WHERE vault_id = $1 AND is_automatic = 1";

impl Backups<'_> {
    /// The vaults and disks of backups whose date is at an instant or before it, but for those that
    /// a policy made of a disk which is bound to it alone; and of all that a policy made and whose
    /// removal failed. Each pair once.
    pub async fn to_expire_in_vaults(
        &mut self,
        now: Timestamp,
    ) -> Result<Vec<(VaultId, VolumeId)>> {
        let rows = self.0.rows(backup::TABLE.what, DISKS_TO_EXPIRE, vec![now.into()]).await?;
        let pair = |row: &AnyRow| {
            let fields = backup::TABLE.fields(row);
            Ok((fields.id("vault_id", VaultId::parse)?, fields.id("volume_id", VolumeId::parse)?))
        };
        rows.iter().map(pair).collect()
    }

    /// The disks of which runs over a vault made automatic backups.
    pub async fn automatic_in(&mut self, vault_id: VaultId) -> Result<Vec<VolumeId>> {
        let values = vec![Value::text(vault_id)];
        let rows = self.0.rows(backup::TABLE.what, DISKS_AUTOMATIC, values).await?;
        let volume = |row| backup::TABLE.fields(row).id("volume_id", VolumeId::parse);
        rows.iter().map(volume).collect()
    }

    /// The backups of a disk in a vault, oldest first, but for those of servers and those that a
    /// policy made of a disk which is bound to it alone.
    pub async fn of_disk_in(
        &mut self,
        vault_id: VaultId,
        volume_id: VolumeId,
    ) -> Result<Vec<strongroom_model::backup::Backup>> {
        let tail = concat!(
            "WHERE vault_id = $1 AND volume_id = $2 AND ",
            of_vault!(),
            " ORDER BY created_at, id"
        );
        let values = vec![Value::text(vault_id), Value::text(volume_id)];
        backup::TABLE.list(self.0, tail, values, backup::decode).await
    }
}

impl ServerBackups<'_> {
    /// The vaults and servers of backups whose date is at an instant or before it, once for each.
    pub async fn to_expire(&mut self, now: Timestamp) -> Result<Vec<(VaultId, ServerId)>> {
        let values = vec![now.into()];
        let rows = self.0.rows(server_backup::TABLE.what, SERVERS_TO_EXPIRE, values).await?;
        let pair = |row: &AnyRow| {
            let fields = server_backup::TABLE.fields(row);
            Ok((fields.id("vault_id", VaultId::parse)?, fields.id("server_id", ServerId::parse)?))
        };
        rows.iter().map(pair).collect()
    }

    /// The servers of which a vault has automatic backups.
    pub async fn automatic_in(&mut self, vault_id: VaultId) -> Result<Vec<ServerId>> {
        let values = vec![Value::text(vault_id)];
        let rows = self.0.rows(server_backup::TABLE.what, SERVERS_AUTOMATIC, values).await?;
        let server = |row| server_backup::TABLE.fields(row).id("server_id", ServerId::parse);
        rows.iter().map(server).collect()
    }
}

/// The statements that must be read from an index, and the index.
#[cfg(test)]
pub(crate) fn indexed() -> Vec<(String, &'static str)> {
    vec![
        (DISKS_TO_EXPIRE.to_owned(), "backup_expiry"),
        (DISKS_TO_EXPIRE.to_owned(), "backup_undeleted"),
        (SERVERS_TO_EXPIRE.to_owned(), "server_backup_expiry"),
    ]
}
