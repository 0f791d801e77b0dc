//! The service's rules, through its public door, with jobs run by hand.

mod backups;
mod identity;
mod interruption;
mod isolation;
mod quotas;
mod volumes;
mod world;
