//! OpenStack's native operations on backups.

use super::{Route, routes};
use crate::volume::metadata::{self, Owner};
use crate::volume::{backup_view, backups};

pub(super) const ROUTES: &[Route] = routes! {
    "listBackups" GET "backups" => |call| backups::list(call, "backups", backup_view::summary).await;
    "listBackupDetails" GET "backups/detail" => |call| {
        backups::list(call, "backups/detail", backup_view::detail).await
    };
    "createBackup" POST "backups" => |call| backups::create(call).await;
    "importBackupRecord" POST "backups/import_record" => |call| backups::import(call).await;
    "showBackup" GET "backups/{backup_id}" => |call, id| backups::show(call, id).await;
    "updateBackup" PUT "backups/{backup_id}" => |call, id| backups::update(call, id).await;
    "deleteBackup" DELETE "backups/{backup_id}" => |call, id| backups::delete(call, id).await;
    "restoreBackup" POST "backups/{backup_id}/restore" => |call, id| backups::restore(call, id).await;
    "actOnBackup" POST "backups/{backup_id}/action" => |call, id| backups::act(call, id).await;
    "exportBackupRecord" GET "backups/{backup_id}/export_record" => |call, id| {
        backups::export(call, id).await
    };
    "listBackupMetadata" GET "backups/{backup_id}/metadata" => |call, id| {
        metadata::list(call, Owner::Backup(id)).await
    };
    "mergeBackupMetadata" POST "backups/{backup_id}/metadata" => |call, id| {
        metadata::merge(call, Owner::Backup(id)).await
    };
    "replaceBackupMetadata" PUT "backups/{backup_id}/metadata" => |call, id| {
        metadata::replace(call, Owner::Backup(id)).await
    };
    "showBackupMetadataItem" GET "backups/{backup_id}/metadata/{key}" => |call, id, key| {
        metadata::show(call, Owner::Backup(id), key).await
    };
    "setBackupMetadataItem" PUT "backups/{backup_id}/metadata/{key}" => |call, id, key| {
        metadata::set(call, Owner::Backup(id), key).await
    };
    "removeBackupMetadataItem" DELETE "backups/{backup_id}/metadata/{key}" => |call, id, key| {
        metadata::remove(call, Owner::Backup(id), key).await
    };
};
