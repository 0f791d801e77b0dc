//! Policies.

use super::Route;
use crate::cbr::policies;
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "createPolicy" POST "policies" => |call| policies::create(call).await;
    "listPolicies" GET "policies" => |call| policies::list(call).await;
    "showPolicy" GET "policies/{policy_id}" => |call, id| policies::show(call, id).await;
    "updatePolicy" PUT "policies/{policy_id}" => |call, id| policies::update(call, id).await;
    "deletePolicy" DELETE "policies/{policy_id}" => |call, id| policies::delete(call, id).await;
};
