//! When policies run and which backups they remove, against a model that is written differently:
//! it walks the calendar hour by hour with integer arithmetic and offset rules of its own.

#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod calendar;
mod keeping;
mod patterns;
mod retention;
mod schedule;
