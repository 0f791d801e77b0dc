//! What the verbs of `server` print: text for people or one JSON object for programs.

use comfy_table::{Table, presets};
use serde_json::{Value, json};
use strongroom_model::id::ServerId;
use strongroom_model::server::Server;
use strongroom_service::servers::Inventory;

use crate::args::ServerPlace;
use crate::report::say;

fn print(at: &ServerPlace, text: &str, value: &Value) {
    if at.json {
        say(&value.to_string());
    } else {
        say(text);
    }
}

pub(super) fn added(at: &ServerPlace, server: &Server) {
    let text = format!("{} {} with {} disks", server.id, server.name, server.disks.len());
    print(at, &text, &json!(server));
}

pub(super) fn listed(at: &ServerPlace, inventory: &Inventory) {
    let header = ["ID", "NAME", "STATUS", "PROJECT", "DISKS"];
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for server in &inventory.servers {
        table.add_row([
            server.id.to_string(),
            server.name.clone(),
            server.status.as_str().to_owned(),
            server.project_id.to_string(),
            server.disks.len().to_string(),
        ]);
    }
    let broken: Vec<String> = inventory.broken.iter().map(ToString::to_string).collect();
    for problem in &broken {
        eprintln!("warning: {problem}");
    }
    let value = json!({"servers": inventory.servers, "broken": broken});
    print(at, &table.to_string(), &value);
}

pub(super) fn shown(at: &ServerPlace, server: &Server) {
    let mut lines = vec![
        format!("id         {}", server.id),
        format!("name       {}", server.name),
        format!("status     {}", server.status.as_str()),
        format!("project    {}", server.project_id),
        format!("zone       {}", server.availability_zone),
        format!("flavor     {}", flavor(server)),
        format!("created    {}", server.created_at.format_rfc3339()),
    ];
    for disk in &server.disks {
        let role = if disk.is_system { " (system)" } else { "" };
        lines.push(format!("disk       {} {}{role}", disk.device, disk.volume_id));
    }
    for interface in &server.interfaces {
        let (address, hardware) = (interface.ip_address, &interface.mac_address);
        lines.push(format!("address    {address} ({hardware})"));
    }
    for floating in &server.floating_ips {
        let (from, to) = (floating.address, floating.fixed_ip_address);
        lines.push(format!("address    {from} leads to {to}"));
    }
    for (key, value) in &server.tags {
        lines.push(format!("tag        {key}={value}"));
    }
    print(at, &lines.join("\n"), &json!(server));
}

fn flavor(server: &Server) -> String {
    let flavor = &server.flavor;
    let (name, vcpus, ram) = (&flavor.name, flavor.vcpus, flavor.ram_mib);
    format!("{name}, {vcpus} x {}, {ram} MiB", server.architecture)
}

pub(super) fn removed(at: &ServerPlace, id: ServerId) {
    let text = format!("{id} is no longer in the inventory; its volumes are untouched");
    print(at, &text, &json!({ "id": id }));
}
