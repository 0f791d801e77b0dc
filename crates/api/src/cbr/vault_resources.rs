//! What vaults protect, their policies, and the dates of their backups.

use serde_json::{Value, json};
use strongroom_model::id::{PolicyId, VaultId};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_service::Refusal;
use strongroom_service::vault::{AutoProtection, ExpiryChange, NewResource, RESOURCES_MAX};

use super::call::{Answer, Call};
use super::fault::Fault;
use super::fields::{Field, Fields, any_text};
use super::time;
use crate::reply::Reply;

/// The most policies that are applied in one step.
const POLICIES_MAX: usize = 10;

/// Reads the resources that shall be protected, `least` or more.
pub(super) fn read(field: &Field<'_>, least: usize) -> Result<Vec<NewResource>, Fault> {
    if field.value().as_array().is_some_and(|all| all.len() > RESOURCES_MAX) {
        let message = format!("{RESOURCES_MAX} resources are all that a vault may have");
        return Err(Refusal::TooManyResources.because(message).into());
    }
    field.each(least..=RESOURCES_MAX, |it| {
        let wish = it.object()?;
        wish.optional("name", |it| it.text(any_text(255)))?;
        let extra = wish.optional("extra_info", |it| it.object())?;
        let disks = |key: &str| extra.as_ref().and_then(|extra| extra.field(key));
        let excluded = disks("exclude_volumes");
        let excluded = excluded.map(|it| it.each(0..=RESOURCES_MAX, |it| it.id(ResourceId::parse)));
        let included = disks("include_volumes").map(|it| {
            it.each(0..=RESOURCES_MAX, |it| {
                it.object()?.required("id", |it| it.id(ResourceId::parse))
            })
        });
        Ok(NewResource {
            id: wish.required("id", |it| it.id(ResourceId::parse))?,
            kind: wish.required("type", |it| it.word(ResourceKind::parse))?,
            excluded_volumes: excluded.transpose()?.unwrap_or_default(),
            // To include none in particular is to include all.
            included_volumes: included.transpose()?.filter(|disks| !disks.is_empty()),
        })
    })
}

/// `POST /vaults/{vault_id}/addresources`.
pub(super) async fn add(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let new = Fields::of(&body)?.required("resources", |it| read(&it, 1))?;
    let added = call.service.add_resources(&call.caller, id, &new).await?;
    Ok(Reply::ok(json!({"add_resource_ids": texts(&added)})))
}

/// `POST /vaults/{vault_id}/removeresources`.
pub(super) async fn remove(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let ids = ids(&Fields::of(&body)?)?;
    call.service.remove_resources(&call.caller, id, &ids).await?;
    Ok(Reply::ok(json!({"remove_resource_ids": texts(&ids)})))
}

/// `POST /vaults/{vault_id}/migrateresources`.
pub(super) async fn migrate(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?;
    let destination = wish.required("destination_vault_id", |it| it.id(VaultId::parse))?;
    let ids = ids(&wish)?;
    let moved = call.service.move_resources(&call.caller, id, (destination, &ids)).await?;
    Ok(Reply::ok(json!({"migrated_resources": texts(&moved)})))
}

/// `PUT /vaults/{vault_id}/set-resources`.
pub(super) async fn set(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?;
    let ids = ids(&wish)?;
    let action = wish.required("action", |it| {
        it.word(|word| match word {
            "suspend" => Some(AutoProtection::Suspend),
            "unsuspend" => Some(AutoProtection::Unsuspend),
            _ => None,
        })
    })?;
    call.service.set_resources(&call.caller, id, (&ids, action)).await?;
    Ok(Reply::ok(json!({"set_resource_ids": texts(&ids)})))
}

/// `POST /vaults/{vault_id}/associatepolicy`.
pub(super) async fn associate(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?;
    let one = wish.optional("policy_id", |it| it.id(PolicyId::parse))?;
    let many = wish
        .optional("add_policy_ids", |it| it.each(1..=POLICIES_MAX, |it| it.id(PolicyId::parse)))?;
    let policies = match (one, many) {
        (Some(one), None) => vec![one],
        (None, Some(many)) => many,
        _ => return Err(Fault::invalid("Either policy_id or add_policy_ids is needed.")),
    };
    let policies: Vec<_> = policies.iter().map(ToString::to_string).collect();
    let destination = wish.optional("destination_vault_id", |it| it.id(VaultId::parse))?;
    let applied =
        call.service.associate_policies(&call.caller, id, (&policies, destination)).await?;
    let mut told = json!({
        "vault_id": applied.vault_id.to_string(),
        "policy_id": applied.policy_id.to_string(),
    });
    if let Some(destination) = applied.destination_vault_id {
        told["destination_vault_id"] = destination.to_string().into();
    }
    Ok(Reply::ok(json!({"associate_policy": told})))
}

/// `POST /vaults/{vault_id}/dissociatepolicy`.
pub(super) async fn dissociate(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let policy = Fields::of(&body)?.required("policy_id", |it| it.id(PolicyId::parse))?;
    let released = call.service.dissociate_policy(&call.caller, id, &policy.to_string()).await?;
    Ok(Reply::ok(json!({"dissociate_policy": {
        "vault_id": released.vault_id.to_string(),
        "policy_id": released.policy_id.to_string(),
    }})))
}

/// `PUT /vaults/{vault_id}/update-backup-expiration-time`.
pub(super) async fn set_expiry(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?;
    let first = wish.required("expect_expiration_date", |it| time::day(&it))?;
    let day = wish.required("expect_expiration_date", |it| it.string())?.to_owned();
    let zone = wish.required("time_zone", |it| time::zone(&it))?;
    let change = ExpiryChange { day, date: time::end_of_day(first, zone) };
    let outcome = call.service.set_vault_expiry(&call.caller, id, &change).await?;
    Ok(Reply::ok(json!({
        "affected_backups_count": outcome.affected,
        "new_expiration_day": change.day,
        "operation_log_id": outcome.operation_id.to_string(),
    })))
}

fn ids(wish: &Fields<'_>) -> Result<Vec<ResourceId>, Fault> {
    wish.required("resource_ids", |it| it.each(1..=RESOURCES_MAX, |it| it.id(ResourceId::parse)))
}

fn texts(ids: &[ResourceId]) -> Value {
    ids.iter().map(|id| Value::from(id.to_string())).collect()
}
