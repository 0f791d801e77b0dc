//! Backups and what is done with one.

use super::Route;
use crate::cbr::{backups, metadata, restore};
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "listBackups" GET "backups" => |call| backups::list(call).await;
    "showBackup" GET "backups/{backup_id}" => |call, id| backups::show(call, id).await;
    "updateBackup" PUT "backups/{backup_id}" => |call, id| backups::update(call, id).await;
    "deleteBackup" DELETE "backups/{backup_id}" => |call, id| backups::delete(call, id).await;
    "showMetadata" GET "backups/{backup_id}/metadata" => |call, id| metadata::show(call, id).await;
    "restoreBackup" POST "backups/{backup_id}/restore" => |call, id| {
        restore::restore(call, id).await
    };
};
