//! A server's disks: Cinder's document of a volume, with the vendor's keys.

use serde_json::{Map, Value, json};
use strongroom_model::volume::Volume;

use super::{Attachment, Place};

/// The name of the only volume type, as Cinder names its own default.
pub const VOLUME_TYPE: &str = "__DEFAULT__";

/// The one host that keeps volumes, as Cinder names one: host, back end and pool.
pub const VOLUME_HOST: &str = "strongroom@folder#folder";

/// The version in the addresses of volumes.
const VERSION: &str = "v3";

/// A volume with all its fields, not wrapped. The status is the one that it returns to when the
/// job that owns it ends: a backup would else always show itself.
pub fn volume_document(
    volume: &Volume,
    attachment: Option<&Attachment>,
    place: &Place<'_>,
) -> Value {
    let mut document = Map::new();
    for part in [own(volume, attachment, place), vendors(), companions()] {
        if let Value::Object(part) = part {
            document.extend(part);
        }
    }
    Value::Object(document)
}

/// A volume's being the disk of a server, as Cinder lists it.
pub fn attachment_document(attachment: &Attachment) -> Value {
    json!({
        "attached_at": attachment.attached_at.format_naive(),
        "attachment_id": attachment.id,
        "device": attachment.device,
        "host_name": null,
        "id": attachment.volume_id.to_string(),
        "server_id": attachment.server_id.to_string(),
        "volume_id": attachment.volume_id.to_string(),
    })
}

fn own(volume: &Volume, attachment: Option<&Attachment>, place: &Place<'_>) -> Value {
    let path = format!("{}/volumes/{}", volume.project_id, volume.id);
    let at_rest = volume.previous_status.filter(|_| volume.status.is_busy());
    let attachments: Vec<Value> = attachment.into_iter().map(attachment_document).collect();
    json!({
        "attachments": attachments,
        "availability_zone": volume.availability_zone,
        "backup_id": volume.backup_id.map(|id| id.to_string()),
        "bootable": volume.is_bootable.to_string(),
        "created_at": volume.created_at.format_naive(),
        "description": volume.description.as_deref().unwrap_or_default(),
        "encrypted": false,
        "id": volume.id.to_string(),
        "links": Place::links(place.volume, VERSION, &path),
        "metadata": volume.metadata,
        "multiattach": false,
        "name": volume.name.as_deref().unwrap_or_default(),
        "os-vol-host-attr:host": VOLUME_HOST,
        "os-vol-tenant-attr:tenant_id": volume.project_id.as_str(),
        "size": volume.size.0,
        "snapshot_id": volume.snapshot_id.map(|id| id.to_string()),
        "source_volid": volume.source_volume_id.map(|id| id.to_string()),
        "status": at_rest.unwrap_or(volume.status).as_str(),
        "updated_at": volume.updated_at.map(|at| at.format_naive()),
        "user_id": volume.user_id.as_str(),
        "volume_type": VOLUME_TYPE,
    })
}

/// What the vendor's clouds add, empty.
fn vendors() -> Value {
    json!({
        "dedicated_storage_id": null,
        "dedicated_storage_name": null,
        "enterprise_project_id": "0",
        "lifecycle": 0,
        "plan_delete_at": null,
        "pre_deleted_at": null,
        "provider_location": "",
        "restored_from_recycle_bin_at": null,
        "service_type": "EVS",
        "shareable": false,
        "storage_cluster_id": "0",
        "sys_tags": {"_sys_enterprise_project_id": "0"},
        "tags": {},
    })
}

/// What Cinder's other features would fill.
fn companions() -> Value {
    json!({
        "consistencygroup_id": null,
        "migration_status": null,
        "os-vol-mig-status-attr:migstat": null,
        "os-vol-mig-status-attr:name_id": null,
        "os-volume-replication:extended_status": null,
        "replication_status": "disabled",
        "volume_image_metadata": {},
        "volume_qos_specs": null,
    })
}
