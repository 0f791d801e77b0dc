//! The vendor's policies, their disks, tasks and tags.

use super::{Route, routes};
use crate::volume::{policies, policy_tags, policy_tasks};

pub(super) const ROUTES: &[Route] = routes! {
    "createPolicy" POST "backuppolicy" => |call| policies::create(call).await;
    "listPolicies" GET "backuppolicy" => |call| policies::list(call).await;
    "listAllPolicyTags" GET "backuppolicy/tags" => |call| policy_tags::list_all(call).await;
    "findPoliciesByTags" POST "backuppolicy/resource_instances/action" => |call| {
        policy_tags::find(call).await
    };
    "showPolicy" GET "backuppolicy/{policy_id}" => |call, id| policies::show(call, id).await;
    "updatePolicy" PUT "backuppolicy/{policy_id}" => |call, id| policies::update(call, id).await;
    "deletePolicy" DELETE "backuppolicy/{policy_id}" => |call, id| {
        policies::delete(call, id).await
    };
    "executePolicy" POST "backuppolicy/{policy_id}/action" => |call, id| {
        policies::execute(call, id).await
    };
    "listPolicyTasks" GET "backuppolicy/{policy_id}/backuptasks" => |call, id| {
        policy_tasks::list(call, id).await
    };
    "listPolicyTags" GET "backuppolicy/{policy_id}/tags" => |call, id| {
        policy_tags::list(call, id).await
    };
    "addPolicyTag" POST "backuppolicy/{policy_id}/tags" => |call, id| {
        policy_tags::add(call, id).await
    };
    "changePolicyTags" POST "backuppolicy/{policy_id}/tags/action" => |call, id| {
        policy_tags::act(call, id).await
    };
    "removePolicyTag" DELETE "backuppolicy/{policy_id}/tags/{key}" => |call, id, key| {
        policy_tags::remove(call, id, key).await
    };
    "bindVolumes" POST "backuppolicyresources" => |call| policies::bind(call).await;
    "releaseVolumes" POST "backuppolicyresources/{policy_id}/deleted_resources" => |call, id| {
        policies::release(call, id).await
    };
};
