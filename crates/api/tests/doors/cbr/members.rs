//! Members: offered, taken, declined, ended; and what a receiver sees.

use serde_json::{Value, json};
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::PolicyId;
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::vault::{ObjectType, ProtectType, Vault, VaultStatus};

use super::planted::{self, Row, at, numbered, plant};
use crate::world::{Access, Client, World};

const BACKUPS: &str = "/v3/{p}/backups";

/// An owner with the backup of a server, and a receiver with vaults.
struct Scene {
    world: World,
    owner: Access,
    receiver: Access,
}

impl Scene {
    async fn new() -> Self {
        let (world, alpha, beta) = World::with_projects().await;
        let (owner, receiver) = (alpha.member, beta.member);
        let (p, q) = (owner.project.as_str(), receiver.project.as_str());
        let whole = ServerBackup {
            policy_id: Some(PolicyId::parse(&numbered(0x90)).unwrap()),
            expires_at: Some(at("2026-05-01T00:00:00Z")),
            ..planted::server(p, &numbered(1), &numbered(10))
        };
        let rows = [
            Row::Vault(planted::vault(p, &numbered(1), ObjectType::Server)),
            Row::Disk(planted::part_of(&whole, &numbered(11))),
            Row::Server(whole),
            Row::Disk(planted::disk(p, &numbered(1), &numbered(20))),
            Row::Disk(Backup {
                status: BackupStatus::Error,
                ..planted::disk(p, &numbered(1), &numbered(21))
            }),
            Row::Vault(planted::vault(q, &numbered(2), ObjectType::Server)),
            Row::Vault(planted::vault(q, &numbered(3), ObjectType::Disk)),
            Row::Vault(Vault {
                status: VaultStatus::Frozen,
                ..planted::vault(q, &numbered(4), ObjectType::Server)
            }),
            Row::Vault(vault_for_copies(q)),
        ];
        plant(&world, &rows).await;
        Self { world, owner, receiver }
    }

    fn owner(&self) -> Client<'_> {
        self.world.cbr(&self.owner)
    }

    fn receiver(&self) -> Client<'_> {
        self.world.cbr(&self.receiver)
    }

    async fn offer(&self, number: u32) -> Value {
        let path = format!("{BACKUPS}/{}/members", numbered(number));
        let body = json!({"members": [self.receiver.project]});
        let answer = self.owner().post(&path, body).await.expect(200);
        assert_eq!(answer["count"], 1);
        answer["members"][0].clone()
    }

    /// Where the receiver is a member.
    fn place(&self, number: u32) -> String {
        format!("{BACKUPS}/{}/members/{}", numbered(number), self.receiver.project)
    }

    async fn take(&self, number: u32, vault: u32) -> Value {
        let body = json!({"status": "accepted", "vault_id": numbered(vault)});
        self.receiver().put(&self.place(number), body).await.expect(200)["member"].clone()
    }
}

fn vault_for_copies(owner: &str) -> Vault {
    let vault = planted::vault(owner, &numbered(5), ObjectType::Server);
    let mut terms = vault.terms.clone();
    terms.protect_type = ProtectType::Replication;
    Vault { terms, ..vault }
}

#[tokio::test]
async fn c29_c30_an_offer_is_taken_into_a_vault_of_the_receiver() {
    let scene = Scene::new().await;
    let offered = scene.offer(10).await;
    assert_eq!(offered["status"], "pending");
    assert_eq!((&offered["vault_id"], &offered["updated_at"]), (&Value::Null, &Value::Null));
    assert_eq!(offered["dest_project_id"], scene.receiver.project.as_str());
    let path = format!("{BACKUPS}/{}", numbered(10));
    let before = scene.receiver().get(&path).await.expect(200);
    assert_eq!(before["backup"]["vault_id"], Value::Null);
    let taken = scene.take(10, 2).await;
    assert_eq!((&taken["status"], &taken["vault_id"]), (&json!("accepted"), &json!(numbered(2))));
    let after = scene.receiver().get(&path).await.expect(200)["backup"].clone();
    assert_eq!(after["project_id"], scene.owner.project.as_str());
    assert_eq!(after["vault_id"], numbered(2));
    assert_eq!(after["scheduled_operation_id"], Value::Null);
    assert_eq!(after["expired_at"], Value::Null);
    let child = &after["children"][0];
    assert_eq!((&child["id"], &child["vault_id"]), (&json!(numbered(11)), &json!(numbered(2))));
    let child = format!("{BACKUPS}/{}", numbered(11));
    assert_eq!(scene.receiver().get(&child).await.expect(200)["backup"]["vault_id"], numbered(2));
    // Nothing of the owner's vault is said anywhere.
    assert!(!after.to_string().contains(&numbered(1)));
    let declined = json!({"status": "rejected"});
    let declined = scene.receiver().put(&scene.place(10), declined).await.expect(200);
    assert_eq!(declined["member"]["vault_id"], Value::Null);
    for path in [path, child] {
        assert_eq!(scene.receiver().get(&path).await.refused(404), "BackupService.6200");
    }
    assert_eq!(scene.take(10, 2).await["status"], "accepted");
}

#[tokio::test]
async fn received_backups_are_listed_when_they_are_asked_for() {
    let scene = Scene::new().await;
    scene.offer(10).await;
    scene.offer(20).await;
    scene.take(20, 3).await;
    let listed = async |query: &str| {
        let answer = scene.receiver().get(&format!("{BACKUPS}?{query}")).await.expect(200);
        let ids = answer["backups"].as_array().unwrap().iter();
        let mut ids: Vec<_> = ids.map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        assert_eq!(answer["count"], ids.len());
        ids
    };
    let (server, disk) = (numbered(10), numbered(20));
    assert_eq!(listed("").await, [""; 0]);
    assert_eq!(listed("own_type=shared").await, [server.clone(), disk.clone()]);
    assert_eq!(listed("own_type=all_granted").await, [server.clone(), disk.clone()]);
    assert_eq!(
        listed("own_type=shared&member_status=pending").await,
        std::slice::from_ref(&server)
    );
    assert_eq!(listed("own_type=shared&member_status=accepted").await, std::slice::from_ref(&disk));
    assert_eq!(listed(&format!("own_type=shared&vault_id={}", numbered(3))).await, [disk]);
    assert_eq!(listed(&format!("own_type=shared&vault_id={}", numbered(1))).await, [""; 0]);
    let parts = format!("own_type=shared&parent_id={server}");
    assert_eq!(listed(&parts).await, [numbered(11)]);
    assert_eq!(listed(&format!("parent_id={server}")).await, [""; 0]);
}

#[tokio::test]
async fn c43_an_offer_is_made_once_and_its_code_is_known() {
    let scene = Scene::new().await;
    scene.offer(10).await;
    let q = scene.receiver.project.as_str();
    let eleven: Vec<_> = (0..11).map(|number| format!("p{number}")).collect();
    for (number, body, code) in [
        (10, json!({"members": [q]}), "6703"),
        (20, json!({"members": [q, q]}), "6703"),
        (20, json!({"members": [scene.owner.project]}), "6704"),
        (20, json!({"members": ["nobody"]}), "6704"),
        (20, json!({"members": ["a b"]}), "6704"),
        (20, json!({"members": [q], "domains": ["d"]}), "6704"),
        (11, json!({"members": [q]}), "6700"),
        (21, json!({"members": [q]}), "6702"),
        (20, json!({"members": []}), "9900"),
        (20, json!({"members": eleven}), "9900"),
        (20, json!({"members": q}), "9900"),
        (20, json!({"members": [1]}), "9900"),
        (20, json!({}), "9900"),
        (20, json!([]), "9900"),
    ] {
        let path = format!("{BACKUPS}/{}/members", numbered(number));
        let answer = scene.owner().post(&path, body.clone()).await;
        assert_eq!(answer.refused(400), format!("BackupService.{code}"), "{number} {body}");
    }
    let none = scene.owner().get(&format!("{BACKUPS}/{}/members", numbered(20))).await;
    assert_eq!(none.expect(200), json!({"members": [], "count": 0}), "nothing was half done");
}

#[tokio::test]
async fn a_backup_has_ten_members_at_most() {
    let scene = Scene::new().await;
    let rows: Vec<_> = (0..11)
        .map(|number| {
            Row::Project(strongroom_model::project::Project {
                id: planted::project(&format!("p{number}")),
                domain_id: strongroom_model::id::DomainId::parse("default").unwrap(),
                name: format!("p{number}"),
                description: String::new(),
                is_enabled: true,
                created_at: at("2026-01-01T00:00:00Z"),
            })
        })
        .collect();
    plant(&scene.world, &rows).await;
    let path = format!("{BACKUPS}/{}/members", numbered(10));
    let ten: Vec<_> = (0..10).map(|number| format!("p{number}")).collect();
    let added = scene.owner().post(&path, json!({"members": ten})).await.expect(200);
    assert_eq!(added["count"], 10);
    let one_more = scene.owner().post(&path, json!({"members": ["p10"]})).await;
    assert_eq!(one_more.refused(400), "BackupService.6701");
    let page = format!("{path}?limit=4&sort=dest_project_id:asc");
    let first = scene.owner().get(&page).await.expect(200);
    let last = first["members"][3]["id"].as_str().unwrap();
    assert_eq!(
        (&first["count"], &first["members"][3]["dest_project_id"]),
        (&json!(10), &json!("p3"))
    );
    let next = scene.owner().get(&format!("{page}&marker={last}")).await.expect(200);
    assert_eq!(next["members"][0]["dest_project_id"], "p4");
    let gone = scene.owner().get(&format!("{path}?marker={}", numbered(99))).await.expect(200);
    assert_eq!(gone, json!({"members": [], "count": 10}));
}

#[tokio::test]
async fn a_receiver_sees_itself_only_and_cannot_share_on() {
    let scene = Scene::new().await;
    scene.offer(10).await;
    let path = format!("{BACKUPS}/{}/members", numbered(10));
    let other = json!({"members": [scene.world.admin.project]});
    scene.owner().post(&path, other).await.expect(200);
    let count = async |client: &Client<'_>, query: &str| {
        let answer = client.get(&format!("{path}?{query}")).await.expect(200);
        assert_eq!(answer["members"].as_array().unwrap().len(), answer["count"]);
        answer["count"].as_u64().unwrap()
    };
    assert_eq!(count(&scene.owner(), "").await, 2);
    assert_eq!(count(&scene.owner(), "status=pending").await, 2);
    assert_eq!(count(&scene.owner(), "status=accepted").await, 0);
    let to = format!("dest_project_id={}", scene.receiver.project);
    assert_eq!(count(&scene.owner(), &to).await, 1);
    assert_eq!(count(&scene.owner(), "image_id=x").await, 0);
    assert_eq!(count(&scene.owner(), &format!("vault_id={}", numbered(2))).await, 0);
    assert_eq!(count(&scene.receiver(), "").await, 1);
    let mine = scene.receiver().get(&scene.place(10)).await.expect(200);
    let by_record = format!("{path}/{}", mine["member"]["id"].as_str().unwrap());
    assert_eq!(scene.receiver().get(&by_record).await.expect(200), mine);
    assert_eq!(scene.owner().get(&by_record).await.expect(200), mine);
    let others = format!("{path}/{}", scene.world.admin.project);
    assert_eq!(scene.receiver().get(&others).await.refused(404), "BackupService.6705");
    scene.owner().get(&others).await.expect(200);
    let on = json!({"members": [scene.world.admin.project]});
    assert_eq!(scene.receiver().post(&path, on).await.refused(400), "BackupService.6714");
    let own = scene.place(10);
    assert_eq!(scene.receiver().delete(&own).await.refused(404), "BackupService.6200");
    let taken = json!({"status": "accepted", "vault_id": numbered(1)});
    let forbidden =
        [scene.owner().put(&own, taken.clone()).await, scene.receiver().put(&others, taken).await];
    for answer in forbidden {
        assert_eq!(answer.refused(403), "BackupService.9998");
    }
    for query in ["sort=name", "limit=0", "marker=x", "status=x", "vault_id=x"] {
        let answer = scene.owner().get(&format!("{path}?{query}")).await;
        assert_eq!(answer.refused(400), "BackupService.9900", "{query}");
    }
}

#[tokio::test]
async fn an_offer_is_taken_into_a_vault_that_fits_only() {
    let scene = Scene::new().await;
    scene.offer(10).await;
    for (body, status, code) in [
        (json!({"status": "accepted"}), 400, "6706"),
        (json!({"status": "accepted", "vault_id": null}), 400, "6706"),
        (json!({"status": "accepted", "vault_id": numbered(3)}), 400, "6713"),
        (json!({"status": "accepted", "vault_id": numbered(5)}), 400, "6713"),
        (json!({"status": "accepted", "vault_id": numbered(4)}), 400, "6712"),
        (json!({"status": "accepted", "vault_id": numbered(1)}), 404, "6105"),
        (json!({"status": "accepted", "vault_id": "x"}), 400, "9900"),
        (json!({"status": "lost"}), 400, "9900"),
        (json!({"vault_id": numbered(2)}), 400, "9900"),
        (json!([]), 400, "9900"),
    ] {
        let answer = scene.receiver().put(&scene.place(10), body.clone()).await;
        assert_eq!(answer.refused(status), format!("BackupService.{code}"), "{body}");
    }
    scene.take(10, 2).await;
    let back = scene.receiver().put(&scene.place(10), json!({"status": "pending"})).await;
    assert_eq!(back.refused(400), "BackupService.6706");
}

#[tokio::test]
async fn c32_what_the_owner_ends_is_gone_and_no_members_are_no_error() {
    let scene = Scene::new().await;
    scene.offer(10).await;
    scene.take(10, 2).await;
    let answer = scene.owner().delete(&scene.place(10)).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    let members = format!("{BACKUPS}/{}/members", numbered(10));
    assert_eq!(scene.owner().get(&members).await.expect(200)["members"], json!([]));
    assert_eq!(scene.owner().get(&scene.place(10)).await.refused(404), "BackupService.6705");
    assert_eq!(scene.owner().delete(&scene.place(10)).await.refused(404), "BackupService.6705");
    for path in [members, scene.place(10), format!("{BACKUPS}/{}", numbered(10))] {
        assert_eq!(scene.receiver().get(&path).await.refused(404), "BackupService.6200");
    }
}

#[tokio::test]
async fn members_and_the_volume_doors_shares_are_the_same() {
    const SHARES: &str = "/v2/{p}/os-vendor-backup-sharing";
    let scene = Scene::new().await;
    let native = scene.world.volume(&scene.owner);
    let volume = native.make_volume("v").await;
    let backup = native.make_backup(&volume, "b").await;
    let count = async |access: &Access, query: &str| {
        let listed = scene.world.volume(access).get(&format!("{SHARES}/count{query}")).await;
        listed.expect(200)["count"].as_u64().unwrap()
    };
    let members = format!("{BACKUPS}/{backup}/members");
    let body = json!({"members": [scene.receiver.project]});
    scene.owner().post(&members, body).await.expect(200);
    assert_eq!(count(&scene.owner, "").await, 0, "an offer is no share there");
    let member = format!("{members}/{}", scene.receiver.project);
    let taken = json!({"status": "accepted", "vault_id": numbered(3)});
    scene.receiver().put(&member, taken).await.expect(200);
    assert_eq!(count(&scene.owner, "").await, 1);
    assert_eq!(count(&scene.receiver, "?share_to_me=true").await, 1);
    scene.owner().delete(&member).await.expect(204);
    let shared =
        json!({"shared": {"backup_id": backup, "to_project_ids": [scene.receiver.project]}});
    native.post(SHARES, shared).await.expect(200);
    let seen = scene.receiver().get(&member).await.expect(200)["member"].clone();
    assert_eq!((&seen["status"], &seen["vault_id"]), (&json!("accepted"), &Value::Null));
    let shown = scene.receiver().get(&format!("{BACKUPS}/{backup}")).await.expect(200);
    assert_eq!(shown["backup"]["vault_id"], Value::Null);
}

#[tokio::test]
async fn what_was_taken_can_be_made_a_disk_of_and_what_was_not_cannot() {
    let scene = Scene::new().await;
    let native = scene.world.volume(&scene.owner);
    let volume = native.make_volume("v").await;
    let backup = native.make_backup(&volume, "b").await;
    let body = json!({"members": [scene.receiver.project]});
    scene.owner().post(&format!("{BACKUPS}/{backup}/members"), body).await.expect(200);
    let wish = json!({"volume": {"backup_id": backup, "size": 1, "name": "n"}});
    let receiver = scene.world.volume(&scene.receiver).at("3.47");
    assert_eq!(receiver.post("/v3/{p}/volumes", wish.clone()).await.status, 404);
    let member = format!("{BACKUPS}/{backup}/members/{}", scene.receiver.project);
    let taken = json!({"status": "accepted", "vault_id": numbered(3)});
    scene.receiver().put(&member, taken).await.expect(200);
    let made = receiver.post("/v3/{p}/volumes", wish).await.expect(202);
    scene.world.settle().await;
    let path = format!("/v3/{{p}}/volumes/{}", made["volume"]["id"].as_str().unwrap());
    assert_eq!(receiver.get(&path).await.expect(200)["volume"]["status"], "available");
}
