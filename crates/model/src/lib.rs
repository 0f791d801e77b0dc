//! The words of Strongroom: ids, records, statuses, sizes and instants.
//!
//! Everything here is plain data. Nothing does I/O, knows SQL or HTTP, or reads a clock of its own:
//! time and chance arrive as the [`time::Clock`] and [`chance::Chance`] that a caller passes.
//! A value that exists is valid: parsers such as [`id::VolumeId::parse`] are the only way in.
//!
//! The nouns, from the outside in: a [`project`] owns everything; a [`volume`] is what is protected
//! and a [`snapshot`] is one frozen state of it; a [`vault`] keeps backups and owns their keys; a
//! [`backup`] is one saved point of one volume; a [`job`] is a unit of background work. A [`policy`]
//! says when disks are backed up and how long the backups are kept, and a [`task`] is one disk's part
//! in one of its runs; a [`server`] is a machine whose disks are volumes; a [`share`] lets another
//! project use a backup; a [`tag`] marks what its owner wants to find again.
//!
//! A [`server_backup`] owns the backups of a server's disks; a [`checkpoint`] is one run over the
//! [`resource`]s of a vault; an [`operation`] tells how such a piece of work ended.

pub mod agent;
pub mod backup;
pub mod chance;
pub mod checkpoint;
pub mod id;
pub mod identity;
pub mod job;
pub mod operation;
pub mod organization_policy;
pub mod page;
pub mod policy;
pub mod project;
pub mod quota;
pub mod replication;
pub mod resource;
pub mod saved;
pub mod server;
pub mod server_backup;
pub mod share;
pub mod size;
pub mod snapshot;
pub mod tag;
pub mod task;
pub mod time;
pub mod vault;
pub mod volume;
pub mod zone;
