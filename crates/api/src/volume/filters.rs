//! Which items of a list are asked for.

use super::call::Call;
use super::microversion::Feature;
use crate::fault::Fault;
use crate::query::parse_bool;

/// Parameters of a list that choose a page or an order and are no conditions.
const NO_FILTERS: [&str; 7] =
    ["limit", "marker", "offset", "sort", "sort_key", "sort_dir", "all_tenants"];

/// The conditions of a query, and the two flags that look like some.
#[derive(Debug)]
pub(super) struct Filters<F> {
    /// What must hold.
    pub(super) conditions: Vec<F>,
    /// Those of every project.
    pub(super) all_projects: bool,
    /// Count the whole list.
    pub(super) with_total: bool,
}

/// Reads the conditions. `known` says what a parameter means, if anything. What means nothing is
/// dropped before microversion 3.31 and refused from there on; to an admin it is a condition that
/// nothing meets, which `never` is.
pub(super) fn read<F>(
    call: &Call,
    known: impl Fn(&str, &str) -> Option<F>,
    never: impl Fn() -> F,
) -> Result<Filters<F>, Fault> {
    let all_projects = flag(call, "all_tenants", |value| {
        format!("all_tenants must be a boolean, got '{value}'.")
    })?;
    let counts = call.version.has(Feature::Count);
    let with_total = counts
        && flag(call, "with_count", |value| {
            format!("Value '{value}' for 'with_count' is not a boolean.")
        })?;
    let (mut conditions, mut unknown) = (Vec::new(), Vec::new());
    for (key, value) in call.query.iter() {
        if NO_FILTERS.contains(&key) || (counts && key == "with_count") {
            continue;
        }
        match known(key, value) {
            Some(condition) => conditions.push(condition),
            None if call.caller.is_admin() => conditions.push(never()),
            None => unknown.push(key),
        }
    }
    if call.version.has(Feature::StrictFilters) && !unknown.is_empty() {
        return Err(Fault::bad_request(format!(
            "Invalid filters {} are found in query options.",
            unknown.join(",")
        )));
    }
    Ok(Filters { conditions, all_projects, with_total })
}

fn flag(call: &Call, key: &str, refusal: impl Fn(&str) -> String) -> Result<bool, Fault> {
    match call.query.get(key) {
        None => Ok(false),
        Some(value) => parse_bool(value).ok_or_else(|| Fault::bad_request(refusal(value))),
    }
}
