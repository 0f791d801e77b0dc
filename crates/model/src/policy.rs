//! Policies: what is backed up when, and how long the backups are kept.
//!
//! One record serves every dialect: the volume door's `backuppolicy` with its start times and
//! frequency, and CBR's policies with their recurrence patterns.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::id::{PolicyId, ProjectId, UserId, VaultId};
use crate::time::Timestamp;
use crate::vault::words;
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
    /// Keep some for longer than so many days.
    #[serde(default)]
    pub longer: LongerKept,
    /// Where days, weeks, months and years begin.
    pub zone: Zone,
}

/// Which backups get a later date than the days of their retention say. Without days it says
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct LongerKept {
    /// Those of some days of every week.
    pub weekly: Option<KeptWeekly>,
    /// Those of some days of every month.
    pub monthly: Option<KeptMonthly>,
    /// Those of some days of every year.
    pub yearly: Option<KeptYearly>,
}

/// Backups of these days of the week are kept for so many weeks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeptWeekly {
    /// The days of the week.
    pub days: Vec<Weekday>,
    /// For how many weeks, at least 1.
    pub weeks: u16,
}

/// Backups of these days of a month are kept for so many months.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeptMonthly {
    /// The days of the month.
    pub on: MonthDays,
    /// For how many months, at least 1.
    pub months: u16,
}

/// Backups of these days of some months are kept for so many years.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeptYearly {
    /// The months, 1 to 12.
    pub in_months: Vec<u8>,
    /// The days of each of them.
    pub on: MonthDays,
    /// For how many years, at least 1.
    pub years: u16,
}

/// Some days of a month.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MonthDays {
    /// By number: 1 to 28, and -1 for the last day.
    Dates(Vec<i8>),
    /// Every one of these days of the week that is one of these of the month.
    Weekdays {
        /// The first to the fourth as 1 to 4, and -1 for the last.
        weeks: Vec<i8>,
        /// The days of the week.
        days: Vec<Weekday>,
    },
}

impl Retention {
    /// Keeps everything.
    pub fn for_ever() -> Self {
        Self {
            count: None,
            days: None,
            keeps_first_of_month: false,
            picks: Picks::default(),
            longer: LongerKept::default(),
            zone: Zone::utc(),
        }
    }
}

words! {
    /// What a policy does.
    PolicyOperation {
        /// It makes backups.
        Backup = "backup",
        /// It copies backups to another region.
        Replication = "replication",
    }
}

words! {
    /// Where a policy comes from.
    PolicyKind {
        /// A user of the project made it.
        Custom = "custom_policy",
        /// It came from a policy of the organization, of an old kind.
        OrganizationV1 = "organization_policy_v1",
        /// It came from a policy of the organization.
        Organization = "organization_policy_v2",
        /// It came from a policy of the organization that is gone.
        OrganizationRemoved = "organization_policy_removed",
    }
}

/// What a caller said in its own words, kept so that it can be told back. What a policy does
/// follows from its trigger and its retention, which were derived from this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The keys of the definition of what is done that mean something, with the values that they
    /// came with; none if no caller gave one.
    pub definition: Option<Map<String, Value>>,
    /// The patterns of recurrence, byte for byte; none if the trigger was set in another dialect.
    pub patterns: Option<Vec<String>>,
    /// By how many minutes a run may begin late.
    pub start_window_minutes: Option<u16>,
    /// The trigger's id.
    pub trigger_id: Uuid,
    /// When the trigger was set; intervals of days are counted from that date.
    pub trigger_set_at: Timestamp,
}

impl Terms {
    /// Those of a policy about which nothing was said in such words.
    pub const fn unsaid(id: PolicyId, created_at: Timestamp) -> Self {
        Self {
            definition: None,
            patterns: None,
            start_window_minutes: None,
            trigger_id: id.0,
            trigger_set_at: created_at,
        }
    }
}

/// Where a policy copies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The region.
    pub region: String,
    /// The project there.
    pub project_id: String,
}

/// A policy that is applied to a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultPolicy {
    /// The vault.
    pub vault_id: VaultId,
    /// What the policy does. A vault has one policy of each operation at most.
    pub operation: PolicyOperation,
    /// The policy.
    pub policy_id: PolicyId,
    /// The vault that copies go to.
    pub destination_vault_id: Option<VaultId>,
    /// When it was applied.
    pub created_at: Timestamp,
}

/// What is backed up or copied when, and how long it is kept.
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
    /// What it does.
    pub operation: PolicyOperation,
    /// Where it comes from.
    pub kind: PolicyKind,
    /// What was said of it in words that are told back.
    pub terms: Terms,
}

impl Policy {
    /// After how many increments of a resource the next backup is a full one: 0 makes each one
    /// full. Without it only the first one is.
    pub fn full_interval(&self) -> Option<u32> {
        let said = self.said("full_backup_interval")?.as_i64()?;
        u32::try_from(said).ok()
    }

    /// Where it copies to, if that was said.
    pub fn destination(&self) -> Option<Destination> {
        let text = |key| self.said(key)?.as_str().map(str::to_owned);
        let (region, project_id) = (text("destination_region")?, text("destination_project_id")?);
        Some(Destination { region, project_id })
    }

    fn said(&self, key: &str) -> Option<&Value> {
        self.terms.definition.as_ref()?.get(key)
    }
}
