//! The volume door: OpenStack's volume-backup dialect, versions 2 and 3, and its companions.
//!
//! A request runs through [`serve`]: its path is brought to one form ([`path`]), version documents
//! are answered to anybody ([`discovery`]), the version is negotiated ([`microversion`]), the caller
//! is proved by token or signature, and [`routes`] finds the handler. What every answer carries is
//! added at the end.

mod backup_view;
mod backups;
mod call;
mod cloud_backups;
mod companions;
mod discovery;
pub(crate) mod envelope;
mod extensions;
mod filters;
mod jobs;
mod links;
mod list;
mod metadata;
mod microversion;
mod openapi;
mod paging;
mod path;
mod policies;
mod policy_body;
mod policy_tags;
mod policy_tasks;
mod policy_times;
mod policy_view;
mod python;
mod quotas;
mod record;
mod routes;
mod service_metadata;
mod shares;
mod snapshots;
mod sorting;
mod tags;
mod validate;
mod vendor_body;
mod vendor_fault;
mod volume_actions;
mod volumes;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use strongroom_model::chance::Chance;
use strongroom_service::{Caller, CallerScope, Service};
use tracing::Instrument;

use call::{Answer, Call};
use links::Links;
use microversion::Version;
use path::Target;
use vendor_fault::Area;

use crate::authenticate::Bearer;
use crate::fault::{self, Fault};
use crate::query::Query;
use crate::{incoming, origin};

/// How the door presents itself.
#[derive(Debug, Clone)]
pub struct VolumeSettings {
    /// The address for links, as in `https://backup.example.org:8776`; that of each request if
    /// absent.
    pub public_endpoint: Option<String>,
    /// Where tokens are to be had, as in `http://identity.example.org:5000/v3`.
    pub identity_endpoint: String,
    /// The one zone there is.
    pub availability_zone: String,
    /// The most bytes of a request's body; more is refused.
    pub body_limit_bytes: usize,
    /// Where request ids come from.
    pub chance: Arc<dyn Chance>,
}

/// The most bytes of a request's body unless set otherwise.
pub const DEFAULT_BODY_LIMIT_BYTES: usize = 1 << 20;

/// The door as a router, to be served at the root of an address.
pub fn router(service: Service, settings: VolumeSettings) -> Router {
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
    settings: Arc<VolumeSettings>,
}

async fn serve(State(door): State<Door>, request: Request) -> Response {
    let request_id = incoming::request_id(&*door.settings.chance);
    let is_head = request.method() == Method::HEAD;
    let target = Target::of(incoming::segments(request.uri().path()));
    let area = Area::of(request.method(), &target);
    let negotiated = microversion::negotiate(target.generation(), request.headers());
    // A fault in negotiating is told in the oldest version of its generation.
    let shown = negotiated.as_ref().map_or(Version::V3(0), |version| *version);
    let span = incoming::span(&request, &request_id);
    let answer = door.answer(target, negotiated, request, &request_id);
    let answer = answer.instrument(span).await;
    let reply = answer.unwrap_or_else(|fault| {
        log(&fault, &request_id);
        let identity_endpoint = &door.settings.identity_endpoint;
        match area {
            Some(area) => vendor_fault::reply(&fault, area, identity_endpoint),
            None => envelope::reply(&fault, identity_endpoint),
        }
    });
    let mut response = reply.into_response(is_head);
    stamp(response.headers_mut(), &request_id, shown);
    tracing::debug!(request_id, status = response.status().as_u16(), "answered");
    response
}

impl Door {
    async fn answer(
        &self,
        target: Target,
        negotiated: Result<Version, Fault>,
        request: Request,
        request_id: &str,
    ) -> Answer {
        let (parts, body) = request.into_parts();
        let method = incoming::routed(&parts.method);
        let public_endpoint = self.settings.public_endpoint.as_deref();
        let origin = origin::of_request(public_endpoint, &parts.headers);
        let (generation, project, rest) = match target {
            Target::Root if method == Method::GET => return Ok(discovery::root(&origin)),
            Target::Document(generation) if method == Method::GET => {
                return Ok(discovery::document(generation, &origin));
            }
            Target::Root | Target::Document(_) | Target::Nowhere => return Err(Fault::no_route()),
            Target::Operation { generation, project, rest } => (generation, project, rest),
        };
        let body = incoming::collect_body(body, self.settings.body_limit_bytes).await?;
        let named = project.as_deref();
        let bearer = Bearer { parts: &parts, body: &body, project: named, request_id };
        let caller = bearer.caller(&self.service).await?;
        let version = negotiated?;
        require_own_project(&caller, named)?;
        let call = Call {
            service: self.service.clone(),
            settings: Arc::clone(&self.settings),
            caller,
            version,
            links: Links { origin, generation, project },
            query: Query::parse(parts.uri.query())?,
            body: incoming::json_body(body, &parts.headers)?,
        };
        routes::dispatch(&call, &method, &rest).await
    }
}

/// The project of the path must be the one that the token is for, even for an admin.
fn require_own_project(caller: &Caller, named: Option<&str>) -> Result<(), Fault> {
    match (named, &caller.scope) {
        (None, _) => Ok(()),
        (Some(named), CallerScope::Project(own)) if own.as_str() == named => Ok(()),
        (Some(_), _) => {
            Err(Fault::coded(StatusCode::BAD_REQUEST, "EVS.0001", "Malformed request url"))
        }
    }
}

/// Writes a failure down, once, with everything that the caller is not told.
fn log(fault: &Fault, request_id: &str) {
    if let Some(error) = fault.failure() {
        let chain = fault::chain(error);
        if fault.status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(request_id, "request {request_id} failed: {chain}");
        } else {
            tracing::warn!(request_id, "request {request_id} was put off: {chain}");
        }
    }
}

/// Adds what every answer carries.
fn stamp(headers: &mut HeaderMap, request_id: &str, version: Version) {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-openstack-request-id", id.clone());
        headers.insert("x-compute-request-id", id);
    }
    if let Some(Ok(value)) = version.header().map(HeaderValue::try_from) {
        headers.insert("openstack-api-version", value);
        headers.insert("vary", HeaderValue::from_static("OpenStack-API-Version"));
    }
}
