//! What each dialect shows, and that they agree.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::asked::Door;
use super::scene::Scene;
use crate::world::Client;

/// What every dialect tells of the backup of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) name: String,
    /// In the words of the vaults' dialect.
    pub(super) status: String,
    size: u64,
    volume: String,
    created_at: String,
    is_incremental: bool,
}

/// A project that a backup is shared with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    pub(super) backup: String,
    pub(super) to: String,
    pub(super) id: String,
    pub(super) status: String,
}

/// What both dialects of policies tell of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) name: String,
    pub(super) is_enabled: bool,
}

type Disks = BTreeMap<String, Saved>;
type Policies = BTreeMap<String, Policy>;

/// What all dialects agree on.
#[derive(Debug)]
pub(super) struct Truth {
    pub(super) disks: Disks,
    /// Name and status of the backups of servers.
    pub(super) servers: BTreeMap<String, (String, String)>,
    /// The backup of a server that those of its disks belong to.
    parents: BTreeMap<String, String>,
    pub(super) members: BTreeSet<Member>,
    pub(super) policies: Policies,
}

impl Truth {
    pub(super) fn disk_ids(&self) -> Vec<String> {
        self.disks.keys().cloned().collect()
    }

    /// Of disks and of servers.
    pub(super) fn ids(&self) -> Vec<String> {
        self.disks.keys().chain(self.servers.keys()).cloned().collect()
    }

    /// Of those that can be shared, at most of disks.
    pub(super) fn whole_ids(&self, only_disks: bool) -> Vec<String> {
        let is_whole =
            |id: &String| self.status_of(id) == Some("available") && !self.parents.contains_key(id);
        let ids = if only_disks { self.disk_ids() } else { self.ids() };
        ids.into_iter().filter(is_whole).collect()
    }

    pub(super) fn name_of(&self, id: &str) -> Option<&str> {
        let server = self.servers.get(id).map(|(name, _)| name.as_str());
        self.disks.get(id).map(|one| one.name.as_str()).or(server)
    }

    pub(super) fn status_of(&self, id: &str) -> Option<&str> {
        let server = self.servers.get(id).map(|(_, status)| status.as_str());
        self.disks.get(id).map(|one| one.status.as_str()).or(server)
    }

    pub(super) fn member_status(&self, backup: &str, to: &str) -> Option<&str> {
        let mut found = self.members.iter().filter(|one| one.backup == backup && one.to == to);
        found.next().map(|one| one.status.as_str())
    }

    /// Whether a project has taken a backup, or the one that it belongs to.
    pub(super) fn is_taken(&self, id: &str, by: &str) -> bool {
        let whole = self.parents.get(id).map_or(id, String::as_str);
        self.member_status(whole, by) == Some("accepted")
    }

    /// When all work is done, nothing is on its way.
    pub(super) fn assert_rests(&self) {
        for id in self.ids() {
            assert!(matches!(self.status_of(&id), Some("available" | "error")), "{id} {self:?}");
        }
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn items(document: &Value, key: &str) -> Vec<Value> {
    document[key].as_array().unwrap().clone()
}

/// Reads everything at every door. The turn decides over what is looked at now and then only: tags,
/// and whether what was shared with nobody is hidden.
pub(super) async fn read(scene: &Scene, turn: usize) -> Truth {
    let native = natively(scene, "v3").await;
    assert_eq!(native, natively(scene, "v2").await, "Cinder and the vendor disagree");
    let truth = of_vaults(scene).await;
    assert_eq!(native, truth.disks, "Cinder and the vaults disagree");
    assert_counted(scene, &truth).await;
    assert_eq!(vendors_policies(scene).await, truth.policies, "policies disagree");
    assert_shared(scene, &truth).await;
    assert_received(scene, &truth, turn).await;
    if turn % 4 == 3 {
        assert_tagged(scene, &truth).await;
    }
    truth
}

/// The word of the vaults' dialect for Cinder's.
fn word(status: &str) -> String {
    let word = match status {
        "creating" => "protecting",
        "error_deleting" => "error",
        other => other,
    };
    word.to_owned()
}

fn native_backup(one: &Value) -> Saved {
    Saved {
        name: text(one, "name"),
        status: word(one["status"].as_str().unwrap()),
        size: one["size"].as_u64().unwrap(),
        volume: text(one, "volume_id"),
        created_at: text(one, "created_at"),
        is_incremental: one["is_incremental"].as_bool().unwrap(),
    }
}

/// The backups in Cinder's dialect, or in the vendor's older one.
async fn natively(scene: &Scene, version: &str) -> Disks {
    let client = match version {
        "v3" => scene.at(Door::Volume),
        _ => scene.world.volume(&scene.owner),
    };
    let path = format!("/{version}/{{p}}/backups/detail");
    let all = items(&client.get(&path).await.expect(200), "backups");
    let found: Disks = all.iter().map(|one| (text(one, "id"), native_backup(one))).collect();
    assert_eq!(found.len(), all.len(), "an id twice");
    let path = format!("/{version}/{{p}}/backups");
    let short = items(&client.get(&path).await.expect(200), "backups");
    let ids: BTreeSet<_> = short.iter().map(|one| text(one, "id")).collect();
    assert_eq!(ids, found.keys().cloned().collect(), "the short list is another");
    found
}

fn backup(one: &Value) -> Saved {
    assert_eq!(one["incremental"], one["extend_info"]["incremental"]);
    Saved {
        name: text(one, "name"),
        status: text(one, "status"),
        size: one["resource_size"].as_u64().unwrap(),
        volume: text(one, "resource_id"),
        created_at: text(one, "created_at"),
        is_incremental: one["incremental"].as_bool().unwrap(),
    }
}

/// A list, all of which is counted.
async fn listed(client: &Client<'_>, path: &str, key: &str) -> Vec<Value> {
    let document = client.get(&format!("/v3/{{p}}/{path}")).await.expect(200);
    let found = items(&document, key);
    assert_eq!(document["count"], found.len(), "{path}");
    found
}

async fn of_vaults(scene: &Scene) -> Truth {
    let client = scene.at(Door::Cbr);
    let (mut disks, mut servers) = (Disks::new(), BTreeMap::new());
    let (mut parents, mut members) = (BTreeMap::new(), BTreeSet::new());
    for one in listed(&client, "backups", "backups").await {
        let id = text(&one, "id");
        if one["resource_type"] == "OS::Cinder::Volume" {
            disks.insert(id.clone(), backup(&one));
        } else {
            let shown = client.get(&format!("/v3/{{p}}/backups/{id}")).await.expect(200);
            let children = items(&shown["backup"], "children");
            let size: u64 = children.iter().map(|one| one["resource_size"].as_u64().unwrap()).sum();
            // The parts of what is on its way out go one by one.
            assert!(one["resource_size"] == size || one["status"] == "deleting", "{shown}");
            for child in children {
                assert_eq!(child["parent_id"], *id);
                parents.insert(text(&child, "id"), id.clone());
                disks.insert(text(&child, "id"), backup(&child));
            }
            servers.insert(id.clone(), (text(&one, "name"), text(&one, "status")));
        }
        for member in listed(&client, &format!("backups/{id}/members"), "members").await {
            assert_eq!(member["backup_id"], *id);
            members.insert(Member {
                backup: id.clone(),
                to: text(&member, "dest_project_id"),
                id: text(&member, "id"),
                status: text(&member, "status"),
            });
        }
    }
    let policies = listed(&client, "policies", "policies").await.into_iter();
    let policies = policies.map(|one| {
        let is_enabled = one["enabled"].as_bool().unwrap();
        (text(&one, "id"), Policy { name: text(&one, "name"), is_enabled })
    });
    Truth { disks, servers, parents, members, policies: policies.collect() }
}

/// What vaults hold, and what is used of a quota, is what is listed.
async fn assert_counted(scene: &Scene, truth: &Truth) {
    let client = scene.at(Door::Cbr);
    let mut held = 0;
    for vault in listed(&client, "vaults", "vaults").await {
        let path = format!("backups?vault_id={}", text(&vault, "id"));
        held += listed(&client, &path, "backups").await.len();
    }
    let alone = truth.disks.len() - truth.parents.len();
    assert_eq!(held, alone + truth.servers.len(), "vaults hold other backups");
    let path = "/v3/{p}/os-quota-sets/PROJECT?usage=True".replace("PROJECT", &scene.owner.project);
    let quotas = scene.at(Door::Volume).get(&path).await.expect(200);
    let in_use = |key: &str| quotas["quota_set"][key]["in_use"].as_u64().unwrap();
    let sizes: u64 = truth.disks.values().map(|one| one.size).sum();
    let used = (in_use("backups"), in_use("backup_gigabytes"));
    assert_eq!(used, (u64::try_from(truth.disks.len()).unwrap(), sizes));
}

async fn vendors_policies(scene: &Scene) -> Policies {
    let all = scene.at(Door::Volume).get("/v2/{p}/backuppolicy").await.expect(200);
    let all = items(&all, "backup_policies").into_iter();
    let view = |one: Value| {
        let is_enabled = one["scheduled_policy"]["status"] == "ON";
        let name = text(&one, "backup_policy_name");
        (text(&one, "backup_policy_id"), Policy { name, is_enabled })
    };
    all.map(view).collect()
}

/// Id, backup and receiver of the shares in the vendor's older dialect.
async fn shares(client: &Client<'_>, query: &str) -> BTreeSet<[String; 3]> {
    const SHARES: &str = "/v2/{p}/os-vendor-backup-sharing";
    let all = client.get(&format!("{SHARES}/detail?{query}")).await.expect(200);
    let all = items(&all, "shared");
    let counted = client.get(&format!("{SHARES}/count?{query}")).await.expect(200);
    assert_eq!(counted["count"], all.len());
    all.iter().map(|one| ["id", "backup_id", "to_project_id"].map(|key| text(one, key))).collect()
}

/// Whoever took the backup of a disk has a share of it, and nobody else has.
async fn assert_shared(scene: &Scene, truth: &Truth) {
    let taken = truth.members.iter().filter(|one| one.status == "accepted");
    let taken = taken.filter(|one| truth.disks.contains_key(&one.backup));
    let triple = |one: &Member| [one.id.clone(), one.backup.clone(), one.to.clone()];
    let taken: BTreeSet<_> = taken.map(triple).collect();
    assert_eq!(shares(&scene.at(Door::Volume), "").await, taken, "the owner's shares");
    let to = &scene.receiver.project;
    let mine = taken.into_iter().filter(|[.., receiver]| receiver == to).collect();
    let seen = shares(&scene.at(Door::VolumeOfReceiver), "share_to_me=true").await;
    assert_eq!(seen, mine, "the receiver's shares");
}

/// A receiver sees what it was offered or took, as its owner does.
async fn assert_received(scene: &Scene, truth: &Truth, turn: usize) {
    let to = &scene.receiver.project;
    let (native, cbr) = (scene.at(Door::VolumeOfReceiver), scene.at(Door::CbrOfReceiver));
    let of = |statuses: &[&str]| {
        let all = truth.members.iter().filter(|one| one.to == *to);
        let all = all.filter(|one| statuses.contains(&one.status.as_str()));
        all.map(|one| one.backup.clone()).collect::<BTreeSet<_>>()
    };
    for (query, expected) in [
        // What was declined is listed, and shown no more.
        ("own_type=shared", of(&["pending", "accepted", "rejected"])),
        ("own_type=shared&member_status=accepted", of(&["accepted"])),
        ("own_type=shared&member_status=pending", of(&["pending"])),
    ] {
        let found = listed(&cbr, &format!("backups?{query}"), "backups").await;
        let ids: BTreeSet<_> = found.iter().map(|one| text(one, "id")).collect();
        assert_eq!(ids, expected, "{query}");
    }
    for (number, (id, saved)) in truth.disks.iter().enumerate() {
        let whole = truth.parents.get(id).unwrap_or(id);
        let status = truth.member_status(whole, to);
        if status.is_none() && !(number + turn).is_multiple_of(6) {
            continue;
        }
        let path = format!("/v3/{{p}}/backups/{id}");
        let seen = native.get(&path).await;
        let taken = if status == Some("accepted") { 200 } else { 404 };
        let seen = seen.expect(taken);
        if taken == 200 {
            assert_eq!(native_backup(&seen["backup"]), *saved);
        }
        let offered = if matches!(status, Some("accepted" | "pending")) { 200 } else { 404 };
        let seen = cbr.get(&path).await.expect(offered);
        if offered == 200 {
            assert_eq!(backup(&seen["backup"]), *saved);
        }
    }
}

/// Tags of one thing, of all things and inside a thing are the same.
async fn assert_tagged(scene: &Scene, truth: &Truth) {
    let (native, cbr) = (scene.at(Door::Volume), scene.at(Door::Cbr));
    let mut of_backups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for id in truth.disks.keys() {
        let path = format!("/v2/{{p}}/os-vendor-tags/backups/{id}");
        let tags = native.get(&path).await.expect(200)["tags"].clone();
        for (key, value) in tags.as_object().unwrap() {
            let values = of_backups.entry(key.clone()).or_default();
            values.insert(value.as_str().unwrap().to_owned());
        }
    }
    let all = native.get("/v2/{p}/os-vendor-tags/backups").await.expect(200);
    assert_eq!(all["tags"], json!(of_backups), "tags of backups");
    let mut of_vaults: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for vault in listed(&cbr, "vaults", "vaults").await {
        let path = format!("/v3/{{p}}/vault/{}/tags", text(&vault, "id"));
        let tags = cbr.get(&path).await.expect(200)["tags"].clone();
        assert_eq!(tags, vault["tags"]);
        for tag in tags.as_array().unwrap() {
            of_vaults.entry(text(tag, "key")).or_default().insert(text(tag, "value"));
        }
    }
    let all = cbr.get("/v3/{p}/vault/tags").await.expect(200);
    let all = items(&all, "tags").into_iter().map(|one| {
        let values = items(&one, "values").into_iter();
        (text(&one, "key"), values.map(|it| it.as_str().unwrap().to_owned()).collect())
    });
    assert_eq!(all.collect::<BTreeMap<_, BTreeSet<_>>>(), of_vaults, "tags of vaults");
}

/// What is listed no more is missing at every door, and what is listed is shown.
pub(super) async fn assert_gone(scene: &Scene, before: &Truth, now: &Truth) {
    let (native, cbr) = (scene.at(Door::Volume), scene.at(Door::Cbr));
    for id in before.ids() {
        let is_disk = before.disks.contains_key(&id);
        let status = if now.name_of(&id).is_some() { 200 } else { 404 };
        if status == 200 && now.status_of(&id) == before.status_of(&id) {
            continue;
        }
        assert_eq!(cbr.get(&format!("/v3/{{p}}/backups/{id}")).await.status, status, "{id}");
        for version in ["v2", "v3"] {
            let expected = if is_disk { status } else { 404 };
            let answer = native.get(&format!("/{version}/{{p}}/backups/{id}")).await;
            assert_eq!(answer.status, expected, "{version} {id}");
        }
    }
    for id in before.policies.keys().filter(|id| !now.policies.contains_key(*id)) {
        assert_eq!(cbr.get(&format!("/v3/{{p}}/policies/{id}")).await.status, 404);
        assert_eq!(native.get(&format!("/v2/{{p}}/backuppolicy/{id}")).await.status, 404);
    }
}
