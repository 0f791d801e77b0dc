//! The compute door: as much of Nova's version 2.1 as clients need to see the servers whose disks
//! are backed up. It shows the inventory and changes nothing in it.
//!
//! A request runs through [`serve`]: its path is brought to one form ([`path`]), version documents
//! are answered to anybody, the microversion is negotiated ([`version`]), the token or the
//! signature is proved, and the noun's handler answers.

mod attached;
mod flavors;
mod paging;
mod path;
mod servers;
mod version;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use strongroom_model::chance::Chance;
use strongroom_service::{Caller, CallerScope, Service};
use tracing::Instrument;

use path::{Operation, Target};

use crate::authenticate::Bearer;
use crate::fault::{self, Fault};
use crate::query::Query;
use crate::reply::Reply;
use crate::volume::envelope;
use crate::{incoming, origin};

/// The most bytes of a body, which no operation reads.
const BODY_LIMIT_BYTES: usize = 64 << 10;

/// How the door presents itself.
#[derive(Debug, Clone)]
pub struct ComputeSettings {
    /// The address for links, as in `https://compute.example.org:8774`; that of each request if
    /// absent.
    pub public_endpoint: Option<String>,
    /// Where tokens are to be had, as in `http://identity.example.org:5000/v3`.
    pub identity_endpoint: String,
    /// Where request ids come from.
    pub chance: Arc<dyn Chance>,
}

/// The door as a router, to be served at the root of an address.
pub fn router(service: Service, settings: ComputeSettings) -> Router {
    let settings = Arc::new(settings);
    Router::new().fallback(serve).with_state(Door { service, settings })
}

#[derive(Debug, Clone)]
struct Door {
    service: Service,
    settings: Arc<ComputeSettings>,
}

/// What a handler gives back.
type Answer = Result<Reply, Fault>;

/// A request of a known caller for one operation.
#[derive(Debug)]
struct Call {
    /// The rules.
    service: Service,
    /// Who asks.
    caller: Caller,
    /// Scheme, host and prefix of links.
    origin: String,
    /// The project of the path, if it had one.
    project: Option<String>,
    /// The query.
    query: Query,
}

async fn serve(State(door): State<Door>, request: Request) -> Response {
    let request_id = incoming::request_id(&*door.settings.chance);
    let is_head = request.method() == Method::HEAD;
    let span = incoming::span(&request, &request_id);
    let (parts, body) = request.into_parts();
    let answer = door.answer((&parts, body), &request_id).instrument(span).await;
    let reply = answer.unwrap_or_else(|fault| {
        log(&fault, &request_id);
        envelope::reply(&fault, &door.settings.identity_endpoint)
    });
    let mut response = reply.into_response(is_head);
    stamp(response.headers_mut(), &request_id);
    tracing::debug!(request_id, status = response.status().as_u16(), "answered");
    response
}

impl Door {
    async fn answer(&self, (parts, body): (&Parts, Body), request_id: &str) -> Answer {
        let public_endpoint = self.settings.public_endpoint.as_deref();
        let origin = origin::of_request(public_endpoint, &parts.headers);
        let is_read = incoming::routed(&parts.method) == Method::GET;
        let (project, operation) = match Target::of(incoming::segments(parts.uri.path())) {
            Target::Nowhere => return Err(Fault::no_route()),
            Target::Root | Target::Document if !is_read => return Err(no_method(&parts.method)),
            Target::Root => return Ok(version::root(&origin)),
            Target::Document => return Ok(version::document(&origin)),
            Target::Operation { project, operation } => (project, operation),
        };
        let body = read_body(body).await?;
        let caller = self.caller((parts, &body), project.as_deref(), request_id).await?;
        version::negotiate(&parts.headers)?;
        require_own_project(&caller, project.as_deref())?;
        if !is_read {
            return Err(no_method(&parts.method));
        }
        let query = Query::parse(parts.uri.query())?;
        let service = self.service.clone();
        dispatch(&Call { service, caller, origin, project, query }, &operation).await
    }

    /// The caller that a token or a signature proves. A signature is for the project that the path
    /// names; where it names none, for the one in the header `X-Project-Id`.
    async fn caller(
        &self,
        (parts, body): (&Parts, &[u8]),
        project: Option<&str>,
        request_id: &str,
    ) -> Result<Caller, Fault> {
        let project = project.or_else(|| incoming::header(&parts.headers, "x-project-id"));
        Ok(Bearer { parts, body, project, request_id }.caller(&self.service).await?)
    }
}

/// Reads a body, which means nothing here but may be signed.
async fn read_body(body: Body) -> Result<Bytes, Fault> {
    match Limited::new(body, BODY_LIMIT_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("The request body is larger than {BODY_LIMIT_BYTES} bytes.");
            Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, message))
        }
        Err(_) => Err(Fault::bad_request("The request body ends early.".to_owned())),
    }
}

async fn dispatch(call: &Call, operation: &Operation) -> Answer {
    match operation {
        Operation::Servers => servers::list(call, servers::View::Summary).await,
        Operation::ServerDetails => servers::list(call, servers::View::Detail).await,
        Operation::Server(id) => servers::show(call, id).await,
        Operation::Disks(id) => attached::disks(call, id).await,
        Operation::Disk(id, volume) => attached::disk(call, id, volume).await,
        Operation::Interfaces(id) => attached::interfaces(call, id).await,
        Operation::Interface(id, port) => attached::interface(call, id, port).await,
        Operation::Flavors => flavors::list(call, flavors::View::Summary).await,
        Operation::FlavorDetails => flavors::list(call, flavors::View::Detail).await,
        Operation::Flavor(id) => flavors::show(call, id).await,
        Operation::ExtraSpecs(id) => flavors::extra_specs(call, id).await,
    }
}

/// The project of the path must be the one that the token is for, even for an admin.
fn require_own_project(caller: &Caller, named: Option<&str>) -> Result<(), Fault> {
    let own = match &caller.scope {
        CallerScope::Project(own) => own.as_str(),
        CallerScope::Domain(_) | CallerScope::Unscoped => "",
    };
    match named {
        Some(named) if named != own => Err(Fault::bad_request(format!(
            "Malformed request URL: URL's project_id '{named}' doesn't match Context's \
             project_id '{own}'"
        ))),
        _ => Ok(()),
    }
}

/// 405 for what is only read here.
fn no_method(method: &Method) -> Fault {
    let message = format!("The method {method} is not allowed for this resource.");
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

/// Writes a failure down, once, with everything that the caller is not told.
fn log(fault: &Fault, request_id: &str) {
    if let Some(error) = fault.failure() {
        tracing::error!(request_id, "request {request_id} failed: {}", fault::chain(error));
    }
}

/// Adds what every answer carries.
fn stamp(headers: &mut HeaderMap, request_id: &str) {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-openstack-request-id", id.clone());
        headers.insert("x-compute-request-id", id);
    }
    for (name, value) in version::HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if headers.get("vary").is_none() {
        let names = "OpenStack-API-Version, X-OpenStack-Nova-API-Version";
        headers.insert("vary", HeaderValue::from_static(names));
    }
}
