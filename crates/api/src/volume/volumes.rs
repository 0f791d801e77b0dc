//! Volumes, as far as clients of backups need them.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use strongroom_model::id::{BackupId, ProjectId, SnapshotId, VolumeId};
use strongroom_model::size::GiB;
use strongroom_model::volume::Volume;
use strongroom_service::metadata::MetadataChange;
use strongroom_service::servers::Attachments;
use strongroom_service::servers::documents::{VOLUME_HOST, attachment_document};
use strongroom_service::volume::{
    NewVolume, VolumeChange, VolumeDeletion, VolumeFilter, VolumeKey, VolumeListing, VolumeOrigin,
};

use super::call::{Answer, Call};
use super::companions::{TYPE_ID, TYPE_NAME};
use super::list::{self, Vocabulary};
use super::microversion::Feature;
use super::paging::{self, PageView};
use super::validate::{self, Fields};
use crate::fault::Fault;
use crate::query::parse_bool;
use crate::reply::Reply;

/// The largest size that a body may name; quotas are what really bounds it.
pub(super) const MAX_GIB: u32 = 0x7fff_ffff;

const WORDS: Vocabulary<VolumeId, VolumeKey, VolumeFilter> = Vocabulary {
    noun: "Volume",
    id: |text| VolumeId::parse(text).ok(),
    key: |_, name| key(name),
    filter,
    never,
};

/// The condition that no volume meets.
const fn never() -> VolumeFilter {
    VolumeFilter::Ids(Vec::new())
}

fn key(name: &str) -> Option<VolumeKey> {
    Some(match name {
        "id" => VolumeKey::Id,
        "name" | "display_name" => VolumeKey::Name,
        "status" => VolumeKey::Status,
        "size" => VolumeKey::Size,
        "created_at" => VolumeKey::CreatedAt,
        "updated_at" => VolumeKey::UpdatedAt,
        "availability_zone" => VolumeKey::AvailabilityZone,
        "bootable" => VolumeKey::Bootable,
        _ => return None,
    })
}

fn filter(call: &Call, name: &str, value: &str) -> Option<VolumeFilter> {
    let has_likes = call.version.has(Feature::StrictFilters);
    Some(match name {
        "name" | "display_name" => VolumeFilter::Name(value.to_owned()),
        "name~" if has_likes => VolumeFilter::NameLike(value.to_owned()),
        "status" => VolumeFilter::Status(value.to_owned()),
        "bootable" => parse_bool(value).map_or_else(never, VolumeFilter::Bootable),
        "availability_zone" => VolumeFilter::AvailabilityZone(value.to_owned()),
        "metadata" => one_pair(value).unwrap_or_else(never),
        "project_id" if call.caller.is_admin() => {
            VolumeFilter::Project(ProjectId::parse(value).ok()?)
        }
        _ => return None,
    })
}

/// `{'key': 'value'}`, as Python prints it, or the same as JSON.
fn one_pair(text: &str) -> Option<VolumeFilter> {
    let parsed =
        serde_json::from_str(text).or_else(|_| serde_json::from_str(&text.replace('\'', "\"")));
    let map: Map<String, Value> = parsed.ok()?;
    let (key, value) = map.into_iter().next()?;
    Some(VolumeFilter::Metadata(key, value.as_str()?.to_owned()))
}

/// `GET /volumes` and `GET /volumes/detail`.
pub(super) async fn list(call: &Call, path: &str, view: View) -> Answer {
    let listing = list::read(call, &WORDS)?;
    let limit = listing.limit;
    let listing = VolumeListing {
        all_projects: listing.all_projects,
        filters: listing.filters,
        sort: listing.sort,
        start: listing.start,
        limit,
        with_total: listing.with_total,
    };
    let page = call.service.volumes(&call.caller, listing).await;
    let page = page.map_err(|error| WORDS.fault(error))?;
    let items: Vec<Value> = match view {
        View::Summary => page.items.iter().map(|item| summary(call, item)).collect(),
        View::Detail => {
            let attachments = call.service.attachments(&call.caller).await?;
            page.items.iter().map(|item| detail(call, item, &attachments)).collect()
        }
    };
    let last_id = page.items.last().map(|item| item.id.to_string());
    let page = PageView { items, last_id, total: page.total };
    Ok(Reply::ok(paging::document(call, path, limit, page)))
}

/// How a list shows each volume.
#[derive(Debug, Clone, Copy)]
pub(super) enum View {
    /// Its name.
    Summary,
    /// All its fields.
    Detail,
}

/// `GET /volumes/ID`.
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let volume = call.service.volume(&call.caller, id).await?;
    let attachments = call.service.attachments(&call.caller).await?;
    Ok(Reply::ok(json!({"volume": detail(call, &volume, &attachments)})))
}

/// `POST /volumes`.
pub(super) async fn create(call: &Call) -> Answer {
    let new = read_new(call, &call.json()?)?;
    let volume = call.service.create_volume(&call.caller, new).await?;
    let attachments = Attachments::default();
    Ok(Reply::accepted(json!({"volume": plain(call, &volume, &attachments)})))
}

fn read_new(call: &Call, body: &Value) -> Result<NewVolume, Fault> {
    let fields = Fields::of(body, "volume")?;
    let origin = read_origin(call, &fields)?;
    let size = fields.get("size").map(|size| read_size("size", size)).transpose()?;
    if size.is_none() && origin == VolumeOrigin::Empty {
        fields.required("size")?;
        return Err(Fault::invalid_input("Volume size must be an integer and greater than 0"));
    }
    Ok(NewVolume {
        size,
        name: name(&fields)?,
        description: description(&fields)?,
        availability_zone: fields.text("availability_zone")?,
        metadata: fields.metadata("metadata")?.unwrap_or_default(),
        origin,
    })
}

fn read_origin(call: &Call, fields: &Fields<'_>) -> Result<VolumeOrigin, Fault> {
    if ["imageRef", "image_id"].iter().any(|key| fields.get(key).is_some_and(|it| it != "")) {
        return Err(Fault::invalid_input("Volumes cannot be made from images here."));
    }
    if !call.version.has(Feature::VolumeFromBackup) && fields.get("backup_id").is_some() {
        return Err(Fault::bad_request(
            "Additional properties are not allowed ('backup_id' was unexpected)",
        ));
    }
    let snapshot = fields.id("snapshot_id", SnapshotId::parse)?;
    let source = fields.id("source_volid", VolumeId::parse)?;
    let backup = fields.id("backup_id", BackupId::parse)?;
    match (snapshot, source, backup) {
        (None, None, None) => Ok(VolumeOrigin::Empty),
        (Some(id), None, None) => Ok(VolumeOrigin::Snapshot(id)),
        (None, Some(id), None) => Ok(VolumeOrigin::Volume(id)),
        (None, None, Some(id)) => Ok(VolumeOrigin::Backup(id)),
        _ => {
            Err(Fault::bad_request("May specify only one of snapshot_id, source_volid, backup_id"))
        }
    }
}

/// A size in GiB: a whole number above 0, or the digits of one.
pub(super) fn read_size(field: &str, value: &Value) -> Result<GiB, Fault> {
    let size = match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64().and_then(|size| u32::try_from(size).ok()),
    };
    size.filter(|size| (1..=MAX_GIB).contains(size)).map(GiB).ok_or_else(|| {
        let why = format!("{} is not a whole number above 0", crate::json::repr(value));
        validate::invalid(field, value, &why)
    })
}

fn name(fields: &Fields<'_>) -> Result<Option<String>, Fault> {
    Ok(fields.text("name")?.or(fields.text("display_name")?))
}

fn description(fields: &Fields<'_>) -> Result<Option<String>, Fault> {
    Ok(fields.text("description")?.or(fields.text("display_description")?))
}

/// `PUT /volumes/ID`.
pub(super) async fn update(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let fields = Fields::of(&body, "volume")?;
    let change = VolumeChange {
        name: fields.text_change("name")?.or(fields.text_change("display_name")?),
        description: fields
            .text_change("description")?
            .or(fields.text_change("display_description")?),
        metadata: fields.metadata("metadata")?.map(MetadataChange::Replace),
        is_bootable: None,
    };
    let attachments = call.service.attachments(&call.caller).await?;
    let volume = call.service.update_volume(&call.caller, id, change).await?;
    Ok(Reply::ok(json!({"volume": plain(call, &volume, &attachments)})))
}

/// `DELETE /volumes/ID?cascade=&force=`.
pub(super) async fn delete(call: &Call, id: &str) -> Answer {
    let options = VolumeDeletion { cascade: call.flag("cascade"), is_forced: call.flag("force") };
    call.service.delete_volume(&call.caller, id, options).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// A volume as plain lists show it.
fn summary(call: &Call, volume: &Volume) -> Value {
    json!({
        "id": volume.id.to_string(),
        "name": volume.name,
        "links": call.links.of("volumes", volume.id),
    })
}

/// A volume with all its fields.
fn detail(call: &Call, volume: &Volume, attachments: &Attachments) -> Value {
    let mut view = plain(call, volume, attachments);
    view["os-vol-tenant-attr:tenant_id"] = Value::from(volume.project_id.as_str());
    view["os-vol-host-attr:host"] = Value::from(VOLUME_HOST);
    view["os-vol-mig-status-attr:migstat"] = Value::Null;
    view["os-vol-mig-status-attr:name_id"] = Value::Null;
    view
}

/// A volume as answers to changes show it: without what Cinder's extensions add.
fn plain(call: &Call, volume: &Volume, attachments: &Attachments) -> Value {
    let attached: Vec<Value> =
        attachments.of_volume(volume).map(attachment_document).into_iter().collect();
    let mut view = json!({
        "id": volume.id.to_string(),
        "status": volume.status.as_str(),
        "size": volume.size.0,
        "availability_zone": volume.availability_zone,
        "created_at": volume.created_at.format_naive(),
        "updated_at": volume.updated_at.map(|at| at.format_naive()),
        "name": volume.name,
        "description": volume.description,
        "volume_type": TYPE_NAME,
        "snapshot_id": volume.snapshot_id.map(|id| id.to_string()),
        "source_volid": volume.source_volume_id.map(|id| id.to_string()),
        "metadata": volume.metadata,
        "links": call.links.of("volumes", volume.id),
        "user_id": volume.user_id.as_str(),
        "bootable": volume.is_bootable.to_string(),
        "encrypted": false,
        "replication_status": null,
        "consistencygroup_id": null,
        "multiattach": false,
        "attachments": attached,
        "migration_status": null,
    });
    let versioned = [
        (Feature::VolumeGroup, "group_id", Value::Null),
        (Feature::SharedTargets, "service_uuid", Value::Null),
        (Feature::SharedTargets, "shared_targets", Value::from(false)),
        (Feature::VolumeTypeId, "volume_type_id", Value::from(TYPE_ID)),
        (Feature::ConsumesQuota, "consumes_quota", Value::from(true)),
    ];
    for (feature, key, value) in versioned {
        if call.version.has(feature) {
            view[key] = value;
        }
    }
    view
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_and_positive() {
        assert_eq!(read_size("size", &json!(3)).unwrap(), GiB(3));
        assert_eq!(read_size("size", &json!("7")).unwrap(), GiB(7));
        for bad in
            [json!(0), json!(-1), json!(1.5), json!("x"), json!(true), json!(4_294_967_296_u64)]
        {
            assert!(read_size("size", &bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_metadata_filter_is_read_from_python() {
        let expected = VolumeFilter::Metadata("k".to_owned(), "v".to_owned());
        for text in ["{'k': 'v'}", "{u'k': u'v'}", "{\"k\": \"v\"}"] {
            let found = one_pair(&text.replace("u'", "'"));
            assert_eq!(found.as_ref(), Some(&expected), "{text}");
        }
        assert_eq!(one_pair("k=v"), None);
    }
}
