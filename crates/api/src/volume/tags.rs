//! The vendor's tags on backups: operations G1 to G9, in Cinder's envelope.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use strongroom_model::id::BackupId;
use strongroom_model::tag::{TagMatch, TagQuery, Tagged, Tags};
use strongroom_service::backup::{BackupFilter, BackupListing};
use strongroom_service::tag::{TagSearch, TaggedThing};

use super::call::{Answer, Call};
use super::validate::{self, Fields};
use super::{backup_view, paging, python};
use crate::fault::Fault;
use crate::reply::Reply;

const KIND: Tagged = Tagged::Backup;

/// The most keys of one condition, and the most values of one key.
const MATCHES_MAX: usize = 10;

/// `GET /os-vendor-tags/backups` (G1): every key with its values.
pub(super) async fn list_all(call: &Call) -> Answer {
    let all = call.service.all_tags(&call.caller, KIND).await?;
    Ok(Reply::ok(json!({"tags": all})))
}

/// `GET /os-vendor-tags/backups/ID` (G2).
pub(super) async fn list(call: &Call, id: &str) -> Answer {
    Ok(all(&call.service.tags(&call.caller, KIND, id).await?))
}

/// `POST /os-vendor-tags/backups/ID` (G3): adds and overwrites; answers with what was sent.
pub(super) async fn add(call: &Call, id: &str) -> Answer {
    let tags = read_tags(&call.json()?, "tags")?;
    call.service.add_tags(&call.caller, KIND, id, &tags).await?;
    Ok(all(&tags))
}

/// `PUT /os-vendor-tags/backups/ID` (G4): replaces all.
pub(super) async fn replace(call: &Call, id: &str) -> Answer {
    let tags = read_tags(&call.json()?, "tags")?;
    Ok(all(&call.service.replace_tags(&call.caller, KIND, id, &tags).await?))
}

/// `GET /os-vendor-tags/backups/ID/KEY` (G5).
pub(super) async fn show(call: &Call, id: &str, key: &str) -> Answer {
    let tags = call.service.tags(&call.caller, KIND, id).await?;
    Ok(one(key, tags.get(key).ok_or_else(no_tag)?))
}

/// `PUT /os-vendor-tags/backups/ID/KEY` (G6).
pub(super) async fn set(call: &Call, id: &str, key: &str) -> Answer {
    let tags = read_tags(&call.json()?, "tag")?;
    let value = match (tags.get(key), tags.len()) {
        (Some(value), 1) => value,
        (Some(_), _) => return Err(Fault::bad_request("Request body contains too many items")),
        (None, _) => return Err(Fault::bad_request("Request body and URI mismatch")),
    };
    call.service.add_tags(&call.caller, KIND, id, &tags).await?;
    Ok(one(key, value))
}

/// `DELETE /os-vendor-tags/backups/ID/KEY` (G7).
pub(super) async fn remove(call: &Call, id: &str, key: &str) -> Answer {
    let keys = [key.to_owned()];
    match call.service.remove_tags(&call.caller, KIND, id, &keys).await? {
        0 => Err(no_tag()),
        _ => Ok(Reply::empty(StatusCode::OK)),
    }
}

/// `POST /os-vendor-tags/backups/ID/action` (G8): removes tags by key, whatever their values.
pub(super) async fn act(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let keys: Vec<_> = match validate::action(&body)? {
        ("os-delete_tags", Value::Object(tags)) => tags.keys().cloned().collect(),
        ("os-delete_tags", other) => {
            return Err(validate::mistyped("os-delete_tags", other, "'object'"));
        }
        (other, _) => return Err(validate::no_action(other)),
    };
    call.service.remove_tags(&call.caller, KIND, id, &keys).await?;
    Ok(Reply::empty(StatusCode::OK))
}

/// `GET /os-vendor-tags/backups/resource_instances` (G9): backups by their tags.
pub(super) async fn find(call: &Call) -> Answer {
    let (limit, offset) = paging::read_offset_page(call)?;
    let query = TagQuery {
        all: read_matches(call, "tags")?,
        any: read_matches(call, "tags_any")?,
        not_all: read_matches(call, "not_tags")?,
        not_any: read_matches(call, "not_tags_any")?,
    };
    let search = TagSearch { query, name: None, offset, limit };
    let page = call.service.tagged(&call.caller, KIND, search).await?;
    let mut details = details_of(call, &page.items).await?;
    let resources: Vec<_> = page
        .items
        .iter()
        .map(|item| {
            json!({
                "resource_id": item.id,
                "resource_name": item.name,
                "resource_detail": details.remove(&item.id).unwrap_or_else(|| json!({})),
                "tags": item.tags,
            })
        })
        .collect();
    Ok(Reply::ok(json!({
        "total_count": page.total.unwrap_or_default(),
        "resources": resources,
    })))
}

/// The backups that were found, as the version of the request shows them. One that has gone since is
/// left out.
async fn details_of(call: &Call, found: &[TaggedThing]) -> Result<BTreeMap<String, Value>, Fault> {
    let ids = found.iter().filter_map(|item| BackupId::parse(&item.id).ok());
    let listing = BackupListing {
        filters: vec![BackupFilter::Ids(ids.collect())],
        limit: paging::MAX_ITEMS,
        ..BackupListing::default()
    };
    let page = call.service.backups(&call.caller, listing).await?;
    let views = page.items.iter();
    Ok(views.map(|item| (item.id.to_string(), backup_view::detail(call, item))).collect())
}

fn read_matches(call: &Call, name: &str) -> Result<Vec<TagMatch>, Fault> {
    let Some(text) = call.query.get(name) else { return Ok(Vec::new()) };
    let refusal = || {
        Fault::invalid_input(format!(
            "{name} must be a dictionary of at most {MATCHES_MAX} keys, each with a list of at \
             most {MATCHES_MAX} values."
        ))
    };
    let map = python::parse_dict(text).filter(|map| map.len() <= MATCHES_MAX);
    let matches: Vec<_> = map.ok_or_else(refusal)?.into_iter().map(tag_match).collect();
    match matches.iter().all(|wanted| wanted.values.len() <= MATCHES_MAX) {
        true => Ok(matches),
        false => Err(refusal()),
    }
}

fn tag_match((key, value): (String, Value)) -> TagMatch {
    let values = match value {
        Value::Array(items) => items,
        other => vec![other],
    };
    let texts = values.into_iter().filter_map(|value| value.as_str().map(str::to_owned));
    TagMatch { key, values: texts.collect() }
}

fn read_tags(body: &Value, name: &str) -> Result<Tags, Fault> {
    Fields::of(body, name)?;
    let map: &Map<String, Value> = body[name].as_object().ok_or_else(Fault::malformed_body)?;
    map.iter()
        .map(|(key, value)| match value {
            Value::String(text) => Ok((key.clone(), text.clone())),
            other => Err(validate::mistyped(key, other, "'string'")),
        })
        .collect()
}

fn no_tag() -> Fault {
    Fault::new(StatusCode::NOT_FOUND, "Tags item was not found")
}

fn all(tags: &Tags) -> Reply {
    Reply::ok(json!({"tags": tags}))
}

fn one(key: &str, value: &str) -> Reply {
    Reply::ok(json!({"tag": {key: value}}))
}
