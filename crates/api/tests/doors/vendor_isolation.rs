//! Nobody reaches another project's policies, jobs and disks through the vendor's half.

use serde_json::{Value, json};

use crate::policies::{PATH, make, plain};
use crate::world::{Client, World};

const NIL: &str = "00000000-0000-4000-8000-000000000000";

/// A method, a path and perhaps a body, with `ID` for the thing that is named.
type Operation = (&'static str, String, Option<Value>);

fn policy_operations() -> Vec<Operation> {
    let path = |rest: &str| format!("{PATH}/ID{rest}");
    let resources = "/v2/{p}/backuppolicyresources";
    let named = json!([{"resource_id": NIL, "resource_type": "volume"}]);
    vec![
        ("GET", path(""), None),
        ("HEAD", path(""), None),
        ("PUT", path(""), Some(json!({"backup_policy_name": "mine"}))),
        ("DELETE", path(""), None),
        ("POST", path("/action"), None),
        ("GET", path("/backuptasks"), None),
        ("GET", path("/tags"), None),
        ("POST", path("/tags"), Some(json!({"tag": {"key": "a", "value": "b"}}))),
        ("DELETE", path("/tags/k"), None),
        ("POST", path("/tags/action"), Some(json!({"action": "delete", "tags": [{"key": "k"}]}))),
        ("POST", resources.to_owned(), Some(json!({"backup_policy_id": "ID", "resources": named}))),
        ("POST", format!("{resources}/ID/deleted_resources"), Some(json!({"resources": named}))),
    ]
}

fn job_operations() -> Vec<Operation> {
    ["/v1/{p}/jobs/ID", "/v2/{p}/jobs/ID", "/v3/{p}/jobs/ID", "/v3/jobs/ID"]
        .map(|path| ("GET", path.to_owned(), None))
        .to_vec()
}

fn volume_operations(own_backup: &str) -> Vec<Operation> {
    let onto = json!({"restore": {"volume_id": "ID"}});
    vec![
        (
            "POST",
            "/v2/{p}/cloudbackups".to_owned(),
            Some(json!({"backup": {"name": "b", "volume_id": "ID"}})),
        ),
        ("POST", format!("/v2/{{p}}/cloudbackups/{own_backup}/restore"), Some(onto)),
    ]
}

async fn run(client: &Client<'_>, (method, path, body): &Operation, id: &str) -> (u16, String) {
    let body = body.as_ref().map(|body| body.to_string().replace("ID", id));
    let body = body.map(|text| serde_json::from_str(&text).unwrap());
    let answer = client.send(method, &path.replace("ID", id), body).await;
    (answer.status, answer.text.replace(id, "ID"))
}

#[tokio::test]
async fn a_foreign_policy_job_or_disk_answers_as_a_missing_one() {
    let (world, alpha, beta) = World::with_projects().await;
    let owner = world.volume(&alpha.member);
    let volume = owner.make_volume("v").await;
    let mut body = plain("p");
    body["tags"] = json!([{"key": "k", "value": "v"}]);
    let policy = make(&owner, body).await;
    let backup = json!({"backup": {"name": "b", "volume_id": volume}});
    let started = owner.post("/v2/{p}/cloudbackups", backup).await.expect(200);
    let job = started["job_id"].as_str().unwrap().to_owned();
    world.settle().await;
    let before = everything(&owner).await;
    let stranger = world.volume(&beta.member);
    let own = stranger.make_volume("own").await;
    let own_backup = stranger.make_backup(&own, "own").await;
    for access in [&beta.member, &beta.admin] {
        let stranger = world.volume(access);
        for (operations, id) in [
            (policy_operations(), &policy),
            (job_operations(), &job),
            (volume_operations(&own_backup), &volume),
        ] {
            for operation in operations {
                let foreign = run(&stranger, &operation, id).await;
                let missing = run(&stranger, &operation, NIL).await;
                assert_eq!(foreign, missing, "{operation:?}");
                assert_eq!(foreign.0, 404, "{operation:?} {foreign:?}");
            }
        }
    }
    assert_eq!(stranger.get(PATH).await.expect(200), json!({"backup_policies": []}));
    assert_eq!(stranger.get(&format!("{PATH}/tags")).await.expect(200), json!({"tags": []}));
    let search = format!("{PATH}/resource_instances/action");
    let found = stranger.post(&search, json!({"action": "count"})).await.expect(200);
    assert_eq!(found, json!({"total_count": 0}));
    assert_eq!(everything(&owner).await, before, "nothing of the owner's has changed");
}

#[tokio::test]
async fn a_foreign_disk_is_bound_by_nobody() {
    let (world, alpha, beta) = World::with_projects().await;
    let volume = world.volume(&alpha.member).make_volume("v").await;
    for access in [&beta.member, &beta.admin] {
        let stranger = world.volume(access);
        let policy = make(&stranger, plain("p")).await;
        let outcome = async |id: &str| {
            let resources = json!([{"resource_id": id, "resource_type": "volume"}]);
            let body = json!({"backup_policy_id": policy, "resources": resources});
            let bound = stranger.post("/v2/{p}/backuppolicyresources", body).await.expect(200);
            let path = format!("/v2/{{p}}/backuppolicyresources/{policy}/deleted_resources");
            let body = json!({"resources": resources});
            let released = stranger.post(&path, body).await.expect(200);
            assert_eq!(
                (&bound["success_resources"], &released["success_resources"]),
                (&json!([]), &json!([]))
            );
            format!("{bound} {released}").replace(id, "ID")
        };
        assert_eq!(outcome(&volume).await, outcome(NIL).await);
        let shown = stranger.get(&format!("{PATH}/{policy}")).await.expect(200);
        assert_eq!(shown["policy_resource_count"], 0);
    }
}

#[tokio::test]
async fn a_policy_made_in_one_project_is_not_the_admins_of_another() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let policy = make(&member, plain("p")).await;
    // A policy's disks and backups are its project's: even who sees every project names it there.
    let everywhere = world.volume(&world.admin);
    assert_eq!(everywhere.get(&format!("{PATH}/{policy}")).await.status, 404);
    // A job is shown to who looks after every project.
    let volume = member.make_volume("v").await;
    let backup = json!({"backup": {"name": "b", "volume_id": volume}});
    let started = member.post("/v2/{p}/cloudbackups", backup).await.expect(200);
    let path = format!("/v1/{{p}}/jobs/{}", started["job_id"].as_str().unwrap());
    assert_eq!(everywhere.get(&path).await.status, 200);
}

async fn everything(client: &Client<'_>) -> Vec<Value> {
    let paths = ["backuppolicy", "backups/detail", "volumes/detail"];
    let mut all = Vec::new();
    for path in paths {
        all.push(client.get(&format!("/v2/{{p}}/{path}")).await.expect(200));
    }
    all
}
