//! Agents in servers.

use super::Route;
use crate::cbr::agents;
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "checkAgents" POST "agent/check" => |call| agents::check(call).await;
    "listAgents" GET "agents" => |call| agents::list(call).await;
    "registerAgent" POST "agents" => |call| agents::register(call).await;
    "showAgent" GET "agents/{agent_id}" => |call, id| agents::show(call, id).await;
    "updateAgent" PUT "agents/{agent_id}" => |call, id| agents::update(call, id).await;
    "removeAgent" DELETE "agents/{agent_id}" => |call, id| agents::remove(call, id).await;
    "addAgentPaths" POST "agents/{agent_id}/add-path" => |call, id| {
        agents::add_paths(call, id).await
    };
    "removeAgentPaths" POST "agents/{agent_id}/remove-path" => |call, id| {
        agents::remove_paths(call, id).await
    };
};
