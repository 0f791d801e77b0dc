//! Another project's ids, at each operation on what is saved, done or protectable.

use serde_json::{Value, json};
use strongroom_model::operation::OperationKind;
use strongroom_model::vault::ObjectType;

use super::planted::{self, Row, numbered, plant};
use crate::world::World;

#[tokio::test]
async fn nothing_of_another_project_is_there() {
    let (world, alpha, beta) = World::with_projects().await;
    let p = alpha.member.project.as_str();
    let whole = planted::server(p, &numbered(1), &numbered(10));
    let rows = [
        Row::Vault(planted::vault(p, &numbered(1), ObjectType::Server)),
        Row::Disk(planted::part_of(&whole, &numbered(11))),
        Row::Server(whole),
        Row::Disk(planted::disk(p, &numbered(1), &numbered(20))),
        Row::Operation(planted::operation(p, &numbered(30), OperationKind::Backup)),
    ];
    plant(&world, &rows).await;
    let volume = world.volume(&alpha.member).make_volume("v").await;
    let owner = world.cbr(&alpha.member);
    let member = json!({"members": [world.admin.project]});
    owner.post(&format!("/v3/{{p}}/backups/{}/members", numbered(10)), member).await.expect(200);
    for access in [&beta.member, &beta.admin] {
        let stranger = world.cbr(access);
        for number in [10, 11, 20] {
            let backup = format!("/v3/{{p}}/backups/{}", numbered(number));
            let of = format!("{backup}/members/{}", world.admin.project);
            let mine = format!("{backup}/members/{}", access.project);
            let name = json!({"backup": {"name": "mine"}});
            let to_me = json!({"members": [access.project]});
            let take = json!({"status": "rejected"});
            for (method, path, body) in [
                ("GET", backup.clone(), None),
                ("PUT", backup.clone(), Some(name)),
                ("DELETE", backup.clone(), None),
                ("GET", format!("{backup}/metadata"), None),
                ("GET", format!("{backup}/members"), None),
                ("POST", format!("{backup}/members"), Some(to_me)),
                ("GET", of.clone(), None),
                ("PUT", of.clone(), Some(take.clone())),
                ("PUT", mine, Some(take)),
                ("DELETE", of, None),
            ] {
                let answer = stranger.send(method, &path, body).await;
                assert_eq!(answer.refused(404), "BackupService.6200", "{method} {path}");
            }
        }
        let log = format!("/v3/{{p}}/operation-logs/{}", numbered(30));
        assert_eq!(stranger.get(&log).await.refused(404), "BackupService.6500");
        let disk = format!("/v3/{{p}}/protectables/disk/instances/{volume}");
        assert_eq!(stranger.get(&disk).await.refused(404), "BackupService.7000");
        for (path, collection) in [
            (format!("backups?parent_id={}&own_type=all_granted", numbered(10)), "backups"),
            (format!("backups?own_type=all_granted&marker={}", numbered(10)), "backups"),
            (format!("backups?vault_id={}", numbered(1)), "backups"),
            (format!("backups?checkpoint_id={}", numbered(20)), "backups"),
            ("backups?own_type=shared".to_owned(), "backups"),
            (format!("operation-logs?marker={}", numbered(30)), "operation_logs"),
            ("operation-logs".to_owned(), "operation_logs"),
            (format!("protectables/disk/instances?id={volume}"), "instances"),
        ] {
            let answer = stranger.get(&format!("/v3/{{p}}/{path}")).await.expect(200);
            assert_eq!(answer[collection], Value::Array(Vec::new()), "{path}");
        }
    }
    let left = owner.get("/v3/{p}/backups").await.expect(200);
    assert_eq!(left["count"], 2, "all is as it was");
}

#[tokio::test]
async fn the_clouds_admin_reaches_no_other_project_through_its_own() {
    let (world, alpha, _) = World::with_projects().await;
    let p = alpha.member.project.as_str();
    let rows = [
        Row::Vault(planted::vault(p, &numbered(1), ObjectType::Disk)),
        Row::Disk(planted::disk(p, &numbered(1), &numbered(20))),
    ];
    plant(&world, &rows).await;
    let admin = world.cbr(&world.admin);
    let backup = format!("/v3/{{p}}/backups/{}", numbered(20));
    for (method, path, body) in [
        ("GET", backup.clone(), None),
        ("PUT", backup.clone(), Some(json!({"backup": {"name": "mine"}}))),
        ("DELETE", backup.clone(), None),
        ("GET", format!("{backup}/metadata"), None),
        ("GET", format!("{backup}/members"), None),
        ("POST", format!("{backup}/restore"), Some(json!({"restore": {"volume_id": numbered(5)}}))),
    ] {
        let answer = admin.send(method, &path, body).await;
        assert_eq!(answer.refused(404), "BackupService.6200", "{method} {path}");
    }
    let left = world.cbr(&alpha.member).get(&backup).await.expect(200);
    assert_eq!(left["backup"]["name"], "manualbk_0001");
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let (world, alpha, _) = World::with_projects().await;
    let p = alpha.member.project.as_str();
    let rows = [
        Row::Vault(planted::vault(p, &numbered(1), ObjectType::Server)),
        Row::Server(planted::server(p, &numbered(1), &numbered(10))),
    ];
    plant(&world, &rows).await;
    let user = world.make_user("eve").await;
    world.grant(&user, p, 1).await;
    let reader = world.cbr(&world.access(&user, p).await).clone();
    let backup = format!("/v3/{{p}}/backups/{}", numbered(10));
    reader.get(&backup).await.expect(200);
    reader.get(&format!("{backup}/members")).await.expect(200);
    for (method, path, body) in [
        ("PUT", backup.clone(), Some(json!({"backup": {"name": "n"}}))),
        ("DELETE", backup.clone(), None),
        ("POST", format!("{backup}/members"), Some(json!({"members": ["x"]}))),
        ("PUT", format!("{backup}/members/x"), Some(json!({"status": "rejected"}))),
        ("DELETE", format!("{backup}/members/x"), None),
    ] {
        let answer = reader.send(method, &path, body).await;
        assert_eq!(answer.refused(403), "BackupService.9998", "{method} {path}");
    }
}
