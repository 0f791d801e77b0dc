//! What this service can do.

use serde_json::{Value, json};

use super::operation::{Kind, Operation, operation, parameter};
use super::schema::{choice, flag, list, text};

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: &[
            parameter("limit", Kind::Whole(1, 1000)),
            parameter("offset", Kind::Whole(0, 1000)),
        ],
        answer: (200, Some("Features")),
        ..operation("listFeatures", "What this service can do")
    },
    Operation { answer: (200, Some("Feature")), ..operation("showFeature", "One thing of these") },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let features = || {
        choice([
            ("features.backup_double_az", flag()),
            ("features.bccrack_enable", flag()),
            ("replication.destination_dgw_regions", list(text())),
            ("replication.destination_regions", list(text())),
            ("replication.enable", flag()),
            ("replication.source_region", text()),
        ])
    };
    let mut one = features();
    one["minProperties"] = json!(1);
    one["maxProperties"] = json!(1);
    vec![("Features", features()), ("Feature", one)]
}
