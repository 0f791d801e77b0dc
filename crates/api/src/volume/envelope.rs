//! Cinder's envelope around a fault: one key that names the fault, its code and its sentence.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::reply::Reply;

/// The answer that tells a fault. `identity_endpoint` is where a token is to be had.
pub(crate) fn reply(fault: &Fault, identity_endpoint: &str) -> Reply {
    let code = fault.status.as_u16();
    if fault.status == StatusCode::UNAUTHORIZED {
        let body = json!({"error": {
            "code": code,
            "title": "Unauthorized",
            "message": "The request you have made requires authentication.",
        }});
        return Reply::json(fault.status, body)
            .with_header("www-authenticate", &format!("Keystone uri=\"{identity_endpoint}\""));
    }
    let mut inner = json!({"code": code, "message": fault.message});
    let is_over = fault.status == StatusCode::PAYLOAD_TOO_LARGE;
    if is_over {
        inner["retryAfter"] = Value::from("0");
    }
    let body = [(name(fault.status).to_owned(), inner)];
    let reply = Reply::json(fault.status, Value::Object(body.into_iter().collect()));
    if is_over { reply.with_header("retry-after", "0") } else { reply }
}

/// Cinder's name for a status.
pub(super) const fn name(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "badRequest",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "itemNotFound",
        405 => "badMethod",
        409 => "conflictingRequest",
        413 => "overLimit",
        415 => "badMediaType",
        501 => "notImplemented",
        503 => "serviceUnavailable",
        _ => "computeFault",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16) -> Reply {
        let status = StatusCode::from_u16(status).unwrap();
        reply(&Fault::new(status, "why"), "http://id/v3")
    }

    // T-38: exactly one key at the top; overLimit with Retry-After 0.
    #[test]
    fn t38_one_key_names_the_fault() {
        for (status, key) in [
            (400, "badRequest"),
            (403, "forbidden"),
            (404, "itemNotFound"),
            (405, "badMethod"),
            (406, "computeFault"),
            (409, "conflictingRequest"),
            (413, "overLimit"),
            (415, "badMediaType"),
            (500, "computeFault"),
            (503, "serviceUnavailable"),
        ] {
            let body = told(status).body.unwrap();
            let keys: Vec<_> = body.as_object().unwrap().keys().collect();
            assert_eq!(keys, [key]);
            assert_eq!(body[key]["code"], status);
            assert_eq!(body[key]["message"], "why");
        }
        let over = told(413);
        assert_eq!(over.body.unwrap()["overLimit"]["retryAfter"], "0");
        assert_eq!(over.headers.len(), 1);
    }

    #[test]
    fn an_unauthenticated_caller_is_told_where_to_go() {
        let reply = told(401);
        assert_eq!(reply.headers[0].1, "Keystone uri=\"http://id/v3\"");
        insta::assert_snapshot!(reply.body.unwrap(), @r#"{"error":{"code":401,"title":"Unauthorized","message":"The request you have made requires authentication."}}"#);
    }
}
