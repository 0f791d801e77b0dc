//! What a handler answers: a status, perhaps a JSON document, perhaps headers.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::Value;

/// An answer before it is written.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: StatusCode,
    /// The document; an empty body without it.
    pub(crate) body: Option<Value>,
    /// Headers beyond those that every answer has.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// An answer with a document.
    pub(crate) fn json(status: StatusCode, body: Value) -> Self {
        Self { status, body: Some(body), headers: Vec::new() }
    }

    /// 200 with a document.
    pub(crate) fn ok(body: Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// 202 with a document.
    pub(crate) fn accepted(body: Value) -> Self {
        Self::json(StatusCode::ACCEPTED, body)
    }

    /// 201 with a document.
    pub(crate) fn created(body: Value) -> Self {
        Self::json(StatusCode::CREATED, body)
    }

    /// An answer without a document.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, body: None, headers: Vec::new() }
    }

    /// The same with a header; a value that no header can carry is left out.
    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// The answer on the wire; to a HEAD request without its body.
    pub(crate) fn into_response(self, is_head: bool) -> Response {
        let text = self.body.map(|body| body.to_string());
        let length = text.as_deref().map_or(0, str::len);
        let body = match text {
            Some(text) if !is_head => Body::from(text),
            _ => Body::empty(),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if length > 0 {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if self.status != StatusCode::NO_CONTENT {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        headers.extend(self.headers);
        response
    }
}
