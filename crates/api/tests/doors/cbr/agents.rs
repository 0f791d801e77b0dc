//! Agents in servers.

use serde_json::{Value, json};

use super::protectables::server as machine;
use crate::world::{Client, World};

const ID: &str = "5f1c2a9e-0000-4000-8000-000000000001";
const OTHER: &str = "5f1c2a9e-0000-4000-8000-000000000002";

fn wish(id: &str) -> Value {
    json!({"agent": {
        "agent_id": id, "host_ip": "10.0.0.7", "host_name": "files", "host_os": "Linux",
        "agent_version": "23.9.0", "agent_type": "native", "unknown": {"key": 1},
    }})
}

async fn ids(cbr: &Client<'_>, query: &str) -> Vec<String> {
    let listed = cbr.get(&format!("/v3/{{p}}/agents{query}")).await.expect(200);
    let agents = listed["agents"].as_array().unwrap();
    agents.iter().map(|it| it["agent_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_agent_registers_and_registers_again() {
    let (world, alpha, _) = World::with_projects().await;
    let cbr = world.cbr(&alpha.member);
    let made = cbr.post("/v3/{p}/agents", wish(ID)).await.expect(200);
    let expected = json!({"agent": {
        "agent_id": ID, "agent_type": "native", "agent_version": "23.9.0", "host_ip": "10.0.0.7",
        "host_name": "files", "host_nickname": null, "host_os": "Linux", "status": "normal",
        "created_at": "2026-02-03T04:05:06.000007", "updated_at": null,
        "last_active_time": "2026-02-03T04:05:06.000007", "paths": [],
    }});
    assert_eq!(made, expected);
    let path = format!("/v3/{{p}}/agents/{ID}");
    assert_eq!(cbr.get(&path).await.expect(200), expected);
    let paths = json!({"add_path": ["/home"]});
    cbr.post(&format!("{path}/add-path"), paths).await.expect(200);
    world.settle().await;
    let mut again = wish(&ID.to_uppercase().replace('-', ""));
    again["agent"]["host_nickname"] = json!("shelf");
    again["agent"]["agent_type"] = Value::Null;
    let again = cbr.post("/v3/{p}/agents", again).await.expect(200);
    let agent = &again["agent"];
    assert_eq!((&agent["host_nickname"], &agent["agent_type"]), (&json!("shelf"), &json!("cloud")));
    assert_eq!(agent["created_at"], "2026-02-03T04:05:06.000007");
    assert_eq!(agent["updated_at"], "2026-02-03T04:05:07.000007");
    assert_eq!(agent["paths"][0]["dir_path"], "/home");
    assert_eq!(ids(&cbr, "").await, [ID]);
}

#[tokio::test]
async fn c22_an_agent_that_is_removed_answers_200_and_nothing() {
    let (world, alpha, _) = World::with_projects().await;
    let cbr = world.cbr(&alpha.member);
    cbr.post("/v3/{p}/agents", wish(ID)).await.expect(200);
    let path = format!("/v3/{{p}}/agents/{ID}");
    let told = json!({"agent": {"status": "uninstall"}});
    assert_eq!(cbr.put(&path, told).await.expect(200)["agent"]["status"], "uninstall");
    for (verb, key) in [("add-path", "add_path"), ("remove-path", "remove_path")] {
        let refused = cbr.post(&format!("{path}/{verb}"), json!({ key: ["/x"] })).await;
        assert_eq!(refused.refused(400), "BackupService.7403");
    }
    let gone = cbr.delete(&path).await;
    assert_eq!((gone.status, gone.text.as_str()), (200, ""));
    assert_eq!(cbr.get(&path).await.refused(404), "BackupService.7410");
    assert_eq!(cbr.delete(&path).await.refused(404), "BackupService.7410");
    assert!(ids(&cbr, "").await.is_empty());
}

#[tokio::test]
async fn agents_are_listed_by_page_status_and_id() {
    let (world, alpha, _) = World::with_projects().await;
    let cbr = world.cbr(&alpha.member);
    for id in [ID, OTHER] {
        cbr.post("/v3/{p}/agents", wish(id)).await.expect(200);
        world.settle().await;
    }
    let told = json!({"agent": {"status": "uninstall"}});
    cbr.put(&format!("/v3/{{p}}/agents/{ID}"), told).await.expect(200);
    for (query, expected) in [
        ("", vec![OTHER, ID]),
        ("?limit=1", vec![OTHER]),
        ("?limit=1&offset=1", vec![ID]),
        ("?offset=2", vec![]),
        (&format!("?limit=1&marker={OTHER}"), vec![ID]),
        (&format!("?marker={ID}"), vec![]),
        (&format!("?marker={}", "0".repeat(32)), vec![]),
        ("?status=normal", vec![OTHER]),
        ("?status=uninstall", vec![ID]),
        ("?status=abnormal", vec![]),
        (&format!("?agent_id={ID}&agent_id={OTHER}"), vec![OTHER, ID]),
        (&format!("?agent_id={ID},{OTHER}&limit=1"), vec![OTHER]),
        (&format!("?agent_id={ID}&whatever=1"), vec![ID]),
    ] {
        assert_eq!(ids(&cbr, query).await, expected, "{query}");
    }
    let page = cbr.get("/v3/{p}/agents?limit=1&offset=1").await.expect(200);
    assert_eq!(
        (&page["count"], &page["limit"], &page["offset"]),
        (&json!(2), &json!(1), &json!(1))
    );
    for bad in ["limit=0", "limit=1001", "status=x", "agent_id=x", "marker=x", "offset=-1"] {
        let refused = cbr.get(&format!("/v3/{{p}}/agents?{bad}")).await.refused(400);
        assert_eq!(refused, "BackupService.9900", "{bad}");
    }
}

#[tokio::test]
async fn directories_come_and_go() {
    let (world, alpha, _) = World::with_projects().await;
    let cbr = world.cbr(&alpha.member);
    cbr.post("/v3/{p}/agents", wish(ID)).await.expect(200);
    let path = format!("/v3/{{p}}/agents/{ID}");
    let add = async |body: Value| cbr.post(&format!("{path}/add-path"), body).await;
    let added = add(json!({"add_path": ["/home", "C:\\data", "/home"]})).await.expect(200);
    assert_eq!(added, json!({"added": ["/home", "C:\\data"], "existed": []}));
    let wish = json!({
        "add_path": ["/home", "d:/x"],
        "exclude_path": [{"path_name": "/home", "exclude_path_name": ["/home/a", "/home/b"]}],
    });
    let added = add(wish).await.expect(200);
    assert_eq!(added, json!({"added": ["d:/x"], "existed": ["/home"]}));
    let shown = cbr.get(&path).await.expect(200);
    let paths = shown["agent"]["paths"].as_array().unwrap();
    assert_eq!(paths.len(), 3);
    assert_eq!(paths[0]["exclude_paths"], "/home/a,/home/b");
    assert_eq!(paths[1]["exclude_paths"], "");
    let body = json!({"remove_path": ["/home", "/none"]});
    let removed = cbr.post(&format!("{path}/remove-path"), body).await.expect(200);
    assert_eq!(removed, json!({"removed": ["/home"], "not_existed": ["/none"]}));
    let many: Vec<String> = (0..63).map(|n| format!("/{n}")).collect();
    assert_eq!(add(json!({"add_path": many})).await.refused(400), "BackupService.7407");
    add(json!({"add_path": many[..62]})).await.expect(200);
}

#[tokio::test]
async fn bad_bodies_about_agents_are_refused() {
    let (world, alpha, _) = World::with_projects().await;
    let cbr = world.cbr(&alpha.member);
    cbr.post("/v3/{p}/agents", wish(ID)).await.expect(200);
    let with = |key: &str, value: Value| {
        let mut wish = wish(OTHER);
        wish["agent"][key] = value;
        wish
    };
    let long = json!("x".repeat(256));
    for body in [
        json!({}),
        json!({"agent": []}),
        json!({"agent": null}),
        with("host_ip", Value::Null),
        with("host_ip", json!("")),
        with("host_name", json!(1)),
        with("host_name", long.clone()),
        with("host_os", json!("a\u{0}")),
        with("agent_id", Value::Null),
        with("agent_type", json!("other")),
        with("agent_version", json!("1.2")),
        with("agent_version", json!("1.2.x")),
        with("agent_version", json!(1)),
        with("host_nickname", long),
    ] {
        let refused = cbr.post("/v3/{p}/agents", body.clone()).await.refused(400);
        assert_eq!(refused, "BackupService.9900", "{body}");
    }
    for id in [json!("x"), json!(1), json!(""), json!({})] {
        let refused = cbr.post("/v3/{p}/agents", with("agent_id", id)).await.refused(400);
        assert_eq!(refused, "BackupService.7403");
    }
    let exclude = |value: Value| json!({"add_path": ["/a"], "exclude_path": value});
    for (verb, body) in [
        ("add-path", json!({})),
        ("add-path", json!({"add_path": []})),
        ("add-path", json!({"add_path": "/a"})),
        ("add-path", json!({"add_path": ["a"]})),
        ("add-path", json!({"add_path": ["c:a"]})),
        ("add-path", json!({"add_path": [""]})),
        ("add-path", json!({"add_path": [null]})),
        ("add-path", json!({"add_path": vec!["/a"; 65]})),
        ("add-path", json!({"add_path": ["/a\u{0}"]})),
        ("add-path", exclude(json!({}))),
        ("add-path", exclude(json!([{"path_name": "/a"}]))),
        ("add-path", exclude(json!([{"path_name": "/b", "exclude_path_name": []}]))),
        ("add-path", exclude(json!([{"path_name": "/a", "exclude_path_name": ["/a,b"]}]))),
        ("remove-path", json!({"remove_path": [1]})),
        ("remove-path", json!({"add_path": ["/a"]})),
    ] {
        let answer = cbr.post(&format!("/v3/{{p}}/agents/{ID}/{verb}"), body.clone()).await;
        assert_eq!(answer.refused(400), "BackupService.9900", "{body}");
    }
    for body in [json!({}), json!({"agent": {}}), json!({"agent": {"status": "normal"}})] {
        let refused = cbr.put(&format!("/v3/{{p}}/agents/{ID}"), body).await.refused(400);
        assert_eq!(refused, "BackupService.9900");
    }
}

#[tokio::test]
async fn c24_c25_an_agent_that_there_is_not_is_not_found() {
    let (world, alpha, beta) = World::with_projects().await;
    world.cbr(&alpha.member).post("/v3/{p}/agents", wish(ID)).await.expect(200);
    let cbr = world.cbr(&beta.member);
    let uninstall = json!({"agent": {"status": "uninstall"}});
    for id in [ID, OTHER, "my-name", "%20", "a%2Fb"] {
        let path = format!("/v3/{{p}}/agents/{id}");
        let refused = [
            cbr.get(&path).await,
            cbr.put(&path, uninstall.clone()).await,
            cbr.delete(&path).await,
            cbr.post(&format!("{path}/add-path"), json!({"add_path": ["/a"]})).await,
            cbr.post(&format!("{path}/remove-path"), json!({"remove_path": ["/a"]})).await,
        ];
        for answer in refused {
            assert_eq!(answer.refused(404), "BackupService.7410", "{id}");
        }
    }
    // An id is nobody's outside its project.
    cbr.post("/v3/{p}/agents", wish(ID)).await.expect(200);
    cbr.delete(&format!("/v3/{{p}}/agents/{ID}")).await.expect(200);
    assert_eq!(ids(&world.cbr(&alpha.member), "").await, [ID]);
}

#[tokio::test]
async fn a_server_has_the_agent_that_registered_for_it() {
    let (world, alpha, _) = World::with_projects().await;
    let cbr = world.cbr(&alpha.member);
    let server = json!({"resource_id": ID, "resource_type": "OS::Nova::Server"});
    let body = json!({"agent_status": [server]});
    let told = cbr.post("/v3/{p}/agent/check", body).await.expect(200);
    let unknown = json!({"agent_status": [{
        "resource_id": ID, "installed": false, "code": 7100,
        "message": format!("Server {ID} not found."),
    }]});
    assert_eq!(told, unknown);
    let known = machine(&alpha.member.project, 1, &[]);
    let known = world.service.keep_server(known).await.unwrap().id.to_string();
    cbr.post("/v3/{p}/agents", wish(ID)).await.expect(200);
    let of = |id: &str| json!({"resource_id": id, "resource_type": "OS::Nova::Server"});
    let body = json!({"agent_status": [of(ID), of(&known)]});
    let told = cbr.post("/v3/{p}/agent/check", body.clone()).await.expect(200);
    let expected = json!({"agent_status": [
        {"resource_id": ID, "installed": true, "version": "23.9.0"},
        {"resource_id": known, "installed": false},
    ]});
    assert_eq!(told, expected);
    let uninstall = json!({"agent": {"status": "uninstall"}});
    cbr.put(&format!("/v3/{{p}}/agents/{ID}"), uninstall).await.expect(200);
    let told = cbr.post("/v3/{p}/agent/check", body).await.expect(200);
    assert_eq!(told["agent_status"][0]["installed"], false);
    for bad in [
        json!({}),
        json!({"agent_status": []}),
        json!({"agent_status": [null]}),
        json!({"agent_status": [{"resource_id": ID}]}),
        json!({"agent_status": [{"resource_id": ID, "resource_type": "OS::Cinder::Volume"}]}),
        json!({"agent_status": [{"resource_type": "OS::Nova::Server"}]}),
        json!({"agent_status": [{"resource_id": 1, "resource_type": "OS::Nova::Server"}]}),
    ] {
        let refused = cbr.post("/v3/{p}/agent/check", bad.clone()).await.refused(400);
        assert_eq!(refused, "BackupService.9900", "{bad}");
    }
}
