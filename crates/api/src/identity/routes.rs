//! The table of operations: method and path to handler. What is not in it does not exist.

use axum::http::Method;

use super::ask::{Answer, Ask};
use super::assignments::{self, Holder};
use super::refusal::Refusal;
use super::{account, catalogue, credentials, domains, projects, roles, tokens, users};

/// Below which version a path leads, and what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// `/v3/…`: Keystone's.
    Keystone(&'a [&'a str]),
    /// `/v3.0/OS-CREDENTIAL/…`: the vendor's access keys.
    Credentials(&'a [&'a str]),
    /// `/v5/…`: the vendor's accounts.
    Account(&'a [&'a str]),
}

/// Finds the handler of a request and runs it.
pub(super) async fn dispatch(ask: &Ask, method: &Method, place: Place<'_>) -> Answer {
    match place {
        Place::Keystone(rest) => of_keystone(ask, method, rest).await,
        Place::Credentials(rest) => of_credentials(ask, method, rest).await,
        Place::Account(["caller-identity"]) if method == Method::GET => {
            account::caller_identity(ask).await
        }
        Place::Account(_) => Err(Refusal::no_route()),
    }
}

async fn of_credentials(ask: &Ask, method: &Method, rest: &[&str]) -> Answer {
    match (method.as_str(), rest) {
        ("POST", ["securitytokens"]) => credentials::lend(ask).await,
        ("GET", ["credentials"]) => credentials::list(ask).await,
        ("POST", ["credentials"]) => credentials::create(ask).await,
        ("GET", ["credentials", access]) => credentials::show(ask, access).await,
        ("PUT", ["credentials", access]) => credentials::update(ask, access).await,
        ("DELETE", ["credentials", access]) => credentials::delete(ask, access).await,
        _ => Err(Refusal::no_route()),
    }
}

async fn of_keystone(ask: &Ask, method: &Method, rest: &[&str]) -> Answer {
    match rest {
        ["auth", rest @ ..] => of_auth(ask, method, rest).await,
        ["projects", project, "users", user, "roles", rest @ ..] => {
            of_roles(ask, method, Holder::in_project(project, user)?, rest).await
        }
        ["domains", domain, "users", user, "roles", rest @ ..] => {
            of_roles(ask, method, Holder::in_domain(domain, user)?, rest).await
        }
        [collection, rest @ ..] => of_collection(ask, method, collection, rest).await,
        [] => Err(Refusal::no_route()),
    }
}

async fn of_auth(ask: &Ask, method: &Method, rest: &[&str]) -> Answer {
    match (method.as_str(), rest) {
        ("GET", ["tokens"]) => tokens::show(ask).await,
        ("DELETE", ["tokens"]) => tokens::revoke(ask).await,
        ("GET", ["catalog"]) => catalogue::show(ask),
        ("GET", ["projects"]) => projects::own(ask).await,
        ("GET", ["domains"]) => domains::own(ask).await,
        _ => Err(Refusal::no_route()),
    }
}

async fn of_roles(ask: &Ask, method: &Method, holder: Holder, rest: &[&str]) -> Answer {
    match (method.as_str(), rest) {
        ("GET", []) => assignments::of_holder(ask, holder).await,
        ("GET", [role]) => assignments::check(ask, holder, role).await,
        ("PUT", [role]) => assignments::grant(ask, holder, role).await,
        ("DELETE", [role]) => assignments::revoke(ask, holder, role).await,
        _ => Err(Refusal::no_route()),
    }
}

async fn of_collection(ask: &Ask, method: &Method, collection: &str, rest: &[&str]) -> Answer {
    match (method.as_str(), collection, rest) {
        ("GET", "domains", []) => domains::list(ask).await,
        ("POST", "domains", []) => domains::create(ask).await,
        ("GET", "domains", [id]) => domains::show(ask, id).await,
        ("PATCH", "domains", [id]) => domains::update(ask, id).await,
        ("DELETE", "domains", [id]) => domains::delete(ask, id).await,
        ("GET", "projects", []) => projects::list(ask).await,
        ("POST", "projects", []) => projects::create(ask).await,
        ("GET", "projects", [id]) => projects::show(ask, id).await,
        ("PATCH", "projects", [id]) => projects::update(ask, id).await,
        ("DELETE", "projects", [id]) => projects::delete(ask, id).await,
        ("GET", "users", []) => users::list(ask).await,
        ("POST", "users", []) => users::create(ask).await,
        ("GET", "users", [id]) => users::show(ask, id).await,
        ("PATCH", "users", [id]) => users::update(ask, id).await,
        ("DELETE", "users", [id]) => users::delete(ask, id).await,
        ("POST", "users", [id, "password"]) => users::change_password(ask, id).await,
        ("GET", "users", [id, "projects"]) => projects::of_user(ask, id).await,
        ("GET", "roles", []) => roles::list(ask),
        ("GET", "roles", [id]) => roles::show(ask, id),
        ("GET", "role_assignments", []) => assignments::list(ask).await,
        ("GET", "services", []) => catalogue::services(ask),
        ("GET", "services", [id]) => catalogue::service(ask, id),
        ("GET", "endpoints", []) => catalogue::endpoints(ask),
        ("GET", "endpoints", [id]) => catalogue::endpoint(ask, id),
        ("GET", "regions", []) => catalogue::regions(ask),
        ("GET", "regions", [id]) => catalogue::region(ask, id),
        _ => Err(Refusal::no_route()),
    }
}
