//! For tests only: what a test of any crate needs and no production code may use.

pub mod arrows;
