//! The documents held against the keys and types that clients have seen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use strongroom_model::chance::SeededChance;
use strongroom_model::id::{
    FloatingIpId, ImageId, NetworkId, PortId, ProjectId, ServerId, SubnetId, UserId, VolumeId,
};
use strongroom_model::server::{Flavor, FloatingIp, Interface, ServerDisk, ServerStatus};
use strongroom_model::size::GiB;
use strongroom_model::time::Timestamp;
use strongroom_model::volume::VolumeStatus;

use super::*;

/// Keys and types, one to a line.
const KEYS: &str = include_str!("../../../tests/fixtures/server_documents.txt");

/// Below these a user or a cloud chooses the keys.
const OPEN: [&str; 6] =
    ["metadata", "addresses", "sys_tags", "tags", "volume_image_metadata", "security_groups"];

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn volume(seed: u64) -> Volume {
    let chance = SeededChance::new(seed);
    Volume {
        id: VolumeId::random(&chance),
        project_id: ProjectId::parse("alpha").unwrap(),
        user_id: UserId::parse("ann").unwrap(),
        name: Some(format!("disk {seed}")),
        description: None,
        size: GiB(40),
        status: VolumeStatus::BackingUp,
        previous_status: Some(VolumeStatus::InUse),
        is_bootable: true,
        availability_zone: "nova".to_owned(),
        metadata: BTreeMap::new(),
        snapshot_id: None,
        source_volume_id: None,
        backup_id: None,
        created_at: at("2026-01-02T03:04:05.000006Z"),
        updated_at: Some(at("2026-01-03T00:00:00Z")),
    }
}

fn server(volumes: &[Volume]) -> Server {
    let chance = SeededChance::new(1);
    let devices = ["/dev/vda", "/dev/vdb"];
    let disks = volumes.iter().zip(devices).map(|(volume, device)| ServerDisk {
        volume_id: volume.id,
        device: device.to_owned(),
        is_system: device == "/dev/vda",
    });
    Server {
        id: ServerId::random(&chance),
        project_id: ProjectId::parse("alpha").unwrap(),
        user_id: Some(UserId::parse("ann").unwrap()),
        name: "Web 1".to_owned(),
        status: ServerStatus::Active,
        availability_zone: "nova".to_owned(),
        architecture: "x86_64".to_owned(),
        flavor: Flavor {
            id: "s2.small.1".to_owned(),
            name: "small".to_owned(),
            vcpus: 2,
            ram_mib: 1024,
            disk_gib: 0,
        },
        disks: disks.collect(),
        interfaces: vec![Interface {
            port_id: PortId::random(&chance),
            network_id: NetworkId::random(&chance),
            subnet_id: SubnetId::random(&chance),
            ip_address: IpAddr::from([10, 0, 0, 5]),
            mac_address: "fa:16:3e:00:00:01".to_owned(),
        }],
        floating_ips: Vec::new(),
        metadata: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        tags: [("role", "web"), ("loud", "")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        image_id: None,
        key_name: None,
        created_at: at("2026-01-02T03:04:05.000006Z"),
        updated_at: None,
        wants_power_on: None,
    }
}

fn with_floating_ip(mut server: Server) -> Server {
    let chance = SeededChance::new(2);
    server.floating_ips.push(FloatingIp {
        id: FloatingIpId::random(&chance),
        address: IpAddr::from([203, 0, 113, 7]),
        fixed_ip_address: server.interfaces[0].ip_address,
        port_id: server.interfaces[0].port_id,
        network_id: NetworkId::random(&chance),
    });
    server
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Every key of a document, as a path.
fn paths(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    let Value::Object(fields) = value else { return };
    for (key, value) in fields {
        let path = format!("{at}/{key}");
        found.insert(path.clone());
        match value {
            _ if OPEN.contains(&key.as_str()) => {}
            Value::Array(items) => {
                items.iter().for_each(|item| paths(item, &format!("{path}/0"), found));
            }
            other => paths(other, &path, found),
        }
    }
}

#[test]
fn documents_have_the_keys_that_clients_have_seen() {
    let volumes = [volume(1)];
    let documents = ServerDocuments::of(&server(&volumes), &volumes, &Place::default());
    let whole = serde_json::to_value(&documents).unwrap();
    let mut found = BTreeSet::new();
    for (name, value) in whole.as_object().unwrap() {
        match value {
            Value::Array(items) => paths(&items[0], &format!("/{name}/0"), &mut found),
            other => paths(other, &format!("/{name}"), &mut found),
        }
    }
    let lines = KEYS.lines().filter(|line| !line.starts_with('#'));
    let mut expected = BTreeSet::new();
    for line in lines {
        let (path, wanted) = line.rsplit_once(' ').unwrap();
        expected.insert(path.to_owned());
        let value = whole.pointer(path).unwrap_or_else(|| panic!("{path} is missing"));
        assert!(wanted == kind(value) || wanted == "null", "{path} is {value}");
    }
    assert!(expected.len() > 120);
    assert_eq!(found, expected);
}

#[test]
fn a_server_names_its_own() {
    let volumes = [volume(1), volume(2)];
    let server = with_floating_ip(server(&volumes));
    let place = Place { compute: "https://c.test", volume: "https://v.test" };
    let documents = ServerDocuments::of(&server, &volumes, &place);
    let nova = &documents.server["server"];
    assert_eq!(
        (nova["status"].as_str(), nova["id"].as_str()),
        (Some("ACTIVE"), Some(&*server.id.to_string()))
    );
    let own = format!("https://c.test/v2.1/alpha/servers/{}", server.id);
    assert_eq!(nova["links"][0]["href"], own);
    assert_eq!(nova["OS-EXT-SRV-ATTR:hostname"], "web-1");
    assert_eq!(nova["OS-EXT-SRV-ATTR:root_device_name"], "/dev/vda");
    assert_eq!(nova["created"], "2026-01-02T03:04:05Z");
    assert_eq!(nova["updated"], "2026-01-02T03:04:05Z");
    assert_eq!(nova["OS-SRV-USG:launched_at"], "2026-01-02T03:04:05.000006");
    assert_eq!(nova["tags"], json!(["loud", "role=web"]));
    assert_eq!(nova["hostId"].as_str().map(str::len), Some(56));
    let network = server.interfaces[0].network_id.to_string();
    let addresses = &nova["addresses"][network];
    assert_eq!(addresses[0]["addr"], "10.0.0.5");
    assert_eq!(addresses[0]["OS-EXT-IPS:type"], "fixed");
    assert_eq!(addresses[1]["addr"], "203.0.113.7");
    assert_eq!(addresses[1]["OS-EXT-IPS:type"], "floating");
    let floating = &documents.floating_ips[0]["floatingips"][0];
    assert_eq!(floating["floating_ip_address"], "203.0.113.7");
    assert_eq!(floating["fixed_ip_address"], "10.0.0.5");
    assert_eq!(documents.ports[0]["port"]["binding:vif_details"]["primary_interface"], true);
}

#[test]
fn words_for_power_follow_the_status() {
    let table = [
        (ServerStatus::Active, "active", 1, "ACTIVE"),
        (ServerStatus::Shutoff, "stopped", 4, "DOWN"),
        (ServerStatus::Error, "error", 0, "DOWN"),
    ];
    for (status, state, power, port) in table {
        let server = Server { status, ..server(&[]) };
        let document = server_document(&server, &Place::default());
        assert_eq!(document["status"], status.as_str());
        assert_eq!(document["OS-EXT-STS:vm_state"], state);
        assert_eq!(document["OS-EXT-STS:power_state"], power);
        assert_eq!(document["OS-EXT-SRV-ATTR:root_device_name"], Value::Null);
        assert_eq!(interface_documents(&server)[0]["port_state"], port);
    }
}

#[test]
fn an_image_is_named_if_there_is_one() {
    let image = ImageId::random(&SeededChance::new(3));
    let server = Server { image_id: Some(image), ..server(&[]) };
    let document = server_document(&server, &Place::default());
    assert_eq!(document["image"]["id"], image.to_string());
    assert_eq!(document["image"]["links"][0]["href"], format!("/alpha/images/{image}"));
}

#[test]
fn disks_come_in_order_and_say_whose_they_are() {
    let volumes = [volume(1), volume(2)];
    let server = server(&volumes);
    let swapped = [volumes[1].clone(), volumes[0].clone()];
    let documents = ServerDocuments::of(&server, &swapped, &Place::default());
    let names = |documents: &ServerDocuments| -> Vec<String> {
        let names = documents.volumes.iter().map(|document| document["volume"]["name"].to_string());
        names.collect()
    };
    assert_eq!(names(&documents), ["\"disk 1\"", "\"disk 2\""]);
    let second = &documents.volumes[1]["volume"];
    assert_eq!(second["status"], "in-use");
    let attachment = &second["attachments"][0];
    assert_eq!(attachment["server_id"], server.id.to_string());
    assert_eq!(attachment["device"], "/dev/vdb");
    assert_eq!(attachment["id"], volumes[1].id.to_string());
    let gone = ServerDocuments::of(&server, &volumes[1..], &Place::default());
    assert_eq!(names(&gone), ["\"disk 2\""]);
}

#[test]
fn strings_hold_the_documents() {
    let volumes = [volume(1)];
    let documents = ServerDocuments::of(&server(&volumes), &volumes, &Place::default());
    let strings = documents.strings();
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(read(&strings.server), documents.server);
    assert_eq!(read(&strings.flavor), documents.flavor);
    assert_eq!(read(&strings.interface), documents.interfaces);
    assert_eq!(read(&strings.ports[0]), documents.ports[0]);
    assert_eq!(read(&strings.volumes[0]), documents.volumes[0]);
    assert_eq!(strings.floatingips, ["{\"floatingips\":null}"]);
    assert!(
        strings.interface.starts_with("{\"interfaceAttachments\": [{\"port_state\": \"ACTIVE\", ")
    );
    assert!(strings.server.starts_with("{\"server\":{\"id\":\""));
    let again: ServerDocuments =
        serde_json::from_value(serde_json::to_value(&documents).unwrap()).unwrap();
    assert_eq!(again, documents);
}

#[test]
fn a_disk_alone_has_one_document() {
    let strings = ServerDocuments::of_volume(&volume(1), None, &Place::default()).strings();
    assert_eq!(strings.volumes.len(), 1);
    assert!(strings.volumes[0].contains("\"attachments\":[]"));
    let rest = DocumentStrings { volumes: Vec::new(), ..strings };
    assert_eq!(rest, DocumentStrings::default());
}
