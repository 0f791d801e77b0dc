//! What was done, and how it ended.

use serde_json::{Map, Value, json};
use strongroom_model::id::{OperationId, VaultId};
use strongroom_model::operation::{Operation, OperationKind, OperationStatus, ReplicationEnds};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_service::operation_log::{OperationFilter, OperationListing};
use strongroom_service::saved::VaultChoice;

use super::backup_view::app_consistency;
use super::backups::enterprise_project;
use super::call::{Answer, Call};
use super::fault::Fault;
use super::provider::{object_type, object_type_of, provider_id};
use super::query::Query;
use super::{operation_fault, paging, time};
use crate::reply::Reply;

/// `GET /operation-logs`.
pub(super) async fn list(call: &Call) -> Answer {
    let page = paging::read(&call.query, OperationId::parse)?;
    let listing = OperationListing {
        vaults: VaultChoice {
            id: call.query.optional("vault_id", |it| it.id(VaultId::parse))?,
            enterprise_project_id: enterprise_project(&call.query)?,
            used_percent: None,
        },
        filters: filters(&call.query)?,
        start: page.start.clone(),
        limit: page.limit,
    };
    let found = call.service.operations(&call.caller, listing).await?;
    let items = found.items.iter().map(view).collect();
    Ok(Reply::ok(page.document("operation_logs", items, found.total.unwrap_or_default())))
}

/// `GET /operation-logs/{operation_log_id}`.
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let found = call.service.operation(&call.caller, id).await?;
    Ok(Reply::ok(json!({"operation_log": view(&found)})))
}

fn filters(query: &Query) -> Result<Vec<OperationFilter>, Fault> {
    let mut filters = Vec::new();
    let from = query.optional("start_time", |it| time::instant(&it))?;
    filters.extend(from.map(OperationFilter::From));
    let to = query.optional("end_time", |it| time::instant(&it))?;
    filters.extend(to.map(OperationFilter::To));
    let kind = query.optional("operation_type", |it| it.word(kind))?;
    filters.extend(kind.map(OperationFilter::Kind));
    let provider = query.optional("provider_id", |it| {
        it.id(OperationId::parse)?;
        let known = object_type(it.string()?).map(OperationFilter::ObjectType);
        // Of a provider that is not here nothing was done.
        Ok(known.unwrap_or(OperationFilter::Vaults(Vec::new())))
    })?;
    filters.extend(provider);
    let resource = query.optional("resource_id", |it| it.id(ResourceId::parse))?;
    filters.extend(resource.map(OperationFilter::Resource));
    let status = query.optional("status", |it| it.word(OperationStatus::parse))?;
    filters.extend(status.map(OperationFilter::Status));
    let text = |key: &str| query.optional(key, |it| it.string().map(str::to_owned));
    filters.extend(text("resource_name")?.map(OperationFilter::ResourceNamePart));
    filters.extend(text("vault_name")?.map(OperationFilter::VaultNamePart));
    filters.extend(text("destination_region")?.map(OperationFilter::DestinationRegion));
    filters.extend(text("destination_project_id")?.map(OperationFilter::DestinationProject));
    Ok(filters)
}

/// A copy is a replication by another word.
fn kind(word: &str) -> Option<OperationKind> {
    if word == "copy" { Some(OperationKind::Replication) } else { OperationKind::parse(word) }
}

fn view(operation: &Operation) -> Value {
    let about = operation.resource.as_ref().map(|(_, kind, _)| *kind);
    let object_type = about.map(object_type_of).or(operation.object_type);
    let code = operation.fault.map(|fault| operation_fault::code(fault, about).text());
    json!({
        "id": operation.id.to_string(),
        "operation_type": operation.kind.as_str(),
        "status": operation.status.as_str(),
        "project_id": operation.project_id.as_str(),
        "provider_id": object_type.map(provider_id),
        "vault_id": operation.vault_id.map(|id| id.to_string()),
        "vault_name": operation.vault_name,
        "checkpoint_id": operation.checkpoint_id.map(|id| id.to_string()),
        "policy_id": operation.policy_id.map(|id| id.to_string()),
        "created_at": time::write(operation.created_at),
        "started_at": time::write(operation.created_at),
        "updated_at": time::write(operation.updated_at),
        "ended_at": operation.ended_at.map(time::write),
        "error_info": {
            "code": code.unwrap_or_default(),
            "message": operation.message.as_deref().unwrap_or_default(),
        },
        "extra_info": extra_info(operation),
    })
}

fn extra_info(operation: &Operation) -> Value {
    let common = json!({
        "progress": operation.progress,
        "request_id": operation.request_id,
        "task_id": operation.id.to_string(),
    });
    let mut extra = Map::new();
    extra.insert("common".to_owned(), common);
    extra.insert("resource".to_owned(), resource(operation));
    if let Some((key, value)) = of_backup(operation).or_else(|| of_vault(operation)) {
        extra.insert(key.to_owned(), value);
    }
    Value::Object(extra)
}

/// What goes with work on one backup.
fn of_backup(operation: &Operation) -> Option<(&'static str, Value)> {
    let mut about = json!({
        "backup_id": operation.backup_id.map(|id| id.to_string()),
        "backup_name": operation.backup_name.as_deref().unwrap_or_default(),
    });
    match operation.kind {
        // What was left out has no backup.
        OperationKind::Backup => {
            operation.backup_id?;
            let is_wanted = operation.detail.wants_application_consistency == Some(true);
            let told = app_consistency(is_wanted);
            for key in [
                "app_consistency_status",
                "app_consistency_error_code",
                "app_consistency_error_message",
            ] {
                about[key] = told[key].clone();
            }
            Some(("backup", about))
        }
        OperationKind::Restore => {
            let target = operation.detail.target.as_ref();
            about["target_resource_id"] = json!(target.map(|(id, _)| id.to_string()));
            about["target_resource_name"] = json!(target.map(|(_, name)| name.as_str()));
            Some(("restore", about))
        }
        OperationKind::Delete => Some(("delete", about)),
        OperationKind::Replication => {
            Some(("replication", ends_view(operation.detail.replication.as_ref()?)))
        }
        _ => None,
    }
}

/// What goes with work on a vault.
fn of_vault(operation: &Operation) -> Option<(&'static str, Value)> {
    let detail = &operation.detail;
    let (total, failed) = (detail.total.unwrap_or(0), detail.failed.unwrap_or(0));
    Some(match operation.kind {
        OperationKind::RemoveResource => {
            let resource = |(id, kind, name): &(ResourceId, ResourceKind, String)| json!({"id": id.to_string(), "type": kind.as_str(), "name": name});
            let resources: Vec<Value> = detail.resources.iter().map(resource).collect();
            let removed =
                json!({"fail_count": failed, "total_count": total, "resources": resources});
            ("remove_resources", removed)
        }
        OperationKind::VaultDelete => {
            let removed = json!({
                "fail_count": failed,
                "total_count": total,
                "fail_delete_count": failed,
                "total_delete_count": total,
            });
            ("vault_delete", removed)
        }
        OperationKind::Sync => {
            let brought = json!({
                "sync_backup_num": total.saturating_sub(failed),
                "delete_backup_num": 0,
                "err_sync_backup_num": failed,
            });
            ("sync", brought)
        }
        OperationKind::UpdateExpirationTime => {
            let dated = json!({
                "affected_backups_count": total,
                "expiration_day": detail.expiration_day.as_deref().unwrap_or_default(),
            });
            ("update_expiration_time", dated)
        }
        _ => return None,
    })
}

/// What it was about; of work on a whole vault, the vault.
fn resource(operation: &Operation) -> Value {
    match &operation.resource {
        Some((id, kind, name)) => {
            json!({"id": id.to_string(), "type": kind.as_str(), "name": name})
        }
        None => json!({
            "id": operation.vault_id.map(|id| id.to_string()).unwrap_or_default(),
            "type": "",
            "name": operation.vault_name.as_deref().unwrap_or_default(),
        }),
    }
}

fn ends_view(ends: &ReplicationEnds) -> Value {
    json!({
        "source_backup_id": ends.source_backup_id.to_string(),
        "source_backup_name": ends.source_backup_name,
        "source_checkpoint_id": ends.source_checkpoint_id.to_string(),
        "source_project_id": ends.source_project_id,
        "source_region": ends.source_region,
        "destination_backup_id": ends.destination_backup_id.map(|id| id.to_string()),
        "destination_backup_name": ends.destination_backup_name,
        "destination_checkpoint_id": ends.destination_checkpoint_id.map(|id| id.to_string()),
        "destination_project_id": ends.destination_project_id,
        "destination_region": ends.destination_region,
    })
}
