//! Backups: list, show, rename, delete.

use serde_json::json;
use strongroom_model::id::{BackupId, CheckpointId, VaultId};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::share::ShareStatus;
use strongroom_service::saved::{Ownership, SavedFilter, SavedKey, SavedListing, VaultChoice};

use super::call::{Answer, Call};
use super::fault::Fault;
use super::fields::{Field, Fields, NAME};
use super::query::Query;
use super::{DONE, backup_view, paging, time};
use crate::reply::Reply;

/// The word for all enterprise projects.
pub(super) const ALL_ENTERPRISE_PROJECTS: &str = "all_granted_eps";

/// `GET /backups`.
pub(super) async fn list(call: &Call) -> Answer {
    let page = paging::read(&call.query, BackupId::parse)?;
    let listing = SavedListing {
        ownership: ownership(&call.query)?,
        parent: call.query.optional("parent_id", |it| it.id(BackupId::parse))?,
        vaults: vaults(&call.query)?,
        filters: filters(&call.query)?,
        sort: paging::read_sort(&call.query, key)?,
        start: page.start.clone(),
        limit: page.limit,
        with_replications: call
            .query
            .optional("show_replication", |it| it.flag_word())?
            .unwrap_or(false),
    };
    let found = call.service.saved_points(&call.caller, listing).await?;
    let items = found.items.iter().map(backup_view::view).collect();
    Ok(Reply::ok(page.document("backups", items, found.total.unwrap_or_default())))
}

/// `GET /backups/{backup_id}`.
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let found = call.service.saved(&call.caller, id).await?;
    Ok(Reply::ok(json!({"backup": backup_view::view(&found)})))
}

/// `PUT /backups/{backup_id}`.
pub(super) async fn update(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let fields = Fields::of(&body)?.object("backup")?;
    let name = fields.required("name", |it| it.text(NAME))?;
    let renamed = call.service.rename_saved(&call.caller, id, name).await?;
    Ok(Reply::ok(json!({"backup": backup_view::view(&renamed)})))
}

/// `DELETE /backups/{backup_id}`.
pub(super) async fn delete(call: &Call, id: &str) -> Answer {
    call.service.delete_saved(&call.caller, id).await?;
    Ok(Reply::empty(DONE))
}

fn ownership(query: &Query) -> Result<Ownership, Fault> {
    let status = query.optional("member_status", |it| it.word(ShareStatus::parse))?;
    let read = |word: &str| match word {
        "private" => Some(Ownership::Own),
        "shared" => Some(Ownership::Received(status)),
        "all_granted" => Some(Ownership::Both(status)),
        _ => None,
    };
    Ok(query.optional("own_type", |it| it.word(read))?.unwrap_or_default())
}

fn vaults(query: &Query) -> Result<VaultChoice, Fault> {
    let percent = query.optional("used_percent", |it| it.digits(1..=100))?;
    Ok(VaultChoice {
        id: query.optional("vault_id", |it| it.id(VaultId::parse))?,
        enterprise_project_id: enterprise_project(query)?,
        used_percent: percent.and_then(|percent| u8::try_from(percent).ok()),
    })
}

/// The enterprise project that a list is cut down to, if it is.
pub(super) fn enterprise_project(query: &Query) -> Result<Option<String>, Fault> {
    let found = query.optional("enterprise_project_id", |it| it.string())?;
    Ok(found.filter(|id| *id != ALL_ENTERPRISE_PROJECTS).map(str::to_owned))
}

fn filters(query: &Query) -> Result<Vec<SavedFilter>, Fault> {
    let mut filters = Vec::new();
    let checkpoint = query.optional("checkpoint_id", |it| it.id(CheckpointId::parse))?;
    filters.extend(checkpoint.map(SavedFilter::Checkpoint));
    let from = query.optional("start_time", |it| time::instant(&it))?;
    filters.extend(from.map(SavedFilter::CreatedFrom));
    let to = query.optional("end_time", |it| time::instant(&it))?;
    filters.extend(to.map(SavedFilter::CreatedTo));
    let is_replica = |word: &str| match word {
        "backup" => Some(false),
        "replication" => Some(true),
        _ => None,
    };
    let image_type = query.optional("image_type", |it| it.word(is_replica))?;
    filters.extend(image_type.map(SavedFilter::IsReplica));
    filters.extend(text(query, "name")?.map(SavedFilter::NamePart));
    filters.extend(text(query, "resource_name")?.map(SavedFilter::ResourceNamePart));
    filters.extend(text(query, "resource_az")?.map(SavedFilter::AvailabilityZone));
    let resource = query.optional("resource_id", |it| it.id(ResourceId::parse))?;
    filters.extend(resource.map(SavedFilter::Resource));
    let kind = query.optional("resource_type", |it| it.word(ResourceKind::parse))?;
    filters.extend(kind.map(SavedFilter::Kind));
    let statuses = query.each("status", |it: Field<'_>| it.word(backup_view::statuses))?;
    if !statuses.is_empty() {
        filters.push(SavedFilter::Statuses(statuses.concat()));
    }
    let flag = |key: &str| query.optional(key, |it| it.flag_word());
    filters.extend(flag("incremental")?.map(SavedFilter::IsIncremental));
    let by_count = flag("existed_quantity_based_retention_backups")?;
    filters.extend(by_count.map(SavedFilter::IsKeptByCount));
    flag("dec")?;
    Ok(filters)
}

fn text(query: &Query, key: &str) -> Result<Option<String>, Fault> {
    query.optional(key, |it| it.string().map(str::to_owned))
}

fn key(word: &str) -> Option<SavedKey> {
    Some(match word {
        "created_at" => SavedKey::CreatedAt,
        "updated_at" => SavedKey::UpdatedAt,
        "name" => SavedKey::Name,
        "status" => SavedKey::Status,
        "protected_at" => SavedKey::ProtectedAt,
        "id" => SavedKey::Id,
        _ => return None,
    })
}
