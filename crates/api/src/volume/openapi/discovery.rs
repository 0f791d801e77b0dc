//! The version documents, which no token is needed for.

use serde_json::{Map, Value, json};

use super::headers;
use super::schema::{list, named, object, only, text, word};
use crate::volume::microversion::Generation;

/// The paths of the version documents.
pub(super) fn paths() -> Map<String, Value> {
    [
        ("/", "listVersions", 300, Generation::V2),
        ("/v2/", "showVersion2", 200, Generation::V2),
        ("/v3/", "showVersion3", 200, Generation::V3),
    ]
    .into_iter()
    .map(|(path, id, status, generation)| {
        let answer = json!({
            "description": "Versions",
            "headers": headers::of_answer(generation),
            "content": {"application/json": {"schema": named("Versions")}},
        });
        let get = json!({
            "operationId": id,
            "summary": "Which versions there are",
            "security": [],
            "responses": {status.to_string(): answer},
        });
        (path.to_owned(), json!({ "get": get }))
    })
    .collect()
}

/// What the version documents are made of.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let media_type = object([("base", only("application/json")), ("type", text())]);
    let describing =
        object([("rel", only("describedby")), ("type", only("text/html")), ("href", text())]);
    let own = object([("rel", only("self")), ("href", text())]);
    let entry = object([
        ("id", word(["v2.0", "v3.0"])),
        ("status", word(["DEPRECATED", "CURRENT"])),
        ("version", text()),
        ("min_version", text()),
        ("updated", super::schema::pattern("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$")),
        ("media-types", list(media_type)),
        (
            "links",
            json!({"type": "array", "prefixItems": [describing, own], "items": false, "minItems": 2}),
        ),
    ]);
    vec![("Versions", object([("versions", list(entry))]))]
}
