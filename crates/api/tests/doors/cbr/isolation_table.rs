//! What each operation is asked with, and where in it an id of another project is tried.

use serde_json::{Value, json};

use super::isolation_far::FAR;
use super::isolation_side::Side;

/// An operation as a project may ask for it, about what is its own.
pub(super) struct Entry {
    /// Its name in the OpenAPI document.
    pub(super) operation: &'static str,
    pub(super) body: Option<Value>,
    /// Where ids are in the body: each is tried.
    pub(super) pointers: &'static [&'static str],
    /// Parameters of the path that are not what they are elsewhere.
    pub(super) parameters: Vec<(&'static str, String)>,
}

/// Operations without a body. Every id in their paths and queries is tried.
const WITHOUT_BODY: [&str; 43] = [
    "listVersions",
    "showVersion",
    "showMigration",
    "listRegionProjects",
    "listDomainProjects",
    "showSourceProject",
    "listVaults",
    "listExternalVaults",
    "showSummary",
    "showVault",
    "deleteVault",
    "listAllVaultTags",
    "listVaultTags",
    "deleteVaultTag",
    "listBackups",
    "showBackup",
    "deleteBackup",
    "showMetadata",
    "listMembers",
    "showMember",
    "deleteMember",
    "listPolicies",
    "showPolicy",
    "deletePolicy",
    "showCheckpoint",
    "listOperationLogs",
    "showOperationLog",
    "listProtectables",
    "showProtectable",
    "listAgents",
    "showAgent",
    "removeAgent",
    "listOrganizationPolicies",
    "showOrganizationPolicy",
    "deleteOrganizationPolicy",
    "listOrganizationDeployments",
    "listFeatures",
    "showFeature",
    "showStorageUsage",
    "showReplicationCapabilities",
    "migrate",
    "createOrganizationPolicy",
    "createPolicy",
];

/// Fields of bodies that look like ids of a project's things and are looked up nowhere, and why.
pub(super) const SPARED: [(&str, &str, &str); 10] = [
    ("registerAgent", "agent.agent_id", "an agent chooses its id, in each project anew"),
    ("checkAgents", "agent_status.resource_id", "said back as it came: no server has an agent"),
    ("syncBackups", "sync.backup_id", "names a backup of another site"),
    ("syncBackups", "sync.resource_id", "names a resource of another site"),
    ("changeOrder", "product_info.product_id", "names nothing here"),
    ("updateOrder", "product_info.product_id", "names nothing here"),
    ("changeOrder", "productInfo.product_id", "names nothing here"),
    ("updateOrder", "productInfo.product_id", "names nothing here"),
    ("addMember", "members", "names projects, which may know each other"),
    ("replicateBackup", "replicate.destination_project_id", "names a project of another region"),
];

fn vault(resources: &Value) -> Value {
    json!({
        "name": "mine", "resources": resources,
        "billing": {
            "consistent_level": "crash_consistent", "object_type": "server",
            "protect_type": "backup", "size": 40, "charging_mode": "pre_paid",
            "period_type": "month", "period_num": 1,
        },
    })
}

/// A server of which only one disk is protected.
fn including(own: &Side) -> Value {
    json!([{
        "id": own.spare_server, "type": "OS::Nova::Server",
        "extra_info": {"include_volumes": [{"id": own.disks[3]}]},
    }])
}

/// Every operation, as one side may ask for it. `offered` is a backup that another shares with it.
pub(super) fn entries(own: &Side, offered: &str) -> Vec<Entry> {
    let mut all: Vec<Entry> = WITHOUT_BODY.map(|operation| entry(operation, None, &[])).into();
    all.extend(of_vaults(own));
    all.extend(of_resources(own));
    all.extend(of_orders(own));
    all.extend(of_backups(own, offered));
    all.extend(of_others(own));
    all
}

fn entry(operation: &'static str, body: Option<Value>, pointers: &'static [&'static str]) -> Entry {
    Entry { operation, body, pointers, parameters: Vec::new() }
}

fn of_vaults(own: &Side) -> Vec<Entry> {
    let mut all = Vec::new();
    for operation in ["createVault", "orderVault"] {
        let mut with_policy = vault(&json!([]));
        with_policy["backup_policy_id"] = json!(own.policy);
        let with_policy = Some(json!({ "vault": with_policy }));
        all.push(entry(operation, with_policy, &["/vault/backup_policy_id"]));
        let resource = json!([{
            "id": own.spare_server, "type": "OS::Nova::Server",
            "extra_info": {"exclude_volumes": [own.disks[3]]},
        }]);
        let with_resource = Some(json!({"vault": vault(&resource)}));
        let pointers =
            &["/vault/resources/0/id", "/vault/resources/0/extra_info/exclude_volumes/0"];
        all.push(entry(operation, with_resource, pointers));
        let with_disk = Some(json!({"vault": vault(&including(own))}));
        let pointers = &["/vault/resources/0/extra_info/include_volumes/0/id"];
        all.push(entry(operation, with_disk, pointers));
    }
    let charge = json!({
        "charging_mode": "pre_paid", "period_type": "year", "period_num": 1,
        "is_auto_renew": false, "is_auto_pay": true, "vault_ids": [own.disk_vault],
    });
    let expiry = json!({"expect_expiration_date": "2030-01-01", "time_zone": "UTC+00:00"});
    let tag = json!({"tag": {"key": "a", "value": "b"}});
    let tags = json!({"action": "delete", "tags": [{"key": "key"}]});
    all.extend([
        entry("updateVault", Some(json!({"vault": {"name": "mine"}})), &[]),
        entry("updateVaults", Some(json!({"vault": {"threshold": 70}})), &[]),
        entry("changeVaultChargeMode", Some(charge), &["/vault_ids/0"]),
        entry("updateBackupExpirationTime", Some(expiry), &[]),
        entry("listVaultsByTags", Some(json!({"action": "filter"})), &[]),
        entry("addVaultTag", Some(tag), &[]),
        entry("changeVaultTags", Some(tags), &[]),
    ]);
    all
}

fn of_resources(own: &Side) -> Vec<Entry> {
    let resource = json!({"resources": [{
        "id": own.spare_server, "type": "OS::Nova::Server",
        "extra_info": {"exclude_volumes": [own.disks[3]]},
    }]});
    let volume = json!({"resources": [{"id": own.disks[3], "type": "OS::Cinder::Volume"}]});
    let ids = json!({"resource_ids": [own.disks[2]]});
    let moved = json!({
        "resource_ids": [own.disks[2]], "destination_vault_id": own.other_vault,
    });
    let set = json!({"resource_ids": [own.disks[2]], "action": "unsuspend"});
    let one = json!({"policy_id": own.policy});
    let copies = json!({
        "policy_id": own.copy_policy, "destination_vault_id": own.server_vault,
    });
    let vault = || vec![("vault_id", own.server_vault.clone())];
    let pointers = &["/resources/0/id", "/resources/0/extra_info/exclude_volumes/0"];
    vec![
        Entry { parameters: vault(), ..entry("addVaultResources", Some(resource), pointers) },
        entry("addVaultResources", Some(volume), &["/resources/0/id"]),
        Entry {
            parameters: vault(),
            ..entry(
                "addVaultResources",
                Some(json!({"resources": including(own)})),
                &["/resources/0/extra_info/include_volumes/0/id"],
            )
        },
        entry("removeVaultResources", Some(ids), &["/resource_ids/0"]),
        entry("migrateVaultResources", Some(moved), &["/resource_ids/0", "/destination_vault_id"]),
        entry("setVaultResources", Some(set), &["/resource_ids/0"]),
        entry("associateVaultPolicy", Some(one), &["/policy_id"]),
        Entry {
            parameters: vault(),
            ..entry("associateVaultPolicy", Some(copies), &["/policy_id", "/destination_vault_id"])
        },
        entry(
            "associateVaultPolicy",
            Some(json!({"add_policy_ids": [own.policy]})),
            &["/add_policy_ids/0"],
        ),
        entry("dissociateVaultPolicy", Some(json!({"policy_id": own.policy})), &["/policy_id"]),
    ]
}

fn of_orders(own: &Side) -> Vec<Entry> {
    let mut all = Vec::new();
    for operation in ["changeOrder", "updateOrder"] {
        let plain = json!({"resource_id": own.disk_vault, "product_info": {"resource_size": 50}});
        all.push(entry(operation, Some(plain), &["/resource_id"]));
        let other = json!({"resourceId": own.disk_vault, "productInfo": {"resourceSize": 50}});
        all.push(entry(operation, Some(other), &["/resourceId"]));
    }
    all
}

fn of_backups(own: &Side, offered: &str) -> Vec<Entry> {
    let restore = |wish: Value| Some(json!({ "restore": wish }));
    let of_server = || vec![("backup_id", own.server_backup.clone())];
    let mapping = json!({"backup_id": own.parts[0], "volume_id": own.disks[0]});
    let replicate = json!({"replicate": {
        "destination_project_id": "p", "destination_region": FAR,
        "destination_vault_id": own.disk_vault,
    }});
    let sync = json!({"sync": [{
        "backup_id": own.disk_backup, "backup_name": "b", "bucket_name": "b", "created_at": 1,
        "image_path": "i", "resource_id": own.disks[2], "resource_name": "r",
    }]});
    let take = json!({"status": "accepted", "vault_id": own.disk_vault});
    vec![
        entry("updateBackup", Some(json!({"backup": {"name": "mine"}})), &[]),
        entry(
            "restoreBackup",
            restore(json!({"volume_id": own.disks[2]})),
            &["/restore/volume_id"],
        ),
        entry(
            "restoreBackup",
            restore(json!({"resource_id": own.disks[2]})),
            &["/restore/resource_id"],
        ),
        Entry {
            parameters: of_server(),
            ..entry(
                "restoreBackup",
                restore(json!({"server_id": own.server, "mappings": [mapping]})),
                &[
                    "/restore/server_id",
                    "/restore/mappings/0/backup_id",
                    "/restore/mappings/0/volume_id",
                ],
            )
        },
        Entry {
            parameters: of_server(),
            ..entry(
                "restoreBackup",
                restore(json!({"resource_id": own.server})),
                &["/restore/resource_id"],
            )
        },
        entry("addMember", Some(json!({"members": [own.access.project]})), &[]),
        Entry {
            parameters: vec![
                ("backup_id", offered.to_owned()),
                ("member_id", own.access.project.clone()),
            ],
            ..entry("updateMember", Some(take), &["/vault_id"])
        },
        entry("replicateBackup", Some(replicate), &["/replicate/destination_vault_id"]),
        entry("syncBackups", Some(sync), &[]),
    ]
}

fn of_others(own: &Side) -> Vec<Entry> {
    let named = json!({"checkpoint": {
        "vault_id": own.disk_vault, "parameters": {"resources": [own.disks[2]]},
    }});
    let detailed = json!({"checkpoint": {"vault_id": own.disk_vault, "parameters": {
        "resource_details": [{"id": own.disks[2], "type": "OS::Cinder::Volume"}],
    }}});
    let sync = json!({"sync": {"vault_id": own.disk_vault, "auto_trigger": false}});
    let replicate = json!({"replicate": {
        "vault_id": own.disk_vault, "destination_project_id": "p", "destination_region": FAR,
        "destination_vault_id": own.disk_vault,
    }});
    let checked = json!({"agent_status": [
        {"resource_id": own.server, "resource_type": "OS::Nova::Server"},
    ]});
    let agent = json!({"agent": {
        "agent_id": own.agent, "host_ip": "10.0.0.7", "host_name": "f", "host_os": "Linux",
    }});
    let details = &["/checkpoint/parameters/resource_details/0/id"];
    vec![
        entry("updateOrganizationPolicy", Some(json!({"policy": {"name": "mine"}})), &[]),
        entry("updatePolicy", Some(json!({"policy": {"name": "mine"}})), &[]),
        entry(
            "createCheckpoint",
            Some(named),
            &["/checkpoint/vault_id", "/checkpoint/parameters/resources/0"],
        ),
        entry("createCheckpoint", Some(detailed), details),
        entry("syncCheckpoint", Some(sync), &["/sync/vault_id"]),
        entry(
            "replicateCheckpoint",
            Some(replicate),
            &["/replicate/vault_id", "/replicate/destination_vault_id"],
        ),
        entry("checkAgents", Some(checked), &[]),
        entry("registerAgent", Some(agent), &[]),
        entry("updateAgent", Some(json!({"agent": {"status": "uninstall"}})), &[]),
        entry("addAgentPaths", Some(json!({"add_path": ["/home"]})), &[]),
        entry("removeAgentPaths", Some(json!({"remove_path": ["/home"]})), &[]),
    ]
}
