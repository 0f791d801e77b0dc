//! How refusals are described: one component for each status, envelope and version.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::headers;
use super::operation::Dialect;
use super::schema::{named, object, only, text};
use crate::volume::envelope;
use crate::volume::microversion::Generation;

/// The statuses that a refusal may have on some operation, each with the name of its component.
const NAMES: [(u16, &str); 11] = [
    (400, "BadRequest"),
    (401, "Unauthenticated"),
    (403, "Forbidden"),
    (404, "NotFound"),
    (405, "NotSupported"),
    (406, "UnknownVersion"),
    (409, "Conflict"),
    (413, "TooMuch"),
    (415, "UnknownContent"),
    (500, "Failure"),
    (503, "Unavailable"),
];

/// The statuses that every operation may refuse with. 406 needs microversions.
pub(super) const EVERYWHERE: [u16; 8] = [400, 401, 403, 406, 413, 415, 500, 503];

/// The name of the component for a refusal.
fn name(status: u16, dialect: Dialect, generation: Generation) -> Option<String> {
    let (_, name) = NAMES.iter().find(|(known, _)| *known == status)?;
    // A token is judged before it is known which operation is meant.
    let dialect = if status == 401 { Dialect::Cinder } else { dialect };
    let prefix = if dialect == Dialect::Vendor { "Vendor" } else { "" };
    Some(format!("{prefix}{name}{}", generation.segment().to_uppercase()))
}

/// A reference to the description of a refusal.
pub(super) fn reference(status: u16, dialect: Dialect, generation: Generation) -> Option<Value> {
    let name = name(status, dialect, generation)?;
    Some(json!({"$ref": format!("#/components/responses/{name}")}))
}

/// Every description of a refusal.
pub(super) fn responses() -> Map<String, Value> {
    let mut responses = Map::new();
    for generation in [Generation::V2, Generation::V3] {
        for dialect in [Dialect::Cinder, Dialect::Vendor] {
            for (status, words) in NAMES {
                if let Some(name) = name(status, dialect, generation) {
                    responses.insert(name, response(status, words, dialect, generation));
                }
            }
        }
    }
    responses
}

fn response(status: u16, words: &str, dialect: Dialect, generation: Generation) -> Value {
    let mut headers = headers::of_answer(generation);
    let extra = match (status, dialect) {
        (401, _) => Some("WWW-Authenticate"),
        (413, Dialect::Cinder) => Some("Retry-After"),
        _ => None,
    };
    headers.extend(extra.map(|name| (name.to_owned(), headers::reference(name))));
    let schema = match (status, dialect) {
        (401, _) => "Unauthenticated".to_owned(),
        (_, Dialect::Vendor) => "VendorFault".to_owned(),
        (_, Dialect::Cinder) => words.to_owned(),
    };
    json!({
        "description": words,
        "headers": headers,
        "content": {"application/json": {"schema": named(&schema)}},
    })
}

/// The schemas of the envelopes.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let mut components: Vec<_> =
        NAMES.into_iter().map(|(status, name)| (name, envelope_of(status))).collect();
    let inner = object([("code", text()), ("message", text())]);
    components.push(("VendorFault", object([("error", inner)])));
    components
}

fn envelope_of(status: u16) -> Value {
    let code = ("code", only(status));
    let message = ("message", text());
    let (key, inner) = match status {
        401 => ("error", object([code, ("title", only("Unauthorized")), message])),
        413 => ("overLimit", object([code, message, ("retryAfter", only("0"))])),
        status => {
            let name = StatusCode::from_u16(status).map_or("computeFault", envelope::name);
            (name, object([code, message]))
        }
    };
    object([(key, inner)])
}
