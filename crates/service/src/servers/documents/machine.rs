//! The machine itself: Nova's documents of a server and of a flavor, version 2.1.

use serde_json::{Map, Value, json};
use strongroom_model::id::ProjectId;
use strongroom_model::server::{Flavor, Interface, Server, ServerStatus};

use super::{HOST, Place};

/// The version in the addresses of Nova's things.
const VERSION: &str = "v2.1";

/// Hexadecimal digits of the id of a host.
const HOST_ID_DIGITS: usize = 56;

/// A server with all its fields, not wrapped.
pub fn server_document(server: &Server, place: &Place<'_>) -> Value {
    let mut document = Map::new();
    for part in [identity(server, place), state(server), placement(server), belongings(server)] {
        if let Value::Object(part) = part {
            document.extend(part);
        }
    }
    Value::Object(document)
}

fn identity(server: &Server, place: &Place<'_>) -> Value {
    let project = &server.project_id;
    let path = format!("{project}/servers/{}", server.id);
    let flavor = format!("{project}/flavors/{}", server.flavor.id);
    json!({
        "id": server.id.to_string(),
        "name": server.name,
        "description": "",
        "tenant_id": project.as_str(),
        "user_id": server.user_id.as_ref().map_or("", |user| user.as_str()),
        "links": Place::links(place.compute, VERSION, &path),
        "flavor": {
            "id": server.flavor.id,
            "links": [{"rel": "bookmark", "href": format!("{}/{flavor}", place.compute)}],
        },
        "image": image(server, place),
        "key_name": server.key_name,
        "metadata": server.metadata,
        "tags": server.tags.iter().map(|(key, value)| tag(key, value)).collect::<Vec<_>>(),
    })
}

/// The image that a server was made from; an empty text if there is none.
fn image(server: &Server, place: &Place<'_>) -> Value {
    match server.image_id {
        None => json!(""),
        Some(id) => {
            let href = format!("{}/{}/images/{id}", place.compute, server.project_id);
            json!({"id": id.to_string(), "links": [{"rel": "bookmark", "href": href}]})
        }
    }
}

/// A tag in the one word that Nova has for it.
fn tag(key: &str, value: &str) -> String {
    if value.is_empty() { key.to_owned() } else { format!("{key}={value}") }
}

fn state(server: &Server) -> Value {
    let (vm_state, power_state) = match server.status {
        ServerStatus::Active => ("active", 1),
        ServerStatus::Shutoff => ("stopped", 4),
        ServerStatus::Error => ("error", 0),
    };
    let changed = server.updated_at.unwrap_or(server.created_at);
    json!({
        "status": server.status.as_str(),
        "OS-EXT-STS:vm_state": vm_state,
        "OS-EXT-STS:power_state": power_state,
        "OS-EXT-STS:task_state": null,
        "progress": 0,
        "locked": false,
        "created": server.created_at.format_rfc3339(),
        "updated": changed.format_rfc3339(),
        "OS-SRV-USG:launched_at": server.created_at.format_naive(),
        "OS-SRV-USG:terminated_at": null,
    })
}

fn placement(server: &Server) -> Value {
    let digits = server.id.0.simple().to_string();
    let host = [HOST.as_bytes(), server.project_id.as_str().as_bytes()].concat();
    let host_id = blake3::derive_key("strongroom 2026 id of a host for a project", &host);
    let host_id: String = host_id.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "OS-EXT-AZ:availability_zone": server.availability_zone,
        "hostId": host_id[..HOST_ID_DIGITS],
        "host_status": "UNKNOWN",
        "OS-EXT-SRV-ATTR:host": HOST,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": HOST,
        "OS-EXT-SRV-ATTR:hostname": host_name(&server.name),
        "OS-EXT-SRV-ATTR:instance_name": format!("instance-{}", &digits[..8]),
        "OS-EXT-SRV-ATTR:reservation_id": format!("r-{}", &digits[..8]),
        "OS-EXT-SRV-ATTR:launch_index": 0,
        "OS-EXT-SRV-ATTR:user_data": "",
        "OS-EXT-SRV-ATTR:kernel_id": "",
        "OS-EXT-SRV-ATTR:ramdisk_id": "",
        "OS-EXT-SRV-ATTR:root_device_name": server.system_disk().map(|disk| &disk.device),
        "OS-DCF:diskConfig": "MANUAL",
        "config_drive": "",
    })
}

/// A name as the host's own: what cannot stand in one becomes a hyphen.
fn host_name(name: &str) -> String {
    let plain: String = name
        .to_lowercase()
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    plain.trim_matches('-').to_owned()
}

fn belongings(server: &Server) -> Value {
    let volumes = server
        .disks
        .iter()
        .map(|disk| json!({"id": disk.volume_id.to_string(), "delete_on_termination": false}));
    json!({
        "os-extended-volumes:volumes_attached": volumes.collect::<Vec<_>>(),
        "security_groups": [],
        "addresses": addresses(server),
        "accessIPv4": "",
        "accessIPv6": "",
    })
}

/// The addresses of a server, by network: its own, each followed by those that lead to it.
fn addresses(server: &Server) -> Value {
    let mut networks = Map::new();
    for interface in &server.interfaces {
        let network = networks.entry(interface.network_id.to_string()).or_insert(json!([]));
        let floating = server.floating_ips.iter().filter(|floating| {
            floating.port_id == interface.port_id
                && floating.fixed_ip_address == interface.ip_address
        });
        if let Value::Array(list) = network {
            list.push(address(interface, interface.ip_address, "fixed"));
            list.extend(floating.map(|it| address(interface, it.address, "floating")));
        }
    }
    Value::Object(networks)
}

fn address(interface: &Interface, address: std::net::IpAddr, kind: &str) -> Value {
    json!({
        "OS-EXT-IPS-MAC:mac_addr": interface.mac_address,
        "version": if address.is_ipv4() { 4 } else { 6 },
        "addr": address.to_string(),
        "OS-EXT-IPS:type": kind,
    })
}

/// A flavor with all its fields, not wrapped.
pub fn flavor_document(flavor: &Flavor, project: &ProjectId, place: &Place<'_>) -> Value {
    let path = format!("{project}/flavors/{}", flavor.id);
    json!({
        "name": flavor.name,
        "links": Place::links(place.compute, VERSION, &path),
        "ram": flavor.ram_mib,
        "OS-FLV-DISABLED:disabled": false,
        "vcpus": flavor.vcpus,
        "swap": "",
        "os-flavor-access:is_public": true,
        "rxtx_factor": 1.0,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "disk": flavor.disk_gib,
        "id": flavor.id,
    })
}
