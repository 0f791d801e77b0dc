//! The identity door: the part of Keystone's version 3 that gets clients a token and a catalogue,
//! and lets an admin keep domains, projects, users and roles.
//!
//! A request runs through [`serve`]: version documents and new tokens are for anybody, everything
//! else needs a token, and [`routes`] finds the handler.

mod ask;
mod assignments;
mod auth_request;
mod catalogue;
mod discovery;
mod domains;
mod fields;
mod list;
mod projects;
mod refusal;
mod roles;
mod routes;
mod tokens;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use strongroom_model::chance::Chance;
use strongroom_service::Service;
use strongroom_service::identity::Token;
use tracing::Instrument;

use ask::{Answer, Ask};
use refusal::Refusal;

use crate::incoming;
use crate::query::Query;

/// How the door presents itself and what it publishes.
#[derive(Debug, Clone)]
pub struct IdentitySettings {
    /// The address of this door as clients know it, without a version:
    /// `http://identity.example.org:5000`.
    pub identity_endpoint: String,
    /// The address of the volume door as clients know it, without a version. Some clients replace
    /// the first `evs` or `v2` anywhere in it: the name should hold neither.
    pub volume_endpoint: String,
    /// The address of the compute service as clients know it, without a version, if there is one.
    pub compute_endpoint: Option<String>,
    /// The one region there is.
    pub region: String,
    /// The most bytes of a request's body; more is refused.
    pub body_limit_bytes: usize,
    /// Where request ids, and passwords that nobody shall know, come from.
    pub chance: Arc<dyn Chance>,
}

/// The door as a router, to be served at the root of an address.
pub fn router(service: Service, settings: IdentitySettings) -> Router {
    let settings = Arc::new(settings);
    Router::new().fallback(serve).with_state(Door { service, settings })
}

#[derive(Debug, Clone)]
struct Door {
    service: Service,
    settings: Arc<IdentitySettings>,
}

async fn serve(State(door): State<Door>, request: Request) -> Response {
    let request_id = incoming::request_id(&*door.settings.chance);
    let is_head = request.method() == Method::HEAD;
    let span = incoming::span(&request, &request_id);
    let answer = door.answer(request, &request_id).instrument(span).await;
    let reply = answer.unwrap_or_else(|refusal| {
        refusal.log(&request_id);
        refusal.into_reply(&door.settings.identity_endpoint)
    });
    let mut response = reply.into_response(is_head);
    let headers = response.headers_mut();
    headers.insert("vary", HeaderValue::from_static("X-Auth-Token"));
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-openstack-request-id", id);
    }
    tracing::debug!(request_id, status = response.status().as_u16(), "answered");
    response
}

impl Door {
    async fn answer(&self, request: Request, request_id: &str) -> Answer {
        let (parts, body) = request.into_parts();
        let method = incoming::routed(&parts.method);
        let segments = incoming::segments(parts.uri.path());
        let rest: Vec<&str> = segments.iter().map(String::as_str).collect();
        let endpoint = &self.settings.identity_endpoint;
        let rest = match (method.as_str(), rest.split_first()) {
            ("GET", None) => return Ok(discovery::root(endpoint)),
            ("GET", Some((&"v3", []))) => return Ok(discovery::document(endpoint)),
            (_, Some((&"v3", rest))) => rest,
            _ => return Err(Refusal::no_route()),
        };
        let query = Query::parse(parts.uri.query())?;
        let limit_bytes = self.settings.body_limit_bytes;
        if (method.as_str(), rest) == ("POST", &["auth", "tokens"]) {
            let body = incoming::read_body(body, &parts.headers, limit_bytes).await?;
            return tokens::issue(&self.service, &self.settings, &query, body).await;
        }
        let token = self.token(&parts.headers).await?;
        let ask = Ask {
            service: self.service.clone(),
            settings: Arc::clone(&self.settings),
            caller: token.caller(request_id.to_owned()),
            token,
            subject: incoming::header(&parts.headers, "x-subject-token").map(str::to_owned),
            query,
            body: incoming::read_body(body, &parts.headers, limit_bytes).await?,
        };
        routes::dispatch(&ask, &method, rest).await
    }

    async fn token(&self, headers: &HeaderMap) -> Result<Token, Refusal> {
        let secret =
            incoming::header(headers, "x-auth-token").ok_or_else(Refusal::unauthenticated)?;
        Ok(self.service.validate_token(secret).await?)
    }
}

/// The status that says that a change is made and nothing is left to say.
const DONE: StatusCode = StatusCode::NO_CONTENT;
