//! Policies.

use serde_json::{Value, json};

use super::operation::{Kind, LIMIT, MARKER, OFFSET, Operation, operation, parameter};
use super::schema::{
    count, flag, list, list_of, name, named, needing, object, open, pattern, range, text, text_of,
    uuid, whole, wishes, with_optional, word,
};
use crate::cbr::code::Code;

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        request: Some("CreatePolicy"),
        answer: (200, Some("PolicyAnswer")),
        codes: &[Code::TooManyPolicies, Code::UnknownOperationType, Code::RegionWithoutReplication],
        ..operation("createPolicy", "Makes a policy")
    },
    Operation {
        query: &[
            parameter("operation_type", Kind::Word(&["backup", "replication"])),
            parameter("vault_id", Kind::Id),
            parameter("name", Kind::Text),
            parameter("enabled", Kind::Flag),
            LIMIT,
            OFFSET,
            MARKER,
        ],
        answer: (200, Some("PoliciesAnswer")),
        codes: &[Code::UnknownOperationType],
        ..operation("listPolicies", "The policies of the project, newest first")
    },
    Operation {
        answer: (200, Some("PolicyAnswer")),
        codes: &[Code::PolicyNotFound],
        ..operation("showPolicy", "One policy")
    },
    Operation {
        request: Some("UpdatePolicy"),
        answer: (200, Some("PolicyAnswer")),
        codes: &[Code::PolicyNotFound, Code::DestinationFixed, Code::RegionWithoutReplication],
        ..operation("updatePolicy", "Changes a policy; what is not named stays")
    },
    Operation {
        answer: (204, None),
        codes: &[Code::PolicyNotFound, Code::VaultNotUpdatable],
        ..operation("deletePolicy", "Removes a policy; the backups that it made stay")
    },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let operation_type = || word(["backup", "replication"]);
    let policy_type = word([
        "custom_policy",
        "organization_policy_v1",
        "organization_policy_v2",
        "organization_policy_removed",
    ]);
    let trigger_properties = with_optional(
        object([
            ("pattern", list(text())),
            ("start_time", pattern("^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d$")),
        ]),
        [("start_window_minutes", range(60, 480))],
    );
    let trigger = object([
        ("id", uuid()),
        ("name", word(["default"])),
        ("type", word(["time"])),
        ("properties", trigger_properties),
    ]);
    let associated =
        with_optional(object([("vault_id", uuid())]), [("destination_vault_id", uuid())]);
    let policy = object([
        ("id", uuid()),
        ("name", text()),
        ("enabled", flag()),
        ("operation_type", operation_type()),
        ("policy_type", policy_type),
        ("operation_definition", named("OperationDefinition")),
        ("trigger", trigger),
        ("associated_vaults", list(associated)),
    ]);
    let wished_patterns = list_of(text_of(1, 1024), 1, 24);
    let window = ("start_window_minutes", range(60, 480));
    let new_trigger = needing(
        [("properties", needing([("pattern", wished_patterns.clone())], [window.clone()]))],
        [],
    );
    let new = needing(
        [
            ("name", name()),
            ("operation_type", operation_type()),
            ("operation_definition", named("OperationDefinition")),
            ("trigger", new_trigger),
        ],
        [("enabled", flag())],
    );
    let changed_trigger = wishes([("properties", wishes([("pattern", wished_patterns), window]))]);
    let change = wishes([
        ("name", name()),
        ("enabled", flag()),
        ("operation_definition", named("OperationDefinition")),
        ("trigger", changed_trigger),
    ]);
    vec![
        ("Policy", policy),
        ("PolicyAnswer", object([("policy", named("Policy"))])),
        ("PoliciesAnswer", object([("policies", list(named("Policy"))), ("count", count())])),
        ("CreatePolicy", open(object([("policy", new)]))),
        ("UpdatePolicy", open(object([("policy", change)]))),
        ("OperationDefinition", definition()),
        ("LongerKeptRule", longer_rule()),
    ]
}

/// What a policy does. It is told back as it was said.
fn definition() -> Value {
    let region = || pattern("^[A-Za-z0-9._-]{1,255}$");
    let longer = wishes([
        ("weekly_retention_rules", named("LongerKeptRule")),
        ("monthly_retention_rules", named("LongerKeptRule")),
        ("yearly_retention_rules", named("LongerKeptRule")),
    ]);
    wishes([
        ("max_backups", range(-1, 99_999)),
        ("retention_duration_days", range(-1, 99_999)),
        ("day_backups", range(-1, 100)),
        ("week_backups", range(-1, 100)),
        ("month_backups", range(-1, 100)),
        ("year_backups", range(-1, 100)),
        ("timezone", pattern("^UTC[+-]\\d\\d:\\d\\d$")),
        ("full_backup_interval", range(-1, 100)),
        ("destination_project_id", region()),
        ("destination_region", region()),
        ("enable_acceleration", flag()),
        ("advanced_retention_rules", longer),
    ])
}

/// For how many periods the backups of some days are kept.
fn longer_rule() -> Value {
    let days = word(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]);
    let weeks = word(["FIRST", "SECOND", "THIRD", "FOURTH", "LAST"]);
    let months = word([
        "JANUARY",
        "FEBRUARY",
        "MARCH",
        "APRIL",
        "MAY",
        "JUNE",
        "JULY",
        "AUGUST",
        "SEPTEMBER",
        "OCTOBER",
        "NOVEMBER",
        "DECEMBER",
    ]);
    let mut day_of_month = whole();
    day_of_month["not"] = json!({"const": 0});
    day_of_month["minimum"] = json!(-1);
    day_of_month["maximum"] = json!(28);
    wishes([
        ("retention_type", word(["WEEKLY", "MONTHLY"])),
        ("days_of_week", list(days)),
        ("retention_weeks", list(weeks)),
        ("days_of_month", list(day_of_month)),
        ("retention_months", list(months)),
        ("retention_duration_periods", range(-1, 5200)),
    ])
}
