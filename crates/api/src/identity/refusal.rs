//! Keystone's sentences and its envelope around a refusal.

use axum::http::StatusCode;
use serde_json::json;
use strongroom_service::{Error, Kind};

use crate::fault::{self, Fault};
use crate::reply::Reply;

const UNAUTHENTICATED: &str = "The request you have made requires authentication.";

/// A refusal as Keystone says it.
#[derive(Debug)]
pub(super) struct Refusal(Fault);

impl Refusal {
    /// 400.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self(Fault::bad_request(message))
    }

    /// 400 for a body that lacks something.
    pub(super) fn lacking(what: &str) -> Self {
        Self::bad_request(format!(
            "Expecting to find {what} in request body. The server could not comply with the \
             request since it is either malformed or otherwise incorrect. The client is assumed \
             to be in error."
        ))
    }

    /// 401, whatever was wrong.
    pub(super) fn unauthenticated() -> Self {
        Self(Fault::new(StatusCode::UNAUTHORIZED, UNAUTHENTICATED))
    }

    /// 404 for a path or a method that has no operation.
    pub(super) fn no_route() -> Self {
        Self(Fault::new(StatusCode::NOT_FOUND, "The resource could not be found."))
    }

    /// 404 for a thing by id.
    pub(super) fn missing(what: &str, id: &str) -> Self {
        Self(Fault::new(StatusCode::NOT_FOUND, format!("Could not find {what}: {id}.")))
    }

    /// Writes a failure down, once, with everything that the caller is not told.
    pub(super) fn log(&self, request_id: &str) {
        if let Some(error) = self.0.failure() {
            let chain = fault::chain(error);
            tracing::error!(request_id, "request {request_id} failed: {chain}");
        }
    }

    /// The answer that tells it.
    pub(super) fn into_reply(self, identity_endpoint: &str) -> Reply {
        let status = self.0.status;
        let body = json!({"error": {
            "code": status.as_u16(),
            "message": self.0.message,
            "title": status.canonical_reason().unwrap_or("Error"),
        }});
        let reply = Reply::json(status, body);
        match status {
            StatusCode::UNAUTHORIZED => reply.with_header(
                "www-authenticate",
                &format!("Keystone uri=\"{identity_endpoint}/v3\""),
            ),
            _ => reply,
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let message = sentence(&error);
        let mut fault = Fault::from(error);
        fault.message = message;
        Self(fault)
    }
}

/// Keystone's sentence for an error.
fn sentence(error: &Error) -> String {
    match error {
        Error::IdentityNotFound { what, id } => format!("Could not find {what}: {id}."),
        Error::IdentityExists { what, name } => format!(
            "Conflict occurred attempting to store {what} - Duplicate entry found with name \
             {name}."
        ),
        Error::Forbidden(rule) => {
            format!("You are not authorized to perform the requested action: {rule}.")
        }
        other => match other.kind() {
            Kind::Unauthenticated => UNAUTHENTICATED.to_owned(),
            Kind::Internal | Kind::Unavailable => {
                "An unexpected error prevented the server from fulfilling your request.".to_owned()
            }
            Kind::NotFound
            | Kind::Invalid
            | Kind::Conflict
            | Kind::Forbidden
            | Kind::QuotaExceeded => other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: Error) -> String {
        let reply = Refusal::from(error).into_reply("http://id:5000");
        format!("{} {}", reply.status.as_u16(), reply.body.unwrap())
    }

    #[test]
    fn refusals_read_as_keystone_writes_them() {
        let what = "project";
        insta::assert_snapshot!(told(Error::Unauthenticated), @r#"401 {"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}"#);
        insta::assert_snapshot!(told(Error::IdentityNotFound { what, id: "p".to_owned() }), @r#"404 {"error":{"code":404,"message":"Could not find project: p.","title":"Not Found"}}"#);
        insta::assert_snapshot!(told(Error::IdentityExists { what, name: "p".to_owned() }), @r#"409 {"error":{"code":409,"message":"Conflict occurred attempting to store project - Duplicate entry found with name p.","title":"Conflict"}}"#);
        insta::assert_snapshot!(told(Error::Forbidden("identity:list_users")), @r#"403 {"error":{"code":403,"message":"You are not authorized to perform the requested action: identity:list_users.","title":"Forbidden"}}"#);
        insta::assert_snapshot!(told(Error::internal("disk on fire")), @r#"500 {"error":{"code":500,"message":"An unexpected error prevented the server from fulfilling your request.","title":"Internal Server Error"}}"#);
    }

    #[test]
    fn an_unauthenticated_caller_is_told_where_to_go() {
        let reply = Refusal::unauthenticated().into_reply("http://id:5000");
        assert_eq!(reply.headers[0].1, "Keystone uri=\"http://id:5000/v3\"");
    }
}
