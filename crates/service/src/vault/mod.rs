//! Vaults as callers see them: what they protect, how much they hold, and what their lock keeps.
//!
//! `manage` makes and changes them, `removal` takes them away with their backups, `resources` says
//! what they protect and `bind` adds to that by itself; `lock` and `capacity` are asked before
//! backups go or come; `view` and `list` show them.

mod bind;
mod capacity;
mod expiry;
mod find;
mod list;
mod lock;
mod lookup;
mod manage;
mod migrate;
mod order;
mod policy;
mod removal;
mod resources;
mod usage;
mod view;

use strongroom_model::id::VaultId;
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::size::GiB;
use strongroom_model::tag::Tags;
use strongroom_model::vault::{
    BindTag, ConsistentLevel, ProtectStatus, Vault, VaultResource, VaultTerms,
};

pub(crate) use capacity::vault_used_bytes;
pub use capacity::whole_mib;
pub use expiry::{ExpiryChange, ExpiryOutcome};
pub use list::{VaultFilter, VaultListing, VaultSearch};
pub use migrate::Adoption;
pub use policy::AppliedPolicy;
pub(crate) use removal::Remaining;
pub use resources::{AutoProtection, SUSPEND_MEANS_AUTO_PROTECT};
pub use strongroom_catalog::{StoredResource, VaultWarning};
pub use usage::{StorageListing, VaultSummary};

/// The most resources of a vault.
pub const RESOURCES_MAX: usize = 256;

/// The least size of a new vault.
pub const SIZE_MIN: GiB = GiB(10);

/// What a caller asks for when it makes a vault.
#[derive(Debug, Clone)]
pub struct NewVault {
    /// Its name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Its quota.
    pub size: GiB,
    /// Whether no backup may leave it before its date.
    pub is_locked: bool,
    /// What else is set.
    pub terms: VaultTerms,
    /// What it protects from the beginning.
    pub resources: Vec<NewResource>,
    /// The policy that is applied to it. Text as it came.
    pub policy_id: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// A resource to be protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewResource {
    /// The resource.
    pub id: ResourceId,
    /// What it is said to be.
    pub kind: ResourceKind,
    /// Disks of the server that are left out.
    pub excluded_volumes: Vec<ResourceId>,
    /// The only disks of the server that are not left out, if they were named.
    pub included_volumes: Option<Vec<ResourceId>>,
}

/// What to change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct VaultChange {
    /// The new name.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The new quota, not below what is used.
    pub size: Option<GiB>,
    /// How far the parts of its backups belong to one instant.
    pub consistent_level: Option<ConsistentLevel>,
    /// Whether resources whose tags fit are bound when its policy runs.
    pub auto_bind: Option<bool>,
    /// The tags that a resource must have for that, in place of those before.
    pub bind_tags: Option<Vec<BindTag>>,
    /// Whether it grows by a quarter when it is full.
    pub auto_expand: Option<bool>,
    /// Whether a warning is given when it is filled up to the threshold.
    pub is_notifying: Option<bool>,
    /// Percent of its size at which a warning is given.
    pub threshold: Option<u8>,
    /// Whether it is locked; a lock cannot be taken back.
    pub is_locked: Option<bool>,
    /// What the names of automatic backups begin with.
    pub backup_name_prefix: Option<String>,
}

/// A vault with what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultView {
    /// The vault.
    pub vault: Vault,
    /// What it protects.
    pub resources: Vec<ResourceView>,
    /// Its tags.
    pub tags: Tags,
    /// Sizes of its resources together, in GiB.
    pub allocated_gib: u64,
    /// What its backups occupy, in MiB rounded up.
    pub used_mib: u64,
}

impl VaultView {
    /// The vault's id.
    pub const fn id(&self) -> VaultId {
        self.vault.id
    }
}

/// A resource of a vault with what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceView {
    /// The resource.
    pub resource: VaultResource,
    /// What its backups in the vault occupy, in MiB rounded up.
    pub backup_mib: u64,
    /// How many backups of it the vault keeps.
    pub backup_count: u64,
    /// What is happening to it.
    pub status: ProtectStatus,
}
