//! The documented list of shares, replayed from its facts: items, filters, order and pages.

use serde_json::{Value, json};
use strongroom_model::backup::{Backup, BackupStatus, Origin};
use strongroom_model::id::{BackupId, DomainId, ProjectId, ShareId, UserId, VaultId, VolumeId};
use strongroom_model::project::Project as ProjectRow;
use strongroom_model::share::{Share, ShareStatus};
use strongroom_model::size::GiB;
use strongroom_model::time::Timestamp;
use strongroom_model::vault::Vault;
use strongroom_model::volume::Metadata;

use crate::shares::SHARES;
use crate::world::{Client, PASSWORD, World};

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
        origin: Origin::default(),
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
        vault_id: None,
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
    let vault = &Vault::default_of(backup.vault_id, backup.project_id.clone(), backup.created_at);
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
        // Why work on the backup failed is its owner's alone to know.
        let mut item = item.clone();
        item["backup"]["fail_reason"] = Value::Null;
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
