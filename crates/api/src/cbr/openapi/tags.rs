//! The tags of vaults.

use serde_json::{Value, json};

use super::operation::{Kind, Operation, operation, parameter};
use super::schema::{
    count, flag, list, list_of, named, needing, nullable, object, only, range, text, text_of, uuid,
    word,
};
use crate::cbr::code::Code;

const OF_ONE: &[Code] = &[Code::VaultNotFound, Code::TooManyTags];

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: &[parameter("enterprise_project_id", Kind::Text)],
        request: Some("VaultSearchBody"),
        answer: (200, Some("VaultsFound")),
        ..operation("listVaultsByTags", "Find vaults by their tags, or count them")
    },
    Operation {
        answer: (200, Some("AllVaultTags")),
        ..operation("listAllVaultTags", "The tags of all vaults")
    },
    Operation {
        answer: (200, Some("VaultTags")),
        codes: &[Code::VaultNotFound],
        ..operation("listVaultTags", "The tags of a vault")
    },
    Operation {
        request: Some("NewVaultTagBody"),
        answer: (204, None),
        codes: OF_ONE,
        ..operation("addVaultTag", "Add a tag to a vault")
    },
    Operation {
        request: Some("VaultTagsAction"),
        answer: (204, None),
        codes: OF_ONE,
        ..operation("changeVaultTags", "Add tags to a vault, or remove some")
    },
    Operation {
        answer: (204, None),
        codes: &[Code::VaultNotFound, Code::TagNotFound],
        ..operation("deleteVaultTag", "Remove a tag from a vault")
    },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let no_nul = || json!({"type": "string", "pattern": "^[^\\x00]*$"});
    let new_tag = needing([("key", no_nul())], [("value", no_nul())]);
    let with_value = needing([("key", no_nul()), ("value", no_nul())], []);
    let condition =
        needing([("key", text_of(1, 127))], [("values", list_of(text_of(0, 255), 0, 10))]);
    let conditions = || list_of(named("VaultTagCondition"), 1, 10);
    let number = |least, most| json!({"anyOf": [range(least, most), {"type": "string", "pattern": "^\\s*\\d+\\s*$"}]});
    let matches = needing([("key", only("resource_name")), ("value", text_of(0, 255))], []);
    let system = needing(
        [("key", only("_sys_enterprise_project_id")), ("values", list_of(text_of(1, 64), 1, 10))],
        [],
    );
    let search = needing(
        [("action", word(["filter", "count"]))],
        [
            ("limit", number(1, 1000)),
            ("offset", number(0, 0x7fff_ffff)),
            ("tags", conditions()),
            ("tags_any", conditions()),
            ("not_tags", conditions()),
            ("not_tags_any", conditions()),
            ("without_any_tag", flag()),
            ("matches", list_of(matches, 0, 1)),
            ("sys_tags", list_of(system, 0, 1)),
            ("object_type", super::vaults::object_type()),
            ("cloud_type", super::vaults::cloud_type()),
        ],
    );
    let found = object([
        ("resource_id", uuid()),
        ("resource_name", text()),
        ("tags", list(named("VaultTag"))),
        ("resource_detail", object([("vault", named("Vault"))])),
    ]);
    let found = super::schema::with_optional(
        object([("total_count", count())]),
        [("resources", list(found))],
    );
    let all = object([("key", text()), ("values", list(text()))]);
    let action = needing(
        [("action", word(["create", "delete"])), ("tags", list_of(named("NewVaultTag"), 1, 100))],
        [("sys_tags", nullable(json!({"type": "array"})))],
    );
    vec![
        ("NewVaultTag", new_tag),
        ("NewVaultTagBody", needing([("tag", with_value)], [])),
        ("VaultTagsAction", action),
        ("VaultTagCondition", condition),
        ("VaultSearchBody", search),
        ("VaultsFound", found),
        ("AllVaultTags", object([("tags", list(all))])),
        ("VaultTags", object([("tags", list(named("VaultTag")))])),
    ]
}
