//! The vendor's envelope around a fault: a code as text and a sentence.
//!
//! It is used below the vendor's own words. Which code an error has depends on what was being done,
//! its [`Area`]. Clients look at the status; the codes are for people and logs.

use axum::http::{Method, StatusCode};
use serde_json::json;
use strongroom_model::quota::Resource;
use strongroom_model::volume::VolumeStatus;
use strongroom_service::Error;

use super::envelope;
use super::path::Target;
use crate::fault::Fault;
use crate::reply::Reply;

/// What a request of the vendor's half is about, which decides over the codes of its refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Area {
    /// Making a backup, and its quota.
    Create,
    /// Removing a backup.
    Delete,
    /// Reading a backup back.
    Restore,
    /// Sharing backups.
    Share,
    /// Changing policies.
    Policy,
    /// Reading policies.
    PolicyQuery,
    /// Asking for a job.
    Job,
}

impl Area {
    /// The area of a request; none if it is answered in Cinder's envelope.
    pub(super) fn of(method: &Method, target: &Target) -> Option<Self> {
        let Target::Operation { rest, .. } = target else { return None };
        let mut words = rest.iter().map(String::as_str);
        let (first, second, third) = (words.next()?, words.next(), words.next());
        match first {
            "cloudbackups" if third == Some("restore") => Some(Self::Restore),
            "cloudbackups" if second.is_some_and(|word| word != "quota") => Some(Self::Delete),
            "cloudbackups" => Some(Self::Create),
            "os-vendor-backup-sharing" => Some(Self::Share),
            "backuppolicy" | "backuppolicyresources" if is_read(method) => Some(Self::PolicyQuery),
            "backuppolicy" | "backuppolicyresources" => Some(Self::Policy),
            "jobs" => Some(Self::Job),
            _ => None,
        }
    }
}

fn is_read(method: &Method) -> bool {
    [Method::GET, Method::HEAD].contains(method)
}

/// The code of a job or a policy's task that there is not.
pub(super) const NO_TASK: &str = "common.0011";

/// The answer that tells a fault. An unauthenticated caller is told as everywhere else.
/// `identity_endpoint` is where a token is to be had.
pub(super) fn reply(fault: &Fault, area: Area, identity_endpoint: &str) -> Reply {
    if fault.status == StatusCode::UNAUTHORIZED {
        return envelope::reply(fault, identity_endpoint);
    }
    let (status, code) = match (fault.code, &fault.cause) {
        (Some(code), _) => (fault.status, code),
        (None, Some(error)) => {
            let code = code_of(area, error);
            (status_of(error).unwrap_or(fault.status), code)
        }
        (None, None) => (fault.status, general(area, fault.status)),
    };
    Reply::json(status, json!({"error": {"message": fault.message, "code": code}}))
}

/// The status of an error that has another one here than with Cinder.
fn status_of(error: &Error) -> Option<StatusCode> {
    let is_quota = matches!(error, Error::QuotaExceeded { .. } | Error::TooManyPolicies(_));
    is_quota.then_some(StatusCode::FORBIDDEN)
}

/// The code of an error of the service.
fn code_of(area: Area, error: &Error) -> &'static str {
    let is_policy = matches!(area, Area::Policy | Area::PolicyQuery);
    match error {
        Error::VolumeNotFound(_) | Error::SnapshotNotFound(_) if area == Area::Restore => {
            "VolumeBackup.0207"
        }
        Error::VolumeBusy { .. } if area == Area::Restore => "VolumeBackup.0205",
        Error::MarkerNotFound(_) if is_policy => NO_TASK,
        Error::VolumeNotFound(_) if is_policy => "AutoBackup.0208",
        Error::VolumeNotFound(_) | Error::SnapshotNotFound(_) => "VolumeBackup.0021",
        Error::BackupNotFound(_)
        | Error::ShareNotFound(_)
        | Error::ServerNotFound(_)
        | Error::PolicyNotFound(_)
        | Error::JobNotFound(_)
        | Error::MarkerNotFound(_)
        | Error::MetadataNotFound(_)
        | Error::VaultNotFound(_)
        | Error::CheckpointNotFound(_)
        | Error::OperationNotFound(_)
        | Error::IdentityNotFound { .. } => general(area, StatusCode::NOT_FOUND),
        Error::BackupNotRestorable(_) | Error::BackupNotShareable(_) => "VolumeBackup.0089",
        Error::BackupNotDeletable(_) => "VolumeBackup.0100",
        Error::VolumeNotBackupable(VolumeStatus::BackingUp) => "VolumeBackup.0013",
        Error::VolumeNotBackupable(_)
        | Error::VolumeInUse
        | Error::VolumeBusy { .. }
        | Error::SnapshotNotAvailable(_) => "VolumeBackup.0012",
        Error::TargetNotAvailable(status) => busy_target(*status),
        Error::TargetTooSmall { .. } => "VolumeBackup.0209",
        Error::InvalidTag { .. } if is_policy => "AutoBackup.0214",
        Error::InvalidTag { .. } => "VolumeBackup.0049",
        Error::TooManyTags(_) if is_policy => "AutoBackup.0215",
        Error::TooManyTags(_) => "VolumeBackup.0050",
        Error::TooManyPolicies(_) => "AutoBackup.0203",
        Error::PolicyRunning(_) => "AutoBackup.0225",
        Error::QuotaExceeded { resource: Resource::Backups, .. } => "VolumeBackup.0080",
        Error::QuotaExceeded { .. } => "VolumeBackup.0081",
        Error::BackupNotExportable(_)
        | Error::NoParent
        | Error::VolumeHasSnapshots(_)
        | Error::SnapshotMismatch { .. }
        | Error::SnapshotBusy { .. }
        | Error::SizeTooSmall { .. }
        | Error::Invalid { .. }
        | Error::BackupExists(_)
        | Error::IdentityExists { .. }
        | Error::ShareWithOwner
        | Error::Refused { .. }
        | Error::QuotaBelowUse { .. } => general(area, StatusCode::BAD_REQUEST),
        Error::Unauthenticated => general(area, StatusCode::UNAUTHORIZED),
        Error::Forbidden(_) => general(area, StatusCode::FORBIDDEN),
        Error::Unavailable { .. } => general(area, StatusCode::SERVICE_UNAVAILABLE),
        Error::Internal(_) => general(area, StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The code for a disk that cannot be restored onto.
const fn busy_target(status: VolumeStatus) -> &'static str {
    match status {
        VolumeStatus::Error | VolumeStatus::ErrorRestoring | VolumeStatus::ErrorDeleting => {
            "VolumeBackup.0202"
        }
        VolumeStatus::BackingUp => "VolumeBackup.0206",
        _ => "VolumeBackup.0205",
    }
}

/// The code for a status about which no more is known.
fn general(area: Area, status: StatusCode) -> &'static str {
    use Area::{Create, Delete, Job, Policy, PolicyQuery, Restore, Share};
    match (area, status.as_u16()) {
        (Policy | PolicyQuery, 500..) => "AutoBackup.0009",
        (Policy | PolicyQuery, 401) => "AutoBackup.0002",
        (Policy | PolicyQuery, 403) => "AutoBackup.0005",
        (Policy, 404) => "AutoBackup.0205",
        (PolicyQuery, 404) => "AutoBackup.1100",
        (Policy | PolicyQuery, 409) => "AutoBackup.0225",
        (Policy | PolicyQuery, _) => "AutoBackup.0008",
        (Job, 404) => NO_TASK,
        (_, 503) => "VolumeBackup.0900",
        (_, 500..) => "VolumeBackup.0014",
        (_, 401 | 403) => "VolumeBackup.0042",
        (Delete | Share, 404) => "VolumeBackup.0110",
        (Delete, _) => "VolumeBackup.0105",
        (Restore, 404) => "VolumeBackup.0111",
        (Restore, _) => "VolumeBackup.0210",
        (Create | Share | Job, _) => "VolumeBackup.0002",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incoming::segments;
    use strongroom_model::backup::BackupStatus;
    use strongroom_model::id::{PolicyId, VolumeId};
    use strongroom_model::size::GiB;

    fn area(method: &Method, path: &str) -> Option<Area> {
        Area::of(method, &Target::of(segments(path)))
    }

    #[test]
    fn the_first_word_decides_over_the_envelope() {
        let (get, post) = (Method::GET, Method::POST);
        for (method, path, expected) in [
            (&post, "/v2/p/cloudbackups", Some(Area::Create)),
            (&get, "/v2/p/cloudbackups/quota", Some(Area::Create)),
            (&post, "/v2/p/cloudbackups/b", Some(Area::Delete)),
            (&post, "/v3/p/cloudbackups/b/restore", Some(Area::Restore)),
            (&post, "/v2/cloudbackups", Some(Area::Create)),
            (&get, "/v1/p/jobs/j", Some(Area::Job)),
            (&get, "/v2/p/os-vendor-backup-sharing/detail", Some(Area::Share)),
            (&get, "/v2/p/backuppolicy/x/tags", Some(Area::PolicyQuery)),
            (&Method::PUT, "/v2/p/backuppolicy/x", Some(Area::Policy)),
            (&post, "/v2/p/backuppolicyresources", Some(Area::Policy)),
            (&get, "/v2/p/os-vendor-tags/backups", None),
            (&get, "/v2/p/backups", None),
            (&get, "/v2/p/volumes/jobs", None),
            (&get, "/v2", None),
        ] {
            assert_eq!(area(method, path), expected, "{path}");
        }
    }

    fn told(area: Area, fault: impl Into<Fault>) -> String {
        let reply = reply(&fault.into(), area, "http://id/v3");
        let body = reply.body.unwrap();
        assert_eq!(body.as_object().unwrap().len(), 1);
        assert_eq!(body["error"].as_object().unwrap().len(), 2);
        format!("{} {}", reply.status.as_u16(), body["error"]["code"].as_str().unwrap())
    }

    #[test]
    fn each_area_has_its_codes() {
        let missing = || Error::VolumeNotFound("v".to_owned());
        assert_eq!(told(Area::Create, missing()), "404 VolumeBackup.0021");
        assert_eq!(told(Area::Restore, missing()), "404 VolumeBackup.0207");
        let missing = || Error::BackupNotFound("b".to_owned());
        assert_eq!(told(Area::Delete, missing()), "404 VolumeBackup.0110");
        assert_eq!(told(Area::Restore, missing()), "404 VolumeBackup.0111");
        let missing = || Error::PolicyNotFound("b".to_owned());
        assert_eq!(told(Area::Policy, missing()), "404 AutoBackup.0205");
        assert_eq!(told(Area::PolicyQuery, missing()), "404 AutoBackup.1100");
        assert_eq!(told(Area::Job, Error::JobNotFound("j".to_owned())), "404 common.0011");
        for (status, code) in [
            (VolumeStatus::Error, "0202"),
            (VolumeStatus::InUse, "0205"),
            (VolumeStatus::BackingUp, "0206"),
        ] {
            let refused = told(Area::Restore, Error::TargetNotAvailable(status));
            assert_eq!(refused, format!("400 VolumeBackup.{code}"));
        }
        let busy = || Error::VolumeBusy {
            id: VolumeId::parse(&"1".repeat(32)).unwrap(),
            status: VolumeStatus::Available,
        };
        assert_eq!(told(Area::Restore, busy()), "400 VolumeBackup.0205");
        assert_eq!(told(Area::Create, busy()), "400 VolumeBackup.0012");
        let marker = Error::MarkerNotFound("m".to_owned());
        assert_eq!(told(Area::PolicyQuery, marker), "404 common.0011");
        let small = Error::TargetTooSmall { volume: GiB(1), backup: GiB(2) };
        assert_eq!(told(Area::Restore, small), "400 VolumeBackup.0209");
        let error = Error::BackupNotRestorable(BackupStatus::Error);
        assert_eq!(told(Area::Restore, error), "400 VolumeBackup.0089");
        let error = Error::VolumeNotBackupable(VolumeStatus::BackingUp);
        assert_eq!(told(Area::Create, error), "400 VolumeBackup.0013");
        let running = Error::PolicyRunning(PolicyId::parse(&"1".repeat(32)).unwrap());
        assert_eq!(told(Area::Policy, running), "409 AutoBackup.0225");
        let tag = || Error::InvalidTag { part: "key", reason: "is bad" };
        assert_eq!(told(Area::Create, tag()), "400 VolumeBackup.0049");
        assert_eq!(told(Area::Policy, tag()), "400 AutoBackup.0214");
        assert_eq!(told(Area::Share, Error::Forbidden("backup:share")), "403 VolumeBackup.0042");
        assert_eq!(told(Area::Policy, Error::internal("x")), "500 AutoBackup.0009");
    }

    #[test]
    fn a_quota_is_a_refusal_and_not_a_large_body() {
        let over = |resource| Error::QuotaExceeded { resource, limit: 1, in_use: 1, requested: 1 };
        assert_eq!(told(Area::Create, over(Resource::Backups)), "403 VolumeBackup.0080");
        assert_eq!(told(Area::Create, over(Resource::BackupGigabytes)), "403 VolumeBackup.0081");
        assert_eq!(told(Area::Policy, Error::TooManyPolicies(32)), "403 AutoBackup.0203");
    }

    #[test]
    fn what_is_refused_before_the_operation_has_a_code_too() {
        assert_eq!(told(Area::Policy, Fault::malformed_body()), "400 AutoBackup.0008");
        assert_eq!(told(Area::Restore, Fault::malformed_body()), "400 VolumeBackup.0210");
        assert_eq!(told(Area::Job, Fault::no_route()), "404 common.0011");
        assert_eq!(told(Area::Create, Fault::too_large()), "413 VolumeBackup.0002");
        let coded = Fault::coded(StatusCode::BAD_REQUEST, "AutoBackup.0103", "no such time");
        assert_eq!(told(Area::Policy, coded), "400 AutoBackup.0103");
    }
}
