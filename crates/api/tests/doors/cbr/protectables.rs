//! What can be protected, and what stands in the way.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};
use strongroom_model::id::{NetworkId, PortId, ProjectId, ServerId, SubnetId, VaultId, VolumeId};
use strongroom_model::resource::ResourceKind;
use strongroom_model::server::{Flavor, Interface, Server, ServerDisk, ServerStatus};
use strongroom_model::size::GiB;
use strongroom_model::vault::{ObjectType, VaultResource};

use super::planted::{self, Row, at, numbered, plant};
use crate::world::{Access, World};

const SERVERS: &str = "/v3/{p}/protectables/server/instances";
const DISKS: &str = "/v3/{p}/protectables/disk/instances";

pub(crate) fn server(project: &str, number: u32, disks: &[&str]) -> Server {
    let disks = disks.iter().enumerate().map(|(at, id)| ServerDisk {
        volume_id: VolumeId::parse(id).unwrap(),
        device: format!("/dev/vd{}", ["a", "b", "c"][at]),
        is_system: at == 0,
    });
    Server {
        id: ServerId::parse(&numbered(number)).unwrap(),
        project_id: ProjectId::parse(project).unwrap(),
        user_id: None,
        name: format!("web-{number}"),
        status: ServerStatus::Active,
        availability_zone: "az1".to_owned(),
        architecture: "x86_64".to_owned(),
        flavor: Flavor {
            id: "s2.small.1".to_owned(),
            name: "s2.small.1".to_owned(),
            vcpus: 1,
            ram_mib: 1024,
            disk_gib: 0,
        },
        disks: disks.collect(),
        interfaces: vec![Interface {
            port_id: PortId::parse(&numbered(0x70)).unwrap(),
            network_id: NetworkId::parse(&numbered(0x71)).unwrap(),
            subnet_id: SubnetId::parse(&numbered(0x72)).unwrap(),
            ip_address: "192.168.1.2".parse::<IpAddr>().unwrap(),
            mac_address: "fa:16:3e:00:00:01".to_owned(),
        }],
        floating_ips: Vec::new(),
        metadata: BTreeMap::new(),
        tags: BTreeMap::new(),
        image_id: None,
        key_name: None,
        created_at: at(&format!("2026-01-01T00:00:{number:02}Z")),
        updated_at: None,
        wants_power_on: None,
    }
}

/// A server with two disks, and a disk of nobody.
async fn scene() -> (World, Access, [String; 3]) {
    let (world, alpha, _) = World::with_projects().await;
    let native = world.volume(&alpha.member);
    let disks = [
        native.make_volume("root").await,
        native.make_volume("data").await,
        native.make_volume("spare").await,
    ];
    let server = server(&alpha.member.project, 1, &[&disks[0], &disks[1]]);
    world.service.keep_server(server).await.unwrap();
    (world, alpha.member, disks)
}

async fn bind(world: &World, access: &Access, (id, kind): (&str, ResourceKind)) {
    let p = access.project.as_str();
    let object_type =
        if kind == ResourceKind::Volume { ObjectType::Disk } else { ObjectType::Server };
    plant(world, &[Row::Vault(planted::vault(p, &numbered(0x6a), object_type))]).await;
    let resource = &VaultResource {
        vault_id: VaultId::parse(&numbered(0x6a)).unwrap(),
        id: strongroom_model::resource::ResourceId::parse(id).unwrap(),
        kind,
        name: "bound".to_owned(),
        size: GiB(1),
        excluded_volumes: Vec::new(),
        auto_protect: true,
        is_removing: false,
        created_at: at("2026-01-01T00:00:00Z"),
    };
    let catalog = world.catalog().await;
    let work =
        catalog.transact(|tx| Box::pin(async move { tx.vaults().insert_resource(resource).await }));
    work.await.unwrap();
}

#[tokio::test]
async fn a_server_comes_with_its_disks() {
    let (world, access, disks) = scene().await;
    let cbr = world.cbr(&access);
    let listed = cbr.get(SERVERS).await.expect(200);
    assert_eq!(listed.as_object().unwrap().keys().collect::<Vec<_>>(), ["instances"]);
    let found = &listed["instances"][0];
    assert_eq!((&found["type"], &found["size"]), (&json!("OS::Nova::Server"), &json!(2)));
    assert_eq!(found["status"], "ACTIVE");
    assert_eq!(found["detail"]["id"], found["id"]);
    let protectable =
        json!({"result": true, "code": "", "reason": "", "message": "", "vault": null});
    assert_eq!(found["protectable"], protectable);
    let children = found["children"].as_array().unwrap();
    let ids: Vec<_> = children.iter().map(|child| child["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [disks[0].as_str(), disks[1].as_str()]);
    assert_eq!(children[0]["detail"]["attachments"][0]["server_id"], found["id"]);
    assert_eq!(children[0]["children"], json!([]));
    let one = cbr.get(&format!("{SERVERS}/{}", numbered(1))).await.expect(200);
    assert_eq!(one["instance"], *found);
}

#[tokio::test]
async fn disks_are_listed_and_filtered() {
    let (world, access, disks) = scene().await;
    let cbr = world.cbr(&access);
    let listed = async |query: &str| {
        let answer = cbr.get(&format!("{DISKS}?{query}")).await.expect(200);
        let names = answer["instances"].as_array().unwrap().iter();
        names.map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed("").await, ["spare", "data", "root"]);
    assert_eq!(listed("name=A").await, ["spare", "data"]);
    assert_eq!(listed("status=available").await.len(), 3);
    assert_eq!(listed("status=in-use").await, [""; 0]);
    assert_eq!(listed(&format!("id={}", disks[0])).await, ["root"]);
    assert_eq!(listed(&format!("server_id={}", numbered(1))).await, ["data", "root"]);
    assert_eq!(listed(&format!("server_id={}", numbered(2))).await, [""; 0]);
    assert_eq!(listed("enterprise_project_id=0").await.len(), 3);
    assert_eq!(listed("enterprise_project_id=all_granted_eps").await.len(), 3);
    assert_eq!(listed("enterprise_project_id=x").await, [""; 0]);
    assert_eq!(listed("limit=1&offset=1").await, ["data"]);
    assert_eq!(listed(&format!("limit=1&marker={}", disks[1])).await, ["root"]);
    assert_eq!(listed(&format!("marker={}", numbered(99))).await, [""; 0]);
    for path in [SERVERS, DISKS] {
        for query in ["limit=0", "limit=51", "marker=x", "id=x", "server_id=x", "offset=-1"] {
            let answer = cbr.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.refused(400), "BackupService.9900", "{path}?{query}");
        }
    }
    let by_state = cbr.get(&format!("{SERVERS}?status=active&name=WEB")).await.expect(200);
    assert_eq!(by_state["instances"].as_array().unwrap().len(), 1);
    let none = cbr.get(&format!("{SERVERS}?status=deleted")).await.expect(200);
    assert_eq!(none, json!({"instances": []}));
}

#[tokio::test]
async fn what_stands_in_the_way_is_told() {
    let (world, access, disks) = scene().await;
    let p = access.project.as_str();
    bind(&world, &access, (&disks[2], ResourceKind::Volume)).await;
    world.service.keep_server(server(p, 2, &[])).await.unwrap();
    let broken = Server { status: ServerStatus::Error, ..server(p, 3, &[]) };
    world.service.keep_server(broken).await.unwrap();
    let cbr = world.cbr(&access);
    let why = async |path: String| {
        let shown = cbr.get(&path).await.expect(200)["instance"]["protectable"].clone();
        assert_eq!(shown["result"], false);
        (shown["code"].as_str().unwrap().to_owned(), shown["vault"]["id"].clone())
    };
    let bound = why(format!("{DISKS}/{}", disks[2])).await;
    assert_eq!(bound, ("BackupService.6103".to_owned(), json!(numbered(0x6a))));
    let one = cbr.get(&format!("{DISKS}/{}", disks[2])).await.expect(200);
    let listed = cbr.get(&format!("{DISKS}?id={}", disks[2])).await.expect(200);
    assert_eq!(one["instance"], listed["instances"][0]);
    assert_eq!(one["instance"]["protectable"]["vault"]["billing"]["allocated"], 1);
    let bare = why(format!("{SERVERS}/{}", numbered(2))).await;
    assert_eq!(bare, ("BackupService.7108".to_owned(), Value::Null));
    let broken = why(format!("{SERVERS}/{}", numbered(3))).await;
    assert_eq!(broken, ("BackupService.7101".to_owned(), Value::Null));
}

#[tokio::test]
async fn the_disks_of_a_server_tell_their_own_vault() {
    let (world, access, disks) = scene().await;
    bind(&world, &access, (&disks[0], ResourceKind::Volume)).await;
    let shown = world.cbr(&access).get(&format!("{SERVERS}/{}", numbered(1))).await.expect(200);
    let children = &shown["instance"]["children"];
    let told = |at: usize| {
        let told = &children[at]["protectable"];
        (
            told["result"].clone(),
            told["code"].clone(),
            told["vault"]["billing"]["allocated"].clone(),
        )
    };
    assert_eq!(told(0), (json!(false), json!("BackupService.6103"), json!(1)));
    assert_eq!(told(1), (json!(true), json!(""), Value::Null));
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_what_is_no_type_is_refused() {
    let (world, access, _) = scene().await;
    let cbr = world.cbr(&access);
    for (of, id, code) in [
        ("server", "x", "7100"),
        ("server", "00000063-0000-4000-8000-000000000000", "7100"),
        ("disk", "x", "7000"),
        ("disk", "00000063-0000-4000-8000-000000000000", "7000"),
        ("turbo", "x", "6302"),
        ("workspace_v2", "x", "6302"),
    ] {
        let path = format!("/v3/{{p}}/protectables/{of}/instances/{id}");
        assert_eq!(cbr.get(&path).await.refused(404), format!("BackupService.{code}"), "{of} {id}");
    }
    for of in ["turbo", "workspace", "workspace_v2"] {
        let path = format!("/v3/{{p}}/protectables/{of}/instances");
        assert_eq!(cbr.get(&path).await.expect(200), json!({"instances": []}), "{of}");
    }
    for path in ["ship/instances", "ship/instances/x"] {
        let answer = cbr.get(&format!("/v3/{{p}}/protectables/{path}")).await;
        assert_eq!(answer.refused(400), "BackupService.6116", "{path}");
    }
}
