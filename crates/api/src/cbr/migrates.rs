//! Bringing the backups of the volume door into vaults: their disks become resources of the default
//! vault, which keeps them already.

use serde_json::{Map, Value};

use super::call::{Answer, Call};
use super::fields::Fields;
use super::fault::Fault;
use crate::reply::Reply;

/// `POST /migrates`.
pub(super) async fn start(call: &Call) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?;
    wish.required("all_regions", |it| it.flag())?;
    wish.required("reservation", |it| {
        let share = it.value().as_f64().filter(|share| (0.0..=1.0).contains(share));
        share.ok_or_else(|| it.refuse("a number from 0 to 1 is needed"))
    })?;
    call.project()?;
    let adopted = call.service.adopt_disks(&call.caller).await?;
    tracing::info!(request_id = call.request_id(), disks = adopted.len(), "disks were adopted");
    let region = call.service.settings().region.clone();
    let regions = Map::from_iter([(region, Value::from("running"))]);
    Ok::<_, Fault>(Reply::ok(Value::Object(regions)))
}
