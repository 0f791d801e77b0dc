//! What can be protected.

use super::Route;
use crate::cbr::protectables;
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "listProtectables" GET "protectables/{protectable_type}/instances" => |call, of|
        protectables::list(call, of).await;
    "showProtectable" GET "protectables/{protectable_type}/instances/{instance_id}" =>
        |call, of, id| protectables::show(call, of, id).await;
};
