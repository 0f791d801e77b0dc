//! The OpenAPI document of the door, made from the table of operations.
//!
//! Each family's file describes its operations, in the order of its routes, and the schemas of what
//! they read and answer. The document shows each operation below `/v2/{project_id}` and
//! `/v3/{project_id}`, jobs below `/v1/{project_id}` too. An answer's schema is exact; a key that it
//! does not name is an error of the door.

mod backups;
mod cloud_backups;
mod companions;
mod discovery;
mod headers;
mod operation;
mod policies;
mod refusals;
mod schema;
mod shares;
mod tags;

use serde_json::{Map, Value, json};

use super::microversion::{Generation, MAX_MINOR};
use super::routes::{self, Route};
use operation::{Kind, Operation, Parameter, Schema};
use schema::named;

/// The descriptions of all operations.
fn operations() -> impl Iterator<Item = &'static Operation> {
    [
        backups::OPERATIONS,
        cloud_backups::OPERATIONS,
        shares::OPERATIONS,
        policies::OPERATIONS,
        tags::OPERATIONS,
        companions::OPERATIONS,
    ]
    .into_iter()
    .flatten()
}

/// The schemas of all families.
fn components() -> impl Iterator<Item = (&'static str, Value)> {
    [
        schema::components(),
        refusals::components(),
        discovery::components(),
        backups::components(),
        cloud_backups::components(),
        shares::components(),
        policies::components(),
        tags::components(),
        companions::components(),
    ]
    .into_iter()
    .flatten()
}

/// The whole document.
pub(super) fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Strongroom volume door",
            "version": format!("3.{MAX_MINOR}"),
            "description": DESCRIPTION,
        },
        "security": [{"token": []}, {"signature": []}],
        "paths": paths(),
        "components": {
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "SDK-HMAC-SHA256 with an access key, beside X-Sdk-Date.",
                },
            },
            "headers": headers::components(),
            "responses": refusals::responses(),
            "schemas": Value::Object(
                components().map(|(name, schema)| (name.to_owned(), schema)).collect(),
            ),
        },
    })
}

const DESCRIPTION: &str = "OpenStack's volume-backup dialect with the vendor's extensions. A path \
    of version 2 or 3 may leave the project out, and a path of version 2 may leave `/v2` out. \
    HEAD finds what GET finds. What no path names is answered with NotFound.";

/// Whether an operation exists below a root.
type Has = fn(&Operation) -> bool;

/// The three ways in which a path begins: version, how it behaves, which operations it has.
const ROOTS: [(&str, Generation, Has); 3] = [
    ("v1", Generation::V2, |operation| operation.is_in_v1),
    ("v2", Generation::V2, |operation| operation.since.is_none()),
    ("v3", Generation::V3, |_| true),
];

fn paths() -> Map<String, Value> {
    let mut paths = discovery::paths();
    for (root, generation, has) in ROOTS {
        for route in routes::all() {
            let Some(operation) = operations().find(|it| it.id == route.id).filter(|it| has(it))
            else {
                continue;
            };
            let path = format!("/{root}/{{project_id}}/{}", route.path);
            let item = paths.entry(path).or_insert_with(|| json!({}));
            let id = format!("{}{}", route.id, root.to_uppercase());
            item[route.method.to_lowercase()] = describe(operation, route, &id, generation);
        }
    }
    paths
}

fn describe(operation: &Operation, route: &Route, id: &str, generation: Generation) -> Value {
    let mut described = json!({
        "operationId": id,
        "summary": operation.summary,
        "parameters": parameters(operation, route, generation),
    });
    if let Some(since) = operation.since {
        described["x-since-microversion"] = since.into();
    }
    if let Some(schema) = operation.request {
        described["requestBody"] =
            json!({"required": true, "content": content(schema, generation)});
    }
    described["responses"] = responses(operation, generation).into();
    described
}

fn parameters(operation: &Operation, route: &Route, generation: Generation) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|word| {
        let name = word.strip_prefix('{')?.strip_suffix('}')?;
        Some(name)
    });
    let mut parameters: Vec<Value> = ["project_id"]
        .into_iter()
        .chain(in_path)
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": schema::text()}))
        .collect();
    if generation == Generation::V3 {
        let schema = json!({"type": "string", "pattern": "^volume (3\\.\\d+|latest)$"});
        let mut header = json!({"name": "OpenStack-API-Version", "in": "header", "schema": schema});
        if operation.since.is_some() {
            header["required"] = true.into();
        }
        parameters.push(header);
    }
    let known = |it: &&Parameter| it.since.is_none() || generation == Generation::V3;
    parameters.extend(operation.query.iter().filter(known).map(parameter));
    parameters
}

fn parameter(parameter: &Parameter) -> Value {
    let schema = match parameter.kind {
        Kind::Text => schema::text(),
        Kind::Whole => schema::count(),
        Kind::Flag => named("Boolean"),
        Kind::Word(words) => json!({"type": "string", "enum": words}),
    };
    let mut described = json!({"name": parameter.name, "in": "query", "schema": schema});
    if let Some(since) = parameter.since {
        described["x-since-microversion"] = since.into();
    }
    described
}

fn content(schema: Schema, generation: Generation) -> Value {
    let schema = match schema {
        Schema::One(name) => named(name),
        Schema::Each(name) => named(&format!("{name}{}", generation.segment().to_uppercase())),
    };
    json!({"application/json": {"schema": schema}})
}

fn responses(operation: &Operation, generation: Generation) -> Map<String, Value> {
    let mut responses = Map::new();
    let other = operation.or_else.map(|status| (status, None));
    for (status, schema) in [operation.answer].into_iter().chain(other) {
        let mut answer = json!({
            "description": operation.summary,
            "headers": headers::of_answer(generation),
        });
        if let Some(schema) = schema {
            answer["content"] = content(schema, generation);
        }
        responses.insert(status.to_string(), answer);
    }
    let mut refusals: Vec<u16> =
        refusals::EVERYWHERE.iter().chain(operation.refusals).copied().collect();
    refusals.sort_unstable();
    for status in refusals {
        let has = status != 406 || generation == Generation::V3;
        let reference = refusals::reference(status, operation.dialect, generation);
        if let Some(reference) = reference.filter(|_| has) {
            responses.insert(status.to_string(), reference);
        }
    }
    responses
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_is_described_once_and_nothing_else_is() {
        let described: Vec<&str> = operations().map(|operation| operation.id).collect();
        let unique: BTreeSet<&str> = described.iter().copied().collect();
        assert_eq!(unique.len(), described.len(), "an operation is described twice");
        let served: BTreeSet<&str> = routes::all().map(|route| route.id).collect();
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
        for part in ["schemas", "responses", "headers"] {
            for name in document["components"][part].as_object().unwrap().keys() {
                let name = format!("#/components/{part}/{name}");
                let is_envelope = part == "responses" || name.ends_with("VendorFault");
                assert!(is_envelope || names.contains(&name), "nothing needs {name}");
            }
        }
        let schemas = components().count();
        assert_eq!(document["components"]["schemas"].as_object().unwrap().len(), schemas);
    }

    #[test]
    fn every_refusal_has_a_description_and_is_said_once() {
        for operation in operations() {
            for status in operation.refusals {
                let known = refusals::reference(*status, operation.dialect, Generation::V3);
                assert!(known.is_some(), "{}: {status}", operation.id);
                assert!(!refusals::EVERYWHERE.contains(status), "{}: {status}", operation.id);
            }
        }
    }
}
