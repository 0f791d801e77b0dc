//! What is attached to a server: its disks and its interfaces.

use serde_json::{Value, json};
use strongroom_model::id::{PortId, VolumeId};
use strongroom_service::servers::Attachment;
use strongroom_service::servers::documents::{interface_documents, interfaces_document};

use super::{Answer, Call};
use crate::fault::Fault;
use crate::reply::Reply;

/// `GET /servers/ID/os-volume_attachments`.
pub(super) async fn disks(call: &Call, id: &str) -> Answer {
    let server = call.service.server(&call.caller, id).await?;
    let views: Vec<Value> = Attachment::all_of(&server).iter().map(disk_view).collect();
    Ok(Reply::ok(json!({"volumeAttachments": views})))
}

/// `GET /servers/ID/os-volume_attachments/VOLUME_ID`.
pub(super) async fn disk(call: &Call, id: &str, volume: &str) -> Answer {
    let server = call.service.server(&call.caller, id).await?;
    let wanted = VolumeId::parse(volume).ok();
    let all = Attachment::all_of(&server);
    let found = all.iter().find(|attachment| Some(attachment.volume_id) == wanted);
    let missing = || Fault::missing("Volume", volume);
    Ok(Reply::ok(json!({"volumeAttachment": disk_view(found.ok_or_else(missing)?)})))
}

fn disk_view(attachment: &Attachment) -> Value {
    json!({
        "device": attachment.device,
        "id": attachment.volume_id.to_string(),
        "serverId": attachment.server_id.to_string(),
        "volumeId": attachment.volume_id.to_string(),
    })
}

/// `GET /servers/ID/os-interface`.
pub(super) async fn interfaces(call: &Call, id: &str) -> Answer {
    let server = call.service.server(&call.caller, id).await?;
    Ok(Reply::ok(interfaces_document(&server)))
}

/// `GET /servers/ID/os-interface/PORT_ID`.
pub(super) async fn interface(call: &Call, id: &str, port: &str) -> Answer {
    let server = call.service.server(&call.caller, id).await?;
    let wanted = PortId::parse(port).map(|id| id.to_string()).unwrap_or_default();
    let mut views = interface_documents(&server).into_iter();
    let found = views.find(|view| view["port_id"] == wanted);
    let missing = || Fault::missing("Interface", port);
    Ok(Reply::ok(json!({"interfaceAttachment": found.ok_or_else(missing)?})))
}
