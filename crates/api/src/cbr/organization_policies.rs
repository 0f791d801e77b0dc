//! Policies of whole domains.

use serde_json::{Map, Value, json};
use strongroom_model::id::{OrganizationPolicyId, PolicyId};
use strongroom_model::organization_policy::{Deployment, OrganizationPolicy};
use strongroom_model::policy::PolicyOperation;
use strongroom_service::policy::organization::{NewOrganizationPolicy, OrganizationPolicyChange};
use strongroom_service::policy::{NewPatternedPolicy, PatternedChange};

use super::call::{Answer, Call};
use super::fault::Fault;
use super::fields::{Field, Fields, NAME, TEXT};
use super::{DONE, paging};
use crate::reply::Reply;

/// The most patterns of a policy.
const MAX_PATTERNS: usize = 24;

/// `GET /organization-policies`.
pub(super) async fn list(call: &Call) -> Answer {
    let operation = call.query.required("operation_type", |it| it.word(PolicyOperation::parse))?;
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
    let trigger = policy.required("policy_trigger", trigger)?;
    let new = NewOrganizationPolicy {
        name: policy.required("name", name)?,
        description: policy.optional("description", text)?.unwrap_or_default(),
        effective_scope: policy.optional("effective_scope", text)?.unwrap_or_default(),
        policy: NewPatternedPolicy {
            name: policy.required("policy_name", name)?,
            operation: policy.required("operation_type", |it| it.word(PolicyOperation::parse))?,
            is_enabled: policy.required("policy_enabled", |it| it.flag())?,
            definition: policy.required("policy_operation_definition", definition)?,
            patterns: trigger.patterns,
            start_window_minutes: trigger.said_window.flatten(),
        },
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
    let trigger = policy.optional("policy_trigger", trigger)?;
    // What is not said stays.
    let said_window = trigger.as_ref().and_then(|trigger| trigger.said_window);
    let patterns = trigger.map(|trigger| trigger.patterns);
    let change = OrganizationPolicyChange {
        name: policy.optional("name", name)?,
        description: policy.optional("description", text)?,
        effective_scope: policy.optional("effective_scope", text)?,
        policy: PatternedChange {
            name: policy.optional("policy_name", name)?,
            is_enabled: policy.optional("policy_enabled", |it| it.flag())?,
            definition: policy.optional("policy_operation_definition", definition)?,
            patterns,
            start_window_minutes: said_window,
            ..PatternedChange::default()
        },
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
    let page = paging::read(&call.query, PolicyId::parse)?;
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

fn definition(field: Field<'_>) -> Result<Map<String, Value>, Fault> {
    let object = field.value().as_object();
    object.cloned().ok_or_else(|| field.refuse("an object is needed"))
}

/// When a policy runs.
struct SaidTrigger {
    patterns: Vec<String>,
    /// By how many minutes a run may begin late; `Some(None)` if null was said.
    said_window: Option<Option<u16>>,
}

fn trigger(field: Field<'_>) -> Result<SaidTrigger, Fault> {
    let properties = field.object()?.object("properties")?;
    let patterns = properties
        .required("pattern", |it| it.each(1..=MAX_PATTERNS, |it| it.string().map(str::to_owned)))?;
    let minutes = properties.optional("start_window_minutes", |it| it.whole(60..=480))?;
    let minutes = minutes.and_then(|minutes| u16::try_from(minutes).ok());
    let is_said = properties.raw("start_window_minutes").is_some();
    Ok(SaidTrigger { patterns, said_window: is_said.then_some(minutes) })
}

async fn one(call: &Call, policy: &OrganizationPolicy) -> Answer {
    Ok(Reply::ok(json!({"policy": view(call, policy).await?})))
}

async fn view(call: &Call, policy: &OrganizationPolicy) -> Result<Value, Fault> {
    let mut properties = json!({"pattern": policy.patterns});
    if let Some(minutes) = policy.start_window_minutes {
        properties["start_window_minutes"] = json!(minutes);
    }
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
        "policy_operation_definition": policy.definition,
        "policy_trigger": {"properties": properties},
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
