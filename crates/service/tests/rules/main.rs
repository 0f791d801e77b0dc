//! The service's rules, through its public door, with jobs run by hand.

#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod backups;
mod hands;
mod identity;
mod interruption;
mod isolation;
mod jobs;
mod quotas;
mod shares;
mod tags;
mod volumes;
mod world;
