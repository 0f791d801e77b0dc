//! What has no project in its path: the caller's projects and domain, and the move of older
//! backups into vaults.

use serde_json::{Map, Value, json};
use strongroom_model::project::Project;

use super::call::{Answer, Call};
use super::fields::Fields;
use crate::reply::Reply;

/// `GET /v3/region-projects`: those in which the caller holds a role, in the one region.
pub(super) async fn projects(call: &Call) -> Answer {
    let projects = call.service.projects_of(&call.caller, &call.caller.user_id).await?;
    let views: Vec<Value> = projects.iter().map(|project| view(call, project)).collect();
    let here = format!("{}/v3/region-projects", call.origin);
    Ok(Reply::ok(json!({"projects": views, "links": {"self": here}})))
}

fn view(call: &Call, project: &Project) -> Value {
    let endpoint = &call.settings.identity_endpoint;
    json!({
        "id": project.id.as_str(),
        "name": project.name,
        "domain_id": project.domain_id.as_str(),
        "description": project.description,
        "enabled": project.is_enabled,
        "is_domain": false,
        "parent_id": project.domain_id.as_str(),
        "links": {"self": format!("{endpoint}/v3/projects/{}", project.id)},
    })
}

/// `GET /v3/domain/{domain_name}/projects`.
pub(super) async fn projects_of_domain(call: &Call, name: &str) -> Answer {
    let projects = call.service.projects_in(&call.caller, name).await?;
    let views = projects
        .iter()
        .map(|project| json!({"project_id": project.id.as_str(), "project_name": project.name}));
    Ok(Reply::ok(json!({"projects": views.collect::<Vec<_>>()})))
}

/// `GET /v3/domain/{source_project_id}`: who it is that shares.
pub(super) async fn project(call: &Call, id: &str) -> Answer {
    let (project, domain) = call.service.neighbour(&call.caller, id).await?;
    Ok(Reply::ok(json!({
        "project_id": project.id.as_str(),
        "project_name": project.name,
        "domain_id": domain.id.as_str(),
        "domain_name": domain.name,
    })))
}

/// `GET /v3/migrates`. What the older dialects keep lies in vaults from the start, so that there is
/// never anything on its way.
pub(super) fn migration(call: &Call) -> Answer {
    call.query.optional("all_regions", |it| it.flag_word())?;
    Ok(Reply::ok(json!({"status": "success", "project_status": []})))
}

/// `POST /v3/migrates`: taken, and done at once.
pub(super) fn migrate(call: &Call) -> Answer {
    let body = call.json()?;
    let body = Fields::of(&body)?;
    body.required("all_regions", |it| it.flag())?;
    body.required("reservation", |it| {
        let share = it.value().as_f64().filter(|share| (0.0..=1.0).contains(share));
        share.ok_or_else(|| it.refuse("a number from 0 to 1 is needed"))
    })?;
    call.caller.require_cloud_admin("migrate:create")?;
    let region = call.service.settings().region.clone();
    Ok(Reply::ok(Value::Object(Map::from_iter([(region, json!("running"))]))))
}
