//! Checkpoints: runs over a vault.

use serde_json::{Value, json};
use strongroom_model::checkpoint::SkippedResource;
use strongroom_model::id::VaultId;
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_service::checkpoint::{
    CheckpointResource, CheckpointView, NewCheckpoint, RETENTION_DAYS_MAX,
};

use super::call::{Answer, Call};
use super::fault::Fault;
use super::fields::{Field, Fields, NAME, TEXT, any_text};
use super::provider::provider_id;
use super::{operation_fault, time};
use crate::reply::Reply;

/// The most resources that a request may name.
const RESOURCES_MAX: usize = 256;

/// The most characters of a resource's name.
const RESOURCE_NAME_MAX_CHARS: usize = 255;

/// How long backups are kept that nothing removes.
const FOR_EVER: i64 = -1;

/// `POST /checkpoints`.
pub(super) async fn create(call: &Call) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?.object("checkpoint")?;
    let vault_id = wish.required("vault_id", |it| it.id(VaultId::parse))?;
    let mut new = NewCheckpoint::of(vault_id);
    if let Some(parameters) = wish.optional("parameters", |it| it.object())? {
        read_parameters(&parameters, &mut new)?;
    }
    let view = call.service.create_checkpoint(&call.caller, new).await?;
    Ok(Reply::ok(document(&view)))
}

/// `GET /checkpoints/{checkpoint_id}`.
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let view = call.service.checkpoint(&call.caller, id).await?;
    Ok(Reply::ok(document(&view)))
}

/// `POST /checkpoints/sync`.
pub(super) async fn sync(call: &Call) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?.object("sync")?;
    let vault_id = wish.required("vault_id", |it| it.id(VaultId::parse))?.to_string();
    wish.required("auto_trigger", |it| it.flag())?;
    let operation = call.service.sync_vault(&call.caller, &vault_id).await?;
    let operation = operation.to_string();
    Ok(Reply::ok(json!({"sync": {"vault_id": vault_id, "operation_log_id": operation}})))
}

fn read_parameters(wish: &Fields<'_>, new: &mut NewCheckpoint) -> Result<(), Fault> {
    new.is_automatic = wish.optional("auto_trigger", |it| it.flag())?.unwrap_or(false);
    new.wants_full = !wish.optional("incremental", |it| it.flag())?.unwrap_or(true);
    new.name = wish.optional("name", |it| it.text(NAME))?.map(str::to_owned);
    new.description = wish.optional("description", |it| it.text(TEXT))?.unwrap_or("").to_owned();
    let days = wish.optional("retention_duration_days", retention_days)?;
    new.retention_days = days.flatten();
    let ids = wish.optional("resources", |it| it.each(0..=RESOURCES_MAX, resource_id))?;
    let details = wish.optional("resource_details", |it| it.each(0..=RESOURCES_MAX, detail))?;
    let mut wanted = ids.unwrap_or_default();
    wanted.extend(details.unwrap_or_default());
    // Nothing named is everything, whether the lists are missing or empty.
    new.resources = (!wanted.is_empty()).then_some(wanted);
    Ok(())
}

fn retention_days(field: Field<'_>) -> Result<Option<u32>, Fault> {
    match field.whole(FOR_EVER..=i64::from(RETENTION_DAYS_MAX))? {
        FOR_EVER => Ok(None),
        0 => Err(field.refuse("0 is neither -1 nor a number of days")),
        days => Ok(u32::try_from(days).ok()),
    }
}

fn resource_id(field: Field<'_>) -> Result<ResourceId, Fault> {
    field.id(ResourceId::parse)
}

/// A resource with what is known of it anyway, which is only checked.
fn detail(field: Field<'_>) -> Result<ResourceId, Fault> {
    let wish = field.object()?;
    wish.required("type", |it| it.word(ResourceKind::parse))?;
    wish.optional("name", |it| it.text(any_text(RESOURCE_NAME_MAX_CHARS)))?;
    wish.optional("extra_info", |it| it.object())?;
    wish.required("id", resource_id)
}

fn document(view: &CheckpointView) -> Value {
    let CheckpointView { checkpoint, vault, status, resources } = view;
    json!({"checkpoint": {
        "id": checkpoint.id.to_string(),
        "project_id": checkpoint.project_id.as_str(),
        "status": status.as_str(),
        "created_at": time::write(checkpoint.created_at),
        "vault": {
            "id": vault.id.to_string(),
            "name": vault.name,
            "provider_id": provider_id(vault.terms.object_type),
            "resources": resources.iter().map(resource).collect::<Vec<_>>(),
            "skipped_resources": checkpoint.skipped.iter().map(skipped).collect::<Vec<_>>(),
        },
        "extra_info": {
            "name": checkpoint.name,
            "description": checkpoint.description,
            "retention_duration": checkpoint.retention_days.map_or(FOR_EVER, i64::from),
        },
    }})
}

/// Its figures are texts here, though numbers wherever else a resource is shown.
fn resource(resource: &CheckpointResource) -> Value {
    json!({
        "id": resource.id.to_string(),
        "type": resource.kind.as_str(),
        "name": resource.name,
        "protect_status": resource.status.as_str(),
        "resource_size": resource.size.0.to_string(),
        "backup_size": resource.backup_mib.to_string(),
        "backup_count": resource.backup_count.to_string(),
        "extra_info": null,
    })
}

fn skipped(skipped: &SkippedResource) -> Value {
    json!({
        "id": skipped.id.to_string(),
        "type": skipped.kind.as_str(),
        "name": skipped.name,
        "code": operation_fault::code(skipped.fault, Some(skipped.kind)).text(),
        "reason": skipped.message,
    })
}
