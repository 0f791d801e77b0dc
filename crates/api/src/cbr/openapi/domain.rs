//! What has no project in its path.

use serde_json::{Value, json};

use super::operation::{Kind, Operation, operation, parameter};
use super::schema::{flag, list, named, needing, object, only, range, text, word};
use crate::cbr::code::Code;

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: &[parameter("all_regions", Kind::Flag)],
        answer: (200, Some("Migration")),
        ..operation("showMigration", "How far the move of older backups into vaults is")
    },
    Operation {
        request: Some("NewMigration"),
        answer: (200, Some("MigrationBegun")),
        ..operation("migrate", "Move older backups into vaults")
    },
    Operation {
        answer: (200, Some("RegionProjects")),
        ..operation("listRegionProjects", "The projects in which the caller holds a role")
    },
    Operation {
        answer: (200, Some("DomainProjects")),
        codes: &[Code::ResourceNotFound],
        ..operation("listDomainProjects", "The projects of a domain")
    },
    Operation {
        answer: (200, Some("SourceProject")),
        codes: &[Code::ResourceNotFound],
        ..operation("showSourceProject", "Whose a project is")
    },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let migration = object([
        ("status", word(["success", "failed"])),
        ("project_status", list(named("ProjectMigration"))),
    ]);
    let row = json!({
        "type": "object",
        "properties": {
            "project_id": text(), "project_name": text(), "region_id": text(),
            // Nothing is ever on its way.
            "status": word(["success", "failed"]), "progress": range(0, 100), "fail_reason": text(),
        },
        "required": ["project_id", "project_name", "region_id", "status", "progress"],
        "additionalProperties": false,
    });
    let reservation = json!({"type": "number", "minimum": 0, "maximum": 1});
    let begun = json!({"type": "object", "additionalProperties": only("running")});
    let here = object([("self", text())]);
    let project = object([
        ("id", text()),
        ("name", text()),
        ("domain_id", text()),
        ("description", text()),
        ("enabled", flag()),
        ("is_domain", only(false)),
        ("parent_id", text()),
        ("links", here.clone()),
    ]);
    let named_project = object([("project_id", text()), ("project_name", text())]);
    vec![
        ("Migration", migration),
        ("ProjectMigration", row),
        ("NewMigration", needing([("all_regions", flag()), ("reservation", reservation)], [])),
        ("MigrationBegun", begun),
        ("RegionProject", project),
        ("RegionProjects", object([("projects", list(named("RegionProject"))), ("links", here)])),
        ("DomainProjects", object([("projects", list(named_project))])),
        (
            "SourceProject",
            object([
                ("project_id", text()),
                ("project_name", text()),
                ("domain_id", text()),
                ("domain_name", text()),
            ]),
        ),
    ]
}
