//! Policies of whole domains.

use serde_json::{Value, json};

use crate::world::{Access, World};

const ALL: &str = "/v3/{p}/organization-policies";

fn wish() -> Value {
    json!({"policy": {
        "name": "all-of-us", "operation_type": "backup", "policy_name": "nightly",
        "policy_enabled": true, "description": "every night", "effective_scope": "domain",
        "policy_operation_definition": {
            "max_backups": -1, "retention_duration_days": 7, "timezone": "UTC+08:00", "other": 1,
        },
        "policy_trigger": {"properties": {
            "pattern": ["FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=01;BYMINUTE=00"], "start_time": "ignored",
        }},
    }})
}

#[tokio::test]
async fn a_policy_of_the_domain_is_made_read_changed_and_removed() {
    let (world, alpha, _) = World::with_projects().await;
    let admin = world.cbr(&world.admin);
    let made = admin.post(ALL, wish()).await.expect(200);
    let id = made["policy"]["id"].as_str().unwrap();
    let path = format!("{ALL}/{id}");
    let expected = json!({"policy": {
        "id": id, "name": "all-of-us", "description": "every night", "domain_id": "default",
        "domain_name": "Default", "effective_scope": "domain", "operation_type": "backup",
        "policy_name": "nightly", "policy_enabled": true, "status": "available",
        "policy_operation_definition": {
            "max_backups": -1, "retention_duration_days": 7, "timezone": "UTC+08:00",
        },
        "policy_trigger": {"properties": {
            "pattern": ["FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=01;BYMINUTE=00"],
        }},
    }});
    assert_eq!(made, expected);
    let member = world.cbr(&alpha.member);
    assert_eq!(member.get(&path).await.expect(200), expected);
    let changed = admin.put(&path, json!({"policy": {"name": "x"}})).await.expect(200);
    let mut renamed = expected.clone();
    renamed["policy"]["name"] = json!("x");
    assert_eq!(changed, renamed);
    let body = json!({"policy": {
        "operation_type": "replication", "policy_enabled": false, "description": "",
        "policy_operation_definition": {"max_backups": 3},
    }});
    let changed = admin.put(&path, body).await.expect(200);
    assert_eq!(changed["policy"]["operation_type"], "backup");
    assert_eq!(changed["policy"]["policy_enabled"], false);
    assert_eq!(changed["policy"]["policy_operation_definition"], json!({"max_backups": 3}));
    assert_eq!(changed["policy"]["policy_trigger"], expected["policy"]["policy_trigger"]);
    admin.get(&format!("{path}/policy-detail")).await.expect(200);
    let gone = admin.delete(&path).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    for answer in [
        admin.get(&path).await,
        admin.put(&path, json!({"policy": {}})).await,
        admin.delete(&path).await,
        admin.get(&format!("{path}/policy-detail")).await,
        admin.get(&format!("{ALL}/my-name")).await,
    ] {
        assert_eq!(answer.refused(404), "BackupService.6000");
    }
}

#[tokio::test]
async fn a_project_neither_changes_nor_removes_what_the_domain_wants() {
    let (world, alpha, _) = World::with_projects().await;
    let admin = world.cbr(&world.admin);
    let made = admin.post(ALL, wish()).await.expect(200);
    let member = world.cbr(&alpha.member);
    let own = member.get("/v3/{p}/policies").await.expect(200)["policies"][0].clone();
    assert_eq!(own["policy_type"], "organization_policy_v2");
    let path = format!("/v3/{{p}}/policies/{}", own["id"].as_str().unwrap());
    let change = json!({"policy": {"name": "mine"}});
    assert_eq!(member.put(&path, change.clone()).await.refused(400), "BackupService.9900");
    assert_eq!(member.delete(&path).await.refused(400), "BackupService.9900");
    assert_eq!(member.get(&path).await.expect(200)["policy"], own);
    let of_domain = format!("{ALL}/{}", made["policy"]["id"].as_str().unwrap());
    admin.delete(&of_domain).await.expect(204);
    let changed = member.put(&path, change).await.expect(200);
    assert_eq!(changed["policy"]["name"], "mine");
    member.delete(&path).await.expect(204);
}

#[tokio::test]
async fn a_window_that_is_not_said_stays() {
    let world = World::new().await;
    let admin = world.cbr(&world.admin);
    let mut body = wish();
    body["policy"]["policy_trigger"]["properties"]["start_window_minutes"] = json!(90);
    let made = admin.post(ALL, body).await.expect(200);
    let path = format!("{ALL}/{}", made["policy"]["id"].as_str().unwrap());
    let pattern = "FREQ=WEEKLY;BYDAY=FR;BYHOUR=02;BYMINUTE=00";
    let mut change = json!({"policy": {"policy_trigger": {"properties": {"pattern": [pattern]}}}});
    let properties = async |change: &Value| {
        let changed = admin.put(&path, change.clone()).await.expect(200);
        changed["policy"]["policy_trigger"]["properties"].clone()
    };
    let kept = json!({"pattern": [pattern], "start_window_minutes": 90});
    assert_eq!(properties(&change).await, kept);
    change["policy"]["policy_trigger"]["properties"]["start_window_minutes"] = Value::Null;
    assert_eq!(properties(&change).await, json!({"pattern": [pattern]}));
}

#[tokio::test]
async fn policies_of_the_domain_are_listed_by_what_they_do() {
    let (world, alpha, _) = World::with_projects().await;
    let admin = world.cbr(&world.admin);
    let mut ids = Vec::new();
    for _ in 0..3 {
        let made = admin.post(ALL, wish()).await.expect(200);
        ids.insert(0, made["policy"]["id"].as_str().unwrap().to_owned());
        world.settle().await;
    }
    let list = async |query: &str| {
        let path = format!("{ALL}?operation_type=backup{query}");
        let listed = world.cbr(&alpha.member).get(&path).await.expect(200);
        assert_eq!(listed["count"], 3);
        let policies = listed["policies"].as_array().unwrap();
        policies.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list("").await, ids);
    assert_eq!(list("&limit=1&offset=1").await, ids[1..2]);
    assert_eq!(list(&format!("&limit=2&marker={}", ids[0])).await, ids[1..]);
    assert!(list("&offset=3").await.is_empty());
    let others = admin.get(&format!("{ALL}?operation_type=replication")).await.expect(200);
    assert_eq!(others, json!({"policies": [], "count": 0, "limit": 1000, "offset": 0}));
    for bad in ["", "?operation_type=", "?operation_type=x", "?operation_type=backup&limit=0"] {
        let refused = admin.get(&format!("{ALL}{bad}")).await.refused(400);
        assert_eq!(refused, "BackupService.9900", "{bad}");
    }
}

#[tokio::test]
async fn what_reaches_every_project_needs_a_power_that_does() {
    let (world, alpha, _) = World::with_projects().await;
    let made = world.cbr(&world.admin).post(ALL, wish()).await.expect(200);
    let path = format!("{ALL}/{}", made["policy"]["id"].as_str().unwrap());
    for access in [&alpha.member, &alpha.admin] {
        let cbr = world.cbr(access);
        for answer in [
            cbr.post(ALL, wish()).await,
            cbr.put(&path, json!({"policy": {"name": "x"}})).await,
            cbr.delete(&path).await,
        ] {
            assert_eq!(answer.refused(403), "BackupService.9998");
        }
    }
    let (stranger, _) = world.stranger().await;
    let hers = world.cbr(&stranger);
    assert_eq!(hers.get(&path).await.refused(404), "BackupService.6000");
    let listed = hers.get(&format!("{ALL}?operation_type=backup")).await.expect(200);
    assert_eq!(listed["count"], 0);
}

#[tokio::test]
async fn bad_bodies_about_policies_of_the_domain_are_refused() {
    let world = World::new().await;
    let admin = world.cbr(&world.admin);
    let made = admin.post(ALL, wish()).await.expect(200);
    let path = format!("{ALL}/{}", made["policy"]["id"].as_str().unwrap());
    let bad = [
        ("name", json!("")),
        ("name", json!("a b")),
        ("name", json!("x".repeat(65))),
        ("policy_name", json!(1)),
        ("policy_enabled", json!("true")),
        ("description", json!("<b>")),
        ("effective_scope", json!("x".repeat(256))),
        ("policy_operation_definition", json!([])),
        ("policy_operation_definition", json!({"max_backups": "1"})),
        ("policy_operation_definition", json!({"max_backups": -2})),
        ("policy_operation_definition", json!({"day_backups": 101})),
        ("policy_trigger", json!({"properties": {"pattern": ["every night"]}})),
        ("policy_operation_definition", json!({"timezone": 8})),
        ("policy_operation_definition", json!({"timezone": "\u{0}"})),
        ("policy_operation_definition", json!({"enable_acceleration": 1})),
        ("policy_trigger", json!({})),
        ("policy_trigger", json!({"properties": {}})),
        ("policy_trigger", json!({"properties": {"pattern": []}})),
        ("policy_trigger", json!({"properties": {"pattern": "x"}})),
        ("policy_trigger", json!({"properties": {"pattern": [1]}})),
        ("policy_trigger", json!({"properties": {"pattern": vec!["x"; 25]}})),
        ("policy_trigger", json!({"properties": {"pattern": ["x"], "start_window_minutes": 1}})),
    ];
    for (key, value) in bad {
        let mut whole = wish();
        whole["policy"][key] = value.clone();
        let refused = admin.post(ALL, whole).await.refused(400);
        assert_eq!(refused, "BackupService.9900", "{key}: {value}");
        let refused = admin.put(&path, json!({"policy": {key: value}})).await.refused(400);
        assert_eq!(refused, "BackupService.9900", "{key}: {value}");
    }
    for key in ["name", "operation_type", "policy_name", "policy_enabled", "policy_trigger"] {
        let mut whole = wish();
        whole["policy"].as_object_mut().unwrap().remove(key);
        assert_eq!(admin.post(ALL, whole).await.refused(400), "BackupService.9900", "{key}");
    }
    let mut whole = wish();
    whole["policy"]["operation_type"] = json!("restore");
    assert_eq!(admin.post(ALL, whole).await.refused(400), "BackupService.9900");
}

/// The policies of a project, by their names, with type and whether they run.
async fn own(world: &World, access: &Access) -> Vec<(String, String, Value)> {
    let listed = world.cbr(access).get("/v3/{p}/policies").await.expect(200);
    let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
    let policies = listed["policies"].as_array().unwrap();
    policies
        .iter()
        .map(|it| (text(it, "name"), text(it, "policy_type"), it["enabled"].clone()))
        .collect()
}

#[tokio::test]
async fn every_project_of_the_domain_gets_the_policy_and_keeps_it() {
    let (world, alpha, beta) = World::with_projects().await;
    let admin = world.cbr(&world.admin);
    let (stranger, _) = world.stranger().await;
    let made = admin.post(ALL, wish()).await.expect(200);
    let path = format!("{ALL}/{}", made["policy"]["id"].as_str().unwrap());
    let expected = |name: &str, kind: &str, enabled: bool| {
        vec![(name.to_owned(), kind.to_owned(), json!(enabled))]
    };
    for access in [&alpha.member, &beta.member, &world.admin] {
        let found = own(&world, access).await;
        assert_eq!(found, expected("nightly", "organization_policy_v2", true));
    }
    assert!(own(&world, &stranger).await.is_empty());

    let detail = admin.get(&format!("{path}/policy-detail")).await.expect(200);
    let deployed = detail["policies"].as_array().unwrap();
    let of_alpha = deployed.iter().find(|it| it["project_id"] == alpha.member.project.as_str());
    let policy_id = of_alpha.unwrap()["policy_id"].as_str().unwrap();
    let shown = world.cbr(&alpha.member).get(&format!("/v3/{{p}}/policies/{policy_id}")).await;
    let shown = shown.expect(200);
    assert_eq!(shown["policy"]["operation_definition"]["retention_duration_days"], 7);

    // A project that comes later gets it too.
    let later = world.make_project("later", &world.admin_id().await).await;
    let detail = admin.get(&format!("{path}/policy-detail")).await.expect(200);
    let deployed = detail["policies"].as_array().unwrap();
    assert!(deployed.iter().any(|it| it["project_id"] == later.as_str()));
    assert_eq!(detail["count"], deployed.len());
    let page = admin.get(&format!("{path}/policy-detail?limit=1&offset=1")).await.expect(200);
    assert_eq!(page["policies"], json!([deployed[1]]));

    // No project removes it.
    let gone = world.cbr(&beta.member);
    let listed = gone.get("/v3/{p}/policies").await.expect(200);
    let id = listed["policies"][0]["id"].as_str().unwrap();
    let refused = gone.delete(&format!("/v3/{{p}}/policies/{id}")).await;
    assert_eq!(refused.refused(400), "BackupService.9900");
    let detail = admin.get(&format!("{path}/policy-detail")).await.expect(200);
    assert_eq!(detail["count"], deployed.len());

    let change = json!({"policy": {
        "policy_name": "weekly", "policy_enabled": false,
        "policy_operation_definition": {"max_backups": 3},
    }});
    admin.put(&path, change).await.expect(200);
    let found = own(&world, &alpha.member).await;
    assert_eq!(found, expected("weekly", "organization_policy_v2", false));
    admin.delete(&path).await.expect(204);
    let found = own(&world, &alpha.member).await;
    assert_eq!(found, expected("weekly", "organization_policy_removed", false));
    let found = own(&world, &beta.member).await;
    assert_eq!(found, expected("weekly", "organization_policy_removed", false));
}

#[tokio::test]
async fn a_policy_that_copies_needs_to_be_told_where_to() {
    let world = World::new().await;
    let admin = world.cbr(&world.admin);
    let mut copies = wish();
    copies["policy"]["operation_type"] = json!("replication");
    assert_eq!(admin.post(ALL, copies.clone()).await.refused(400), "BackupService.9900");
    let definition = &mut copies["policy"]["policy_operation_definition"];
    definition["destination_region"] = json!("elsewhere");
    definition["destination_project_id"] = json!("p");
    assert_eq!(admin.post(ALL, copies.clone()).await.refused(400), "BackupService.1005");
    world.connect("elsewhere");
    let made = admin.post(ALL, copies).await.expect(200);
    let path = format!("{ALL}/{}", made["policy"]["id"].as_str().unwrap());
    let body = json!({"policy": {"policy_operation_definition": {"max_backups": 2}}});
    let changed = admin.put(&path, body).await.expect(200);
    let definition = &changed["policy"]["policy_operation_definition"];
    assert_eq!(definition["destination_region"], "elsewhere");
    assert_eq!(definition["max_backups"], 2);
    let moved = json!({"destination_region": "nowhere"});
    let body = json!({"policy": {"policy_operation_definition": moved}});
    assert_eq!(admin.put(&path, body).await.refused(400), "BackupService.1005");
}
