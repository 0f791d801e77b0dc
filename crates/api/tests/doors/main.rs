//! The front doors from outside: requests through the routers to a whole service and back.

#![expect(
    clippy::unwrap_used,
    reason = "what the helpers of a test unwrap is what the test asserts"
)]

mod access_keys;
mod bad_input;
mod cbr;
mod cloud_backups;
mod compute;
mod contract;
mod examples;
mod examples_vendor;
mod identity;
mod isolation;
mod jobs;
mod lifecycle;
mod lists;
mod odd_values;
mod policies;
mod policy_tags;
mod samples;
mod shares;
mod shares_sample;
mod signatures;
mod signing;
mod strict;
mod tags;
mod traps;
mod truth;
mod vendor_isolation;
mod vendor_refusals;
mod versions;
mod volumes;
mod world;
