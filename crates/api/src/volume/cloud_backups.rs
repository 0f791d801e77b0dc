//! The vendor's backups, made, removed and read back by jobs: operations V1 to V4.

use serde_json::{Map, Value, json};
use strongroom_model::id::{JobId, SnapshotId, VolumeId};
use strongroom_model::quota::{Quota, Resource};
use strongroom_service::backup::NewBackup;
use strongroom_service::restore::RestoreRequest;

use super::call::{Answer, Call};
use super::jobs;
use super::vendor_body::{self, BodyCodes, get, has_brackets, refuse};
use crate::fault::Fault;
use crate::reply::Reply;

/// The most characters of a name, which has one at least, and of a description.
const MAX_CHARS: usize = 64;

/// A request to make a backup whose shape is wrong.
const FORMAT: &str = "VolumeBackup.0002";

/// A request to restore whose shape is wrong.
const RESTORE_FORMAT: &str = "VolumeBackup.0210";

/// `POST /cloudbackups` (V1).
pub(super) async fn create(call: &Call) -> Answer {
    let body = vendor_body::object(call, BodyCodes::all(FORMAT))?;
    let new = read_new(vendor_body::inner(&body, "backup", FORMAT)?)?;
    let (_, job_id) = call.service.create_backup_job(&call.caller, new).await?;
    Ok(started(job_id))
}

/// `POST /cloudbackups/ID` (V2); what the body says does not matter.
pub(super) async fn delete(call: &Call, id: &str) -> Answer {
    Ok(started(call.service.delete_backup(&call.caller, id, false).await?))
}

/// `POST /cloudbackups/ID/restore` (V3).
pub(super) async fn restore(call: &Call, id: &str) -> Answer {
    let body = vendor_body::object(call, BodyCodes::all(RESTORE_FORMAT))?;
    let fields = vendor_body::inner(&body, "restore", RESTORE_FORMAT)?;
    let wrong = || refuse("VolumeBackup.0208", "'volume_id' must be the id of a disk.");
    let volume_id = get(fields, "volume_id").and_then(Value::as_str).ok_or_else(wrong)?;
    let volume_id = Some(VolumeId::parse(volume_id).map_err(|_| wrong())?);
    let request = RestoreRequest { volume_id, name: None };
    let restore = call.service.restore_backup(&call.caller, id, request).await?;
    Ok(started(restore.job_id))
}

/// `GET /cloudbackups/quota` (V4): the same figures as in every other quota.
pub(super) async fn quota(call: &Call) -> Answer {
    let project = call.project("backup:get_quota")?;
    let quotas = call.service.quotas(&call.caller, project).await?;
    Ok(Reply::ok(quota_view(&quotas)))
}

fn quota_view(quotas: &[Quota]) -> Value {
    let wanted = [Resource::Backups, Resource::BackupGigabytes];
    let found = wanted.iter().filter_map(|one| quotas.iter().find(|it| it.resource == *one));
    let resources: Vec<_> = found
        .map(|quota| {
            json!({
                "type": quota.resource.name(),
                "used": quota.in_use,
                // What is being made counts as used.
                "reserved": 0,
                "quota": quota.limit,
            })
        })
        .collect();
    json!({"quotas": {"resources": resources}})
}

fn started(job_id: JobId) -> Reply {
    Reply::ok(json!({"job_id": jobs::spell(job_id)}))
}

/// The first fault in this order is told: name, description, disk, tags, the rest.
fn read_new(fields: &Map<String, Value>) -> Result<NewBackup, Fault> {
    let name = read_name(get(fields, "name"))?;
    let description = read_description(get(fields, "description"))?;
    let volume_id = read_volume_id(get(fields, "volume_id"))?;
    let tags = vendor_body::tags(get(fields, "tags"), "VolumeBackup.0049")?;
    Ok(NewBackup {
        name: Some(name),
        description,
        snapshot_id: get(fields, "snapshot_id").map(read_snapshot_id).transpose()?,
        tags,
        wants_full: get(fields, "extend_param").map_or(Ok(false), read_wants_full)?,
        // A disk in use is backed up without further ado.
        is_forced: true,
        ..NewBackup::of(volume_id)
    })
}

fn read_name(value: Option<&Value>) -> Result<String, Fault> {
    let name = match value {
        None => "",
        Some(Value::String(name)) => name,
        Some(_) => return Err(refuse(FORMAT, "'name' must be a text.")),
    };
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if name.is_empty() {
        Err(refuse("VolumeBackup.0007", "A backup must have a name."))
    } else if name.chars().count() > MAX_CHARS {
        Err(refuse("VolumeBackup.0003", "The name has more than 64 characters."))
    } else if !name.chars().all(is_fine) {
        let message = "The name may have letters, digits, underscores, hyphens and dots only.";
        Err(refuse("VolumeBackup.0004", message))
    } else if name.starts_with("auto") {
        Err(refuse("VolumeBackup.0005", "The name must not begin with 'auto'."))
    } else {
        Ok(name.to_owned())
    }
}

fn read_description(value: Option<&Value>) -> Result<Option<String>, Fault> {
    let Some(value) = value else { return Ok(None) };
    let fits = |text: &str| {
        text.chars().count() <= MAX_CHARS && !has_brackets(text) && !text.contains('\0')
    };
    match value.as_str() {
        Some(text) if fits(text) => Ok(Some(text.to_owned())),
        _ => {
            let message = "'description' must be a text of at most 64 characters without < and >.";
            Err(refuse("VolumeBackup.0006", message))
        }
    }
}

fn read_volume_id(value: Option<&Value>) -> Result<VolumeId, Fault> {
    let Some(value) = value.filter(|value| *value != "") else {
        return Err(refuse("VolumeBackup.0010", "'volume_id' must not be empty."));
    };
    let id = value.as_str().and_then(|text| VolumeId::parse(text).ok());
    id.ok_or_else(|| refuse("VolumeBackup.0011", "'volume_id' must be the id of a disk."))
}

fn read_snapshot_id(value: &Value) -> Result<SnapshotId, Fault> {
    let id = value.as_str().and_then(|text| SnapshotId::parse(text).ok());
    id.ok_or_else(|| refuse(FORMAT, "'snapshot_id' must be the id of a snapshot."))
}

/// Whether a backup is wanted that builds on no other one.
fn read_wants_full(value: &Value) -> Result<bool, Fault> {
    let Value::Object(fields) = value else {
        return Err(refuse(FORMAT, "'extend_param' must be an object."));
    };
    match get(fields, "FullBackup") {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(word) if word == "true" => Ok(true),
        Some(word) if word == "false" => Ok(false),
        Some(_) => Err(refuse(FORMAT, "'FullBackup' must be 'true' or 'false'.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(fields: Value) -> &'static str {
        read_new(fields.as_object().unwrap()).map_or_else(|fault| fault.code.unwrap(), |_| "ok")
    }

    #[test]
    fn the_first_fault_in_a_fixed_order_is_told() {
        let mut fields = json!({
            "name": "auto", "description": 1, "volume_id": "x", "tags": 1, "extend_param": 1,
        });
        for (code, key, good) in [
            ("VolumeBackup.0005", "name", json!("b")),
            ("VolumeBackup.0006", "description", json!(null)),
            ("VolumeBackup.0011", "volume_id", json!("1".repeat(32))),
            ("VolumeBackup.0049", "tags", json!(null)),
            ("VolumeBackup.0002", "extend_param", json!({"FullBackup": "true"})),
        ] {
            assert_eq!(told(fields.clone()), code);
            fields[key] = good;
        }
        assert_eq!(told(fields), "ok");
    }

    #[test]
    fn names_have_some_characters_of_a_few_kinds() {
        for (name, code) in [
            (json!(null), "0007"),
            (json!(""), "0007"),
            (json!(7), "0002"),
            (json!("x".repeat(65)), "0003"),
            (json!("<".repeat(10_000)), "0003"),
            (json!("a b"), "0004"),
            (json!("ä"), "0004"),
            (json!("<b>"), "0004"),
            (json!("automatic"), "0005"),
        ] {
            let fault = read_name(Some(&name).filter(|name| !name.is_null())).unwrap_err();
            assert_eq!(fault.code.unwrap(), format!("VolumeBackup.{code}"), "{name}");
        }
        for good in ["Auto", "a", "a.b-c_D9", &"x".repeat(64)] {
            assert_eq!(read_name(Some(&json!(good))).unwrap(), good);
        }
    }

    #[test]
    fn a_full_backup_is_asked_for_by_a_word_or_a_boolean() {
        let read = |value| read_wants_full(&json!({"FullBackup": value}));
        for (value, expected) in [
            (json!("true"), true),
            (json!(true), true),
            (json!("false"), false),
            (json!(false), false),
            (json!(null), false),
        ] {
            assert_eq!(read(value).unwrap(), expected);
        }
        for bad in [json!(1), json!("yes"), json!([])] {
            assert!(read(bad).is_err());
        }
    }

    #[test]
    fn quotas_are_of_backups_only() {
        let quotas = Resource::ALL.map(|resource| Quota { resource, limit: -1, in_use: 3 });
        insta::assert_snapshot!(quota_view(&quotas), @r#"{"quotas":{"resources":[{"type":"backups","used":3,"reserved":0,"quota":-1},{"type":"backup_gigabytes","used":3,"reserved":0,"quota":-1}]}}"#);
    }
}
