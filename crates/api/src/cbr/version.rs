//! The version document, which no token is needed for.

use axum::http::StatusCode;
use serde_json::json;

use crate::reply::Reply;

/// `GET /` and `GET /{api_version}`.
pub(super) fn list(origin: &str) -> Reply {
    let link = json!({"href": format!("{origin}/v3"), "rel": "self"});
    let version = json!({"id": "v3", "status": "CURRENT", "links": [link]});
    Reply::json(StatusCode::MULTIPLE_CHOICES, json!({"versions": [version]}))
}
