//! A server's places in networks: Nova's interfaces, Neutron's ports and floating addresses.

use std::net::IpAddr;

use serde_json::{Value, json};
use strongroom_model::server::{Interface, Server, ServerStatus};
use strongroom_model::time::Timestamp;

use super::HOST;

/// `{"interfaceAttachments": […]}`.
pub fn interfaces_document(server: &Server) -> Value {
    json!({"interfaceAttachments": interface_documents(server)})
}

/// Each interface of a server as Nova lists it.
pub fn interface_documents(server: &Server) -> Vec<Value> {
    let views = server.interfaces.iter().map(|interface| {
        json!({
            "port_state": port_status(server),
            "fixed_ips": [fixed_ip(interface)],
            "port_id": interface.port_id.to_string(),
            "net_id": interface.network_id.to_string(),
            "mac_addr": interface.mac_address,
        })
    });
    views.collect()
}

/// The port of an interface with all its fields, not wrapped.
pub fn port_document(server: &Server, interface: &Interface, is_primary: bool) -> Value {
    let (project, made) = (server.project_id.as_str(), naive_seconds(server.created_at));
    let changed = server.updated_at.map_or_else(|| made.clone(), naive_seconds);
    let name = name_of(interface.ip_address);
    json!({
        "id": interface.port_id.to_string(),
        "name": "",
        "admin_state_up": true,
        "status": port_status(server),
        "network_id": interface.network_id.to_string(),
        "tenant_id": project,
        "project_id": project,
        "device_id": server.id.to_string(),
        "mac_address": interface.mac_address,
        "device_owner": format!("compute:{}", server.availability_zone),
        "description": "",
        "created_at": made,
        "updated_at": changed,
        "port_security_enabled": true,
        "tags": [],
        "security_groups": [],
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "fixed_ips": [fixed_ip(interface)],
        "dns_assignment": [{
            "ip_address": interface.ip_address.to_string(),
            "hostname": name,
            "fqdn": format!("{name}."),
        }],
        "qos_policy_id": null,
        "dns_name": name,
        "dns_domain": "",
        "instance_id": "",
        "instance_type": "",
        "ecs_flavor": "",
        "binding:host_id": HOST,
        "binding:vif_type": "other",
        "binding:vnic_type": "normal",
        "binding:vif_details": {"primary_interface": is_primary},
        "binding:profile": {},
    })
}

/// `{"floatingips": […]}`, with null where there are none.
pub fn floating_ips_document(server: &Server) -> Value {
    let (project, made) = (server.project_id.as_str(), naive_seconds(server.created_at));
    let views = server.floating_ips.iter().map(|floating| {
        json!({
            "id": floating.id.to_string(),
            "status": "ACTIVE",
            "router_id": null,
            "tenant_id": project,
            "project_id": project,
            "description": "",
            "floating_network_id": floating.network_id.to_string(),
            "floating_ip_address": floating.address.to_string(),
            "fixed_ip_address": floating.fixed_ip_address.to_string(),
            "port_id": floating.port_id.to_string(),
            "tags": [],
            "dns_name": "",
            "dns_domain": "",
            "created_at": made,
            "updated_at": made,
        })
    });
    let views: Vec<Value> = views.collect();
    json!({"floatingips": if views.is_empty() { Value::Null } else { Value::Array(views) }})
}

const fn port_status(server: &Server) -> &'static str {
    match server.status {
        ServerStatus::Active => "ACTIVE",
        ServerStatus::Shutoff | ServerStatus::Error => "DOWN",
    }
}

fn fixed_ip(interface: &Interface) -> Value {
    json!({
        "subnet_id": interface.subnet_id.to_string(),
        "ip_address": interface.ip_address.to_string(),
    })
}

/// The name that a network gives to an address.
fn name_of(address: IpAddr) -> String {
    format!("ip-{}", address.to_string().replace(['.', ':'], "-"))
}

/// `2019-05-08T08:52:25`: whole seconds and no zone.
fn naive_seconds(at: Timestamp) -> String {
    at.format_rfc3339().trim_end_matches('Z').to_owned()
}
