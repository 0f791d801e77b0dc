//! The catalogue through its public face; every test body runs on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod access_keys;
mod agents;
mod concurrency;
mod identity;
mod jobs;
mod lists;
mod migration;
mod policies;
mod quotas;
mod records;
mod saved;
mod shares;
mod support;
mod tags;
mod vault_policies;
mod vaults;
