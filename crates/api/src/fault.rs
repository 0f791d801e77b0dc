//! Why a request is refused: a status and a sentence, in Cinder's words.
//!
//! The one place that turns every [`Error`] of the service into them. The volume door writes a
//! fault in Cinder's envelope; the identity door has its own sentences and envelope.

use axum::http::StatusCode;
use strongroom_model::quota::Resource;
use strongroom_service::Error;

/// A refusal as it is sent, and what only the log may say about it.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The status.
    pub(crate) status: StatusCode,
    /// The sentence for the caller.
    pub(crate) message: String,
    /// The vendor's code, where the place that refuses knows it.
    pub(crate) code: Option<&'static str>,
    /// The service's error that this tells of.
    pub(crate) cause: Option<Error>,
}

impl Fault {
    /// A refusal with a sentence.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), code: None, cause: None }
    }

    /// A refusal with the vendor's code, as in `AutoBackup.0103`.
    pub(crate) fn coded(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { code: Some(code), ..Self::new(status, message) }
    }

    /// The failure behind a status of 5xx, for the log only.
    pub(crate) fn failure(&self) -> Option<&Error> {
        self.cause.as_ref().filter(|_| self.status.is_server_error())
    }

    /// 400.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 400 for a value that makes no sense.
    pub(crate) fn invalid_input(message: impl std::fmt::Display) -> Self {
        Self::bad_request(format!("Invalid input received: {message}"))
    }

    /// 400 for a body that cannot be understood.
    pub(crate) fn malformed_body() -> Self {
        Self::bad_request("Malformed request body")
    }

    /// 404 for a path, a method or a version that has no operation.
    pub(crate) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "The resource could not be found.")
    }

    /// 404 for a thing by id.
    pub(crate) fn missing(what: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} {id} could not be found."))
    }

    /// 413 for a body beyond the limit.
    pub(crate) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Request is too large.")
    }
}

/// What Cinder says when a volume cannot be deleted because of what hangs on it.
const HAS_SNAPSHOTS: &str = "Invalid volume: Volume status must be available or error or \
    error_restoring or error_extending or error_managing and must not be migrating, attached, \
    belong to a group, have snapshots or be disassociated from snapshots after volume transfer.";

/// What Cinder says when it is at fault.
pub(crate) const INTERNAL: &str =
    "The server has either erred or is incapable of performing the requested operation.";

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let (status, message) = (status_of(&error), message_of(&error));
        Self { status, message, code: None, cause: Some(error) }
    }
}

/// The status that a class of error has on the volume door.
fn status_of(error: &Error) -> StatusCode {
    use strongroom_service::Kind;
    match error.kind() {
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::QuotaExceeded => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The sentence that Cinder has for an error; clients match on its beginning.
#[expect(
    clippy::too_many_lines,
    reason = "one arm per reason, so that a new reason cannot be forgotten"
)]
fn message_of(error: &Error) -> String {
    match error {
        Error::BackupNotFound(id) => format!("Backup {id} could not be found."),
        Error::VolumeNotFound(id) => format!("Volume {id} could not be found."),
        Error::SnapshotNotFound(id) => format!("Snapshot {id} could not be found."),
        Error::ServerNotFound(id) => format!("Instance {id} could not be found."),
        Error::PolicyNotFound(id) => format!("Policy {id} could not be found."),
        Error::ShareNotFound(id) => format!("Share {id} could not be found."),
        Error::JobNotFound(id) => format!("Job {id} could not be found."),
        Error::VaultNotFound(id) => format!("Vault {id} could not be found."),
        Error::CheckpointNotFound(id) => format!("Checkpoint {id} could not be found."),
        Error::OperationNotFound(id) => format!("Operation {id} could not be found."),
        Error::Refused { message, .. } => format!("Invalid input received: {message}"),
        Error::PolicyRunning(id) => format!("Policy {id} is being executed."),
        Error::BackupNotShareable(status) => {
            format!("Invalid backup: Backup status must be available and not {}.", status.as_str())
        }
        Error::ShareWithOwner => {
            "Invalid input received: a backup cannot be shared with its own project".to_owned()
        }
        Error::TooManyPolicies(limit) => {
            format!("PolicyLimitExceeded: Maximum number of policies allowed ({limit}) exceeded")
        }
        Error::InvalidTag { part, reason } => {
            format!("Invalid tags: Tags property {part} {reason}.")
        }
        Error::TooManyTags(limit) => {
            format!("Invalid tags: no more than {limit} tags are allowed.")
        }
        Error::MetadataNotFound(key) => format!("Metadata item with key {key} was not found."),
        Error::MarkerNotFound(id) => format!("Marker {id} could not be found."),
        Error::IdentityNotFound { what, id } => format!("The {what} {id} could not be found."),
        Error::BackupNotDeletable(_) => {
            "Invalid backup: Backup status must be available or error".to_owned()
        }
        Error::BackupNotRestorable(_) => {
            "Invalid backup: Backup status must be available".to_owned()
        }
        Error::BackupNotExportable(status) => {
            format!("Invalid backup: Backup status must be available and not {}.", status.as_str())
        }
        Error::NoParent => {
            "Invalid backup: No backups available to do an incremental backup.".to_owned()
        }
        Error::VolumeNotBackupable(status) => format!(
            "Invalid volume: Volume to be backed up must be available or in-use, \
             but the current status is \"{}\".",
            status.as_str()
        ),
        Error::VolumeInUse => {
            "Invalid volume: Backing up an in-use volume must use the force flag.".to_owned()
        }
        Error::VolumeBusy { id, status } => format!(
            "Invalid volume: Volume {id} does not allow this while its status is \"{}\".",
            status.as_str()
        ),
        Error::VolumeHasSnapshots(_) => HAS_SNAPSHOTS.to_owned(),
        Error::TargetNotAvailable(_) => {
            "Invalid volume: Volume to be restored to must be available".to_owned()
        }
        Error::TargetTooSmall { volume, backup } => format!(
            "Invalid volume: volume size {} is too small to restore backup of size {}.",
            volume.0, backup.0
        ),
        Error::SnapshotMismatch { volume, snapshot_volume } => format!(
            "Invalid volume: Volume {volume} does not match with snapshot.volume_id \
             {snapshot_volume}."
        ),
        Error::SnapshotNotAvailable(status) => format!(
            "Invalid snapshot: Snapshot to be backed up must be available, \
             but the current status is \"{}\".",
            status.as_str()
        ),
        Error::SnapshotBusy { id, status } => format!(
            "Invalid snapshot: Snapshot {id} must be available or error, \
             but the current status is \"{}\".",
            status.as_str()
        ),
        Error::SizeTooSmall { wanted, needed } => format!(
            "Invalid input received: Volume size '{}'GB cannot be smaller than the {}GB \
             that are needed.",
            wanted.0, needed.0
        ),
        Error::Invalid { field, message } => {
            format!("Invalid input received: {field}: {message}")
        }
        Error::BackupExists(_) => "Invalid backup: Backup already exists in database.".to_owned(),
        Error::IdentityExists { what, name } => format!("The {what} {name} exists."),
        Error::QuotaExceeded { resource, limit, in_use, requested } => {
            over_quota(*resource, *limit, *in_use, *requested)
        }
        Error::QuotaBelowUse { resource, in_use } => format!(
            "Quota {} limit must be equal or greater than existing resources. \
             Current usage is {in_use}.",
            resource.name()
        ),
        Error::Unauthenticated => "The request you have made requires authentication.".to_owned(),
        Error::Forbidden(rule) => format!("Policy doesn't allow {rule} to be performed."),
        Error::Unavailable { .. } => {
            "The service is temporarily unavailable, try again later.".to_owned()
        }
        Error::Internal(_) => INTERNAL.to_owned(),
    }
}

/// What Cinder says about each exhausted quota, opened by the name of its exception.
fn over_quota(resource: Resource, limit: i64, in_use: i64, requested: i64) -> String {
    match resource {
        Resource::Backups => {
            format!("BackupLimitExceeded: Maximum number of backups allowed ({limit}) exceeded")
        }
        Resource::BackupGigabytes => format!(
            "VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup \
             gigabytes quota. Requested {requested}G, quota is {limit}G and {in_use}G has been \
             consumed."
        ),
        Resource::Volumes => format!(
            "VolumeLimitExceeded: Maximum number of volumes allowed ({limit}) exceeded for quota \
             'volumes'."
        ),
        Resource::Snapshots => {
            format!("SnapshotLimitExceeded: Maximum number of snapshots allowed ({limit}) exceeded")
        }
        Resource::Gigabytes => format!(
            "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed \
             gigabytes quota. Requested {requested}G, quota is {limit}G and {in_use}G has been \
             consumed."
        ),
        Resource::PerVolumeGigabytes => format!(
            "VolumeSizeExceedsLimit: Requested volume size {requested}G is larger than maximum \
             allowed limit {limit}G."
        ),
        Resource::Groups => {
            format!("GroupLimitExceeded: Maximum number of groups allowed ({limit}) exceeded")
        }
    }
}

/// An error and everything behind it, in one line for the log.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_model::backup::BackupStatus;
    use strongroom_model::id::VolumeId;
    use strongroom_model::size::GiB;
    use strongroom_model::snapshot::SnapshotStatus;
    use strongroom_model::volume::VolumeStatus;

    fn told(error: Error) -> String {
        let fault = Fault::from(error);
        format!("{} {}", fault.status.as_u16(), fault.message)
    }

    #[test]
    fn states_are_refused_in_the_words_that_clients_match_on() {
        let (one, two) = (VolumeId::parse(&"1".repeat(32)), VolumeId::parse(&"2".repeat(32)));
        let lines = [
            Error::BackupNotFound("b".to_owned()),
            Error::BackupNotDeletable(BackupStatus::Creating),
            Error::BackupNotRestorable(BackupStatus::Error),
            Error::BackupNotExportable(BackupStatus::Error),
            Error::BackupExists("b".to_owned()),
            Error::NoParent,
            Error::VolumeNotFound("v".to_owned()),
            Error::VolumeNotBackupable(VolumeStatus::Error),
            Error::VolumeInUse,
            Error::TargetNotAvailable(VolumeStatus::InUse),
            Error::TargetTooSmall { volume: GiB(1), backup: GiB(10) },
            Error::SnapshotNotFound("s".to_owned()),
            Error::SnapshotNotAvailable(SnapshotStatus::Error),
            Error::SnapshotMismatch { volume: one.unwrap(), snapshot_volume: two.unwrap() },
            Error::Forbidden("backup:create"),
        ]
        .map(told);
        insta::assert_snapshot!(lines.join("\n"), @r#"
        404 Backup b could not be found.
        400 Invalid backup: Backup status must be available or error
        400 Invalid backup: Backup status must be available
        400 Invalid backup: Backup status must be available and not error.
        400 Invalid backup: Backup already exists in database.
        400 Invalid backup: No backups available to do an incremental backup.
        404 Volume v could not be found.
        400 Invalid volume: Volume to be backed up must be available or in-use, but the current status is "error".
        400 Invalid volume: Backing up an in-use volume must use the force flag.
        400 Invalid volume: Volume to be restored to must be available
        400 Invalid volume: volume size 1 is too small to restore backup of size 10.
        404 Snapshot s could not be found.
        400 Invalid snapshot: Snapshot to be backed up must be available, but the current status is "error".
        400 Invalid volume: Volume 11111111-1111-1111-1111-111111111111 does not match with snapshot.volume_id 22222222-2222-2222-2222-222222222222.
        403 Policy doesn't allow backup:create to be performed.
        "#);
    }

    #[test]
    fn each_quota_has_its_sentence() {
        let lines = Resource::ALL.map(|resource| {
            told(Error::QuotaExceeded { resource, limit: 5, in_use: 4, requested: 2 })
        });
        insta::assert_snapshot!(lines.join("\n"), @r#"
        413 BackupLimitExceeded: Maximum number of backups allowed (5) exceeded
        413 VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes quota. Requested 2G, quota is 5G and 4G has been consumed.
        413 VolumeLimitExceeded: Maximum number of volumes allowed (5) exceeded for quota 'volumes'.
        413 SnapshotLimitExceeded: Maximum number of snapshots allowed (5) exceeded
        413 VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. Requested 2G, quota is 5G and 4G has been consumed.
        413 VolumeSizeExceedsLimit: Requested volume size 2G is larger than maximum allowed limit 5G.
        413 GroupLimitExceeded: Maximum number of groups allowed (5) exceeded
        "#);
    }

    #[test]
    fn a_fault_of_ours_is_for_the_log_only() {
        let fault = Fault::from(Error::internal("disk on fire"));
        assert_eq!((fault.status.as_u16(), fault.message.as_str()), (500, INTERNAL));
        let failure = fault.failure().unwrap();
        assert_eq!(chain(failure), "internal error: disk on fire");
        assert!(Fault::from(Error::NoParent).failure().is_none());
    }
}
