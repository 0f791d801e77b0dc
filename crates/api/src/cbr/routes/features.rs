//! What this service can do.

use super::Route;
use crate::cbr::features;
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "listFeatures" GET "cbr-features" => |call| features::list(call);
    "showFeature" GET "cbr-features/{feature_key}" => |call, key| features::show(call, key);
};
