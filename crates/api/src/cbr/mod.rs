//! The CBR door: the vendor's dialect of vaults, policies, checkpoints and backups, version 3.
//!
//! A request runs through [`serve`]: its path finds the operation ([`path`], [`routes`]), the
//! caller is proved ([`authentication`]), the project of the path is held against the caller's, and
//! the handler answers. Every answer names its request; every refusal is told by [`fault`].
//!
//! # A family of operations
//!
//! 1. Its handlers are a module here: `async fn list(call: &Call) -> Answer`. What they read they
//!    read with [`fields`] (`let body = call.json()?; let body = Fields::of(&body)?;`), [`query`]
//!    (`call.query`), [`paging`] and [`time`]; an error of the service goes up with `?`.
//! 2. Its routes are lines in `routes/FAMILY.rs`: `"listThings" GET "things" => |call|
//!    things::list(call).await;`.
//! 3. Each route is described in `openapi/FAMILY.rs`: an `Operation` of the same name in
//!    `OPERATIONS`, and the schemas that it mentions in `components()`. A route without a
//!    description, or a schema that nothing mentions, fails a test.
//! 4. A new error of the service gets its code in [`fault`], one line of a match.
//! 5. `STRONGROOM_WRITE_OPENAPI=1 cargo test -p strongroom-api openapi` writes the document anew.

mod agents;
mod authentication;
mod backup_view;
mod backups;
mod call;
mod checkpoints;
mod code;
mod domain;
mod fault;
mod features;
mod fields;
mod members;
mod metadata;
mod openapi;
mod operation_fault;
mod operation_logs;
mod orders;
mod organization_policies;
mod paging;
mod path;
mod policies;
mod protectables;
mod provider;
mod query;
mod refusal;
mod replication;
mod restore;
mod routes;
mod storage;
mod time;
mod vault_document;
mod vault_resources;
mod vault_tags;
mod vaults;
mod version;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use strongroom_model::chance::Chance;
use strongroom_service::{Caller, CallerScope, Service};
use tracing::Instrument;

use call::{Answer, Call};
use fault::{Area, Fault};
use path::Target;
use query::Query;

use crate::{fault as causes, incoming, origin};

/// How the door presents itself.
#[derive(Debug, Clone)]
pub struct CbrSettings {
    /// The address for links, as in `https://backup.example.org:8799`; that of each request if
    /// absent.
    pub public_endpoint: Option<String>,
    /// The address of the identity door as clients know it, without a version.
    pub identity_endpoint: String,
    /// The most bytes of a request's body; more is refused.
    pub body_limit_bytes: usize,
    /// Where request ids come from.
    pub chance: Arc<dyn Chance>,
}

/// The most bytes of a request's body unless set otherwise.
pub const DEFAULT_BODY_LIMIT_BYTES: usize = 1 << 20;

/// The door as a router, to be served at the root of an address.
pub fn router(service: Service, settings: CbrSettings) -> Router {
    let settings = Arc::new(settings);
    Router::new().fallback(serve).with_state(Door { service, settings })
}

/// The OpenAPI 3.1 document of the door.
pub fn openapi() -> serde_json::Value {
    openapi::document()
}

#[derive(Debug, Clone)]
struct Door {
    service: Service,
    settings: Arc<CbrSettings>,
}

async fn serve(State(door): State<Door>, request: Request) -> Response {
    let request_id = incoming::request_id(&*door.settings.chance);
    let is_head = request.method() == Method::HEAD;
    let span = incoming::span(&request, &request_id);
    // Until the operation is known, a refusal is nobody's in particular.
    let mut area = Area::Domain;
    let answer = door.answer(request, &request_id, &mut area).instrument(span).await;
    let reply = answer.unwrap_or_else(|fault| {
        log(&fault, &request_id);
        fault.into_reply(area, &request_id)
    });
    let mut response = reply.into_response(is_head);
    stamp(response.headers_mut(), &request_id);
    tracing::debug!(request_id, status = response.status().as_u16(), "answered");
    response
}

impl Door {
    async fn answer(&self, request: Request, request_id: &str, area: &mut Area) -> Answer {
        let (parts, body) = request.into_parts();
        let method = incoming::routed(&parts.method);
        let (project, rest) = match Target::of(parts.uri.path())? {
            Target::Versions if method == Method::GET => {
                let public_endpoint = self.settings.public_endpoint.as_deref();
                return Ok(version::list(&origin::of_request(public_endpoint, &parts.headers)));
            }
            Target::Versions => return Err(Fault::no_method()),
            Target::Nowhere => return Err(Fault::no_route()),
            Target::OfDomain { rest } => (None, rest),
            Target::OfProject { project, rest } => (Some(project), rest),
        };
        let found = routes::find(project.is_some(), &method, &rest)?;
        *area = found.area;
        let body = read_body(body, self.settings.body_limit_bytes).await?;
        let caller = {
            let proof = (project.as_deref(), &body);
            authentication::authenticate(&self.service, &parts, proof, request_id).await?
        };
        check_scope(&caller, project.as_deref(), &parts.headers)?;
        let call = Call {
            service: self.service.clone(),
            settings: Arc::clone(&self.settings),
            caller,
            origin: origin::of_request(self.settings.public_endpoint.as_deref(), &parts.headers),
            query: Query::parse(parts.uri.query())?,
            body,
        };
        (found.route.run)(&call, &found.parameters).await
    }
}

/// The project in the path, and one in a header that no signature need cover, must be the one that
/// the caller has proved, even for an admin.
fn check_scope(caller: &Caller, named: Option<&str>, headers: &HeaderMap) -> Result<(), Fault> {
    let own = match &caller.scope {
        CallerScope::Project(project) => Some(project),
        CallerScope::Domain(_) => None,
        // What has no project in its path is the user's own.
        CallerScope::Unscoped if named.is_none() => None,
        CallerScope::Unscoped => {
            return Err(Fault::forbidden("The token is for no project and no domain."));
        }
    };
    let in_header = named.and_then(|_| incoming::header(headers, "x-project-id"));
    for named in named.into_iter().chain(in_header) {
        if own.is_none_or(|own| own.as_str() != named) {
            return Err(Fault::forbidden("The project is not the one that the caller is in."));
        }
    }
    Ok(())
}

/// Reads a body of at most `limit_bytes`, whatever its type is said to be.
async fn read_body(body: Body, limit_bytes: usize) -> Result<Bytes, Fault> {
    match Limited::new(body, limit_bytes).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Fault::too_large()),
        Err(_) => Err(Fault::invalid("The request body ends early.")),
    }
}

/// Writes a failure down, once, with everything that the caller is not told.
fn log(fault: &Fault, request_id: &str) {
    if let Some(error) = fault.failure() {
        let chain = causes::chain(error);
        match error.kind() {
            strongroom_service::Kind::Unavailable => {
                tracing::warn!(request_id, "request {request_id} was put off: {chain}");
            }
            _ => tracing::error!(request_id, "request {request_id} failed: {chain}"),
        }
    }
}

/// Adds what every answer carries.
fn stamp(headers: &mut HeaderMap, request_id: &str) {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", id.clone());
        headers.insert("x-openstack-request-id", id);
    }
}

/// The status that says that a change is made and nothing is left to say.
const DONE: StatusCode = StatusCode::NO_CONTENT;
