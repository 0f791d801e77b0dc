//! Copies in other regions.

use super::Route;
use crate::cbr::replication;
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "replicateBackup" POST "backups/{backup_id}/replicate" => |call, id| {
        replication::replicate_backup(call, id).await
    };
    "syncBackups" POST "backups/sync" => |call| replication::sync(call);
    "replicateCheckpoint" POST "checkpoints/replicate" => |call| {
        replication::replicate_checkpoint(call).await
    };
    "showReplicationCapabilities" GET "replication-capabilities" => |call| {
        replication::capabilities(call)
    };
};
