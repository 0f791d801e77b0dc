//! Projects.

use serde_json::{Value, json};
use strongroom_model::id::{DomainId, UserId};
use strongroom_model::project::Project;
use strongroom_service::identity::{IdentityChange, NewProject};

use super::ask::{Answer, Ask};
use super::fields::Fields;
use super::refusal::Refusal;
use super::{DONE, list};
use crate::reply::Reply;

/// `GET /projects`. Whoever signs looks its project up by the name of the region and takes the one
/// that is found: a name without a domain is one in the user's own.
pub(super) async fn list(ask: &Ask) -> Answer {
    let mut projects = ask.service.projects(&ask.caller).await?;
    let has_name = ask.query.get("name").is_some() && ask.query.get("domain_id").is_none();
    if has_name && ask.proved.is_signed() {
        let domain_id = ask.own_user().await?.domain_id;
        projects.retain(|project| project.domain_id == domain_id);
    }
    Ok(reply(ask, "projects", &projects))
}

/// `GET /auth/projects`: those in which the caller holds a role.
pub(super) async fn own(ask: &Ask) -> Answer {
    let user_id = &ask.caller.user_id;
    let projects = ask.service.projects_of(&ask.caller, user_id).await?;
    Ok(reply(ask, "projects", &projects))
}

/// `GET /users/ID/projects`: those in which a user holds a role.
pub(super) async fn of_user(ask: &Ask, user: &str) -> Answer {
    let user_id = UserId::parse(user).map_err(|_| Refusal::missing("user", user))?;
    let projects = ask.service.projects_of(&ask.caller, &user_id).await?;
    Ok(reply(ask, "projects", &projects))
}

fn reply(ask: &Ask, collection: &str, projects: &[Project]) -> Reply {
    let views = projects.iter().map(|project| view(ask, project)).collect();
    list::reply(ask, collection, views)
}

/// `GET /projects/ID`.
pub(super) async fn show(ask: &Ask, id: &str) -> Answer {
    let project = ask.service.project(&ask.caller, id).await?;
    Ok(Reply::ok(json!({"project": view(ask, &project)})))
}

/// `POST /projects`. Projects do not nest: a parent can only be the domain.
pub(super) async fn create(ask: &Ask) -> Answer {
    let body = ask.json()?;
    let fields = Fields::of(&body, "project")?;
    if fields.flag("is_domain")? == Some(true) {
        return Err(Refusal::bad_request("A project cannot act as a domain here."));
    }
    let new = NewProject {
        name: fields.required("name")?,
        domain_id: match fields.id("domain_id", DomainId::parse)? {
            Some(domain_id) => Some(domain_id),
            None => fields.id("parent_id", DomainId::parse)?,
        },
        description: fields.text("description")?.unwrap_or_default(),
        is_enabled: fields.flag("enabled")?.unwrap_or(true),
    };
    let project = ask.service.create_project(&ask.caller, new).await?;
    Ok(Reply::created(json!({"project": view(ask, &project)})))
}

/// `PATCH /projects/ID`.
pub(super) async fn update(ask: &Ask, id: &str) -> Answer {
    let body = ask.json()?;
    let fields = Fields::of(&body, "project")?;
    let change = IdentityChange {
        name: fields.filled("name")?,
        description: fields.text("description")?,
        is_enabled: fields.flag("enabled")?,
        ..Default::default()
    };
    let project = ask.service.update_project(&ask.caller, id, change).await?;
    Ok(Reply::ok(json!({"project": view(ask, &project)})))
}

/// `DELETE /projects/ID`.
pub(super) async fn delete(ask: &Ask, id: &str) -> Answer {
    ask.service.delete_project(&ask.caller, id).await?;
    Ok(Reply::empty(DONE))
}

fn view(ask: &Ask, project: &Project) -> Value {
    let id = project.id.as_str();
    json!({
        "id": id,
        "name": project.name,
        "domain_id": project.domain_id.as_str(),
        "description": project.description,
        "enabled": project.is_enabled,
        "parent_id": project.domain_id.as_str(),
        "is_domain": false,
        "tags": [],
        "options": {},
        "links": {"self": ask.address(&format!("projects/{id}"))},
    })
}
