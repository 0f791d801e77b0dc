//! Backups: records of saved points of volumes.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::any::AnyRow;
use strongroom_model::backup::{Backup, BackupStatus, Origin};
use strongroom_model::id::{
    BackupId, CheckpointId, PolicyId, ProjectId, SnapshotId, UserId, VaultId, VolumeId,
};
use strongroom_model::job::Claim;
use strongroom_model::page::{Page, SortBy, Start};
use strongroom_model::size::GiB;
use strongroom_model::time::Timestamp;

use crate::error::{Error, Result};
use crate::page::{Conditions, Listing, SortColumn, fold, order};
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

pub(crate) const TABLE: Table = Table {
    name: "backup",
    what: "backup",
    columns: &[
        "id",
        "project_id",
        "user_id",
        "vault_id",
        "data_id",
        "volume_id",
        "snapshot_id",
        "name",
        "name_folded",
        "description",
        "status",
        "fail_reason",
        "size",
        "container",
        "availability_zone",
        "is_incremental",
        "is_bootable",
        "metadata",
        "volume_metadata",
        "progress",
        "measured",
        "object_count",
        "restore_volume_id",
        "created_at",
        "updated_at",
        "data_timestamp",
        "policy_id",
        "expires_at",
        "wants_full",
        "checkpoint_id",
        "server_backup_id",
        "is_automatic",
        "is_replica",
        "volume_name",
        "stored_bytes",
    ],
};

/// What [`Backups::being_made_of`] reads. The status stands in the text, since a planner takes a
/// partial index only if it sees that the index has every row.
const BEING_MADE: &str = "WHERE volume_id = $1 AND status = 'creating' AND snapshot_id IS NULL \
                          AND data_id = id ORDER BY created_at, id";

/// What [`Backups::to_expire`] reads.
const TO_EXPIRE: &str = "SELECT policy_id, volume_id FROM backup \
                         WHERE expires_at <= $1 AND policy_id IS NOT NULL \
                         AND checkpoint_id IS NULL \
                         UNION SELECT policy_id, volume_id FROM backup \
                         WHERE status = 'error_deleting' AND policy_id IS NOT NULL \
                         AND checkpoint_id IS NULL";

/// A condition on backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupFilter {
    /// The name is this; the empty one also stands for none.
    Name(String),
    /// The name contains this, in any case.
    NameLike(String),
    /// The status is this word; an unknown word matches nothing.
    Status(String),
    /// The status contains this, in any case.
    StatusLike(String),
    /// The volume's id is this text.
    VolumeId(String),
    /// The volume's id contains this, in any case.
    VolumeIdLike(String),
    /// The snapshot's id is this text; the empty one stands for none.
    SnapshotId(String),
    /// It lies in this zone; the empty one stands for none.
    AvailabilityZone(String),
    /// Whether it is incremental.
    IsIncremental(bool),
    /// The metadata has this key with this value.
    Metadata(String, String),
    /// It belongs to this project.
    Project(ProjectId),
    /// It is one of these, of which there may be some thousands.
    Ids(Vec<BackupId>),
}

/// What backups can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BackupKey {
    /// The id, by its letters.
    Id,
    /// The status word.
    Status,
    /// The size of the volume.
    Size,
    /// When it was asked for.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
    /// The volume's id.
    VolumeId,
    /// The zone.
    AvailabilityZone,
    /// The container that the caller named.
    Container,
    /// Objects that it added to the store.
    ObjectCount,
    /// The instant whose bytes it holds.
    DataTimestamp,
    /// The snapshot's id.
    SnapshotId,
    /// Why it failed.
    FailReason,
    /// The name, by its bytes.
    Name,
    /// The description, by its bytes.
    Description,
    /// The same for all: no key at all, except that it may give the direction.
    Constant,
}

impl BackupKey {
    /// Every key.
    pub const ALL: [Self; 15] = [
        Self::Id,
        Self::Status,
        Self::Size,
        Self::CreatedAt,
        Self::UpdatedAt,
        Self::VolumeId,
        Self::AvailabilityZone,
        Self::Container,
        Self::ObjectCount,
        Self::DataTimestamp,
        Self::SnapshotId,
        Self::FailReason,
        Self::Name,
        Self::Description,
        Self::Constant,
    ];

    const fn column(self) -> Option<SortColumn> {
        Some(match self {
            Self::Id => SortColumn::Text("id"),
            Self::Status => SortColumn::Text("status"),
            Self::Size => SortColumn::Int("size"),
            Self::CreatedAt => SortColumn::Int("created_at"),
            Self::UpdatedAt => SortColumn::Int("COALESCE(updated_at, 0)"),
            Self::VolumeId => SortColumn::Text("volume_id"),
            Self::AvailabilityZone => SortColumn::Text("COALESCE(availability_zone, '')"),
            Self::Container => SortColumn::Text("COALESCE(container, '')"),
            Self::ObjectCount => SortColumn::Int("COALESCE(object_count, 0)"),
            Self::DataTimestamp => SortColumn::Int("data_timestamp"),
            Self::SnapshotId => SortColumn::Text("COALESCE(snapshot_id, '')"),
            Self::FailReason => SortColumn::Text("COALESCE(fail_reason, '')"),
            Self::Name => SortColumn::Text("COALESCE(name, '')"),
            Self::Description => SortColumn::Text("COALESCE(description, '')"),
            Self::Constant => return None,
        })
    }
}

/// Which backups to list, and how.
#[derive(Debug, Clone, Default)]
pub struct BackupQuery {
    /// The project; all if none.
    pub project: Option<ProjectId>,
    /// Conditions that all hold.
    pub filters: Vec<BackupFilter>,
    /// The order; time of creation and id follow in the direction of the first key, and by
    /// themselves in descending order if there is none.
    pub sort: Vec<SortBy<BackupKey>>,
    /// Where the page starts.
    pub start: Start<BackupId>,
    /// Items at most.
    pub limit: u32,
    /// Whether to count the whole list; costs a walk over it.
    pub with_total: bool,
}

/// Reads and writes backups.
#[derive(Debug)]
pub struct Backups<'t>(pub(crate) &'t mut Session);

impl Backups<'_> {
    /// Adds a backup; [`Error::Conflict`] if its id is taken, [`Error::Reference`] if its vault
    /// does not exist.
    pub async fn insert(&mut self, backup: &Backup) -> Result<()> {
        TABLE.insert(self.0, values(backup)?).await
    }

    /// The backup of that id, if it is the project's.
    pub async fn find(&mut self, project: &ProjectId, id: BackupId) -> Result<Option<Backup>> {
        let tail = "WHERE id = $1 AND project_id = $2";
        let values = vec![Value::text(id), Value::text(project)];
        TABLE.find(self.0, tail, values, decode).await
    }

    /// The backup of that id, whoever owns it.
    pub async fn find_any(&mut self, id: BackupId) -> Result<Option<Backup>> {
        let values = vec![Value::text(id)];
        TABLE.find(self.0, "WHERE id = $1", values, decode).await
    }

    /// Writes the backup over the one of its id; tells whether there was one.
    pub async fn update(&mut self, backup: &Backup) -> Result<bool> {
        TABLE.update(self.0, values(backup)?).await
    }

    /// Notes how much of the source has been read, if the backup exists and, where a claim is
    /// given, that claim still holds its job; tells whether it did.
    pub async fn set_progress(
        &mut self,
        id: BackupId,
        percent: u8,
        fence: Option<&Claim>,
    ) -> Result<bool> {
        let mut sql = "UPDATE backup SET progress = $2 WHERE id = $1".to_owned();
        let mut values = vec![Value::text(id), Value::int(percent)];
        if let Some(claim) = fence {
            sql.push_str(
                " AND EXISTS (SELECT 1 FROM job WHERE job.id = $3 AND job.attempt = $4 \
                 AND job.worker = $5 AND job.state = 'running')",
            );
            values.extend(crate::job::fence_values(claim));
        }
        Ok(self.0.execute(TABLE.what, sql, values).await? > 0)
    }

    /// Removes a backup's record; tells whether there was one.
    pub async fn delete(&mut self, id: BackupId) -> Result<bool> {
        TABLE.delete(self.0, Value::text(id)).await
    }

    /// One page of a list; [`Error::MarkerNotFound`] if it should start after a backup that does
    /// not exist or is another project's.
    pub async fn list(&mut self, query: &BackupQuery) -> Result<Page<Backup>> {
        let mut conditions = Conditions::default();
        for filter in &query.filters {
            apply(&mut conditions, filter);
        }
        let listing = Listing {
            table: TABLE,
            project: query.project.clone(),
            conditions,
            order: order(&query.sort, BackupKey::column),
            start: match query.start {
                Start::Offset(offset) => Start::Offset(offset),
                Start::After(id) => Start::After(id.to_string()),
            },
            limit: query.limit,
            with_total: query.with_total,
        };
        listing.load(self.0, decode).await
    }

    /// The newest backup of a volume in a vault that can be built on. One in another vault cannot:
    /// vaults share nothing.
    pub async fn newest_available(
        &mut self,
        vault_id: VaultId,
        volume_id: VolumeId,
    ) -> Result<Option<Backup>> {
        let tail = "WHERE vault_id = $1 AND volume_id = $2 AND status = $3 \
                    ORDER BY data_timestamp DESC, created_at DESC, id DESC LIMIT 1";
        let values = vec![
            Value::text(vault_id),
            Value::text(volume_id),
            Value::text(BackupStatus::Available.as_str()),
        ];
        TABLE.find(self.0, tail, values, decode).await
    }

    /// The backups of a volume in a vault, newest first; with those that belong to servers'.
    pub async fn of_volume_in(
        &mut self,
        vault_id: VaultId,
        volume_id: VolumeId,
    ) -> Result<Vec<Backup>> {
        let tail = "WHERE vault_id = $1 AND volume_id = $2 ORDER BY created_at DESC, id DESC";
        let values = vec![Value::text(vault_id), Value::text(volume_id)];
        TABLE.list(self.0, tail, values, decode).await
    }

    /// The backups in the store that available records of a vault stand for; one that is being
    /// read back counts.
    pub async fn data_ids(&mut self, vault_id: VaultId) -> Result<Vec<BackupId>> {
        let tail = "WHERE vault_id = $1 AND status IN ($2, $3) ORDER BY data_id";
        let statuses = [BackupStatus::Available, BackupStatus::Restoring];
        let values = std::iter::once(Value::text(vault_id))
            .chain(statuses.map(|status| Value::text(status.as_str())))
            .collect();
        let backups = TABLE.list(self.0, tail, values, decode).await?;
        let mut ids: Vec<_> = backups.into_iter().map(|backup| backup.data_id).collect();
        ids.dedup();
        Ok(ids)
    }

    /// Whether a vault ever held the bytes of a backup that is still listed.
    pub async fn has_bytes(&mut self, vault_id: VaultId) -> Result<bool> {
        let tail = "WHERE vault_id = $1 AND measured IS NOT NULL LIMIT 1";
        let found = TABLE.find(self.0, tail, vec![Value::text(vault_id)], decode).await?;
        Ok(found.is_some())
    }

    /// How many records but `except` need the bytes of a backup in the store: those that hold them,
    /// or may come to hold them, and are not being deleted.
    pub async fn count_other_users(
        &mut self,
        data_id: BackupId,
        except: BackupId,
    ) -> Result<usize> {
        let tail = "WHERE data_id = $1 AND id <> $2 AND status <> $3 \
                    AND (measured IS NOT NULL OR status = $4)";
        let values = vec![
            Value::text(data_id),
            Value::text(except),
            Value::text(BackupStatus::Deleting.as_str()),
            Value::text(BackupStatus::Creating.as_str()),
        ];
        Ok(TABLE.list(self.0, tail, values, decode).await?.len())
    }

    /// Whether a record of a backup in the store is being deleted.
    pub async fn is_being_deleted(&mut self, data_id: BackupId) -> Result<bool> {
        let tail = "WHERE data_id = $1 AND status = $2 LIMIT 1";
        let deleting = Value::text(BackupStatus::Deleting.as_str());
        let found = TABLE.find(self.0, tail, vec![Value::text(data_id), deleting], decode).await?;
        Ok(found.is_some())
    }

    /// The backups that a policy made of a volume which was bound to it alone, not with a vault;
    /// oldest first.
    pub async fn of_policy(
        &mut self,
        policy_id: PolicyId,
        volume_id: VolumeId,
    ) -> Result<Vec<Backup>> {
        let tail = "WHERE policy_id = $1 AND volume_id = $2 AND checkpoint_id IS NULL \
                    ORDER BY created_at, id";
        let values = vec![Value::text(policy_id), Value::text(volume_id)];
        TABLE.list(self.0, tail, values, decode).await
    }

    /// The policies and disks, bound alone, of automatic backups whose date is at an instant or before it, or
    /// whose removal failed; each pair once.
    pub async fn to_expire(&mut self, now: Timestamp) -> Result<Vec<(PolicyId, VolumeId)>> {
        let rows = self.0.rows(TABLE.what, TO_EXPIRE, vec![now.into()]).await?;
        let pair = |row: &AnyRow| {
            let fields = TABLE.fields(row);
            Ok((fields.id("policy_id", PolicyId::parse)?, fields.id("volume_id", VolumeId::parse)?))
        };
        rows.iter().map(pair).collect()
    }

    /// The backups of the disks of a server's backup, in the order in which they were begun.
    pub async fn of_server_backup(&mut self, id: BackupId) -> Result<Vec<Backup>> {
        let tail = "WHERE server_backup_id = $1 ORDER BY created_at, id";
        TABLE.list(self.0, tail, vec![Value::text(id)], decode).await
    }

    /// The backups of disks of a checkpoint, oldest first; with those that belong to servers'.
    pub async fn of_checkpoint(&mut self, id: CheckpointId) -> Result<Vec<Backup>> {
        let tail = "WHERE checkpoint_id = $1 ORDER BY created_at, id";
        TABLE.list(self.0, tail, vec![Value::text(id)], decode).await
    }

    /// The backups of disks in a vault, newest first; with those that belong to servers'.
    pub async fn of_vault(&mut self, vault_id: VaultId) -> Result<Vec<Backup>> {
        let tail = "WHERE vault_id = $1 ORDER BY created_at DESC, id DESC";
        TABLE.list(self.0, tail, vec![Value::text(vault_id)], decode).await
    }

    /// Some backups of disks by themselves in a vault that are not being removed yet, `limit` at
    /// most; of one volume if it is named.
    pub async fn to_remove_from(
        &mut self,
        vault_id: VaultId,
        volume_id: Option<VolumeId>,
        limit: u32,
    ) -> Result<Vec<Backup>> {
        let mut values = vec![Value::text(vault_id), Value::text(BackupStatus::Deleting.as_str())];
        let of_volume = match volume_id {
            Some(id) => {
                values.push(Value::text(id));
                "AND volume_id = $3"
            }
            None => "",
        };
        let tail = format!(
            "WHERE vault_id = $1 AND server_backup_id IS NULL AND status <> $2 {of_volume} \
             ORDER BY created_at, id LIMIT {limit}"
        );
        TABLE.list(self.0, &tail, values, decode).await
    }

    /// Whether a vault has a backup of a disk by itself; of one volume.
    pub async fn is_any_in(&mut self, vault_id: VaultId, volume_id: VolumeId) -> Result<bool> {
        let tail = "WHERE vault_id = $1 AND server_backup_id IS NULL AND volume_id = $2 LIMIT 1";
        let values = vec![Value::text(vault_id), Value::text(volume_id)];
        Ok(TABLE.find(self.0, tail, values, decode).await?.is_some())
    }

    /// The backups that are being made of a live volume, not of a snapshot.
    pub async fn being_made_of(&mut self, volume_id: VolumeId) -> Result<Vec<Backup>> {
        TABLE.list(self.0, BEING_MADE, vec![Value::text(volume_id)], decode).await
    }
}

/// The statements that must be read from an index, and the index.
#[cfg(test)]
pub(crate) fn indexed() -> Vec<(String, &'static str)> {
    vec![
        (TABLE.select(BEING_MADE), "backup_being_made"),
        (TO_EXPIRE.to_owned(), "backup_expiry"),
        (TO_EXPIRE.to_owned(), "backup_undeleted"),
    ]
}

/// Backups by id, of which there may be some thousands; those that do not exist are left out.
pub(crate) async fn by_ids(
    session: &mut Session,
    ids: impl Iterator<Item = BackupId>,
) -> Result<BTreeMap<BackupId, Backup>> {
    let mut conditions = Conditions::default();
    let ids: BTreeSet<_> = ids.collect();
    conditions.is_one_of("id", ids.iter().map(Value::text));
    let tail = conditions.where_clause();
    let found = TABLE.list(session, &tail, conditions.values(), decode).await?;
    Ok(found.into_iter().map(|backup| (backup.id, backup)).collect())
}

fn apply(conditions: &mut Conditions, filter: &BackupFilter) {
    match filter {
        BackupFilter::Name(name) => conditions.equals("COALESCE(name, '')", Value::text(name)),
        BackupFilter::NameLike(part) => conditions.contains("name_folded", part),
        BackupFilter::Status(word) => conditions.equals("status", Value::text(word)),
        BackupFilter::StatusLike(part) => conditions.contains("status", part),
        BackupFilter::VolumeId(id) => conditions.equals("volume_id", Value::text(id)),
        BackupFilter::VolumeIdLike(part) => conditions.contains("volume_id", part),
        BackupFilter::SnapshotId(id) => {
            conditions.equals("COALESCE(snapshot_id, '')", Value::text(id));
        }
        BackupFilter::AvailabilityZone(zone) => {
            conditions.equals("COALESCE(availability_zone, '')", Value::text(zone));
        }
        BackupFilter::IsIncremental(flag) => {
            conditions.equals("is_incremental", Value::int(*flag));
        }
        BackupFilter::Metadata(key, value) => conditions.has_pair("metadata", key, value),
        BackupFilter::Project(id) => conditions.equals("project_id", Value::text(id)),
        BackupFilter::Ids(ids) => conditions.is_one_of("id", ids.iter().map(Value::text)),
    }
}

fn values(backup: &Backup) -> Result<Vec<Value>> {
    let name = backup.name.as_deref();
    let measured = backup.measured.as_ref();
    let object_count = measured.map(|measured| i64::try_from(measured.object_count));
    let object_count =
        object_count.transpose().map_err(|_| Error::TooLarge { what: "number of objects" })?;
    let stored_bytes = measured.map(|measured| i64::try_from(measured.stored_bytes));
    let stored_bytes =
        stored_bytes.transpose().map_err(|_| Error::TooLarge { what: "number of bytes" })?;
    Ok(vec![
        Value::text(backup.id),
        Value::text(&backup.project_id),
        Value::text(&backup.user_id),
        Value::text(backup.vault_id),
        Value::text(backup.data_id),
        Value::text(backup.volume_id),
        Value::opt_text(backup.snapshot_id),
        Value::opt_text(name),
        Value::text(fold(name.unwrap_or_default())),
        Value::opt_text(backup.description.as_ref()),
        Value::text(backup.status.as_str()),
        Value::opt_text(backup.fail_reason.as_ref()),
        Value::int(backup.size.0),
        Value::opt_text(backup.container.as_ref()),
        Value::opt_text(backup.availability_zone.as_ref()),
        Value::int(backup.is_incremental),
        Value::int(backup.is_bootable),
        Value::json(&backup.metadata),
        Value::json(&backup.volume_metadata),
        Value::int(backup.progress),
        measured.map_or(Value::Text(None), Value::json),
        Value::Int(object_count),
        Value::opt_text(backup.restore_volume_id),
        backup.created_at.into(),
        backup.updated_at.into(),
        backup.data_timestamp.into(),
        Value::opt_text(backup.policy_id),
        backup.expires_at.into(),
        Value::int(backup.wants_full),
        Value::opt_text(backup.origin.checkpoint_id),
        Value::opt_text(backup.origin.server_backup_id),
        Value::int(backup.origin.is_automatic),
        Value::int(backup.origin.is_replica),
        Value::opt_text(backup.origin.volume_name.as_ref()),
        Value::Int(stored_bytes),
    ])
}

pub(crate) fn decode(row: &Fields<'_>) -> Result<Backup> {
    Ok(Backup {
        id: row.id("id", BackupId::parse)?,
        project_id: row.id("project_id", ProjectId::parse)?,
        user_id: row.id("user_id", UserId::parse)?,
        vault_id: row.id("vault_id", VaultId::parse)?,
        data_id: row.id("data_id", BackupId::parse)?,
        volume_id: row.id("volume_id", VolumeId::parse)?,
        snapshot_id: row.opt_id("snapshot_id", SnapshotId::parse)?,
        name: row.opt_text("name")?,
        description: row.opt_text("description")?,
        status: row.parsed("status", BackupStatus::parse)?,
        fail_reason: row.opt_text("fail_reason")?,
        size: GiB(row.narrow("size")?),
        container: row.opt_text("container")?,
        availability_zone: row.opt_text("availability_zone")?,
        is_incremental: row.flag("is_incremental")?,
        is_bootable: row.flag("is_bootable")?,
        metadata: row.json("metadata")?,
        volume_metadata: row.json("volume_metadata")?,
        progress: row.narrow("progress")?,
        measured: row.opt_json("measured")?,
        restore_volume_id: row.opt_id("restore_volume_id", VolumeId::parse)?,
        policy_id: row.opt_id("policy_id", PolicyId::parse)?,
        expires_at: row.opt_instant("expires_at")?,
        wants_full: row.flag("wants_full")?,
        origin: Origin {
            checkpoint_id: row.opt_id("checkpoint_id", CheckpointId::parse)?,
            server_backup_id: row.opt_id("server_backup_id", BackupId::parse)?,
            is_automatic: row.flag("is_automatic")?,
            is_replica: row.flag("is_replica")?,
            volume_name: row.opt_text("volume_name")?,
        },
        created_at: row.instant("created_at")?,
        updated_at: row.opt_instant("updated_at")?,
        data_timestamp: row.instant("data_timestamp")?,
    })
}
