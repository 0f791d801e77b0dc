//! What the body of a policy says: operations P1 and P3.

use serde_json::{Map, Value};
use strongroom_model::policy::{Days, Retention, Rule, TimeOfDay, Trigger, Weekday};
use strongroom_model::tag::Tags;
use strongroom_model::time::Timestamp;
use strongroom_model::zone::Zone;
use strongroom_service::policy::{NewPolicy, PolicyChange};

use super::policy_times;
use super::vendor_body::{self, get, has_brackets, refuse};
use crate::fault::Fault;

/// The most characters of a name, which has one at least.
const NAME_MAX_CHARS: usize = 64;

/// The days between two runs.
const FREQUENCY: std::ops::RangeInclusive<i64> = 1..=30;

/// How many backups may be kept.
const COUNT: std::ops::RangeInclusive<i64> = 2..=99;

/// For how many days backups may be kept.
const DAYS: std::ops::RangeInclusive<i64> = 2..=99_999;

/// Each day of the week by the name that it has here.
pub(super) const WEEKDAYS: [(&str, Weekday); 7] = [
    ("SUN", Weekday::Sunday),
    ("MON", Weekday::Monday),
    ("TUE", Weekday::Tuesday),
    ("WED", Weekday::Wednesday),
    ("THU", Weekday::Thursday),
    ("FRI", Weekday::Friday),
    ("SAT", Weekday::Saturday),
];

/// The count and the days of a retention, one of which is none.
type Limit = (Option<u32>, Option<u32>);

/// What a body says of a policy, as far as it says anything.
#[derive(Debug, Default)]
pub(super) struct PolicyBody {
    name: Option<String>,
    /// As it came: whether its order is right depends on the zone.
    times: Option<Vec<TimeOfDay>>,
    days: Option<Days>,
    limit: Option<Limit>,
    keeps_first_of_month: Option<bool>,
    is_enabled: Option<bool>,
    zone: Option<Zone>,
    tags: Tags,
}

impl PolicyBody {
    /// Reads a body. Keys that mean nothing here are ignored, among them the id that clients send
    /// along.
    pub(super) fn read(body: &Map<String, Value>) -> Result<Self, Fault> {
        let name = get(body, "backup_policy_name").map(read_name).transpose()?;
        let schedule = match get(body, "scheduled_policy") {
            None => &Map::new(),
            Some(Value::Object(schedule)) => schedule,
            Some(_) => {
                return Err(refuse("AutoBackup.0008", "'scheduled_policy' must be an object."));
            }
        };
        let of = |key| get(schedule, key);
        Ok(Self {
            name,
            times: of("start_time").map(policy_times::read).transpose()?,
            days: read_days(of("frequency"), of("week_frequency"))?,
            limit: read_limit(of("rentention_num"), of("rentention_day"))?,
            keeps_first_of_month: of("remain_first_backup_of_curMonth")
                .map(read_keeps_first)
                .transpose()?,
            is_enabled: of("status").map(read_status).transpose()?,
            zone: get(body, "time_zone").map(policy_times::read_zone).transpose()?,
            tags: vendor_body::tags(get(body, "tags"), "AutoBackup.0214")?,
        })
    }

    /// A new policy, if the body says all that one needs.
    pub(super) fn into_new(self, now: Timestamp) -> Result<NewPolicy, Fault> {
        let zone = self.zone.unwrap_or_else(Zone::utc);
        let name =
            self.name.ok_or_else(|| refuse("AutoBackup.0101", "A policy must have a name."))?;
        let missing = |code, key| move || refuse(code, format!("'{key}' is missing."));
        let times = self.times.ok_or_else(missing("AutoBackup.0103", "start_time"))?;
        policy_times::check_order(&times, &zone, now)?;
        let days = self.days.ok_or_else(missing("AutoBackup.0106", "frequency"))?;
        let (count, keep_days) =
            self.limit.ok_or_else(missing("AutoBackup.0107", "rentention_num"))?;
        let is_enabled = self.is_enabled.ok_or_else(missing("AutoBackup.0104", "status"))?;
        Ok(NewPolicy {
            name,
            is_enabled,
            trigger: Trigger { zone: zone.clone(), rules: vec![Rule { times, days }] },
            retention: Retention {
                count,
                days: keep_days,
                keeps_first_of_month: self.keeps_first_of_month.unwrap_or(false),
                zone,
                ..Retention::for_ever()
            },
            tags: self.tags,
        })
    }

    /// What to change of a policy whose trigger has the zone `present`. A policy that another
    /// dialect gave several rules gets one when both times and days are named.
    pub(super) fn into_change(self, present: &Zone, now: Timestamp) -> Result<PolicyChange, Fault> {
        let zone = self.zone.as_ref().unwrap_or(present);
        if let Some(times) = &self.times {
            policy_times::check_order(times, zone, now)?;
        }
        let (trigger, times, days) = match (self.times, self.days) {
            (Some(times), Some(days)) => {
                let rules = vec![Rule { times, days }];
                (Some(Trigger { zone: zone.clone(), rules }), None, None)
            }
            (times, days) => (None, times, days),
        };
        Ok(PolicyChange {
            name: self.name,
            is_enabled: self.is_enabled,
            trigger,
            times,
            days,
            zone: self.zone,
            retention: None,
            limit: self.limit,
            keeps_first_of_month: self.keeps_first_of_month,
            tags: self.tags,
        })
    }
}

fn read_name(value: &Value) -> Result<String, Fault> {
    let Value::String(name) = value else {
        return Err(refuse("AutoBackup.0102", "'backup_policy_name' must be a text."));
    };
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !(1..=NAME_MAX_CHARS).contains(&name.chars().count()) {
        Err(refuse("AutoBackup.0101", "The name must have 1 to 64 characters."))
    } else if has_brackets(name) {
        Err(refuse("AutoBackup.0221", "The name must not have the characters < and >."))
    } else if !name.chars().all(is_fine) {
        let message = "The name may have letters, digits, underscores, hyphens and dots only.";
        Err(refuse("AutoBackup.0102", message))
    } else if name.to_ascii_lowercase().starts_with("default") {
        Err(refuse("AutoBackup.0102", "The name must not begin with 'default'."))
    } else {
        Ok(name.clone())
    }
}

/// The days; a frequency wins over days of the week.
fn read_days(every: Option<&Value>, weekdays: Option<&Value>) -> Result<Option<Days>, Fault> {
    let refuse = |message| refuse("AutoBackup.0106", message);
    let wrong = || refuse("'week_frequency' must be a list of different days, as in 'SUN'.");
    let weekdays = weekdays.map(|days| read_weekdays(days).ok_or_else(wrong)).transpose()?;
    let Some(every) = every else { return Ok(weekdays.map(Days::Weekdays)) };
    let days = every.as_i64().filter(|days| FREQUENCY.contains(days));
    let every = days.and_then(|days| u8::try_from(days).ok());
    let wrong = || refuse("'frequency' must be a whole number from 1 to 30.");
    Ok(Some(Days::OfMonth { every: every.ok_or_else(wrong)? }))
}

fn read_weekdays(value: &Value) -> Option<Vec<Weekday>> {
    let mut days = Vec::new();
    for item in value.as_array()? {
        let name = item.as_str()?;
        let (_, day) = WEEKDAYS.iter().find(|(known, _)| *known == name)?;
        if days.contains(day) {
            return None;
        }
        days.push(*day);
    }
    Some(days).filter(|days| !days.is_empty())
}

/// The count and the days of a retention, of which the count wins.
fn read_limit(count: Option<&Value>, days: Option<&Value>) -> Result<Option<Limit>, Fault> {
    let refuse = |message| refuse("AutoBackup.0107", message);
    let narrow = |number: i64| u32::try_from(number).ok();
    let read_days = |days: &Value| {
        let days = whole_days(days).filter(|days| DAYS.contains(days)).and_then(narrow);
        days.ok_or_else(|| refuse("'rentention_day' must be a number from 2 to 99999."))
    };
    let days = days.map(read_days).transpose()?;
    let Some(count) = count else { return Ok(days.map(|days| (None, Some(days)))) };
    let count = count.as_i64().filter(|count| COUNT.contains(count)).and_then(narrow);
    let wrong = || refuse("'rentention_num' must be a whole number from 2 to 99.");
    Ok(Some((Some(count.ok_or_else(wrong)?), None)))
}

/// A number of days; what follows the point is cut off.
fn whole_days(value: &Value) -> Option<i64> {
    let Value::Number(number) = value else { return None };
    number.as_i64().or_else(|| {
        let digits = format!("{:.0}", number.as_f64()?.trunc());
        digits.parse().ok()
    })
}

fn read_keeps_first(value: &Value) -> Result<bool, Fault> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        word if word == "Y" => Ok(true),
        word if word == "N" => Ok(false),
        _ => {
            let message = "'remain_first_backup_of_curMonth' must be 'Y' or 'N'.";
            Err(refuse("AutoBackup.0105", message))
        }
    }
}

fn read_status(value: &Value) -> Result<bool, Fault> {
    match value.as_str() {
        Some("ON") => Ok(true),
        Some("OFF") => Ok(false),
        _ => Err(refuse("AutoBackup.0104", "'status' must be 'ON' or 'OFF'.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> Timestamp {
        Timestamp::parse("2024-01-31T10:00:00Z").unwrap()
    }

    fn whole() -> Value {
        json!({
            "backup_policy_name": "p",
            "scheduled_policy": {
                "start_time": "12:00,20:00", "frequency": 3, "rentention_num": 7, "status": "ON",
            },
        })
    }

    fn read(body: &Value) -> Result<NewPolicy, Fault> {
        PolicyBody::read(body.as_object().unwrap())?.into_new(now())
    }

    #[test]
    fn a_body_becomes_one_rule() {
        let new = read(&whole()).unwrap();
        let times = [12, 20].map(|hour| TimeOfDay { hour, minute: 0 }).to_vec();
        let rules = vec![Rule { times, days: Days::OfMonth { every: 3 } }];
        assert_eq!(new.trigger, Trigger { zone: Zone::utc(), rules });
        assert_eq!(new.retention, Retention { count: Some(7), ..Retention::for_ever() });
        assert!(new.is_enabled);
    }

    #[test]
    fn each_member_has_its_code() {
        for (key, code, bad) in [
            ("start_time", "0103", vec![json!(12), json!(["12:00"]), json!("20:00,12:00")]),
            ("frequency", "0106", vec![json!(0), json!(-1), json!(31), json!(1.5), json!("1")]),
            ("rentention_num", "0107", vec![json!(0), json!(-2), json!(1), json!(100), json!(2.5)]),
            ("rentention_num", "0107", vec![json!("7"), json!([]), json!(1e300)]),
            ("status", "0104", vec![json!("on"), json!(true), json!({})]),
            ("remain_first_backup_of_curMonth", "0105", vec![json!("y"), json!(1), json!([])]),
        ] {
            for value in bad {
                let mut body = whole();
                body["scheduled_policy"][key] = value.clone();
                let fault = read(&body).unwrap_err();
                assert_eq!(fault.code.unwrap(), format!("AutoBackup.{code}"), "{key} {value}");
            }
        }
        for (key, code) in [
            ("start_time", "0103"),
            ("frequency", "0106"),
            ("rentention_num", "0107"),
            ("status", "0104"),
        ] {
            let mut body = whole();
            body["scheduled_policy"][key] = json!(null);
            assert_eq!(read(&body).unwrap_err().code.unwrap(), format!("AutoBackup.{code}"));
        }
    }

    #[test]
    fn names_are_bounded_and_not_default() {
        for (name, code) in [
            (json!(null), "0101"),
            (json!(""), "0101"),
            (json!("x".repeat(10_000)), "0101"),
            (json!("a<b"), "0221"),
            (json!("a>"), "0221"),
            (json!("a b"), "0102"),
            (json!(7), "0102"),
            (json!("Default-one"), "0102"),
        ] {
            let mut body = whole();
            body["backup_policy_name"] = name.clone();
            let fault = read(&body).unwrap_err();
            assert_eq!(fault.code.unwrap(), format!("AutoBackup.{code}"), "{name}");
        }
        let mut body = whole();
        body["backup_policy_name"] = json!("a_default.B-9");
        assert_eq!(read(&body).unwrap().name, "a_default.B-9");
    }

    #[test]
    fn a_frequency_wins_over_weekdays_and_a_count_over_days() {
        let days = |body: &Value| read(body).unwrap().trigger.rules[0].days.clone();
        let mut body = whole();
        body["scheduled_policy"]["week_frequency"] = json!(["SUN", "SAT"]);
        body["scheduled_policy"]["rentention_day"] = json!(9);
        assert_eq!(days(&body), Days::OfMonth { every: 3 });
        assert_eq!(read(&body).unwrap().retention.days, None);
        body["scheduled_policy"]["frequency"] = json!(null);
        assert_eq!(days(&body), Days::Weekdays(vec![Weekday::Sunday, Weekday::Saturday]));
        for bad in [json!([]), json!("SUN"), json!(["sun"]), json!(["SUN", "SUN"]), json!([0])] {
            body["scheduled_policy"]["week_frequency"] = bad;
            assert_eq!(read(&body).unwrap_err().code, Some("AutoBackup.0106"));
        }
    }

    #[test]
    fn days_of_a_retention_are_cut_to_whole_ones() {
        let read = |value| read_limit(None, Some(&value)).map(|limit| limit.unwrap().1.unwrap());
        assert_eq!(read(json!(2.9)).unwrap(), 2);
        assert_eq!(read(json!(99_999.9)).unwrap(), 99_999);
        for bad in [json!(1.9), json!(0), json!(-3), json!(100_000), json!(1e300), json!("3")] {
            assert_eq!(read(bad).unwrap_err().code, Some("AutoBackup.0107"));
        }
    }

    // What does not count must still be something that could.
    #[test]
    fn the_other_of_a_pair_is_judged_too() {
        for (key, code, bad) in [
            ("week_frequency", "0106", json!(true)),
            ("week_frequency", "0106", json!(["x"])),
            ("rentention_day", "0107", json!("3")),
        ] {
            let mut body = whole();
            body["scheduled_policy"][key] = bad;
            assert_eq!(read(&body).unwrap_err().code.unwrap(), format!("AutoBackup.{code}"));
        }
    }

    // T-28: a change may say nothing but the id; one of each pair clears the other.
    #[test]
    fn t28_a_change_says_what_changes_and_no_more() {
        let change = |body: Value| {
            let body = PolicyBody::read(body.as_object().unwrap()).unwrap();
            body.into_change(&Zone::utc(), now()).unwrap()
        };
        let none = change(json!({"backup_policy_id": "x"}));
        assert_eq!(format!("{none:?}"), format!("{:?}", PolicyChange::default()));
        let some = change(json!({"scheduled_policy": {"rentention_day": 5, "status": "OFF"}}));
        assert_eq!(some.limit, Some((None, Some(5))));
        assert_eq!((some.is_enabled, some.times, some.days), (Some(false), None, None));
        let both = change(json!({"scheduled_policy": {"start_time": "01:00", "frequency": 1}}));
        assert_eq!(both.trigger.unwrap().rules.len(), 1);
    }

    #[test]
    fn the_order_of_times_is_that_of_the_zone_in_force() {
        let body = json!({"scheduled_policy": {"start_time": "16:00,20:00,12:00"}});
        let change = |zone: &str| {
            let body = PolicyBody::read(body.as_object().unwrap()).unwrap();
            body.into_change(&Zone::parse(zone).unwrap(), now()).map(drop)
        };
        change("UTC+08:00").unwrap();
        change("Asia/Shanghai").unwrap();
        assert_eq!(change("UTC+00:00").unwrap_err().code, Some("AutoBackup.0103"));
    }
}
