//! Collection of what no backup needs.

pub(crate) mod epoch;
