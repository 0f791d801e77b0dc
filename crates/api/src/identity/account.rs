//! Accounts, as the vendor calls domains where it speaks of who asks.

use serde_json::json;

use super::ask::{Answer, Ask};
use crate::reply::Reply;

/// `GET /v5/caller-identity`.
pub(super) async fn caller_identity(ask: &Ask) -> Answer {
    let user = ask.own_user().await?;
    let account = user.domain_id.as_str();
    Ok(Reply::ok(json!({
        "account_id": account,
        "principal_id": user.id.as_str(),
        "principal_urn": format!("iam::{account}:user:{}", user.name),
    })))
}
