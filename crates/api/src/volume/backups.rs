//! Backups: operations B1 to B11.

use axum::http::StatusCode;
use serde_json::{Value, json};
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, ProjectId, SnapshotId, VolumeId};
use strongroom_model::page::Page;
use strongroom_service::backup::{BackupChange, BackupFilter, BackupKey, BackupListing, NewBackup};
use strongroom_service::metadata::MetadataChange;
use strongroom_service::restore::RestoreRequest;

use super::call::{Answer, Call};
use super::list::{self, Vocabulary};
use super::microversion::Feature;
use super::paging::{self, PageView};
use super::validate::{self, Fields};
use super::{backup_view, record};
use crate::fault::Fault;
use crate::reply::Reply;

const WORDS: Vocabulary<BackupId, BackupKey, BackupFilter> = Vocabulary {
    noun: "Backup",
    id: |text| BackupId::parse(text).ok(),
    key,
    filter,
    never: || BackupFilter::Ids(Vec::new()),
};

fn key(call: &Call, name: &str) -> Option<BackupKey> {
    Some(match name {
        "id" => BackupKey::Id,
        "status" => BackupKey::Status,
        "size" => BackupKey::Size,
        "created_at" => BackupKey::CreatedAt,
        "updated_at" => BackupKey::UpdatedAt,
        "volume_id" => BackupKey::VolumeId,
        "availability_zone" => BackupKey::AvailabilityZone,
        "container" => BackupKey::Container,
        "object_count" => BackupKey::ObjectCount,
        "data_timestamp" => BackupKey::DataTimestamp,
        "snapshot_id" => BackupKey::SnapshotId,
        "fail_reason" => BackupKey::FailReason,
        "display_name" => BackupKey::Name,
        "display_description" => BackupKey::Description,
        "name" if call.version.has(Feature::SortByName) => BackupKey::Name,
        "container_format" | "disk_format" => BackupKey::Constant,
        _ => return None,
    })
}

fn filter(call: &Call, name: &str, value: &str) -> Option<BackupFilter> {
    let value = value.to_owned();
    let has_likes = call.version.has(Feature::StrictFilters);
    let is_admin = call.caller.is_admin();
    Some(match name {
        "name" => BackupFilter::Name(value),
        "status" => BackupFilter::Status(value),
        "volume_id" => BackupFilter::VolumeId(value),
        "name~" if has_likes => BackupFilter::NameLike(value),
        "status~" if has_likes => BackupFilter::StatusLike(value),
        "volume_id~" if has_likes => BackupFilter::VolumeIdLike(value),
        "snapshot_id" if is_admin => BackupFilter::SnapshotId(value),
        "availability_zone" if is_admin => BackupFilter::AvailabilityZone(value),
        "project_id" if is_admin => BackupFilter::Project(ProjectId::parse(&value).ok()?),
        _ => return None,
    })
}

/// `GET /backups` (B1) and `GET /backups/detail` (B2).
pub(super) async fn list(call: &Call, path: &str, view: View) -> Answer {
    let listing = list::read(call, &WORDS)?;
    let limit = listing.limit;
    let listing = BackupListing {
        all_projects: listing.all_projects,
        filters: listing.filters,
        sort: listing.sort,
        start: listing.start,
        limit,
        with_total: listing.with_total,
    };
    let page = call.service.backups(&call.caller, listing).await;
    let page = page.map_err(|error| WORDS.fault(error))?;
    Ok(Reply::ok(paging::document(call, path, limit, page_view(call, &page, view))))
}

/// How a list shows each backup.
pub(super) type View = fn(&Call, &Backup) -> Value;

fn page_view(call: &Call, page: &Page<Backup>, view: View) -> PageView {
    PageView {
        items: page.items.iter().map(|item| view(call, item)).collect(),
        last_id: page.items.last().map(|item| item.id.to_string()),
        total: page.total,
    }
}

/// `GET /backups/ID` (B3).
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let backup = call.service.backup(&call.caller, id).await?;
    Ok(Reply::ok(json!({"backup": backup_view::detail(call, &backup)})))
}

/// `POST /backups` (B4).
pub(super) async fn create(call: &Call) -> Answer {
    let new = read_new(call, &call.json()?)?;
    let backup = call.service.create_backup(&call.caller, new).await?;
    Ok(Reply::accepted(json!({"backup": backup_view::summary(call, &backup)})))
}

fn read_new(call: &Call, body: &Value) -> Result<NewBackup, Fault> {
    let fields = open(call, body, "backup")?;
    let has_metadata = call.version.has(Feature::BackupMetadata);
    let has_zone = call.version.has(Feature::BackupZone);
    if call.version.is_strict() {
        fields.only(&allowed_in_new(has_metadata, has_zone))?;
    }
    let volume_id = validate_volume_id(fields.required("volume_id")?)?;
    Ok(NewBackup {
        snapshot_id: fields.id("snapshot_id", SnapshotId::parse)?,
        name: fields.text("name")?,
        description: fields.text("description")?,
        container: fields.text("container")?,
        is_incremental: fields.flag("incremental")?,
        is_forced: fields.flag("force")?,
        metadata: match has_metadata {
            true => fields.metadata("metadata")?.unwrap_or_default(),
            false => Default::default(),
        },
        availability_zone: match has_zone {
            true => fields.text("availability_zone")?,
            false => None,
        },
        ..NewBackup::of(volume_id)
    })
}

fn allowed_in_new(has_metadata: bool, has_zone: bool) -> Vec<&'static str> {
    let mut allowed = vec![
        "volume_id",
        "snapshot_id",
        "name",
        "description",
        "container",
        "incremental",
        "force",
        "project_id",
    ];
    allowed.extend(has_metadata.then_some("metadata"));
    allowed.extend(has_zone.then_some("availability_zone"));
    allowed
}

fn validate_volume_id(value: &Value) -> Result<VolumeId, Fault> {
    value.as_str().and_then(|text| VolumeId::parse(text).ok()).ok_or_else(|| {
        let why = format!("{} is not a 'uuid'", crate::json::repr(value));
        validate::invalid("volume_id", value, &why)
    })
}

/// The object under `name`; in version 3 nothing may stand beside it.
fn open<'a>(call: &Call, body: &'a Value, name: &'a str) -> Result<Fields<'a>, Fault> {
    if call.version.is_strict() { Fields::alone(body, name) } else { Fields::of(body, name) }
}

/// `PUT /backups/ID` (B5), from 3.9.
pub(super) async fn update(call: &Call, id: &str) -> Answer {
    call.require(Feature::BackupUpdate)?;
    let change = read_change(call, &call.json()?)?;
    let backup = call.service.update_backup(&call.caller, id, change).await?;
    Ok(Reply::ok(json!({"backup": backup_view::summary(call, &backup)})))
}

fn read_change(call: &Call, body: &Value) -> Result<BackupChange, Fault> {
    let fields = open(call, body, "backup")?;
    let has_metadata = call.version.has(Feature::BackupMetadata);
    let mut allowed = vec!["name", "description"];
    allowed.extend(has_metadata.then_some("metadata"));
    fields.only(&allowed)?;
    Ok(BackupChange {
        name: fields.text_change("name")?,
        description: fields.text_change("description")?,
        metadata: fields.metadata("metadata")?.map(MetadataChange::Replace),
    })
}

/// `DELETE /backups/ID` (B6).
pub(super) async fn delete(call: &Call, id: &str) -> Answer {
    call.service.delete_backup(&call.caller, id, false).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// `POST /backups/ID/restore` (B7).
pub(super) async fn restore(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let fields = open(call, &body, "restore")?;
    fields.only(&["volume_id", "name"])?;
    let request = RestoreRequest {
        volume_id: fields.id("volume_id", VolumeId::parse)?,
        name: fields.text("name")?,
    };
    let restore = call.service.restore_backup(&call.caller, id, request).await?;
    Ok(Reply::accepted(json!({"restore": {
        "backup_id": restore.backup_id.to_string(),
        "volume_id": restore.volume_id.to_string(),
        "volume_name": restore.volume_name,
    }})))
}

/// `POST /backups/ID/action` (B8, B9).
pub(super) async fn act(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    match validate::action(&body)? {
        ("os-force_delete", _) => {
            call.service.delete_backup(&call.caller, id, true).await?;
        }
        ("os-reset_status", _) => {
            let status = read_status(&body)?;
            call.service.reset_backup(&call.caller, id, status).await?;
        }
        (other, _) => return Err(validate::no_action(other)),
    }
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

fn read_status(body: &Value) -> Result<BackupStatus, Fault> {
    let fields = Fields::of(body, "os-reset_status")?;
    let status = fields.required("status")?;
    fields.only(&["status"])?;
    let word = status.as_str().ok_or_else(|| validate::mistyped("status", status, "'string'"))?;
    match BackupStatus::parse(&word.to_ascii_lowercase()) {
        Some(status @ (BackupStatus::Available | BackupStatus::Error)) => Ok(status),
        _ => Err(Fault::bad_request(format!(
            "Backup status: {} is invalid, valid statuses are: ['available', 'error'].",
            crate::json::plain(status)
        ))),
    }
}

/// `GET /backups/ID/export_record` (B10).
pub(super) async fn export(call: &Call, id: &str) -> Answer {
    let backup = call.service.export_backup(&call.caller, id).await?;
    Ok(Reply::ok(json!({"backup-record": {
        "backup_service": record::BACKUP_SERVICE,
        "backup_url": record::encode(&backup),
    }})))
}

/// `POST /backups/import_record` (B11).
pub(super) async fn import(call: &Call) -> Answer {
    let body = call.json()?;
    let fields = Fields::alone(&body, "backup-record")?;
    fields.only(&["backup_service", "backup_url"])?;
    let service = validate::text("backup_service", fields.required("backup_service")?)?;
    let url = fields.required("backup_url")?;
    let url = url.as_str().ok_or_else(|| validate::mistyped("backup_url", url, "'string'"))?;
    if url.is_empty() {
        return Err(validate::invalid("backup_url", &json!(""), "'' is too short"));
    }
    let record = record::decode(url)?;
    if service != record::BACKUP_SERVICE {
        return Err(Fault::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("Service {service} could not be found."),
        ));
    }
    let backup = call.service.import_backup(&call.caller, record).await?;
    Ok(Reply::created(json!({"backup": backup_view::summary(call, &backup)})))
}
