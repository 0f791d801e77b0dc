//! One request of a known caller for one operation: all that a handler needs.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use strongroom_service::{Caller, Service};

use super::CbrSettings;
use super::fault::Fault;
use super::fields::Fields;
use super::query::Query;
use crate::reply::Reply;

/// What a handler gives back.
pub(super) type Answer = Result<Reply, Fault>;

/// A request whose caller is known.
#[derive(Debug)]
pub(super) struct Call {
    /// The rules.
    pub(super) service: Service,
    /// The settings of the door.
    pub(super) settings: Arc<CbrSettings>,
    /// Who asks, and the id of the request.
    pub(super) caller: Caller,
    /// The address that the client used, without a slash at the end.
    pub(super) origin: String,
    /// The query.
    pub(super) query: Query,
    /// The body, empty if there is none.
    pub(super) body: Bytes,
}

impl Call {
    /// The body as JSON, to be read with [`Fields::of`]. An absent one is refused.
    pub(super) fn json(&self) -> Result<Value, Fault> {
        if self.body.is_empty() {
            return Err(Fault::invalid("A request body is needed."));
        }
        let value: Value = serde_json::from_slice(&self.body)
            .map_err(|_| Fault::invalid("The request body is not JSON."))?;
        Fields::of(&value).map(|_| ())?;
        Ok(value)
    }

    /// The id of the request.
    pub(super) fn request_id(&self) -> &str {
        &self.caller.request_id
    }
}
