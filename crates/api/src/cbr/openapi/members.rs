//! With whom a backup is shared.

use serde_json::{Value, json};

use super::operation::{Kind, LIMIT, MARKER, OFFSET, Operation, operation, parameter};
use super::schema::{
    count, instant, list, list_of, named, needing, nullable, object, only, pattern, text, uuid,
    wished_uuid, word,
};
use crate::cbr::code::Code;

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: &[
            LIMIT,
            OFFSET,
            MARKER,
            parameter("sort", Kind::Text),
            parameter("dest_project_id", Kind::Text),
            parameter("image_id", Kind::Text),
            parameter("status", Kind::Word(&["pending", "accepted", "rejected"])),
            parameter("vault_id", Kind::Id),
        ],
        answer: (200, Some("Members")),
        codes: &[Code::BackupNotFound],
        ..operation("listMembers", "With whom a backup is shared")
    },
    Operation {
        request: Some("MemberCreate"),
        answer: (200, Some("Members")),
        codes: &[
            Code::BackupNotFound,
            Code::OnlyServerBackupsShared,
            Code::TooManyShares,
            Code::BackupNotShareable,
            Code::AlreadyShared,
            Code::InvalidMember,
            Code::ReceivedNotShareable,
        ],
        ..operation("addMember", "Offer a backup to other projects")
    },
    Operation {
        answer: (200, Some("MemberEnvelope")),
        codes: &[Code::BackupNotFound, Code::MemberNotFound],
        ..operation("showMember", "One with whom a backup is shared")
    },
    Operation {
        request: Some("MemberUpdate"),
        answer: (200, Some("MemberEnvelope")),
        codes: &[
            Code::BackupNotFound,
            Code::VaultNotFound,
            Code::InvalidMemberChange,
            Code::VaultStatusForbidsSharing,
            Code::VaultTypeForbidsShare,
        ],
        ..operation("updateMember", "Take or decline what is offered")
    },
    Operation {
        answer: (204, None),
        codes: &[Code::BackupNotFound, Code::MemberNotFound],
        ..operation("deleteMember", "Share a backup no more")
    },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let status = || word(["pending", "accepted", "rejected"]);
    let member = object([
        ("id", uuid()),
        ("backup_id", uuid()),
        ("dest_project_id", text()),
        ("status", status()),
        ("created_at", instant()),
        ("updated_at", nullable(instant())),
        ("image_id", only(Value::Null)),
        ("vault_id", nullable(uuid())),
    ]);
    let projects = list_of(pattern("^[0-9A-Za-z_-]{1,64}$"), 1, 10);
    let no_domains = json!({"type": "array", "maxItems": 0});
    vec![
        ("Members", object([("members", list(named("Member"))), ("count", count())])),
        ("MemberEnvelope", object([("member", named("Member"))])),
        ("Member", member),
        ("MemberCreate", needing([("members", projects)], [("domains", no_domains)])),
        ("MemberUpdate", needing([("status", status())], [("vault_id", wished_uuid())])),
    ]
}
