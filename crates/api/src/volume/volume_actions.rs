//! What one may do to a volume by `POST /volumes/ID/action`.

use axum::http::StatusCode;
use serde_json::Value;
use strongroom_model::volume::VolumeStatus;
use strongroom_service::volume::{VolumeChange, VolumeDeletion};

use super::call::{Answer, Call};
use super::validate::{self, Fields};
use super::volumes::read_size;
use crate::fault::Fault;
use crate::reply::Reply;

/// `POST /volumes/ID/action`.
pub(super) async fn act(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let (name, _) = validate::action(&body)?;
    let (service, caller) = (&call.service, &call.caller);
    match name {
        "os-reset_status" => {
            let status = read_status(&body)?;
            service.reset_volume(caller, id, status).await?;
        }
        "os-extend" => {
            let size = Fields::of(&body, name)?.required("new_size")?;
            let size = read_size("new_size", size)?;
            service.extend_volume(caller, id, size).await?;
        }
        "os-set_bootable" => return set_bootable(call, id, &body).await,
        "os-attach" => service.attach_volume(caller, id, true).await?,
        "os-detach" => service.attach_volume(caller, id, false).await?,
        "os-force_delete" => {
            let options = VolumeDeletion { is_forced: true, ..Default::default() };
            service.delete_volume(caller, id, options).await?;
        }
        "os-reserve" => service.reserve_volume(caller, id, true).await?,
        "os-unreserve" => service.reserve_volume(caller, id, false).await?,
        // Steps around an attachment that mean nothing where no server attaches.
        "os-begin_detaching" | "os-roll_detaching" => {
            service.volume(caller, id).await?;
        }
        other => return Err(validate::no_action(other)),
    }
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

async fn set_bootable(call: &Call, id: &str, body: &Value) -> Answer {
    let fields = Fields::of(body, "os-set_bootable")?;
    let is_bootable = validate::flag("bootable", fields.required("bootable")?)?;
    let change = VolumeChange { is_bootable: Some(is_bootable), ..Default::default() };
    call.service.update_volume(&call.caller, id, change).await?;
    Ok(Reply::empty(StatusCode::OK))
}

fn read_status(body: &Value) -> Result<VolumeStatus, Fault> {
    let value = Fields::of(body, "os-reset_status")?.required("status")?;
    let word =
        value.as_str().ok_or_else(|| validate::mistyped("status", value, "'string', 'null'"))?;
    VolumeStatus::parse(&word.to_ascii_lowercase()).ok_or_else(|| {
        let why = format!("{} is not a status of a volume", crate::json::repr(value));
        validate::invalid("status", value, &why)
    })
}
