//! Policies: what is backed up when, and how long the backups are kept.
//!
//! One record serves every dialect: the volume door's `backuppolicy` with its start times and
//! frequency, and CBR's policies with their recurrence patterns.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::id::{PolicyId, ProjectId, UserId};
use crate::time::Timestamp;
use crate::zone::Zone;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Sunday,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
}

impl Weekday {
    /// Every day, in the order in which the volume door lists them.
    pub const ALL: [Self; 7] = [
        Self::Sunday,
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
    ];

    /// The day of the week of a date.
    pub fn of(date: Date) -> Self {
        Self::ALL[usize::from(date.weekday().to_sunday_zero_offset().unsigned_abs()) % 7]
    }
}

/// A time of day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimeOfDay {
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
}

/// The days on which a rule runs. Which day an instant falls on is decided in the trigger's zone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Days {
    /// Days 1, 1 + n, 1 + 2n … of every month, whenever the policy was made.
    OfMonth {
        /// n, at least 1.
        every: u8,
    },
    /// These days of the week.
    Weekdays(Vec<Weekday>),
    /// Every so many days, counted from a date which is one of them.
    Interval {
        /// Days between two runs, at least 1.
        every: u8,
        /// The first day.
        from: Date,
    },
}

/// Some times of day on some days.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// The times of day in UTC, in the order in which they were given.
    pub times: Vec<TimeOfDay>,
    /// The days.
    pub days: Days,
}

/// When a policy runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Trigger {
    /// Where an instant's day is looked up.
    pub zone: Zone,
    /// It runs whenever one of these says so.
    pub rules: Vec<Rule>,
}

/// How many of the newest backups of each period are kept besides those that other rules keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
pub struct Picks {
    /// The latest backup of so many recent days that have one.
    pub daily: u32,
    /// The latest backup of so many recent weeks that have one; weeks begin on Monday.
    pub weekly: u32,
    /// The latest backup of so many recent months that have one.
    pub monthly: u32,
    /// The latest backup of so many recent years that have one.
    pub yearly: u32,
}

/// How long a policy's own backups of one disk are kept. Without a count and without days they are
/// kept for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Retention {
    /// Keep the newest so many available ones.
    pub count: Option<u32>,
    /// Keep each one for so many days. The date is fixed when the backup is made.
    pub days: Option<u32>,
    /// Keep the first one of the present month until the month ends.
    pub keeps_first_of_month: bool,
    /// Keep these as well, whatever the count says.
    pub picks: Picks,
    /// Where days, weeks, months and years begin.
    pub zone: Zone,
}

impl Retention {
    /// Keeps everything.
    pub fn for_ever() -> Self {
        Self {
            count: None,
            days: None,
            keeps_first_of_month: false,
            picks: Picks::default(),
            zone: Zone::utc(),
        }
    }
}

/// What is backed up when, and how long it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// The project that owns it.
    pub project_id: ProjectId,
    /// The user who made it, on whose behalf its backups are made.
    pub user_id: UserId,
    /// Its name, not unique.
    pub name: String,
    /// Whether it runs and expires by itself.
    pub is_enabled: bool,
    /// When it runs.
    pub trigger: Trigger,
    /// How long its backups are kept.
    pub retention: Retention,
    /// The next instant at which it runs; none while it is disabled.
    pub next_run_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}
