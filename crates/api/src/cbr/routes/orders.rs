//! Orders, which here are changes at once.

use super::Route;
use crate::cbr::orders;
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "changeOrder" POST "orders/change" => |call| orders::change(call).await;
    "updateOrder" PUT "orders/{order_id}" => |call, id| orders::update(call, id).await;
};
