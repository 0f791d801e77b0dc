//! The roles there are; nobody can add one.

use serde_json::{Value, json};
use strongroom_model::identity::Role;

use super::ask::{Answer, Ask};
use super::list;
use super::refusal::Refusal;
use crate::reply::Reply;

/// `GET /roles`.
pub(super) fn list(ask: &Ask) -> Answer {
    Ok(reply(ask, Role::ALL.into_iter()))
}

/// A list of some roles.
pub(super) fn reply(ask: &Ask, roles: impl Iterator<Item = Role>) -> Reply {
    list::reply(ask, "roles", roles.map(|role| view(ask, role)).collect())
}

/// `GET /roles/ID`.
pub(super) fn show(ask: &Ask, id: &str) -> Answer {
    Ok(Reply::ok(json!({"role": view(ask, by_id(id)?)})))
}

/// The role of that id.
pub(super) fn by_id(id: &str) -> Result<Role, Refusal> {
    let found = Role::ALL.into_iter().find(|role| role.id() == id);
    found.ok_or_else(|| Refusal::missing("role", id))
}

fn view(ask: &Ask, role: Role) -> Value {
    let id = role.id();
    json!({
        "id": id,
        "name": role.name(),
        "domain_id": null,
        "description": null,
        "options": {},
        "links": {"self": ask.address(&format!("roles/{id}"))},
    })
}
