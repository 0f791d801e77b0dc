//! One request of a known caller for one operation: all that a handler needs.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use strongroom_model::id::ProjectId;
use strongroom_model::identity::Role;
use strongroom_service::{Caller, Service};

use super::VolumeSettings;
use super::links::Links;
use super::microversion::{Feature, Version};
use crate::fault::Fault;
use crate::query::{Query, parse_bool};
use crate::reply::Reply;

/// What a handler gives back.
pub(super) type Answer = Result<Reply, Fault>;

/// A request whose caller and version are known.
#[derive(Debug)]
pub(super) struct Call {
    /// The rules.
    pub(super) service: Service,
    /// The settings of the door.
    pub(super) settings: Arc<VolumeSettings>,
    /// Who asks.
    pub(super) caller: Caller,
    /// By which version's rules.
    pub(super) version: Version,
    /// Where links point to.
    pub(super) links: Links,
    /// The query.
    pub(super) query: Query,
    /// The body, if it is one that counts.
    pub(super) body: Option<Bytes>,
}

impl Call {
    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, Fault> {
        let Some(body) = &self.body else {
            return Err(Fault::bad_request("None is not of type 'object'"));
        };
        serde_json::from_slice(body).map_err(|_| Fault::malformed_body())
    }

    /// Refuses, as if there were no such operation, a version that lacks a feature.
    pub(super) fn require(&self, feature: Feature) -> Result<(), Fault> {
        if self.version.has(feature) { Ok(()) } else { Err(Fault::no_route()) }
    }

    /// The project that the caller reads in; `rule` names what is refused to others.
    pub(super) fn project(&self, rule: &'static str) -> Result<&ProjectId, Fault> {
        Ok(self.caller.project(Role::Reader, rule)?)
    }

    /// A flag of the query, false if absent or unintelligible.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.query.get(key).and_then(parse_bool).unwrap_or(false)
    }
}
