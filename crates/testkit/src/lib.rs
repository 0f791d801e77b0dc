//! For tests only: throw-away databases, sample volumes and stores that break.
//!
//! It depends on `model` alone, so that the unit tests of every crate may use it without meeting
//! two copies of their own types.

pub mod store;
pub mod volume;
