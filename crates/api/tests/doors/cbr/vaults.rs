//! Vaults: what they look like, what is refused, and what another project sees of them.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use strongroom_model::id::{ProjectId, UserId, VaultId};
use strongroom_model::identity::Role;
use strongroom_model::vault::VaultStatus;
use strongroom_service::checkpoint::NewCheckpoint;
use strongroom_service::{Caller, CallerScope, Error};

use crate::world::{Client, World};

const UNKNOWN: &str = "99999999-9999-4999-8999-999999999999";

macro_rules! strict {
    ($($name:ident { $($field:ident: $kind:ty,)* })*) => {$(
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "decoding is the test")]
        struct $name { $($field: $kind,)* }
    )*};
}

strict! {
    Envelope { vault: Vault, }
    Page { vaults: Vec<Vault>, count: u64, limit: u64, offset: u64, }
    Vault {
        id: String, name: String, description: Option<String>, project_id: String,
        user_id: String, provider_id: String, created_at: String, enterprise_project_id: String,
        auto_bind: bool, auto_expand: bool, bind_rules: BindRules, smn_notify: bool,
        threshold: u8, locked: bool, backup_name_prefix: String, demand_billing: bool,
        cbc_delete_count: u32, frozen: bool, sys_lock_source_service: Option<String>,
        availability_zone: Option<String>, billing: Billing, resources: Vec<Resource>,
        tags: Vec<Tag>,
    }
    Billing {
        allocated: u32, used: u32, size: u32, charging_mode: String, cloud_type: String,
        consistent_level: String, object_type: String, protect_type: String, spec_code: String,
        status: String, is_multi_az: bool, order_id: Option<String>, product_id: Option<String>,
        storage_unit: Option<String>, frozen_scene: Option<String>,
        partner_bp_id: Option<String>,
    }
    Resource {
        id: String, r#type: String, name: String, size: u32, backup_size: u32,
        backup_count: u32, protect_status: String, auto_protect: bool, extra_info: ExtraInfo,
    }
    ExtraInfo { exclude_volumes: Vec<String>, }
    Tag { key: String, value: String, }
}

/// Empty unless tags were said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "decoding is the test")]
struct BindRules {
    #[serde(default)]
    tags: Vec<Tag>,
}

fn wish(name: &str, object_type: &str) -> Value {
    json!({"vault": {
        "name": name,
        "billing": {
            "consistent_level": "crash_consistent", "object_type": object_type,
            "protect_type": "backup", "size": 40, "charging_mode": "post_paid",
        },
        "resources": [],
    }})
}

fn disk(id: &str) -> Value {
    json!({"id": id, "type": "OS::Cinder::Volume"})
}

async fn make(client: &Client<'_>, body: Value) -> String {
    let made = client.post("/v3/{p}/vaults", body).await.expect(200);
    made["vault"]["id"].as_str().unwrap().to_owned()
}

/// Begins a backup of everything that a vault of the administrator's project protects.
async fn back_up(world: &World, vault: &str) {
    let caller = Caller {
        user_id: UserId::parse("somebody").unwrap(),
        scope: CallerScope::Project(ProjectId::parse(&world.admin.project).unwrap()),
        role: Some(Role::Member),
        is_cloud_admin: false,
        request_id: "req-test".to_owned(),
    };
    let run = NewCheckpoint::of(VaultId::parse(vault).unwrap());
    world.service.create_checkpoint(&caller, run).await.unwrap();
}

async fn set_status(world: &World, id: &str, status: VaultStatus) {
    let id = VaultId::parse(id).unwrap();
    let catalog = world.catalog().await;
    let work = catalog.transact(|tx| {
        Box::pin(async move {
            let mut vault = tx.vaults().find_any(id).await?.unwrap();
            vault.status = status;
            tx.vaults().update(&vault).await?;
            Ok::<_, Error>(())
        })
    });
    work.await.unwrap();
}

#[tokio::test]
async fn c02_c03_c04_c18_a_vault_decodes_into_strict_types_and_is_the_same_when_shown() {
    let world = World::new().await;
    let volume = world.volume(&world.admin).make_volume("data").await;
    let client = world.cbr(&world.admin);
    let mut body = wish("nightly", "disk");
    body["vault"]["resources"] = json!([disk(&volume)]);
    body["vault"]["tags"] = json!([{"key": " env ", "value": "prod"}]);
    body["vault"]["bind_rules"] = json!({"tags": [{"key": "a", "value": "b"}]});
    let made = client.post("/v3/{p}/vaults", body).await.expect(200);
    serde_json::from_value::<Envelope>(made.clone()).unwrap();
    let id = made["vault"]["id"].as_str().unwrap();
    let shown = client.get(&format!("/v3/{{p}}/vaults/{id}")).await.expect(200);
    assert_eq!(made, shown);
    let vault = &shown["vault"];
    assert_eq!(vault["tags"], json!([{"key": "env", "value": "prod"}]));
    assert_eq!(vault["provider_id"], "d1603440-187d-4516-af25-121250c7cc97");
    assert_eq!(vault["billing"]["spec_code"], "vault.backup.volume.normal");
    assert_eq!(
        (&vault["billing"]["allocated"], &vault["enterprise_project_id"]),
        (&json!(1), &json!("0"))
    );
    assert_eq!(vault["created_at"], "2026-02-03T04:05:07.000007");
    let resource = &vault["resources"][0];
    assert_eq!((&resource["name"], &resource["auto_protect"]), (&json!("data"), &json!(true)));
    let page = client.get("/v3/{p}/vaults").await.expect(200);
    serde_json::from_value::<Page>(page.clone()).unwrap();
    assert_eq!(page["vaults"], json!([vault]));
    let plain = make(&client, wish("plain", "server")).await;
    let plain = client.get(&format!("/v3/{{p}}/vaults/{plain}")).await.expect(200);
    assert_eq!((&plain["vault"]["bind_rules"], &plain["vault"]["tags"]), (&json!({}), &json!([])));
}

#[tokio::test]
async fn what_clients_send_too_much_is_taken() {
    let world = World::new().await;
    let client = world.cbr(&world.admin);
    let mut body = wish("n", "server");
    let vault = body["vault"].as_object_mut().unwrap();
    vault.remove("resources");
    vault.insert("bind_rules".to_owned(), json!({"tags": []}));
    vault.insert("unheard_of".to_owned(), json!({"x": 1}));
    vault["billing"]["is_auto_renew"] = json!(true);
    vault["billing"]["is_auto_pay"] = json!(true);
    vault["billing"]["period_type"] = json!("month");
    vault["billing"]["extra_info"] = json!({"a": 1});
    let id = make(&client, body).await;
    let path = format!("/v3/{{p}}/vaults/{id}");
    let before = client.get(&path).await.expect(200);
    let same = json!({"vault": {"billing": {}, "name": null}});
    assert_eq!(client.put(&path, same).await.expect(200), before);
    let change = json!({"vault": {"name": "m", "threshold": 5, "billing": {"size": 50}}});
    let changed = client.put(&path, change).await.expect(200);
    assert_eq!(
        (&changed["vault"]["name"], &changed["vault"]["billing"]["size"]),
        (&json!("m"), &json!(50))
    );
}

#[tokio::test]
async fn a_vault_paid_for_in_advance_comes_with_an_order() {
    let world = World::new().await;
    let client = world.cbr(&world.admin);
    let mut body = wish("n", "disk");
    body["vault"]["billing"]["charging_mode"] = json!("pre_paid");
    assert_eq!(
        client.post("/v3/{p}/vaults", body.clone()).await.refused(400),
        "BackupService.9900"
    );
    body["vault"]["billing"]["period_type"] = json!("month");
    body["vault"]["billing"]["period_num"] = json!(1);
    let made = client.post("/v3/{p}/vaults", body.clone()).await.expect(200);
    assert_eq!(made["vault"]["billing"]["charging_mode"], "pre_paid");
    assert_eq!(
        (&made["retCode"], &made["orders"][0]["resourceId"]),
        (&json!(0), &made["vault"]["id"])
    );
    let mut growing = body.clone();
    growing["vault"]["auto_expand"] = json!(true);
    for path in ["/v3/{p}/vaults", "/v3/{p}/vaults/order"] {
        let refused = client.post(path, growing.clone()).await.refused(400);
        assert_eq!(refused, "BackupService.9900", "{path}");
    }
    body["vault"].as_object_mut().unwrap().remove("name");
    let ordered = client.post("/v3/{p}/vaults/order", body).await.expect(200);
    let id = ordered["orders"][0]["resourceId"].as_str().unwrap();
    let shown = client.get(&format!("/v3/{{p}}/vaults/{id}")).await.expect(200);
    let vault = &shown["vault"];
    assert!(vault["name"].as_str().unwrap().starts_with("vault_"), "{vault}");
    assert_eq!(
        (&vault["billing"]["charging_mode"], &vault["billing"]["size"]),
        (&json!("pre_paid"), &json!(40))
    );
    let plain = make(&client, wish("n", "disk")).await;
    let change = json!({
        "charging_mode": "pre_paid", "period_type": "year", "period_num": 1,
        "is_auto_renew": false, "is_auto_pay": true, "vault_ids": [plain],
    });
    let told = client.post("/v3/{p}/vaults/change-charge-mode", change).await.expect(200);
    assert_eq!(told["retCode"], 0);
    let billing = async || {
        let shown = client.get(&format!("/v3/{{p}}/vaults/{plain}")).await.expect(200);
        shown["vault"]["billing"].clone()
    };
    assert_eq!(billing().await["charging_mode"], "pre_paid");
    let long = |size: i64| {
        json!({"resource_id": plain, "product_info": {
            "product_id": "x", "resource_size": size, "resource_size_measure_id": 17,
            "resource_spec_code": "vault.backup.volume.normal",
        }})
    };
    let short = |size: i64| json!({"resourceId": plain, "productInfo": {"resourceSize": size}});
    for (changed, updated) in [(long(70), long(71)), (short(72), short(73))] {
        let told = client.post("/v3/{p}/orders/change", changed.clone()).await.expect(200);
        assert_eq!(told["retCode"], 0);
        let size_of = |body: &Value| {
            let one = &body["product_info"]["resource_size"];
            if one.is_null() { body["productInfo"]["resourceSize"].clone() } else { one.clone() }
        };
        assert_eq!(billing().await["size"], size_of(&changed));
        let told = client.put("/v3/{p}/orders/CS1", updated.clone()).await.expect(200);
        assert_eq!((&told["orderId"], &told["retCode"]), (&json!("CS1"), &json!("0")));
        assert_eq!(billing().await["size"], size_of(&updated));
    }
    let unknown = json!({"resource_id": UNKNOWN, "product_info": {"resource_size": 70}});
    let refused = client.post("/v3/{p}/orders/change", unknown).await;
    assert_eq!(refused.refused(404), "BackupService.6105");
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one line for each way to be wrong")]
async fn what_makes_no_vault_is_refused_by_its_code() {
    let world = World::new().await;
    let volume = world.volume(&world.admin).make_volume("data").await;
    let client = world.cbr(&world.admin);
    let with = |path: &str, value: Value| {
        let mut body = wish("n", "disk");
        *body["vault"].pointer_mut(path).unwrap_or(&mut Value::Null) = value.clone();
        if body["vault"].pointer(path).is_none() {
            let (parent, key) = path.rsplit_once('/').unwrap();
            body["vault"].pointer_mut(parent).unwrap()[key] = value;
        }
        body
    };
    for (body, status, code) in [
        (with("/billing/size", json!(9)), 400, "6101"),
        (with("/billing/size", json!(10_485_761)), 400, "6101"),
        (with("/billing/size", json!(-1)), 400, "6101"),
        (with("/billing/size", json!("40")), 400, "9900"),
        (with("/billing/object_type", json!("ship")), 400, "9900"),
        (with("/billing/protect_type", json!("hybrid")), 400, "9900"),
        (with("/billing/consistent_level", json!("app_consistent")), 400, "9900"),
        (with("/billing/is_multi_az", json!(true)), 400, "9900"),
        (with("/demand_billing", json!(true)), 400, "9900"),
        (with("/name", json!("a b")), 400, "9900"),
        (with("/name", json!("x".repeat(65))), 400, "9900"),
        (with("/description", json!("<b>")), 400, "9900"),
        (with("/threshold", json!(0)), 400, "9900"),
        (with("/threshold", json!(101)), 400, "9900"),
        (with("/locked", json!("true")), 400, "9900"),
        (with("/backup_name_prefix", json!("x".repeat(33))), 400, "9900"),
        (with("/sys_lock_source_service", json!("X")), 400, "9900"),
        (with("/backup_policy_id", json!("x")), 400, "9900"),
        (with("/backup_policy_id", json!(UNKNOWN)), 404, "6000"),
        (
            with("/bind_rules", json!({"tags": vec![json!({"key": "a", "value": ""}); 6]})),
            400,
            "9900",
        ),
        (
            with("/tags", json!([{"key": "a", "value": "1"}, {"key": " a", "value": "2"}])),
            400,
            "9900",
        ),
        (with("/tags", json!([{"key": "a=b", "value": "1"}])), 400, "9900"),
        (
            with("/tags", (0..21).map(|n| json!({"key": format!("k{n}"), "value": ""})).collect()),
            400,
            "6600",
        ),
        (with("/resources", json!({})), 400, "9900"),
        (with("/resources", json!([{"id": "x", "type": "OS::Cinder::Volume"}])), 400, "9900"),
        (with("/resources", json!([{"id": volume, "type": "OS::Nova::Server"}])), 400, "6102"),
        (with("/resources", json!([disk(&volume), disk(&volume)])), 400, "6104"),
        (with("/resources", json!([disk(UNKNOWN)])), 404, "7000"),
    ] {
        let answer = client.post("/v3/{p}/vaults", body.clone()).await;
        assert_eq!(answer.refused(status), format!("BackupService.{code}"), "{body}");
    }
    let of_servers = |id: &str| {
        let mut body = wish("n", "server");
        body["vault"]["resources"] = json!([{"id": id, "type": "OS::Nova::Server"}]);
        body
    };
    let answer = client.post("/v3/{p}/vaults", of_servers(UNKNOWN)).await;
    assert_eq!(answer.refused(404), "BackupService.7100");
    let mut turbo = wish("n", "turbo");
    turbo["vault"]["resources"] = json!([{"id": UNKNOWN, "type": "OS::Sfs::Turbo"}]);
    assert_eq!(client.post("/v3/{p}/vaults", turbo).await.refused(404), "BackupService.6302");
    let mut copies = wish("n", "disk");
    copies["vault"]["billing"]["protect_type"] = json!("replication");
    copies["vault"]["resources"] = json!([disk(&volume)]);
    assert_eq!(client.post("/v3/{p}/vaults", copies).await.refused(400), "BackupService.6108");
    for body in [json!({}), json!({"vault": []}), json!([]), json!({"vault": {"name": "n"}})] {
        let answer = client.post("/v3/{p}/vaults", body).await;
        assert_eq!(answer.refused(400), "BackupService.9900");
    }
    assert_eq!(client.get("/v3/{p}/vaults").await.expect(200)["count"], 0);
}

#[tokio::test]
async fn resources_come_go_and_move() {
    let world = World::new().await;
    let volumes = world.volume(&world.admin);
    let (volume, other) = (volumes.make_volume("a").await, volumes.make_volume("b").await);
    let client = world.cbr(&world.admin);
    let (one, two) =
        (make(&client, wish("one", "disk")).await, make(&client, wish("two", "disk")).await);
    let at = |id: &str, what: &str| format!("/v3/{{p}}/vaults/{id}/{what}");
    let add =
        |ids: &[&str]| json!({"resources": ids.iter().map(|id| disk(id)).collect::<Vec<_>>()});
    let added = client.post(&at(&one, "addresources"), add(&[&volume])).await.expect(200);
    assert_eq!(added, json!({"add_resource_ids": [volume]}));
    let taken = client.post(&at(&two, "addresources"), add(&[&other, &volume])).await;
    assert_eq!(taken.refused(400), "BackupService.6103");
    let again = client.post(&at(&one, "addresources"), add(&[&volume])).await;
    assert_eq!(again.refused(400), "BackupService.7006");
    let listed = client.get(&format!("/v3/{{p}}/vaults?resource_ids={volume},{other}")).await;
    assert_eq!(listed.expect(200)["vaults"][0]["id"], json!(one));
    let ids = |ids: &[&str]| json!({"resource_ids": ids});
    let mut wish = ids(&[&volume]);
    wish["destination_vault_id"] = json!(two);
    let moved = client.post(&at(&one, "migrateresources"), wish.clone()).await.expect(200);
    assert_eq!(moved, json!({"migrated_resources": [volume]}));
    let again = client.post(&at(&one, "migrateresources"), wish.clone()).await;
    assert_eq!(again.refused(400), "BackupService.6135");
    wish["destination_vault_id"] = json!(UNKNOWN);
    let lost = client.post(&at(&two, "migrateresources"), wish).await;
    assert_eq!(lost.refused(400), "BackupService.6120");
    let mut wish = ids(&[&volume]);
    wish["action"] = json!("unsuspend");
    let set = client.put(&at(&two, "set-resources"), wish.clone()).await.expect(200);
    assert_eq!(set, json!({"set_resource_ids": [volume]}));
    let shown = client.get(&format!("/v3/{{p}}/vaults/{two}")).await.expect(200);
    assert_eq!(shown["vault"]["resources"][0]["auto_protect"], false);
    wish["action"] = json!("stop");
    let refused = client.put(&at(&two, "set-resources"), wish).await;
    assert_eq!(refused.refused(400), "BackupService.9900");
    back_up(&world, &two).await;
    let busy = client.post(&at(&two, "removeresources"), ids(&[&volume])).await;
    assert_eq!(busy.refused(400), "BackupService.6125");
    assert_eq!(
        client.delete(&format!("/v3/{{p}}/vaults/{two}")).await.refused(400),
        "BackupService.6203"
    );
    world.settle().await;
    let used = client.get("/v3/{p}/storage_usage").await.expect(200);
    assert_eq!(
        (&used["resource_count"], &used["storage_usage"][0]["resource_id"]),
        (&json!(1), &json!(volume))
    );
    let removed = client.post(&at(&two, "removeresources"), ids(&[&volume])).await.expect(200);
    assert_eq!(removed, json!({"remove_resource_ids": [volume]}));
    let twice = client.post(&at(&two, "removeresources"), ids(&[&volume])).await;
    assert_eq!(twice.refused(400), "BackupService.6134");
    for _ in 0..3 {
        world.settle().await;
    }
    let gone = client.post(&at(&two, "removeresources"), ids(&[&volume])).await;
    assert_eq!(gone.refused(400), "BackupService.6135");
    assert_eq!(
        client.post(&at(&two, "addresources"), add(&[])).await.refused(400),
        "BackupService.9900"
    );
    client.post(&at(&two, "addresources"), add(&[&other])).await.expect(200);
}

#[tokio::test]
async fn c25_c43_a_vault_goes_with_its_backups_and_twice_is_told() {
    let world = World::new().await;
    let volume = world.volume(&world.admin).make_volume("a").await;
    let client = world.cbr(&world.admin);
    let mut body = wish("one", "disk");
    body["vault"]["resources"] = json!([disk(&volume)]);
    let id = make(&client, body).await;
    let path = format!("/v3/{{p}}/vaults/{id}");
    back_up(&world, &id).await;
    world.settle().await;
    let gone = client.delete(&path).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    let shown = client.get(&path).await.expect(200);
    assert_eq!(shown["vault"]["billing"]["status"], "deleting");
    assert_eq!(client.delete(&path).await.refused(400), "BackupService.6203");
    for _ in 0..3 {
        world.settle().await;
    }
    assert_eq!(client.get(&path).await.refused(404), "BackupService.6105");
    assert_eq!(client.get("/v3/{p}/backups").await.expect(200)["count"], 0);
    let empty = make(&client, wish("two", "disk")).await;
    client.delete(&format!("/v3/{{p}}/vaults/{empty}")).await.expect(204);
    assert_eq!(
        client.get(&format!("/v3/{{p}}/vaults/{empty}")).await.refused(404),
        "BackupService.6105"
    );
}

#[tokio::test]
async fn c36_the_state_of_a_vault_and_its_lock_decide() {
    let world = World::new().await;
    let client = world.cbr(&world.admin);
    let id = make(&client, wish("one", "disk")).await;
    let path = format!("/v3/{{p}}/vaults/{id}");
    let resize = json!({"vault": {"billing": {"size": 50}}});
    let rename = json!({"vault": {"name": "n"}});
    for (status, sized, named) in [
        (VaultStatus::Lock, Some("6123"), None),
        (VaultStatus::Frozen, Some("6110"), Some("6110")),
        (VaultStatus::Deleting, Some("6110"), Some("6110")),
        (VaultStatus::Error, Some("6112"), None),
    ] {
        set_status(&world, &id, status).await;
        for (body, code) in [(&resize, sized), (&rename, named)] {
            let answer = client.put(&path, body.clone()).await;
            match code {
                Some(code) => assert_eq!(answer.refused(400), format!("BackupService.{code}")),
                None => drop(answer.expect(200)),
            }
        }
    }
    let add = json!({"resources": [disk(UNKNOWN)]});
    let refused = client.post(&format!("{path}/addresources"), add).await;
    assert_eq!(refused.refused(400), "BackupService.6112");
    set_status(&world, &id, VaultStatus::Lock).await;
    assert_eq!(client.delete(&path).await.refused(400), "BackupService.6111");
    set_status(&world, &id, VaultStatus::Available).await;
    let size = |size: i64| json!({"vault": {"billing": {"size": size}}});
    assert_eq!(client.put(&path, size(0)).await.refused(400), "BackupService.6101");
    let lock = |locked: bool| json!({"vault": {"locked": locked}});
    assert_eq!(client.put(&path, lock(true)).await.expect(200)["vault"]["locked"], true);
    client.put(&path, lock(true)).await.expect(200);
    assert_eq!(client.put(&path, lock(false)).await.refused(400), "BackupService.6110");
    client.delete(&path).await.expect(204);
}

#[tokio::test]
async fn a_lock_holds_against_both_dialects() {
    let world = World::new().await;
    let volumes = world.volume(&world.admin);
    let volume = volumes.make_volume("a").await;
    let client = world.cbr(&world.admin);
    let mut body = wish("one", "disk");
    body["vault"]["resources"] = json!([disk(&volume)]);
    let id = make(&client, body).await;
    let path = format!("/v3/{{p}}/vaults/{id}");
    back_up(&world, &id).await;
    world.settle().await;
    // Until its lock, a vault takes any date. Tokens last for eight hours.
    let dates = format!("{path}/update-backup-expiration-time");
    let soon = json!({"expect_expiration_date": "2026-02-03", "time_zone": "UTC+14:00"});
    let told = client.put(&dates, soon.clone()).await.expect(200);
    assert_eq!(told["affected_backups_count"], 1);
    client.put(&path, json!({"vault": {"locked": true}})).await.expect(200);
    let backups = client.get("/v3/{p}/backups").await.expect(200);
    let backup = backups["backups"][0]["id"].as_str().unwrap().to_owned();
    let of_cbr = format!("/v3/{{p}}/backups/{backup}");
    assert_eq!(client.delete(&of_cbr).await.refused(400), "BackupService.6220");
    assert_eq!(volumes.delete(&of_cbr).await.status, 400);
    for action in
        [json!({"os-force_delete": {}}), json!({"os-reset_status": {"status": "error_deleting"}})]
    {
        let refused = volumes.post(&format!("{of_cbr}/action"), action).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
    }
    let of_vendor = volumes.delete(&format!("/v2/{{p}}/cloudbackups/{backup}")).await;
    assert!(of_vendor.status >= 400, "{}", of_vendor.status);
    assert_eq!(client.delete(&path).await.refused(400), "BackupService.6111");
    let ids = json!({"resource_ids": [volume]});
    let removed = client.post(&format!("{path}/removeresources"), ids).await;
    assert_eq!(removed.refused(400), "BackupService.6220");
    let told = client.put(&dates, soon).await.expect(200);
    assert_eq!(told["new_expiration_day"], "2026-02-03");
    assert_eq!(told["affected_backups_count"], 0, "it is no later");
    let longer = json!({"expect_expiration_date": "2026-02-03", "time_zone": "UTC+13:00"});
    let told = client.put(&dates, longer).await.expect(200);
    assert_eq!(told["affected_backups_count"], 1);
    let shown = client.get(&of_cbr).await.expect(200);
    assert_eq!(shown["backup"]["expired_at"], "2026-02-03T10:59:59.999999");
    for bad in [
        json!({"expect_expiration_date": "2026-02-30", "time_zone": "UTC+08:00"}),
        json!({"expect_expiration_date": "2026-02-10", "time_zone": "CET"}),
        json!({"expect_expiration_date": "2001-01-01", "time_zone": "UTC+00:00"}),
    ] {
        assert_eq!(client.put(&dates, bad).await.refused(400), "BackupService.9900");
    }
    world.pass(Duration::from_secs(7 * 3600));
    client.delete(&path).await.expect(204);
    for _ in 0..3 {
        world.settle().await;
    }
    assert_eq!(client.get(&path).await.refused(404), "BackupService.6105");
}

#[tokio::test]
async fn lists_have_conditions_and_words_stand_before_ids() {
    let world = World::new().await;
    let client = world.cbr(&world.admin);
    let mut ids = Vec::new();
    for (name, kind) in [("night-long", "disk"), ("night", "server"), ("day", "disk")] {
        ids.push(make(&client, wish(name, kind)).await);
        world.pass(Duration::from_secs(1));
    }
    let list = async |query: &str| {
        let page = client.get(&format!("/v3/{{p}}/vaults?{query}")).await.expect(200);
        let names = page["vaults"].as_array().unwrap().iter();
        names.map(|vault| vault["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list("").await, ["day", "night", "night-long"]);
    assert_eq!(list("name=night").await, ["night", "night-long"]);
    assert_eq!(list("object_type=disk&limit=1&offset=1").await, ["night-long"]);
    assert_eq!(
        list(&format!("id={},{}&id={}", ids[0], UNKNOWN, ids[2])).await,
        ["day", "night-long"]
    );
    assert_eq!(list(&format!("limit=2&marker={}", ids[1])).await, ["night-long"]);
    assert_eq!(list(&format!("vault_id={}", ids[1])).await, ["night"]);
    for query in [
        "status=error",
        "protect_type=replication",
        "cloud_type=hybrid",
        "enterprise_project_id=1",
        "availability_zone=z",
        "offset=9",
        "policy_id=99999999-9999-4999-8999-999999999999",
        "resource_ids=99999999-9999-4999-8999-999999999999",
        "marker=99999999-9999-4999-8999-999999999999",
    ] {
        assert_eq!(list(query).await, [""; 0], "{query}");
    }
    assert_eq!(list("enterprise_project_id=all_granted_eps").await.len(), 3);
    for query in ["status=available", "protect_type=backup", "cloud_type=public"] {
        assert_eq!(list(query).await.len(), 3, "{query}");
    }
    set_status(&world, &ids[1], VaultStatus::Error).await;
    assert_eq!(list("status=error").await, ["night"]);
    set_status(&world, &ids[1], VaultStatus::Available).await;
    for bad in ["limit=0", "status=x", "object_type=x", "id=x", "policy_id=x", "name=a%20b"] {
        let refused = client.get(&format!("/v3/{{p}}/vaults?{bad}")).await;
        assert_eq!(refused.refused(400), "BackupService.9900", "{bad}");
    }
    let summary = client.get("/v3/{p}/vaults/summary").await.expect(200);
    assert_eq!(summary, json!({"size": 120, "used_size": 0}));
    let all = json!({"vault": {"threshold": 9, "smn_notify": false}});
    let changed = client.put("/v3/{p}/vaults/batch-update", all).await.expect(200);
    assert_eq!(changed["updated_vaults_id"].as_array().unwrap().len(), 3);
    for id in &ids {
        let shown = client.get(&format!("/v3/{{p}}/vaults/{id}")).await.expect(200);
        let vault = &shown["vault"];
        assert_eq!((&vault["threshold"], &vault["smn_notify"]), (&json!(9), &json!(false)));
    }
    let nothing = client.put("/v3/{p}/vaults/batch-update", json!({"vault": {}})).await;
    assert_eq!(nothing.refused(400), "BackupService.9900");
    assert_eq!(client.get("/v3/{p}/vaults/my-name").await.refused(404), "BackupService.6105");
}

#[tokio::test]
async fn each_condition_finds_what_meets_it() {
    let world = World::new().await;
    let client = world.cbr(&world.admin);
    make(&client, wish("plain", "disk")).await;
    let mut copies = wish("copies", "disk");
    copies["vault"]["billing"]["protect_type"] = json!("replication");
    make(&client, copies).await;
    let mut remote = wish("remote", "server");
    remote["vault"]["billing"]["cloud_type"] = json!("hybrid");
    make(&client, remote).await;
    let mut zoned = wish("zoned", "disk");
    zoned["vault"]["availability_zone"] = json!("z");
    zoned["vault"]["enterprise_project_id"] = json!("1");
    make(&client, zoned).await;
    for (query, name) in [
        ("protect_type=replication", "copies"),
        ("cloud_type=hybrid", "remote"),
        ("availability_zone=z", "zoned"),
        ("enterprise_project_id=1", "zoned"),
    ] {
        let found = client.get(&format!("/v3/{{p}}/vaults?{query}")).await.expect(200);
        assert_eq!((&found["count"], &found["vaults"][0]["name"]), (&json!(1), &json!(name)));
    }
}

#[tokio::test]
async fn c08_policies_are_applied_by_one_key_or_the_other() {
    let world = World::new().await;
    let client = world.cbr(&world.admin);
    let id = make(&client, wish("one", "disk")).await;
    let policy = json!({"policy": {
        "name": "p", "operation_type": "backup", "operation_definition": {"max_backups": 2},
        "trigger": {"properties": {"pattern": ["FREQ=DAILY;INTERVAL=1;BYHOUR=3;BYMINUTE=0"]}},
    }});
    let policy = client.post("/v3/{p}/policies", policy).await.expect(200);
    let policy = policy["policy"]["id"].as_str().unwrap();
    let associate = format!("/v3/{{p}}/vaults/{id}/associatepolicy");
    let expected = json!({"associate_policy": {"vault_id": id, "policy_id": policy}});
    for body in [json!({"policy_id": policy}), json!({"add_policy_ids": [policy]})] {
        assert_eq!(client.post(&associate, body).await.expect(200), expected);
    }
    let listed = client.get(&format!("/v3/{{p}}/vaults?policy_id={policy}")).await.expect(200);
    assert_eq!(listed["count"], 1);
    let both = json!({"policy_id": policy, "add_policy_ids": [policy]});
    for bad in [json!({}), both, json!({"policy_id": "x"}), json!({"add_policy_ids": []})] {
        assert_eq!(client.post(&associate, bad).await.refused(400), "BackupService.9900");
    }
    let unknown = json!({"policy_id": UNKNOWN});
    assert_eq!(client.post(&associate, unknown.clone()).await.refused(404), "BackupService.6000");
    let mut copies = wish("copies", "disk");
    copies["vault"]["billing"]["protect_type"] = json!("replication");
    let copies = make(&client, copies).await;
    let unfit = client
        .post(&format!("/v3/{{p}}/vaults/{copies}/associatepolicy"), json!({"policy_id": policy}))
        .await;
    assert_eq!(unfit.refused(400), "BackupService.6127");
    let mut remote = wish("remote", "server");
    remote["vault"]["billing"]["cloud_type"] = json!("hybrid");
    let path = format!("/v3/{{p}}/vaults/{}/associatepolicy", make(&client, remote.clone()).await);
    let unfit = client.post(&path, json!({"policy_id": policy})).await;
    assert_eq!(unfit.refused(400), "BackupService.6136");
    remote["vault"]["backup_policy_id"] = json!(policy);
    assert_eq!(client.post("/v3/{p}/vaults", remote).await.refused(400), "BackupService.6136");
    let dissociate = format!("/v3/{{p}}/vaults/{id}/dissociatepolicy");
    let released = client.post(&dissociate, json!({"policy_id": policy})).await.expect(200);
    assert_eq!(released["dissociate_policy"]["policy_id"], policy);
    let again = client.post(&dissociate, json!({"policy_id": policy})).await;
    assert_eq!(again.refused(404), "BackupService.6002");
    assert_eq!(client.post(&dissociate, unknown).await.refused(404), "BackupService.6000");
}

#[tokio::test]
async fn another_projects_vault_is_missing_at_every_operation() {
    let (world, alpha, beta) = World::with_projects().await;
    let volume = world.volume(&alpha.member).make_volume("a").await;
    let owner = world.cbr(&alpha.member);
    let mut body = wish("one", "disk");
    body["vault"]["resources"] = json!([disk(&volume)]);
    body["vault"]["tags"] = json!([{"key": "k", "value": "v"}]);
    let id = make(&owner, body).await;
    let before = owner.get(&format!("/v3/{{p}}/vaults/{id}")).await.expect(200);
    for access in [&beta.member, &beta.admin] {
        let stranger = world.cbr(access);
        let vault = format!("/v3/{{p}}/vaults/{id}");
        let tags = format!("/v3/{{p}}/vault/{id}/tags");
        let ids =
            json!({"resource_ids": [volume], "action": "suspend", "destination_vault_id": id});
        let product = json!({"resource_id": id, "product_info": {"resource_size": 50}});
        let expiry = json!({"expect_expiration_date": "2030-01-01", "time_zone": "UTC+00:00"});
        let charge = json!({
            "charging_mode": "pre_paid", "period_type": "year", "period_num": 1,
            "is_auto_renew": false, "is_auto_pay": true, "vault_ids": [id],
        });
        let add = json!({"resources": [disk(&volume)]});
        let one = json!({"policy_id": UNKNOWN});
        for (method, path, body) in [
            ("GET", vault.clone(), None),
            ("PUT", vault.clone(), Some(json!({"vault": {"name": "mine"}}))),
            ("DELETE", vault.clone(), None),
            ("POST", format!("{vault}/addresources"), Some(add.clone())),
            ("POST", format!("{vault}/removeresources"), Some(ids.clone())),
            ("POST", format!("{vault}/migrateresources"), Some(ids.clone())),
            ("PUT", format!("{vault}/set-resources"), Some(ids)),
            ("POST", format!("{vault}/associatepolicy"), Some(one.clone())),
            ("POST", format!("{vault}/dissociatepolicy"), Some(one)),
            ("PUT", format!("{vault}/update-backup-expiration-time"), Some(expiry)),
            ("POST", "/v3/{p}/vaults/change-charge-mode".to_owned(), Some(charge)),
            ("POST", "/v3/{p}/orders/change".to_owned(), Some(product.clone())),
            ("PUT", "/v3/{p}/orders/CS1".to_owned(), Some(product)),
            ("GET", tags.clone(), None),
            ("POST", tags.clone(), Some(json!({"tag": {"key": "a", "value": "b"}}))),
            (
                "POST",
                format!("{tags}/action"),
                Some(json!({"action": "delete", "tags": [{"key": "k"}]})),
            ),
            ("DELETE", format!("{tags}/k"), None),
        ] {
            let answer = stranger.send(method, &path, body).await;
            assert_eq!(answer.refused(404), "BackupService.6105", "{method} {path}");
        }
        let own = make(&stranger, wish("own", "disk")).await;
        let taken = stranger.post(&format!("/v3/{{p}}/vaults/{own}/addresources"), add).await;
        assert_eq!(taken.refused(404), "BackupService.7000");
        for query in [format!("id={id}"), format!("resource_ids={volume}")] {
            let page = stranger.get(&format!("/v3/{{p}}/vaults?{query}")).await.expect(200);
            assert_eq!(page["count"], 0, "{query}");
        }
        assert_eq!(stranger.get("/v3/{p}/vault/tags").await.expect(200), json!({"tags": []}));
        let all = json!({"action": "filter"});
        let found = stranger.post("/v3/{p}/vault/resource_instances/action", all).await.expect(200);
        assert!(
            found["resources"].as_array().unwrap().iter().all(|one| one["resource_name"] == "own")
        );
        let other = format!("/v3/{}/vaults/{id}", alpha.member.project);
        assert_eq!(stranger.get(&other).await.refused(403), "BackupService.9998");
    }
    assert_eq!(owner.get(&format!("/v3/{{p}}/vaults/{id}")).await.expect(200), before);
}

#[tokio::test]
async fn c33_vaults_of_another_project_are_for_those_who_are_in_it() {
    let (world, alpha, beta) = World::with_projects().await;
    make(&world.cbr(&alpha.member), wish("one", "disk")).await;
    let (eve, _) = world.stranger().await;
    let region = &world.service.settings().region;
    let path = format!(
        "/v3/{{p}}/vaults/external?external_project_id={}&region_id={region}&objcet_type=disk",
        alpha.member.project
    );
    assert_eq!(world.cbr(&beta.member).get(&path).await.expect(200)["count"], 1);
    assert_eq!(world.cbr(&eve).get(&path).await.refused(404), "BackupService.6302");
    let client = world.cbr(&beta.member);
    let far = path.replace(&format!("region_id={region}"), "region_id=far");
    assert_eq!(client.get(&far).await.refused(400), "BackupService.1005");
    let bare = client.get("/v3/{p}/vaults/external?region_id=x").await;
    assert_eq!(bare.refused(400), "BackupService.9900");
}
