//! Why a request is refused: a code, its status and a sentence, in one flat object.
//!
//! A handler gives back the service's error as it is; what it means to the caller depends on what
//! was being done, the [`Area`], and is settled here when the answer is written. Where a handler
//! knows better it says so with [`Fault::new`].

use axum::http::StatusCode;
use serde_json::json;
use strongroom_service::{Error, Kind};

use super::code::Code;
use super::refusal;
use crate::reply::Reply;

/// What a request is about; each is one family of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Area {
    /// Vaults and what is in them.
    Vault,
    /// The tags of vaults.
    Tag,
    /// Backups and what is done with one.
    Backup,
    /// With whom a backup is shared.
    Member,
    /// Policies.
    Policy,
    /// Runs of a vault.
    Checkpoint,
    /// What was done.
    OperationLog,
    /// What can be protected.
    Protectable,
    /// Agents in servers.
    Agent,
    /// Policies of a whole domain.
    OrganizationPolicy,
    /// What this service can do.
    Feature,
    /// Space in use.
    Storage,
    /// Orders, which here are changes at once.
    Order,
    /// What has no project in its path.
    Domain,
    /// Copies in other regions.
    Replication,
}

/// A refusal.
#[derive(Debug)]
pub(super) enum Fault {
    /// In the dialect's own words.
    Refused {
        /// The code.
        code: Code,
        /// The sentence.
        message: String,
    },
    /// By the gateway that stands before the real service, before anything was done.
    Gateway {
        /// The status.
        status: StatusCode,
        /// The code, as in `APIGW.0101`.
        code: &'static str,
        /// The sentence.
        message: &'static str,
    },
    /// By the service's rules.
    Service(Error),
}

impl Fault {
    /// A refusal with a code and a sentence.
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self::Refused { code, message: message.into() }
    }

    /// 400 for a value that makes no sense.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidParameter, message)
    }

    /// 403 for a caller that may not do this in this place.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Code::NotAllowed, message)
    }

    /// 401 for a caller that nothing proves.
    pub(super) fn unauthenticated() -> Self {
        Self::Gateway {
            status: StatusCode::UNAUTHORIZED,
            code: "APIGW.0301",
            message: "Incorrect IAM authentication information: the token is missing or not valid",
        }
    }

    /// 404 for a path that has no operation.
    pub(super) fn no_route() -> Self {
        Self::Gateway {
            status: StatusCode::NOT_FOUND,
            code: "APIGW.0101",
            message: "The API does not exist or has not been published in the environment",
        }
    }

    /// 405 for a path that has operations, but none of this method.
    pub(super) fn no_method() -> Self {
        Self::Gateway {
            status: StatusCode::METHOD_NOT_ALLOWED,
            code: "APIGW.0101",
            message: "The API does not exist or has not been published in the environment",
        }
    }

    /// 413 for a body beyond the limit.
    pub(super) fn too_large() -> Self {
        Self::Gateway {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            code: "APIGW.0201",
            message: "The request body is too large",
        }
    }

    /// The failure behind a status of 5xx, for the log only.
    pub(super) fn failure(&self) -> Option<&Error> {
        match self {
            Self::Service(error) => {
                matches!(error.kind(), Kind::Internal | Kind::Unavailable).then_some(error)
            }
            _ => None,
        }
    }

    /// The answer that tells this.
    pub(super) fn into_reply(self, area: Area, request_id: &str) -> Reply {
        let (status, code, message) = match self {
            Self::Gateway { status, code, message } => {
                let body =
                    json!({"error_code": code, "error_msg": message, "request_id": request_id});
                return Reply::json(status, body);
            }
            Self::Service(Error::Unauthenticated) => {
                return Self::unauthenticated().into_reply(area, request_id);
            }
            Self::Refused { code, message } => (code.status(), code, message),
            Self::Service(error) => {
                let code = code_of(area, &error);
                (status_of(&error, code), code, message_of(&error))
            }
        };
        Reply::json(status, json!({"error_code": code.text(), "error_msg": message}))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Service(error)
    }
}

/// What is out of reach for a while says so by its status; every other code has one of its own.
fn status_of(error: &Error, code: Code) -> StatusCode {
    match error.kind() {
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => code.status(),
    }
}

/// The code of an error of the service.
fn code_of(area: Area, error: &Error) -> Code {
    match error {
        Error::BackupNotFound(_) => Code::BackupNotFound,
        Error::VolumeNotFound(_) => Code::DiskNotFound,
        Error::ServerNotFound(_) => Code::ServerNotFound,
        Error::SnapshotNotFound(_) => Code::SnapshotNotFound,
        Error::PolicyNotFound(_) => Code::PolicyNotFound,
        Error::ShareNotFound(_) => Code::MemberNotFound,
        Error::JobNotFound(_) | Error::OperationNotFound(_) => Code::OperationLogNotFound,
        Error::VaultNotFound(_) => Code::VaultNotFound,
        Error::CheckpointNotFound(_) => Code::CheckpointNotFound,
        Error::Refused { reason, .. } => refusal::code(*reason),
        Error::MetadataNotFound(_) => Code::TagNotFound,
        Error::IdentityNotFound { .. } if area == Area::Member => Code::InvalidMember,
        Error::IdentityNotFound { .. } => Code::ResourceNotFound,
        Error::BackupNotDeletable(_) => Code::BackupNotDeletable,
        Error::BackupNotRestorable(_) => Code::BackupNotRestorable,
        Error::VolumeNotBackupable(_) => Code::DiskStatusForbidsBackup,
        Error::VolumeInUse => Code::DiskStatusForbidsBackup,
        Error::VolumeBusy { .. } if area == Area::Backup => Code::ResourceBeingRestored,
        Error::VolumeBusy { .. } => Code::DiskStatusForbidsBackup,
        Error::TargetNotAvailable(_) => Code::DiskStatusForbidsRestore,
        Error::TargetTooSmall { .. } => Code::DiskSmallerThanBackup,
        Error::SnapshotMismatch { .. } => Code::SnapshotOfOtherDisk,
        Error::SnapshotNotAvailable(_) | Error::SnapshotBusy { .. } => Code::InvalidSnapshotStatus,
        Error::PolicyRunning(_) => Code::BackupRunning,
        Error::BackupNotShareable(_) => Code::BackupNotShareable,
        Error::ShareWithOwner => Code::InvalidMember,
        Error::TooManyPolicies(_) => Code::TooManyPolicies,
        Error::TooManyTags(_) => Code::TooManyTags,
        Error::QuotaExceeded { .. } => quota_code(area),
        Error::MarkerNotFound(_)
        | Error::BackupNotExportable(_)
        | Error::NoParent
        | Error::VolumeHasSnapshots(_)
        | Error::SizeTooSmall { .. }
        | Error::Invalid { .. }
        | Error::InvalidTag { .. }
        | Error::BackupExists(_)
        | Error::IdentityExists { .. }
        | Error::QuotaBelowUse { .. } => Code::InvalidParameter,
        Error::Unauthenticated | Error::Forbidden(_) => Code::NotAllowed,
        Error::Unavailable { .. } | Error::Internal(_) => Code::Unknown,
    }
}

/// The code of a project that has all that it may have.
fn quota_code(area: Area) -> Code {
    match area {
        Area::Policy | Area::OrganizationPolicy => Code::TooManyPolicies,
        Area::Member => Code::TooManyShares,
        Area::Checkpoint | Area::Backup => Code::VaultFull,
        _ => Code::TooManyVaults,
    }
}

/// The sentence for the caller; nobody matches on it.
fn message_of(error: &Error) -> String {
    match error {
        Error::Internal(_) => "Unknown error.".to_owned(),
        error => {
            let text = error.to_string();
            let text = text.trim_end_matches('.');
            let mut letters = text.chars();
            let first = letters.next().map(|letter| letter.to_uppercase().to_string());
            format!("{}{}.", first.unwrap_or_default(), letters.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(area: Area, fault: impl Into<Fault>) -> String {
        let reply = fault.into().into_reply(area, "req-1");
        format!("{} {}", reply.status.as_u16(), reply.body.unwrap())
    }

    #[test]
    fn c23_c43_a_refusal_is_flat_and_has_two_keys() {
        let lines = [
            told(Area::Backup, Error::BackupNotFound("b".to_owned())),
            told(Area::Policy, Error::PolicyNotFound("p".to_owned())),
            told(Area::Vault, Error::Forbidden("vault:create")),
            told(Area::Member, Error::ShareWithOwner),
            told(Area::Vault, Fault::invalid("Invalid vault_id provided.")),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r#"
        404 {"error_code":"BackupService.6200","error_msg":"Backup b could not be found."}
        404 {"error_code":"BackupService.6000","error_msg":"Policy p could not be found."}
        403 {"error_code":"BackupService.9998","error_msg":"Policy does not allow vault:create to be performed."}
        400 {"error_code":"BackupService.6704","error_msg":"A backup cannot be shared with its own project."}
        400 {"error_code":"BackupService.9900","error_msg":"Invalid vault_id provided."}
        "#);
    }

    #[test]
    fn the_gateway_names_the_request_too() {
        let lines = [
            told(Area::Vault, Error::Unauthenticated),
            told(Area::Vault, Fault::no_route()),
            told(Area::Vault, Fault::no_method()),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r#"
        401 {"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information: the token is missing or not valid","request_id":"req-1"}
        404 {"error_code":"APIGW.0101","error_msg":"The API does not exist or has not been published in the environment","request_id":"req-1"}
        405 {"error_code":"APIGW.0101","error_msg":"The API does not exist or has not been published in the environment","request_id":"req-1"}
        "#);
    }

    #[test]
    fn a_fault_of_ours_is_for_the_log_only() {
        let fault = Fault::from(Error::internal("disk on fire"));
        assert!(fault.failure().is_some());
        let told = told(Area::Vault, fault);
        assert_eq!(told, r#"500 {"error_code":"BackupService.9910","error_msg":"Unknown error."}"#);
    }
}
