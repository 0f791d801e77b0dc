//! Space in use, by resource.

use serde_json::json;
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_service::vault::{StorageListing, whole_mib};

use super::call::{Answer, Call};
use crate::reply::Reply;

/// `GET /storage_usage`.
pub(super) async fn list(call: &Call) -> Answer {
    let query = &call.query;
    let number = |found: Option<i64>, otherwise| {
        found.and_then(|it| u32::try_from(it).ok()).unwrap_or(otherwise)
    };
    let listing = StorageListing {
        resource_id: query.optional("resource_id", |it| it.id(ResourceId::parse))?,
        kind: query.optional("resource_type", |it| it.word(ResourceKind::parse))?,
        offset: number(query.optional("offset", |it| it.digits(0..=0x7fff_ffff))?, 0),
        limit: number(query.optional("limit", |it| it.digits(1..=1000))?, 1000),
    };
    let found = call.service.storage_usage(&call.caller, &listing).await?;
    let usage: Vec<_> = found
        .items
        .iter()
        .map(|stored| {
            json!({
                "resource_id": stored.id.to_string(),
                "resource_name": stored.name,
                "resource_type": stored.kind.as_str(),
                "backup_count": stored.count,
                "backup_size": whole_mib(stored.bytes),
                "backup_size_multiaz": 0,
            })
        })
        .collect();
    Ok(Reply::ok(json!({"storage_usage": usage, "resource_count": found.total.unwrap_or(0)})))
}
