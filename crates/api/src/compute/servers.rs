//! Servers, newest first.

use serde_json::{Value, json};
use strongroom_model::id::{ProjectId, ServerId};
use strongroom_model::page::Start;
use strongroom_model::server::{Server, ServerStatus};
use strongroom_service::Error;
use strongroom_service::servers::documents::server_document;
use strongroom_service::servers::{Place, ServerFilter, ServerListing};

use super::{Answer, Call, paging};
use crate::fault::Fault;
use crate::query::parse_bool;
use crate::reply::Reply;

/// The right to see those of every project.
const SEE_ALL: &str = "os_compute_api:servers:index:get_all_tenants";

/// How a list shows each server.
#[derive(Debug, Clone, Copy)]
pub(super) enum View {
    /// Its name.
    Summary,
    /// All its fields.
    Detail,
}

/// `GET /servers` and `GET /servers/detail`.
pub(super) async fn list(call: &Call, view: View) -> Answer {
    let limit = paging::limit(call)?;
    let listing = ServerListing {
        all_projects: all_projects(call)?,
        filters: filters(call)?,
        start: start(call)?,
        limit,
        with_total: false,
    };
    let page = call.service.servers(&call.caller, listing).await.map_err(|error| match error {
        Error::MarkerNotFound(id) => paging::no_marker(&id),
        other => other.into(),
    })?;
    let (path, show): (&str, fn(&Call, &Server) -> Value) = match view {
        View::Summary => ("servers", summary),
        View::Detail => ("servers/detail", detail),
    };
    let items = page.items.iter().map(|server| show(call, server)).collect();
    Ok(Reply::ok(paging::document(call, path, limit, items)))
}

/// `GET /servers/ID`.
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let server = call.service.server(&call.caller, id).await?;
    Ok(Reply::ok(json!({"server": detail(call, &server)})))
}

fn summary(call: &Call, server: &Server) -> Value {
    let links = paging::links(call, &format!("servers/{}", server.id));
    json!({"id": server.id.to_string(), "name": server.name, "links": links})
}

fn detail(call: &Call, server: &Server) -> Value {
    let mut document = server_document(server, &Place { compute: &call.origin, volume: "" });
    document["links"] = paging::links(call, &format!("servers/{}", server.id));
    document
}

fn all_projects(call: &Call) -> Result<bool, Fault> {
    // Without a value it is a wish all the same.
    let wish = call.query.get("all_tenants").or(call.query.get("all_projects"));
    let is_wanted = wish.is_some_and(|word| word.is_empty() || parse_bool(word) == Some(true));
    if is_wanted {
        call.caller.require_cloud_admin(SEE_ALL)?;
    }
    Ok(is_wanted)
}

fn start(call: &Call) -> Result<Start<ServerId>, Fault> {
    match call.query.get("marker").filter(|marker| !marker.is_empty()) {
        None => Ok(Start::default()),
        Some(marker) => {
            ServerId::parse(marker).map(Start::After).map_err(|_| paging::no_marker(marker))
        }
    }
}

/// What the query demands. What Nova would not look at either is not looked at.
fn filters(call: &Call) -> Result<Vec<ServerFilter>, Fault> {
    let mut filters = Vec::new();
    for (key, value) in call.query.iter() {
        let filter = match key {
            "name" | "display_name" => name(value),
            "status" => ServerStatus::parse(value).map_or_else(never, ServerFilter::Status),
            "uuid" => {
                ServerId::parse(value).map_or_else(|_| never(), |id| ServerFilter::Ids(vec![id]))
            }
            "availability_zone" => ServerFilter::AvailabilityZone(value.to_owned()),
            "flavor" => ServerFilter::Flavor(value.to_owned()),
            "project_id" | "tenant_id" if call.caller.is_admin() => {
                ProjectId::parse(value).map_or_else(|_| never(), ServerFilter::Project)
            }
            // Nothing that was removed is kept.
            "deleted" if parse_bool(value) == Some(true) => never(),
            "sort_key" if value != "created_at" => return Err(no_sorting()),
            "sort_dir" if value != "desc" => return Err(no_sorting()),
            _ => continue,
        };
        filters.push(filter);
    }
    Ok(filters)
}

fn no_sorting() -> Fault {
    Fault::bad_request("Servers are sorted by created_at, desc, and by nothing else.")
}

/// The condition that no server meets.
fn never() -> ServerFilter {
    ServerFilter::Ids(Vec::new())
}

/// A name as Nova reads it, which takes it for a pattern: of patterns there are `^` and `$`, and
/// a backslash before a letter that is meant as it is.
fn name(pattern: &str) -> ServerFilter {
    let (at_start, rest) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let (at_end, rest) = match rest.strip_suffix('$') {
        Some(rest) if !rest.ends_with('\\') => (true, rest),
        _ => (false, rest),
    };
    let (mut text, mut letters) = (String::new(), rest.chars());
    while let Some(letter) = letters.next() {
        text.push(if letter == '\\' { letters.next().unwrap_or(letter) } else { letter });
    }
    ServerFilter::Name { text, at_start, at_end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_tied_to_either_end() {
        let table = [
            ("web", "web", false, false),
            ("^web", "web", true, false),
            ("web$", "web", false, true),
            ("^web$", "web", true, true),
            (r"^web\-1\.a$", "web-1.a", true, true),
            (r"a\$", "a$", false, false),
            ("", "", false, false),
        ];
        for (pattern, text, at_start, at_end) in table {
            let expected = ServerFilter::Name { text: text.to_owned(), at_start, at_end };
            assert_eq!(name(pattern), expected, "{pattern}");
        }
    }
}
