//! Holds every answer of a door against its OpenAPI document.
//!
//! [`Contract::check`] is called for each request that a test sends: the operation must be
//! described, the status among those that it documents, headers and body as they are described
//! there, and what was accepted must fit the description of what may be sent.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::world::Answer;

/// The contract of the volume door.
pub(crate) static VOLUME: LazyLock<Contract> =
    LazyLock::new(|| Contract::new("volume", strongroom_api::volume::openapi(), volume_operation));

/// The contract of the CBR door.
pub(crate) static CBR: LazyLock<Contract> =
    LazyLock::new(|| Contract::new("cbr", strongroom_api::cbr::openapi(), cbr_operation));

/// How the operation behind a method and a URI is found among the paths of a document.
type Find = for<'a> fn(&'a Map<String, Value>, &str, &str) -> Option<&'a Value>;

/// A document and what is made from it.
pub(crate) struct Contract {
    name: &'static str,
    document: Value,
    find: Find,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// What a path or a method may be answered with that no operation has.
const NOWHERE: [u16; 7] = [400, 401, 404, 405, 406, 413, 415];

/// The headers that are there exactly when they are described.
const EXACT_HEADERS: [&str; 4] =
    ["openstack-api-version", "vary", "www-authenticate", "retry-after"];

impl Contract {
    fn new(name: &'static str, document: Value, find: Find) -> Self {
        Self { name, document, find, validators: Mutex::default() }
    }

    /// Checks one request and its answer.
    #[track_caller]
    pub(crate) fn check(&self, method: &str, uri: &str, sent: &[u8], answer: &Answer) {
        let told = format!("{method} {uri}: {} {}", answer.status, answer.text);
        let is_head = method == "HEAD";
        let routed = if is_head { "GET" } else { method };
        let paths = self.document["paths"].as_object().unwrap();
        let Some(operation) = (self.find)(paths, routed, uri) else {
            assert!(NOWHERE.contains(&answer.status), "nothing describes {told}");
            if !is_head {
                self.assert_is_fault(answer, &told);
            }
            return;
        };
        let response = &operation["responses"][answer.status.to_string()];
        assert!(response.is_object(), "this status is not documented: {told}");
        let response = self.resolve(response);
        self.check_headers(response, answer, &told);
        self.check_body(response, answer, is_head, &told);
        if answer.status < 300 {
            self.check_request(operation, sent, &told);
        }
    }

    /// The schema of that name.
    pub(crate) fn schema(&self, name: &str) -> Arc<Validator> {
        self.validator(&json!({"$ref": format!("#/components/schemas/{name}")}))
    }

    fn check_headers(&self, response: &Value, answer: &Answer, told: &str) {
        let described = response["headers"].as_object().unwrap();
        for (name, header) in described {
            let value = answer.header(name).unwrap_or_else(|| panic!("no {name}: {told}"));
            self.assert_fits(&self.resolve(header)["schema"], &json!(value), told);
        }
        for name in EXACT_HEADERS {
            let is_described = described.keys().any(|key| key.eq_ignore_ascii_case(name));
            assert_eq!(answer.header(name).is_some(), is_described, "{name}: {told}");
        }
    }

    fn check_body(&self, response: &Value, answer: &Answer, is_head: bool, told: &str) {
        let schema = &response["content"]["application/json"]["schema"];
        let kind = (!schema.is_null()).then_some("application/json");
        assert_eq!(answer.header("content-type"), kind, "{told}");
        if is_head || schema.is_null() {
            assert_eq!(answer.text, "", "{told}");
        } else {
            self.assert_fits(schema, &serde_json::from_str(&answer.text).unwrap(), told);
        }
    }

    fn check_request(&self, operation: &Value, sent: &[u8], told: &str) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_object() {
            let sent = serde_json::from_slice(sent).unwrap_or_else(|_| panic!("accepted: {told}"));
            self.assert_fits(schema, &sent, told);
        }
    }

    /// Whatever a refusal's status, it has one of the envelopes.
    fn assert_is_fault(&self, answer: &Answer, told: &str) {
        let all: Vec<Value> = self.document["components"]["responses"]
            .as_object()
            .unwrap()
            .values()
            .map(|response| response["content"]["application/json"]["schema"].clone())
            .collect();
        self.assert_fits(&json!({"anyOf": all}), &answer.json(), told);
    }

    fn assert_fits(&self, schema: &Value, value: &Value, told: &str) {
        let validator = self.validator(schema);
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{told}\n{value}\n{}", errors.join("\n"));
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut known = self.validators.lock().unwrap();
        let entry = known.entry(schema.to_string()).or_insert_with(|| {
            let whole = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "allOf": [schema],
                "components": self.document["components"],
            });
            Arc::new(jsonschema::validator_for(&whole).unwrap())
        });
        Arc::clone(entry)
    }

    /// What a reference stands for.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }
}

/// The operation behind a method and the path of a URI, in whichever form it is written.
fn volume_operation<'a>(
    paths: &'a Map<String, Value>,
    method: &str,
    uri: &str,
) -> Option<&'a Value> {
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
    best(paths, &method, fits)
}

/// The operation behind a method and the path of a URI of the CBR door.
fn cbr_operation<'a>(paths: &'a Map<String, Value>, method: &str, uri: &str) -> Option<&'a Value> {
    let path = uri.split('?').next().unwrap();
    let segments: Vec<&str> = path.split('/').filter(|piece| !piece.is_empty()).collect();
    let is_of_domain = |word: &str| ["migrates", "region-projects", "domain"].contains(&word);
    let fits = |template: &str| {
        let words: Vec<&str> = template.split('/').filter(|piece| !piece.is_empty()).collect();
        words.len() == segments.len()
            && words.iter().zip(&segments).all(|(word, segment)| match *word {
                "{project_id}" => !is_of_domain(segment),
                "{api_version}" => ["v3", "cbr", "csbs", "vbs"].contains(segment),
                word => word.starts_with('{') || word == *segment,
            })
    };
    best(paths, &method.to_lowercase(), fits)
}

/// Of the operations of a method whose paths fit, the one with the fewest parameters.
fn best<'a>(
    paths: &'a Map<String, Value>,
    method: &str,
    fits: impl Fn(&str) -> bool,
) -> Option<&'a Value> {
    let found = paths.iter().filter(|(path, item)| fits(path) && item.get(method).is_some());
    // Words before parameters.
    let (_, item) = found.min_by_key(|(path, _)| path.matches('{').count())?;
    Some(&item[method])
}

const REGENERATE: &str = "the document in docs/api is not the one that the code makes; \
    STRONGROOM_WRITE_OPENAPI=1 cargo test -p strongroom-api openapi writes it anew";

#[test]
fn the_committed_openapi_documents_are_the_ones_that_the_code_makes() {
    for contract in [&*VOLUME, &*CBR] {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api");
        let file = format!("{directory}/{}.openapi.json", contract.name);
        let text = format!("{}\n", serde_json::to_string_pretty(&contract.document).unwrap());
        if wants_writing() {
            std::fs::write(&file, &text).unwrap();
        }
        assert!(std::fs::read_to_string(&file).is_ok_and(|found| found == text), "{REGENERATE}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a wish of whoever runs the test")]
fn wants_writing() -> bool {
    std::env::var("STRONGROOM_WRITE_OPENAPI").is_ok()
}

#[test]
fn every_schema_is_one() {
    for contract in [&*VOLUME, &*CBR] {
        for name in contract.document["components"]["schemas"].as_object().unwrap().keys() {
            contract.schema(name);
        }
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
    let caught = std::panic::catch_unwind(|| VOLUME.check("GET", "/v3/p/types", b"", &answer));
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
