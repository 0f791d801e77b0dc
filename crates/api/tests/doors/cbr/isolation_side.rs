//! A project with one of everything that an operation of this door can name.

use serde_json::{Value, json};

use super::isolation_far::FAR;
use super::protectables::server;
use crate::world::{Access, Client, Project, World};

/// What a project has: the ids of its things, by the names that paths and bodies have for them.
pub(super) struct Side {
    pub(super) access: Access,
    /// An administrator of the project.
    pub(super) admin: Access,
    /// Root and data of the server, a disk by itself, and the disk of a server that no vault has.
    pub(super) disks: [String; 4],
    pub(super) server: String,
    pub(super) spare_server: String,
    pub(super) server_vault: String,
    pub(super) disk_vault: String,
    /// Another for disks, with none in it.
    pub(super) other_vault: String,
    pub(super) policy: String,
    /// It copies to another region.
    pub(super) copy_policy: String,
    pub(super) server_backup: String,
    /// The backups of the server's disks.
    pub(super) parts: Vec<String>,
    pub(super) disk_backup: String,
    pub(super) checkpoint: String,
    pub(super) log: String,
    pub(super) agent: String,
}

impl Side {
    /// Furnishes a project. The number tells its servers and its agent from those of others.
    pub(super) async fn new(world: &World, project: &Project, number: u32) -> Self {
        let access = &project.member;
        let (native, cbr) = (world.volume(access), world.cbr(access));
        let disks = [
            native.make_volume("root").await,
            native.make_volume("data").await,
            native.make_volume("alone").await,
            native.make_volume("spare").await,
        ];
        let mut servers = Vec::new();
        for (number, disks) in [(number, &disks[..2]), (number + 1, &disks[3..])] {
            let disks: Vec<&str> = disks.iter().map(String::as_str).collect();
            let kept = world.service.keep_server(server(&access.project, number, &disks)).await;
            servers.push(kept.unwrap().id.to_string());
        }
        let (spare_server, server) = (servers.remove(1), servers.remove(0));
        let in_server_vault = json!([{"id": server, "type": "OS::Nova::Server"}]);
        let server_vault = make_vault(&cbr, "server", &in_server_vault).await;
        let in_disk_vault = json!([{"id": disks[2], "type": "OS::Cinder::Volume"}]);
        let disk_vault = make_vault(&cbr, "disk", &in_disk_vault).await;
        let other_vault = make_vault(&cbr, "disk", &json!([])).await;
        let policy = make_policy(&cbr, json!({})).await;
        let path = format!("/v3/{{p}}/vaults/{disk_vault}/associatepolicy");
        cbr.post(&path, json!({"policy_id": policy})).await.expect(200);
        let to = json!({"destination_region": FAR, "destination_project_id": "p"});
        let copy_policy = make_policy(&cbr, to).await;
        let (_, disk_backup) = run(world, &cbr, &disk_vault).await;
        let (checkpoint, server_backup) = run(world, &cbr, &server_vault).await;
        let shown = cbr.get(&format!("/v3/{{p}}/backups/{server_backup}")).await.expect(200);
        let parts = shown["backup"]["children"].as_array().unwrap();
        let parts = parts.iter().map(|one| text(&one["id"])).collect();
        let logs = cbr.get("/v3/{p}/operation-logs").await.expect(200);
        let agent = format!("5f1c2a9e-0000-4000-8000-{number:012}");
        let wish = json!({"agent": {
            "agent_id": agent, "host_ip": "10.0.0.7", "host_name": "files", "host_os": "Linux",
        }});
        cbr.post("/v3/{p}/agents", wish).await.expect(200);
        Self {
            access: access.clone(),
            admin: project.admin.clone(),
            log: text(&logs["operation_logs"][0]["id"]),
            disks,
            server,
            spare_server,
            server_vault,
            disk_vault,
            other_vault,
            policy,
            copy_policy,
            server_backup,
            parts,
            disk_backup,
            checkpoint,
            agent,
        }
    }

    /// The ids of everything.
    pub(super) fn ids(&self) -> Vec<String> {
        let named = [
            &self.server,
            &self.spare_server,
            &self.server_vault,
            &self.disk_vault,
            &self.other_vault,
            &self.policy,
            &self.copy_policy,
            &self.server_backup,
            &self.disk_backup,
            &self.checkpoint,
            &self.log,
            &self.agent,
        ];
        named.into_iter().chain(&self.disks).chain(&self.parts).cloned().collect()
    }

    /// Everything that either door shows of it.
    pub(super) async fn dump(&self, world: &World) -> Vec<Value> {
        let (native, cbr) = (world.volume(&self.access), world.cbr(&self.access));
        let mut all = Vec::new();
        for path in ["backups/detail", "volumes/detail", "backuppolicy"] {
            all.push(native.get(&format!("/v2/{{p}}/{path}")).await.expect(200));
        }
        let shares = "/v2/{p}/os-vendor-backup-sharing/detail";
        all.push(native.get(shares).await.expect(200));
        let mut paths: Vec<String> = [
            "vaults",
            "vaults/summary",
            "vault/tags",
            "backups",
            "policies",
            "operation-logs",
            "agents",
            "storage_usage",
            "protectables/server/instances",
            "protectables/disk/instances",
        ]
        .map(str::to_owned)
        .into();
        paths.push(format!("checkpoints/{}", self.checkpoint));
        for backup in [&self.server_backup, &self.disk_backup].into_iter().chain(&self.parts) {
            paths.extend(["", "/metadata"].map(|rest| format!("backups/{backup}{rest}")));
        }
        for backup in [&self.server_backup, &self.disk_backup] {
            paths.push(format!("backups/{backup}/members"));
        }
        for path in paths {
            all.push(cbr.get(&format!("/v3/{{p}}/{path}")).await.expect(200));
        }
        all
    }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

async fn make_vault(cbr: &Client<'_>, object_type: &str, resources: &Value) -> String {
    let body = json!({"vault": {
        "name": "safe", "resources": resources,
        "tags": [{"key": "key", "value": "value"}],
        "billing": {
            "consistent_level": "crash_consistent", "object_type": object_type,
            "protect_type": "backup", "size": 100,
        },
    }});
    text(&cbr.post("/v3/{p}/vaults", body).await.expect(200)["vault"]["id"])
}

/// A policy; one with a definition copies.
async fn make_policy(cbr: &Client<'_>, definition: Value) -> String {
    let operation = if definition == json!({}) { "backup" } else { "replication" };
    let body = json!({"policy": {
        "name": "nightly", "operation_type": operation, "operation_definition": definition,
        "trigger": {"properties": {"pattern": ["FREQ=DAILY;BYHOUR=3;BYMINUTE=0"]}},
    }});
    text(&cbr.post("/v3/{p}/policies", body).await.expect(200)["policy"]["id"])
}

/// A run over a vault, with its work done: its id, and that of its one backup.
async fn run(world: &World, cbr: &Client<'_>, vault: &str) -> (String, String) {
    let body = json!({"checkpoint": {"vault_id": vault}});
    let made = cbr.post("/v3/{p}/checkpoints", body).await.expect(200);
    let id = text(&made["checkpoint"]["id"]);
    world.settle().await;
    let listed = cbr.get(&format!("/v3/{{p}}/backups?checkpoint_id={id}")).await.expect(200);
    (id, text(&listed["backups"][0]["id"]))
}
