//! Tags on the vendor's policies: operations T1 to T6.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use strongroom_model::tag::{TagMatch, TagQuery, Tagged};
use strongroom_service::tag::TagSearch;

use super::call::{Answer, Call};
use super::policies::BODY;
use super::vendor_body::{self, get, refuse};
use super::{paging, policy_view};
use crate::fault::Fault;
use crate::reply::Reply;

const KIND: Tagged = Tagged::Policy;

/// A tag that is wrong.
const BAD_TAG: &str = "AutoBackup.0214";

/// Too many of them.
const TOO_MANY: &str = "AutoBackup.0215";

/// An action that does not exist.
const NO_ACTION: &str = "AutoBackup.0222";

/// The most characters of a key and of a value that are to be removed.
const REMOVED_MAX_CHARS: (usize, usize) = (127, 255);

/// The most keys of one condition, and the most values of one key.
const MATCHES_MAX: usize = 10;

/// `POST /backuppolicy/ID/tags` (T1): adds a tag, or overwrites that of the same key.
pub(super) async fn add(call: &Call, id: &str) -> Answer {
    let body = vendor_body::object(call, BODY)?;
    let missing = || refuse(BAD_TAG, "'tag' is missing.");
    let tag = vendor_body::tag(get(&body, "tag").ok_or_else(missing)?, BAD_TAG)?;
    call.service.add_tags(&call.caller, KIND, id, &[tag].into()).await?;
    Ok(done())
}

/// `DELETE /backuppolicy/ID/tags/KEY` (T2).
pub(super) async fn remove(call: &Call, id: &str, key: &str) -> Answer {
    match call.service.remove_tags(&call.caller, KIND, id, &[key.to_owned()]).await? {
        0 => Err(Fault::coded(
            StatusCode::NOT_FOUND,
            "AutoBackup.0216",
            format!("The policy has no tag '{key}'."),
        )),
        _ => Ok(done()),
    }
}

/// `GET /backuppolicy/ID/tags` (T3).
pub(super) async fn list(call: &Call, id: &str) -> Answer {
    let tags = call.service.tags(&call.caller, KIND, id).await?;
    Ok(Reply::ok(json!({"tags": policy_view::tags(&tags)})))
}

/// `GET /backuppolicy/tags` (T4): every key with its values.
pub(super) async fn list_all(call: &Call) -> Answer {
    let all = call.service.all_tags(&call.caller, KIND).await?;
    let tags = all.iter().map(|(key, values)| json!({"key": key, "values": values}));
    Ok(Reply::ok(json!({"tags": tags.collect::<Vec<_>>()})))
}

/// `POST /backuppolicy/ID/tags/action` (T5): several at once, or none.
pub(super) async fn act(call: &Call, id: &str) -> Answer {
    let body = vendor_body::object(call, BODY)?;
    let action = get(&body, "action").and_then(Value::as_str);
    let tags = || vendor_body::tags(get(&body, "tags"), BAD_TAG);
    match action {
        Some("create" | "update") => {
            call.service.add_tags(&call.caller, KIND, id, &tags()?).await?;
        }
        Some("delete") => {
            let tags = tags()?;
            let (key_max, value_max) = REMOVED_MAX_CHARS;
            let is_long = |(key, value): (&String, &String)| {
                key.chars().count() > key_max || value.chars().count() > value_max
            };
            if tags.iter().any(is_long) {
                return Err(refuse(BAD_TAG, "A key or a value is too long."));
            }
            let keys: Vec<_> = tags.into_keys().collect();
            call.service.remove_tags(&call.caller, KIND, id, &keys).await?;
        }
        _ => return Err(refuse(NO_ACTION, "'action' must be create, update or delete.")),
    }
    Ok(done())
}

/// `POST /backuppolicy/resource_instances/action` (T6): policies by their tags, or their number.
pub(super) async fn find(call: &Call) -> Answer {
    let body = vendor_body::object(call, BODY)?;
    let is_count = match get(&body, "action").and_then(Value::as_str) {
        Some("filter") => false,
        Some("count") => true,
        _ => return Err(refuse(NO_ACTION, "'action' must be filter or count.")),
    };
    let mut search = read_search(&body)?;
    if is_count {
        (search.limit, search.offset) = (0, 0);
    }
    let page = call.service.tagged(&call.caller, KIND, search).await?;
    let mut answer = json!({"total_count": page.total.unwrap_or_default()});
    if !is_count {
        let resources = page.items.iter().map(|item| {
            json!({
                "resource_id": item.id,
                "resource_name": item.name,
                "resource_detail": null,
                "tags": policy_view::tags(&item.tags),
            })
        });
        answer["resources"] = resources.collect();
    }
    Ok(Reply::ok(answer))
}

fn read_search(body: &Map<String, Value>) -> Result<TagSearch, Fault> {
    let limit = read_number(body, "limit")?.unwrap_or(paging::MAX_ITEMS);
    if !(1..=paging::MAX_ITEMS).contains(&limit) {
        return Err(refuse("AutoBackup.0008", "'limit' must be a whole number from 1 to 1000."));
    }
    let matches = |key| read_matches(get(body, key));
    Ok(TagSearch {
        query: TagQuery {
            all: matches("tags")?,
            any: matches("tags_any")?,
            not_all: matches("not_tags")?,
            not_any: matches("not_tags_any")?,
        },
        name: get(body, "matches").map(read_name).transpose()?.flatten(),
        offset: read_number(body, "offset")?.unwrap_or(0),
        limit,
    })
}

/// A whole number that is not negative, or its digits as a text.
fn read_number(body: &Map<String, Value>, key: &str) -> Result<Option<u32>, Fault> {
    let Some(value) = get(body, key) else { return Ok(None) };
    let number = match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    let number = number.and_then(|number| i32::try_from(number).ok()?.try_into().ok());
    number.map(Some).ok_or_else(|| {
        refuse("AutoBackup.0008", format!("'{key}' must be a whole number that is not negative."))
    })
}

fn read_matches(value: Option<&Value>) -> Result<Vec<TagMatch>, Fault> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let Value::Array(items) = value else {
        return Err(refuse(BAD_TAG, "A condition on tags must be a list."));
    };
    if items.len() > MATCHES_MAX {
        return Err(refuse(TOO_MANY, "A condition may have 10 keys at most."));
    }
    let mut matches: Vec<TagMatch> = Vec::new();
    for item in items {
        let wrong =
            || refuse(BAD_TAG, "A condition on a tag must have a 'key' and a list of 'values'.");
        let found = read_match(item).ok_or_else(wrong)?;
        if found.values.len() > MATCHES_MAX {
            return Err(refuse(TOO_MANY, "A key may have 10 values at most."));
        }
        if matches.iter().any(|known| known.key == found.key) {
            return Err(refuse(BAD_TAG, format!("The key '{}' occurs twice.", found.key)));
        }
        matches.push(found);
    }
    Ok(matches)
}

fn read_match(value: &Value) -> Option<TagMatch> {
    let map = value.as_object()?;
    let key = map.get("key")?.as_str().filter(|key| !key.is_empty())?.to_owned();
    let values = match get(map, "values") {
        None => Vec::new(),
        Some(values) => {
            let texts = values.as_array()?.iter().map(|value| Some(value.as_str()?.to_owned()));
            texts.collect::<Option<_>>()?
        }
    };
    Some(TagMatch { key, values })
}

/// The name that is looked for. It is the one thing besides tags by which policies are found.
fn read_name(value: &Value) -> Result<Option<String>, Fault> {
    let wrong = || {
        refuse("AutoBackup.0008", "'matches' must name a 'resource_name' and its 'value' at most.")
    };
    let items = value.as_array().ok_or_else(wrong)?;
    let mut name = None;
    for item in items {
        let is_name = item.get("key").is_some_and(|key| key == "resource_name");
        let text = item.get("value").and_then(Value::as_str).filter(|_| is_name);
        if name.replace(text.ok_or_else(wrong)?.to_owned()).is_some() {
            return Err(wrong());
        }
    }
    Ok(name)
}

fn done() -> Reply {
    Reply::empty(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Result<TagSearch, Fault> {
        read_search(body.as_object().unwrap())
    }

    // T-28: limit and offset come as texts too.
    #[test]
    fn t28_numbers_are_numbers_or_texts() {
        let search = read(&json!({"limit": "7", "offset": "2"})).unwrap();
        assert_eq!((search.limit, search.offset), (7, 2));
        let search = read(&json!({"limit": 1000, "offset": 0})).unwrap();
        assert_eq!((search.limit, search.offset), (1000, 0));
        assert_eq!(read(&json!({})).unwrap().limit, 1000);
        for bad in [json!(0), json!(1001), json!("x"), json!(-1), json!(1.5), json!([]), json!("")]
        {
            let fault = read(&json!({"limit": bad})).unwrap_err();
            assert_eq!(fault.code, Some("AutoBackup.0008"));
        }
        assert!(read(&json!({"offset": "-1"})).is_err());
    }

    #[test]
    fn conditions_are_bounded_lists_of_keys_with_values() {
        let good = json!({
            "tags": [{"key": "a", "values": ["1", "2"]}],
            "tags_any": [{"key": "b"}],
            "not_tags": [{"key": "c", "values": []}],
            "not_tags_any": [],
            "matches": [{"key": "resource_name", "value": "p"}],
        });
        let search = read(&good).unwrap();
        assert_eq!(search.query.all[0].values, ["1", "2"]);
        assert!(search.query.any[0].values.is_empty() && search.query.not_all[0].values.is_empty());
        assert_eq!(search.name.as_deref(), Some("p"));
        let many: Vec<_> = (0..11).map(|n| json!({"key": n.to_string()})).collect();
        let values: Vec<_> = (0..11).map(|n| n.to_string()).collect();
        for (tags, code) in [
            (json!({}), BAD_TAG),
            (json!([1]), BAD_TAG),
            (json!([{}]), BAD_TAG),
            (json!([{"key": ""}]), BAD_TAG),
            (json!([{"key": "a", "values": "x"}]), BAD_TAG),
            (json!([{"key": "a", "values": [1]}]), BAD_TAG),
            (json!([{"key": "a"}, {"key": "a"}]), BAD_TAG),
            (json!(many), TOO_MANY),
            (json!([{"key": "a", "values": values}]), TOO_MANY),
        ] {
            assert_eq!(read(&json!({"tags": tags})).unwrap_err().code, Some(code), "{tags}");
        }
        for bad in [json!({}), json!(["x"]), json!([{"key": "id", "value": "p"}])] {
            assert!(read(&json!({"matches": bad})).is_err());
        }
    }
}
