//! The version documents, which anybody may read.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::reply::Reply;

/// `GET /`: every version, with status 300.
pub(super) fn root(endpoint: &str) -> Reply {
    let body = json!({"versions": {"values": [entry(endpoint)]}});
    Reply::json(StatusCode::MULTIPLE_CHOICES, body)
        .with_header("location", &format!("{endpoint}/v3/"))
}

/// `GET /v3`.
pub(super) fn document(endpoint: &str) -> Reply {
    Reply::ok(json!({"version": entry(endpoint)}))
}

fn entry(endpoint: &str) -> Value {
    json!({
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{endpoint}/v3/")}],
        "media-types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.identity-v3+json",
        }],
    })
}
