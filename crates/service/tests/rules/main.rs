//! The service's rules, through its public door, with jobs run by hand.

#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod access_keys;
mod backups;
#[path = "../clock/calendar.rs"]
#[allow(dead_code, reason = "another binary uses the rest")]
mod calendar;
mod checkpoints;
mod hands;
mod identity;
mod interruption;
mod isolation;
mod jobs;
#[path = "../clock/keeping.rs"]
mod keeping;
mod members;
mod organization;
mod points;
mod policies;
mod policy_clock;
mod policy_dates;
mod policy_keeps;
mod policy_runs;
mod policy_year;
mod quotas;
mod recoveries;
mod replication;
mod server_backups;
mod servers;
mod shares;
mod signatures;
mod signing;
mod tags;
mod temporary_keys;
mod vault_keeps;
mod vault_lock;
mod vault_policies;
mod vault_removal;
mod vault_runs;
mod vault_year;
mod vaults;
mod volumes;
mod world;
