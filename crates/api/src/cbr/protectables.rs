//! What can be protected.

use serde_json::{Value, json};
use strongroom_model::id::ServerId;
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_service::Refusal;
use strongroom_service::protectable::{Protectable, ProtectableListing};

use super::backups::enterprise_project;
use super::call::{Answer, Call};
use super::code::Code;
use super::fault::Fault;
use super::{paging, refusal, vault_document};
use crate::reply::Reply;

/// The most items of a page.
const MAX_ITEMS: u32 = 50;

/// The enterprise project of whatever was put into none.
const NO_ENTERPRISE_PROJECT: &str = "0";

/// What stands in the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Servers,
    Disks,
    /// What can be protected elsewhere, and is not to be found here.
    Others,
}

impl Type {
    fn parse(word: &str) -> Result<Self, Fault> {
        match word {
            "server" => Ok(Self::Servers),
            "disk" => Ok(Self::Disks),
            "turbo" | "workspace" | "workspace_v2" => Ok(Self::Others),
            _ => Err(Fault::new(
                Code::InvalidResourceType,
                "Invalid protectable_type provided: the value is not one of those that exist.",
            )),
        }
    }
}

/// `GET /protectables/{protectable_type}/instances`.
pub(super) async fn list(call: &Call, of: &str) -> Answer {
    let of = Type::parse(of)?;
    let page = paging::read_at_most(&call.query, MAX_ITEMS, ResourceId::parse)?;
    let text = |key: &str| call.query.optional(key, |it| it.string().map(str::to_owned));
    let listing = ProtectableListing {
        name: text("name")?,
        status: text("status")?,
        id: call.query.optional("id", |it| it.id(ResourceId::parse))?,
        server_id: call.query.optional("server_id", |it| it.id(ServerId::parse))?,
        start: page.start,
        limit: page.limit,
    };
    let enterprise_project = enterprise_project(&call.query)?;
    let is_elsewhere = enterprise_project.is_some_and(|id| id != NO_ENTERPRISE_PROJECT);
    let found = match of {
        _ if is_elsewhere => Vec::new(),
        Type::Servers => call.service.protectable_servers(&call.caller, listing).await?,
        Type::Disks => call.service.protectable_disks(&call.caller, listing).await?,
        Type::Others => Vec::new(),
    };
    let instances: Vec<Value> = found.iter().map(view).collect();
    Ok(Reply::ok(json!({ "instances": instances })))
}

/// `GET /protectables/{protectable_type}/instances/{instance_id}`.
pub(super) async fn show(call: &Call, of: &str, id: &str) -> Answer {
    let found = match Type::parse(of)? {
        Type::Servers => call.service.protectable_server(&call.caller, id).await?,
        Type::Disks => call.service.protectable_disk(&call.caller, id).await?,
        Type::Others => {
            return Err(Fault::new(Code::ResourceNotFound, format!("Resource {id} not found.")));
        }
    };
    Ok(Reply::ok(json!({"instance": view(&found)})))
}

fn view(found: &Protectable) -> Value {
    let (code, message) = match &found.obstacle {
        Some((reason, message)) => (code(*reason, found.kind).text(), message.as_str()),
        None => (String::new(), ""),
    };
    json!({
        "id": found.id.to_string(),
        "name": found.name,
        "type": found.kind.as_str(),
        "size": found.size.0,
        "status": found.status,
        "protectable": {
            "result": found.obstacle.is_none(),
            "code": code,
            "reason": message,
            "message": message,
            "vault": found.vault.as_ref().map(vault_document::vault),
        },
        "detail": found.detail,
        "children": found.children.iter().map(view).collect::<Vec<_>>(),
    })
}

/// The code of what stands in the way.
fn code(reason: Refusal, kind: ResourceKind) -> Code {
    match (reason, kind) {
        (Refusal::ResourceState, ResourceKind::Volume) => Code::DiskStatusForbidsBackup,
        (Refusal::ResourceState, _) => Code::ServerStatusForbidsBackup,
        (other, _) => refusal::code(other),
    }
}
