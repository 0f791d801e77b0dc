//! Users.

use serde_json::{Value, json};
use strongroom_model::id::{DomainId, ProjectId};
use strongroom_model::identity::User;
use strongroom_service::identity::{IdentityChange, NewUser};

use super::ask::{Answer, Ask};
use super::fields::Fields;
use super::{DONE, list};
use crate::reply::Reply;

/// `GET /users`. By name, whoever is no admin finds itself and nobody else.
pub(super) async fn list(ask: &Ask) -> Answer {
    let users = match ask.query.get("name") {
        Some(name) => ask.service.users_named(&ask.caller, name).await?,
        None => ask.service.users(&ask.caller).await?,
    };
    let views = users.iter().map(|user| view(ask, user)).collect();
    Ok(list::reply(ask, "users", views))
}

/// `GET /users/ID`.
pub(super) async fn show(ask: &Ask, id: &str) -> Answer {
    let user = ask.service.user(&ask.caller, id).await?;
    Ok(Reply::ok(json!({"user": view(ask, &user)})))
}

/// `POST /users`. A user without a password gets one that nobody knows: it cannot log in until it
/// is given one.
pub(super) async fn create(ask: &Ask) -> Answer {
    let body = ask.json()?;
    let fields = Fields::of(&body, "user")?;
    let nobody_knows = || ask.settings.chance.uuid().simple().to_string();
    let new = NewUser {
        name: fields.required("name")?,
        domain_id: fields.id("domain_id", DomainId::parse)?,
        password: fields.filled("password")?.unwrap_or_else(nobody_knows),
        default_project_id: fields.id("default_project_id", ProjectId::parse)?,
        is_enabled: fields.flag("enabled")?.unwrap_or(true),
    };
    let user = ask.service.create_user(&ask.caller, new).await?;
    Ok(Reply::created(json!({"user": view(ask, &user)})))
}

/// `PATCH /users/ID`.
pub(super) async fn update(ask: &Ask, id: &str) -> Answer {
    let body = ask.json()?;
    let fields = Fields::of(&body, "user")?;
    let has_project = fields.has("default_project_id");
    let project = fields.id("default_project_id", ProjectId::parse)?;
    let change = IdentityChange {
        name: fields.filled("name")?,
        is_enabled: fields.flag("enabled")?,
        password: fields.filled("password")?,
        default_project_id: has_project.then_some(project),
        ..Default::default()
    };
    let user = ask.service.update_user(&ask.caller, id, change).await?;
    Ok(Reply::ok(json!({"user": view(ask, &user)})))
}

/// `POST /users/ID/password`.
pub(super) async fn change_password(ask: &Ask, id: &str) -> Answer {
    let body = ask.json()?;
    let fields = Fields::of(&body, "user")?;
    let (original, new) = (fields.required("original_password")?, fields.required("password")?);
    ask.service.change_password(&ask.caller, id, &original, new).await?;
    Ok(Reply::empty(DONE))
}

/// `DELETE /users/ID`.
pub(super) async fn delete(ask: &Ask, id: &str) -> Answer {
    ask.service.delete_user(&ask.caller, id).await?;
    Ok(Reply::empty(DONE))
}

fn view(ask: &Ask, user: &User) -> Value {
    let id = user.id.as_str();
    let mut view = json!({
        "id": id,
        "name": user.name,
        "domain_id": user.domain_id.as_str(),
        "enabled": user.is_enabled,
        "password_expires_at": null,
        "options": {},
        "links": {"self": ask.address(&format!("users/{id}"))},
    });
    if let Some(project) = &user.default_project_id {
        view["default_project_id"] = json!(project.as_str());
    }
    view
}
