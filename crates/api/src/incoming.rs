//! A request taken apart before anybody judges it: path, query, headers, body.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use percent_encoding::percent_decode_str;
use strongroom_model::chance::Chance;
use tracing::Span;

use crate::fault::Fault;

/// The longest id of a caller's own that is worth noting: `req-` and a UUID.
const MAX_CALLER_ID_BYTES: usize = 40;

/// A fresh id for a request.
pub(crate) fn request_id(chance: &dyn Chance) -> String {
    format!("req-{}", chance.uuid())
}

/// The span in which a request is served, so that every line of the log below it names it. A
/// caller may bring an id of its own, which is noted and nothing else.
pub(crate) fn span(request: &Request, request_id: &str) -> Span {
    let theirs = header(request.headers(), "x-openstack-request-id");
    tracing::info_span!(
        "request",
        id = request_id,
        caller_id = theirs.filter(|id| id.len() <= MAX_CALLER_ID_BYTES),
        method = %request.method(),
        path = request.uri().path(),
    )
}

/// The segments of a path, decoded. Doubled and trailing slashes and a final `.json` are forgiven;
/// below `metadata` and tags that ending may be part of a key and stays.
pub(crate) fn segments(path: &str) -> Vec<String> {
    let mut segments: Vec<String> = path
        .split('/')
        .filter(|piece| !piece.is_empty())
        .map(|piece| percent_decode_str(piece).decode_utf8_lossy().into_owned())
        .collect();
    let from_end = |n: usize| segments.iter().rev().nth(n).map(String::as_str);
    let is_key =
        matches!(from_end(1), Some("metadata" | "tags")) || from_end(3) == Some("os-vendor-tags");
    if let Some(last) = segments.last_mut()
        && !is_key
        && let Some(stem) = last.strip_suffix(".json")
        && !stem.is_empty()
    {
        *last = stem.to_owned();
    }
    segments
}

/// A header as text; what is no text counts as absent.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The method by which a request is routed: HEAD finds what GET finds.
pub(crate) fn routed(method: &Method) -> Method {
    if method == Method::HEAD { Method::GET } else { method.clone() }
}

/// Reads a body of at most `limit_bytes`, whatever it is.
pub(crate) async fn collect_body(body: Body, limit_bytes: usize) -> Result<Bytes, Fault> {
    match Limited::new(body, limit_bytes).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Fault::too_large()),
        Err(_) => Err(Fault::malformed_body()),
    }
}

/// The body that counts. One without a content type is ignored, as Cinder does; one of a type other
/// than JSON is refused.
pub(crate) fn json_body(bytes: Bytes, headers: &HeaderMap) -> Result<Option<Bytes>, Fault> {
    if bytes.is_empty() {
        return Ok(None);
    }
    match headers.get(CONTENT_TYPE).map(|value| value.to_str()) {
        None => Ok(None),
        Some(Ok(kind)) if is_json(kind) => Ok(Some(bytes)),
        Some(_) => Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Content-Type")),
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    ["application/json", "application/vnd.openstack.volume+json"]
        .iter()
        .any(|known| essence.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_forgiven_their_slashes_and_endings() {
        assert_eq!(segments("//v3//p/backups/"), ["v3", "p", "backups"]);
        assert_eq!(segments("/v2/p/backups.json"), ["v2", "p", "backups"]);
        assert_eq!(segments("/backups/a%20b"), ["backups", "a b"]);
        assert_eq!(segments("/b/metadata/x.json"), ["b", "metadata", "x.json"]);
        assert_eq!(segments("/b/tags/x.json"), ["b", "tags", "x.json"]);
        let tag = segments("/os-vendor-tags/backups/b/x.json");
        assert_eq!(tag, ["os-vendor-tags", "backups", "b", "x.json"]);
        assert_eq!(segments("/os-vendor-tags/backups/b.json")[2], "b");
        assert!(segments("/").is_empty());
    }

    #[test]
    fn only_json_is_json() {
        assert!(is_json("application/json; charset=UTF-8"));
        assert!(is_json("application/vnd.openstack.volume+json"));
        assert!(!is_json("text/plain"));
        assert!(!is_json("application/xml"));
    }
}
