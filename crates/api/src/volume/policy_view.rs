//! Policies as the vendor shows them.
//!
//! A policy that another dialect made may say more than can be said here. It is shown as near to
//! the truth as these members come, and what none of them can say is left out.

use serde_json::{Map, Value, json};
use strongroom_model::policy::{Days, Policy, Rule, Weekday};
use strongroom_model::tag::Tags;
use strongroom_model::time::Timestamp;
use strongroom_service::policy::PolicyView;

use super::policy_body::WEEKDAYS;
use super::policy_times;

/// A policy with what hangs on it.
pub(super) fn view(view: &PolicyView, now: Timestamp) -> Value {
    let policy = &view.policy;
    json!({
        "backup_policy_id": policy.id.to_string(),
        "backup_policy_name": policy.name,
        "scheduled_policy": schedule(policy, now),
        "policy_resource_count": view.volume_count,
        "time_zone": policy_times::write_zone(&policy.trigger.zone, now),
        "tags": tags(&view.tags),
    })
}

/// Tags as a list of pairs.
pub(super) fn tags(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// When a policy runs and how long its backups are kept. The names are misspelled by contract.
fn schedule(policy: &Policy, now: Timestamp) -> Value {
    let trigger = &policy.trigger;
    let times = trigger.rules.iter().flat_map(|rule| rule.times.clone()).collect();
    let mut shown = Map::new();
    let mut set = |key: &str, value: Value| shown.insert(key.to_owned(), value);
    set("start_time", policy_times::write(times, &trigger.zone, now).into());
    match common_days(&trigger.rules) {
        Some(Days::OfMonth { every }) => {
            set("frequency", every.into());
        }
        Some(Days::Weekdays(days)) => {
            set("week_frequency", days.into_iter().map(weekday_name).collect());
        }
        Some(Days::Interval { .. }) | None => {}
    }
    match (policy.retention.count, policy.retention.days) {
        (Some(count), _) => {
            set("rentention_num", count.into());
        }
        (None, Some(days)) => {
            set("rentention_day", days.into());
        }
        (None, None) => {}
    }
    let keeps_first = if policy.retention.keeps_first_of_month { "Y" } else { "N" };
    set("remain_first_backup_of_curMonth", keeps_first.into());
    set("status", if policy.is_enabled { "ON" } else { "OFF" }.into());
    Value::Object(shown)
}

/// The days that all rules have in common, or all days of the week that some rule has. Every day is
/// every day, from whatever date it is counted.
fn common_days(rules: &[Rule]) -> Option<Days> {
    let mut kinds = rules.iter().map(|rule| match &rule.days {
        Days::Interval { every: 1, .. } => Days::OfMonth { every: 1 },
        other => other.clone(),
    });
    let first = kinds.next()?;
    kinds.try_fold(first, |known, next| match (known, next) {
        (known, next) if known == next => Some(known),
        (Days::Weekdays(mut known), Days::Weekdays(next)) => {
            known.extend(next);
            known.sort_unstable();
            known.dedup();
            Some(Days::Weekdays(known))
        }
        _ => None,
    })
}

fn weekday_name(day: Weekday) -> &'static str {
    WEEKDAYS.iter().find(|(_, known)| *known == day).map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_model::id::{PolicyId, ProjectId, UserId};
    use strongroom_model::policy::{
        PolicyKind, PolicyOperation, Retention, Terms, TimeOfDay, Trigger,
    };
    use strongroom_model::zone::Zone;

    fn now() -> Timestamp {
        Timestamp::parse("2024-01-31T10:00:00Z").unwrap()
    }

    fn rule(times: &[(u8, u8)], days: Days) -> Rule {
        let time = |(hour, minute): &(u8, u8)| TimeOfDay { hour: *hour, minute: *minute };
        Rule { times: times.iter().map(time).collect(), days }
    }

    fn policy(zone: &str, rules: Vec<Rule>, retention: Retention) -> PolicyView {
        let id = PolicyId::parse(&"a".repeat(32)).unwrap();
        let policy = Policy {
            id,
            project_id: ProjectId::parse("p").unwrap(),
            user_id: UserId::parse("u").unwrap(),
            name: "nightly".to_owned(),
            is_enabled: true,
            trigger: Trigger { zone: Zone::parse(zone).unwrap(), rules },
            retention,
            next_run_at: None,
            created_at: now(),
            updated_at: None,
            operation: PolicyOperation::Backup,
            kind: PolicyKind::Custom,
            terms: Terms::unsaid(id, now()),
        };
        let tags = [("a".to_owned(), "b".to_owned())].into();
        PolicyView { policy, volume_count: 2, tags }
    }

    // T-30: the spelling is the contract.
    #[test]
    fn t30_a_policy_is_spelled_as_clients_expect() {
        let retention = Retention {
            count: Some(7),
            days: Some(3),
            keeps_first_of_month: true,
            ..Retention::for_ever()
        };
        let rules = vec![rule(&[(12, 0), (20, 0)], Days::OfMonth { every: 3 })];
        let shown = view(&policy("UTC+08:00", rules, retention), now());
        insta::assert_snapshot!(shown, @r#"{"backup_policy_id":"aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa","backup_policy_name":"nightly","scheduled_policy":{"start_time":"20:00,12:00","frequency":3,"rentention_num":7,"remain_first_backup_of_curMonth":"Y","status":"ON"},"policy_resource_count":2,"time_zone":"UTC+08:00","tags":[{"key":"a","value":"b"}]}"#);
    }

    #[test]
    fn what_another_dialect_said_is_shown_as_far_as_it_can_be() {
        let shown = |zone, rules| view(&policy(zone, rules, Retention::for_ever()), now());
        let weekdays = |days: &[Weekday]| Days::Weekdays(days.to_vec());
        let two = vec![
            rule(&[(1, 30)], weekdays(&[Weekday::Saturday])),
            rule(&[(0, 15), (1, 30)], weekdays(&[Weekday::Sunday])),
        ];
        insta::assert_snapshot!(shown("Europe/Berlin", two)["scheduled_policy"], @r#"{"start_time":"00:15,01:30","week_frequency":["SUN","SAT"],"remain_first_backup_of_curMonth":"N","status":"ON"}"#);
        let interval = |every| Days::Interval { every, from: Zone::utc().date(now()) };
        let daily = shown("UTC", vec![rule(&[(1, 0)], interval(1))]);
        assert_eq!(daily["scheduled_policy"]["frequency"], 1);
        assert_eq!(daily["time_zone"], "UTC+00:00");
        let other = shown("UTC", vec![rule(&[(1, 0)], interval(2))]);
        assert_eq!(other["scheduled_policy"].get("frequency"), None);
        let mixed =
            vec![rule(&[(1, 0)], interval(1)), rule(&[(2, 0)], weekdays(&[Weekday::Sunday]))];
        let mixed = shown("UTC", mixed);
        assert_eq!(mixed["scheduled_policy"].get("week_frequency"), None);
        assert_eq!(mixed["scheduled_policy"]["start_time"], "01:00,02:00");
    }
}
