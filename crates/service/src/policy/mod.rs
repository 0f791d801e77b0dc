//! Policies: when what is backed up, and what is kept.
//!
//! [`schedule`], [`retention`] and [`longer`] decide over plain values; [`pattern`] and
//! [`definition`] translate between these and what callers of vaults say. `manage` and `binding` are
//! what callers of the volume door ask for, `patterned` and `vault` what those of vaults do, over the
//! same policies. `run` begins backups when they are due, and `sweep` removes what is no longer kept.

mod binding;
mod change;
pub mod definition;
pub mod longer;
mod manage;
pub mod organization;
pub mod pattern;
mod patterned;
pub mod retention;
mod run;
pub mod schedule;
mod start;
mod sweep;
mod vault;
mod vault_run;
mod vault_sweep;

pub(crate) use manage::find_policy;
pub use patterned::{NewPatternedPolicy, PatternedChange, PatternedFilter, PatternedPolicy};

use strongroom_model::id::VolumeId;
use strongroom_model::policy::{Days, Policy, Retention, TimeOfDay, Trigger};
use strongroom_model::tag::Tags;
use strongroom_model::zone::Zone;

/// What a caller asks for when it makes a policy.
#[derive(Debug, Clone)]
pub struct NewPolicy {
    /// Its name.
    pub name: String,
    /// Whether it runs and expires by itself.
    pub is_enabled: bool,
    /// When it runs.
    pub trigger: Trigger,
    /// How long its backups are kept.
    pub retention: Retention,
    /// Its tags, which every backup that it makes gets too.
    pub tags: Tags,
}

/// What to change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct PolicyChange {
    /// The new name.
    pub name: Option<String>,
    /// Whether it runs and expires by itself.
    pub is_enabled: Option<bool>,
    /// The whole trigger anew.
    pub trigger: Option<Trigger>,
    /// The times of day of a trigger that has one rule.
    pub times: Option<Vec<TimeOfDay>>,
    /// The days of a trigger that has one rule.
    pub days: Option<Days>,
    /// The zone of the trigger and of the retention.
    pub zone: Option<Zone>,
    /// The whole retention anew.
    pub retention: Option<Retention>,
    /// The count and the days of the retention, one of which is none.
    pub limit: Option<(Option<u32>, Option<u32>)>,
    /// Whether the first backup of the present month is kept.
    pub keeps_first_of_month: Option<bool>,
    /// Tags that are added, over those of the same keys.
    pub tags: Tags,
}

/// A policy with what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyView {
    /// The policy.
    pub policy: Policy,
    /// How many disks are bound to it; those that are gone do not count.
    pub volume_count: u64,
    /// Its tags.
    pub tags: Tags,
}

/// Why a disk cannot be bound to a policy or released from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingFault {
    /// No such disk in the project.
    Missing,
    /// The disk is in a state in which it cannot be bound.
    State,
    /// The disk is not bound to the policy.
    NotBound,
    /// The policy has as many disks as it may have.
    TooMany,
}

/// How binding or releasing one disk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The id as it was given.
    pub id: String,
    /// The disk, if it is known.
    pub volume_id: Option<VolumeId>,
    /// The disk's zone, if it is known.
    pub availability_zone: Option<String>,
    /// Why not; none if it was done.
    pub fault: Option<BindingFault>,
}
