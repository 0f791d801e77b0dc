//! Policies of whole domains.

use serde_json::{Map, Value, json};
use strongroom_model::id::OrganizationPolicyId;
use strongroom_model::organization_policy::{
    Deployment, OrganizationOperation, OrganizationPolicy,
};
use strongroom_service::organization::{NewOrganizationPolicy, OrganizationPolicyChange};

use super::call::{Answer, Call};
use super::fault::Fault;
use super::fields::{Field, Fields, NAME, TEXT, any_text};
use super::{DONE, paging};
use crate::reply::Reply;

/// The whole numbers of a definition, with the range of each.
const NUMBERS: [(&str, i64, i64); 7] = [
    ("max_backups", -1, 99_999),
    ("retention_duration_days", -1, 99_999),
    ("day_backups", 0, 100),
    ("week_backups", 0, 100),
    ("month_backups", 0, 100),
    ("year_backups", 0, 100),
    ("full_backup_interval", -1, 100),
];

/// The texts of a definition.
const TEXTS: [&str; 4] =
    ["timezone", "destination_project_id", "destination_region", "cross_account_urn"];

/// `GET /organization-policies`.
pub(super) async fn list(call: &Call) -> Answer {
    let operation =
        call.query.required("operation_type", |it| it.word(OrganizationOperation::parse))?;
    let page = paging::read(&call.query, OrganizationPolicyId::parse)?;
    let policies = call.service.organization_policies(&call.caller, operation).await?;
    let total = u64::try_from(policies.len()).unwrap_or(u64::MAX);
    let mut items = Vec::new();
    for policy in page.cut(policies, |policy, id| policy.id == *id) {
        items.push(view(call, &policy).await?);
    }
    Ok(Reply::ok(page.document("policies", items, total)))
}

/// `POST /organization-policies`.
pub(super) async fn create(call: &Call) -> Answer {
    let body = call.json()?;
    let policy = Fields::of(&body)?.object("policy")?;
    let operation =
        policy.required("operation_type", |it| it.word(OrganizationOperation::parse))?;
    let new = NewOrganizationPolicy {
        name: policy.required("name", name)?,
        description: policy.optional("description", text)?.unwrap_or_default(),
        effective_scope: policy.optional("effective_scope", text)?.unwrap_or_default(),
        operation,
        policy_name: policy.required("policy_name", name)?,
        is_policy_enabled: policy.required("policy_enabled", |it| it.flag())?,
        definition: policy.required("policy_operation_definition", definition)?,
        trigger: policy.required("policy_trigger", trigger)?,
    };
    let policy = call.service.create_organization_policy(&call.caller, new).await?;
    one(call, &policy).await
}

/// `GET /organization-policies/{organization_policy_id}`.
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let policy = call.service.organization_policy(&call.caller, id).await?;
    one(call, &policy).await
}

/// `PUT /organization-policies/{organization_policy_id}`. What it does is settled when it is made.
pub(super) async fn update(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let policy = Fields::of(&body)?.object("policy")?;
    let change = OrganizationPolicyChange {
        name: policy.optional("name", name)?,
        description: policy.optional("description", text)?,
        effective_scope: policy.optional("effective_scope", text)?,
        policy_name: policy.optional("policy_name", name)?,
        is_policy_enabled: policy.optional("policy_enabled", |it| it.flag())?,
        definition: policy.optional("policy_operation_definition", definition)?,
        trigger: policy.optional("policy_trigger", trigger)?,
    };
    let policy = call.service.update_organization_policy(&call.caller, id, &change).await?;
    one(call, &policy).await
}

/// `DELETE /organization-policies/{organization_policy_id}`.
pub(super) async fn delete(call: &Call, id: &str) -> Answer {
    call.service.delete_organization_policy(&call.caller, id).await?;
    Ok(Reply::empty(DONE))
}

/// `GET /organization-policies/{organization_policy_id}/policy-detail`.
pub(super) async fn deployments(call: &Call, id: &str) -> Answer {
    let page = paging::read(&call.query, strongroom_model::id::PolicyId::parse)?;
    let (policy, all) = call.service.organization_deployments(&call.caller, id).await?;
    let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let items = page.cut(all, |deployment, id| deployment.policy_id == *id);
    let items = items.iter().map(|deployment| deployment_view(&policy, deployment)).collect();
    Ok(Reply::ok(page.document("policies", items, total)))
}

fn name(field: Field<'_>) -> Result<String, Fault> {
    field.text(NAME).map(str::to_owned)
}

fn text(field: Field<'_>) -> Result<String, Fault> {
    field.text(TEXT).map(str::to_owned)
}

/// The keys of a definition that mean something, as the caller wrote them.
fn definition(field: Field<'_>) -> Result<String, Fault> {
    let fields = field.object()?;
    let mut kept = Map::new();
    for (key, least, most) in NUMBERS {
        let number = fields.optional(key, |it| it.whole(least..=most))?;
        kept.extend(number.map(|number| (key.to_owned(), json!(number))));
    }
    for key in TEXTS {
        let text = fields.optional(key, |it| it.text(any_text(255)))?;
        kept.extend(text.map(|text| (key.to_owned(), json!(text))));
    }
    let is_fast = fields.optional("enable_acceleration", |it| it.flag())?;
    kept.extend(is_fast.map(|it| ("enable_acceleration".to_owned(), json!(it))));
    Ok(Value::Object(kept).to_string())
}

/// When backups are made, as the caller wrote it.
fn trigger(field: Field<'_>) -> Result<String, Fault> {
    let properties = field.object()?.object("properties")?;
    let pattern =
        properties.required("pattern", |it| it.each(1..=24, |it| it.text(any_text(10_240))))?;
    let window = properties.optional("start_window_minutes", |it| it.whole(60..=480))?;
    let mut kept = json!({ "pattern": pattern });
    if let Some(minutes) = window {
        kept["start_window_minutes"] = json!(minutes);
    }
    Ok(json!({ "properties": kept }).to_string())
}

async fn one(call: &Call, policy: &OrganizationPolicy) -> Answer {
    Ok(Reply::ok(json!({"policy": view(call, policy).await?})))
}

async fn view(call: &Call, policy: &OrganizationPolicy) -> Result<Value, Fault> {
    let document = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!({}));
    let (definition, trigger): (Value, Value) =
        (document(&policy.definition), document(&policy.trigger));
    Ok(json!({
        "id": policy.id.to_string(),
        "name": policy.name,
        "description": policy.description,
        "domain_id": policy.domain_id.as_str(),
        "domain_name": call.service.domain_name(&policy.domain_id).await?,
        "effective_scope": policy.effective_scope,
        "operation_type": policy.operation.as_str(),
        "policy_name": policy.policy_name,
        "policy_enabled": policy.is_policy_enabled,
        "policy_operation_definition": definition,
        "policy_trigger": trigger,
        "status": "available",
    }))
}

fn deployment_view(policy: &OrganizationPolicy, deployment: &Deployment) -> Value {
    json!({
        "domain_id": policy.domain_id.as_str(),
        "project_id": deployment.project_id.as_str(),
        "policy_id": deployment.policy_id.to_string(),
        "status": "available",
    })
}
