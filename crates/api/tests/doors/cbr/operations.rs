//! Every operation of the dialect, and whether it is served.

use std::collections::BTreeSet;

use crate::world::World;

/// Method and path of each operation, in the order of the vendor's list.
const OPERATIONS: [(&str, &str); 74] = [
    ("POST", "/v3/{p}/vaults"),
    ("POST", "/v3/{p}/vaults/order"),
    ("GET", "/v3/{p}/vaults"),
    ("GET", "/v3/{p}/vaults/{vault_id}"),
    ("PUT", "/v3/{p}/vaults/{vault_id}"),
    ("DELETE", "/v3/{p}/vaults/{vault_id}"),
    ("PUT", "/v3/{p}/vaults/batch-update"),
    ("POST", "/v3/{p}/vaults/change-charge-mode"),
    ("GET", "/v3/{p}/vaults/external"),
    ("GET", "/v3/{p}/vaults/summary"),
    ("POST", "/v3/{p}/vaults/{vault_id}/addresources"),
    ("POST", "/v3/{p}/vaults/{vault_id}/removeresources"),
    ("POST", "/v3/{p}/vaults/{vault_id}/migrateresources"),
    ("PUT", "/v3/{p}/vaults/{vault_id}/set-resources"),
    ("POST", "/v3/{p}/vaults/{vault_id}/associatepolicy"),
    ("POST", "/v3/{p}/vaults/{vault_id}/dissociatepolicy"),
    ("PUT", "/v3/{p}/vaults/{vault_id}/update-backup-expiration-time"),
    ("GET", "/v3/{p}/backups"),
    ("GET", "/v3/{p}/backups/{backup_id}"),
    ("PUT", "/v3/{p}/backups/{backup_id}"),
    ("DELETE", "/v3/{p}/backups/{backup_id}"),
    ("GET", "/v3/{p}/backups/{backup_id}/metadata"),
    ("POST", "/v3/{p}/backups/{backup_id}/restore"),
    ("POST", "/v3/{p}/backups/{backup_id}/replicate"),
    ("POST", "/v3/{p}/backups/sync"),
    ("GET", "/v3/{p}/backups/{backup_id}/members"),
    ("POST", "/v3/{p}/backups/{backup_id}/members"),
    ("GET", "/v3/{p}/backups/{backup_id}/members/{member_id}"),
    ("PUT", "/v3/{p}/backups/{backup_id}/members/{member_id}"),
    ("DELETE", "/v3/{p}/backups/{backup_id}/members/{member_id}"),
    ("POST", "/v3/{p}/vault/resource_instances/action"),
    ("GET", "/v3/{p}/vault/tags"),
    ("GET", "/v3/{p}/vault/{vault_id}/tags"),
    ("POST", "/v3/{p}/vault/{vault_id}/tags"),
    ("POST", "/v3/{p}/vault/{vault_id}/tags/action"),
    ("DELETE", "/v3/{p}/vault/{vault_id}/tags/{key}"),
    ("POST", "/v3/{p}/policies"),
    ("GET", "/v3/{p}/policies"),
    ("GET", "/v3/{p}/policies/{policy_id}"),
    ("PUT", "/v3/{p}/policies/{policy_id}"),
    ("DELETE", "/v3/{p}/policies/{policy_id}"),
    ("POST", "/v3/{p}/checkpoints"),
    ("GET", "/v3/{p}/checkpoints/{checkpoint_id}"),
    ("POST", "/v3/{p}/checkpoints/replicate"),
    ("POST", "/v3/{p}/checkpoints/sync"),
    ("GET", "/v3/{p}/operation-logs"),
    ("GET", "/v3/{p}/operation-logs/{operation_log_id}"),
    ("GET", "/v3/{p}/protectables/{protectable_type}/instances"),
    ("GET", "/v3/{p}/protectables/{protectable_type}/instances/{instance_id}"),
    ("GET", "/v3/{p}/replication-capabilities"),
    ("POST", "/v3/{p}/agent/check"),
    ("GET", "/v3/{p}/agents"),
    ("POST", "/v3/{p}/agents"),
    ("GET", "/v3/{p}/agents/{agent_id}"),
    ("PUT", "/v3/{p}/agents/{agent_id}"),
    ("DELETE", "/v3/{p}/agents/{agent_id}"),
    ("POST", "/v3/{p}/agents/{agent_id}/add-path"),
    ("POST", "/v3/{p}/agents/{agent_id}/remove-path"),
    ("GET", "/v3/{p}/organization-policies"),
    ("POST", "/v3/{p}/organization-policies"),
    ("GET", "/v3/{p}/organization-policies/{organization_policy_id}"),
    ("PUT", "/v3/{p}/organization-policies/{organization_policy_id}"),
    ("DELETE", "/v3/{p}/organization-policies/{organization_policy_id}"),
    ("GET", "/v3/{p}/organization-policies/{organization_policy_id}/policy-detail"),
    ("GET", "/v3/{p}/cbr-features"),
    ("GET", "/v3/{p}/cbr-features/{feature_key}"),
    ("GET", "/v3/{p}/storage_usage"),
    ("POST", "/v3/{p}/orders/change"),
    ("PUT", "/v3/{p}/orders/{order_id}"),
    ("GET", "/v3/migrates"),
    ("POST", "/v3/migrates"),
    ("GET", "/v3/region-projects"),
    ("GET", "/v3/domain/{domain_name}/projects"),
    ("GET", "/v3/domain/{source_project_id}"),
];

#[tokio::test]
async fn every_operation_is_served() {
    let world = World::new().await;
    let nobody = world.nobody_at_cbr();
    let mut missing = Vec::new();
    for (method, path) in OPERATIONS {
        let path = path.replace("{p}", "p").replace(['{', '}'], "");
        let answer = nobody.send(method, &path, None).await;
        if answer.status != 401 {
            missing.push(format!("{method} {path}"));
        }
    }
    assert_eq!(missing, [""; 0]);
}

#[test]
fn c21_nothing_else_is_served() {
    let served = strongroom_api::cbr::openapi();
    let template = |path: &str| {
        let parts = path.split('/').map(|word| if word.starts_with('{') { "{}" } else { word });
        parts.collect::<Vec<_>>().join("/")
    };
    let known: BTreeSet<(String, String)> = OPERATIONS
        .iter()
        .map(|(method, path)| (method.to_lowercase(), template(path)))
        .chain(["/", "/{api_version}"].map(|path| ("get".to_owned(), template(path))))
        .collect();
    for (path, item) in served["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            assert!(known.contains(&(method.clone(), template(path))), "{method} {path}");
        }
    }
}
