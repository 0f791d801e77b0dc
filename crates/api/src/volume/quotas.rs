//! Limits and quotas: operations Q1 to Q6.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use strongroom_model::id::ProjectId;
use strongroom_model::quota::{Quota, Resource, UNLIMITED};

use super::call::{Answer, Call};
use super::microversion::Feature;
use super::validate::{self, Fields};
use crate::fault::Fault;
use crate::reply::Reply;

/// `GET /limits` (Q1); an admin may name a project from 3.39.
pub(super) async fn limits(call: &Call) -> Answer {
    let other = call
        .query
        .get("project_id")
        .filter(|_| call.version.has(Feature::LimitsOfProject) && call.caller.is_admin());
    let project = match other {
        Some(id) => target(id)?,
        None => call.project("limits_extension:used_limits")?.clone(),
    };
    let quotas = call.service.quotas(&call.caller, &project).await?;
    Ok(Reply::ok(json!({"limits": {"rate": [], "absolute": absolute(&quotas)}})))
}

/// Exactly the ten figures that clients know.
fn absolute(quotas: &[Quota]) -> Value {
    let of = |resource| quotas.iter().find(|quota| quota.resource == resource);
    let limit = |resource| of(resource).map_or(UNLIMITED, |quota| quota.limit);
    let in_use = |resource| of(resource).map_or(0, |quota| quota.in_use);
    json!({
        "maxTotalBackups": limit(Resource::Backups),
        "maxTotalBackupGigabytes": limit(Resource::BackupGigabytes),
        "maxTotalVolumes": limit(Resource::Volumes),
        "maxTotalSnapshots": limit(Resource::Snapshots),
        "maxTotalVolumeGigabytes": limit(Resource::Gigabytes),
        "totalBackupsUsed": in_use(Resource::Backups),
        "totalBackupGigabytesUsed": in_use(Resource::BackupGigabytes),
        "totalVolumesUsed": in_use(Resource::Volumes),
        "totalSnapshotsUsed": in_use(Resource::Snapshots),
        "totalGigabytesUsed": in_use(Resource::Gigabytes),
    })
}

/// `GET /os-quota-sets/PROJECT` (Q2).
pub(super) async fn show(call: &Call, project: &str) -> Answer {
    let quotas = call.service.quotas(&call.caller, &target(project)?).await?;
    let has_usage = call.flag("usage");
    Ok(Reply::ok(json!({"quota_set": set(project, &quotas, has_usage)})))
}

/// `GET /os-quota-sets/PROJECT/defaults` (Q3).
pub(super) async fn defaults(call: &Call, project: &str) -> Answer {
    let quotas = call.service.default_quotas(&call.caller).await?;
    Ok(Reply::ok(json!({"quota_set": set(project, &quotas, false)})))
}

/// `PUT /os-quota-sets/PROJECT` (Q4). The answer repeats all limits, without the id.
pub(super) async fn update(call: &Call, project: &str) -> Answer {
    let limits = read_limits(&call.json()?, "quota_set")?;
    let project = target(project)?;
    let quotas = call.service.set_quotas(&call.caller, &project, &limits).await?;
    Ok(Reply::ok(json!({"quota_set": figures(&quotas, false)})))
}

/// `DELETE /os-quota-sets/PROJECT` (Q5).
pub(super) async fn reset(call: &Call, project: &str) -> Answer {
    call.service.clear_quotas(&call.caller, &target(project)?).await?;
    Ok(Reply::empty(StatusCode::OK))
}

/// `GET /os-quota-class-sets/CLASS` (Q6).
pub(super) async fn show_class(call: &Call, class: &str) -> Answer {
    let quotas = call.service.quota_class(&call.caller, class).await?;
    Ok(Reply::ok(json!({"quota_class_set": set(class, &quotas, false)})))
}

/// `PUT /os-quota-class-sets/CLASS` (Q6).
pub(super) async fn update_class(call: &Call, class: &str) -> Answer {
    let limits = read_limits(&call.json()?, "quota_class_set")?;
    let quotas = call.service.set_quota_class(&call.caller, class, &limits).await?;
    Ok(Reply::ok(json!({"quota_class_set": figures(&quotas, false)})))
}

fn target(id: &str) -> Result<ProjectId, Fault> {
    ProjectId::parse(id).map_err(|_| Fault::missing("Project", id))
}

fn set(id: &str, quotas: &[Quota], has_usage: bool) -> Value {
    let mut set = Map::from_iter([("id".to_owned(), Value::from(id))]);
    set.extend(figures(quotas, has_usage));
    Value::Object(set)
}

fn figures(quotas: &[Quota], has_usage: bool) -> Map<String, Value> {
    let figure = |quota: &Quota| match has_usage {
        true => json!({"limit": quota.limit, "in_use": quota.in_use, "reserved": 0}),
        false => json!(quota.limit),
    };
    quotas.iter().map(|quota| (quota.resource.name().to_owned(), figure(quota))).collect()
}

/// The limits in a body. Clients send along `tenant_id`, `force` and quotas of volume types, which
/// mean nothing here.
fn read_limits(body: &Value, name: &str) -> Result<Vec<(Resource, i64)>, Fault> {
    Fields::of(body, name)?;
    let entries = body[name].as_object().into_iter().flatten();
    entries
        .filter_map(|(key, value)| Some((Resource::parse(key)?, key, value)))
        .filter(|(_, _, value)| !value.is_null())
        .map(|(resource, key, value)| Ok((resource, read_limit(key, value)?)))
        .collect()
}

fn read_limit(key: &str, value: &Value) -> Result<i64, Fault> {
    let limit = match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    };
    limit.filter(|limit| (UNLIMITED..=i64::from(i32::MAX)).contains(limit)).ok_or_else(|| {
        let why =
            format!("{} is not a whole number from -1 to {}", crate::json::repr(value), i32::MAX);
        validate::invalid(key, value, &why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotas() -> Vec<Quota> {
        let quota = |resource| Quota { resource, limit: 10, in_use: 3 };
        Resource::ALL.map(quota).to_vec()
    }

    #[test]
    fn limits_are_exactly_ten_whole_numbers() {
        insta::assert_snapshot!(absolute(&quotas()), @r#"{"maxTotalBackups":10,"maxTotalBackupGigabytes":10,"maxTotalVolumes":10,"maxTotalSnapshots":10,"maxTotalVolumeGigabytes":10,"totalBackupsUsed":3,"totalBackupGigabytesUsed":3,"totalVolumesUsed":3,"totalSnapshotsUsed":3,"totalGigabytesUsed":3}"#);
    }

    #[test]
    fn a_set_shows_limits_or_use() {
        let plain = set("p", &quotas(), false);
        assert_eq!((&plain["id"], &plain["groups"]), (&json!("p"), &json!(10)));
        let used = set("p", &quotas(), true);
        assert_eq!(used["backups"], json!({"limit": 10, "in_use": 3, "reserved": 0}));
    }

    #[test]
    fn limits_are_whole_numbers_from_minus_one() {
        let body =
            json!({"quota_set": {"backups": "7", "volumes": -1, "tenant_id": "x", "groups": null}});
        let limits = read_limits(&body, "quota_set").unwrap();
        assert_eq!(limits, [(Resource::Backups, 7), (Resource::Volumes, -1)]);
        for bad in [json!(-2), json!(1.5), json!("x"), json!(true), json!(3_000_000_000_u32)] {
            assert!(read_limits(&json!({"quota_set": {"backups": bad}}), "quota_set").is_err());
        }
    }
}
