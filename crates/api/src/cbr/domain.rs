//! What has no project in its path: the caller's projects and domain, and the move of older
//! backups into vaults.

use serde_json::{Map, Value, json};
use strongroom_model::project::Project;
use strongroom_service::vault::Adoption;

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

/// `GET /v3/migrates`: how it stands with the disks whose backups the default vaults keep. What
/// the older dialects keep lies in vaults from the start; only the disks may be in none. A move is
/// done at once, so that nothing is ever on its way.
pub(super) async fn migration(call: &Call) -> Answer {
    call.query.optional("all_regions", |it| it.flag_word())?;
    let adoptions = call.service.adoptions(&call.caller).await?;
    let region = &call.service.settings().region;
    // Disks that nothing hinders and that nobody has moved are no move that was made.
    let told: Vec<_> =
        adoptions.iter().filter(|one| one.adopted > 0 || one.obstacle.is_some()).collect();
    let is_failed = told.iter().any(|one| one.obstacle.is_some());
    let rows: Vec<Value> = told.into_iter().map(|one| progress(region, one)).collect();
    Ok(Reply::ok(json!({"status": outcome(is_failed), "project_status": rows})))
}

fn outcome(is_failed: bool) -> &'static str {
    if is_failed { "failed" } else { "success" }
}

fn progress(region: &str, one: &Adoption) -> Value {
    let mut row = json!({
        "project_id": one.project.id.as_str(),
        "project_name": one.project.name,
        "region_id": region,
        "status": outcome(one.obstacle.is_some()),
        "progress": one.adopted * 100 / (one.adopted + one.outside).max(1),
    });
    if let Some(reason) = &one.obstacle {
        row["fail_reason"] = json!(format!("{} disks are in no vault: {reason}", one.outside));
    }
    row
}

/// `POST /v3/migrates`: done at once. What the volume door backed up lies in the default vault; its
/// disks become resources of it. Where they do not, [`migration`] says why. No vault grows, and no
/// other region is asked.
pub(super) async fn migrate(call: &Call) -> Answer {
    let body = call.json()?;
    let body = Fields::of(&body)?;
    body.required("all_regions", |it| it.flag())?;
    body.required("reservation", |it| {
        let share = it.value().as_f64().filter(|share| (0.0..=1.0).contains(share));
        share.ok_or_else(|| it.refuse("a number from 0 to 1 is needed"))
    })?;
    let adopted = call.service.adopt_disks(&call.caller).await?;
    tracing::info!(request_id = call.request_id(), disks = adopted.len(), "disks were adopted");
    let region = call.service.settings().region.clone();
    Ok(Reply::ok(Value::Object(Map::from_iter([(region, json!("running"))]))))
}
