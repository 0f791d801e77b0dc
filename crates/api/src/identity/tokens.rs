//! Tokens: issuing, reading and ending them.

use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Value, json};
use strongroom_model::identity::{Domain, Role};
use strongroom_service::identity::Token;
use strongroom_service::{Error, Service};

use super::ask::{Answer, Ask, parse};
use super::refusal::Refusal;
use super::{DONE, IdentitySettings, auth_request, catalogue};
use crate::query::Query;
use crate::reply::Reply;

/// `POST /auth/tokens`.
pub(super) async fn issue(
    service: &Service,
    settings: &IdentitySettings,
    query: &Query,
    body: Option<Bytes>,
) -> Answer {
    let (credentials, scope) = auth_request::read(&parse(body.as_ref())?)?;
    let token = service.issue_token(credentials, scope).await?;
    Ok(reply(StatusCode::CREATED, settings, query, &token))
}

/// `GET /auth/tokens`: whoever holds a token may read it.
pub(super) async fn show(ask: &Ask) -> Answer {
    let token = ask.service.validate_token(subject(ask)?).await;
    let token = token.map_err(|error| match error {
        Error::Unauthenticated => Refusal::missing("token", "it is unknown, ended or too old"),
        other => other.into(),
    })?;
    Ok(reply(StatusCode::OK, &ask.settings, &ask.query, &token))
}

/// `DELETE /auth/tokens`.
pub(super) async fn revoke(ask: &Ask) -> Answer {
    ask.service.revoke_token(subject(ask)?).await?;
    Ok(Reply::empty(DONE))
}

fn subject(ask: &Ask) -> Result<&str, Refusal> {
    let subject = ask.subject.as_deref();
    subject.ok_or_else(|| Refusal::bad_request("The header X-Subject-Token is missing."))
}

fn reply(status: StatusCode, settings: &IdentitySettings, query: &Query, token: &Token) -> Reply {
    let mut view = view(token);
    let is_scoped = token.project.is_some() || token.scope_domain.is_some();
    if is_scoped && query.get("nocatalog").is_none() {
        let project = token.project.as_ref().map(|project| project.id.as_str());
        view["catalog"] = Value::from(catalogue::of(settings, project));
    }
    Reply::json(status, json!({"token": view})).with_header("x-subject-token", &token.secret)
}

fn view(token: &Token) -> Value {
    let mut view = json!({
        "methods": token.methods,
        "user": {
            "domain": domain_view(&token.user_domain),
            "id": token.user.id.as_str(),
            "name": token.user.name,
            "password_expires_at": null,
        },
        "audit_ids": [token.audit_id],
        "expires_at": token.expires_at.format_utc_micros(),
        "issued_at": token.issued_at.format_utc_micros(),
    });
    match (&token.project, &token.scope_domain) {
        (Some(project), domain) => {
            view["project"] = json!({
                "domain": domain.as_ref().map(domain_view),
                "id": project.id.as_str(),
                "name": project.name,
            });
            view["is_domain"] = json!(false);
        }
        (None, Some(domain)) => view["domain"] = domain_view(domain),
        (None, None) => return view,
    }
    view["roles"] = token.roles.iter().map(|role| role_view(*role)).collect();
    view
}

fn domain_view(domain: &Domain) -> Value {
    json!({"id": domain.id.as_str(), "name": domain.name})
}

fn role_view(role: Role) -> Value {
    json!({"id": role.id(), "name": role.name()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_model::id::{DomainId, ProjectId, UserId};
    use strongroom_model::identity::User;
    use strongroom_model::project::Project;
    use strongroom_model::time::Timestamp;

    fn token(is_scoped: bool) -> Token {
        let at = Timestamp::from_micros(1_000_000);
        let domain = Domain {
            id: DomainId::parse("default").unwrap(),
            name: "Default".to_owned(),
            description: String::new(),
            is_enabled: true,
        };
        let user = User {
            id: UserId::parse("u").unwrap(),
            domain_id: domain.id.clone(),
            name: "ann".to_owned(),
            password_hash: "never shown".to_owned(),
            default_project_id: None,
            is_enabled: true,
            created_at: at,
            tokens_valid_from: at,
        };
        let project = Project {
            id: ProjectId::parse("p").unwrap(),
            domain_id: domain.id.clone(),
            name: "home".to_owned(),
            description: String::new(),
            is_enabled: true,
            created_at: at,
        };
        Token {
            secret: "s".to_owned(),
            audit_id: "a".to_owned(),
            methods: vec!["password".to_owned()],
            access_key: None,
            user,
            user_domain: domain.clone(),
            project: is_scoped.then_some(project),
            scope_domain: is_scoped.then_some(domain),
            roles: vec![Role::Member, Role::Reader],
            is_cloud_admin: false,
            issued_at: at,
            expires_at: at,
        }
    }

    #[test]
    fn a_token_tells_who_where_and_until_when() {
        insta::assert_snapshot!(view(&token(true)), @r#"{"methods":["password"],"user":{"domain":{"id":"default","name":"Default"},"id":"u","name":"ann","password_expires_at":null},"audit_ids":["a"],"expires_at":"1970-01-01T00:00:01.000000Z","issued_at":"1970-01-01T00:00:01.000000Z","project":{"domain":{"id":"default","name":"Default"},"id":"p","name":"home"},"is_domain":false,"roles":[{"id":"00000000000000000000000000000002","name":"member"},{"id":"00000000000000000000000000000001","name":"reader"}]}"#);
    }

    #[test]
    fn without_a_scope_there_are_no_roles() {
        let view = view(&token(false));
        assert!(view.get("roles").is_none() && view.get("project").is_none());
        assert!(!view.to_string().contains("never shown"));
    }
}
