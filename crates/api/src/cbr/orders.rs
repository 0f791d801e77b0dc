//! Orders: nothing is bought here, so that what an order would do is done at once, and what is told
//! of the order is made up.

use serde_json::{Value, json};
use strongroom_model::id::VaultId;

use super::call::{Answer, Call};
use super::fault::Fault;
use super::fields::{Fields, any_text, some_text};
use super::vaults;
use crate::reply::Reply;

/// The most vaults of one order.
const VAULTS_MAX: usize = 60;

/// The measure of sizes in orders: GiB.
const GIB_MEASURE: i64 = 17;

/// What is told of the order of a new vault.
pub(super) fn of_vault(id: VaultId) -> [(&'static str, Value); 4] {
    let order = json!({
        "cloudServiceId": "cbr",
        "orderId": order_id(&id.to_string()),
        "resourceId": id.to_string(),
        "subscribeResult": 1,
    });
    [
        ("orders", json!([order])),
        ("retCode", json!(0)),
        ("errText", json!("success")),
        ("error_code", json!("0")),
    ]
}

/// Refuses an order for no time.
pub(super) fn check_period(fields: &Fields<'_>) -> Result<(), Fault> {
    let is_period = |word: &str| ["year", "month"].contains(&word).then_some(());
    fields.required("period_type", |it| it.word(is_period))?;
    fields.required("period_num", |it| it.whole(1..=9))?;
    for key in ["is_auto_renew", "is_auto_pay"] {
        fields.optional(key, |it| it.flag())?;
    }
    fields.optional("console_url", |it| it.text(some_text(255)))?;
    Ok(())
}

/// `POST /vaults/change-charge-mode`.
pub(super) async fn change_charge_mode(call: &Call) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?;
    wish.required("charging_mode", |it| it.word(|word| (word == "pre_paid").then_some(())))?;
    check_period(&wish)?;
    for key in ["is_auto_renew", "is_auto_pay"] {
        wish.required(key, |it| it.flag())?;
    }
    let ids =
        wish.required("vault_ids", |it| it.each(1..=VAULTS_MAX, |it| it.id(VaultId::parse)))?;
    call.service.prepay_vaults(&call.caller, &ids).await?;
    Ok(Reply::ok(json!({
        "orderId": order_id(call.request_id()),
        "retCode": 0,
        "retMsg": "success",
    })))
}

/// `POST /orders/change`.
pub(super) async fn change(call: &Call) -> Answer {
    resize(call).await?;
    Ok(Reply::ok(json!({
        "orderId": order_id(call.request_id()),
        "retCode": 0,
        "retMsg": "success",
    })))
}

/// `PUT /orders/{order_id}`.
pub(super) async fn update(call: &Call, id: &str) -> Answer {
    resize(call).await?;
    Ok(Reply::ok(json!({"orderId": id, "retCode": "0", "retMsg": "success"})))
}

/// Gives a vault the ordered size; keys may be written in either manner.
async fn resize(call: &Call) -> Result<(), Fault> {
    let body = call.json()?;
    let wish = Fields::of(&body)?;
    let either = |fields: &Fields<'_>, one: &'static str, other: &'static str| {
        if fields.field(one).is_none() && fields.field(other).is_some() { other } else { one }
    };
    let key = either(&wish, "resource_id", "resourceId");
    let id = wish.required(key, |it| it.id(VaultId::parse))?;
    let product = wish.object(either(&wish, "product_info", "productInfo"))?;
    let key = either(&product, "resource_size", "resourceSize");
    let size = product.required(key, |it| vaults::size(&it))?;
    let key = either(&product, "resource_size_measure_id", "resourceSizeMeasureId");
    product.optional(key, |it| it.digits(GIB_MEASURE..=GIB_MEASURE))?;
    for (one, other) in [("product_id", "productId"), ("resource_spec_code", "resourceSpecCode")] {
        product.optional(either(&product, one, other), |it| it.text(any_text(64)))?;
    }
    Ok(call.service.order_size(&call.caller, &id.to_string(), size).await?)
}

/// An id like that of an order, out of something that is not used twice.
fn order_id(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_hexdigit);
    format!("CS{}", letters.collect::<String>().to_uppercase())
}
