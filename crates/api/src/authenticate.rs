//! Who asks, the same at every door: by a token in `X-Auth-Token`, or by a request signed with an
//! access key (`Authorization: SDK-HMAC-SHA256 …`, in either form).
//!
//! A door reads the body first, since it is signed, and tells which project the path names, in
//! which the role of a signed request is looked up. Whether the project of a token is that of the
//! path is the door's to check. The refusal is the service's; each door says it in its own words.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use strongroom_service::identity::Proved;
use strongroom_service::identity::signature::SignedRequest;
use strongroom_service::{Caller, Error, Result, Service};

use crate::incoming::header;

/// What a door knows of a request when it asks who sent it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bearer<'a> {
    /// Method, address and headers as they were received.
    pub(crate) parts: &'a Parts,
    /// The whole body, whatever its type.
    pub(crate) body: &'a [u8],
    /// The project that the path names.
    pub(crate) project: Option<&'a str>,
    /// The id of the request.
    pub(crate) request_id: &'a str,
}

impl Bearer<'_> {
    /// Who asks. A token goes before a signature.
    ///
    /// # Errors
    /// `Unauthenticated` without either or if it does not hold; `Forbidden` if a signature is right
    /// but the user holds no role in the project, and what the service fails with.
    pub(crate) async fn caller(&self, service: &Service) -> Result<Caller> {
        Ok(self.prove(service).await?.caller)
    }

    /// As [`Bearer::caller`], with what proved it.
    pub(crate) async fn prove(&self, service: &Service) -> Result<Proved> {
        let headers = &self.parts.headers;
        if let Some(secret) = header(headers, "x-auth-token") {
            let token = service.validate_token(secret).await?;
            return Ok(token.proved(self.request_id.to_owned()));
        }
        if !headers.contains_key("authorization") {
            return Err(Error::Unauthenticated);
        }
        let headers = texts(headers);
        let request = SignedRequest {
            method: self.parts.method.as_str(),
            path: self.parts.uri.path(),
            query: self.parts.uri.query().unwrap_or_default(),
            headers: &headers,
            body: self.body,
        };
        service.prove_signature(&request, self.project, self.request_id.to_owned()).await
    }
}

/// The headers as texts; one that is none counts as absent, and cannot have been signed.
fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned).ok();
    let pairs = headers.iter();
    pairs.filter_map(|(name, value)| Some((name.to_string(), text(value.as_bytes())?))).collect()
}
