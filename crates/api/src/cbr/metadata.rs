//! The documents of what a backup is of: strings that hold JSON.

use serde_json::json;
use strongroom_service::servers::documents::spaced;

use super::backup_view;
use super::call::{Answer, Call};
use crate::reply::Reply;

/// `GET /backups/{backup_id}/metadata`.
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let found = call.service.saved_documents(&call.caller, id).await?;
    let strings = found.documents.strings();
    Ok(Reply::ok(json!({
        "backup_id": found.view.saved.id().to_string(),
        "backups": spaced(&backup_view::bare(&found.view)),
        "server": strings.server,
        "volumes": strings.volumes,
        "interface": strings.interface,
        "flavor": strings.flavor,
        "ports": strings.ports,
        "floatingips": strings.floatingips,
    })))
}
