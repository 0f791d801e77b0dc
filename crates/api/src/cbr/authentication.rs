//! Who asks: proved by a token.

use axum::http::request::Parts;
use bytes::Bytes;
use strongroom_service::{Caller, Service};

use super::fault::Fault;
use crate::incoming;

/// The caller that a request proves. The body is at hand for proofs that cover it.
pub(super) async fn authenticate(
    service: &Service,
    parts: &Parts,
    _body: &Bytes,
    request_id: &str,
) -> Result<Caller, Fault> {
    let secret =
        incoming::header(&parts.headers, "x-auth-token").ok_or_else(Fault::unauthenticated)?;
    let token = service.validate_token(secret).await?;
    Ok(token.caller(request_id.to_owned()))
}
