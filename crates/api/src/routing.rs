//! Tables of operations: method and path to handler. What is not in a door's table does not exist
//! behind that door.
//!
//! A door says what a call and an answer are and keeps its own table, in files of one family each.
//! The same table is what its OpenAPI document is made from.

use std::pin::Pin;

/// What a handler's future is while it runs.
pub(crate) type Running<'a, A> = Pin<Box<dyn Future<Output = A> + Send + 'a>>;

/// A handler: the request and what the path's parameters stand for, in their order.
pub(crate) type Handler<C, A> = for<'a> fn(&'a C, &'a [&'a str]) -> Running<'a, A>;

/// One operation.
#[derive(Debug)]
pub(crate) struct Route<C, A> {
    /// Its name: unique behind its door, and that of its description in the OpenAPI document.
    pub(crate) id: &'static str,
    /// Its method.
    pub(crate) method: &'static str,
    /// Its path below version and project, with `{name}` for each parameter.
    pub(crate) path: &'static str,
    /// What answers it.
    pub(crate) run: Handler<C, A>,
}

/// Writes a table of operations: `"id" METHOD "path" => |call, parameter…| answer;`. The file that
/// uses it has a `Route` that is [`Route`] for its door.
macro_rules! routes {
    ($($id:literal $method:ident $path:literal => |$call:ident $(, $name:ident)*| $answer:expr;)*) => {
        &[$(Route {
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
pub(crate) use routes;

/// What a path's parameters stand for, if the segments fit it.
pub(crate) fn matches<'a>(path: &str, segments: &'a [String]) -> Option<Vec<&'a str>> {
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
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Asserts that names are unique and that no route hides another.
    pub(crate) fn assert_reachable<C, A>(routes: &[&Route<C, A>]) {
        let mut names = BTreeSet::new();
        for route in routes {
            assert!(names.insert(route.id), "{} twice", route.id);
            let sample = route.path.replace(['{', '}'], "");
            let segments: Vec<String> = sample.split('/').map(str::to_owned).collect();
            let first = routes.iter().find(|other| {
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
