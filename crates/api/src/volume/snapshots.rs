//! Snapshots, as far as clients of backups need them.

use axum::http::StatusCode;
use serde_json::{Value, json};
use strongroom_model::id::{ProjectId, SnapshotId, VolumeId};
use strongroom_model::page::Page;
use strongroom_model::snapshot::{Snapshot, SnapshotStatus};
use strongroom_service::metadata::MetadataChange;
use strongroom_service::snapshot::{
    NewSnapshot, SnapshotChange, SnapshotFilter, SnapshotKey, SnapshotListing,
};

use super::call::{Answer, Call};
use super::list::{self, Vocabulary};
use super::microversion::Feature;
use super::paging::{self, PageView};
use super::validate::{self, Fields};
use crate::fault::Fault;
use crate::reply::Reply;

const WORDS: Vocabulary<SnapshotId, SnapshotKey, SnapshotFilter> = Vocabulary {
    noun: "Snapshot",
    id: |text| SnapshotId::parse(text).ok(),
    key: |_, name| key(name),
    filter,
    never: || SnapshotFilter::Ids(Vec::new()),
};

fn key(name: &str) -> Option<SnapshotKey> {
    Some(match name {
        "id" => SnapshotKey::Id,
        "name" | "display_name" => SnapshotKey::Name,
        "status" => SnapshotKey::Status,
        "volume_size" | "size" => SnapshotKey::Size,
        "created_at" => SnapshotKey::CreatedAt,
        "updated_at" => SnapshotKey::UpdatedAt,
        "volume_id" => SnapshotKey::VolumeId,
        _ => return None,
    })
}

fn filter(call: &Call, name: &str, value: &str) -> Option<SnapshotFilter> {
    let value = value.to_owned();
    Some(match name {
        "name" | "display_name" => SnapshotFilter::Name(value),
        "name~" if call.version.has(Feature::StrictFilters) => SnapshotFilter::NameLike(value),
        "status" => SnapshotFilter::Status(value),
        "volume_id" => SnapshotFilter::VolumeId(value),
        "project_id" if call.caller.is_admin() => {
            SnapshotFilter::Project(ProjectId::parse(&value).ok()?)
        }
        _ => return None,
    })
}

/// `GET /snapshots` and `GET /snapshots/detail`.
pub(super) async fn list(call: &Call, path: &str, view: View) -> Answer {
    let listing = list::read(call, &WORDS)?;
    let limit = listing.limit;
    let listing = SnapshotListing {
        all_projects: listing.all_projects,
        filters: listing.filters,
        sort: listing.sort,
        start: listing.start,
        limit,
        with_total: listing.with_total,
    };
    let page = call.service.snapshots(&call.caller, listing).await;
    let page = page.map_err(|error| WORDS.fault(error))?;
    Ok(Reply::ok(paging::document(call, path, limit, page_view(call, &page, view))))
}

/// How a list shows each snapshot.
pub(super) type View = fn(&Call, &Snapshot) -> Value;

fn page_view(call: &Call, page: &Page<Snapshot>, view: View) -> PageView {
    PageView {
        items: page.items.iter().map(|item| view(call, item)).collect(),
        last_id: page.items.last().map(|item| item.id.to_string()),
        total: page.total,
    }
}

/// `GET /snapshots/ID`.
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let snapshot = call.service.snapshot(&call.caller, id).await?;
    Ok(Reply::ok(json!({"snapshot": detail(call, &snapshot)})))
}

/// `POST /snapshots`.
pub(super) async fn create(call: &Call) -> Answer {
    let new = read_new(call, &call.json()?)?;
    let snapshot = call.service.create_snapshot(&call.caller, new).await?;
    Ok(Reply::accepted(json!({"snapshot": summary(call, &snapshot)})))
}

fn read_new(call: &Call, body: &Value) -> Result<NewSnapshot, Fault> {
    let fields = Fields::of(body, "snapshot")?;
    fields.required("volume_id")?;
    let volume_id = fields.id("volume_id", VolumeId::parse)?;
    let is_forced = fields.flag("force")?;
    Ok(NewSnapshot {
        volume_id: volume_id.ok_or_else(|| Fault::missing("Volume", "None"))?,
        name: fields.text("name")?.or(fields.text("display_name")?),
        description: fields.text("description")?.or(fields.text("display_description")?),
        is_forced: is_forced || call.version.has(Feature::SnapshotInUse),
        metadata: fields.metadata("metadata")?.unwrap_or_default(),
    })
}

/// `PUT /snapshots/ID`.
pub(super) async fn update(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let fields = Fields::of(&body, "snapshot")?;
    let change = SnapshotChange {
        name: fields.text_change("name")?.or(fields.text_change("display_name")?),
        description: fields
            .text_change("description")?
            .or(fields.text_change("display_description")?),
        metadata: fields.metadata("metadata")?.map(MetadataChange::Replace),
    };
    let snapshot = call.service.update_snapshot(&call.caller, id, change).await?;
    Ok(Reply::ok(json!({"snapshot": summary(call, &snapshot)})))
}

/// `DELETE /snapshots/ID`.
pub(super) async fn delete(call: &Call, id: &str) -> Answer {
    call.service.delete_snapshot(&call.caller, id, false).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// `POST /snapshots/ID/action`.
pub(super) async fn act(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    match validate::action(&body)? {
        ("os-force_delete", _) => call.service.delete_snapshot(&call.caller, id, true).await?,
        (name @ "os-reset_status", _) => {
            let status = read_status(Fields::of(&body, name)?.required("status")?)?;
            call.service.reset_snapshot(&call.caller, id, status).await?;
        }
        (other, _) => return Err(validate::no_action(other)),
    }
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

fn read_status(value: &Value) -> Result<SnapshotStatus, Fault> {
    let word = value.as_str().unwrap_or_default().to_ascii_lowercase();
    SnapshotStatus::parse(&word).ok_or_else(|| {
        let why = format!("{} is not a status of a snapshot", crate::json::repr(value));
        validate::invalid("status", value, &why)
    })
}

/// A snapshot as lists and answers to changes show it.
pub(super) fn summary(call: &Call, snapshot: &Snapshot) -> Value {
    let mut view = json!({
        "id": snapshot.id.to_string(),
        "created_at": snapshot.created_at.format_naive(),
        "updated_at": snapshot.updated_at.map(|at| at.format_naive()),
        "name": snapshot.name,
        "description": snapshot.description,
        "volume_id": snapshot.volume_id.to_string(),
        "status": snapshot.status.as_str(),
        "size": snapshot.size.0,
        "metadata": snapshot.metadata,
    });
    let versioned = [
        (Feature::SnapshotGroup, "group_snapshot_id", Value::Null),
        (Feature::SnapshotUser, "user_id", Value::from(snapshot.user_id.as_str())),
        (Feature::ConsumesQuota, "consumes_quota", Value::from(true)),
    ];
    for (feature, key, value) in versioned {
        if call.version.has(feature) {
            view[key] = value;
        }
    }
    view
}

/// A snapshot with all its fields.
pub(super) fn detail(call: &Call, snapshot: &Snapshot) -> Value {
    let progress = match snapshot.status {
        SnapshotStatus::Creating | SnapshotStatus::Error => "0%",
        _ => "100%",
    };
    let mut view = summary(call, snapshot);
    view["os-extended-snapshot-attributes:progress"] = Value::from(progress);
    view["os-extended-snapshot-attributes:project_id"] = Value::from(snapshot.project_id.as_str());
    view
}
