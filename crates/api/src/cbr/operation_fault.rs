//! The code of why an operation failed or left something out.

use strongroom_model::operation::OperationFault;
use strongroom_model::resource::ResourceKind;

use super::code::Code;

/// The code of a fault, given what the operation was about.
pub(super) const fn code(fault: OperationFault, about: Option<ResourceKind>) -> Code {
    let is_disk = matches!(about, Some(ResourceKind::Volume));
    match fault {
        OperationFault::ResourceGone if is_disk => Code::DiskNotFound,
        OperationFault::ResourceGone => Code::ServerNotFound,
        OperationFault::ResourceState if is_disk => Code::DiskStatusForbidsBackup,
        OperationFault::ResourceState => Code::ServerStatusForbidsBackup,
        OperationFault::Unfinished => Code::BackupRunning,
        OperationFault::Restoring => Code::ResourceBeingRestored,
        OperationFault::CountQuota | OperationFault::SizeQuota | OperationFault::VaultFull => {
            Code::VaultFull
        }
        OperationFault::RestoreFailed if matches!(about, Some(ResourceKind::Server)) => {
            Code::SomeDisksNotRestorable
        }
        OperationFault::Removing => Code::ResourcesBeingRemoved,
        OperationFault::Locked => Code::BackupLocked,
        OperationFault::Missed
        | OperationFault::BackupFailed
        | OperationFault::RestoreFailed
        | OperationFault::RemovalFailed
        | OperationFault::ReplicationFailed => Code::Unknown,
    }
}
