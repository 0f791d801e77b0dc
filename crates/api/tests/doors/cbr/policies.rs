//! Policies: told back byte for byte, refused with the vendor's codes, unknown to others.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::{Client, World};

const PATH: &str = "/v3/{p}/policies";
const NIGHTLY: &str = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=22;BYMINUTE=00";

fn policy(definition: Value, patterns: &[&str]) -> Value {
    json!({"policy": {
        "name": "nightly",
        "operation_type": "backup",
        "operation_definition": definition,
        "trigger": {"properties": {"pattern": patterns}},
    }})
}

async fn make(client: &Client<'_>, body: Value) -> Value {
    client.post(PATH, body).await.expect(200)["policy"].take()
}

async fn make_plain(client: &Client<'_>) -> String {
    let made = make(client, policy(json!({}), &[NIGHTLY])).await;
    made["id"].as_str().unwrap().to_owned()
}

async fn refused(client: &Client<'_>, body: Value) -> String {
    client.post(PATH, body).await.refused(400)
}

/// What clients with static types decode.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct Policy {
    id: String,
    name: String,
    enabled: bool,
    operation_type: String,
    policy_type: String,
    operation_definition: Definition,
    trigger: Trigger,
    associated_vaults: Vec<Associated>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct Definition {
    max_backups: Option<i32>,
    retention_duration_days: Option<i32>,
    day_backups: Option<i32>,
    week_backups: Option<i32>,
    month_backups: Option<i32>,
    year_backups: Option<i32>,
    timezone: Option<String>,
    full_backup_interval: Option<i32>,
    destination_project_id: Option<String>,
    destination_region: Option<String>,
    enable_acceleration: Option<bool>,
    advanced_retention_rules: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct Trigger {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    properties: Properties,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Properties {
    pattern: Vec<String>,
    start_time: String,
    #[expect(dead_code, reason = "that it decodes is what is asserted")]
    start_window_minutes: Option<i32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct Associated {
    vault_id: String,
    destination_vault_id: Option<String>,
}

#[tokio::test]
async fn a_policy_has_the_documented_shape() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    let definition = json!({"max_backups": 14, "day_backups": 0, "week_backups": 4,
        "month_backups": 0, "year_backups": 0, "timezone": "UTC+01:00"});
    let mut body = policy(definition.clone(), &[NIGHTLY]);
    body["policy"]["trigger"]["properties"]["start_window_minutes"] = json!(480);
    let made = make(&cbr, body).await;
    let keys: Vec<_> = made.as_object().unwrap().keys().cloned().collect();
    let expected = [
        "id",
        "name",
        "enabled",
        "operation_type",
        "policy_type",
        "operation_definition",
        "trigger",
        "associated_vaults",
    ];
    assert_eq!(keys, expected);
    let decoded: Policy = serde_json::from_value(made.clone()).unwrap();
    assert_eq!((decoded.enabled, decoded.policy_type.as_str()), (true, "custom_policy"));
    assert_eq!((decoded.trigger.name.as_str(), decoded.trigger.kind.as_str()), ("default", "time"));
    let start = decoded.trigger.properties.start_time;
    assert!(start.len() == 19 && start.as_bytes()[10] == b' ', "{start}");
    assert_eq!(decoded.trigger.properties.pattern, [NIGHTLY]);
    assert_eq!(made["operation_definition"], definition);
    assert_eq!(made["trigger"]["properties"]["start_window_minutes"], 480);
    assert_eq!(made["associated_vaults"], json!([]));
    let id = made["id"].as_str().unwrap();
    let shown = cbr.get(&format!("{PATH}/{id}")).await.expect(200);
    assert_eq!(shown, json!({"policy": made}));
    let listed = cbr.get(PATH).await.expect(200);
    assert_eq!(listed, json!({"policies": [made], "count": 1}));
}

#[tokio::test]
async fn c14_what_clients_send_comes_back_byte_for_byte() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    for (definition, patterns) in [
        (
            json!({"max_backups": -1, "retention_duration_days": -1}),
            &["FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=14;BYMINUTE=00"][..],
        ),
        (
            json!({"retention_duration_days": -1, "max_backups": 20}),
            &["FREQ=DAILY;INTERVAL=2;BYHOUR=05;BYMINUTE=00"],
        ),
        (
            json!({"day_backups": 0, "week_backups": 0, "month_backups": 0, "year_backups": 0,
                "max_backups": 0, "retention_duration_days": 0, "timezone": "UTC+03:00"}),
            &["BYMINUTE=0;BYHOUR=7;BYDAY=SU;FREQ=WEEKLY", "freq=daily; byhour=9,11; byminute=00;"],
        ),
        (json!({}), &["FREQ=DAILY;BYHOUR=00;BYMINUTE=07"]),
        (
            json!({"retention_duration_days": 30, "advanced_retention_rules": {
                "weekly_retention_rules": {"days_of_week": ["SU"], "retention_duration_periods": -1},
                "monthly_retention_rules": {"retention_type": "MONTHLY", "days_of_month": [-1, 15],
                    "retention_duration_periods": 12}}}),
            &["FREQ=DAILY;INTERVAL=1;BYHOUR=00;BYMINUTE=00"],
        ),
    ] {
        let made = make(&cbr, policy(definition.clone(), patterns)).await;
        assert_eq!(made["operation_definition"].to_string(), definition.to_string());
        assert_eq!(made["trigger"]["properties"]["pattern"], json!(patterns));
        let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
        assert_eq!(cbr.get(&path).await.expect(200)["policy"].to_string(), made.to_string());
        // What was read can be written back and changes nothing.
        assert_eq!(cbr.put(&path, json!({"policy": made})).await.expect(200)["policy"], made);
        cbr.delete(&path).await.expect(204);
        assert_eq!(cbr.get(&path).await.refused(404), "BackupService.6000");
    }
}

#[tokio::test]
async fn c15_a_change_of_the_name_keeps_everything_else() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    let mut body = policy(json!({"max_backups": 3}), &[NIGHTLY]);
    body["policy"]["enabled"] = json!(false);
    body["policy"]["trigger"]["properties"]["start_window_minutes"] = json!(60);
    let made = make(&cbr, body).await;
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let change = |change: Value| cbr.put(&path, json!({ "policy": change }));
    let mut expected = made.clone();
    expected["name"] = json!("other");
    assert_eq!(change(json!({"name": "other"})).await.expect(200)["policy"], expected);
    assert_eq!(change(json!({})).await.expect(200)["policy"], expected);
    // Null clears the window and nothing else.
    let null = json!({"trigger": {"properties": {"start_window_minutes": null}}});
    let cleared = change(null).await.expect(200)["policy"].take();
    assert_eq!(cleared["trigger"]["properties"].get("start_window_minutes"), None);
    assert_eq!(cleared["trigger"]["properties"]["pattern"], json!([NIGHTLY]));
    let days = json!({"operation_definition": {"retention_duration_days": 5}});
    let days = change(days).await.expect(200)["policy"].take();
    assert_eq!(days["operation_definition"], json!({"retention_duration_days": 5}));
    assert_eq!(days["enabled"], false);
}

#[tokio::test]
async fn lists_are_filtered_and_cut() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.insert(0, make_plain(&cbr).await);
        world.settle().await;
    }
    let found = async |query: &str| {
        let page = cbr.get(&format!("{PATH}?{query}")).await.expect(200);
        let ids = page["policies"].as_array().unwrap().iter();
        let ids: Vec<_> = ids.map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        (ids, page["count"].as_u64().unwrap())
    };
    assert_eq!(found("").await, (ids.clone(), 3));
    assert_eq!(found("operation_type=backup").await, (ids.clone(), 3));
    assert_eq!(found("operation_type=replication").await, (Vec::new(), 0));
    assert_eq!(found("limit=1&offset=1").await, (ids[1..2].to_vec(), 3));
    assert_eq!(found(&format!("limit=2&marker={}", ids[0])).await, (ids[1..].to_vec(), 3));
    assert_eq!(found(&format!("marker={}", ids[2])).await, (Vec::new(), 3));
    assert_eq!(found("name=other&unknown=1").await, (Vec::new(), 0));
    assert_eq!(found(&format!("vault_id={}", ids[0])).await, (Vec::new(), 0));
    for bad in ["limit=0", "marker=x", "vault_id=x", "enabled=maybe"] {
        let refused = cbr.get(&format!("{PATH}?{bad}")).await.refused(400);
        assert_eq!(refused, "BackupService.9900", "{bad}");
    }
    let unknown = cbr.get(&format!("{PATH}?operation_type=move")).await.refused(400);
    assert_eq!(unknown, "BackupService.6117");
}

#[tokio::test]
async fn each_refusal_has_its_code() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    let good = || policy(json!({}), &[NIGHTLY]);
    let mut moving = good();
    moving["policy"]["operation_type"] = json!("move");
    assert_eq!(refused(&cbr, moving).await, "BackupService.6117");
    for (pointer, value) in [
        ("/policy/name", json!("")),
        ("/policy/name", json!("a<b")),
        ("/policy/name", json!("x".repeat(65))),
        ("/policy/operation_type", json!(null)),
        ("/policy/operation_type", json!(7)),
        ("/policy/operation_definition", json!([])),
        ("/policy/operation_definition", json!(null)),
        ("/policy/operation_definition", json!({"max_backups": 100_000})),
        ("/policy/operation_definition", json!({"max_backups": "3"})),
        ("/policy/operation_definition", json!({"week_backups": 1})),
        ("/policy/operation_definition", json!({"timezone": "Berlin"})),
        ("/policy/trigger", json!(null)),
        ("/policy/trigger/properties", json!({})),
        ("/policy/trigger/properties/pattern", json!([])),
        ("/policy/trigger/properties/pattern", json!(NIGHTLY)),
        ("/policy/trigger/properties/pattern", json!([7])),
        ("/policy/trigger/properties/pattern", json!(vec![NIGHTLY; 25])),
        ("/policy/trigger/properties/pattern", json!(["FREQ=HOURLY"])),
        ("/policy/trigger/properties/pattern", json!(["FREQ=DAILY;BYHOUR=1;BYMINUTE=0,30"])),
        ("/policy", json!(null)),
        ("/policy", json!([])),
    ] {
        let mut body = good();
        *body.pointer_mut(pointer).unwrap() = value.clone();
        assert_eq!(refused(&cbr, body).await, "BackupService.9900", "{pointer} {value}");
    }
    for window in [json!(59), json!(481), json!("60")] {
        let mut body = good();
        body["policy"]["trigger"]["properties"]["start_window_minutes"] = window;
        assert_eq!(refused(&cbr, body).await, "BackupService.9900");
    }
    let mut homeless = good();
    homeless["policy"]["operation_type"] = json!("replication");
    assert_eq!(refused(&cbr, homeless.clone()).await, "BackupService.9900");
    let definition = &mut homeless["policy"]["operation_definition"];
    definition["destination_region"] = json!("nowhere");
    definition["destination_project_id"] = json!("p");
    assert_eq!(refused(&cbr, homeless).await, "BackupService.1005");
    for name in ["nightly", "00000000-0000-4000-8000-000000000000", "%20"] {
        let path = format!("{PATH}/{name}");
        assert_eq!(cbr.get(&path).await.refused(404), "BackupService.6000");
        assert_eq!(cbr.put(&path, json!({"policy": {}})).await.refused(404), "BackupService.6000");
        assert_eq!(cbr.delete(&path).await.refused(404), "BackupService.6000");
    }
    // What was refused is not there.
    assert_eq!(cbr.get(PATH).await.expect(200)["count"], 0);
    for _ in 0..32 {
        make_plain(&cbr).await;
    }
    assert_eq!(refused(&cbr, good()).await, "BackupService.6001");
}

#[tokio::test]
async fn what_a_policy_does_is_settled() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    let path = format!("{PATH}/{}", make_plain(&cbr).await);
    let says = |word: &str| json!({"policy": {"name": "other", "operation_type": word}});
    assert_eq!(cbr.put(&path, says("replication")).await.refused(400), "BackupService.9900");
    assert_eq!(cbr.put(&path, says("move")).await.refused(400), "BackupService.6117");
    assert_eq!(cbr.get(&path).await.expect(200)["policy"]["name"], "nightly");
    assert_eq!(cbr.put(&path, says("backup")).await.expect(200)["policy"]["name"], "other");
}

#[tokio::test]
async fn the_policies_of_others_do_not_exist() {
    let (world, alpha, beta) = World::with_projects().await;
    let id = make_plain(&world.cbr(&alpha.member)).await;
    for stranger in [&beta.member, &beta.admin] {
        let cbr = world.cbr(stranger);
        let path = format!("{PATH}/{id}");
        assert_eq!(cbr.get(&path).await.refused(404), "BackupService.6000");
        let change = json!({"policy": {"name": "x"}});
        assert_eq!(cbr.put(&path, change).await.refused(404), "BackupService.6000");
        assert_eq!(cbr.delete(&path).await.refused(404), "BackupService.6000");
        assert_eq!(cbr.get(PATH).await.expect(200)["count"], 0);
    }
}

#[tokio::test]
async fn one_policy_is_seen_through_both_doors() {
    let world = World::new().await;
    let (cbr, volume) = (world.cbr(&world.admin), world.volume(&world.admin));
    let made = make(&cbr, policy(json!({"max_backups": 7}), &["FREQ=DAILY;BYHOUR=4;BYMINUTE=0"]));
    let made = made.await;
    let seen = volume.get("/v2/{p}/backuppolicy").await.expect(200);
    let seen = &seen["backup_policies"][0];
    assert_eq!(seen["backup_policy_id"], made["id"]);
    assert_eq!(seen["scheduled_policy"]["frequency"], 1);
    assert_eq!(seen["scheduled_policy"]["start_time"], "04:00");
    assert_eq!(seen["scheduled_policy"]["rentention_num"], 7);
    let path = format!("/v2/{{p}}/backuppolicy/{}", made["id"].as_str().unwrap());
    let change = json!({"scheduled_policy": {"start_time": "05:00", "week_frequency": ["SUN"]}});
    volume.put(&path, change).await.expect(200);
    let told = cbr.get(PATH).await.expect(200)["policies"][0].take();
    let patterns = &told["trigger"]["properties"]["pattern"];
    assert_eq!(*patterns, json!(["FREQ=WEEKLY;BYDAY=SU;BYHOUR=05;BYMINUTE=00"]));
    assert_eq!(told["operation_definition"], json!({"max_backups": 7}));
}
