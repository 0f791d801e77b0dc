//! One request of a known caller: all that a handler needs.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use strongroom_model::identity::User;
use strongroom_service::identity::Proved;
use strongroom_service::{Caller, Service};

use super::IdentitySettings;
use super::refusal::Refusal;
use crate::query::Query;
use crate::reply::Reply;

/// What a handler gives back.
pub(super) type Answer = Result<Reply, Refusal>;

/// A request whose caller is known.
#[derive(Debug)]
pub(super) struct Ask {
    /// The rules.
    pub(super) service: Service,
    /// The settings of the door.
    pub(super) settings: Arc<IdentitySettings>,
    /// Who asks.
    pub(super) caller: Caller,
    /// The same, with what proved it.
    pub(super) proved: Proved,
    /// The token that is asked about.
    pub(super) subject: Option<String>,
    /// The query.
    pub(super) query: Query,
    /// The body, if it is one that counts.
    pub(super) body: Option<Bytes>,
}

impl Ask {
    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, Refusal> {
        parse(self.body.as_ref())
    }

    /// The user that asks.
    pub(super) async fn own_user(&self) -> Result<User, Refusal> {
        Ok(self.service.user(&self.caller, self.caller.user_id.as_str()).await?)
    }

    /// The address of a thing below version 3.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}/v3/{path}", self.settings.identity_endpoint)
    }
}

/// A body as JSON.
pub(super) fn parse(body: Option<&Bytes>) -> Result<Value, Refusal> {
    let body = body.ok_or_else(|| Refusal::bad_request("The request has no JSON body."))?;
    serde_json::from_slice(body)
        .map_err(|_| Refusal::bad_request("The request body is not valid JSON."))
}
