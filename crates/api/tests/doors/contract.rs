//! Holds every answer of the volume door against the OpenAPI document.
//!
//! [`check`] is called for each request that a test sends: the operation must be described, the
//! status among those that it documents, headers and body as they are described there, and what was
//! accepted must fit the description of what may be sent.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::world::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(strongroom_api::volume::openapi);
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// What a path or a method may be answered with that no operation has.
const NOWHERE: [u16; 6] = [400, 401, 404, 406, 413, 415];

/// The headers that are there exactly when they are described.
const EXACT_HEADERS: [&str; 4] =
    ["openstack-api-version", "vary", "www-authenticate", "retry-after"];

/// Checks one request and its answer.
#[track_caller]
pub(crate) fn check(method: &str, uri: &str, sent: &[u8], answer: &Answer) {
    let told = format!("{method} {uri}: {} {}", answer.status, answer.text);
    let is_head = method == "HEAD";
    let routed = if is_head { "GET" } else { method };
    let Some(operation) = operation(routed, uri) else {
        assert!(NOWHERE.contains(&answer.status), "nothing describes {told}");
        if !is_head {
            assert_is_fault(answer, &told);
        }
        return;
    };
    let response = &operation["responses"][answer.status.to_string()];
    assert!(response.is_object(), "this status is not documented: {told}");
    let response = resolve(response);
    check_headers(response, answer, &told);
    check_body(response, answer, is_head, &told);
    if answer.status < 300 {
        check_request(operation, sent, &told);
    }
}

/// The schema of that name.
pub(crate) fn schema(name: &str) -> Arc<Validator> {
    validator(&json!({"$ref": format!("#/components/schemas/{name}")}))
}

fn check_headers(response: &Value, answer: &Answer, told: &str) {
    let described = response["headers"].as_object().unwrap();
    for (name, header) in described {
        let value = answer.header(name).unwrap_or_else(|| panic!("no {name}: {told}"));
        assert_fits(&resolve(header)["schema"], &json!(value), told);
    }
    for name in EXACT_HEADERS {
        let is_described = described.keys().any(|key| key.eq_ignore_ascii_case(name));
        assert_eq!(answer.header(name).is_some(), is_described, "{name}: {told}");
    }
}

fn check_body(response: &Value, answer: &Answer, is_head: bool, told: &str) {
    let schema = &response["content"]["application/json"]["schema"];
    let kind = (!schema.is_null()).then_some("application/json");
    assert_eq!(answer.header("content-type"), kind, "{told}");
    if is_head || schema.is_null() {
        assert_eq!(answer.text, "", "{told}");
    } else {
        assert_fits(schema, &serde_json::from_str(&answer.text).unwrap(), told);
    }
}

fn check_request(operation: &Value, sent: &[u8], told: &str) {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    if schema.is_object() {
        let sent = serde_json::from_slice(sent).unwrap_or_else(|_| panic!("accepted: {told}"));
        assert_fits(schema, &sent, told);
    }
}

/// Whatever a refusal's status, it has one of the envelopes.
fn assert_is_fault(answer: &Answer, told: &str) {
    let all: Vec<Value> = DOCUMENT["components"]["responses"]
        .as_object()
        .unwrap()
        .values()
        .map(|response| response["content"]["application/json"]["schema"].clone())
        .collect();
    assert_fits(&json!({"anyOf": all}), &answer.json(), told);
}

fn assert_fits(schema: &Value, value: &Value, told: &str) {
    let validator = validator(schema);
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{told}\n{value}\n{}", errors.join("\n"));
}

fn validator(schema: &Value) -> Arc<Validator> {
    let mut known = VALIDATORS.lock().unwrap();
    let entry = known.entry(schema.to_string()).or_insert_with(|| {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": DOCUMENT["components"],
        });
        Arc::new(jsonschema::validator_for(&whole).unwrap())
    });
    Arc::clone(entry)
}

/// What a reference stands for.
fn resolve(value: &Value) -> &Value {
    match value["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// The operation behind a method and the path of a URI, in whichever form it is written.
fn operation(method: &str, uri: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let path = uri.split('?').next().unwrap();
    let mut segments: Vec<&str> = path.split('/').filter(|piece| !piece.is_empty()).collect();
    let method = method.to_lowercase();
    let root = match segments.first() {
        None => return paths["/"].get(&method),
        Some(&version @ ("v1" | "v2" | "v3")) => {
            segments.remove(0);
            version
        }
        Some(_) => "v2",
    };
    let Some(first) = segments.first() else {
        return paths.get(&format!("/{root}/"))?.get(&method);
    };
    let is_collection = paths.keys().any(|path| path.split('/').nth(3) == Some(first));
    if !is_collection {
        segments.remove(0);
    }
    let fits = |template: &str| {
        let words: Vec<&str> = template.split('/').skip(1).collect();
        !segments.is_empty()
            && words.len() == segments.len() + 2
            && words[0] == root
            && words[2..].iter().zip(&segments).all(|(word, segment)| {
                word.starts_with('{')
                    || word == segment
                    || Some(*word) == segment.strip_suffix(".json")
            })
    };
    let mut candidates: Vec<(&String, &Value)> = paths
        .iter()
        .filter(|(template, item)| fits(template) && item.get(&method).is_some())
        .collect();
    // Words before parameters.
    candidates.sort_by_key(|(template, _)| template.matches('{').count());
    candidates.first().map(|(_, item)| &item[&method])
}

const REGENERATE: &str = "the document in docs/api is not the one that the code makes; \
    STRONGROOM_WRITE_OPENAPI=1 cargo test -p strongroom-api openapi writes it anew";

#[test]
fn the_committed_openapi_document_is_the_one_that_the_code_makes() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api/volume.openapi.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&*DOCUMENT).unwrap());
    if wants_writing() {
        std::fs::write(file, &text).unwrap();
    }
    assert!(std::fs::read_to_string(file).is_ok_and(|found| found == text), "{REGENERATE}");
}

#[expect(clippy::disallowed_methods, reason = "a wish of whoever runs the test")]
fn wants_writing() -> bool {
    std::env::var("STRONGROOM_WRITE_OPENAPI").is_ok()
}

#[test]
fn every_schema_is_one() {
    let names: Vec<&String> =
        DOCUMENT["components"]["schemas"].as_object().unwrap().keys().collect();
    for name in names {
        schema(name);
    }
}

/// What is told against an answer to `GET /v3/p/types`, with this changed.
fn complaint(change: impl FnOnce(&mut Answer)) -> String {
    use axum::http::{HeaderMap, HeaderName};
    let id = "req-00000000-0000-4000-8000-000000000000";
    let headers = [
        ("x-openstack-request-id", id),
        ("x-compute-request-id", id),
        ("openstack-api-version", "volume 3.0"),
        ("vary", "OpenStack-API-Version"),
        ("content-type", "application/json"),
    ];
    let headers: HeaderMap = headers
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
        .collect();
    let text = json!({"volume_types": []}).to_string();
    let mut answer = Answer { status: 200, headers, text };
    change(&mut answer);
    let caught = std::panic::catch_unwind(|| check("GET", "/v3/p/types", b"", &answer));
    let Err(panic) = caught else { return String::new() };
    panic.downcast_ref::<String>().cloned().unwrap()
}

#[test]
fn whatever_is_not_described_is_complained_of() {
    assert_eq!(complaint(|_| {}), "");
    let told = complaint(|answer| answer.status = 204);
    assert!(told.starts_with("this status is not documented"), "{told}");
    let told = complaint(|answer| answer.text = json!({"volume_types": [], "x": 1}).to_string());
    assert!(told.contains("'x' was unexpected"), "{told}");
    let told = complaint(|answer| answer.text = json!({}).to_string());
    assert!(told.contains("\"volume_types\" is a required property"), "{told}");
    for name in ["x-compute-request-id", "vary", "content-type"] {
        let told = complaint(|answer| assert!(answer.headers.remove(name).is_some()));
        assert!(!told.is_empty(), "{name} may be missing");
    }
    let told = complaint(|answer| {
        answer.headers.insert("retry-after", "0".parse().unwrap());
    });
    assert!(told.contains("retry-after"), "{told}");
}
