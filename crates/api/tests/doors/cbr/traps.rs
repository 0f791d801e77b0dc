//! What trips clients of this dialect up, where no test of an operation says it already.

use serde_json::{Value, json};
use strongroom_model::backup::{Backup, Measured};
use strongroom_model::vault::ObjectType;
use strongroom_testkit::signer::Form;

use super::planted::{self, Row, numbered, plant};
use crate::world::{Client, World};

const VAULTS: &str = "/v3/{p}/vaults";

/// The numbered traps of this door, each as a fact. The first is number 1.
pub(crate) const FACTS: [&str; 44] = [
    "instants are UTC, have six digits and no zone",
    "an enterprise project is named by text",
    "sizes are text in a checkpoint and numbers in a vault",
    "extra_info is null in a checkpoint and an object in a vault",
    "days are asked for as retention_duration_days and told as retention_duration",
    "a restore answers 202 and names its operation log",
    "a checkpoint is missing once its last backup is gone",
    "a policy can be applied again; another of its kind takes its place",
    "policies are found by a vault and name the vaults that they are applied to",
    "lists heed marker and offset, end in an empty page and bear no links",
    "a page holds 1000 items unless told otherwise",
    "a count is of everything that matches",
    "lists leave out the parts of a backup, which are shown with it",
    "patterns and retentions that keep nothing come back as they were sent",
    "a change of the name changes nothing else",
    "a policy that came with a new vault can be applied to it again",
    "a vault may hold more than its size, and two may have one name",
    "rules, tags and faults are empty, never null",
    "every tag has a value, and tags are below vault, not vaults",
    "literal words come before ids and before projects",
    "some words are joined by underscores and others by hyphens",
    "an agent is removed with 200, tags are added with 204, nothing is made with 201",
    "a refusal is flat JSON of two keys",
    "a name where an id belongs is not found",
    "what is missing is 404 whenever it is asked for",
    "both forms of signatures are taken, and a project that was named after signing",
    "the name of a region finds one project",
    "the catalogue has the type cbr with the project in its address",
    "a member is named by its project and changed without an envelope",
    "a receiver sees the owner's project and its own vault, and may decline later",
    "a status may be given several times",
    "no members are an empty list",
    "objcet_type is understood, and so is a body that is wrapped twice",
    "what is used is in MB, what is allocated in GB",
    "operation logs do not tell whether a backup is incremental",
    "a lock is never taken off, and the status lock is something else",
    "documents in metadata are JSON inside strings",
    "retention touches automatic backups only",
    "401 is not told in the words of a malformed address",
    "a type without a body is no reason to refuse",
    "a time without a zone is UTC",
    "a filter that is absent filters nothing",
    "a share made twice is 6703, a vault deleted twice is 6203",
    "every answer names its request",
];

fn vault(name: &str, size: u32) -> Value {
    json!({"vault": {
        "name": name, "resources": [],
        "billing": {
            "consistent_level": "crash_consistent", "object_type": "disk",
            "protect_type": "backup", "size": size,
        },
    }})
}

async fn make(client: &Client<'_>, body: Value) -> String {
    let made = client.post(VAULTS, body).await.expect(200);
    made["vault"]["id"].as_str().unwrap().to_owned()
}

async fn policy(client: &Client<'_>, name: &str) -> String {
    let body = json!({"policy": {
        "name": name, "operation_type": "backup", "operation_definition": {},
        "trigger": {"properties": {"pattern": ["FREQ=DAILY;BYHOUR=3;BYMINUTE=0"]}},
    }});
    let made = client.post("/v3/{p}/policies", body).await.expect(200);
    made["policy"]["id"].as_str().unwrap().to_owned()
}

/// The policies that a vault is found with.
async fn applied(client: &Client<'_>, vault: &str) -> Vec<Value> {
    let found = client.get(&format!("/v3/{{p}}/policies?vault_id={vault}")).await.expect(200);
    let policies = found["policies"].as_array().unwrap().clone();
    assert_eq!(found["count"], policies.len());
    policies
}

#[tokio::test]
async fn c08_c09_c16_a_policy_comes_with_a_vault_is_applied_again_and_replaced() {
    let world = World::new().await;
    let client = world.cbr(&world.admin);
    let (first, second) = (policy(&client, "first").await, policy(&client, "second").await);
    let mut body = vault("one", 40);
    body["vault"]["backup_policy_id"] = json!(first);
    let id = make(&client, body).await;
    let associate = format!("{VAULTS}/{id}/associatepolicy");
    for (chosen, other) in [(&first, &second), (&second, &first)] {
        for _ in 0..2 {
            client.post(&associate, json!({"policy_id": chosen})).await.expect(200);
            let found = applied(&client, &id).await;
            assert_eq!(found.len(), 1);
            assert_eq!(found[0]["id"], **chosen);
            assert_eq!(found[0]["associated_vaults"][0]["vault_id"], id);
        }
        let path = format!("/v3/{{p}}/policies/{other}");
        let shown = client.get(&path).await.expect(200);
        assert_eq!(shown["policy"]["associated_vaults"], json!([]));
    }
}

#[tokio::test]
async fn c17_vaults_are_overbooked_and_share_a_name() {
    let world = World::new().await;
    let large = json!({"volume": {"name": "large", "size": 11}});
    let large = world.volume(&world.admin).post("/v3/{p}/volumes", large).await.expect(202);
    world.settle().await;
    let client = world.cbr(&world.admin);
    let mut body = vault("same", 10);
    body["vault"]["resources"] =
        json!([{"id": large["volume"]["id"], "type": "OS::Cinder::Volume"}]);
    let made = client.post(VAULTS, body).await.expect(200);
    let billing = &made["vault"]["billing"];
    assert_eq!((&billing["size"], &billing["allocated"]), (&json!(10), &json!(11)));
    make(&client, vault("same", 10)).await;
    let found = client.get(&format!("{VAULTS}?name=same")).await.expect(200);
    assert_eq!(found["count"], 2);
}

#[tokio::test]
async fn c19_a_tag_always_has_a_value_and_tags_are_below_vault() {
    let world = World::new().await;
    let client = world.cbr(&world.admin);
    let mut body = vault("one", 40);
    body["vault"]["tags"] = json!([{"key": "bare"}]);
    let id = make(&client, body).await;
    let bare = json!([{"key": "bare", "value": ""}]);
    let tags = client.get(&format!("/v3/{{p}}/vault/{id}/tags")).await.expect(200);
    assert_eq!(tags["tags"], bare);
    let shown = client.get(&format!("{VAULTS}/{id}")).await.expect(200);
    assert_eq!(shown["vault"]["tags"], bare);
    assert_eq!(client.get(&format!("{VAULTS}/{id}/tags")).await.refused(404), "APIGW.0101");
}

#[tokio::test]
async fn c26_both_forms_sign_and_the_project_may_be_named_unsigned() {
    let (world, alpha, beta) = World::with_projects().await;
    let project = alpha.member.project.as_str();
    for form in Form::ALL {
        let hand = world.key(&alpha.member, form).await;
        let client = world.nobody_at_cbr().signed(&hand, project);
        let id = make(&client, vault("signed", 40)).await;
        let named = client.with("x-project-id", project);
        // What was sent has no slash at its end, what was signed has; either may be asked for.
        for path in [format!("{VAULTS}/{id}"), format!("{VAULTS}/{id}/")] {
            assert_eq!(named.get(&path).await.expect(200)["vault"]["id"], id);
        }
        let found = named.get(&format!("{VAULTS}?name=signed&limit=10")).await.expect(200);
        assert_eq!(found["vaults"][0]["id"], id);
        let other = client.with("x-project-id", &beta.member.project);
        assert_eq!(other.get(VAULTS).await.refused(403), "BackupService.9998");
        client.delete(&format!("{VAULTS}/{id}")).await.expect(204);
    }
}

#[tokio::test]
async fn c33_a_copy_of_a_checkpoint_is_asked_for_in_one_envelope_or_two() {
    let world = World::new().await;
    let client = world.cbr(&world.admin);
    let wish = json!({"replicate": {
        "vault_id": numbered(1), "destination_project_id": "p", "destination_region": "far",
        "destination_vault_id": numbered(2),
    }});
    for body in [wish.clone(), json!({ "checkpoint": wish })] {
        let answer = client.post("/v3/{p}/checkpoints/replicate", body).await;
        assert_eq!(answer.refused(400), "BackupService.1005", "it was read, and nothing is far");
    }
    for body in [json!({"checkpoint": {}}), json!({"checkpoint": []}), json!({})] {
        let answer = client.post("/v3/{p}/checkpoints/replicate", body).await;
        assert_eq!(answer.refused(400), "BackupService.9900");
    }
}

#[tokio::test]
async fn c34_what_is_used_is_in_megabytes_and_what_is_allocated_in_gigabytes() {
    let world = World::new().await;
    let volume = world.volume(&world.admin).make_volume("a").await;
    let client = world.cbr(&world.admin);
    let mut body = vault("one", 40);
    body["vault"]["resources"] = json!([{"id": volume, "type": "OS::Cinder::Volume"}]);
    let id = make(&client, body).await;
    let stored = Measured { stored_bytes: 3 << 30, ..Measured::default() };
    let volume = strongroom_model::id::VolumeId::parse(&volume).unwrap();
    let backup = Backup {
        volume_id: volume,
        measured: Some(stored),
        ..planted::disk(&world.admin.project, &id, &numbered(7))
    };
    plant(&world, &[Row::Disk(backup)]).await;
    let shown = client.get(&format!("{VAULTS}/{id}")).await.expect(200);
    let (billing, resource) = (&shown["vault"]["billing"], &shown["vault"]["resources"][0]);
    assert_eq!((&billing["used"], &billing["allocated"]), (&json!(3072), &json!(1)));
    assert_eq!((&resource["backup_size"], &resource["size"]), (&json!(3072), &json!(1)));
    let summary = client.get(&format!("{VAULTS}/summary")).await.expect(200);
    assert_eq!(summary, json!({"size": 40, "used_size": 3}));
    let other = planted::vault(&world.admin.project, &numbered(9), ObjectType::Disk);
    plant(&world, &[Row::Vault(other)]).await;
    let empty = client.get(&format!("{VAULTS}/{}", numbered(9))).await.expect(200);
    assert_eq!(empty["vault"]["billing"]["used"], 0);
}
