//! The documented example requests, answered with exactly the documented keys and types.

use serde_json::{Value, json};

use crate::world::{Client, World};

/// A key and the types that its value may have.
pub(crate) type Shape = &'static [(&'static str, &'static [&'static str])];

const DETAIL_V2: Shape = &[
    ("status", &["string"]),
    ("description", &["string", "null"]),
    ("links", &["array"]),
    ("availability_zone", &["string", "null"]),
    ("volume_id", &["uuid"]),
    ("fail_reason", &["string", "null"]),
    ("id", &["uuid"]),
    ("size", &["integer"]),
    ("object_count", &["integer"]),
    ("container", &["string", "null"]),
    ("name", &["string", "null"]),
    ("created_at", &["timestamp"]),
    ("os-bak-tenant-attr:tenant_id", &["string"]),
    ("service_metadata", &["string"]),
    ("updated_at", &["timestamp", "null"]),
    ("data_timestamp", &["timestamp"]),
    ("has_dependent_backups", &["boolean"]),
    ("snapshot_id", &["uuid", "null"]),
    ("is_incremental", &["boolean"]),
];

const SUMMARY: Shape = &[("id", &["uuid"]), ("links", &["array"]), ("name", &["string", "null"])];

const LINK: Shape = &[("href", &["string"]), ("rel", &["string"])];

fn kinds(value: &Value) -> Vec<&'static str> {
    let mut kinds = vec![match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }];
    if let Value::String(text) = value {
        let pattern: String = text
            .chars()
            .map(|c| match c {
                'a'..='f' | '0'..='9' => '9',
                other => other,
            })
            .collect();
        match pattern.as_str() {
            "99999999-9999-9999-9999-999999999999" => kinds.push("uuid"),
            "9999-99-99T99:99:99.999999" => kinds.push("timestamp"),
            _ => {}
        }
    }
    kinds
}

/// The value is an object of exactly these keys, in this order, with these types.
#[track_caller]
pub(crate) fn assert_shape(value: &Value, shape: Shape) {
    let keys: Vec<_> = value.as_object().unwrap().keys().collect();
    let expected: Vec<_> = shape.iter().map(|(key, _)| key).collect();
    assert_eq!(keys, expected, "keys, in the documented order");
    for (key, allowed) in shape {
        let found = kinds(&value[key]);
        let fits = found.iter().any(|kind| allowed.contains(kind));
        assert!(fits, "{key} is {found:?}: {}", value[key]);
    }
}

/// Two backups of one volume that failed, named as in the examples, and one that is none of them.
async fn failed_backups(member: &Client<'_>, admin: &Client<'_>) -> String {
    let volume = member.make_volume("v").await;
    for name in ["backup", "backup", "other"] {
        let id = member.make_backup(&volume, name).await;
        if name == "backup" {
            let body = json!({"os-reset_status": {"status": "error"}});
            let path = format!("/v2/{{p}}/backups/{id}/action");
            admin.post(&path, body).await.expect(202);
        }
    }
    volume
}

// T-14: a link only if there is more. T-18: six digits and no zone. T-19: counts are numbers.
#[tokio::test]
async fn t14_t18_t19_the_version_two_detail_example() {
    let (world, alpha, _) = World::with_projects().await;
    let (member, admin) = (world.volume(&alpha.member), world.volume(&alpha.admin));
    let volume = failed_backups(&member, &admin).await;
    let query = format!("name=backup&status=error&limit=10&volume_id={volume}");
    let body = member.get(&format!("/v2/{{p}}/backups/detail?{query}")).await.expect(200);
    let keys: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["backups"]);
    let items = body["backups"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    for item in items {
        assert_shape(item, DETAIL_V2);
        assert_links(item, &alpha.member.project);
        assert_eq!(item["os-bak-tenant-attr:tenant_id"], alpha.member.project.as_str());
        assert_eq!((&item["name"], &item["status"]), (&json!("backup"), &json!("error")));
        let inner: Value =
            serde_json::from_str(item["service_metadata"].as_str().unwrap()).unwrap();
        for key in ["bootable", "backupurl", "BackupSize", "progress", "Type"] {
            assert!(inner.get(key).is_some(), "{key} in {inner}");
        }
        assert!(inner["progress"].is_string() && inner["BackupSize"].is_u64());
    }
}

#[track_caller]
fn assert_links(item: &Value, project: &str) {
    let id = item["id"].as_str().unwrap();
    let links = item["links"].as_array().unwrap();
    assert_eq!(links.len(), 2);
    links.iter().for_each(|link| assert_shape(link, LINK));
    let origin = "http://vol.test:8776";
    assert_eq!(links[0]["rel"], "self");
    assert_eq!(links[0]["href"], format!("{origin}/v2/{project}/backups/{id}"));
    assert_eq!(links[1]["rel"], "bookmark");
    assert_eq!(links[1]["href"], format!("{origin}/{project}/backups/{id}"));
}

#[tokio::test]
async fn t12_t13_the_next_link_of_the_examples_leads_on_and_ends() {
    let (world, alpha, _) = World::with_projects().await;
    let (member, admin) = (world.volume(&alpha.member), world.volume(&alpha.admin));
    failed_backups(&member, &admin).await;
    for collection in ["/v2/{p}/backups/detail", "/v3/{p}/backups", "/{p}/backups"] {
        let mut path = format!("{collection}?name=backup&limit=1&offset=0");
        let mut seen = Vec::new();
        // T-12: a marker is heeded, so that paging ends. T-13: host, project and path stay.
        while seen.len() < 5 {
            let body = member.get(&path).await.expect(200);
            let items = body["backups"].as_array().unwrap();
            seen.extend(items.iter().map(|item| item["id"].clone()));
            let Some(links) = body.get("backups_links") else {
                break;
            };
            assert_eq!(links.as_array().unwrap().len(), 1);
            assert_shape(&links[0], LINK);
            assert_eq!(links[0]["rel"], "next");
            let href = links[0]["href"].as_str().unwrap();
            let rest = href.strip_prefix("http://vol.test:8776").unwrap();
            // A path without a version is one of version 2.
            let stem = collection.replace("{p}", &alpha.member.project);
            let version = if stem.starts_with("/v") { "" } else { "/v2" };
            assert!(rest.starts_with(&format!("{version}{stem}?")), "{rest}");
            assert!(rest.contains("name=backup") && rest.contains("marker="), "{rest}");
            path = rest.to_owned();
        }
        seen.dedup();
        assert_eq!(seen.len(), 2, "{collection}");
    }
}

#[tokio::test]
async fn the_version_three_summary_example() {
    let (world, alpha, _) = World::with_projects().await;
    let (member, admin) = (world.volume(&alpha.member), world.volume(&alpha.admin));
    let volume = failed_backups(&member, &admin).await;
    let query = format!("name=backup&status=error&limit=10&volume_id={volume}");
    let path = format!("/v3/{{p}}/backups?{query}");
    let body = member.get(&path).await.expect(200);
    assert_eq!(body["backups"].as_array().unwrap().len(), 2);
    for item in body["backups"].as_array().unwrap() {
        assert_shape(item, SUMMARY);
    }
    // The note of the example: the features need the header.
    let fuzzy = "name~=ACK&status~=rro&with_count=true&volume_id~=-";
    let path = format!("/v3/{{p}}/backups?{fuzzy}");
    let plain = member.get(&path).await.expect(200);
    assert_eq!(plain["backups"].as_array().unwrap().len(), 3);
    assert!(plain.get("count").is_none());
    let body = member.at("3.45").get(&path).await.expect(200);
    assert_eq!((body["backups"].as_array().unwrap().len(), &body["count"]), (2, &json!(2)));
}
