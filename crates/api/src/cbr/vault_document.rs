//! Vaults as answers show them.

use serde_json::{Value, json};
use strongroom_model::tag::Tags;
use strongroom_model::vault::VaultTerms;
use strongroom_service::vault::{ResourceView, VaultView};

use super::provider::{provider_id, spec_code};
use super::time;

/// A vault, bare.
pub(super) fn vault(view: &VaultView) -> Value {
    let vault = &view.vault;
    let terms = &vault.terms;
    json!({
        "id": vault.id.to_string(),
        "name": vault.name,
        "description": vault.description,
        "project_id": vault.project_id.as_str(),
        "user_id": vault.user_id.as_ref().map(|id| id.as_str()).unwrap_or_default(),
        "provider_id": provider_id(terms.object_type),
        "created_at": time::write(vault.created_at),
        "enterprise_project_id": terms.enterprise_project_id,
        "auto_bind": terms.auto_bind,
        "auto_expand": terms.auto_expand,
        "bind_rules": bind_rules(terms),
        "smn_notify": terms.is_notifying,
        "threshold": terms.threshold,
        "locked": vault.is_locked,
        "backup_name_prefix": terms.backup_name_prefix,
        "demand_billing": terms.demand_billing,
        "cbc_delete_count": 0,
        "frozen": false,
        "sys_lock_source_service": terms.lock_source,
        "availability_zone": terms.availability_zone,
        "billing": billing(view),
        "resources": view.resources.iter().map(resource).collect::<Vec<_>>(),
        "tags": tags(&view.tags),
    })
}

fn billing(view: &VaultView) -> Value {
    let (vault, terms) = (&view.vault, &view.vault.terms);
    json!({
        "allocated": view.allocated_gib,
        "used": view.used_mib,
        "size": vault.size.0,
        "charging_mode": terms.charging_mode.as_str(),
        "cloud_type": terms.cloud_type.as_str(),
        "consistent_level": terms.consistent_level.as_str(),
        "object_type": terms.object_type.as_str(),
        "protect_type": terms.protect_type.as_str(),
        "spec_code": spec_code(terms),
        "status": vault.status.as_str(),
        "is_multi_az": terms.is_multi_az,
        "order_id": null,
        "product_id": null,
        "storage_unit": null,
        "frozen_scene": null,
        "partner_bp_id": null,
    })
}

fn resource(view: &ResourceView) -> Value {
    let resource = &view.resource;
    let excluded: Vec<_> = resource.excluded_volumes.iter().map(ToString::to_string).collect();
    json!({
        "id": resource.id.to_string(),
        "type": resource.kind.as_str(),
        "name": resource.name,
        "size": resource.size.0,
        "backup_size": view.backup_mib,
        "backup_count": view.backup_count,
        "protect_status": view.status.as_str(),
        "auto_protect": resource.auto_protect,
        "extra_info": {"exclude_volumes": excluded},
    })
}

/// An empty object if nothing was said: clients look inside.
fn bind_rules(terms: &VaultTerms) -> Value {
    if terms.bind_tags.is_empty() { json!({}) } else { json!({"tags": terms.bind_tags}) }
}

/// Tags as a list of keys and values.
pub(super) fn tags(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}
