//! The table of operations: method and path to handler. What is not in it does not exist.
//!
//! One file per family of operations. The same table is what the OpenAPI document is made from, so
//! that no operation can be served and not be described.

mod backups;
mod cloud_backups;
mod companions;
mod policies;
mod shares;
mod tags;

use axum::http::Method;

use super::call::{Answer, Call};
use crate::fault::Fault;
use crate::routing::{self, matches, routes};

/// One operation of this door.
pub(super) type Route = routing::Route<Call, Answer>;

/// Every operation. The first that matches answers, so words stand before parameters: a backup
/// cannot be named `detail`.
pub(super) fn all() -> impl Iterator<Item = &'static Route> {
    [
        backups::ROUTES,
        cloud_backups::ROUTES,
        shares::ROUTES,
        policies::ROUTES,
        tags::ROUTES,
        companions::ROUTES,
    ]
    .into_iter()
    .flatten()
}

/// Finds the handler of a request and runs it.
pub(super) async fn dispatch(call: &Call, method: &Method, rest: &[String]) -> Answer {
    for route in all().filter(|route| route.method == method.as_str()) {
        if let Some(parameters) = matches(route.path, rest) {
            return (route.run)(call, &parameters).await;
        }
    }
    Err(Fault::no_route())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own_and_can_be_reached() {
        routing::tests::assert_reachable(&all().collect::<Vec<_>>());
    }
}
