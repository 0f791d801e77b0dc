//! The tags of vaults.

use super::Route;
use crate::cbr::vault_tags;
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "listVaultsByTags" POST "vault/resource_instances/action" =>
        |call| vault_tags::search(call).await;
    "listAllVaultTags" GET "vault/tags" => |call| vault_tags::list_all(call).await;
    "listVaultTags" GET "vault/{vault_id}/tags" => |call, id| vault_tags::list(call, id).await;
    "addVaultTag" POST "vault/{vault_id}/tags" => |call, id| vault_tags::add(call, id).await;
    "changeVaultTags" POST "vault/{vault_id}/tags/action" =>
        |call, id| vault_tags::change(call, id).await;
    "deleteVaultTag" DELETE "vault/{vault_id}/tags/{key}" =>
        |call, id, key| vault_tags::delete(call, id, key).await;
};
