//! Policies of whole domains.

use serde_json::Value;

use super::operation::{Kind, LIMIT, MARKER, OFFSET, Operation, operation, required};
use super::schema::{
    count, flag, list, list_of, name, named, needing, object, only, pattern, range, text, text_of,
    uuid, wishes, with_optional, word,
};
use crate::cbr::code::Code;

const MISSING: &[Code] = &[Code::PolicyNotFound];

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: &[
            required("operation_type", Kind::Word(&["backup", "replication"])),
            LIMIT,
            OFFSET,
            MARKER,
        ],
        answer: (200, Some("OrganizationPolicies")),
        ..operation("listOrganizationPolicies", "The policies of the domain")
    },
    Operation {
        request: Some("NewOrganizationPolicy"),
        answer: (200, Some("OneOrganizationPolicy")),
        codes: &[Code::RegionWithoutReplication],
        ..operation("createOrganizationPolicy", "Make a policy of the domain")
    },
    Operation {
        answer: (200, Some("OneOrganizationPolicy")),
        codes: MISSING,
        ..operation("showOrganizationPolicy", "A policy of the domain")
    },
    Operation {
        request: Some("OrganizationPolicyChange"),
        answer: (200, Some("OneOrganizationPolicy")),
        codes: &[Code::PolicyNotFound, Code::RegionWithoutReplication],
        ..operation("updateOrganizationPolicy", "Change a policy of the domain")
    },
    Operation {
        answer: (204, None),
        codes: MISSING,
        ..operation("deleteOrganizationPolicy", "Remove a policy of the domain")
    },
    Operation {
        query: &[LIMIT, OFFSET, MARKER],
        answer: (200, Some("OrganizationDeployments")),
        codes: MISSING,
        ..operation(
            "listOrganizationDeployments",
            "The policies of projects behind which it stands",
        )
    },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let paged = |items: &str| {
        object([
            ("policies", list(named(items))),
            ("count", count()),
            ("limit", count()),
            ("offset", count()),
        ])
    };
    let shown_trigger = with_optional(
        object([("pattern", list(text()))]),
        [("start_window_minutes", range(60, 480))],
    );
    let policy = object([
        ("id", uuid()),
        ("name", text()),
        ("description", text()),
        ("domain_id", text()),
        ("domain_name", text()),
        ("effective_scope", text()),
        ("operation_type", word(["backup", "replication"])),
        ("policy_name", text()),
        ("policy_enabled", flag()),
        ("policy_operation_definition", named("OperationDefinition")),
        ("policy_trigger", object([("properties", shown_trigger)])),
        ("status", only("available")),
    ]);
    let deployment = object([
        ("domain_id", text()),
        ("project_id", text()),
        ("policy_id", uuid()),
        ("status", only("available")),
    ]);
    vec![
        ("OrganizationPolicy", policy),
        ("OneOrganizationPolicy", object([("policy", named("OrganizationPolicy"))])),
        ("OrganizationPolicies", paged("OrganizationPolicy")),
        ("OrganizationDeployment", deployment),
        ("OrganizationDeployments", paged("OrganizationDeployment")),
        ("NewOrganizationPolicy", needing([("policy", new_policy())], [])),
        ("OrganizationPolicyChange", needing([("policy", change())], [])),
    ]
}

fn trigger() -> Value {
    let properties = needing(
        [("pattern", list_of(text_of(1, 1024), 1, 24))],
        [("start_window_minutes", range(60, 480))],
    );
    needing([("properties", properties)], [])
}

/// Free text without angle brackets.
fn plain() -> Value {
    pattern("^[^<>\\x00]{0,255}$")
}

fn new_policy() -> Value {
    needing(
        [
            ("name", name()),
            ("operation_type", word(["backup", "replication"])),
            ("policy_name", name()),
            ("policy_enabled", flag()),
            ("policy_operation_definition", named("OperationDefinition")),
            ("policy_trigger", trigger()),
        ],
        [("description", plain()), ("effective_scope", plain())],
    )
}

fn change() -> Value {
    wishes([
        ("name", name()),
        ("policy_name", name()),
        ("policy_enabled", flag()),
        ("policy_operation_definition", named("OperationDefinition")),
        ("policy_trigger", trigger()),
        ("description", plain()),
        ("effective_scope", plain()),
    ])
}
