//! The catalogue: what exists and in which state, on SQLite or PostgreSQL.
//!
//! [`Catalog::connect`] opens a database and brings its schema up to date. Everything else happens
//! inside [`Catalog::transact`] or [`Catalog::read`], whose [`Transaction`] gives one group of
//! methods per family: [`Transaction::backups`], [`Transaction::jobs`] and so on. One SQL text
//! serves both databases; what differs between them stands in `sql.rs` and nowhere else.
//!
//! The catalogue decides nothing and knows neither HTTP nor how bytes are stored. It takes instants
//! as arguments and reads no clock.

mod agent;
mod assignment;
mod backup;
mod checkpoint;
mod connect;
mod domain;
mod error;
mod expiry;
mod job;
mod migrate;
mod operation;
mod organization_policy;
mod page;
#[cfg(test)]
mod plan;
mod policy;
mod project;
mod quota;
mod record;
mod replication;
mod revocation;
mod saved;
mod server_backup;
mod setting;
mod share;
mod snapshot;
mod sql;
mod tag;
mod task;
mod transaction;
mod user;
mod vault;
mod vault_policy;
mod vault_usage;
mod volume;

pub use agent::Agents;
pub use assignment::Assignments;
pub use backup::{BackupFilter, BackupKey, BackupQuery, Backups};
pub use checkpoint::Checkpoints;
pub use connect::Catalog;
pub use domain::Domains;
pub use error::{Error, Result};
pub use job::{JobCounts, JobRecord, JobState, Jobs};
pub use operation::{OperationEnd, OperationFilter, OperationQuery, Operations};
pub use organization_policy::OrganizationPolicies;
pub use policy::Policies;
pub use project::Projects;
pub use quota::Quotas;
pub use replication::Replications;
pub use revocation::Revocations;
pub use saved::{Ownership, SavedFilter, SavedKey, SavedPoints, SavedQuery};
pub use server_backup::ServerBackups;
pub use setting::Settings;
pub use share::{
    MemberFilter, MemberKey, MemberQuery, ShareFilter, ShareKey, ShareQuery, Shares,
};
pub use snapshot::{SnapshotFilter, SnapshotKey, SnapshotQuery, Snapshots};
pub use tag::{TagSets, TaggedQuery, TaggedRow};
pub use task::{TaskQuery, Tasks};
pub use transaction::{BoxFuture, Transaction};
pub use user::Users;
pub use vault::Vaults;
pub use vault_usage::{ResourceUsage, StoredResource, VaultWarning};
pub use volume::{VolumeFilter, VolumeKey, VolumeQuery, Volumes};
