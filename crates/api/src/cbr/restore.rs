//! Restoring a backup.

use serde_json::json;
use strongroom_model::id::{BackupId, ServerId, VolumeId};
use strongroom_model::resource::ResourceId;
use strongroom_service::recovery::{DiskMapping, RecoveryRequest};

use super::call::{Answer, Call};
use super::fault::Fault;
use super::fields::{Field, Fields};
use crate::reply::Reply;

/// The most disks that a request may map.
const MAPPINGS_MAX: usize = 256;

/// `POST /backups/{backup_id}/restore`.
pub(super) async fn restore(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?.object("restore")?;
    let request = RecoveryRequest {
        server_id: wish.optional("server_id", |it| it.id(ServerId::parse))?,
        volume_id: wish.optional("volume_id", |it| it.id(VolumeId::parse))?,
        resource_id: wish.optional("resource_id", |it| it.id(ResourceId::parse))?,
        mappings: wish
            .optional("mappings", |it| it.each(0..=MAPPINGS_MAX, mapping))?
            .unwrap_or_default(),
        power_on: wish.optional("power_on", |it| it.flag())?.unwrap_or(true),
    };
    let operation = call.service.recover(&call.caller, id, request).await?;
    Ok(Reply::accepted(json!({"job_id": operation.to_string()})))
}

fn mapping(field: Field<'_>) -> Result<DiskMapping, Fault> {
    let wish = field.object()?;
    Ok(DiskMapping {
        backup_id: wish.required("backup_id", |it| it.id(BackupId::parse))?,
        volume_id: wish.required("volume_id", |it| it.id(VolumeId::parse))?,
    })
}
