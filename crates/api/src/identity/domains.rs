//! Domains.

use serde_json::{Value, json};
use strongroom_model::identity::Domain;
use strongroom_service::identity::IdentityChange;

use super::ask::{Answer, Ask};
use super::fields::Fields;
use super::{DONE, list};
use crate::reply::Reply;

/// `GET /domains`.
pub(super) async fn list(ask: &Ask) -> Answer {
    let domains = ask.service.domains(&ask.caller).await?;
    Ok(reply(ask, "domains", &domains))
}

/// `GET /auth/domains`: those in which the caller holds a role. Whoever signs looks its account up
/// here, and finds it with or without a role in it.
pub(super) async fn own(ask: &Ask) -> Answer {
    let mut domains = ask.service.domains_of(&ask.caller, &ask.caller.user_id).await?;
    if ask.proved.is_signed() {
        let own = ask.service.own_domain(&ask.caller).await?;
        if !domains.contains(&own) {
            domains.push(own);
        }
    }
    Ok(reply(ask, "domains", &domains))
}

fn reply(ask: &Ask, collection: &str, domains: &[Domain]) -> Reply {
    let views = domains.iter().map(|domain| view(ask, domain)).collect();
    list::reply(ask, collection, views)
}

/// `GET /domains/ID`.
pub(super) async fn show(ask: &Ask, id: &str) -> Answer {
    let domain = ask.service.domain(&ask.caller, id).await?;
    Ok(Reply::ok(json!({"domain": view(ask, &domain)})))
}

/// `POST /domains`.
pub(super) async fn create(ask: &Ask) -> Answer {
    let body = ask.json()?;
    let fields = Fields::of(&body, "domain")?;
    let name = fields.required("name")?;
    let description = fields.text("description")?.unwrap_or_default();
    let is_enabled = fields.flag("enabled")?.unwrap_or(true);
    let (service, caller) = (&ask.service, &ask.caller);
    let mut domain = service.create_domain(caller, name, description).await?;
    if !is_enabled {
        let change = IdentityChange { is_enabled: Some(false), ..Default::default() };
        let id = domain.id.as_str().to_owned();
        domain = service.update_domain(caller, &id, change).await?;
    }
    Ok(Reply::created(json!({"domain": view(ask, &domain)})))
}

/// `PATCH /domains/ID`.
pub(super) async fn update(ask: &Ask, id: &str) -> Answer {
    let body = ask.json()?;
    let fields = Fields::of(&body, "domain")?;
    let change = IdentityChange {
        name: fields.filled("name")?,
        description: fields.text("description")?,
        is_enabled: fields.flag("enabled")?,
        ..Default::default()
    };
    let domain = ask.service.update_domain(&ask.caller, id, change).await?;
    Ok(Reply::ok(json!({"domain": view(ask, &domain)})))
}

/// `DELETE /domains/ID`.
pub(super) async fn delete(ask: &Ask, id: &str) -> Answer {
    ask.service.delete_domain(&ask.caller, id).await?;
    Ok(Reply::empty(DONE))
}

fn view(ask: &Ask, domain: &Domain) -> Value {
    let id = domain.id.as_str();
    json!({
        "id": id,
        "name": domain.name,
        "description": domain.description,
        "enabled": domain.is_enabled,
        "tags": [],
        "options": {},
        "links": {"self": ask.address(&format!("domains/{id}"))},
    })
}
