//! For tests only: throw-away databases, failing stores, sample volumes, a signer of requests, and
//! the wall between crates.
//!
//! It depends on `model` alone, so that the unit tests of every crate may use it without meeting
//! two copies of their own types.

pub mod arrows;
pub mod database;
pub mod signer;
pub mod store;
pub mod volume;
