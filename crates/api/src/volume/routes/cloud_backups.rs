//! The vendor's backups by jobs, and the jobs.

use super::{Route, routes};
use crate::volume::{cloud_backups, jobs};

pub(super) const ROUTES: &[Route] = routes! {
    "createCloudBackup" POST "cloudbackups" => |call| cloud_backups::create(call).await;
    "showCloudBackupQuota" GET "cloudbackups/quota" => |call| cloud_backups::quota(call).await;
    "deleteCloudBackup" POST "cloudbackups/{backup_id}" => |call, id| {
        cloud_backups::delete(call, id).await
    };
    "restoreCloudBackup" POST "cloudbackups/{backup_id}/restore" => |call, id| {
        cloud_backups::restore(call, id).await
    };
    "showJob" GET "jobs/{job_id}" => |call, id| jobs::show(call, id).await;
};
