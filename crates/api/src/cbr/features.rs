//! What this service can do, by keys that hold dots.

use serde_json::{Map, Value, json};

use super::call::{Answer, Call};
use super::fault::Fault;
use crate::reply::Reply;

/// The most that may be skipped of this list.
const MAX_OFFSET: i64 = 1000;

/// `GET /cbr-features`.
pub(super) fn list(call: &Call) -> Answer {
    let limit = call.query.optional("limit", |it| it.digits(1..=1000))?.unwrap_or(1000);
    let offset = call.query.optional("offset", |it| it.digits(0..=MAX_OFFSET))?.unwrap_or(0);
    let [limit, offset] = [limit, offset].map(|it| usize::try_from(it).unwrap_or_default());
    let page: Map<String, Value> = all(call).into_iter().skip(offset).take(limit).collect();
    Ok(Reply::ok(Value::Object(page)))
}

/// `GET /cbr-features/{feature_key}`.
pub(super) fn show(call: &Call, key: &str) -> Answer {
    let value = all(call).remove(key);
    let value = value.ok_or_else(|| Fault::invalid("Invalid feature_key provided."))?;
    Ok(Reply::ok(json!({ key: value })))
}

/// There is one zone; regions are as the operator connected them.
fn all(call: &Call) -> Map<String, Value> {
    let region = &call.service.settings().region;
    let destinations = call.service.replication_regions();
    [
        ("features.backup_double_az", json!(false)),
        ("features.bccrack_enable", json!(false)),
        ("replication.destination_dgw_regions", json!([])),
        ("replication.destination_regions", json!(destinations)),
        ("replication.enable", json!(!destinations.is_empty())),
        ("replication.source_region", json!(region)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}
