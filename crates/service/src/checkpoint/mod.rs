//! Checkpoints: one run over the resources of a vault, by hand or by a policy.
//!
//! [`Service::create_checkpoint`] is what callers ask for and `begin_checkpoint` what both hands and
//! policies do: each resource is looked at, and either its backup is begun or it is left out with
//! the reason. Where a checkpoint stands is not kept: it follows from its backups.

mod begin;
mod begin_server;
mod full;
mod removal;
mod sync;
mod view;

use strongroom_model::id::{PolicyId, VaultId};
use strongroom_model::resource::ResourceId;
use strongroom_model::tag::Tags;
use strongroom_model::time::Timestamp;

pub use view::{CheckpointResource, CheckpointStatus, CheckpointView};

/// The most days that a backup is kept by its own date.
pub const RETENTION_DAYS_MAX: u32 = 36_500;

/// What a run over a vault is to be.
#[derive(Debug, Clone)]
pub struct NewCheckpoint {
    /// The vault.
    pub vault_id: VaultId,
    /// The resources; all of the vault if none are said.
    pub resources: Option<Vec<ResourceId>>,
    /// The name of its backups; one is made up without it.
    pub name: Option<String>,
    /// Free text.
    pub description: String,
    /// Whether its backups count as automatic, so that retention applies.
    pub is_automatic: bool,
    /// Whether its backups shall build on no earlier ones.
    pub wants_full: bool,
    /// How many days its backups are kept; for ever without it, unless a policy says otherwise.
    pub retention_days: Option<u32>,
    /// The policy whose run it is.
    pub policy: Option<AutomaticRun>,
}

/// What a policy says about the backups of one of its runs.
#[derive(Debug, Clone)]
pub struct AutomaticRun {
    /// The policy.
    pub policy_id: PolicyId,
    /// When the backups are removed by their date.
    pub expires_at: Option<Timestamp>,
    /// After how many increments of a resource a full backup is made; 0 for always, none for never.
    pub full_interval: Option<u32>,
    /// Tags that the backups get.
    pub tags: Tags,
}

impl NewCheckpoint {
    /// A run by hand over everything that a vault protects.
    pub fn of(vault_id: VaultId) -> Self {
        Self {
            vault_id,
            resources: None,
            name: None,
            description: String::new(),
            is_automatic: false,
            wants_full: false,
            retention_days: None,
            policy: None,
        }
    }
}
