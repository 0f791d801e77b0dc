//! Agents in servers.

use axum::http::StatusCode;
use serde_json::{Value, json};
use strongroom_model::agent::{Agent, AgentKind, AgentPath, AgentStatus};
use strongroom_model::id::{AgentId, ServerId};
use strongroom_service::agent::{AGENT_PATHS_MAX, AgentFilter, NewAgent, NewAgentPath, PathsDone};

use super::call::{Answer, Call};
use super::code::Code;
use super::fault::Fault;
use super::fields::{Field, Fields, Text, any_text, some_text};
use super::{paging, time};
use crate::reply::Reply;

/// The most servers that are asked about at once.
const MAX_CHECKED: usize = 1000;

/// A directory, from its root.
const DIRECTORY: Text = some_text(4096);

/// `POST /agent/check`. A server has an agent if one has registered that goes by the server's id.
pub(super) async fn check(call: &Call) -> Answer {
    let body = call.json()?;
    let body = Fields::of(&body)?;
    let asked = body.required("agent_status", |it| {
        it.each(1..=MAX_CHECKED, |server| {
            let server = server.object()?;
            server.required("resource_type", |it| {
                it.word(|word| CHECKED_TYPES.contains(&word).then_some(()))
            })?;
            server.optional("resource_name", |it| it.text(any_text(255)))?;
            server.required("resource_id", |it| it.text(some_text(64)).map(str::to_owned))
        })
    })?;
    let ids: Vec<_> = asked.iter().filter_map(|id| ServerId::parse(id).ok()).collect();
    let known = call.service.servers_named(&call.caller, &ids).await?;
    let agents = call.service.agents(&call.caller, &AgentFilter::default()).await?;
    let answers = asked.iter().map(|id| {
        let agent = AgentId::parse(id).ok().and_then(|id| {
            agents.iter().find(|agent| agent.id == id && agent.status == AgentStatus::Normal)
        });
        let is_known = ServerId::parse(id).is_ok_and(|id| known.contains(&id));
        match agent {
            Some(Agent { version: Some(version), .. }) => {
                json!({"resource_id": id, "installed": true, "version": version})
            }
            Some(_) => json!({"resource_id": id, "installed": true}),
            None if is_known => json!({"resource_id": id, "installed": false}),
            None => json!({
                "resource_id": id,
                "installed": false,
                "code": SERVER_NOT_FOUND,
                "message": format!("Server {id} not found."),
            }),
        }
    });
    Ok(Reply::ok(json!({"agent_status": answers.collect::<Vec<_>>()})))
}

/// The digits of [`Code::ServerNotFound`], which this answer has as a number.
const SERVER_NOT_FOUND: u16 = 7100;

/// What can have an agent.
const CHECKED_TYPES: [&str; 2] = ["OS::Nova::Server", "OS::Ironic::BareMetalServer"];

/// `GET /agents`.
pub(super) async fn list(call: &Call) -> Answer {
    let page = paging::read(&call.query, AgentId::parse)?;
    let filter = AgentFilter {
        status: call.query.optional("status", |it| it.word(AgentStatus::parse))?,
        ids: call.query.each("agent_id", |it| it.id(AgentId::parse))?,
    };
    let agents = call.service.agents(&call.caller, &filter).await?;
    let total = u64::try_from(agents.len()).unwrap_or(u64::MAX);
    let items = page.cut(agents, |agent, id| agent.id == *id).iter().map(view).collect();
    Ok(Reply::ok(page.document("agents", items, total)))
}

/// `POST /agents`.
pub(super) async fn register(call: &Call) -> Answer {
    let body = call.json()?;
    let agent = Fields::of(&body)?.object("agent")?;
    let invalid_id = |it: Field<'_>| {
        let id = it.id(AgentId::parse);
        id.map_err(|_| Fault::new(Code::InvalidAgent, "Invalid agent.agent_id provided."))
    };
    let text = |key| agent.required(key, |it| it.text(some_text(255)).map(str::to_owned));
    let new = NewAgent {
        id: agent.required("agent_id", invalid_id)?,
        kind: agent
            .optional("agent_type", |it| it.word(AgentKind::parse))?
            .unwrap_or(AgentKind::Cloud),
        version: agent.optional("agent_version", version)?,
        host_ip: text("host_ip")?,
        host_name: text("host_name")?,
        host_nickname: agent
            .optional("host_nickname", |it| it.text(any_text(255)).map(str::to_owned))?,
        host_os: text("host_os")?,
    };
    let agent = call.service.register_agent(&call.caller, new).await?;
    Ok(Reply::ok(json!({"agent": view(&agent)})))
}

/// Three numbers between dots.
fn version(field: Field<'_>) -> Result<String, Fault> {
    let text = field.text(some_text(32))?;
    let numbers: Vec<&str> = text.split('.').collect();
    let is_number = |it: &&str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
    if numbers.len() == 3 && numbers.iter().all(is_number) {
        Ok(text.to_owned())
    } else {
        Err(field.refuse("three numbers between dots are needed"))
    }
}

/// `GET /agents/{agent_id}`.
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let agent = call.service.agent(&call.caller, id).await?;
    Ok(Reply::ok(json!({"agent": view(&agent)})))
}

/// `PUT /agents/{agent_id}`: the one thing that an agent can be told is to remove itself.
pub(super) async fn update(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let agent = Fields::of(&body)?.object("agent")?;
    agent.required("status", |it| it.word(|word| (word == "uninstall").then_some(())))?;
    let agent = call.service.uninstall_agent(&call.caller, id).await?;
    Ok(Reply::ok(json!({"agent": view(&agent)})))
}

/// `DELETE /agents/{agent_id}`: 200, unlike every other removal.
pub(super) async fn remove(call: &Call, id: &str) -> Answer {
    call.service.remove_agent(&call.caller, id).await?;
    Ok(Reply::empty(StatusCode::OK))
}

/// `POST /agents/{agent_id}/add-path`.
pub(super) async fn add_paths(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let body = Fields::of(&body)?;
    let mut wanted: Vec<NewAgentPath> = Vec::new();
    for directory in body.required("add_path", directories)? {
        if wanted.iter().all(|it| it.directory != directory) {
            wanted.push(NewAgentPath { directory, excluded: None });
        }
    }
    let excluded = body.optional("exclude_path", |it| it.each(0..=AGENT_PATHS_MAX, exclusion))?;
    for (at, (directory, excluded)) in excluded.into_iter().flatten().enumerate() {
        let path = wanted.iter_mut().find(|it| it.directory == directory);
        let path = path.ok_or_else(|| {
            Fault::invalid(format!(
                "Invalid exclude_path[{at}] provided: it is of no path in add_path."
            ))
        })?;
        path.excluded = Some(excluded);
    }
    let told = call.service.add_agent_paths(&call.caller, id, &wanted).await?;
    Ok(done(["added", "existed"], told))
}

/// `POST /agents/{agent_id}/remove-path`.
pub(super) async fn remove_paths(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let directories = Fields::of(&body)?.required("remove_path", directories)?;
    let told = call.service.remove_agent_paths(&call.caller, id, &directories).await?;
    Ok(done(["removed", "not_existed"], told))
}

fn done([done, not_done]: [&str; 2], told: PathsDone) -> Reply {
    Reply::ok(json!({done: told.done, not_done: told.not_done}))
}

fn directories(field: Field<'_>) -> Result<Vec<String>, Fault> {
    field.each(1..=AGENT_PATHS_MAX, |it| directory(&it))
}

/// A directory from its root, as Unix or as Windows has it. Nobody looks whether it is there.
fn directory(field: &Field<'_>) -> Result<String, Fault> {
    let text = field.text(DIRECTORY)?;
    let bytes = text.as_bytes();
    let is_of_windows = bytes.len() >= 3
        && bytes[0].is_ascii_alphabetic()
        && bytes[1] == b':'
        && [b'\\', b'/'].contains(&bytes[2]);
    if text.starts_with('/') || is_of_windows {
        Ok(text.to_owned())
    } else {
        Err(field.refuse("an absolute path is needed"))
    }
}

/// A directory and what in it is left out, which answers join with commas.
fn exclusion(field: Field<'_>) -> Result<(String, Vec<String>), Fault> {
    let fields = field.object()?;
    let path = fields.required("path_name", |it| directory(&it))?;
    let excluded = fields.required("exclude_path_name", |it| {
        it.each(0..=AGENT_PATHS_MAX, |it| {
            let text = it.text(DIRECTORY)?;
            if text.contains(',') {
                return Err(it.refuse("it holds a comma"));
            }
            Ok(text.to_owned())
        })
    })?;
    Ok((path, excluded))
}

fn view(agent: &Agent) -> Value {
    let paths: Vec<Value> = agent.paths.iter().map(|path| path_view(agent, path)).collect();
    json!({
        "agent_id": agent.id.to_string(),
        "agent_type": agent.kind.as_str(),
        "agent_version": agent.version,
        "host_ip": agent.host_ip,
        "host_name": agent.host_name,
        "host_nickname": agent.host_nickname,
        "host_os": agent.host_os,
        "status": agent.status.as_str(),
        "created_at": time::write(agent.created_at),
        "updated_at": agent.updated_at.map(time::write),
        "last_active_time": time::write(agent.last_active_at),
        "paths": paths,
    })
}

fn path_view(agent: &Agent, path: &AgentPath) -> Value {
    json!({
        "id": path.id.to_string(),
        "agent_id": agent.id.to_string(),
        "dir_path": path.directory,
        "status": "available",
        "exclude_paths": path.excluded.join(","),
    })
}
