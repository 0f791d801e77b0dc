//! The CBR door: what it does with every request, and each family of its operations.

mod agents;
mod backups;
mod checkpoints;
mod domain;
mod features;
mod frame;
mod isolation;
mod isolation_far;
mod isolation_side;
mod isolation_table;
mod members;
mod operation_logs;
mod operations;
mod organization_policies;
mod planted;
mod policies;
pub(crate) mod protectables;
mod restores;
mod samples;
mod saved_isolation;
mod strict;
pub(crate) mod traps;
mod vault_tags;
mod vaults;
