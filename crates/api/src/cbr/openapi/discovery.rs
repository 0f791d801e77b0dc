//! The version document, which no token is needed for.

use serde_json::{Map, Value, json};

use super::headers;
use super::schema::{list, named, object, only, text};

/// The paths of the version document.
pub(super) fn paths() -> Map<String, Value> {
    let version = json!({
        "name": "api_version",
        "in": "path",
        "required": true,
        "schema": {"type": "string", "enum": ["v3", "cbr", "csbs", "vbs"]},
    });
    [("/", "listVersions", vec![]), ("/{api_version}", "showVersion", vec![version])]
        .into_iter()
        .map(|(path, id, parameters)| {
            let answer = json!({
                "description": "Versions",
                "headers": headers::of_answer(),
                "content": {"application/json": {"schema": named("Versions")}},
            });
            let mut responses = json!({"300": answer});
            if path != "/" {
                // What is no version is no path, and what cannot be decoded is no text.
                responses["400"] = json!({"$ref": "#/components/responses/Invalid"});
                responses["404"] = json!({"$ref": "#/components/responses/NoRoute"});
            }
            let get = json!({
                "operationId": id,
                "summary": "Which versions there are",
                "security": [],
                "parameters": parameters,
                "responses": responses,
            });
            (path.to_owned(), json!({ "get": get }))
        })
        .collect()
}

/// What the version document is made of.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let link = object([("href", text()), ("rel", only("self"))]);
    let entry = object([("id", only("v3")), ("status", only("CURRENT")), ("links", list(link))]);
    vec![("Versions", object([("versions", list(entry))]))]
}
