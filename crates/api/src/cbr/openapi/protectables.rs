//! What can be protected.

use serde_json::{Value, json};

use super::operation::{Kind, MARKER, OFFSET, Operation, operation, parameter};
use super::schema::{count, flag, list, named, nullable, object, text, uuid, word};
use crate::cbr::code::Code;

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: &[
            parameter("limit", Kind::Whole(1, 50)),
            OFFSET,
            MARKER,
            parameter("name", Kind::Text),
            parameter("status", Kind::Text),
            parameter("id", Kind::Id),
            parameter("server_id", Kind::Id),
            parameter("enterprise_project_id", Kind::Text),
        ],
        answer: (200, Some("Protectables")),
        codes: &[Code::InvalidResourceType],
        ..operation("listProtectables", "Servers or disks, and whether a vault can take them")
    },
    Operation {
        answer: (200, Some("ProtectableEnvelope")),
        codes: &[
            Code::InvalidResourceType,
            Code::ResourceNotFound,
            Code::DiskNotFound,
            Code::ServerNotFound,
        ],
        ..operation("showProtectable", "One server or disk")
    },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let vault = named("Vault");
    let protectable = object([
        ("result", flag()),
        ("code", text()),
        ("reason", text()),
        ("message", text()),
        ("vault", nullable(vault)),
    ]);
    let instance = object([
        ("id", uuid()),
        ("name", text()),
        ("type", word(["OS::Nova::Server", "OS::Cinder::Volume"])),
        ("size", count()),
        ("status", text()),
        ("protectable", protectable),
        // As the service that has it shows it.
        ("detail", json!({"type": "object"})),
        ("children", list(named("Protectable"))),
    ]);
    vec![
        ("Protectables", object([("instances", list(named("Protectable")))])),
        ("ProtectableEnvelope", object([("instance", named("Protectable"))])),
        ("Protectable", instance),
    ]
}
