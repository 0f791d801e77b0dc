//! The tags of vaults.

use std::collections::BTreeSet;

use serde_json::json;
use strongroom_model::tag::{TagMatch, TagQuery, Tagged, Tags};
use strongroom_model::vault::{CloudType, ObjectType};
use strongroom_service::vault::{VaultFilter, VaultSearch};

use super::call::{Answer, Call};
use super::code::Code;
use super::fault::Fault;
use super::fields::{Field, Fields, any_text, some_text};
use super::{DONE, vault_document};
use crate::reply::Reply;

/// The most tags of a request. How many a vault may have is a rule, with a code of its own.
const TAGS_MAX: usize = 100;

/// The most conditions of one kind, and values of one condition.
const CONDITIONS_MAX: usize = 10;

/// The key under which enterprise projects are searched for.
const ENTERPRISE_PROJECT: &str = "_sys_enterprise_project_id";

/// Reads tags, at least so many, each key once. What surrounds keys and values is cut off.
pub(super) fn read(field: &Field<'_>, least: usize) -> Result<Tags, Fault> {
    let mut tags = Tags::new();
    for item in field.list(least..=TAGS_MAX)? {
        let (key, value) = tag(&item)?;
        let value = value.unwrap_or_default();
        if tags.insert(key, value).is_some() {
            return Err(item.refuse("the key is there twice"));
        }
    }
    Ok(tags)
}

fn tag(field: &Field<'_>) -> Result<(String, Option<String>), Fault> {
    let tag = field.object()?;
    let key = tag.required("key", |it| it.string())?.trim().to_owned();
    let value = tag.optional("value", |it| it.string())?.map(|text| text.trim().to_owned());
    Ok((key, value))
}

/// `GET /vault/tags`.
pub(super) async fn list_all(call: &Call) -> Answer {
    let all = call.service.all_tags(&call.caller, Tagged::Vault).await?;
    let tags: Vec<_> =
        all.iter().map(|(key, values)| json!({"key": key, "values": values})).collect();
    Ok(Reply::ok(json!({"tags": tags})))
}

/// `GET /vault/{vault_id}/tags`.
pub(super) async fn list(call: &Call, id: &str) -> Answer {
    let tags = call.service.tags(&call.caller, Tagged::Vault, id).await?;
    Ok(Reply::ok(json!({"tags": vault_document::tags(&tags)})))
}

/// `POST /vault/{vault_id}/tags`.
pub(super) async fn add(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let (key, value) = Fields::of(&body)?.required("tag", |it| tag(&it))?;
    let value = value.ok_or_else(|| Fault::invalid("tag.value is needed."))?;
    let tags = Tags::from([(key, value)]);
    call.service.add_tags(&call.caller, Tagged::Vault, id, &tags).await?;
    Ok(Reply::empty(DONE))
}

/// `POST /vault/{vault_id}/tags/action`.
pub(super) async fn change(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?;
    let creates = wish.required("action", |it| {
        it.word(|word| match word {
            "create" => Some(true),
            "delete" => Some(false),
            _ => None,
        })
    })?;
    let tags = wish.required("tags", |it| {
        if creates && it.list(1..=TAGS_MAX)?.iter().any(|it| !matches!(tag(it), Ok((_, Some(_))))) {
            return Err(it.refuse("each needs a key and a value"));
        }
        read(&it, 1)
    })?;
    if creates {
        call.service.add_tags(&call.caller, Tagged::Vault, id, &tags).await?;
    } else {
        let keys: Vec<_> = tags.into_keys().collect();
        call.service.remove_tags(&call.caller, Tagged::Vault, id, &keys).await?;
    }
    Ok(Reply::empty(DONE))
}

/// `DELETE /vault/{vault_id}/tags/{key}`.
pub(super) async fn delete(call: &Call, id: &str, key: &str) -> Answer {
    let keys = [key.trim().to_owned()];
    match call.service.remove_tags(&call.caller, Tagged::Vault, id, &keys).await? {
        0 => Err(Fault::new(Code::TagNotFound, format!("Tag {key} could not be found."))),
        _ => Ok(Reply::empty(DONE)),
    }
}

/// `POST /vault/resource_instances/action`.
pub(super) async fn search(call: &Call) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?;
    let counts = wish.required("action", |it| {
        it.word(|word| match word {
            "count" => Some(true),
            "filter" => Some(false),
            _ => None,
        })
    })?;
    let search = read_search(&wish, call, counts)?;
    let found = call.service.search_vaults(&call.caller, &search).await?;
    let total = found.total.unwrap_or(0);
    if counts {
        return Ok(Reply::ok(json!({"total_count": total})));
    }
    let resources: Vec<_> = found
        .items
        .iter()
        .map(|view| {
            let vault = vault_document::vault(view);
            json!({
                "resource_id": vault["id"],
                "resource_name": vault["name"],
                "tags": vault["tags"],
                "resource_detail": {"vault": vault},
            })
        })
        .collect();
    Ok(Reply::ok(json!({"resources": resources, "total_count": total})))
}

fn read_search(wish: &Fields<'_>, call: &Call, counts: bool) -> Result<VaultSearch, Fault> {
    let number = |key: &str, range| {
        Ok::<_, Fault>(
            wish.optional(key, |it| it.digits(range))?.and_then(|it| u32::try_from(it).ok()),
        )
    };
    let limit = number("limit", 1..=1000)?.unwrap_or(1000);
    let offset = number("offset", 0..=0x7fff_ffff)?.unwrap_or(0);
    let is_untagged = wish.optional("without_any_tag", |it| it.flag())?.unwrap_or(false);
    let given = TagQuery {
        all: conditions(wish, "tags")?,
        any: conditions(wish, "tags_any")?,
        not_all: conditions(wish, "not_tags")?,
        not_any: conditions(wish, "not_tags_any")?,
    };
    Ok(VaultSearch {
        tags: if is_untagged { TagQuery::default() } else { given },
        is_untagged,
        filters: filters(wish, call)?,
        offset: if counts { 0 } else { offset },
        limit: (!counts).then_some(limit),
    })
}

fn conditions(wish: &Fields<'_>, key: &str) -> Result<Vec<TagMatch>, Fault> {
    let read = |it: Field<'_>| {
        let condition = it.object()?;
        let values = condition.optional("values", |it| {
            it.each(0..=CONDITIONS_MAX, |it| Ok(it.text(any_text(255))?.to_owned()))
        })?;
        Ok(TagMatch {
            key: condition.required("key", |it| it.text(some_text(127)))?.trim().to_owned(),
            values: values.unwrap_or_default(),
        })
    };
    Ok(wish.optional(key, |it| it.each(1..=CONDITIONS_MAX, read))?.unwrap_or_default())
}

fn filters(wish: &Fields<'_>, call: &Call) -> Result<Vec<VaultFilter>, Fault> {
    let mut filters = Vec::new();
    let object = wish.optional("object_type", |it| it.word(ObjectType::parse))?;
    filters.extend(object.map(VaultFilter::ObjectType));
    let cloud = wish.optional("cloud_type", |it| it.word(CloudType::parse))?;
    filters.extend(cloud.map(VaultFilter::CloudType));
    let enterprise = call.query.optional("enterprise_project_id", |it| it.text(some_text(64)))?;
    filters.extend(enterprise.map(|id| VaultFilter::EnterpriseProjects(vec![id.to_owned()])));
    let names = wish.optional("matches", |it| it.each(0..=1, |it| name(&it)))?;
    filters.extend(names.unwrap_or_default());
    let system = wish.optional("sys_tags", |it| it.each(0..=1, |it| enterprise_projects(&it)))?;
    filters.extend(system.unwrap_or_default());
    Ok(filters)
}

/// A name that is not empty is looked for anywhere in the names; the empty one is meant exactly.
fn name(field: &Field<'_>) -> Result<VaultFilter, Fault> {
    let condition = field.object()?;
    condition.required("key", |it| it.word(|word| (word == "resource_name").then_some(())))?;
    let value = condition.required("value", |it| it.text(any_text(255)))?.to_owned();
    Ok(if value.is_empty() { VaultFilter::Name(value) } else { VaultFilter::NameContains(value) })
}

fn enterprise_projects(field: &Field<'_>) -> Result<VaultFilter, Fault> {
    let condition = field.object()?;
    condition.required("key", |it| it.word(|word| (word == ENTERPRISE_PROJECT).then_some(())))?;
    let values: BTreeSet<_> = condition
        .required("values", |it| {
            it.each(1..=CONDITIONS_MAX, |it| Ok(it.text(some_text(64))?.to_owned()))
        })?
        .into_iter()
        .collect();
    Ok(VaultFilter::EnterpriseProjects(values.into_iter().collect()))
}
