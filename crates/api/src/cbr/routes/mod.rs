//! The table of operations: method and path to handler. What is not in it does not exist.
//!
//! One file per family of operations; its area decides over the codes of its refusals.

mod agents;
mod backups;
mod checkpoints;
mod domain;
mod features;
mod members;
mod operation_logs;
mod orders;
mod organization_policies;
mod policies;
mod protectables;
mod replication;
mod storage;
mod tags;
mod vaults;

use axum::http::Method;

use super::call::{Answer, Call};
use super::fault::{Area, Fault};
use crate::routing::{self, matches};

/// One operation of this door.
pub(super) type Route = routing::Route<Call, Answer>;

/// The families whose paths are below `/v3/{project_id}`.
const OF_PROJECT: [(Area, &[Route]); 14] = [
    (Area::Vault, vaults::ROUTES),
    (Area::Tag, tags::ROUTES),
    (Area::Backup, backups::ROUTES),
    (Area::Member, members::ROUTES),
    (Area::Policy, policies::ROUTES),
    (Area::Checkpoint, checkpoints::ROUTES),
    (Area::OperationLog, operation_logs::ROUTES),
    (Area::Protectable, protectables::ROUTES),
    (Area::Agent, agents::ROUTES),
    (Area::OrganizationPolicy, organization_policies::ROUTES),
    (Area::Feature, features::ROUTES),
    (Area::Storage, storage::ROUTES),
    (Area::Order, orders::ROUTES),
    (Area::Replication, replication::ROUTES),
];

/// The family whose paths are below `/v3`.
const OF_DOMAIN: [(Area, &[Route]); 1] = [(Area::Domain, domain::ROUTES)];

/// Every operation with what comes before its path. The first that matches answers, so words stand
/// before parameters: a vault cannot be named `summary`.
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static Route)> {
    let below = |prefix, families: &'static [(Area, &'static [Route])]| {
        families.iter().flat_map(|(_, routes)| *routes).map(move |route| (prefix, route))
    };
    below("/v3", &OF_DOMAIN).chain(below("/v3/{project_id}", &OF_PROJECT))
}

/// An operation that a request asks for.
#[derive(Debug)]
pub(super) struct Found<'a> {
    /// What it is about.
    pub(super) area: Area,
    /// The operation.
    pub(super) route: &'static Route,
    /// What the parameters of its path stand for.
    pub(super) parameters: Vec<&'a str>,
}

/// Finds the operation of a request: below a project, or without one.
pub(super) fn find<'a>(
    is_of_project: bool,
    method: &Method,
    rest: &'a [String],
) -> Result<Found<'a>, Fault> {
    let families: &[(Area, &'static [Route])] =
        if is_of_project { &OF_PROJECT } else { &OF_DOMAIN };
    let mut is_path_known = false;
    for (area, routes) in families {
        for route in *routes {
            let Some(parameters) = matches(route.path, rest) else { continue };
            if route.method == method.as_str() {
                return Ok(Found { area: *area, route, parameters });
            }
            is_path_known = true;
        }
    }
    Err(if is_path_known { Fault::no_method() } else { Fault::no_route() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own_and_can_be_reached() {
        for families in [&OF_PROJECT[..], &OF_DOMAIN[..]] {
            let routes: Vec<&Route> = families.iter().flat_map(|(_, routes)| *routes).collect();
            routing::tests::assert_reachable(&routes);
        }
    }
}
