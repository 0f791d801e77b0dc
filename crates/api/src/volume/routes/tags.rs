//! The vendor's tags on backups.

use super::{Route, routes};
use crate::volume::tags;

pub(super) const ROUTES: &[Route] = routes! {
    "listAllBackupTags" GET "os-vendor-tags/backups" => |call| tags::list_all(call).await;
    "findBackupsByTags" GET "os-vendor-tags/backups/resource_instances" => |call| {
        tags::find(call).await
    };
    "listBackupTags" GET "os-vendor-tags/backups/{backup_id}" => |call, id| {
        tags::list(call, id).await
    };
    "addBackupTags" POST "os-vendor-tags/backups/{backup_id}" => |call, id| {
        tags::add(call, id).await
    };
    "replaceBackupTags" PUT "os-vendor-tags/backups/{backup_id}" => |call, id| {
        tags::replace(call, id).await
    };
    "removeBackupTags" POST "os-vendor-tags/backups/{backup_id}/action" => |call, id| {
        tags::act(call, id).await
    };
    "showBackupTag" GET "os-vendor-tags/backups/{backup_id}/{key}" => |call, id, key| {
        tags::show(call, id, key).await
    };
    "setBackupTag" PUT "os-vendor-tags/backups/{backup_id}/{key}" => |call, id, key| {
        tags::set(call, id, key).await
    };
    "removeBackupTag" DELETE "os-vendor-tags/backups/{backup_id}/{key}" => |call, id, key| {
        tags::remove(call, id, key).await
    };
};
