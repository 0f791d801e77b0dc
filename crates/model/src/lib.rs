//! The words of Strongroom: ids, records, statuses, sizes and instants.
//!
//! Everything here is plain data. Nothing does I/O, knows SQL or HTTP, or reads a clock of its own:
//! time and chance arrive as the [`time::Clock`] and [`chance::Chance`] that a caller passes.
//! A value that exists is valid: parsers such as [`id::VolumeId::parse`] are the only way in.
//!
//! The nouns, from the outside in: a [`project`] owns everything; a [`volume`] is what is protected
//! and a [`snapshot`] is one frozen state of it; a [`vault`] keeps backups and owns their keys; a
//! [`backup`] is one saved point of one volume; a [`job`] is a unit of background work.

pub mod backup;
pub mod chance;
pub mod id;
pub mod identity;
pub mod job;
pub mod page;
pub mod project;
pub mod quota;
pub mod size;
pub mod snapshot;
pub mod time;
pub mod vault;
pub mod volume;
