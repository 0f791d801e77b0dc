//! Space in use.

use super::Route;
use crate::cbr::storage;
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "showStorageUsage" GET "storage_usage" => |call| storage::list(call).await;
};
