//! Orders, which here are changes at once.

use serde_json::{Value, json};

use super::operation::{Operation, operation};
use super::schema::{named, object, only, text, text_of, wished_uuid, wishes};
use crate::cbr::code::Code;

const CODES: &[Code] = &[
    Code::InvalidVaultSize,
    Code::VaultNotFound,
    Code::VaultNotUpdatable,
    Code::InvalidVaultStatus,
    Code::ExpansionRefused,
];

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        request: Some("OrderBody"),
        answer: (200, Some("Ordered")),
        codes: CODES,
        ..operation("changeOrder", "Give a vault another size")
    },
    Operation {
        request: Some("OrderBody"),
        answer: (200, Some("OrderUpdated")),
        codes: CODES,
        ..operation("updateOrder", "Give a vault another size, as older clients ask for it")
    },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let whole = || json!({"type": "integer"});
    let measure = || json!({"enum": [17, "17"]});
    let product = wishes([
        ("resource_size", whole()),
        ("resourceSize", whole()),
        ("resource_size_measure_id", measure()),
        ("resourceSizeMeasureId", measure()),
        ("product_id", text_of(0, 64)),
        ("productId", text_of(0, 64)),
        ("resource_spec_code", text_of(0, 64)),
        ("resourceSpecCode", text_of(0, 64)),
    ]);
    // Each key may be written in either manner; one of each pair must be there.
    let body = wishes([
        ("resource_id", wished_uuid()),
        ("resourceId", wished_uuid()),
        ("product_info", named("OrderedProduct")),
        ("productInfo", named("OrderedProduct")),
    ]);
    let updated =
        object([("orderId", text()), ("retCode", only("0")), ("retMsg", only("success"))]);
    vec![("OrderedProduct", product), ("OrderBody", body), ("OrderUpdated", updated)]
}
