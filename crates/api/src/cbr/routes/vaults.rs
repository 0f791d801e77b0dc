//! Vaults and what is in them.

use super::Route;
use crate::cbr::{orders, vault_resources, vaults};
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "createVault" POST "vaults" => |call| vaults::create(call).await;
    "orderVault" POST "vaults/order" => |call| vaults::order(call).await;
    "listVaults" GET "vaults" => |call| vaults::list(call).await;
    "listExternalVaults" GET "vaults/external" => |call| vaults::list_external(call).await;
    "showSummary" GET "vaults/summary" => |call| vaults::summary(call).await;
    "showVault" GET "vaults/{vault_id}" => |call, id| vaults::show(call, id).await;
    "updateVaults" PUT "vaults/batch-update" => |call| vaults::update_all(call).await;
    "updateVault" PUT "vaults/{vault_id}" => |call, id| vaults::update(call, id).await;
    "deleteVault" DELETE "vaults/{vault_id}" => |call, id| vaults::delete(call, id).await;
    "changeVaultChargeMode" POST "vaults/change-charge-mode" =>
        |call| orders::change_charge_mode(call).await;
    "addVaultResources" POST "vaults/{vault_id}/addresources" =>
        |call, id| vault_resources::add(call, id).await;
    "removeVaultResources" POST "vaults/{vault_id}/removeresources" =>
        |call, id| vault_resources::remove(call, id).await;
    "migrateVaultResources" POST "vaults/{vault_id}/migrateresources" =>
        |call, id| vault_resources::migrate(call, id).await;
    "setVaultResources" PUT "vaults/{vault_id}/set-resources" =>
        |call, id| vault_resources::set(call, id).await;
    "associateVaultPolicy" POST "vaults/{vault_id}/associatepolicy" =>
        |call, id| vault_resources::associate(call, id).await;
    "dissociateVaultPolicy" POST "vaults/{vault_id}/dissociatepolicy" =>
        |call, id| vault_resources::dissociate(call, id).await;
    "updateBackupExpirationTime" PUT "vaults/{vault_id}/update-backup-expiration-time" =>
        |call, id| vault_resources::set_expiry(call, id).await;
};
