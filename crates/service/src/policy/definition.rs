//! The definition of what a policy does: read from the keys that callers of vaults know, and written
//! in them.
//!
//! What they say is kept as it came. Absent, null and whatever is not above zero all mean that a
//! rule is not set.

use serde_json::{Map, Value};
use strongroom_model::policy::{LongerKept, Picks, PolicyOperation, Retention};
use strongroom_model::zone::Zone;

use super::longer;
use crate::error::{Error, Result};

/// The keys of numbers, with the most that each may be. The least is -1.
const NUMBERS: [(&str, i64); 7] = [
    (COUNT, 99_999),
    (DAYS, 99_999),
    ("day_backups", 100),
    ("week_backups", 100),
    ("month_backups", 100),
    ("year_backups", 100),
    ("full_backup_interval", 100),
];

const COUNT: &str = "max_backups";
const DAYS: &str = "retention_duration_days";
const ZONE: &str = "timezone";
const LONGER: &str = "advanced_retention_rules";
const ACCELERATED: &str = "enable_acceleration";

/// The most that is kept of rules for longer, which may hold what nobody understands.
const LONGER_MAX_BYTES: usize = 8192;

/// Where a replication policy copies to. These stay when a definition is replaced without them.
const DESTINATION: [&str; 2] = ["destination_region", "destination_project_id"];

/// The keys of a definition that mean something, as they came. Null is as good as absent.
///
/// # Errors
/// [`Error::Invalid`] if a value is of the wrong type or out of range.
pub fn recognised(said: &Map<String, Value>) -> Result<Map<String, Value>> {
    let mut known = Map::new();
    for (key, value) in said.iter().filter(|(_, value)| !value.is_null()) {
        let key = key.as_str();
        if let Some((name, max)) = NUMBERS.iter().find(|(name, _)| *name == key) {
            let is_fine = value.as_i64().is_some_and(|number| (-1..=*max).contains(&number));
            check(name, is_fine, || format!("a whole number from -1 to {max}"))?;
        } else if key == ZONE {
            let zone = value.as_str().and_then(fixed_zone);
            check(ZONE, zone.is_some(), || "an offset as in UTC+08:00".to_owned())?;
        } else if let Some(name) = DESTINATION.iter().find(|name| **name == key) {
            let is_fine = value.as_str().is_some_and(is_name);
            check(name, is_fine, || "1 to 255 letters, digits, points, - or _".to_owned())?;
        } else if key == ACCELERATED {
            check(ACCELERATED, value.is_boolean(), || "true or false".to_owned())?;
        } else if key == LONGER {
            let is_fine = value.to_string().len() <= LONGER_MAX_BYTES;
            check(LONGER, is_fine, || format!("no longer than {LONGER_MAX_BYTES} bytes"))?;
            longer::read(value)?;
        } else {
            continue;
        }
        known.insert(key.to_owned(), value.clone());
    }
    Ok(known)
}

/// What a definition of recognised keys makes of a retention. The first of the month, which it has
/// no word for, stays as it is in `present`.
///
/// # Errors
/// [`Error::Invalid`] if its rules contradict each other.
pub fn retention(definition: &Map<String, Value>, present: &Retention) -> Result<Retention> {
    let set = |key: &str| {
        let number = definition.get(key).and_then(Value::as_i64).filter(|number| *number > 0);
        number.and_then(|number| u32::try_from(number).ok())
    };
    let pick = |key: &str| set(key).unwrap_or(0);
    let picks = Picks {
        daily: pick("day_backups"),
        weekly: pick("week_backups"),
        monthly: pick("month_backups"),
        yearly: pick("year_backups"),
    };
    let zone = definition.get(ZONE).and_then(Value::as_str).and_then(fixed_zone);
    let (count, days) = (set(COUNT), set(DAYS));
    let longer = definition.get(LONGER).map(longer::read).transpose()?.unwrap_or_default();
    let is_picking = picks != Picks::default();
    let is_longer = longer != LongerKept::default();
    if is_picking && zone.is_none() {
        return Err(invalid(ZONE, "is needed where days, weeks, months or years are counted"));
    }
    if is_picking && days.is_some() {
        let message = "cannot go with a number of days, weeks, months or years, whose backups it \
            would remove";
        return Err(invalid(DAYS, message));
    }
    if is_longer && (days.is_none() || count.is_some()) {
        let message = "go with retention_duration_days, and not with max_backups";
        return Err(invalid(LONGER, message));
    }
    let zone = zone.unwrap_or_else(Zone::utc);
    Ok(Retention {
        count,
        days,
        keeps_first_of_month: present.keeps_first_of_month,
        picks,
        longer,
        zone,
    })
}

/// Refuses a definition that lacks what its operation needs.
pub(super) fn check_operation(
    definition: &Map<String, Value>,
    operation: PolicyOperation,
) -> Result<()> {
    let missing = DESTINATION.into_iter().find(|key| !definition.contains_key(*key));
    match (operation, missing) {
        (PolicyOperation::Replication, Some(key)) => {
            Err(invalid(key, "is needed by a replication policy"))
        }
        _ => Ok(()),
    }
}

/// A definition in place of another: what it does not say is not set any more, but for the
/// destination.
pub(super) fn replaced(
    present: Option<&Map<String, Value>>,
    mut new: Map<String, Value>,
) -> Map<String, Value> {
    for key in DESTINATION {
        if let Some(value) = present.and_then(|present| present.get(key)) {
            new.entry(key).or_insert_with(|| value.clone());
        }
    }
    new
}

/// A definition that says what a retention does, as far as there are words for it; over what else
/// was said.
pub fn write(retention: &Retention, said: Option<&Map<String, Value>>) -> Map<String, Value> {
    let mut definition = said.cloned().unwrap_or_default();
    let picks = &retention.picks;
    for (key, number) in [
        (COUNT, retention.count),
        (DAYS, retention.days),
        ("day_backups", Some(picks.daily).filter(|number| *number > 0)),
        ("week_backups", Some(picks.weekly).filter(|number| *number > 0)),
        ("month_backups", Some(picks.monthly).filter(|number| *number > 0)),
        ("year_backups", Some(picks.yearly).filter(|number| *number > 0)),
    ] {
        match number {
            Some(number) => definition.insert(key.to_owned(), number.into()),
            None => definition.shift_remove(key),
        };
    }
    if retention.longer == LongerKept::default() {
        definition.shift_remove(LONGER);
    }
    let has_zone = fixed_zone(retention.zone.name()).is_some();
    if has_zone && (*picks != Picks::default() || definition.contains_key(ZONE)) {
        definition.insert(ZONE.to_owned(), retention.zone.name().into());
    }
    definition
}

/// `UTC+HH:MM` or `UTC-HH:MM`.
fn fixed_zone(name: &str) -> Option<Zone> {
    let has_offset = name.strip_prefix("UTC").is_some_and(|offset| !offset.is_empty());
    Zone::parse(name).ok().filter(|_| has_offset)
}

fn is_name(text: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=255).contains(&text.len()) && text.chars().all(is_fine)
}

fn check(field: &'static str, is_fine: bool, wanted: impl Fn() -> String) -> Result<()> {
    if is_fine { Ok(()) } else { Err(invalid(field, &format!("must be {}", wanted()))) }
}

pub(super) fn invalid(field: &'static str, message: &str) -> Error {
    Error::Invalid { field, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<(Map<String, Value>, Retention)> {
        let known = recognised(value.as_object().unwrap())?;
        let retention = retention(&known, &Retention::for_ever())?;
        Ok((known, retention))
    }

    #[test]
    fn what_clients_send_is_kept_as_it_came() {
        let ever = Retention::for_ever;
        let count = Retention { count: Some(5), ..ever() };
        let picks = Picks { weekly: 4, ..Picks::default() };
        let zone = Zone::parse("UTC+01:00").unwrap();
        for (said, retention) in [
            (json!({}), ever()),
            (json!({"max_backups": -1, "retention_duration_days": -1}), ever()),
            (
                json!({"max_backups": 0, "retention_duration_days": 0, "timezone": "UTC+00:00"}),
                ever(),
            ),
            (json!({"retention_duration_days": -1, "max_backups": 5}), count.clone()),
            (
                json!({"day_backups": 0, "week_backups": 0, "max_backups": 5, "month_backups": 0,
                    "year_backups": 0, "timezone": "UTC+01:00", "full_backup_interval": -1}),
                Retention { zone: zone.clone(), ..count.clone() },
            ),
            (
                json!({"max_backups": 5, "week_backups": 4, "timezone": "UTC+01:00"}),
                Retention { picks, zone, ..count },
            ),
            (json!({"retention_duration_days": 99999}), Retention { days: Some(99_999), ..ever() }),
            (
                json!({"max_backups": 2, "retention_duration_days": 3}),
                Retention { count: Some(2), days: Some(3), ..ever() },
            ),
        ] {
            assert_eq!(read(said.clone()).unwrap(), (said.as_object().unwrap().clone(), retention));
        }
        let (known, _) =
            read(json!({"max_backups": null, "cross_account_urn": "x", "y": []})).unwrap();
        assert!(known.is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (said, field) in [
            (json!({"max_backups": 100_000}), "max_backups"),
            (json!({"max_backups": -2}), "max_backups"),
            (json!({"max_backups": "7"}), "max_backups"),
            (json!({"max_backups": 1.5}), "max_backups"),
            (json!({"max_backups": true}), "max_backups"),
            (json!({"retention_duration_days": 100_000}), "retention_duration_days"),
            (json!({"week_backups": 101, "timezone": "UTC+00:00"}), "week_backups"),
            (json!({"week_backups": 1}), "timezone"),
            (json!({"timezone": "UTC"}), "timezone"),
            (json!({"timezone": "Europe/Berlin"}), "timezone"),
            (json!({"timezone": 8}), "timezone"),
            (json!({"full_backup_interval": 101}), "full_backup_interval"),
            (json!({"destination_region": ""}), "destination_region"),
            (json!({"destination_project_id": "a/b"}), "destination_project_id"),
            (json!({"enable_acceleration": 1}), "enable_acceleration"),
            (
                json!({"week_backups": 1, "timezone": "UTC+00:00", "retention_duration_days": 5}),
                "retention_duration_days",
            ),
        ] {
            let error = read(said.clone()).unwrap_err();
            assert!(
                matches!(error, Error::Invalid { field: f, .. } if f == field),
                "{said}: {error}"
            );
        }
    }

    #[test]
    fn a_retention_of_another_dialect_is_written_over_what_was_said() {
        let days = Retention { days: Some(7), ..Retention::for_ever() };
        assert_eq!(Value::from(write(&days, None)), json!({"retention_duration_days": 7}));
        let said = json!({"max_backups": 3, "full_backup_interval": 2, "timezone": "UTC+01:00"});
        let written = write(&days, said.as_object());
        let expected = json!({"full_backup_interval": 2, "timezone": "UTC+00:00",
            "retention_duration_days": 7});
        assert_eq!(Value::from(written), expected);
    }
}
