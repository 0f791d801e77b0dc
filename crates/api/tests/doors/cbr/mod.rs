//! The CBR door: what it does with every request, and each family of its operations.

mod agents;
mod domain;
mod features;
mod frame;
mod operations;
mod policies;
mod organization_policies;
