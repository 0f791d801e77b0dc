//! Between two regions: what one Strongroom asks another when a backup is replicated.
//!
//! Not a door for clients. Requests are sealed with a secret that both regions hold; what they may
//! reach is what was offered to them, and vaults that were made to take copies. A seal proves who
//! asks, it hides nothing: across a network that others read, put TLS in front.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /peer/v1/check` | an [`Offer`] | `{}` if it would be taken |
//! | `POST /peer/v1/offers` | an [`Offer`] | a [`CopyState`](strongroom_service::replication::CopyState) |
//! | `GET /peer/v1/copies/ID` | | a `CopyState` |
//! | `POST /peer/v1/parts` | a [`PartRequest`] and a [`PartQuestion`] | bytes for the engine |
//!
//! A refusal is 409 with `{"reason", "message"}`, what may succeed later 503 with `{"message"}`.

mod client;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header::CONTENT_TYPE};
use axum::response::Response;
use http_body_util::{BodyExt, Limited};
use serde::{Deserialize, Serialize};
use serde_json::json;
use strongroom_model::id::ReplicationId;
use strongroom_service::Service;
use strongroom_service::replication::{
    Offer, PartQuestion, PartRequest, PeerError, PeerKey, Sealed,
};

pub use client::HttpPeer;

/// The most bytes of a request's body: the documents of a server are in it.
const BODY_LIMIT_BYTES: usize = 16 << 20;

/// The header that names the region which asks.
const REGION: &str = "x-strongroom-region";
/// The header that tells when it asks.
const DATE: &str = "x-strongroom-date";
/// The header with the seal.
const SEAL: &str = "x-strongroom-seal";

/// A question about the bytes of a part of a replication.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Asked {
    part: PartRequest,
    question: PartQuestion,
}

/// The keys of the regions that may ask, by their names.
pub type PeerKeys = BTreeMap<String, PeerKey>;

#[derive(Debug, Clone)]
struct Door {
    service: Service,
    keys: Arc<PeerKeys>,
}

/// What regions ask, to be merged with a router that serves the rest of an address.
pub fn router(service: Service, keys: PeerKeys) -> Router {
    let door = Door { service, keys: Arc::new(keys) };
    Router::new().route("/peer/v1/{*rest}", axum::routing::any(serve)).with_state(door)
}

/// Why there is no good answer.
enum Refusal {
    Unknown,
    NoRoute,
    Malformed,
    Peer(PeerError),
}

impl From<PeerError> for Refusal {
    fn from(error: PeerError) -> Self {
        Self::Peer(error)
    }
}

type Answer = Result<Response, Refusal>;

async fn serve(State(door): State<Door>, request: Request) -> Response {
    match door.answer(request).await {
        Ok(response) => response,
        Err(Refusal::Unknown) => {
            told(StatusCode::UNAUTHORIZED, &json!({"message": "who are you?"}))
        }
        Err(Refusal::NoRoute) => told(StatusCode::NOT_FOUND, &json!({"message": "no such thing"})),
        Err(Refusal::Malformed) => {
            told(StatusCode::BAD_REQUEST, &json!({"message": "that is not understood"}))
        }
        Err(Refusal::Peer(PeerError::Refused { reason, message })) => {
            told(StatusCode::CONFLICT, &json!({"reason": reason, "message": message}))
        }
        Err(Refusal::Peer(PeerError::Unreachable { reason, .. })) => {
            told(StatusCode::SERVICE_UNAVAILABLE, &json!({"message": reason}))
        }
    }
}

fn told(status: StatusCode, body: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, axum::http::HeaderValue::from_static("application/json"));
    response
}

impl Door {
    async fn answer(&self, request: Request) -> Answer {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, BODY_LIMIT_BYTES).collect().await;
        let body = body.map_err(|_| Refusal::Malformed)?.to_bytes();
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let region = header(REGION).ok_or(Refusal::Unknown)?;
        let date = header(DATE).and_then(|date| date.parse().ok()).ok_or(Refusal::Unknown)?;
        let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
        let sealed =
            Sealed { region, at_secs: date, method: parts.method.as_str(), path, body: &body };
        let key = self.keys.get(region).ok_or(Refusal::Unknown)?;
        if !key.verifies(header(SEAL).unwrap_or_default(), &sealed, self.service.now()) {
            return Err(Refusal::Unknown);
        }
        let rest = path.strip_prefix("/peer/v1/").unwrap_or_default();
        match (&parts.method, rest) {
            (&Method::POST, "check") => {
                let offer: Offer = read(&body)?;
                self.service.check_offer(region, &offer).await?;
                Ok(told(StatusCode::OK, &json!({})))
            }
            (&Method::POST, "offers") => {
                let offer: Offer = read(&body)?;
                let state = self.service.accept_offer(region, &offer).await?;
                Ok(told(StatusCode::OK, &json!(state)))
            }
            (&Method::GET, rest) => {
                let id = rest.strip_prefix("copies/").ok_or(Refusal::NoRoute)?;
                let id = ReplicationId::parse(id).map_err(|_| Refusal::NoRoute)?;
                Ok(told(StatusCode::OK, &json!(self.service.copy_state(region, id).await?)))
            }
            (&Method::POST, "parts") => {
                let asked: Asked = read(&body)?;
                let bytes = self.service.answer_part(region, &asked.part, asked.question).await?;
                Ok(Response::new(Body::from(bytes)))
            }
            _ => Err(Refusal::NoRoute),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::Malformed)
}
