//! Who asks: proved by a token or by a signature.

use axum::http::request::Parts;
use bytes::Bytes;
use strongroom_service::{Caller, Service};

use super::fault::Fault;
use crate::authenticate::Bearer;
use crate::incoming;

/// The caller that a request proves. A signature is for the project that the path names; where it
/// names none, for the one in the header `X-Project-Id`, which no signature need cover: the role is
/// looked up in just that project.
pub(super) async fn authenticate(
    service: &Service,
    parts: &Parts,
    (project, body): (Option<&str>, &Bytes),
    request_id: &str,
) -> Result<Caller, Fault> {
    let headers = &parts.headers;
    if !headers.contains_key("x-auth-token") && !headers.contains_key("authorization") {
        return Err(Fault::unauthenticated());
    }
    let project = project.or_else(|| incoming::header(headers, "x-project-id"));
    Ok(Bearer { parts, body, project, request_id }.caller(service).await?)
}
