//! Policies: operations 37 to 41. Patterns and definitions go in and out as they are; the service
//! makes sense of them.

use serde_json::{Map, Value, json};
use strongroom_model::id::{PolicyId, VaultId};
use strongroom_model::policy::{PolicyOperation, VaultPolicy};
use strongroom_service::policy::{
    NewPatternedPolicy, PatternedChange, PatternedFilter, PatternedPolicy,
};

use super::DONE;
use super::call::{Answer, Call};
use super::code::Code;
use super::fault::Fault;
use super::fields::{Field, Fields, NAME, any_text};
use super::paging;
use crate::reply::Reply;

/// The most patterns of a policy.
const PATTERNS_MAX: usize = 24;

/// The minutes by which a run may begin late.
const START_WINDOW_MINUTES: std::ops::RangeInclusive<i64> = 60..=480;

/// `POST /policies` (37).
pub(super) async fn create(call: &Call) -> Answer {
    let body = call.json()?;
    let policy = Fields::of(&body)?.object("policy")?;
    let properties = policy.object("trigger")?.object("properties")?;
    let new = NewPatternedPolicy {
        name: policy.required("name", |it| it.text(NAME))?.to_owned(),
        operation: policy.required("operation_type", |it| operation(&it))?,
        is_enabled: policy.optional("enabled", |it| it.flag())?.unwrap_or(true),
        definition: policy.required("operation_definition", |it| definition(&it))?,
        patterns: properties.required("pattern", |it| patterns(&it))?,
        start_window_minutes: properties.optional("start_window_minutes", |it| minutes(&it))?,
    };
    let created = call.service.create_patterned_policy(&call.caller, new).await?;
    Ok(Reply::ok(json!({"policy": document(&created)})))
}

/// `GET /policies` (38).
pub(super) async fn list(call: &Call) -> Answer {
    let query = &call.query;
    let page = paging::read(query, PolicyId::parse)?;
    let filter = PatternedFilter {
        operation: query.optional("operation_type", |it| operation(&it))?,
        vault_id: query.optional("vault_id", |it| it.id(VaultId::parse))?,
        name: query.optional("name", |it| Ok(it.text(any_text(255))?.to_owned()))?,
        is_enabled: query.optional("enabled", |it| it.flag_word())?,
    };
    let all = call.service.patterned_policies(&call.caller, &filter).await?;
    let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let page = page.cut(all, |one, marker| one.policy.id == *marker);
    Ok(Reply::ok(paging::counted("policies", page.iter().map(document).collect(), total)))
}

/// `GET /policies/{policy_id}` (39).
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let policy = call.service.patterned_policy(&call.caller, id).await?;
    Ok(Reply::ok(json!({"policy": document(&policy)})))
}

/// `PUT /policies/{policy_id}` (40): what the body does not name stays.
pub(super) async fn update(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let policy = Fields::of(&body)?.object("policy")?;
    let trigger = policy.optional("trigger", |it| it.object())?;
    let properties = trigger.map(|it| it.optional("properties", |it| it.object())).transpose()?;
    let (patterns, start_window_minutes) = match properties.flatten() {
        None => (None, None),
        Some(properties) => {
            let said = properties.raw("start_window_minutes").is_some();
            let window = properties.optional("start_window_minutes", |it| minutes(&it))?;
            (properties.optional("pattern", |it| patterns(&it))?, said.then_some(window))
        }
    };
    let change = PatternedChange {
        name: policy.optional("name", |it| Ok(it.text(NAME)?.to_owned()))?,
        operation: policy.optional("operation_type", |it| operation(&it))?,
        is_enabled: policy.optional("enabled", |it| it.flag())?,
        definition: policy.optional("operation_definition", |it| definition(&it))?,
        patterns,
        start_window_minutes,
    };
    let changed = call.service.update_patterned_policy(&call.caller, id, change).await?;
    Ok(Reply::ok(json!({"policy": document(&changed)})))
}

/// `DELETE /policies/{policy_id}` (41).
pub(super) async fn delete(call: &Call, id: &str) -> Answer {
    call.service.delete_patterned_policy(&call.caller, id).await?;
    Ok(Reply::empty(DONE))
}

fn operation(field: &Field<'_>) -> Result<PolicyOperation, Fault> {
    PolicyOperation::parse(field.string()?).ok_or_else(|| {
        Fault::new(Code::UnknownOperationType, "operation_type must be backup or replication.")
    })
}

fn definition(field: &Field<'_>) -> Result<Map<String, Value>, Fault> {
    let object = field.value().as_object();
    object.cloned().ok_or_else(|| field.refuse("an object is needed"))
}

fn patterns(field: &Field<'_>) -> Result<Vec<String>, Fault> {
    field.each(1..=PATTERNS_MAX, |it| Ok(it.string()?.to_owned()))
}

fn minutes(field: &Field<'_>) -> Result<u16, Fault> {
    let minutes = field.whole(START_WINDOW_MINUTES)?;
    u16::try_from(minutes).map_err(|_| field.refuse("it is too large"))
}

/// A policy as answers show it.
fn document(view: &PatternedPolicy) -> Value {
    let policy = &view.policy;
    json!({
        "id": policy.id.to_string(),
        "name": policy.name,
        "enabled": policy.is_enabled,
        "operation_type": policy.operation.as_str(),
        "policy_type": policy.kind.as_str(),
        "operation_definition": view.definition,
        "trigger": trigger(view),
        "associated_vaults": view.vaults.iter().map(associated).collect::<Vec<_>>(),
    })
}

fn trigger(view: &PatternedPolicy) -> Value {
    let terms = &view.policy.terms;
    let start = terms.trigger_set_at.format_naive();
    // With a space, and without a fraction.
    let start: String = start.replace('T', " ").chars().take(19).collect();
    let mut properties = json!({"pattern": view.patterns, "start_time": start});
    if let Some(minutes) = terms.start_window_minutes {
        properties["start_window_minutes"] = minutes.into();
    }
    json!({
        "id": terms.trigger_id.to_string(),
        "name": "default",
        "type": "time",
        "properties": properties,
    })
}

fn associated(bound: &VaultPolicy) -> Value {
    let mut vault = json!({"vault_id": bound.vault_id.to_string()});
    if let Some(id) = bound.destination_vault_id {
        vault["destination_vault_id"] = id.to_string().into();
    }
    vault
}
