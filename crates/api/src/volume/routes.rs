//! The table of operations: method and path to handler. What is not in it does not exist.

use axum::http::Method;

use super::call::{Answer, Call};
use super::metadata::{self, Owner};
use super::{
    backup_view, backups, companions, extensions, quotas, snapshots, volume_actions, volumes,
};
use crate::fault::Fault;

/// Finds the handler of a request and runs it. Words stand before ids, so that a backup cannot be
/// named `detail`.
pub(super) async fn dispatch(call: &Call, method: &Method, rest: &[String]) -> Answer {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match rest.split_first() {
        Some((&"backups", rest)) => of_backups(call, method, rest).await,
        Some((&"volumes", rest)) => of_volumes(call, method, rest).await,
        Some((&"snapshots", rest)) => of_snapshots(call, method, rest).await,
        Some((first, rest)) => of_others(call, method, first, rest).await,
        None => Err(Fault::no_route()),
    }
}

async fn of_backups(call: &Call, method: &Method, rest: &[&str]) -> Answer {
    match (method.as_str(), rest) {
        ("GET", []) => backups::list(call, "backups", backup_view::summary).await,
        ("GET", ["detail"]) => backups::list(call, "backups/detail", backup_view::detail).await,
        ("POST", []) => backups::create(call).await,
        ("POST", ["import_record"]) => backups::import(call).await,
        ("GET", [id]) => backups::show(call, id).await,
        ("PUT", [id]) => backups::update(call, id).await,
        ("DELETE", [id]) => backups::delete(call, id).await,
        ("POST", [id, "restore"]) => backups::restore(call, id).await,
        ("POST", [id, "action"]) => backups::act(call, id).await,
        ("GET", [id, "export_record"]) => backups::export(call, id).await,
        (method, [id, "metadata", rest @ ..]) => {
            of_metadata(call, method, Owner::Backup(id), rest).await
        }
        _ => Err(Fault::no_route()),
    }
}

async fn of_volumes(call: &Call, method: &Method, rest: &[&str]) -> Answer {
    match (method.as_str(), rest) {
        ("GET", []) => volumes::list(call, "volumes", volumes::summary).await,
        ("GET", ["detail"]) => volumes::list(call, "volumes/detail", volumes::detail).await,
        ("POST", []) => volumes::create(call).await,
        ("GET", [id]) => volumes::show(call, id).await,
        ("PUT", [id]) => volumes::update(call, id).await,
        ("DELETE", [id]) => volumes::delete(call, id).await,
        ("POST", [id, "action"]) => volume_actions::act(call, id).await,
        (method, [id, "metadata", rest @ ..]) => {
            of_metadata(call, method, Owner::Volume(id), rest).await
        }
        _ => Err(Fault::no_route()),
    }
}

async fn of_snapshots(call: &Call, method: &Method, rest: &[&str]) -> Answer {
    match (method.as_str(), rest) {
        ("GET", []) => snapshots::list(call, "snapshots", snapshots::summary).await,
        ("GET", ["detail"]) => snapshots::list(call, "snapshots/detail", snapshots::detail).await,
        ("POST", []) => snapshots::create(call).await,
        ("GET", [id]) => snapshots::show(call, id).await,
        ("PUT", [id]) => snapshots::update(call, id).await,
        ("DELETE", [id]) => snapshots::delete(call, id).await,
        ("POST", [id, "action"]) => snapshots::act(call, id).await,
        (method, [id, "metadata", rest @ ..]) => {
            of_metadata(call, method, Owner::Snapshot(id), rest).await
        }
        _ => Err(Fault::no_route()),
    }
}

async fn of_metadata(call: &Call, method: &str, owner: Owner<'_>, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => metadata::list(call, owner).await,
        ("POST", []) => metadata::merge(call, owner).await,
        ("PUT", []) => metadata::replace(call, owner).await,
        ("GET", [key]) => metadata::show(call, owner, key).await,
        ("PUT", [key]) => metadata::set(call, owner, key).await,
        ("DELETE", [key]) => metadata::remove(call, owner, key).await,
        _ => Err(Fault::no_route()),
    }
}

async fn of_others(call: &Call, method: &Method, first: &str, rest: &[&str]) -> Answer {
    match (method.as_str(), first, rest) {
        ("GET", "limits", []) => quotas::limits(call).await,
        ("GET", "os-quota-sets", [project]) => quotas::show(call, project).await,
        ("GET", "os-quota-sets", [project, "defaults"]) => quotas::defaults(call, project).await,
        ("PUT", "os-quota-sets", [project]) => quotas::update(call, project).await,
        ("DELETE", "os-quota-sets", [project]) => quotas::reset(call, project).await,
        ("GET", "os-quota-class-sets", [class]) => quotas::show_class(call, class).await,
        ("PUT", "os-quota-class-sets", [class]) => quotas::update_class(call, class).await,
        ("GET", "extensions", []) => extensions::list(call),
        ("GET", "extensions", [alias]) => extensions::show(call, alias),
        ("GET", "resource_filters", []) => companions::resource_filters(call),
        ("GET", "os-availability-zone", []) => companions::zones(call),
        ("GET", "types", []) => companions::types(),
        ("GET", "types", [id]) => companions::volume_type(id),
        ("GET", "os-services", []) => companions::nothing("services"),
        ("GET", "messages", []) => companions::nothing("messages"),
        _ => Err(Fault::no_route()),
    }
}
