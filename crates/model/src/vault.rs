//! Vaults: where backups are kept, what they protect, and the border of keys and deduplication.

use serde::{Deserialize, Serialize};

use crate::id::{ProjectId, UserId, VaultId};
use crate::resource::{ResourceId, ResourceKind};
use crate::size::GiB;
use crate::time::Timestamp;

/// The name of the vault that a project gets at its first backup.
pub const DEFAULT_VAULT_NAME: &str = "default";

/// The largest size of a vault, and that of a project's default vault.
pub const VAULT_SIZE_MAX: GiB = GiB(10_485_760);

/// Makes an enum of words: `as_str`, `parse` and `ALL`.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
        )]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word on the wire and in the catalogue.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The one of that word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What kind of resources a vault protects.
    ObjectType {
        /// Servers with their disks.
        Server = "server",
        /// Single disks.
        Disk = "disk",
        /// File systems.
        Turbo = "turbo",
        /// Workspaces.
        Workspace = "workspace",
        /// Servers of a VMware site.
        Vmware = "vmware",
        /// Databases.
        Rds = "rds",
        /// Files.
        File = "file",
    }
}

words! {
    /// What a vault is for.
    ProtectType {
        /// Backups are made into it.
        Backup = "backup",
        /// Copies of backups of another region are received into it.
        Replication = "replication",
        /// Backups of another site are brought into it.
        Hybrid = "hybrid",
    }
}

words! {
    /// How far the parts of a backup belong to one instant.
    ConsistentLevel {
        /// As after a power cut.
        Crash = "crash_consistent",
        /// With the applications' help.
        Application = "app_consistent",
    }
}

words! {
    /// Where the protected resources are.
    CloudType {
        /// In this cloud.
        Public = "public",
        /// At another site.
        Hybrid = "hybrid",
    }
}

words! {
    /// How a vault would be paid for. Kept and told, nothing else.
    ChargingMode {
        /// By use.
        PostPaid = "post_paid",
        /// In advance.
        PrePaid = "pre_paid",
    }
}

words! {
    /// The state of a vault.
    ///
    /// ```text
    /// available ⇄ lock        available | frozen | error ──► deleting ──► (gone) | error
    /// ```
    VaultStatus {
        /// At rest.
        Available = "available",
        /// Its size is being changed. This has nothing to do with [`Vault::is_locked`].
        Lock = "lock",
        /// Suspended by the operator.
        Frozen = "frozen",
        /// It and its backups are being removed.
        Deleting = "deleting",
        /// Its removal failed.
        Error = "error",
    }
}

/// A key and a value by which unbound resources are found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BindTag {
    /// The tag's key.
    pub key: String,
    /// The tag's value.
    pub value: String,
}

/// What a user may set about a vault, besides its name and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultTerms {
    /// What kind of resources it protects.
    pub object_type: ObjectType,
    /// What it is for.
    pub protect_type: ProtectType,
    /// How far the parts of its backups belong to one instant.
    pub consistent_level: ConsistentLevel,
    /// Where its resources are.
    pub cloud_type: CloudType,
    /// How it would be paid for.
    pub charging_mode: ChargingMode,
    /// Whether it was asked to span zones. Told, nothing else.
    pub is_multi_az: bool,
    /// Whether resources whose tags fit are bound when its policy runs.
    pub auto_bind: bool,
    /// The tags that a resource must have to be bound by itself; none for any resource.
    pub bind_tags: Vec<BindTag>,
    /// Whether it grows by a quarter when it is full.
    pub auto_expand: bool,
    /// Whether a warning is given when it is filled up to the threshold.
    pub is_notifying: bool,
    /// Percent of its size at which a warning is given, 1 to 100.
    pub threshold: u8,
    /// What the names of automatic backups begin with.
    pub backup_name_prefix: String,
    /// Whether use beyond its size would be charged. Told, nothing else.
    pub demand_billing: bool,
    /// The service that locked it, `SMB` or empty. Told, nothing else.
    pub lock_source: String,
    /// The zone that was named for it.
    pub availability_zone: Option<String>,
    /// The enterprise project that it was put in; `0` unless said.
    pub enterprise_project_id: String,
}

impl VaultTerms {
    /// Terms for a vault of that kind with everything else as it is unless said.
    pub fn of(object_type: ObjectType, protect_type: ProtectType) -> Self {
        Self {
            object_type,
            protect_type,
            consistent_level: ConsistentLevel::Crash,
            cloud_type: CloudType::Public,
            charging_mode: ChargingMode::PostPaid,
            is_multi_az: false,
            auto_bind: false,
            bind_tags: Vec::new(),
            auto_expand: false,
            is_notifying: true,
            threshold: 80,
            backup_name_prefix: String::new(),
            demand_billing: false,
            lock_source: String::new(),
            availability_zone: None,
            enterprise_project_id: "0".to_owned(),
        }
    }
}

/// A set of backups of one project that share keys and deduplicate against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vault {
    /// Its id, and the prefix of its objects in the store.
    pub id: VaultId,
    /// The project that owns it.
    pub project_id: ProjectId,
    /// The user who made it; none for a vault that came by itself.
    pub user_id: Option<UserId>,
    /// Its name, not unique.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Whether it is the one that the project's volume backups go to. Each project has one at most.
    pub is_default: bool,
    /// Its quota: what its backups may occupy.
    pub size: GiB,
    /// Its state.
    pub status: VaultStatus,
    /// Whether no backup may leave it before its date. Never taken back.
    pub is_locked: bool,
    /// What else was set.
    pub terms: VaultTerms,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Vault {
    /// The vault that a project's volume backups go to.
    pub fn default_of(id: VaultId, project_id: ProjectId, created_at: Timestamp) -> Self {
        Self {
            id,
            project_id,
            user_id: None,
            name: DEFAULT_VAULT_NAME.to_owned(),
            description: None,
            is_default: true,
            size: VAULT_SIZE_MAX,
            status: VaultStatus::Available,
            is_locked: false,
            terms: VaultTerms::of(ObjectType::Disk, ProtectType::Backup),
            created_at,
        }
    }
}

words! {
    /// The state of a resource in its vault.
    ProtectStatus {
        /// At rest.
        Available = "available",
        /// Its last backup failed.
        Error = "error",
        /// It is being backed up.
        Protecting = "protecting",
        /// It is being restored.
        Restoring = "restoring",
        /// It and its backups are being removed from the vault.
        Removing = "removing",
    }
}

/// A resource that a vault protects. A resource is in one vault at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultResource {
    /// The vault.
    pub vault_id: VaultId,
    /// The resource: the id of a server or of a volume.
    pub id: ResourceId,
    /// What it is.
    pub kind: ResourceKind,
    /// Its name when it was last looked up.
    pub name: String,
    /// Its size when it was last looked up; of a server, of all its disks.
    pub size: GiB,
    /// Disks of the server that are left out.
    pub excluded_volumes: Vec<ResourceId>,
    /// Whether it takes part in automatic backups.
    pub auto_protect: bool,
    /// Whether it is being removed with its backups.
    pub is_removing: bool,
    /// When it was bound.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_values_correspond() {
        for status in VaultStatus::ALL {
            assert_eq!(VaultStatus::parse(status.as_str()), Some(*status));
        }
        assert_eq!(ObjectType::parse("ship"), None);
        assert_eq!(serde_json::to_string(&ConsistentLevel::Crash).unwrap(), "\"crash_consistent\"");
    }
}
