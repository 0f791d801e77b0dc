//! Tags on the vendor's policies.

use serde_json::{Value, json};

use crate::policies::{PATH, code, make, plain};
use crate::world::World;

// T-24: 204 for every change, 200 for the query.
#[tokio::test]
async fn t24_every_operation_on_the_tags_of_a_policy() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let id = make(&member, plain("p")).await;
    let path = format!("{PATH}/{id}/tags");
    let all = async || member.get(&path).await.expect(200)["tags"].clone();
    let tag = |key: &str, value: &str| json!({"key": key, "value": value});
    assert_eq!(all().await, json!([]));
    for value in ["1", "2"] {
        let added = member.post(&path, json!({"tag": tag("a", value)})).await;
        assert_eq!((added.status, added.text.as_str()), (204, ""));
    }
    member.post(&path, json!({"tag": tag("b c.json", "")})).await.expect(204);
    assert_eq!(all().await, json!([tag("a", "2"), tag("b c.json", "")]));
    member.delete(&format!("{path}/b%20c.json")).await.expect(204);
    let gone = member.delete(&format!("{path}/b%20c.json")).await;
    assert_eq!(code(&gone), "404 AutoBackup.0216");
    let act = async |action: Value| member.post(&format!("{path}/action"), action).await;
    act(json!({"action": "create", "tags": [tag("a", "3"), {"key": "d"}]})).await.expect(204);
    act(json!({"action": "update", "tags": [tag("d", "4")]})).await.expect(204);
    assert_eq!(all().await, json!([tag("a", "3"), tag("d", "4")]));
    act(json!({"action": "delete", "tags": [{"key": "a"}, tag("none", "x")]})).await.expect(204);
    assert_eq!(all().await, json!([tag("d", "4")]));
    let other = make(&member, plain("q")).await;
    member.post(&format!("{PATH}/{other}/tags"), json!({"tag": tag("d", "5")})).await.expect(204);
    let every = member.get(&format!("{PATH}/tags")).await.expect(200);
    assert_eq!(every, json!({"tags": [{"key": "d", "values": ["4", "5"]}]}));
}

// T-28: an action without tags does nothing, and that is no fault.
#[tokio::test]
async fn t28_an_action_may_come_without_tags() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let path = format!("{PATH}/{}/tags/action", make(&member, plain("p")).await);
    for action in ["create", "update", "delete"] {
        for body in [
            json!({"action": action}),
            json!({"action": action, "tags": []}),
            json!({"action": action, "tags": null}),
        ] {
            member.post(&path, body).await.expect(204);
        }
    }
    for action in [json!("Create"), json!("filter"), json!(1), json!(null), json!(["create"])] {
        let refused = member.post(&path, json!({"action": action, "tags": []})).await;
        assert_eq!(code(&refused), "400 AutoBackup.0222", "{action}");
    }
}

#[tokio::test]
async fn bad_tags_have_their_codes() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let path = format!("{PATH}/{}/tags", make(&member, plain("p")).await);
    for tag in [
        json!(null),
        json!([]),
        json!("a"),
        json!({}),
        json!({"key": "", "value": "v"}),
        json!({"key": "a*", "value": "v"}),
        json!({"key": "a", "value": "v<"}),
        json!({"key": "a\u{0}", "value": "v"}),
        json!({"key": "x".repeat(37), "value": "v"}),
        json!({"key": "a", "value": "x".repeat(44)}),
        json!({"key": "a", "value": 1}),
    ] {
        let refused = member.post(&path, json!({"tag": tag})).await;
        assert_eq!(code(&refused), "400 AutoBackup.0214", "{tag}");
        let refused = member
            .post(&format!("{path}/action"), json!({"action": "create", "tags": [tag]}))
            .await;
        assert_eq!(code(&refused), "400 AutoBackup.0214", "{tag}");
    }
    let many: Vec<_> = (0..11).map(|n| json!({"key": n.to_string(), "value": ""})).collect();
    let body = json!({"action": "create", "tags": many});
    let refused = member.post(&format!("{path}/action"), body).await;
    assert_eq!(code(&refused), "400 AutoBackup.0215");
    let long = json!({"action": "delete", "tags": [{"key": "x".repeat(128)}]});
    let refused = member.post(&format!("{path}/action"), long).await;
    assert_eq!(code(&refused), "400 AutoBackup.0214");
    let fine =
        json!({"action": "delete", "tags": [{"key": "x".repeat(127), "value": "v".repeat(255)}]});
    member.post(&format!("{path}/action"), fine).await.expect(204);
    assert_eq!(member.get(&path).await.expect(200), json!({"tags": []}));
}

// T-34: what was written is read at once; the tags of a policy that is not are not found.
#[tokio::test]
async fn t34_the_tags_of_no_policy_are_not_found() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    for id in ["x", "00000000-0000-4000-8000-000000000000"] {
        let path = format!("{PATH}/{id}/tags");
        assert_eq!(code(&member.get(&path).await), "404 AutoBackup.1100");
        for (method, rest, body) in [
            ("POST", "", Some(json!({"tag": {"key": "a", "value": "b"}}))),
            ("DELETE", "/a", None),
            ("POST", "/action", Some(json!({"action": "create"}))),
            ("POST", "/action", Some(json!({"action": "delete"}))),
        ] {
            let answer = member.send(method, &format!("{path}{rest}"), body).await;
            assert_eq!(code(&answer), "404 AutoBackup.0205", "{method} {rest}");
        }
    }
}

#[tokio::test]
async fn policies_are_found_by_their_tags() {
    let (world, alpha, beta) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let path = format!("{PATH}/resource_instances/action");
    for (name, tags) in [
        ("p", json!([{"key": "a", "value": "1"}])),
        ("q", json!([{"key": "a", "value": "2"}])),
        ("r", json!([])),
    ] {
        let mut body = plain(name);
        body["tags"] = tags;
        make(&member, body).await;
        world.pass(std::time::Duration::from_secs(1));
    }
    make(&world.volume(&beta.member), plain("foreign")).await;
    let names = async |mut body: Value| {
        body["action"] = json!("filter");
        let found = member.post(&path, body.clone()).await.expect(200);
        let items = found["resources"].as_array().unwrap().clone();
        let names: Vec<_> = items.iter().map(|it| it["resource_name"].as_str().unwrap()).collect();
        body["action"] = json!("count");
        let counted = member.post(&path, body).await.expect(200);
        assert_eq!(counted, json!({"total_count": found["total_count"]}));
        format!("{} {}", names.join(""), found["total_count"])
    };
    let a = |values: Value| json!([{"key": "a", "values": values}]);
    for (body, expected) in [
        (json!({}), "pqr 3"),
        (json!({"tags": a(json!([]))}), "pq 2"),
        (json!({"tags": a(json!(["1", "9"]))}), "p 1"),
        (json!({"tags_any": a(json!(["2"]))}), "q 1"),
        (json!({"not_tags": a(json!([]))}), "r 1"),
        (json!({"not_tags_any": a(json!(["2"]))}), "pr 2"),
        (json!({"matches": [{"key": "resource_name", "value": "q"}]}), "q 1"),
        (json!({"limit": "1", "offset": "1"}), "q 3"),
        (json!({"limit": 2, "offset": 2}), "r 3"),
    ] {
        assert_eq!(names(body.clone()).await, expected, "{body}");
    }
    let one = json!({"action": "filter", "tags": a(json!(["1"]))});
    let found = member.post(&path, one).await.expect(200);
    assert_eq!(found["resources"][0]["resource_detail"], Value::Null);
    assert_eq!(found["resources"][0]["tags"], json!([{"key": "a", "value": "1"}]));
    for (body, expected) in [
        (json!({"action": "drop"}), "400 AutoBackup.0222"),
        (json!({"tags": []}), "400 AutoBackup.0222"),
        (json!({"action": "filter", "tags": {}}), "400 AutoBackup.0214"),
        (json!({"action": "filter", "limit": 0}), "400 AutoBackup.0008"),
        (
            json!({"action": "filter", "matches": [{"key": "id", "value": "x"}]}),
            "400 AutoBackup.0008",
        ),
        (json!({}), "400 AutoBackup.0001"),
    ] {
        assert_eq!(code(&member.post(&path, body.clone()).await), expected, "{body}");
    }
}
