//! Shares of backups, from their making to their end, and what a share opens.

use serde_json::json;

use crate::policies::code;
use crate::samples::{Shape, assert_shape};
use crate::world::World;

/// Where shares are.
pub(crate) const SHARES: &str = "/v2/{p}/os-vendor-backup-sharing";

const NIL: &str = "00000000-0000-4000-8000-000000000000";

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
            assert_eq!(code(&answer), "400 VolumeBackup.0002", "{rest}?{query}");
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
        json!({"shared": {"backup_id": id, "to_project_ids": vec!["p"; 101]}}),
        json!({"shared": {"backup_id": id, "to_project_ids": ["a b"]}}),
        json!({"shared": {"backup_id": id, "to_project_ids": [to, alpha.member.project]}}),
    ] {
        let answer = owner.post(SHARES, body.clone()).await;
        assert_eq!(code(&answer), "400 VolumeBackup.0002", "{body}");
    }
    let none = owner.raw("POST", SHARES, None, Vec::new()).await;
    assert_eq!(code(&none), "400 VolumeBackup.0002");
    for path in ["b", NIL, "b?is_backup_id=1", &format!("{id}?is_backup_id=true")] {
        let answer = owner.delete(&format!("{SHARES}/{path}")).await;
        assert_eq!(code(&answer), "404 VolumeBackup.0110", "{path}");
    }
    assert_eq!(code(&owner.get(&format!("{SHARES}/{NIL}")).await), "404 VolumeBackup.0110");
    let answer = owner.delete(&format!("{SHARES}/{id}?is_backup_id=x")).await;
    assert_eq!(code(&answer), "400 VolumeBackup.0002");
    let missing = json!({"shared": {"backup_id": NIL, "to_project_ids": [to]}});
    assert_eq!(code(&owner.post(SHARES, missing).await), "404 VolumeBackup.0110");
    let begun = json!({"backup": {"volume_id": volume}});
    let begun = owner.post("/v3/{p}/backups", begun).await.expect(202);
    let begun = json!({"shared": {"backup_id": begun["backup"]["id"], "to_project_ids": [to]}});
    let refused = owner.post(SHARES, begun).await;
    assert_eq!(code(&refused), "400 VolumeBackup.0089");
    assert!(refused.refusal(400).contains("creating"));
}

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
    assert_eq!(owner.send("HEAD", SHARES, None).await.status, 200);
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
