//! Backups: listed, shown, renamed, deleted.

use serde_json::{Value, json};
use strongroom_model::backup::{Backup, BackupStatus, Measured};
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::vault::{ObjectType, Vault};

use super::planted::{self, Row, at, numbered, plant};
use crate::world::{Access, Client, World};

const BACKUPS: &str = "/v3/{p}/backups";

/// A project with two vaults, the backup of a server with its disk, and three of disks.
struct Scene {
    world: World,
    access: Access,
}

impl Scene {
    async fn new() -> Self {
        let (world, alpha, _) = World::with_projects().await;
        let access = alpha.member;
        let p = access.project.as_str();
        let vaults = [(1, ObjectType::Server), (2, ObjectType::Disk)];
        let mut rows: Vec<Row> = vaults
            .map(|(number, kind)| Row::Vault(planted::vault(p, &numbered(number), kind)))
            .into();
        if let Some(Row::Vault(Vault { terms, .. })) = rows.get_mut(1) {
            terms.enterprise_project_id = "ep-1".to_owned();
        }
        let whole = planted::server(p, &numbered(1), &numbered(10));
        rows.push(Row::Disk(planted::part_of(&whole, &numbered(11))));
        rows.push(Row::Server(whole));
        rows.push(Row::Disk(Backup {
            created_at: at("2026-01-16T00:00:00Z"),
            updated_at: Some(at("2026-01-17T00:00:00Z")),
            ..planted::disk(p, &numbered(2), &numbered(20))
        }));
        rows.push(Row::Disk(Backup {
            name: None,
            status: BackupStatus::Error,
            is_incremental: true,
            created_at: at("2026-01-17T00:00:00Z"),
            origin: strongroom_model::backup::Origin {
                is_automatic: true,
                ..strongroom_model::backup::Origin::default()
            },
            expires_at: Some(at("2026-03-01T00:00:00Z")),
            ..planted::disk(p, &numbered(2), &numbered(21))
        }));
        rows.push(Row::Disk(Backup {
            name: Some("Manualbk_0003".to_owned()),
            status: BackupStatus::Creating,
            progress: 40,
            created_at: at("2026-01-18T00:00:00Z"),
            ..planted::disk(p, &numbered(2), &numbered(22))
        }));
        plant(&world, &rows).await;
        Self { world, access }
    }

    fn cbr(&self) -> Client<'_> {
        self.world.cbr(&self.access)
    }

    /// The numbers of the backups of a list, in its order.
    async fn listed(&self, query: &str) -> Vec<u32> {
        let answer = self.cbr().get(&format!("{BACKUPS}?{query}")).await.expect(200);
        numbers(&answer)
    }
}

fn numbers(answer: &Value) -> Vec<u32> {
    let ids = answer["backups"].as_array().unwrap().iter();
    ids.map(|one| u32::from_str_radix(&one["id"].as_str().unwrap()[..8], 16).unwrap()).collect()
}

#[tokio::test]
async fn c13_lists_hide_children_and_showing_gives_them() {
    let scene = Scene::new().await;
    assert_eq!(scene.listed("").await, [22, 21, 20, 10]);
    assert_eq!(scene.listed("resource_type=OS::Cinder::Volume").await, [22, 21, 20]);
    assert_eq!(scene.listed(&format!("parent_id={}", numbered(10))).await, [11]);
    let path = format!("{BACKUPS}/{}", numbered(10));
    let shown = scene.cbr().get(&path).await.expect(200);
    let child = &shown["backup"]["children"][0];
    assert_eq!(child["id"], numbered(11));
    assert_eq!(child["provider_id"], shown["backup"]["provider_id"]);
    assert_eq!(child["parent_id"], numbered(10));
    let listed = scene.cbr().get(&format!("{BACKUPS}?resource_type=OS::Nova::Server")).await;
    assert_eq!(listed.expect(200)["backups"][0]["children"], json!([]));
}

#[tokio::test]
async fn every_filter_filters() {
    let scene = Scene::new().await;
    let (checkpoint, alone) = (numbered(0xc0), numbered(20));
    for (query, expected) in [
        (format!("checkpoint_id={checkpoint}"), vec![10]),
        (format!("checkpoint_id={alone}"), vec![20]),
        ("start_time=2026-01-17T00:00:00Z".to_owned(), vec![22, 21]),
        ("end_time=2026-01-16T00:00:00".to_owned(), vec![20, 10]),
        ("image_type=replication".to_owned(), vec![]),
        ("image_type=backup".to_owned(), vec![22, 21, 20, 10]),
        ("name=manualbk".to_owned(), vec![20, 10]),
        ("name=Manual".to_owned(), vec![22]),
        ("name=%25".to_owned(), vec![]),
        ("name=".to_owned(), vec![22, 21, 20, 10]),
        ("resource_name=web".to_owned(), vec![10]),
        ("resource_name=data-1".to_owned(), vec![22, 20]),
        ("resource_az=az1".to_owned(), vec![22, 21, 20, 10]),
        ("resource_az=az".to_owned(), vec![]),
        (format!("resource_id={}", numbered(0x5e)), vec![10]),
        (format!("resource_id={}", numbered(0xd15c)), vec![22, 21, 20]),
        ("resource_type=OS::Nova::Server".to_owned(), vec![10]),
        ("resource_type=OS::Sfs::Turbo".to_owned(), vec![]),
        (format!("vault_id={}", numbered(2)), vec![22, 21, 20]),
        ("enterprise_project_id=0".to_owned(), vec![10]),
        ("enterprise_project_id=ep-1".to_owned(), vec![22, 21, 20]),
        ("enterprise_project_id=all_granted_eps".to_owned(), vec![22, 21, 20, 10]),
        (format!("enterprise_project_id=0&vault_id={}", numbered(2)), vec![]),
        ("used_percent=1".to_owned(), vec![]),
        ("incremental=true".to_owned(), vec![21, 10]),
        ("incremental=False".to_owned(), vec![22, 20]),
        ("existed_quantity_based_retention_backups=false".to_owned(), vec![21]),
        ("existed_quantity_based_retention_backups=true".to_owned(), vec![]),
        ("own_type=shared".to_owned(), vec![]),
        ("own_type=all_granted".to_owned(), vec![22, 21, 20, 10]),
        ("dec=true&unknown=1".to_owned(), vec![22, 21, 20, 10]),
    ] {
        assert_eq!(scene.listed(&query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn c31_statuses_may_be_repeated() {
    let scene = Scene::new().await;
    for (query, expected) in [
        ("status=available", vec![20, 10]),
        ("status=protecting&status=error", vec![22, 21]),
        ("status=available,error", vec![21, 20, 10]),
        ("status=waiting_protect", vec![]),
    ] {
        assert_eq!(scene.listed(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn c42_an_absent_filter_of_increments_filters_nothing() {
    let scene = Scene::new().await;
    assert_eq!(scene.listed("limit=1000").await.len(), 4);
}

#[tokio::test]
async fn a_vault_that_is_filled_is_found_by_its_percentage() {
    let scene = Scene::new().await;
    let p = scene.access.project.as_str();
    let measured = Measured { stored_bytes: 50 << 30, ..Measured::default() };
    let row = Backup { measured: Some(measured), ..planted::disk(p, &numbered(1), &numbered(30)) };
    plant(&scene.world, &[Row::Disk(row)]).await;
    assert_eq!(scene.listed("used_percent=50").await, [30, 10]);
    assert_eq!(scene.listed("used_percent=51").await, [0_u32; 0]);
}

#[tokio::test]
async fn lists_are_sorted_and_what_is_missing_comes_last() {
    let scene = Scene::new().await;
    for (query, expected) in [
        ("sort=name", vec![10, 20, 22, 21]),
        ("sort=name:asc", vec![22, 20, 10, 21]),
        ("sort=updated_at", vec![20, 10, 22, 21]),
        ("sort=updated_at:asc", vec![10, 20, 21, 22]),
        ("sort=status:asc,created_at:asc", vec![10, 20, 21, 22]),
        ("sort=id:asc", vec![10, 20, 21, 22]),
        ("sort=protected_at:desc,id:asc", vec![10, 20, 21, 22]),
    ] {
        assert_eq!(scene.listed(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn c10_c12_pages_go_on_after_a_marker_and_count_everything() {
    let scene = Scene::new().await;
    for sort in ["", "&sort=name:asc", "&sort=updated_at:desc,name", "&sort=status:asc,id:desc"] {
        let whole = scene.listed(&format!("limit=1000{sort}")).await;
        let (mut seen, mut marker) = (Vec::new(), String::new());
        loop {
            let path = format!("{BACKUPS}?limit=1{marker}{sort}");
            let page = scene.cbr().get(&path).await.expect(200);
            assert_eq!((&page["count"], &page["limit"]), (&json!(4), &json!(1)), "{path}");
            let Some(last) = numbers(&page).last().copied() else { break };
            seen.push(last);
            marker = format!("&marker={}", numbered(last));
        }
        assert_eq!(seen, whole, "{sort}");
        let pages: Vec<_> = [0, 2].map(|offset| format!("limit=2&offset={offset}{sort}")).into();
        let mut seen = scene.listed(&pages[0]).await;
        seen.extend(scene.listed(&pages[1]).await);
        assert_eq!(seen, whole, "{sort}");
    }
    let beyond = scene.cbr().get(&format!("{BACKUPS}?offset=9&limit=3")).await.expect(200);
    assert_eq!(beyond, json!({"backups": [], "count": 4, "limit": 3, "offset": 9}));
    let gone = format!("{BACKUPS}?marker={}", numbered(99));
    assert_eq!(scene.cbr().get(&gone).await.expect(200)["backups"], json!([]));
}

#[tokio::test]
async fn what_makes_no_sense_in_a_query_is_refused() {
    let scene = Scene::new().await;
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "offset=-1",
        "marker=x",
        "sort=size",
        "sort=name:up",
        "checkpoint_id=x",
        "start_time=yesterday",
        "end_time=1",
        "image_type=photo",
        "resource_id=x",
        "resource_type=disk",
        "vault_id=x",
        "parent_id=x",
        "status=creating",
        "status=available&status=x",
        "own_type=mine",
        "member_status=x",
        "used_percent=0",
        "used_percent=101",
        "used_percent=half",
        "show_replication=maybe",
        "incremental=2",
        "existed_quantity_based_retention_backups=x",
        "name=%00",
    ] {
        let answer = scene.cbr().get(&format!("{BACKUPS}?{query}")).await;
        assert_eq!(answer.refused(400), "BackupService.9900", "{query}");
    }
}

#[tokio::test]
async fn c24_whatever_is_not_there_is_not_found() {
    let scene = Scene::new().await;
    let cbr = scene.cbr();
    for id in ["my-name", "%20", &numbered(99), "x".repeat(300).as_str()] {
        let path = format!("{BACKUPS}/{id}");
        let name = json!({"backup": {"name": "n"}});
        for answer in [
            cbr.get(&path).await,
            cbr.put(&path, name).await,
            cbr.delete(&path).await,
            cbr.get(&format!("{path}/metadata")).await,
        ] {
            assert_eq!(answer.refused(404), "BackupService.6200", "{id}");
        }
    }
}

#[tokio::test]
async fn a_backup_at_rest_is_renamed() {
    let scene = Scene::new().await;
    let cbr = scene.cbr();
    for number in [10, 20, 21] {
        let path = format!("{BACKUPS}/{}", numbered(number));
        let renamed = cbr.put(&path, json!({"backup": {"name": "renamed"}})).await.expect(200);
        assert_eq!(renamed["backup"]["name"], "renamed");
        assert_eq!(renamed["backup"]["updated_at"], "2026-02-03T04:05:06.000007");
        assert_eq!(cbr.get(&path).await.expect(200), renamed);
    }
    let child = cbr.get(&format!("{BACKUPS}/{}", numbered(11))).await.expect(200);
    assert_eq!(child["backup"]["name"], "manualbk_7f3a_web-1-root");
    let busy = format!("{BACKUPS}/{}", numbered(22));
    let answer = cbr.put(&busy, json!({"backup": {"name": "renamed"}})).await;
    assert_eq!(answer.refused(400), "BackupService.9900");
    let path = format!("{BACKUPS}/{}", numbered(10));
    for body in [
        json!({}),
        json!([]),
        json!({"backup": {}}),
        json!({"backup": {"name": ""}}),
        json!({"backup": {"name": "a b"}}),
        json!({"backup": {"name": "x".repeat(65)}}),
        json!({"backup": {"name": 1}}),
        json!({"backup": "n"}),
    ] {
        assert_eq!(cbr.put(&path, body.clone()).await.refused(400), "BackupService.9900", "{body}");
    }
}

#[tokio::test]
async fn only_what_is_whole_and_at_rest_is_deleted() {
    let scene = Scene::new().await;
    let p = scene.access.project.as_str();
    let restoring = |number| Backup {
        status: BackupStatus::Restoring,
        ..planted::disk(p, &numbered(2), &numbered(number))
    };
    let going = ServerBackup {
        status: BackupStatus::Deleting,
        ..planted::server(p, &numbered(1), &numbered(41))
    };
    plant(&scene.world, &[Row::Disk(restoring(40)), Row::Server(going)]).await;
    for (number, code) in [(11, "6201"), (22, "6201"), (40, "6216"), (41, "6201"), (20, "6216")] {
        let answer = scene.cbr().delete(&format!("{BACKUPS}/{}", numbered(number))).await;
        assert_eq!(answer.refused(400), format!("BackupService.{code}"), "{number}");
    }
}

#[tokio::test]
async fn c25_a_deleted_backup_is_not_found_in_the_end() {
    let scene = Scene::new().await;
    let cbr = scene.cbr();
    for number in [10, 21] {
        let path = format!("{BACKUPS}/{}", numbered(number));
        let answer = cbr.delete(&path).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
        assert_eq!(cbr.get(&path).await.expect(200)["backup"]["status"], "deleting");
        assert_eq!(cbr.delete(&path).await.refused(400), "BackupService.6201");
    }
    assert_eq!(scene.listed("status=deleting").await, [21, 10]);
    scene.world.settle().await;
    for number in [10, 11, 21] {
        let path = format!("{BACKUPS}/{}", numbered(number));
        assert_eq!(cbr.get(&path).await.refused(404), "BackupService.6200", "{number}");
    }
}

#[tokio::test]
async fn a_backup_of_the_volume_door_is_a_disks_and_a_run_of_its_own() {
    let scene = Scene::new().await;
    let volume_door = scene.world.volume(&scene.access);
    let volume = volume_door.make_volume("v").await;
    let id = volume_door.make_backup(&volume, "by hand").await;
    let shown = scene.cbr().get(&format!("{BACKUPS}/{id}")).await.expect(200);
    let backup = &shown["backup"];
    assert_eq!(backup["checkpoint_id"], id.as_str());
    assert_eq!(backup["provider_id"], "d1603440-187d-4516-af25-121250c7cc97");
    assert_eq!(backup["resource_id"], volume.as_str());
    assert_eq!(backup["resource_name"], "v");
    assert_eq!(backup["protected_at"], backup["created_at"]);
    assert_eq!(backup["enterprise_project_id"], "0");
    assert_eq!(backup["children"], json!([]));
    let metadata = scene.cbr().get(&format!("{BACKUPS}/{id}/metadata")).await.expect(200);
    let document: Value = serde_json::from_str(metadata["volumes"][0].as_str().unwrap()).unwrap();
    assert_eq!(document["volume"]["id"], volume.as_str());
    assert_eq!(document["volume"]["name"], "v");
    assert_eq!((&metadata["server"], &metadata["floatingips"]), (&json!(""), &json!([])));
}

#[tokio::test]
async fn metadata_is_there_once_the_bytes_are() {
    let scene = Scene::new().await;
    for number in [21, 22] {
        let path = format!("{BACKUPS}/{}/metadata", numbered(number));
        assert_eq!(scene.cbr().get(&path).await.refused(400), "BackupService.6206", "{number}");
    }
    let path = format!("{BACKUPS}/{}/metadata", numbered(20));
    scene.cbr().get(&path).await.expect(200);
}

#[tokio::test]
async fn what_is_being_made_tells_how_far_it_has_come() {
    let scene = Scene::new().await;
    let p = scene.access.project.as_str();
    let whole = ServerBackup {
        status: BackupStatus::Creating,
        ..planted::server(p, &numbered(1), &numbered(50))
    };
    let part = Backup {
        status: BackupStatus::Creating,
        progress: 60,
        ..planted::part_of(&whole, &numbered(51))
    };
    plant(&scene.world, &[Row::Server(whole), Row::Disk(part)]).await;
    for (number, percent) in [(22, 40), (50, 60)] {
        let path = format!("{BACKUPS}/{}", numbered(number));
        let shown = scene.cbr().get(&path).await.expect(200);
        assert_eq!(shown["backup"]["status"], "protecting");
        assert_eq!(shown["backup"]["extend_info"]["progress"], percent);
    }
    let listed = scene.cbr().get(&format!("{BACKUPS}?status=protecting&sort=id:asc")).await;
    let listed = listed.expect(200);
    assert_eq!(numbers(&listed), [22, 50]);
    assert_eq!(listed["backups"][1]["extend_info"]["progress"], 60);
}
