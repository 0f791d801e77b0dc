//! What has no project in its path.

use super::Route;
use crate::cbr::domain;
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "showMigration" GET "migrates" => |call| domain::migration(call).await;
    "migrate" POST "migrates" => |call| domain::migrate(call).await;
    "listRegionProjects" GET "region-projects" => |call| domain::projects(call).await;
    "listDomainProjects" GET "domain/{domain_name}/projects" => |call, name| {
        domain::projects_of_domain(call, name).await
    };
    "showSourceProject" GET "domain/{source_project_id}" => |call, id| {
        domain::project(call, id).await
    };
};
