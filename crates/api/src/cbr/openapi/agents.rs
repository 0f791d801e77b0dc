//! Agents in servers.

use serde_json::Value;

use super::operation::{Kind, LIMIT, MARKER, OFFSET, Operation, operation, parameter};
use super::schema::{
    count, flag, instant, list, list_of, named, needing, nullable, object, only, pattern, text,
    text_of, uuid, wished_uuid, word,
};
use crate::cbr::code::Code;
use crate::openapi::with_optional;

const MISSING: &[Code] = &[Code::AgentNotFound];

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        request: Some("AgentCheck"),
        answer: (200, Some("AgentsChecked")),
        ..operation("checkAgents", "Which servers have an agent")
    },
    Operation {
        query: &[
            LIMIT,
            OFFSET,
            MARKER,
            parameter("status", Kind::Word(&["normal", "abnormal", "uninstall"])),
            parameter("agent_id", Kind::Ids),
        ],
        answer: (200, Some("Agents")),
        ..operation("listAgents", "The agents of the project")
    },
    Operation {
        request: Some("NewAgent"),
        answer: (200, Some("OneAgent")),
        codes: &[Code::InvalidAgent],
        ..operation("registerAgent", "Register an agent, or note anew what it says of itself")
    },
    Operation {
        answer: (200, Some("OneAgent")),
        codes: MISSING,
        ..operation("showAgent", "An agent")
    },
    Operation {
        request: Some("AgentChange"),
        answer: (200, Some("OneAgent")),
        codes: MISSING,
        ..operation("updateAgent", "Tell an agent to remove itself")
    },
    Operation { codes: MISSING, ..operation("removeAgent", "Forget an agent") },
    Operation {
        request: Some("NewAgentPaths"),
        answer: (200, Some("AgentPathsAdded")),
        codes: &[Code::AgentNotFound, Code::InvalidAgent, Code::TooManyAgentPaths],
        ..operation("addAgentPaths", "Add directories to an agent")
    },
    Operation {
        request: Some("OldAgentPaths"),
        answer: (200, Some("AgentPathsRemoved")),
        codes: &[Code::AgentNotFound, Code::InvalidAgent],
        ..operation("removeAgentPaths", "Take directories from an agent")
    },
];

/// An agent and its directories.
fn agent() -> Value {
    let path = object([
        ("id", uuid()),
        ("agent_id", uuid()),
        ("dir_path", text()),
        ("status", word(["available", "remove"])),
        ("exclude_paths", text()),
    ]);
    object([
        ("agent_id", uuid()),
        ("agent_type", word(["cloud", "native"])),
        ("agent_version", nullable(text())),
        ("host_ip", text()),
        ("host_name", text()),
        ("host_nickname", nullable(text())),
        ("host_os", text()),
        ("status", word(["normal", "abnormal", "uninstall"])),
        ("created_at", instant()),
        ("updated_at", nullable(instant())),
        ("last_active_time", instant()),
        ("paths", list(path)),
    ])
}

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let checked = with_optional(
        object([("resource_id", text()), ("installed", flag())]),
        [("version", text()), ("code", only(7100)), ("message", text())],
    );
    let server = needing(
        [
            ("resource_id", text_of(1, 64)),
            ("resource_type", word(["OS::Nova::Server", "OS::Ironic::BareMetalServer"])),
        ],
        [("resource_name", text_of(0, 255))],
    );
    let agents = object([
        ("agents", list(named("Agent"))),
        ("count", count()),
        ("limit", count()),
        ("offset", count()),
    ]);
    let new_agent = needing(
        [
            ("agent_id", wished_uuid()),
            ("host_ip", text_of(1, 255)),
            ("host_name", text_of(1, 255)),
            ("host_os", text_of(1, 255)),
        ],
        [
            ("agent_type", word(["cloud", "native"])),
            ("agent_version", pattern("^\\d+\\.\\d+\\.\\d+$")),
            ("host_nickname", text_of(0, 255)),
        ],
    );
    let change = needing([("status", only("uninstall"))], []);
    let directory = || pattern("^(/|[A-Za-z]:[\\\\/])[^\\x00]*$");
    let directories = || list_of(directory(), 1, 64);
    let excluded = list_of(pattern("^[^\\x00,]+$"), 0, 64);
    let exclusion = needing([("path_name", directory()), ("exclude_path_name", excluded)], []);
    let told = |[one, other]: [&str; 2]| object([(one, list(text())), (other, list(text()))]);
    vec![
        ("AgentCheck", needing([("agent_status", list_of(server, 1, 1000))], [])),
        ("AgentsChecked", object([("agent_status", list(checked))])),
        ("Agent", agent()),
        ("OneAgent", object([("agent", named("Agent"))])),
        ("Agents", agents),
        ("NewAgent", needing([("agent", new_agent)], [])),
        ("AgentChange", needing([("agent", change)], [])),
        (
            "NewAgentPaths",
            needing([("add_path", directories())], [("exclude_path", list_of(exclusion, 0, 64))]),
        ),
        ("OldAgentPaths", needing([("remove_path", directories())], [])),
        ("AgentPathsAdded", told(["added", "existed"])),
        ("AgentPathsRemoved", told(["removed", "not_existed"])),
    ]
}
