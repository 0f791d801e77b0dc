//! A project with disks, a server and vaults, and a project that backups are shared with.

use std::time::Duration;

use serde_json::json;

use super::asked::{Door, Effect, Step};
use crate::cbr::protectables::server;
use crate::world::{Access, Client, World};

/// Everything that a sequence works with.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) owner: Access,
    pub(super) admin: Access,
    pub(super) receiver: Access,
    /// Root and data of the server, and two disks by themselves.
    pub(super) disks: [String; 4],
    pub(super) server: String,
    /// Of the owner: for servers, for disks.
    pub(super) vaults: [String; 2],
    /// Of the receiver: for servers, for disks.
    pub(super) places: [String; 2],
}

impl Scene {
    pub(super) async fn new() -> Self {
        let (world, alpha, beta) = World::with_projects().await;
        let native = world.volume(&alpha.member);
        let disks = [
            native.make_volume("root").await,
            native.make_volume("data").await,
            native.make_volume("alone").await,
            native.make_volume("spare").await,
        ];
        let machine = server(&alpha.member.project, 1, &[&disks[0], &disks[1]]);
        let machine = world.service.keep_server(machine).await.unwrap().id.to_string();
        let owner = world.cbr(&alpha.member);
        let vaults = [
            make_vault(&owner, "server", &[(&machine, "OS::Nova::Server")]).await,
            make_vault(
                &owner,
                "disk",
                &[(&disks[2], "OS::Cinder::Volume"), (&disks[3], "OS::Cinder::Volume")],
            )
            .await,
        ];
        let receiver = world.cbr(&beta.member);
        let places =
            [make_vault(&receiver, "server", &[]).await, make_vault(&receiver, "disk", &[]).await];
        for vault in &vaults {
            let body = json!({"checkpoint": {"vault_id": vault}});
            owner.post("/v3/{p}/checkpoints", body).await.expect(200);
        }
        world.settle().await;
        Self {
            owner: alpha.member,
            admin: alpha.admin,
            receiver: beta.member,
            disks,
            server: machine,
            vaults,
            places,
            world,
        }
    }

    pub(super) fn at(&self, door: Door) -> Client<'_> {
        match door {
            Door::Volume => self.world.volume(&self.owner).at("3.71"),
            Door::VolumeOfAdmin => self.world.volume(&self.admin).at("3.71"),
            Door::VolumeOfReceiver => self.world.volume(&self.receiver).at("3.71"),
            Door::Cbr => self.world.cbr(&self.owner),
            Door::CbrOfReceiver => self.world.cbr(&self.receiver),
        }
    }

    /// Takes a step: whether it was accepted, and what must be so then.
    pub(super) async fn take(&self, step: Step, done: &mut Vec<String>) -> (bool, Effect) {
        match step {
            Step::Work => self.world.settle().await,
            Step::OneJob => {
                self.world.service.run_due_job().await.unwrap();
            }
            Step::Pass(seconds) => {
                self.world.pass(Duration::from_secs(seconds));
                self.world.service.run_due_policies().await.unwrap();
            }
            Step::Ask(asked) => {
                let client = self.at(asked.door);
                let answer = client.send(asked.method, &asked.path, asked.body).await;
                done.push(format!("    {} {}", answer.status, answer.text));
                return match answer.status {
                    200..=299 => (true, asked.effect.after(&answer.json())),
                    _ => (false, Effect::None),
                };
            }
        }
        (true, Effect::None)
    }
}

async fn make_vault(client: &Client<'_>, object_type: &str, resources: &[(&str, &str)]) -> String {
    let resources: Vec<_> =
        resources.iter().map(|(id, kind)| json!({"id": id, "type": kind})).collect();
    let billing = json!({
        "consistent_level": "crash_consistent", "object_type": object_type,
        "protect_type": "backup", "size": 100,
    });
    let wish = json!({"name": object_type, "billing": billing, "resources": resources});
    let made = client.post("/v3/{p}/vaults", json!({ "vault": wish })).await.expect(200);
    made["vault"]["id"].as_str().unwrap().to_owned()
}
