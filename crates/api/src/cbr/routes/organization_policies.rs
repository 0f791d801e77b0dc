//! Policies of whole domains.

use super::Route;
use crate::cbr::organization_policies as policies;
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "listOrganizationPolicies" GET "organization-policies" => |call| policies::list(call).await;
    "createOrganizationPolicy" POST "organization-policies" => |call| policies::create(call).await;
    "showOrganizationPolicy" GET "organization-policies/{organization_policy_id}" => |call, id| {
        policies::show(call, id).await
    };
    "updateOrganizationPolicy" PUT "organization-policies/{organization_policy_id}" => |call, id| {
        policies::update(call, id).await
    };
    "deleteOrganizationPolicy" DELETE "organization-policies/{organization_policy_id}" => |call, id| {
        policies::delete(call, id).await
    };
    "listOrganizationDeployments" GET "organization-policies/{organization_policy_id}/policy-detail" => |call, id| {
        policies::deployments(call, id).await
    };
};
