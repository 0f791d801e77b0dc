//! The vendor's sharing of backups between projects.

use super::{Route, routes};
use crate::volume::shares;

pub(super) const ROUTES: &[Route] = routes! {
    "shareBackup" POST "os-vendor-backup-sharing" => |call| shares::create(call).await;
    "listShares" GET "os-vendor-backup-sharing" => |call| shares::list(call).await;
    "listShareDetails" GET "os-vendor-backup-sharing/detail" => |call| shares::list(call).await;
    "countShares" GET "os-vendor-backup-sharing/count" => |call| shares::count(call).await;
    "showShare" GET "os-vendor-backup-sharing/{share_id}" => |call, id| {
        shares::show(call, id).await
    };
    "deleteShare" DELETE "os-vendor-backup-sharing/{share_id}" => |call, id| {
        shares::delete(call, id).await
    };
};
