//! The tags of vaults, and vaults by their tags.

use serde_json::{Value, json};

use crate::world::{Client, World};

async fn make(client: &Client<'_>, name: &str, tags: Value) -> String {
    let body = json!({"vault": {
        "name": name, "tags": tags, "resources": [],
        "billing": {
            "consistent_level": "crash_consistent", "object_type": "disk",
            "protect_type": "backup", "size": 40,
        },
    }});
    let made = client.post("/v3/{p}/vaults", body).await.expect(200);
    made["vault"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn tags_are_added_overwritten_and_removed() {
    let world = World::new().await;
    let client = world.cbr(&world.admin);
    let id = make(&client, "one", json!([])).await;
    let path = format!("/v3/{{p}}/vault/{id}/tags");
    let tag = |key: &str, value: &str| json!({"tag": {"key": key, "value": value}});
    client.post(&path, tag(" colour ", " red ")).await.expect(204);
    client.post(&path, tag("colour", "blue")).await.expect(204);
    let many = json!({"action": "create", "tags": [
        {"key": "数 据", "value": ""}, {"key": "a.b", "value": "1"},
    ]});
    client.post(&format!("{path}/action"), many).await.expect(204);
    let shown = client.get(&path).await.expect(200);
    let keys: Vec<_> = shown["tags"].as_array().unwrap().iter().map(|tag| &tag["key"]).collect();
    assert_eq!(keys, ["a.b", "colour", "数 据"]);
    assert_eq!(shown["tags"][1]["value"], "blue");
    let all = client.get("/v3/{p}/vault/tags").await.expect(200);
    assert_eq!(all["tags"][1], json!({"key": "colour", "values": ["blue"]}));
    let some = json!({"action": "delete", "tags": [{"key": "a.b"}, {"key": "absent"}]});
    client.post(&format!("{path}/action"), some).await.expect(204);
    client.delete(&format!("{path}/%20%E6%95%B0%20%E6%8D%AE")).await.expect(204);
    let gone = client.delete(&format!("{path}/a.b")).await;
    assert_eq!(gone.refused(404), "BackupService.6601");
    assert_eq!(client.get(&path).await.expect(200)["tags"].as_array().unwrap().len(), 1);
    client.delete(&format!("/v3/{{p}}/vaults/{id}")).await.expect(204);
    assert_eq!(client.get(&path).await.refused(404), "BackupService.6105");
    assert_eq!(client.get("/v3/{p}/vault/tags").await.expect(200), json!({"tags": []}));
}

#[tokio::test]
async fn bad_tags_and_too_many_are_refused() {
    let world = World::new().await;
    let client = world.cbr(&world.admin);
    let id = make(&client, "one", json!([])).await;
    let path = format!("/v3/{{p}}/vault/{id}/tags");
    for bad in [
        json!({}),
        json!({"tag": {"key": "a"}}),
        json!({"tag": {"key": "", "value": ""}}),
        json!({"tag": {"key": "a/b", "value": ""}}),
        json!({"tag": {"key": "a", "value": "x=y"}}),
        json!({"tag": {"key": "k".repeat(37), "value": ""}}),
        json!({"tag": {"key": "a", "value": "v".repeat(44)}}),
        json!({"tag": {"key": 1, "value": ""}}),
    ] {
        assert_eq!(
            client.post(&path, bad.clone()).await.refused(400),
            "BackupService.9900",
            "{bad}"
        );
    }
    let act = format!("{path}/action");
    for bad in [
        json!({"action": "create", "tags": []}),
        json!({"action": "create", "tags": [{"key": "a"}]}),
        json!({"action": "change", "tags": [{"key": "a", "value": ""}]}),
        json!({"action": "create", "tags": [{"key": "a", "value": ""}, {"key": "a ", "value": ""}]}),
    ] {
        assert_eq!(
            client.post(&act, bad.clone()).await.refused(400),
            "BackupService.9900",
            "{bad}"
        );
    }
    let some = |from: usize, to: usize| {
        let tags: Vec<_> =
            (from..to).map(|n| json!({"key": format!("k{n}"), "value": ""})).collect();
        json!({"action": "create", "tags": tags})
    };
    client.post(&act, some(0, 20)).await.expect(204);
    client.post(&act, some(0, 20)).await.expect(204);
    assert_eq!(client.post(&act, some(20, 21)).await.refused(400), "BackupService.6600");
}

#[tokio::test]
async fn vaults_are_found_and_counted_by_every_condition() {
    let world = World::new().await;
    let client = world.cbr(&world.admin);
    make(&client, "red-one", json!([{"key": "colour", "value": "red"}])).await;
    let both = json!([{"key": "colour", "value": "blue"}, {"key": "size", "value": "l"}]);
    make(&client, "blue-one", both).await;
    make(&client, "plain", json!([])).await;
    let act = "/v3/{p}/vault/resource_instances/action";
    let find = async |mut wish: Value| {
        wish["action"] = json!("filter");
        let found = client.post(act, wish.clone()).await.expect(200);
        wish["action"] = json!("count");
        let counted = client.post(act, wish).await.expect(200);
        assert_eq!(counted["total_count"], found["total_count"]);
        assert_eq!(counted.get("resources"), None);
        let names = found["resources"].as_array().unwrap().iter();
        let mut names: Vec<_> =
            names.map(|one| one["resource_name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let colour = |values: Value| json!([{"key": "colour", "values": values}]);
    assert_eq!(find(json!({})).await.len(), 3);
    assert_eq!(find(json!({"tags": colour(json!(["red", "green"]))})).await, ["red-one"]);
    assert_eq!(find(json!({"tags": colour(json!([]))})).await, ["blue-one", "red-one"]);
    let any = json!([{"key": "size", "values": ["l"]}, {"key": "colour", "values": ["red"]}]);
    assert_eq!(find(json!({"tags_any": any})).await, ["blue-one", "red-one"]);
    assert_eq!(find(json!({"not_tags": any})).await, ["blue-one", "plain", "red-one"]);
    assert_eq!(find(json!({"not_tags_any": any})).await, ["plain"]);
    let ignored = json!({"without_any_tag": true, "tags": colour(json!(["red"]))});
    assert_eq!(find(ignored).await, ["plain"]);
    let named = |value: &str| json!({"matches": [{"key": "resource_name", "value": value}]});
    assert_eq!(find(named("-one")).await, ["blue-one", "red-one"]);
    assert_eq!(find(named("")).await, [""; 0]);
    assert_eq!(find(json!({"object_type": "server"})).await, [""; 0]);
    assert_eq!(find(json!({"cloud_type": "public", "object_type": "disk"})).await.len(), 3);
    let system =
        |id: &str| json!({"sys_tags": [{"key": "_sys_enterprise_project_id", "values": [id]}]});
    assert_eq!(find(system("0")).await.len(), 3);
    assert_eq!(find(system("1")).await, [""; 0]);
    let page = json!({"action": "filter", "limit": "1", "offset": "2"});
    let page = client.post(act, page).await.expect(200);
    assert_eq!((page["resources"].as_array().unwrap().len(), &page["total_count"]), (1, &json!(3)));
    let one = &page["resources"][0];
    assert_eq!(one["resource_detail"]["vault"]["id"], one["resource_id"]);
    for bad in [
        json!({}),
        json!({"action": "list"}),
        json!({"action": "filter", "limit": "0"}),
        json!({"action": "filter", "limit": 1001}),
        json!({"action": "filter", "offset": "-1"}),
        json!({"action": "filter", "tags": []}),
        json!({"action": "filter", "tags": [{"values": []}]}),
        json!({"action": "filter", "matches": [{"key": "id", "value": "x"}]}),
        json!({"action": "filter", "object_type": "x"}),
    ] {
        assert_eq!(client.post(act, bad.clone()).await.refused(400), "BackupService.9900", "{bad}");
    }
}
