//! Shares of backups: the vendor's operations S1 to S5.
//!
//! Unlike native lists these know no marker and drop what they do not know in every version.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use strongroom_model::backup::Backup;
use strongroom_model::id::{BackupId, ProjectId, VolumeId};
use strongroom_model::share::Share;
use strongroom_service::share::{ShareFilter, ShareKey, ShareListing, SharedBackup};

use super::call::{Answer, Call};
use super::validate::{self, Fields};
use super::{paging, service_metadata, sorting};
use crate::fault::Fault;
use crate::query::parse_bool;
use crate::reply::Reply;

/// Where lists are, for the link to the next page.
const LIST_PATH: &str = "os-vendor-backup-sharing/detail";

/// `POST /os-vendor-backup-sharing` (S1).
pub(super) async fn create(call: &Call) -> Answer {
    let body = call.json()?;
    let fields = Fields::of(&body, "shared")?;
    fields.required("backup_id")?;
    let backup = fields.id("backup_id", BackupId::parse)?;
    let backup = backup.ok_or_else(|| validate::mistyped("backup_id", &Value::Null, "'string'"))?;
    let with = read_projects(fields.required("to_project_ids")?)?;
    let shares = call.service.share_backup(&call.caller, &backup.to_string(), &with).await?;
    let shares: Vec<_> = shares.iter().map(created).collect();
    Ok(Reply::ok(json!({"shared": shares})))
}

fn read_projects(value: &Value) -> Result<Vec<ProjectId>, Fault> {
    let Value::Array(items) = value else {
        return Err(validate::mistyped("to_project_ids", value, "'array'"));
    };
    items
        .iter()
        .map(|item| {
            let id = item.as_str().and_then(|text| ProjectId::parse(text).ok());
            id.ok_or_else(|| {
                let why = format!("{} is not the id of a project", crate::json::repr(item));
                validate::invalid("to_project_ids", value, &why)
            })
        })
        .collect()
}

/// `GET /os-vendor-backup-sharing/detail` (S2).
pub(super) async fn list(call: &Call) -> Answer {
    let listing = read_listing(call)?;
    let (limit, offset) = (listing.limit, listing.offset);
    let page = call.service.shares(&call.caller, listing).await?;
    let shares: Vec<_> = page.items.iter().map(shown).collect();
    let count = u32::try_from(shares.len()).unwrap_or(u32::MAX);
    let mut body = json!({"shared": shares});
    if count == limit && count > 0 {
        let start = offset.saturating_add(count).to_string();
        let next = call.links.next_with(LIST_PATH, &call.query, ("offset", &start));
        body["shared_links"] = json!([next]);
    }
    Ok(Reply::ok(body))
}

/// `GET /os-vendor-backup-sharing/count` (S3).
pub(super) async fn count(call: &Call) -> Answer {
    let listing = ShareListing { limit: 0, offset: 0, with_total: true, ..read_listing(call)? };
    let page = call.service.shares(&call.caller, listing).await?;
    Ok(Reply::ok(json!({"count": page.total.unwrap_or_default()})))
}

/// `GET /os-vendor-backup-sharing/ID` (S4).
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let share = call.service.share(&call.caller, id).await?;
    Ok(Reply::ok(json!({"shared": shown(&share)})))
}

/// `DELETE /os-vendor-backup-sharing/ID?is_backup_id=` (S5): one share, or all of a backup.
pub(super) async fn delete(call: &Call, id: &str) -> Answer {
    if flag(call, "is_backup_id")? {
        call.service.end_shares_of(&call.caller, id).await?;
    } else {
        call.service.end_share(&call.caller, id).await?;
    }
    Ok(Reply::empty(StatusCode::OK))
}

fn read_listing(call: &Call) -> Result<ShareListing, Fault> {
    let (limit, offset) = paging::read_offset_page(call)?;
    Ok(ShareListing {
        to_me: flag(call, "share_to_me")?,
        filters: call.query.iter().filter_map(|(key, value)| filter(key, value)).collect(),
        sort: sorting::read(&call.query, key)?,
        offset,
        limit,
        with_total: false,
    })
}

fn flag(call: &Call, key: &str) -> Result<bool, Fault> {
    let Some(value) = call.query.get(key) else { return Ok(false) };
    let refusal = || Fault::bad_request(format!("Value '{value}' for '{key}' is not a boolean."));
    parse_bool(value).ok_or_else(refusal)
}

fn filter(name: &str, value: &str) -> Option<ShareFilter> {
    let text = value.to_owned();
    Some(match name {
        "backup_id" => {
            ShareFilter::BackupId(BackupId::parse(value).map_or(text, |id| id.to_string()))
        }
        "volume_id" => {
            ShareFilter::VolumeId(VolumeId::parse(value).map_or(text, |id| id.to_string()))
        }
        "from_project_id" => ShareFilter::From(text),
        "to_project_id" => ShareFilter::To(text),
        "name" => ShareFilter::NameLike(text),
        "status" => ShareFilter::Status(text),
        // Documented with a slip of the pen; clients write either.
        "avalilability_zone" | "availability_zone" => ShareFilter::AvailabilityZone(text),
        _ => return None,
    })
}

fn key(name: &str) -> Option<ShareKey> {
    Some(match name {
        "id" => ShareKey::Id,
        "created_at" => ShareKey::CreatedAt,
        "updated_at" => ShareKey::UpdatedAt,
        "backup_id" => ShareKey::BackupId,
        "from_project_id" => ShareKey::From,
        "to_project_id" => ShareKey::To,
        "name" | "display_name" => ShareKey::Name,
        "description" | "display_description" => ShareKey::Description,
        "status" => ShareKey::Status,
        "size" => ShareKey::Size,
        "volume_id" => ShareKey::VolumeId,
        "availability_zone" => ShareKey::AvailabilityZone,
        "container" => ShareKey::Container,
        "object_count" => ShareKey::ObjectCount,
        "data_timestamp" => ShareKey::DataTimestamp,
        "snapshot_id" => ShareKey::SnapshotId,
        "fail_reason" => ShareKey::FailReason,
        "container_format" | "disk_format" => ShareKey::Constant,
        _ => return None,
    })
}

/// A share that was just made. `deleted` is null: a client reads it as a text, never as a boolean.
fn created(share: &Share) -> Value {
    json!({
        "id": share.id.to_string(),
        "backup_id": share.backup_id.to_string(),
        "from_project_id": share.from_project_id.as_str(),
        "to_project_id": share.to_project_id.as_str(),
        "created_at": share.created_at.format_naive(),
        "updated_at": share.updated_at.map(|at| at.format_naive()),
        "deleted": null,
        "deleted_at": null,
    })
}

/// A share as lists show it, in the documented order.
fn shown(shared: &SharedBackup) -> Value {
    let share = &shared.share;
    json!({
        "backup": SharedView::of(&shared.backup),
        "backup_id": share.backup_id.to_string(),
        "created_at": share.created_at.format_naive(),
        "from_project_id": share.from_project_id.as_str(),
        "id": share.id.to_string(),
        "to_project_id": share.to_project_id.as_str(),
        "updated_at": share.updated_at.map(|at| at.format_naive()),
    })
}

/// A backup inside a share: without links, and without what is only its owner's.
#[derive(Debug, Serialize)]
struct SharedView<'a> {
    availability_zone: Option<&'a str>,
    container: Option<&'a str>,
    created_at: String,
    data_timestamp: String,
    description: Option<&'a str>,
    fail_reason: Option<&'a str>,
    has_dependent_backups: bool,
    id: String,
    is_incremental: bool,
    name: Option<&'a str>,
    object_count: u64,
    size: u32,
    snapshot_id: Option<String>,
    status: &'static str,
    updated_at: Option<String>,
    volume_id: String,
    service_metadata: String,
}

impl<'a> SharedView<'a> {
    fn of(backup: &'a Backup) -> Self {
        Self {
            availability_zone: backup.availability_zone.as_deref(),
            container: backup.container.as_deref(),
            created_at: backup.created_at.format_naive(),
            data_timestamp: backup.data_timestamp.format_naive(),
            description: backup.description.as_deref(),
            fail_reason: backup.fail_reason.as_deref(),
            // Backups share blocks and none depends on another.
            has_dependent_backups: false,
            id: backup.id.to_string(),
            is_incremental: backup.is_incremental,
            name: backup.name.as_deref(),
            object_count: backup.measured.as_ref().map_or(0, |measured| measured.object_count),
            size: backup.size.0,
            snapshot_id: backup.snapshot_id.map(|id| id.to_string()),
            status: backup.status.as_str(),
            updated_at: backup.updated_at.map(|at| at.format_naive()),
            volume_id: backup.volume_id.to_string(),
            service_metadata: service_metadata::text(backup),
        }
    }
}
