//! Tags on backups, through the vendor's door for them.

use serde_json::{Value, json};

use crate::world::{Client, World};

const TAGS: &str = "/v2/{p}/os-vendor-tags/backups";

async fn tagged(client: &Client<'_>, tags: Value) -> String {
    let volume = client.make_volume("v").await;
    let backup = client.make_backup(&volume, "b").await;
    client.post(&format!("{TAGS}/{backup}"), json!({"tags": tags})).await.expect(200);
    backup
}

#[tokio::test]
async fn every_operation_on_the_tags_of_a_backup() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let id = tagged(&member, json!({"a": "1"})).await;
    let path = format!("{TAGS}/{id}");
    let all = async || member.get(&path).await.expect(200);
    let added = member.post(&path, json!({"tags": {"b": "2", "x.json": ""}})).await.expect(200);
    assert_eq!(added, json!({"tags": {"b": "2", "x.json": ""}}), "what was sent");
    assert_eq!(all().await, json!({"tags": {"a": "1", "b": "2", "x.json": ""}}));
    let shown = member.get(&format!("{path}/x.json")).await.expect(200);
    assert_eq!(shown, json!({"tag": {"x.json": ""}}));
    let set = member.put(&format!("{path}/a%20b"), json!({"tag": {"a b": "3"}})).await;
    assert_eq!(set.expect(200), json!({"tag": {"a b": "3"}}));
    assert_eq!(all().await["tags"]["a b"], "3");
    let replaced = json!({"tags": {"a": "1", "c": "4", "d": "5"}});
    assert_eq!(member.put(&path, replaced.clone()).await.expect(200), replaced);
    let removed = member.delete(&format!("{path}/a")).await;
    assert_eq!((removed.status, removed.text.as_str()), (200, ""));
    assert_eq!(member.delete(&format!("{path}/a")).await.refusal(404), "Tags item was not found");
    assert_eq!(member.get(&format!("{path}/a")).await.refusal(404), "Tags item was not found");
    let action = json!({"os-delete_tags": {"c": "other", "none": "1"}});
    let acted = member.post(&format!("{path}/action"), action).await;
    assert_eq!((acted.status, acted.text.as_str()), (200, ""));
    assert_eq!(all().await, json!({"tags": {"d": "5"}}));
    let other = tagged(&member, json!({"d": "6"})).await;
    assert_ne!(id, other);
    let every = member.get(TAGS).await.expect(200);
    assert_eq!(every, json!({"tags": {"d": ["5", "6"]}}));
    for id in ["b", "00000000-0000-4000-8000-000000000000"] {
        let refusal = member.get(&format!("{TAGS}/{id}")).await.refusal(404);
        assert_eq!(refusal, format!("Backup {id} could not be found."));
    }
    for kind in ["volumes", "snapshots"] {
        assert_eq!(member.get(&format!("/v2/{{p}}/os-vendor-tags/{kind}")).await.status, 404);
    }
}

#[tokio::test]
async fn bad_tags_are_refused_in_cinders_envelope() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let path = format!("{TAGS}/{}", tagged(&member, json!({"a": "1"})).await);
    let refuse = async |method: &str, rest: &str, body: Value| {
        let answer = member.send(method, &format!("{path}{rest}"), Some(body)).await;
        let body = answer.expect(400);
        body["badRequest"]["message"].as_str().unwrap().to_owned()
    };
    let invalid = |part| format!("Invalid tags: Tags property {part} contains invalid characters.");
    for bad in ["a=b", "a*", "<a", "a>", "a\\b", "a,b", "a|b", "a/b", "a\u{0}", "\n"] {
        assert_eq!(refuse("POST", "", json!({"tags": {bad: "v"}})).await, invalid("key"));
        assert_eq!(refuse("PUT", "", json!({"tags": {"k": bad}})).await, invalid("value"));
    }
    for (method, rest, body) in [
        ("POST", "", json!({"tags": {"": "v"}})),
        ("POST", "", json!({"tags": {"k".repeat(37): "v"}})),
        ("POST", "", json!({"tags": {"k": "v".repeat(44)}})),
        ("POST", "", json!({"tags": {"k": 1}})),
        ("POST", "", json!({"tags": ["k"]})),
        ("POST", "", json!({"tag": {"k": "v"}})),
        ("PUT", "", json!({})),
        ("PUT", "/k", json!({"tag": {"k": "v", "x": "y"}})),
        ("POST", "/action", json!({"os-delete_tags": ["k"]})),
        ("POST", "/action", json!({"os-other": {}})),
        ("POST", "/action", json!({})),
    ] {
        assert!(!refuse(method, rest, body).await.is_empty());
    }
    let mismatch = refuse("PUT", "/k", json!({"tag": {"x": "y"}})).await;
    assert_eq!(mismatch, "Request body and URI mismatch");
    let many: serde_json::Map<_, _> = (0..10).map(|n| (format!("k{n}"), json!("v"))).collect();
    let refusal = refuse("POST", "", json!({"tags": many})).await;
    assert_eq!(refusal, "Invalid tags: no more than 10 tags are allowed.");
    assert_eq!(member.get(&path).await.expect(200), json!({"tags": {"a": "1"}}));
    let nul = json!({"os-delete_tags": {"\u{0}": ""}});
    assert_eq!(member.post(&format!("{path}/action"), nul).await.status, 200);
}

#[tokio::test]
async fn backups_are_found_by_their_tags() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let one = tagged(&member, json!({"a": "1", "b": "x"})).await;
    let two = tagged(&member, json!({"a": "2"})).await;
    let find = async |query: &str| {
        let query = query.replace('"', "%22");
        let answer = member.get(&format!("{TAGS}/resource_instances?{query}")).await;
        answer.expect(200)
    };
    let (first, second) = (vec![one.as_str()], vec![two.as_str()]);
    let (both, none) = (vec![one.as_str(), two.as_str()], Vec::new());
    for (query, expected) in [
        ("", &both),
        ("tags={}", &both),
        ("tags={'a':['1']}", &first),
        ("tags={'a':%20['1',%20u'2']}", &both),
        ("tags={\"a\":[\"1\"]}", &first),
        ("tags={'a':[],'b':[]}", &first),
        ("tags={'b':'x'}", &first),
        ("tags_any={'a':['2'],'b':['y']}", &second),
        ("not_tags={'a':[],'b':[]}", &second),
        ("not_tags_any={'a':[],'b':[]}", &none),
        ("tags={'a':[]}&not_tags_any={'b':['x']}", &second),
        ("tags={'z':['1']}", &none),
    ] {
        let found = find(query).await;
        let resources = found["resources"].as_array().unwrap();
        let ids: Vec<_> = resources.iter().map(|it| it["resource_id"].as_str().unwrap()).collect();
        assert_eq!((&ids, &found["total_count"]), (expected, &json!(expected.len())), "{query}");
    }
    let page = find("limit=1&offset=1").await;
    assert_eq!(page["total_count"], 2);
    let item = &page["resources"][0];
    let keys: Vec<_> = item.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["resource_id", "resource_name", "resource_detail", "tags"]);
    assert_eq!((&item["resource_id"], &item["resource_name"]), (&json!(two), &json!("b")));
    assert_eq!(item["tags"], json!({"a": "2"}));
    let detail = member.get(&format!("/v2/{{p}}/backups/{two}")).await.expect(200);
    assert_eq!(item["resource_detail"], detail["backup"]);
    let eleven: Vec<_> = (0..11).map(|n| n.to_string()).collect();
    let keys: Vec<_> = eleven.iter().map(|n| format!("'{n}':[]")).collect();
    for bad in [
        "tags=a".to_owned(),
        "tags=".to_owned(),
        "tags={'a':1}".to_owned(),
        "tags_any={'a'".to_owned(),
        "not_tags=['a']".to_owned(),
        "not_tags_any={'a':['\\x00']}".to_owned(),
        format!("tags={{{}}}", keys.join(",")),
        format!("tags={{'a':['{}']}}", eleven.join("','")),
        "limit=x".to_owned(),
        "offset=-1".to_owned(),
    ] {
        let bad = bad.replace('\\', "%5C").replace('"', "%22");
        let answer = member.get(&format!("{TAGS}/resource_instances?{bad}")).await;
        let body = answer.expect(400);
        assert!(body["badRequest"]["message"].is_string(), "{bad}");
    }
}
