//! Every rule of Strongroom.
//!
//! A front door translates its dialect into calls on [`Service`] and the answers back; the rules —
//! who may, in which state, within which quota, what happens next — are decided here and nowhere
//! else, and this is the only crate that begins a transaction. [`Service`] is a cheap clone.
//!
//! Each function of a noun's file does: authorise, read, decide, write, enqueue. The work itself
//! is done by jobs.

pub mod backup;
pub mod caller;
pub mod error;
pub mod folder;
pub mod identity;
pub mod quota;
pub mod restore;
pub mod secret;
pub mod settings;
pub mod snapshot;
pub mod volume;

pub use caller::{Caller, CallerScope};
pub use error::{Error, Kind, Result};

/// The rules over one catalogue, one store and one folder of volumes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Service {}
