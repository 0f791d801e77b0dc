//! Vaults as callers see them: what they protect, how much they hold, and what their lock keeps.

mod bind;
mod capacity;
mod find;
mod lock;

pub(crate) use capacity::vault_used_bytes;
pub use capacity::whole_mib;
pub(crate) use lock::Lockable;

/// The most resources of a vault.
pub const RESOURCES_MAX: usize = 256;
