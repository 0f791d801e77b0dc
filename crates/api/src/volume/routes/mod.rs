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

use std::pin::Pin;

use axum::http::Method;

use super::call::{Answer, Call};
use crate::fault::Fault;

/// What a handler's future is while it runs.
pub(super) type Running<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// A handler: the request and what the path's parameters stand for, in their order.
pub(super) type Handler = for<'a> fn(&'a Call, &'a [&'a str]) -> Running<'a>;

/// One operation.
#[derive(Debug)]
pub(super) struct Route {
    /// Its name: unique, and that of its description in the OpenAPI document.
    pub(super) id: &'static str,
    /// Its method.
    pub(super) method: &'static str,
    /// Its path below version and project, with `{name}` for each parameter.
    pub(super) path: &'static str,
    /// What answers it.
    pub(super) run: Handler,
}

/// Writes a table of operations: `"id" METHOD "path" => |call, parameter…| answer;`
macro_rules! routes {
    ($($id:literal $method:ident $path:literal => |$call:ident $(, $name:ident)*| $answer:expr;)*) => {
        &[$($crate::volume::routes::Route {
            id: $id,
            method: stringify!($method),
            path: $path,
            run: |$call, parameters| Box::pin(async move {
                let mut parameters = parameters.iter().copied();
                $(let $name = parameters.next().unwrap_or_default();)*
                debug_assert!(parameters.next().is_none(), "a parameter of {} is not read", $path);
                $answer
            }),
        }),*]
    };
}
use routes;

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

/// What a path's parameters stand for, if the segments fit it.
fn matches<'a>(path: &str, segments: &'a [String]) -> Option<Vec<&'a str>> {
    let mut parameters = Vec::new();
    let mut segments = segments.iter();
    for word in path.split('/') {
        let segment = segments.next()?;
        if word.starts_with('{') {
            parameters.push(segment.as_str());
        } else if word != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own_and_can_be_reached() {
        let mut names = BTreeSet::new();
        for route in all() {
            assert!(names.insert(route.id), "{} twice", route.id);
            let sample = route.path.replace(['{', '}'], "");
            let segments: Vec<String> = sample.split('/').map(str::to_owned).collect();
            let first = all().find(|other| {
                other.method == route.method && matches(other.path, &segments).is_some()
            });
            assert_eq!(first.map(|found| found.id), Some(route.id), "{} is hidden", route.path);
        }
    }

    #[test]
    fn a_path_fits_whole_or_not_at_all() {
        let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let fits = |path, sample: &str| {
            let segments = segments(sample);
            matches(path, &segments).map(|found| found.join(" "))
        };
        assert_eq!(fits("a/{x}/b/{y}", "a/1/b/2").as_deref(), Some("1 2"));
        for sample in ["a/1/b", "a/1/b/2/c", "a/1/c/2", "b/1/b/2"] {
            assert_eq!(fits("a/{x}/b/{y}", sample), None, "{sample}");
        }
    }
}
