//! Lists, as Keystone wraps them, and the conditions that it puts on them.

use serde_json::{Value, json};

use super::ask::Ask;
use crate::query::parse_bool;
use crate::reply::Reply;

/// The fields that a list can be narrowed by.
const CONDITIONS: [&str; 8] =
    ["name", "domain_id", "parent_id", "type", "service_id", "interface", "region_id", "id"];

/// The list of what meets the conditions of the query.
pub(super) fn reply(ask: &Ask, collection: &str, views: Vec<Value>) -> Reply {
    let kept: Vec<Value> = views.into_iter().filter(|view| is_wanted(ask, view)).collect();
    let links = json!({"self": ask.address(collection), "next": null, "previous": null});
    Reply::ok(json!({"links": links, collection: kept}))
}

/// A condition on a field that a view lacks is none.
fn is_wanted(ask: &Ask, view: &Value) -> bool {
    let meets = |key: &str| match (ask.query.get(key), view.get(key)) {
        (Some(wanted), Some(value)) => value == wanted,
        _ => true,
    };
    let is_enabled = match (ask.query.get("enabled").and_then(parse_bool), view.get("enabled")) {
        (Some(wanted), Some(value)) => *value == wanted,
        _ => true,
    };
    is_enabled && CONDITIONS.iter().all(|key| meets(key))
}
