//! Why a rule of vaults, checkpoints, restores, members or replication refuses a request.
//!
//! A refusal is a plain reason, which each dialect has its own word for, and a sentence.

use crate::error::{Error, Kind};

/// The reason of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Every resource was left out: nothing is backed up.
    NothingToBackUp,
    /// Backups of this kind cannot be copied to another region.
    NotReplicable,
    /// No such region, or it does not take copies from here.
    RegionUnknown,
    /// A copy in that region exists or is being made.
    ReplicaExists,
    /// The target of the restore is being backed up.
    TargetBeingBackedUp,
    /// The target of the restore is being restored.
    TargetBeingRestored,
    /// This backup cannot be restored onto that server or disk.
    TargetForeign,
    /// The server to restore onto is gone.
    TargetGone,
    /// The server to restore onto is in a state that does not allow it.
    TargetServerState,
    /// The disk to restore onto is in a state that does not allow it.
    TargetDiskState,
    /// Some disks cannot be restored.
    TargetDisks,
    /// The backup of a data disk cannot be restored onto a system disk.
    TargetSystemDisk,
    /// The target has another architecture.
    TargetArchitecture,
    /// The policy is not bound to the vault.
    PolicyNotBound,
    /// The policy is of a kind that cannot be bound to this vault.
    PolicyUnfit,
    /// The vault stands for another site, to which no policy is applied.
    PolicyOnHybrid,
    /// A replication policy that is bound cannot get another destination.
    PolicyDestinationFixed,
    /// The vault would have too many resources.
    TooManyResources,
    /// The vault takes no resources.
    VaultTakesNone,
    /// The vault's size is out of range, or below what is used.
    VaultSize,
    /// The vault does not take resources of this kind.
    ResourceUnfit,
    /// The resource is in another vault.
    ResourceTaken,
    /// A disk that is to be added is in this very vault.
    DiskBound,
    /// A server that is to be added is in this very vault.
    ServerBound,
    /// The resource was named twice.
    ResourceTwice,
    /// The resource does not exist in the project.
    ResourceMissing,
    /// The resource is not in the vault.
    ResourceNotInVault,
    /// The resource is being removed from the vault.
    ResourceRemoving,
    /// The resource's state does not allow a backup.
    ResourceState,
    /// The server has no disks.
    ServerWithoutDisks,
    /// The vault cannot be changed like that, or in its present state.
    VaultNotUpdatable,
    /// The vault cannot be deleted in its present state.
    VaultNotDeletable,
    /// The vault's state does not allow it.
    VaultState,
    /// The vault's state does not allow backups.
    VaultStateForBackup,
    /// The vault's state does not allow restores.
    VaultStateForRestore,
    /// The vault's size is being changed.
    VaultExpanding,
    /// The vault is full.
    VaultFull,
    /// No backups are made into a vault of this kind.
    VaultUnfitForBackup,
    /// The project has as many vaults as it may have.
    TooManyVaults,
    /// Something is being done in the vault.
    VaultBusy,
    /// Backups of the vault are being made, or it is being deleted already.
    BackupsRunning,
    /// The destination vault does not exist.
    DestinationMissing,
    /// The destination vault cannot take it.
    DestinationUnfit,
    /// The destination vault is full.
    DestinationFull,
    /// The vault is being replicated.
    VaultReplicating,
    /// The vault's kind does not allow replication.
    VaultNotReplicable,
    /// The backup is in a state in which it cannot be deleted, or belongs to another.
    BackupNotDeletable,
    /// The backup is being used.
    BackupInUse,
    /// The vault is locked and the backup's date has not come.
    Locked,
    /// The backup's state does not allow its metadata to be read.
    MetadataUnavailable,
    /// Only whole backups can be shared.
    NotShareable,
    /// The backup has as many members as it may have.
    TooManyMembers,
    /// The backup is shared with that project.
    AlreadyShared,
    /// The backup cannot be shared with that project.
    MemberInvalid,
    /// No such member.
    MemberMissing,
    /// The member cannot be changed like that.
    MemberValue,
    /// The vault that a share is taken into is in a state that does not allow it.
    MemberVaultState,
    /// The vault that a share is taken into is of another kind.
    MemberVaultUnfit,
    /// What was received by a share cannot be shared on.
    ReceivedShare,
    /// The thing has as many tags as it may have.
    TooManyTags,
    /// No tag of that key.
    TagMissing,
    /// The vault is not one of another site.
    SyncUnsupported,
    /// The backups of another site could not be brought in.
    SyncFailed,
    /// No such agent.
    AgentMissing,
    /// The agent is removing itself.
    AgentInvalid,
    /// The agent would have more directories than it may have.
    TooManyAgentPaths,
    /// No such policy of the domain.
    OrganizationPolicyMissing,
}

impl Refusal {
    /// The refusal as an error, with a sentence for the caller.
    pub fn because(self, message: impl Into<String>) -> Error {
        Error::Refused { reason: self, message: message.into() }
    }

    /// The coarse class.
    pub const fn kind(self) -> Kind {
        match self {
            Self::PolicyNotBound
            | Self::ResourceMissing
            | Self::MemberMissing
            | Self::TagMissing
            | Self::AgentMissing
            | Self::OrganizationPolicyMissing => Kind::NotFound,
            _ => Kind::Invalid,
        }
    }
}
