//! Flavors: those of the project's servers.

use serde_json::{Value, json};
use strongroom_model::server::Flavor;
use strongroom_service::servers::Place;
use strongroom_service::servers::documents::flavor_document;

use super::{Answer, Call, paging};
use crate::fault::Fault;
use crate::reply::Reply;

/// How a list shows each flavor.
#[derive(Debug, Clone, Copy)]
pub(super) enum View {
    /// Its name.
    Summary,
    /// All its fields.
    Detail,
}

/// `GET /flavors` and `GET /flavors/detail`.
pub(super) async fn list(call: &Call, view: View) -> Answer {
    let limit = paging::limit(call)?;
    let mut flavors = call.service.flavors(&call.caller).await?;
    if let Some(marker) = call.query.get("marker").filter(|marker| !marker.is_empty()) {
        let place = flavors.iter().position(|flavor| flavor.id == marker);
        let place = place.ok_or_else(|| paging::no_marker(marker))?;
        flavors.drain(..=place);
    }
    flavors.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let (path, show): (&str, fn(&Call, &Flavor) -> Value) = match view {
        View::Summary => ("flavors", summary),
        View::Detail => ("flavors/detail", detail),
    };
    let items = flavors.iter().map(|flavor| show(call, flavor)).collect();
    Ok(Reply::ok(paging::document(call, path, limit, items)))
}

/// `GET /flavors/ID`.
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    Ok(Reply::ok(json!({"flavor": detail(call, &find(call, id).await?)})))
}

/// `GET /flavors/ID/os-extra_specs`: nothing.
pub(super) async fn extra_specs(call: &Call, id: &str) -> Answer {
    find(call, id).await?;
    Ok(Reply::ok(json!({"extra_specs": {}})))
}

async fn find(call: &Call, id: &str) -> Result<Flavor, Fault> {
    let flavors = call.service.flavors(&call.caller).await?;
    let found = flavors.into_iter().find(|flavor| flavor.id == id);
    found.ok_or_else(|| Fault::missing("Flavor", id))
}

fn summary(call: &Call, flavor: &Flavor) -> Value {
    let links = paging::links(call, &format!("flavors/{}", flavor.id));
    json!({"id": flavor.id, "name": flavor.name, "links": links})
}

fn detail(call: &Call, flavor: &Flavor) -> Value {
    let mut document = flavor_document(flavor, &Place { compute: &call.origin, volume: "" });
    document["links"] = paging::links(call, &format!("flavors/{}", flavor.id));
    document
}
