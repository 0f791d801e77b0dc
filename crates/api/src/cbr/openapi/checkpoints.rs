//! Runs of a vault.

use serde_json::Value;

use super::operation::{Operation, operation};
use super::schema::{
    flag, instant, list, list_of, name, needing, object, only, open, pattern, range, text, text_of,
    uuid, wished_uuid, wishes, word,
};
use crate::cbr::code::Code;

const RESOURCE_TYPES: [&str; 6] = [
    "OS::Nova::Server",
    "OS::Cinder::Volume",
    "OS::Ironic::BareMetalServer",
    "OS::Native::Server",
    "OS::Sfs::Turbo",
    "OS::Workspace::DesktopV2",
];

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        request: Some("NewCheckpointBody"),
        answer: (200, Some("CheckpointEnvelope")),
        codes: &[
            Code::NothingToBackUp,
            Code::VaultNotFound,
            Code::VaultStatusForbidsBackup,
            Code::VaultFull,
            Code::VaultTypeForbidsBackup,
            Code::ResourceNotInVault,
        ],
        ..operation("createCheckpoint", "Back up what a vault protects")
    },
    Operation {
        request: Some("SyncBody"),
        answer: (200, Some("SyncEnvelope")),
        codes: &[Code::VaultNotFound, Code::VaultWithoutSync],
        ..operation("syncCheckpoint", "Bring in what another site has backed up")
    },
    Operation {
        answer: (200, Some("CheckpointEnvelope")),
        codes: &[Code::CheckpointNotFound],
        ..operation("showCheckpoint", "One run with what it backed up")
    },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let sync = needing([("vault_id", wished_uuid()), ("auto_trigger", flag())], []);
    let synced = object([("vault_id", uuid()), ("operation_log_id", uuid())]);
    vec![
        ("NewCheckpointBody", needing([("checkpoint", wish())], [])),
        ("CheckpointEnvelope", object([("checkpoint", checkpoint())])),
        ("SyncBody", needing([("sync", sync)], [])),
        ("SyncEnvelope", object([("sync", synced)])),
    ]
}

fn wish() -> Value {
    let resource = needing(
        [("id", wished_uuid()), ("type", word(RESOURCE_TYPES))],
        [("name", text_of(0, 255)), ("extra_info", open(object([])))],
    );
    let parameters = wishes([
        ("auto_trigger", flag()),
        ("description", pattern("^[^<>\\x00]{0,255}$")),
        ("incremental", flag()),
        ("name", name()),
        ("resources", list_of(wished_uuid(), 0, 256)),
        ("resource_details", list_of(resource, 0, 256)),
        ("retention_duration_days", range(-1, 36_500)),
    ]);
    needing([("vault_id", wished_uuid())], [("parameters", parameters)])
}

fn checkpoint() -> Value {
    let digits = || pattern("^\\d+$");
    let resource = object([
        ("id", uuid()),
        ("type", word(RESOURCE_TYPES)),
        ("name", text()),
        ("protect_status", word(["available", "error", "protecting", "restoring"])),
        ("resource_size", digits()),
        ("backup_size", digits()),
        ("backup_count", digits()),
        ("extra_info", only(Value::Null)),
    ]);
    let skipped = object([
        ("id", uuid()),
        ("type", word(RESOURCE_TYPES)),
        ("name", text()),
        ("code", pattern("^BackupService\\.\\d{4}$")),
        ("reason", text()),
    ]);
    let vault = object([
        ("id", uuid()),
        ("name", text()),
        ("provider_id", uuid()),
        ("resources", list(resource)),
        ("skipped_resources", list(skipped)),
    ]);
    let extra = object([
        ("name", text()),
        ("description", text()),
        ("retention_duration", range(-1, 36_500)),
    ]);
    object([
        ("id", uuid()),
        ("project_id", text()),
        ("status", word(["available", "protecting", "deleting", "error-deleting", "error"])),
        ("created_at", instant()),
        ("vault", vault),
        ("extra_info", extra),
    ])
}
