//! Shares of backups: the documented list, its order and pages, and what a share opens.

use serde_json::{Value, json};
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, DomainId, ProjectId, ShareId, UserId, VaultId, VolumeId};
use strongroom_model::project::Project as ProjectRow;
use strongroom_model::share::{Share, ShareStatus};
use strongroom_model::size::GiB;
use strongroom_model::time::Timestamp;
use strongroom_model::vault::Vault;
use strongroom_model::volume::Metadata;

use crate::samples::{Shape, assert_shape};
use crate::world::{Client, PASSWORD, World};

const SHARES: &str = "/v2/{p}/os-vendor-backup-sharing";

const CREATED: Shape = &[
    ("id", &["uuid"]),
    ("backup_id", &["uuid"]),
    ("from_project_id", &["string"]),
    ("to_project_id", &["string"]),
    ("created_at", &["timestamp"]),
    ("updated_at", &["null"]),
    ("deleted", &["null"]),
    ("deleted_at", &["null"]),
];

const LISTED: Shape = &[
    ("backup", &["object"]),
    ("backup_id", &["uuid"]),
    ("created_at", &["timestamp"]),
    ("from_project_id", &["string"]),
    ("id", &["uuid"]),
    ("to_project_id", &["string"]),
    ("updated_at", &["timestamp", "null"]),
];

const BACKUP: Shape = &[
    ("availability_zone", &["string", "null"]),
    ("container", &["string", "null"]),
    ("created_at", &["timestamp"]),
    ("data_timestamp", &["timestamp"]),
    ("description", &["string", "null"]),
    ("fail_reason", &["string", "null"]),
    ("has_dependent_backups", &["boolean"]),
    ("id", &["uuid"]),
    ("is_incremental", &["boolean"]),
    ("name", &["string", "null"]),
    ("object_count", &["integer"]),
    ("size", &["integer"]),
    ("snapshot_id", &["uuid", "null"]),
    ("status", &["string"]),
    ("updated_at", &["timestamp", "null"]),
    ("volume_id", &["uuid"]),
    ("service_metadata", &["string"]),
];

/// The two recipients of the documented example; the second has the newer share.
const RECIPIENTS: [&str; 2] =
    ["722513ed0a324dadaabe5b2d0fe848a9", "722513ed0a324dadaabe5b2d0fe848b9"];

const OWNER: &str = "c13f5220dc1949b0b741ea81a7cd5554";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The backup of the documented example.
fn documented_backup() -> Backup {
    let created_at = at("2017-08-08T04:03:27.456859");
    let id = BackupId::parse("066b1e37-9305-4057-97e5-2e99b21fc71d").unwrap();
    Backup {
        id,
        project_id: ProjectId::parse(OWNER).unwrap(),
        user_id: UserId::parse("somebody").unwrap(),
        vault_id: VaultId::parse("11111111-1111-4111-8111-111111111111").unwrap(),
        data_id: id,
        volume_id: VolumeId::parse("a7d7783f-02b7-4645-b0e3-61df63f0ba10").unwrap(),
        snapshot_id: None,
        name: Some("lbf".to_owned()),
        description: None,
        status: BackupStatus::Available,
        fail_reason: Some("Invalid InitiatorConnector protocol specified DSWARE".to_owned()),
        size: GiB(1),
        container: None,
        availability_zone: Some("AZ1".to_owned()),
        is_incremental: false,
        is_bootable: false,
        metadata: Metadata::new(),
        volume_metadata: Metadata::new(),
        progress: 0,
        measured: None,
        restore_volume_id: None,
        policy_id: None,
        expires_at: None,
        wants_full: false,
        created_at,
        updated_at: Some(at("2017-08-08T04:03:35.109308")),
        data_timestamp: created_at,
    }
}

/// The shares of the documented example, the older one first.
fn documented_shares(backup: &Backup) -> [Share; 2] {
    let share = |id: &str, to: &str, created: &str, updated: Option<&str>| Share {
        id: ShareId::parse(id).unwrap(),
        backup_id: backup.id,
        from_project_id: backup.project_id.clone(),
        to_project_id: ProjectId::parse(to).unwrap(),
        status: ShareStatus::Accepted,
        created_at: at(created),
        updated_at: updated.map(at),
    };
    let (older, newer) =
        ("f842bf23-1e05-4c2c-b0f9-25222f4686da", "e842bf23-1e05-4c2c-b0f9-25222f4686da");
    let changed = Some("2017-08-14T06:41:49.381069");
    [
        share(older, RECIPIENTS[0], "2017-08-10T12:19:37.318031", None),
        share(newer, RECIPIENTS[1], "2017-08-10T12:25:40.480424", changed),
    ]
}

/// Puts projects of these ids, the documented backup and its shares into the catalogue.
async fn plant(world: &World) {
    let backup = &documented_backup();
    let shares = &documented_shares(backup);
    let vault = &Vault {
        id: backup.vault_id,
        project_id: backup.project_id.clone(),
        name: "default".to_owned(),
        created_at: backup.created_at,
    };
    let catalog = world.catalog().await;
    let planted = catalog.transact(|tx| {
        Box::pin(async move {
            for id in [OWNER, RECIPIENTS[0], RECIPIENTS[1]] {
                let project = ProjectRow {
                    id: ProjectId::parse(id).unwrap(),
                    domain_id: DomainId::parse("default").unwrap(),
                    name: id.to_owned(),
                    description: String::new(),
                    is_enabled: true,
                    created_at: backup.created_at,
                };
                tx.projects().insert(&project).await?;
            }
            tx.vaults().insert(vault).await?;
            tx.backups().insert(backup).await?;
            for share in shares {
                tx.shares().insert(share).await?;
            }
            Ok::<_, strongroom_service::Error>(())
        })
    });
    planted.await.unwrap();
}

/// A user who is a member of each of the documented projects.
async fn make_member(world: &World) -> String {
    let identity = world.identity(&world.admin);
    let user = json!({"user": {"name": "joe", "password": PASSWORD}});
    let user = identity.post("/v3/users", user).await.expect(201);
    let user = user["user"]["id"].as_str().unwrap().to_owned();
    for id in [OWNER, RECIPIENTS[0], RECIPIENTS[1]] {
        let path = format!("/v3/projects/{id}/users/{user}/roles/{:032}", 2);
        identity.send("PUT", &path, None).await.expect(204);
    }
    user
}

/// The documented item. Where the example has null for what is measured or true of every backup
/// here, there is a value; the types are the documented ones.
fn documented_item(share: &str, to: &str, created: &str, updated: Option<&str>) -> Value {
    let id = "066b1e37-9305-4057-97e5-2e99b21fc71d";
    json!({
        "backup": {
            "availability_zone": "AZ1",
            "container": null,
            "created_at": "2017-08-08T04:03:27.456859",
            "data_timestamp": "2017-08-08T04:03:27.456859",
            "description": null,
            "fail_reason": "Invalid InitiatorConnector protocol specified DSWARE",
            "has_dependent_backups": false,
            "id": id,
            "is_incremental": false,
            "name": "lbf",
            "object_count": 0,
            "size": 1,
            "snapshot_id": null,
            "status": "available",
            "updated_at": "2017-08-08T04:03:35.109308",
            "volume_id": "a7d7783f-02b7-4645-b0e3-61df63f0ba10",
            "service_metadata": format!(
                r#"{{"bootable":false,"backupurl":"{id}","BackupSize":0,"progress":"0","ST":0}}"#
            ),
        },
        "backup_id": id,
        "created_at": created,
        "from_project_id": OWNER,
        "id": share,
        "to_project_id": to,
        "updated_at": updated,
    })
}

#[tokio::test]
async fn the_documented_list_of_shares() {
    let world = World::new().await;
    plant(&world).await;
    let joe = make_member(&world).await;
    let newer = documented_item(
        "e842bf23-1e05-4c2c-b0f9-25222f4686da",
        RECIPIENTS[1],
        "2017-08-10T12:25:40.480424",
        Some("2017-08-14T06:41:49.381069"),
    );
    let older = documented_item(
        "f842bf23-1e05-4c2c-b0f9-25222f4686da",
        RECIPIENTS[0],
        "2017-08-10T12:19:37.318031",
        None,
    );
    let owner = world.volume(&world.access(&joe, OWNER).await);
    for path in ["/v2/{p}", "/{p}", "/v2", "/v3/{p}", "/v3"] {
        for rest in ["/detail", ""] {
            let path = format!("{path}/os-vendor-backup-sharing{rest}");
            // As texts, so that the order of keys counts.
            let answer = owner.get(&path).await;
            let expected = json!({"shared": [newer, older]}).to_string();
            assert_eq!((answer.status, answer.text), (200, expected), "{path}");
        }
    }
    for (recipient, item) in RECIPIENTS.iter().zip([&older, &newer]) {
        let recipient = world.volume(&world.access(&joe, recipient).await);
        let listed = recipient.get(&format!("{SHARES}/detail?share_to_me=true")).await;
        assert_eq!(listed.expect(200), json!({"shared": [item]}));
        assert_eq!(
            recipient.get(&format!("{SHARES}/detail")).await.expect(200)["shared"],
            json!([])
        );
        let shown = recipient.get(&format!("{SHARES}/{}", item["id"].as_str().unwrap())).await;
        assert_eq!(shown.expect(200), json!({"shared": item}));
    }
    check_documented_filters(&owner, &newer["id"], &older["id"]).await;
}

async fn check_documented_filters(owner: &Client<'_>, newer: &Value, older: &Value) {
    let both = vec![newer.clone(), older.clone()];
    let reversed = vec![older.clone(), newer.clone()];
    for (query, expected) in [
        ("share_to_me=false", both.clone()),
        ("share_to_me=True", vec![]),
        ("volume_id=a7d7783f-02b7-4645-b0e3-61df63f0ba10", both.clone()),
        ("volume_id=A7D7783F02B74645B0E361DF63F0BA10", both.clone()),
        ("volume_id=066b1e37-9305-4057-97e5-2e99b21fc71d", vec![]),
        ("backup_id=066b1e37-9305-4057-97e5-2e99b21fc71d", both.clone()),
        ("backup_id=lbf", vec![]),
        ("name=BF", both.clone()),
        ("name=", both.clone()),
        ("name=l%25", vec![]),
        ("name=l_f", vec![]),
        ("status=available", both.clone()),
        ("status=error", vec![]),
        ("from_project_id=c13f5220dc1949b0b741ea81a7cd5554", both.clone()),
        ("to_project_id=722513ed0a324dadaabe5b2d0fe848a9", vec![older.clone()]),
        ("name=lbf&to_project_id=722513ed0a324dadaabe5b2d0fe848b9", vec![newer.clone()]),
        ("sort_dir=asc", reversed.clone()),
        ("sort_key=created_at&sort_dir=desc", both.clone()),
        ("sort_key=to_project_id&sort_dir=asc", reversed.clone()),
        ("sort_key=id", reversed.clone()),
        ("sort_key=disk_format&sort_dir=asc", reversed),
        ("marker=066b1e37-9305-4057-97e5-2e99b21fc71d&unknown=1", both),
    ] {
        let listed = owner.get(&format!("{SHARES}/detail?{query}")).await.expect(200);
        let ids: Vec<_> = listed["shared"].as_array().unwrap().iter().map(|s| &s["id"]).collect();
        assert_eq!(ids, expected.iter().collect::<Vec<_>>(), "{query}");
        let counted = owner.get(&format!("{SHARES}/count?{query}")).await.expect(200);
        assert_eq!(counted, json!({"count": expected.len()}), "{query}");
    }
}

// T-30: the zone is filtered by the name that the documents misspell, and by the right one.
#[tokio::test]
async fn t30_both_spellings_of_the_zone() {
    let world = World::new().await;
    plant(&world).await;
    let joe = make_member(&world).await;
    let owner = world.volume(&world.access(&joe, OWNER).await);
    for key in ["avalilability_zone", "availability_zone"] {
        for (zone, count) in [("AZ1", 2), ("AZ2", 0), ("az1", 0)] {
            let path = format!("{SHARES}/count?{key}={zone}");
            assert_eq!(owner.get(&path).await.expect(200), json!({"count": count}), "{path}");
        }
    }
}

#[tokio::test]
async fn pages_have_a_link_while_they_are_full() {
    let world = World::new().await;
    plant(&world).await;
    let joe = make_member(&world).await;
    let owner = world.volume(&world.access(&joe, OWNER).await);
    let mut path = format!("{SHARES}/detail?limit=1&sort_dir=asc");
    let mut seen = Vec::new();
    loop {
        let body = owner.get(&path).await.expect(200);
        let keys: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
        let page = body["shared"].as_array().unwrap();
        seen.extend(page.iter().map(|share| share["to_project_id"].clone()));
        if page.is_empty() {
            assert_eq!(keys, ["shared"]);
            break;
        }
        assert_eq!(keys, ["shared", "shared_links"]);
        let link = &body["shared_links"][0];
        assert_eq!(
            (&link["rel"], body["shared_links"].as_array().unwrap().len()),
            (&json!("next"), 1)
        );
        let href = link["href"].as_str().unwrap();
        let expected = format!(
            "http://vol.test:8776/v2/{OWNER}/os-vendor-backup-sharing/detail?limit=1&sort_dir=asc&\
             offset={}",
            seen.len()
        );
        assert_eq!(href, expected);
        path = href.trim_start_matches("http://vol.test:8776").to_owned();
    }
    assert_eq!(seen, RECIPIENTS);
    for (query, count) in [("limit=0", 0), ("limit=5", 2), ("offset=1", 1), ("offset=2", 0)] {
        let body = owner.get(&format!("{SHARES}/detail?{query}")).await.expect(200);
        assert_eq!(body["shared"].as_array().unwrap().len(), count, "{query}");
        assert!(body.get("shared_links").is_none(), "{query}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let (world, alpha, beta) = World::with_projects().await;
    let owner = world.volume(&alpha.member);
    let volume = owner.make_volume("v").await;
    let backup = owner.make_backup(&volume, "b").await;
    for query in [
        "share_to_me=maybe",
        "share_to_me=",
        "limit=x",
        "limit=-1",
        "offset=-1",
        "offset=2147483648",
        "sort_key=nonsense",
        "sort_dir=up",
        "sort_key=name&sort=name",
    ] {
        for rest in ["/detail", "", "/count"] {
            let answer = owner.get(&format!("{SHARES}{rest}?{query}")).await;
            assert!(!answer.refusal(400).is_empty());
        }
    }
    let (to, id) = (&beta.member.project, &backup);
    for body in [
        json!({}),
        json!([]),
        json!({"shared": []}),
        json!({"shared": {"backup_id": id}}),
        json!({"shared": {"to_project_ids": [to]}}),
        json!({"shared": {"backup_id": null, "to_project_ids": [to]}}),
        json!({"shared": {"backup_id": "b", "to_project_ids": [to]}}),
        json!({"shared": {"backup_id": id, "to_project_ids": to}}),
        json!({"shared": {"backup_id": id, "to_project_ids": []}}),
        json!({"shared": {"backup_id": id, "to_project_ids": [1]}}),
        json!({"shared": {"backup_id": id, "to_project_ids": ["a b"]}}),
        json!({"shared": {"backup_id": id, "to_project_ids": [to, alpha.member.project]}}),
    ] {
        let answer = owner.post(SHARES, body).await;
        assert!(!answer.refusal(400).is_empty());
    }
    assert_eq!(owner.raw("POST", SHARES, None, Vec::new()).await.status, 400);
    for path in ["b", NIL, "b?is_backup_id=1"] {
        assert_eq!(owner.delete(&format!("{SHARES}/{path}")).await.status, 404, "{path}");
    }
    assert_eq!(owner.delete(&format!("{SHARES}/{id}?is_backup_id=x")).await.status, 400);
    assert_eq!(owner.delete(&format!("{SHARES}/{id}?is_backup_id=true")).await.status, 404);
    let missing = json!({"shared": {"backup_id": NIL, "to_project_ids": [to]}});
    assert_eq!(owner.post(SHARES, missing).await.status, 404);
    let begun = json!({"backup": {"volume_id": volume}});
    let begun = owner.post("/v3/{p}/backups", begun).await.expect(202);
    let begun = json!({"shared": {"backup_id": begun["backup"]["id"], "to_project_ids": [to]}});
    assert!(owner.post(SHARES, begun).await.refusal(400).contains("creating"));
}

const NIL: &str = "00000000-0000-4000-8000-000000000000";

// T-20: `deleted` is no boolean. T-24, T-25: exactly 200. T-32: listed as soon as it is answered.
#[tokio::test]
async fn t20_t24_t25_t32_a_share_from_its_making_to_its_end() {
    let (world, alpha, beta) = World::with_projects().await;
    let (owner, recipient) = (world.volume(&alpha.member), world.volume(&beta.member));
    let volume = owner.make_volume("v").await;
    let backup = owner.make_backup(&volume, "b").await;
    let to = ["third", beta.member.project.as_str()];
    let body = json!({"shared": {"backup_id": backup, "to_project_ids": to}});
    let made = owner.post(SHARES, body.clone()).await.expect(200);
    assert_eq!(made.as_object().unwrap().len(), 1);
    for (share, to) in made["shared"].as_array().unwrap().iter().zip(to) {
        assert_shape(share, CREATED);
        assert_eq!((&share["to_project_id"], &share["backup_id"]), (&json!(to), &json!(backup)));
        assert_eq!(share["from_project_id"], alpha.member.project.as_str());
    }
    assert_eq!(made["shared"].as_array().unwrap().len(), 2);
    let by_backup = format!("{SHARES}/detail?backup_id={backup}");
    let listed = owner.get(&by_backup).await.expect(200);
    assert_eq!(listed["shared"].as_array().unwrap().len(), 2);
    for share in listed["shared"].as_array().unwrap() {
        assert_shape(share, LISTED);
        assert_shape(&share["backup"], BACKUP);
    }
    world.settle().await;
    assert_eq!(owner.post(SHARES, body).await.expect(200), made, "the same again");
    let share = made["shared"][0]["id"].as_str().unwrap();
    let ended = owner.delete(&format!("{SHARES}/{share}")).await;
    assert_eq!((ended.status, ended.text.as_str()), (200, ""));
    assert_eq!(ended.header("content-length"), Some("0"));
    assert_eq!(owner.delete(&format!("{SHARES}/{share}?is_backup_id=false")).await.status, 404);
    let own = format!("/v3/{{p}}/backups/{backup}");
    assert_eq!(recipient.get(&own).await.status, 200);
    let all = owner.delete(&format!("{SHARES}/{backup}?is_backup_id=true")).await;
    assert_eq!((all.status, all.text.as_str()), (200, ""));
    assert_eq!(owner.get(&by_backup).await.expect(200), json!({"shared": []}));
    assert_eq!(recipient.get(&own).await.status, 404);
    assert_eq!(owner.head_of(SHARES).await, 200);
}

impl Client<'_> {
    async fn head_of(&self, path: &str) -> u16 {
        self.send("HEAD", path, None).await.status
    }
}

#[tokio::test]
async fn a_recipient_is_shown_no_keys_and_nothing_of_the_owners_own() {
    let (world, alpha, beta) = World::with_projects().await;
    let (owner, recipient) = (world.volume(&alpha.member), world.volume(&beta.member));
    let volume = owner.make_volume("v").await;
    let backup = owner.make_backup(&volume, "b").await;
    let pairs = json!({"metadata": {"internal": "note"}});
    owner.post(&format!("/v3/{{p}}/backups/{backup}/metadata"), pairs).await.expect(200);
    let body = json!({"shared": {"backup_id": backup, "to_project_ids": [beta.member.project]}});
    owner.post(SHARES, body).await.expect(200);
    let path = format!("/v3/{{p}}/backups/{backup}");
    let whole = owner.at("3.71").get(&path).await.expect(200);
    let seen = recipient.at("3.71").get(&path).await.expect(200);
    for key in ["encryption_key_id", "user_id"] {
        assert!(whole["backup"][key].is_string(), "{key}");
        assert!(seen["backup"].get(key).is_none(), "{key}");
    }
    assert_eq!(seen["backup"]["metadata"], json!({}));
    assert_eq!(seen["backup"]["os-backup-project-attr:project_id"], alpha.member.project.as_str());
    let link = seen["backup"]["links"][0]["href"].as_str().unwrap();
    assert_eq!(link, format!("http://vol.test:8776/v3/{}/backups/{backup}", beta.member.project));
    let v2 = format!("/v2/{{p}}/backups/{backup}");
    let inner = owner.get(&v2).await.expect(200)["backup"]["service_metadata"].clone();
    assert!(inner.as_str().unwrap().contains("CMKID"));
    let shown = recipient.get(&v2).await.expect(200)["backup"]["service_metadata"].clone();
    let mut inner = vec![shown];
    for (client, query) in [(&owner, ""), (&recipient, "?share_to_me=1")] {
        let listed = client.get(&format!("{SHARES}/detail{query}")).await.expect(200);
        let share = &listed["shared"][0];
        inner.push(share["backup"]["service_metadata"].clone());
        let id = share["id"].as_str().unwrap();
        let shown = client.get(&format!("{SHARES}/{id}")).await.expect(200);
        assert_eq!(&shown["shared"], share);
    }
    for text in inner {
        let text = text.as_str().unwrap();
        assert!(text.contains("\"progress\":\"100\""), "{text}");
        assert!(!text.contains("CMKID") && !text.contains("\"VK\""), "{text}");
    }
}

#[tokio::test]
async fn a_recipient_makes_a_volume_unless_the_share_ends_first() {
    let (world, alpha, beta) = World::with_projects().await;
    let (owner, recipient) = (world.volume(&alpha.member), world.volume(&beta.member).at("3.47"));
    let wish = json!({"volume": {"name": "v", "size": 1, "metadata": {"inner": "secret"}}});
    let made = owner.post("/v3/{p}/volumes", wish).await.expect(202);
    world.settle().await;
    let backup = owner.make_backup(made["volume"]["id"].as_str().unwrap(), "b").await;
    let body = json!({"shared": {"backup_id": backup, "to_project_ids": [beta.member.project]}});
    owner.post(SHARES, body.clone()).await.expect(200);
    let wish = json!({"volume": {"backup_id": backup, "metadata": {"mine": "1"}}});
    let make = async || {
        let made = recipient.post("/v3/{p}/volumes", wish.clone()).await.expect(202);
        format!("/v3/{{p}}/volumes/{}", made["volume"]["id"].as_str().unwrap())
    };
    let first = make().await;
    world.settle().await;
    let shown = recipient.get(&first).await.expect(200);
    assert_eq!(shown["volume"]["status"], "available");
    assert_eq!(shown["volume"]["metadata"], json!({"mine": "1"}));
    let second = make().await;
    owner.delete(&format!("{SHARES}/{backup}?is_backup_id=true")).await.expect(200);
    world.settle().await;
    assert_eq!(recipient.get(&second).await.expect(200)["volume"]["status"], "error");
    assert_eq!(recipient.get(&first).await.expect(200), shown, "what was made before stays");
    assert_eq!(recipient.post("/v3/{p}/volumes", wish.clone()).await.status, 404);
    // Deleting the backup ends a share as well.
    owner.post(SHARES, body).await.expect(200);
    let third = make().await;
    owner.delete(&format!("/v3/{{p}}/backups/{backup}")).await.expect(202);
    assert_eq!(owner.get(&format!("{SHARES}/count")).await.expect(200), json!({"count": 0}));
    assert_eq!(recipient.get(&format!("/v3/{{p}}/backups/{backup}")).await.status, 404);
    world.settle().await;
    assert_eq!(recipient.get(&third).await.expect(200)["volume"]["status"], "error");
}
