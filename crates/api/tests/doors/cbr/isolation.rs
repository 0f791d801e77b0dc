//! Another project's ids, wherever an operation takes one: each answers as an id of nothing.
//!
//! What is tried follows from the OpenAPI document: every parameter of a path or a query and every
//! field of a body that names a thing. The table has how each operation is asked; one that it
//! misses fails the test, and so does a field that nothing tries.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::isolation_far;
use super::isolation_side::{Side, text};
use super::isolation_table::{Entry, SPARED, entries};
use crate::world::{Client, World};

/// An id that nothing has.
const NOTHING: &str = "deadbeef-0000-4000-8000-000000000000";

/// Parameters of paths that are no ids of a project's things: words, and what domains have.
const WORDS: [&str; 8] = [
    "project_id",
    "api_version",
    "domain_name",
    "source_project_id",
    "protectable_type",
    "feature_key",
    "key",
    "order_id",
];

/// Parameters of queries that name things.
const IN_QUERIES: [&str; 11] = [
    "marker",
    "id",
    "vault_id",
    "policy_id",
    "resource_id",
    "resource_ids",
    "checkpoint_id",
    "parent_id",
    "server_id",
    "agent_id",
    "image_id",
];

/// Fields of bodies that name things.
const IN_BODIES: [&str; 17] = [
    "id",
    "vault_id",
    "vault_ids",
    "destination_vault_id",
    "backup_id",
    "backup_policy_id",
    "policy_id",
    "add_policy_ids",
    "resource_id",
    "resourceId",
    "resource_ids",
    "server_id",
    "volume_id",
    "exclude_volumes",
    "agent_id",
    "product_id",
    "members",
];

/// An operation of the document.
struct Operation {
    name: String,
    method: String,
    path: String,
    in_path: Vec<String>,
    in_query: Vec<String>,
    in_body: BTreeSet<String>,
}

fn operations() -> Vec<Operation> {
    let document = strongroom_api::cbr::openapi();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let none = Vec::new();
            let parameters = operation["parameters"].as_array().unwrap_or(&none);
            let names = |place: &str| {
                let of = parameters.iter().filter(|one| one["in"] == place);
                of.map(|one| text(&one["name"])).collect::<Vec<_>>()
            };
            let mut in_body = BTreeSet::new();
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            fields(&document, schema, "", &mut in_body);
            let is_query = |name: &String| IN_QUERIES.contains(&name.as_str());
            all.push(Operation {
                name: text(&operation["operationId"]),
                method: method.to_uppercase(),
                path: path.clone(),
                in_path: names("path").into_iter().filter(|it| !WORDS.contains(&&**it)).collect(),
                in_query: names("query").into_iter().filter(is_query).collect(),
                in_body,
            });
        }
    }
    all
}

/// The fields of a body that name things, as paths of words with dots between.
fn fields(document: &Value, schema: &Value, at: &str, found: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.trim_start_matches('#');
        return fields(document, document.pointer(pointer).unwrap(), at, found);
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        for one in schema[key].as_array().into_iter().flatten() {
            fields(document, one, at, found);
        }
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let inside = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        // The run over a vault calls the ids of what it saves resources, the vault their list.
        let is_list_of_ids = inside == "checkpoint.parameters.resources";
        if IN_BODIES.contains(&name.as_str()) || is_list_of_ids {
            found.insert(inside.clone());
        }
        fields(document, inner, &inside, found);
    }
    if schema["items"].is_object() {
        fields(document, &schema["items"], at, found);
    }
}

/// A pointer without the numbers of its lists: `/a/0/id` is `a.id`.
fn place(pointer: &str) -> String {
    let words = pointer.split('/').skip(1).filter(|word| word.parse::<usize>().is_err());
    words.collect::<Vec<_>>().join(".")
}

/// One request, with `ID` for what is tried.
struct Attempt {
    method: String,
    path: String,
    body: Option<Value>,
    told: String,
}

/// The path of an operation about what is one's own, but for one parameter.
fn path(operation: &Operation, entry: &Entry, own: &Side, tried: &str) -> String {
    let mut path = operation.path.clone();
    if !tried.is_empty() {
        path = path.replace(&format!("{{{tried}}}"), "ID");
    }
    for (name, value) in &entry.parameters {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    for (name, value) in [
        ("project_id", own.access.project.as_str()),
        ("vault_id", &own.disk_vault),
        ("backup_id", &own.disk_backup),
        ("member_id", &own.access.project),
        ("policy_id", &own.policy),
        ("checkpoint_id", &own.checkpoint),
        ("operation_log_id", &own.log),
        ("organization_policy_id", "ID"),
        ("agent_id", &own.agent),
        ("protectable_type", "disk"),
        ("key", "key"),
        ("order_id", "CS1"),
    ] {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    path
}

/// Everything that is tried with an entry.
fn attempts(operation: &Operation, entry: &Entry, own: &Side) -> Vec<Attempt> {
    let attempt = |path: String, body: Option<Value>, at: &str| Attempt {
        method: operation.method.clone(),
        path,
        body,
        told: format!("{} {at}", operation.name),
    };
    let mut all = Vec::new();
    for name in &operation.in_path {
        let body = entry.body.clone();
        all.push(attempt(path(operation, entry, own, name), body, name));
    }
    for name in &operation.in_query {
        let mut path = format!("{}?{name}=ID", path(operation, entry, own, ""));
        match operation.name.as_str() {
            "listExternalVaults" => {
                let own = format!("&external_project_id={}", own.access.project);
                path.push_str(&own);
                path.push_str("&region_id=RegionOne");
            }
            "listOrganizationPolicies" => path.push_str("&operation_type=backup"),
            "listBackups" => path.push_str("&own_type=all_granted"),
            _ => {}
        }
        all.push(attempt(path, None, name));
    }
    for pointer in entry.pointers {
        let mut body = entry.body.clone().unwrap();
        *body.pointer_mut(pointer).unwrap() = json!("ID");
        all.push(attempt(path(operation, entry, own, ""), Some(body), pointer));
    }
    all
}

/// An answer without what differs from one request to the next.
async fn run(client: &Client<'_>, attempt: &Attempt, id: &str) -> (u16, String) {
    let body = attempt.body.as_ref().map(|body| body.to_string().replace("\"ID\"", &quoted(id)));
    let body = body.map(|text| serde_json::from_str(&text).unwrap());
    let answer = client.send(&attempt.method, &attempt.path.replace("ID", id), body).await;
    (answer.status, answer.text.replace(id, "ID"))
}

fn quoted(id: &str) -> String {
    json!(id).to_string()
}

/// A refusal is about the id, so that nothing else in the request was amiss; but for rights.
fn assert_was_looked_up(attempt: &Attempt, (status, text): &(u16, String)) {
    assert!(
        matches!(*status, 200 | 403) || text.contains("ID"),
        "{}: {status} {text}",
        attempt.told
    );
}

/// Whatever is another's answers as nothing does.
async fn assert_hidden(client: &Client<'_>, attempt: &Attempt, foreign: &[String]) {
    let missing = run(client, attempt, NOTHING).await;
    assert_was_looked_up(attempt, &missing);
    for id in foreign {
        let answer = run(client, attempt, id).await;
        assert_eq!(answer, missing, "{} {id}", attempt.told);
    }
}

/// Two projects, of which the second is offered a backup by a third.
async fn scene() -> (World, Side, Side, String) {
    let (world, alpha, beta) = World::with_projects().await;
    isolation_far::connect(&world.service);
    let owner = Side::new(&world, &alpha, 1).await;
    let own = Side::new(&world, &beta, 11).await;
    let third = world.volume(&world.admin);
    let volume = third.make_volume("third").await;
    let offered = third.make_backup(&volume, "offered").await;
    let to = json!({"members": [beta.member.project]});
    let path = format!("/v3/{{p}}/backups/{offered}/members");
    world.cbr(&world.admin).post(&path, to).await.expect(200);
    (world, owner, own, offered)
}

#[tokio::test]
async fn a_foreign_id_answers_as_an_id_of_nothing_wherever_there_is_one() {
    let (world, owner, own, offered) = scene().await;
    let to = json!({"members": [world.admin.project]});
    let path = format!("/v3/{{p}}/backups/{}/members", owner.disk_backup);
    let shared = world.cbr(&owner.access).post(&path, to).await.expect(200);
    let mut foreign = owner.ids();
    foreign.push(text(&shared["members"][0]["id"]));
    let before = owner.dump(&world).await;
    let table = entries(&own, &offered);
    // Of a member, and of an administrator of its project alone.
    for client in [world.cbr(&own.access), world.cbr(&own.admin)] {
        for operation in operations() {
            for entry in table.iter().filter(|entry| entry.operation == operation.name) {
                for attempt in attempts(&operation, entry, &own) {
                    assert_hidden(&client, &attempt, &foreign).await;
                }
            }
        }
    }
    assert!(owner.dump(&world).await == before, "what is another's has changed");
    world.settle().await;
    assert!(owner.dump(&world).await == before, "work on what is another's was begun");
}

#[tokio::test]
async fn every_operation_and_every_id_of_it_is_tried() {
    let (_, _, own, offered) = scene().await;
    let table = entries(&own, &offered);
    let operations = operations();
    for operation in &operations {
        let of: Vec<_> = table.iter().filter(|entry| entry.operation == operation.name).collect();
        assert!(!of.is_empty(), "{} has no entry", operation.name);
        let pointers = of.iter().flat_map(|entry| entry.pointers);
        let mut tried: BTreeSet<String> = pointers.map(|pointer| place(pointer)).collect();
        let spared = SPARED.iter().filter(|(name, ..)| *name == operation.name);
        tried.extend(spared.map(|(_, place, _)| (*place).to_owned()));
        let untried: Vec<_> = operation.in_body.difference(&tried).collect();
        assert!(untried.is_empty(), "{}: {untried:?}", operation.name);
    }
    let unknown = table.iter().find(|it| operations.iter().all(|one| one.name != it.operation));
    assert!(unknown.is_none(), "{}", unknown.unwrap().operation);
}

#[tokio::test]
async fn an_agent_of_the_same_id_is_another_projects_own() {
    let (world, alpha, beta) = World::with_projects().await;
    let id = "5f1c2a9e-0000-4000-8000-000000000001";
    let wish = |name: &str| {
        json!({"agent": {
            "agent_id": id, "host_ip": "10.0.0.7", "host_name": name, "host_os": "Linux",
        }})
    };
    let (owner, other) = (world.cbr(&alpha.member), world.cbr(&beta.member));
    let made = owner.post("/v3/{p}/agents", wish("first")).await.expect(200);
    other.post("/v3/{p}/agents", wish("second")).await.expect(200);
    let path = format!("/v3/{{p}}/agents/{id}");
    assert_eq!(owner.get(&path).await.expect(200), made);
    other.delete(&path).await.expect(200);
    assert_eq!(owner.get(&path).await.expect(200), made);
}
