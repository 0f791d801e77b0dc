//! A backup as each version shows it.

use serde::Serialize;
use serde_json::{Value, json};
use strongroom_model::backup::Backup;
use strongroom_model::volume::Metadata;

use super::call::Call;
use super::links::Link;
use super::microversion::{Feature, Version};
use super::service_metadata;

/// Every field that some version shows; those that a version lacks are absent.
#[derive(Debug, Serialize)]
struct Detail<'a> {
    status: &'static str,
    description: Option<&'a str>,
    links: [Link; 2],
    availability_zone: Option<&'a str>,
    volume_id: String,
    fail_reason: Option<&'a str>,
    id: String,
    size: u32,
    object_count: u64,
    container: Option<&'a str>,
    name: Option<&'a str>,
    created_at: String,
    #[serde(flatten)]
    vendor: Option<Vendor<'a>>,
    #[serde(flatten)]
    owner: Option<Owner<'a>>,
    updated_at: Option<String>,
    data_timestamp: String,
    has_dependent_backups: bool,
    snapshot_id: Option<String>,
    is_incremental: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_key_id: Option<&'a str>,
}

/// What only version 2 shows.
#[derive(Debug, Serialize)]
struct Vendor<'a> {
    #[serde(rename = "os-bak-tenant-attr:tenant_id")]
    tenant_id: &'a str,
    service_metadata: String,
}

/// What only version 3 shows.
#[derive(Debug, Serialize)]
struct Owner<'a> {
    #[serde(rename = "os-backup-project-attr:project_id")]
    project_id: &'a str,
}

/// A backup with all its fields. Who made it is told within its project only.
pub(super) fn detail(call: &Call, backup: &Backup) -> Value {
    let view = detail_of(backup, call.version, call.links.of("backups", backup.id));
    let is_own = call.caller.owns(&backup.project_id);
    json!(Detail { user_id: view.user_id.filter(|_| is_own), ..view })
}

fn detail_of(backup: &Backup, version: Version, links: [Link; 2]) -> Detail<'_> {
    let project_id = backup.project_id.as_str();
    let is_v2 = version == Version::V2;
    Detail {
        status: backup.status.as_str(),
        description: backup.description.as_deref(),
        links,
        availability_zone: backup.availability_zone.as_deref(),
        volume_id: backup.volume_id.to_string(),
        fail_reason: backup.fail_reason.as_deref(),
        id: backup.id.to_string(),
        size: backup.size.0,
        object_count: backup.measured.as_ref().map_or(0, |m| m.object_count),
        container: backup.container.as_deref(),
        name: backup.name.as_deref(),
        created_at: backup.created_at.format_naive(),
        vendor: is_v2.then(|| Vendor {
            tenant_id: project_id,
            service_metadata: service_metadata::text(backup),
        }),
        owner: (!is_v2).then_some(Owner { project_id }),
        updated_at: backup.updated_at.map(|at| at.format_naive()),
        data_timestamp: backup.data_timestamp.format_naive(),
        // Backups share blocks and none depends on another: each can be deleted alone.
        has_dependent_backups: false,
        snapshot_id: backup.snapshot_id.map(|id| id.to_string()),
        is_incremental: backup.is_incremental,
        metadata: shown(version, Feature::BackupMetadata, || &backup.metadata),
        user_id: shown(version, Feature::BackupUser, || backup.user_id.as_str()),
        encryption_key_id: shown(version, Feature::EncryptionKey, || master_key(backup)).flatten(),
    }
}

fn shown<T>(version: Version, feature: Feature, value: impl FnOnce() -> T) -> Option<T> {
    version.has(feature).then(value)
}

/// The key that the backup's bytes are sealed under, once there are any.
fn master_key(backup: &Backup) -> Option<&str> {
    let key = backup.measured.as_ref().map(|m| m.master_key_id.as_str())?;
    (!key.is_empty()).then_some(key)
}

/// A backup as lists and answers to changes show it: exactly three fields.
pub(super) fn summary(call: &Call, backup: &Backup) -> Value {
    json!({
        "id": backup.id.to_string(),
        "links": call.links.of("backups", backup.id),
        "name": backup.name,
    })
}

/// A backup that failed before anything was measured, after the documented example.
#[cfg(test)]
pub(super) fn fixture() -> Backup {
    use strongroom_model::backup::BackupStatus;
    use strongroom_model::id::{BackupId, ProjectId, SnapshotId, UserId, VaultId, VolumeId};
    use strongroom_model::size::GiB;
    use strongroom_model::time::Timestamp;

    let data_id = "58d94782-6509-45ad-9442-970d2a005050";
    let snapshot_id = "665e411f5d87431ca98c199fbd4a64fd";
    let created_at = Timestamp::parse("2013-06-27T08:48:03").unwrap();
    Backup {
        id: BackupId::parse("1d1139d8-8989-49d3-8aa1-83eb691e6db2").unwrap(),
        project_id: ProjectId::parse("b23b579f08c84228b9b4673c46f0c442").unwrap(),
        user_id: UserId::parse("7a1f").unwrap(),
        vault_id: VaultId::parse("11111111-1111-4111-8111-111111111111").unwrap(),
        data_id: BackupId::parse(data_id).unwrap(),
        volume_id: VolumeId::parse("2748f2f2-4394-4e6e-af8d-8dd34496c024").unwrap(),
        snapshot_id: Some(SnapshotId::parse(snapshot_id).unwrap()),
        name: None,
        description: None,
        status: BackupStatus::Error,
        fail_reason: Some("the volume could not be read".to_owned()),
        size: GiB(1),
        container: Some("volumebackups".to_owned()),
        availability_zone: None,
        is_incremental: false,
        is_bootable: false,
        metadata: Metadata::new(),
        volume_metadata: Metadata::new(),
        progress: 0,
        measured: None,
        restore_volume_id: None,
        policy_id: None,
        expires_at: None,
        wants_full: false,
        origin: strongroom_model::backup::Origin::default(),
        created_at,
        updated_at: None,
        data_timestamp: created_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_model::backup::Measured;

    const SHARED: [&str; 18] = [
        "status",
        "description",
        "links",
        "availability_zone",
        "volume_id",
        "fail_reason",
        "id",
        "size",
        "object_count",
        "container",
        "name",
        "created_at",
        "updated_at",
        "data_timestamp",
        "has_dependent_backups",
        "snapshot_id",
        "is_incremental",
        "",
    ];

    fn keys(version: Version) -> Vec<String> {
        let links = ["self", "bookmark"].map(|rel| Link { href: String::new(), rel });
        let backup = Backup {
            measured: Some(Measured { master_key_id: "k".to_owned(), ..Measured::default() }),
            ..fixture()
        };
        let value = json!(detail_of(&backup, version, links));
        value.as_object().unwrap().keys().cloned().collect()
    }

    fn beyond(version: Version) -> Vec<String> {
        let shown = keys(version);
        assert!(SHARED[..17].iter().all(|key| shown.iter().any(|k| k == key)));
        shown.into_iter().filter(|key| !SHARED.contains(&key.as_str())).collect()
    }

    // T-19: no key beyond those of the version; object_count and the flags are never null.
    #[test]
    fn t19_each_version_shows_exactly_its_fields() {
        let owner = "os-backup-project-attr:project_id";
        assert_eq!(beyond(Version::V2), ["os-bak-tenant-attr:tenant_id", "service_metadata"]);
        assert_eq!(beyond(Version::V3(0)), [owner]);
        assert_eq!(beyond(Version::V3(42)), [owner]);
        assert_eq!(beyond(Version::V3(43)), [owner, "metadata"]);
        assert_eq!(beyond(Version::V3(56)), [owner, "metadata", "user_id"]);
        assert_eq!(beyond(Version::V3(71)), [owner, "metadata", "user_id", "encryption_key_id"]);
    }

    // T-18: no zone in a native timestamp. T-19: metadata is an object, the counts are numbers.
    #[test]
    fn t18_t19_types_and_formats() {
        let links = ["self", "bookmark"].map(|rel| Link { href: String::new(), rel });
        let value = json!(detail_of(&fixture(), Version::V3(71), links));
        assert_eq!(value["created_at"], "2013-06-27T08:48:03.000000");
        assert_eq!(value["data_timestamp"], "2013-06-27T08:48:03.000000");
        assert_eq!(value["object_count"], 0);
        assert_eq!(value["metadata"], json!({}));
        assert_eq!(
            (&value["is_incremental"], &value["has_dependent_backups"]),
            (&json!(false), &json!(false))
        );
        assert!(value["updated_at"].is_null() && value["name"].is_null());
        assert!(value.get("encryption_key_id").is_none());
    }
}
