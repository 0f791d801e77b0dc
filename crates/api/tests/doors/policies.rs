//! The vendor's policies, the disks that they are bound to, and their tasks.

use std::time::Duration;

use serde_json::{Value, json};
use strongroom_service::policy::PolicyChange;

use crate::world::{Answer, Client, World};

pub(crate) const PATH: &str = "/v2/{p}/backuppolicy";

const RESOURCES: &str = "/v2/{p}/backuppolicyresources";

/// The body of a policy that runs every day at noon and keeps two backups.
pub(crate) fn plain(name: &str) -> Value {
    json!({
        "backup_policy_name": name,
        "scheduled_policy": {
            "start_time": "12:00", "frequency": 1, "rentention_num": 2, "status": "ON",
        },
    })
}

/// Makes a policy and returns its id.
pub(crate) async fn make(client: &Client<'_>, body: Value) -> String {
    let made = client.post(PATH, body).await.expect(200);
    made["backup_policy_id"].as_str().unwrap().to_owned()
}

/// The status and code of a refusal in the vendor's envelope.
#[track_caller]
pub(crate) fn code(answer: &Answer) -> String {
    let body = answer.json();
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{}", answer.text);
    assert!(!body["error"]["message"].as_str().unwrap().is_empty());
    format!("{} {}", answer.status, body["error"]["code"].as_str().unwrap())
}

async fn show(client: &Client<'_>, id: &str) -> Value {
    let all = client.get(PATH).await.expect(200);
    let policies = all["backup_policies"].as_array().unwrap().clone();
    policies.into_iter().find(|policy| policy["backup_policy_id"] == id).unwrap()
}

async fn bind(client: &Client<'_>, policy: &str, volume: &str) -> Value {
    let resource = json!({"resource_id": volume, "resource_type": "volume"});
    let body = json!({"backup_policy_id": policy, "resources": [resource]});
    client.post(RESOURCES, body).await.expect(200)
}

// T-24: 200, 200, 204. T-30: spelling. T-34: what was written is read at once.
#[tokio::test]
async fn t24_t30_t34_a_policy_from_its_making_to_its_end() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    assert_eq!(member.get(PATH).await.expect(200), json!({"backup_policies": []}));
    let body = json!({
        "backup_policy_name": "nightly.1",
        "scheduled_policy": {
            "start_time": "16:00,12:00", "week_frequency": ["MON", "SUN"], "rentention_day": 7.9,
            "remain_first_backup_of_curMonth": "Y", "status": "OFF", "unknown": [],
        },
        "time_zone": "UTC+08:00",
        "tags": [{"key": "a", "value": "b"}],
    });
    let made = member.post(PATH, body).await;
    let made = made.expect(200);
    let id = made["backup_policy_id"].as_str().unwrap();
    assert_eq!(made.as_object().unwrap().len(), 1);
    let expected = json!({
        "backup_policy_id": id,
        "backup_policy_name": "nightly.1",
        "scheduled_policy": {
            "start_time": "16:00,12:00", "week_frequency": ["MON", "SUN"], "rentention_day": 7,
            "remain_first_backup_of_curMonth": "Y", "status": "OFF",
        },
        "policy_resource_count": 0,
        "time_zone": "UTC+08:00",
        "tags": [{"key": "a", "value": "b"}],
    });
    let all = member.get(PATH).await.expect(200);
    assert_eq!(all, json!({"backup_policies": [expected]}));
    assert_eq!(member.get(&format!("{PATH}/{id}")).await.expect(200), expected);
    let change = json!({"scheduled_policy": {"status": "ON"}});
    let changed = member.put(&format!("{PATH}/{id}"), change).await.expect(200);
    assert_eq!(changed, json!({"backup_policy_id": id}));
    assert_eq!(show(&member, id).await["scheduled_policy"]["status"], "ON");
    let removed = member.delete(&format!("{PATH}/{id}")).await;
    assert_eq!((removed.status, removed.text.as_str()), (204, ""));
    assert_eq!(code(&member.delete(&format!("{PATH}/{id}")).await), "404 AutoBackup.0205");
    assert_eq!(code(&member.get(&format!("{PATH}/{id}")).await), "404 AutoBackup.1100");
}

// T-28: a change may carry the id, and need not name the schedule.
#[tokio::test]
async fn t28_what_a_change_does_not_name_stays() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let id = make(&member, plain("p")).await;
    let path = format!("{PATH}/{id}");
    let change = async |body: Value| {
        let changed = member.put(&path, body).await.expect(200);
        assert_eq!(changed["backup_policy_id"], *id);
        show(&member, &id).await
    };
    let before = show(&member, &id).await;
    assert_eq!(change(json!({"backup_policy_id": id})).await, before);
    assert_eq!(change(json!({"backup_policy_name": null, "scheduled_policy": {}})).await, before);
    let renamed = change(json!({"backup_policy_name": "q"})).await;
    assert_eq!(renamed["backup_policy_name"], "q");
    assert_eq!(renamed["scheduled_policy"], before["scheduled_policy"]);
    let weekly = change(json!({"scheduled_policy": {"week_frequency": ["SAT"]}})).await;
    assert_eq!(weekly["scheduled_policy"].get("frequency"), None);
    assert_eq!(weekly["scheduled_policy"]["week_frequency"], json!(["SAT"]));
    let daily = change(json!({"scheduled_policy": {"frequency": 2}})).await;
    assert_eq!(daily["scheduled_policy"].get("week_frequency"), None);
    let by_days = change(json!({"scheduled_policy": {"rentention_day": 9}})).await;
    assert_eq!(by_days["scheduled_policy"].get("rentention_num"), None);
    assert_eq!(by_days["scheduled_policy"]["rentention_day"], 9);
    let by_count = change(json!({"scheduled_policy": {"rentention_num": 3}})).await;
    assert_eq!(by_count["scheduled_policy"].get("rentention_day"), None);
    let tagged = change(json!({"tags": [{"key": "a", "value": "b"}]})).await;
    assert_eq!(tagged["tags"], json!([{"key": "a", "value": "b"}]));
}

#[tokio::test]
async fn the_order_of_times_is_judged_in_the_zone_in_force() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let id = make(&member, plain("p")).await;
    let path = format!("{PATH}/{id}");
    let times = |text: &str| json!({"scheduled_policy": {"start_time": text}});
    member.put(&path, times("12:00,20:00")).await.expect(200);
    member.put(&path, json!({"time_zone": "UTC+08:00"})).await.expect(200);
    // What is shown is in the order in which it can be sent back.
    let shown = show(&member, &id).await["scheduled_policy"]["start_time"].clone();
    assert_eq!(shown, "20:00,12:00");
    assert_eq!(code(&member.put(&path, times("12:00,20:00")).await), "400 AutoBackup.0103");
    member.put(&path, times("20:00,12:00")).await.expect(200);
    let both = json!({"time_zone": "UTC-08:00", "scheduled_policy": {"start_time": "12:00,20:00"}});
    member.put(&path, both).await.expect(200);
}

#[tokio::test]
async fn a_project_may_have_so_many_policies() {
    let (world, alpha, beta) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    for number in 0..32 {
        make(&member, plain(&format!("p{number}"))).await;
    }
    assert_eq!(code(&member.post(PATH, plain("p")).await), "403 AutoBackup.0203");
    make(&world.volume(&beta.member), plain("p")).await;
}

#[tokio::test]
async fn a_policy_may_have_so_many_disks() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let policy = make(&member, plain("p")).await;
    let mut resources = Vec::new();
    for _ in 0..65 {
        let made = member.post("/v3/{p}/volumes", json!({"volume": {"size": 1}})).await;
        resources.push(json!({"resource_id": made.expect(202)["volume"]["id"]}));
    }
    world.settle().await;
    let body = json!({"backup_policy_id": policy, "resources": resources});
    let bound = member.post(RESOURCES, body).await.expect(200);
    assert_eq!(bound["success_resources"].as_array().unwrap().len(), 64);
    let failed = bound["fail_resources"].as_array().unwrap();
    assert_eq!(failed.len(), 1);
    assert_eq!(
        (&failed[0]["code"], &failed[0]["resource_id"]),
        (&json!("AutoBackup.0204"), &resources[64]["resource_id"])
    );
    assert_eq!(show(&member, &policy).await["policy_resource_count"], 64);
}

// T-29: what failed has a code, and only that. A disk belongs to one policy.
#[tokio::test]
async fn t29_disks_are_bound_each_for_itself() {
    let (world, alpha, beta) = World::with_projects().await;
    let (member, admin) = (world.volume(&alpha.member), world.volume(&alpha.admin));
    let (good, broken) = (member.make_volume("g").await, member.make_volume("b").await);
    let foreign = world.volume(&beta.member).make_volume("f").await;
    let reset = json!({"os-reset_status": {"status": "error"}});
    let action = format!("/v3/{{p}}/volumes/{broken}/action");
    assert_eq!(admin.post(&action, reset).await.status, 202);
    let policy = make(&member, plain("p")).await;
    let resources: Vec<_> = [&good, &broken, &foreign, &"x".to_owned()]
        .map(|id| json!({"resource_id": id, "resource_type": "volume"}))
        .to_vec();
    let body = json!({"backup_policy_id": policy, "resources": resources});
    let bound = member.post(RESOURCES, body).await.expect(200);
    let done = json!([{
        "resource_id": good, "resource_type": "volume", "availability_zone": "nova",
        "os_vol_host_attr": "pod01.nova",
    }]);
    assert_eq!(bound["success_resources"], done);
    let failed = bound["fail_resources"].as_array().unwrap();
    let codes: Vec<_> = failed.iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["AutoBackup.0206", "AutoBackup.0208", "AutoBackup.0208"]);
    assert!(failed.iter().all(|it| it["message"].is_string() && it["resource_id"].is_string()));
    let again = bind(&member, &policy, &good).await;
    assert_eq!((&again["success_resources"], &again["fail_resources"]), (&done, &json!([])));
    assert_eq!(show(&member, &policy).await["policy_resource_count"], 1);
    let other = make(&member, plain("q")).await;
    bind(&member, &other, &good).await;
    assert_eq!(show(&member, &policy).await["policy_resource_count"], 0);
    let release = async |policy: &str, id: &str| {
        let path = format!("{RESOURCES}/{policy}/deleted_resources");
        member.post(&path, json!({"resources": [{"resource_id": id}]})).await.expect(200)
    };
    let wrong = release(&policy, &good).await;
    assert_eq!(wrong["success_resources"], json!([]));
    assert_eq!(wrong["fail_resources"][0]["code"], "AutoBackup.1400");
    let right = release(&other, &good).await;
    assert_eq!(
        (&right["success_resources"][0]["resource_id"], &right["fail_resources"]),
        (&json!(good), &json!([]))
    );
    // What is refused shows the same keys whatever its type.
    let server = json!([{"resource_id": "s", "resource_type": "server"}]);
    let wish = json!({"backup_policy_id": policy, "resources": server});
    let refused = member.post(RESOURCES, wish).await.expect(200);
    let kind = &refused["fail_resources"][0];
    assert_eq!(
        (&kind["resource_type"], &kind["code"]),
        (&json!("server"), &json!("AutoBackup.0211"))
    );
    let unknown = format!("{RESOURCES}/x/deleted_resources");
    let answer = member.post(&unknown, json!({"resources": [{"resource_id": good}]})).await;
    assert_eq!(code(&answer), "404 AutoBackup.0205");
}

// T-27: without a body and a type, enabled or not, with disks or without.
#[tokio::test]
async fn t27_a_policy_is_run_by_hand() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let mut body = plain("p");
    body["scheduled_policy"]["status"] = json!("OFF");
    body["tags"] = json!([{"key": "a", "value": "b"}]);
    let policy = make(&member, body).await;
    let path = format!("{PATH}/{policy}");
    let execute = async || member.send("POST", &format!("{path}/action"), None).await;
    let idle = execute().await;
    assert_eq!((idle.status, idle.text.as_str()), (204, ""));
    let volume = member.make_volume("v").await;
    bind(&member, &policy, &volume).await;
    execute().await.expect(204);
    assert_eq!(code(&execute().await), "409 AutoBackup.0225");
    let tasks =
        async |query: &str| member.get(&format!("{path}/backuptasks{query}")).await.expect(200);
    let running = tasks("").await;
    let task = &running["tasks"][0];
    assert_eq!((&running["count"], &task["status"]), (&json!(1), &json!("RUNNING")));
    assert_eq!((&task["resource_id"], task.get("finished_at")), (&json!(volume), None));
    world.settle().await;
    let done = tasks("?status=EXECUTE_SUCCESS").await;
    let task = &done["tasks"][0];
    let created = task["created_at"].as_str().unwrap();
    assert!(created.len() == 23 && task["finished_at"].as_str().unwrap().len() == 23);
    assert_eq!(task.get("code"), None);
    let job = task["vbs_job_id"].as_str().unwrap();
    let job = member.get(&format!("/v1/{{p}}/jobs/{job}")).await.expect(200);
    let backup = job["entities"]["backup_id"].as_str().unwrap();
    let shown = member.get(&format!("/v2/{{p}}/backups/{backup}")).await.expect(200);
    assert_eq!(
        (&shown["backup"]["name"], &shown["backup"]["status"]),
        (&task["backup_name"], &json!("available"))
    );
    let tags = member.get(&format!("/v2/{{p}}/os-vendor-tags/backups/{backup}")).await;
    assert_eq!(tags.expect(200), json!({"tags": {"a": "b"}}));
}

#[tokio::test]
async fn tasks_are_listed_in_pages_newest_first() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let policy = make(&member, plain("p")).await;
    let volume = member.make_volume("v").await;
    bind(&member, &policy, &volume).await;
    for _ in 0..3 {
        let path = format!("{PATH}/{policy}/action");
        member.send("POST", &path, None).await.expect(204);
        world.settle().await;
    }
    let path = format!("{PATH}/{policy}/backuptasks");
    let ids = async |query: &str| {
        let page = member.get(&format!("{path}?{query}")).await.expect(200);
        let ids = page["tasks"].as_array().unwrap().iter().map(|task| task["job_id"].clone());
        (ids.collect::<Vec<_>>(), page["count"].as_u64().unwrap())
    };
    let (all, count) = ids("").await;
    assert_eq!((all.len(), count), (3, 3));
    let reversed: Vec<_> = all.iter().rev().cloned().collect();
    assert_eq!(ids("sort_dir=asc&sort_key=created_at").await, (reversed, 3));
    assert_eq!(ids("limit=1").await, (all[..1].to_vec(), 3));
    assert_eq!(ids("limit=1&offset=1").await, (all[1..2].to_vec(), 3));
    assert_eq!(ids("limit=0").await, (vec![], 3));
    let first = all[0].as_str().unwrap();
    assert_eq!(ids(&format!("marker={first}&limit=1")).await, (all[1..2].to_vec(), 3));
    assert_eq!(ids(&format!("job_id={first}")).await, (all[..1].to_vec(), 1));
    for none in ["status=WAITING", "status=nonsense", "job_id=x", "status=SKIP"] {
        assert_eq!(ids(none).await, (vec![], 0), "{none}");
    }
    for (bad, expected) in [
        ("limit=x", "400 AutoBackup.0008"),
        ("offset=-1", "400 AutoBackup.0008"),
        ("sort_dir=up", "400 AutoBackup.0008"),
        ("sort_key=id", "400 AutoBackup.0008"),
        ("marker=x", "404 common.0011"),
        ("marker=00000000-0000-4000-8000-000000000000", "404 common.0011"),
    ] {
        assert_eq!(code(&member.get(&format!("{path}?{bad}")).await), expected, "{bad}");
    }
    let unknown = format!("{PATH}/x/backuptasks?status=WAITING");
    assert_eq!(code(&member.get(&unknown).await), "404 AutoBackup.1100");
}

#[tokio::test]
async fn a_policy_runs_by_itself_when_its_hour_has_come() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let policy = make(&member, plain("p")).await;
    let volume = member.make_volume("v").await;
    bind(&member, &policy, &volume).await;
    // The world begins at four in the morning, and a token holds for eight hours.
    world.pass(Duration::from_secs(7 * 3600 + 53 * 60));
    world.service.run_due_policies().await.unwrap();
    assert_eq!(member.get(&format!("{PATH}/{policy}/backuptasks")).await.expect(200)["count"], 0);
    world.pass(Duration::from_secs(120));
    world.service.run_due_policies().await.unwrap();
    let tasks = member.get(&format!("{PATH}/{policy}/backuptasks")).await.expect(200);
    assert_eq!((&tasks["count"], &tasks["tasks"][0]["status"]), (&json!(1), &json!("RUNNING")));
}

#[tokio::test]
async fn a_change_that_is_refused_changes_no_tag() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let id = make(&member, plain("p")).await;
    // Another dialect gives it two rules, which cannot be changed in part.
    let token = world.service.validate_token(&alpha.member.token).await.unwrap();
    let caller = token.caller("req-test".to_owned());
    let mut trigger = world.service.policy(&caller, &id).await.unwrap().policy.trigger;
    trigger.rules.push(trigger.rules[0].clone());
    let two_rules = PolicyChange { trigger: Some(trigger), ..PolicyChange::default() };
    world.service.update_policy(&caller, &id, two_rules).await.unwrap();
    let tags = json!([{"key": "team", "value": "red"}]);
    let refused = json!({"scheduled_policy": {"start_time": "06:00"}, "tags": tags});
    let answer = member.put(&format!("{PATH}/{id}"), refused).await;
    assert_eq!(code(&answer), "400 AutoBackup.0008");
    assert_eq!(show(&member, &id).await["tags"], json!([]));
    let taken = json!({"backup_policy_name": "q", "tags": tags});
    member.put(&format!("{PATH}/{id}"), taken).await.expect(200);
    assert_eq!(show(&member, &id).await["tags"], tags);
}
