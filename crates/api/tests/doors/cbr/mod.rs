//! The CBR door: what it does with every request, and each family of its operations.

mod features;
mod frame;
mod operations;
mod policies;
