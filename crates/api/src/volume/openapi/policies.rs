//! The vendor's policies with their disks, tasks and tags.

use serde_json::{Value, json};

use super::backups::with_required;
use super::operation::{Kind, Operation, Schema, parameter, vendor};
use super::schema::{
    choice, count, list, named, nullable, object, open, pattern, requiring, text, uuid,
    with_optional, word,
};

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        request: Some(Schema::One("NewPolicy")),
        answer: (200, Some(Schema::One("PolicyId"))),
        ..vendor("createPolicy", "Make a policy")
    },
    Operation {
        answer: (200, Some(Schema::One("Policies"))),
        ..vendor("listPolicies", "All policies")
    },
    Operation {
        answer: (200, Some(Schema::One("PolicyTagValues"))),
        ..vendor("listAllPolicyTags", "Every key with its values")
    },
    Operation {
        request: Some(Schema::One("PolicyQuery")),
        answer: (200, Some(Schema::One("TaggedPolicies"))),
        ..vendor("findPoliciesByTags", "Policies by their tags")
    },
    Operation {
        answer: (200, Some(Schema::One("Policy"))),
        refusals: &[404],
        ..vendor("showPolicy", "A policy")
    },
    Operation {
        request: Some(Schema::One("PolicyChange")),
        answer: (200, Some(Schema::One("PolicyId"))),
        refusals: &[404],
        ..vendor("updatePolicy", "Change a policy")
    },
    done("deletePolicy", "Delete a policy; its backups stay"),
    Operation { refusals: &[404, 409], ..done("executePolicy", "Run a policy now") },
    associating("bindVolumes", "Put disks under a policy", "NewAssociation", "Associated"),
    associating("releaseVolumes", "Release disks", "Disassociation", "Disassociated"),
    Operation {
        query: &[
            parameter("status", Kind::Text),
            parameter("job_id", Kind::Text),
            parameter("sort_dir", Kind::Word(&["asc", "desc"])),
            parameter("sort_key", Kind::Word(&["created_at"])),
            parameter("limit", Kind::Whole),
            parameter("marker", Kind::Text),
            parameter("offset", Kind::Whole),
        ],
        answer: (200, Some(Schema::One("Tasks"))),
        refusals: &[404],
        ..vendor("listPolicyTasks", "What a policy has done")
    },
    Operation {
        request: Some(Schema::One("NewPolicyTag")),
        ..done("addPolicyTag", "Add or overwrite a tag")
    },
    Operation {
        answer: (200, Some(Schema::One("PolicyTags"))),
        refusals: &[404],
        ..vendor("listPolicyTags", "The tags of a policy")
    },
    Operation {
        request: Some(Schema::One("PolicyTagAction")),
        ..done("changePolicyTags", "Add, overwrite or remove tags")
    },
    done("removePolicyTag", "Remove a tag"),
];

const fn done(id: &'static str, summary: &'static str) -> Operation {
    Operation { answer: (204, None), refusals: &[404], ..vendor(id, summary) }
}

const fn associating(
    id: &'static str,
    summary: &'static str,
    request: &'static str,
    answer: &'static str,
) -> Operation {
    Operation {
        request: Some(Schema::One(request)),
        answer: (200, Some(Schema::One(answer))),
        refusals: &[404],
        ..vendor(id, summary)
    }
}

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let mut components = answers();
    components.extend(resources());
    components.extend(tags());
    components.extend(requests());
    components
}

fn answers() -> Vec<(&'static str, Value)> {
    // Another dialect may have said more than a request can say here.
    let schedule = requiring(
        choice([
            ("start_time", pattern("^([01]\\d|2[0-3]):[0-5]\\d(,([01]\\d|2[0-3]):[0-5]\\d)*$")),
            ("frequency", between(1, 255)),
            ("week_frequency", list(weekday())),
            ("rentention_num", count()),
            ("rentention_day", count()),
            ("remain_first_backup_of_curMonth", word(["Y", "N"])),
            ("status", word(["ON", "OFF"])),
        ]),
        ["start_time", "remain_first_backup_of_curMonth", "status"],
    );
    let policy = object([
        ("backup_policy_id", uuid()),
        ("backup_policy_name", text()),
        ("scheduled_policy", schedule),
        ("policy_resource_count", count()),
        ("time_zone", pattern("^UTC[+-]\\d\\d:\\d\\d$")),
        ("tags", list(named("PolicyTag"))),
    ]);
    vec![
        ("Policy", policy),
        ("Policies", object([("backup_policies", list(named("Policy")))])),
        ("PolicyId", object([("backup_policy_id", uuid())])),
        ("Task", task()),
        ("Tasks", object([("tasks", list(named("Task"))), ("count", count())])),
    ]
}

fn weekday() -> Value {
    word(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])
}

fn task() -> Value {
    let instant = || pattern("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}$");
    let task = object([
        ("status", word(["RUNNING", "EXECUTE_SUCCESS", "EXECUTE_FAIL", "SKIP"])),
        ("job_id", uuid()),
        ("created_at", instant()),
        ("backup_name", pattern("^autobk_[0-9a-f]{4}$")),
        ("resource_id", uuid()),
        ("resource_type", word(["volume"])),
    ]);
    with_optional(
        task,
        [
            ("finished_at", instant()),
            ("vbs_job_id", pattern("^[0-9a-f]{32}$")),
            ("code", text()),
            ("message", text()),
        ],
    )
}

fn resources() -> Vec<(&'static str, Value)> {
    let disk = [("resource_id", text()), ("resource_type", word(["volume"]))];
    let place = [("availability_zone", text()), ("os_vol_host_attr", text())];
    let bound = with_required(object(disk.clone()), place.clone());
    let released = with_optional(object(disk.clone()), place.clone());
    // Clients tell a failure by its code, whichever list it is in.
    let failed = object([
        ("resource_id", text()),
        ("resource_type", text()),
        ("code", text()),
        ("message", text()),
    ]);
    let failed = with_optional(failed, place);
    let both = |done: Value| {
        object([("success_resources", list(done)), ("fail_resources", list(named("Unbound")))])
    };
    let id = json!({"type": "string", "minLength": 1});
    let wished =
        with_optional(object([("resource_id", id.clone())]), [("resource_type", nullable(text()))]);
    let wished = open(wished);
    let wished = json!({"type": "array", "items": wished, "minItems": 1});
    let wish = object([("backup_policy_id", id), ("resources", wished.clone())]);
    vec![
        ("Unbound", failed),
        ("Associated", both(bound)),
        ("Disassociated", both(released)),
        ("NewAssociation", open(wish)),
        ("Disassociation", open(object([("resources", wished)]))),
    ]
}

fn tags() -> Vec<(&'static str, Value)> {
    let values = object([("key", text()), ("values", list(text()))]);
    let found = object([
        ("resource_id", uuid()),
        ("resource_name", text()),
        ("resource_detail", json!({"type": "null"})),
        ("tags", list(named("PolicyTag"))),
    ]);
    let found = object([("total_count", count()), ("resources", list(found))]);
    let counted = object([("total_count", count())]);
    let wanted = choice([("key", text()), ("values", nullable(list(text())))]);
    let wanted = nullable(list(open(requiring(wanted, ["key"]))));
    let figure = || json!({"type": ["integer", "string", "null"]});
    let query = choice([
        ("action", word(["filter", "count"])),
        ("tags", wanted.clone()),
        ("tags_any", wanted.clone()),
        ("not_tags", wanted.clone()),
        ("not_tags_any", wanted),
        ("matches", nullable(list(open(object([("key", text()), ("value", text())]))))),
        ("limit", figure()),
        ("offset", figure()),
    ]);
    let removed = choice([("key", text()), ("value", nullable(text()))]);
    let removed = open(requiring(removed, ["key"]));
    let action = choice([
        ("action", word(["create", "update", "delete"])),
        ("tags", nullable(list(removed))),
    ]);
    vec![
        ("PolicyTag", object([("key", text()), ("value", text())])),
        ("PolicyTags", object([("tags", list(named("PolicyTag")))])),
        ("PolicyTagValues", object([("tags", list(values))])),
        ("TaggedPolicies", json!({"anyOf": [found, counted]})),
        ("PolicyQuery", open(requiring(query, ["action"]))),
        ("PolicyTagAction", open(requiring(action, ["action"]))),
        ("NewPolicyTag", open(object([("tag", named("WishedTag"))]))),
    ]
}

fn requests() -> Vec<(&'static str, Value)> {
    let words = json!({"anyOf": [{"type": "boolean"}, word(["Y", "N"])]});
    let times = pattern("^([01]\\d|2[0-3]):00(,([01]\\d|2[0-3]):00)*$");
    let schedule = choice([
        ("start_time", nullable(times.clone())),
        ("frequency", nullable(between(1, 30))),
        ("week_frequency", nullable(list(weekday()))),
        ("rentention_num", nullable(between(2, 99))),
        ("rentention_day", nullable(json!({"type": "number", "minimum": 2}))),
        ("remain_first_backup_of_curMonth", nullable(words)),
        ("status", nullable(word(["ON", "OFF"]))),
    ]);
    let name = pattern("^[A-Za-z0-9_.-]{1,64}$");
    let zone = pattern("^UTC[+-](0\\d|1[0-4]):[0-5]\\d$");
    let policy = choice([
        ("backup_policy_name", nullable(name.clone())),
        ("scheduled_policy", nullable(open(schedule.clone()))),
        ("time_zone", nullable(zone)),
        ("tags", nullable(list(named("WishedTag")))),
    ]);
    let one_of = |one: (&str, &str), other: (&str, &str)| {
        let said = |(key, kind): (&str, &str)| json!({"properties": {key: {"type": kind}}, "required": [key]});
        json!({"anyOf": [said(one), said(other)]})
    };
    let mut whole =
        with_optional(schedule, [("start_time", times), ("status", word(["ON", "OFF"]))]);
    whole["allOf"] = json!([
        one_of(("frequency", "integer"), ("week_frequency", "array")),
        one_of(("rentention_num", "integer"), ("rentention_day", "number")),
    ]);
    let whole = open(requiring(whole, ["start_time", "status"]));
    let new =
        with_optional(policy.clone(), [("backup_policy_name", name), ("scheduled_policy", whole)]);
    vec![
        ("NewPolicy", open(requiring(new, ["backup_policy_name", "scheduled_policy"]))),
        ("PolicyChange", open(policy)),
    ]
}

fn between(least: i64, most: i64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most})
}
