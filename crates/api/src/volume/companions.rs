//! Small collections that clients ask for in the same breath as backups: one zone, one volume
//! type, and lists that are always empty.

use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::microversion::Feature;
use crate::fault::Fault;
use crate::reply::Reply;

/// The name of the only volume type, as Cinder names its own default.
pub(super) const TYPE_NAME: &str = strongroom_service::servers::documents::VOLUME_TYPE;

/// The id of the only volume type.
pub(super) const TYPE_ID: &str = "00000000-0000-4000-8000-000000000001";

/// `GET /os-availability-zone`.
pub(super) fn zones(call: &Call) -> Answer {
    let zone = json!({
        "zoneName": call.settings.availability_zone,
        "zoneState": {"available": true},
    });
    Ok(Reply::ok(json!({"availabilityZoneInfo": [zone]})))
}

/// `GET /types`.
pub(super) fn types() -> Answer {
    Ok(Reply::ok(json!({"volume_types": [only_type()]})))
}

/// `GET /types/ID`; `default` and the name do as well.
pub(super) fn volume_type(id: &str) -> Answer {
    if [TYPE_ID, TYPE_NAME, "default"].contains(&id) {
        Ok(Reply::ok(json!({"volume_type": only_type()})))
    } else {
        Err(Fault::missing("Volume type", id))
    }
}

fn only_type() -> Value {
    json!({
        "id": TYPE_ID,
        "name": TYPE_NAME,
        "is_public": true,
        "description": "Default Volume Type",
        "extra_specs": {},
        "qos_specs_id": null,
        "os-volume-type-access:is_public": true,
    })
}

/// A collection in which there is nothing.
pub(super) fn nothing(collection: &str) -> Answer {
    Ok(Reply::ok(json!({ collection: [] })))
}

/// `GET /resource_filters` (Q7).
pub(super) fn resource_filters(call: &Call) -> Answer {
    call.require(Feature::ResourceFilters)?;
    let wanted = call.query.get("resource");
    let table = [
        ("backup", json!(["name", "status", "volume_id", "name~", "status~", "volume_id~"])),
        ("volume", json!(["name", "status", "bootable", "availability_zone", "metadata", "name~"])),
        ("snapshot", json!(["name", "status", "volume_id", "name~"])),
    ];
    let filters: Vec<Value> = table
        .into_iter()
        .filter(|(resource, _)| wanted.is_none_or(|wanted| wanted == *resource))
        .map(|(resource, filters)| json!({"resource": resource, "filters": filters}))
        .collect();
    Ok(Reply::ok(json!({"resource_filters": filters})))
}
