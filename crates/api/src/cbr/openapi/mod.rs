//! The OpenAPI document of the door, made from the table of operations.
//!
//! Each family's file describes its operations, in the order of its routes, and the schemas of what
//! they read and answer. An answer's schema is exact; a key that it does not name is an error of
//! the door. A body may hold keys that nobody asks for.

mod agents;
mod backups;
mod checkpoints;
mod discovery;
mod domain;
mod features;
mod headers;
mod members;
mod operation;
mod operation_logs;
mod orders;
mod organization_policies;
mod policies;
mod protectables;
mod replication;
mod schema;
mod storage;
mod tags;
mod vaults;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::routes::{self, Route};
use operation::{Kind, Operation, Parameter};
use schema::named;

/// The descriptions of all operations.
fn operations() -> impl Iterator<Item = &'static Operation> {
    [
        vaults::OPERATIONS,
        tags::OPERATIONS,
        backups::OPERATIONS,
        members::OPERATIONS,
        policies::OPERATIONS,
        checkpoints::OPERATIONS,
        operation_logs::OPERATIONS,
        protectables::OPERATIONS,
        agents::OPERATIONS,
        organization_policies::OPERATIONS,
        features::OPERATIONS,
        storage::OPERATIONS,
        orders::OPERATIONS,
        domain::OPERATIONS,
        replication::OPERATIONS,
    ]
    .into_iter()
    .flatten()
}

/// The schemas of all families.
fn components() -> impl Iterator<Item = (&'static str, Value)> {
    [
        schema::components(),
        discovery::components(),
        vaults::components(),
        tags::components(),
        backups::components(),
        members::components(),
        policies::components(),
        checkpoints::components(),
        operation_logs::components(),
        protectables::components(),
        agents::components(),
        organization_policies::components(),
        features::components(),
        storage::components(),
        orders::components(),
        domain::components(),
        replication::components(),
    ]
    .into_iter()
    .flatten()
}

/// The whole document.
pub(super) fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Strongroom CBR door", "version": "3", "description": DESCRIPTION},
        "security": [{"token": []}],
        "paths": paths(),
        "components": {
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
            },
            "headers": headers::components(),
            "responses": refusals(),
            "schemas": Value::Object(
                components().map(|(name, schema)| (name.to_owned(), schema)).collect(),
            ),
        },
    })
}

const DESCRIPTION: &str = "The vendor's dialect of vaults, policies, checkpoints and backups. \
    The project of a path must be the one that the token is for. HEAD finds what GET finds. What \
    no path names is answered with NoRoute, a method that a path does not have with NoMethod.";

fn paths() -> Map<String, Value> {
    let mut paths = discovery::paths();
    for (prefix, route) in routes::all() {
        let Some(operation) = operations().find(|it| it.id == route.id) else { continue };
        let path = format!("{prefix}/{}", route.path);
        let described = describe(operation, route, &path);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[route.method.to_lowercase()] = described;
    }
    paths
}

fn describe(operation: &Operation, route: &Route, path: &str) -> Value {
    let in_path = path.split('/').filter_map(|word| word.strip_prefix('{')?.strip_suffix('}')).map(
        |name| json!({"name": name, "in": "path", "required": true, "schema": schema::text()}),
    );
    let parameters: Vec<Value> = in_path.chain(operation.query.iter().map(parameter)).collect();
    let mut described = json!({
        "operationId": route.id,
        "summary": operation.summary,
        "parameters": parameters,
    });
    if let Some(name) = operation.request {
        described["requestBody"] = json!({"required": true, "content": content(name)});
    }
    if !operation.codes.is_empty() {
        // Which codes, beyond the general ones, a client should be ready for.
        let codes: Vec<String> = operation.codes.iter().map(|code| code.text()).collect();
        described["x-refused-with"] = json!(codes);
    }
    described["responses"] = json!(responses(operation));
    described
}

fn parameter(parameter: &Parameter) -> Value {
    let word = |words: &[&str]| json!({"type": "string", "enum": words});
    let schema = match parameter.kind {
        Kind::Text => schema::text(),
        Kind::Whole(least, most) => schema::range(least, most),
        Kind::Flag => schema::flag(),
        Kind::Id => schema::wished_uuid(),
        Kind::Ids => schema::list(schema::wished_uuid()),
        Kind::Instant => json!({"type": "string", "format": "date-time"}),
        Kind::Word(words) => word(words),
        Kind::Words(words) => schema::list(word(words)),
    };
    let mut described = json!({"name": parameter.name, "in": "query", "schema": schema});
    if parameter.is_required {
        described["required"] = true.into();
    }
    described
}

fn content(name: &str) -> Value {
    json!({"application/json": {"schema": named(name)}})
}

/// The refusals that any operation may have, by status.
const EVERYWHERE: [(u16, &str); 6] = [
    (400, "Invalid"),
    (401, "Unauthenticated"),
    (403, "Forbidden"),
    (413, "TooLarge"),
    (500, "Failure"),
    (503, "Unavailable"),
];

/// The refusals of no operation in particular: the others of the gateway, and what is not there.
const ELSEWHERE: [(u16, &str); 3] = [(404, "NotFound"), (404, "NoRoute"), (405, "NoMethod")];

fn responses(operation: &Operation) -> BTreeMap<String, Value> {
    let (status, name) = operation.answer;
    let mut answer = json!({"description": operation.summary, "headers": headers::of_answer()});
    if let Some(name) = name {
        answer["content"] = content(name);
    }
    let mut responses = BTreeMap::from([(status.to_string(), answer)]);
    let mut refuse = |status: u16, name: &str| {
        let reference = json!({"$ref": format!("#/components/responses/{name}")});
        responses.insert(status.to_string(), reference);
    };
    for (status, name) in EVERYWHERE {
        refuse(status, name);
    }
    if operation.codes.iter().any(|code| code.status().as_u16() == 404) {
        refuse(404, "NotFound");
    }
    responses
}

/// Every description of a refusal.
fn refusals() -> Map<String, Value> {
    let all = EVERYWHERE.into_iter().chain(ELSEWHERE);
    all.map(|(status, name)| {
        let is_gateway = [401, 405, 413].contains(&status) || name == "NoRoute";
        let schema = if is_gateway { "GatewayRefusal" } else { "Refusal" };
        let response = json!({
            "description": name,
            "headers": headers::of_answer(),
            "content": content(schema),
        });
        (name.to_owned(), response)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cbr::code::Code;

    #[test]
    fn every_operation_is_described_once_and_nothing_else_is() {
        let described: Vec<&str> = operations().map(|operation| operation.id).collect();
        let unique: BTreeSet<&str> = described.iter().copied().collect();
        assert_eq!(unique.len(), described.len(), "an operation is described twice");
        let served: BTreeSet<&str> = routes::all().map(|(_, route)| route.id).collect();
        assert_eq!(served, unique);
    }

    #[test]
    fn whatever_is_named_is_there_and_whatever_is_there_is_named() {
        let document = document();
        let mut names = BTreeSet::new();
        crate::openapi::tests::collect_references(&document, &mut names);
        for name in &names {
            let pointer = name.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{name} is not described");
        }
        // What the families share may be needed by none of them.
        names.extend(
            schema::components().iter().map(|(name, _)| format!("#/components/schemas/{name}")),
        );
        for part in ["schemas", "headers"] {
            for name in document["components"][part].as_object().unwrap().keys() {
                let name = format!("#/components/{part}/{name}");
                assert!(names.contains(&name), "nothing needs {name}");
            }
        }
        let schemas = components().count();
        assert_eq!(document["components"]["schemas"].as_object().unwrap().len(), schemas);
    }

    #[test]
    fn the_general_codes_are_said_once() {
        let general = [Code::InvalidParameter, Code::Unknown, Code::NotAllowed];
        for operation in operations() {
            for code in operation.codes {
                assert!(!general.contains(code), "{}: {code:?}", operation.id);
            }
        }
    }
}
