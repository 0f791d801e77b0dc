//! Runs of a vault.

use super::Route;
use crate::cbr::checkpoints;
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "createCheckpoint" POST "checkpoints" => |call| checkpoints::create(call).await;
    "syncCheckpoint" POST "checkpoints/sync" => |call| checkpoints::sync(call).await;
    "showCheckpoint" GET "checkpoints/{checkpoint_id}" => |call, id| {
        checkpoints::show(call, id).await
    };
};
