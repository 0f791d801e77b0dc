//! What was done.

use super::Route;
use crate::cbr::operation_logs;
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "listOperationLogs" GET "operation-logs" => |call| operation_logs::list(call).await;
    "showOperationLog" GET "operation-logs/{operation_log_id}" => |call, id|
        operation_logs::show(call, id).await;
};
