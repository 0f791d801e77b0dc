//! Vaults: made, shown, listed, changed, removed.

use serde_json::{Value, json};
use strongroom_model::id::{PolicyId, VaultId};
use strongroom_model::resource::ResourceId;
use strongroom_model::size::GiB;
use strongroom_model::vault::{
    BindTag, ChargingMode, CloudType, ConsistentLevel, ObjectType, ProtectType, VaultStatus,
    VaultTerms,
};
use strongroom_service::Refusal;
use strongroom_service::vault::{NewVault, VaultChange, VaultFilter, VaultListing, VaultView};

use super::call::{Answer, Call};
use super::fault::Fault;
use super::fields::{Field, Fields, NAME, TEXT, any_text, some_text};
use super::{DONE, orders, paging, vault_document, vault_resources, vault_tags};
use crate::reply::Reply;

/// The most tags by which resources are bound.
const BIND_TAGS_MAX: usize = 5;

/// The most characters of what the names of backups begin with.
const PREFIX_MAX_CHARS: usize = 32;

/// The most characters of a zone.
const ZONE_MAX_CHARS: usize = 32;

/// `POST /vaults`.
pub(super) async fn create(call: &Call) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?.object("vault")?;
    let billing = wish.object("billing")?;
    let name = wish.required("name", |it| it.text(NAME))?.to_owned();
    let new = new_vault(name, &wish, &billing)?;
    let is_prepaid = new.terms.charging_mode == ChargingMode::PrePaid;
    if is_prepaid {
        orders::check_period(&billing)?;
    }
    let view = call.service.create_vault(&call.caller, new).await?;
    let mut answer = shown(&view);
    if is_prepaid {
        for (key, value) in orders::of_vault(view.id()) {
            answer[key] = value;
        }
    }
    Ok(Reply::ok(answer))
}

/// `POST /vaults/order`.
pub(super) async fn order(call: &Call) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?.object("vault")?;
    let billing = wish.object("billing")?;
    orders::check_period(&billing)?;
    let name = wish.optional("name", |it| it.text(NAME))?.map(str::to_owned);
    let new = new_vault(name.unwrap_or_else(|| made_up_name(call)), &wish, &billing)?;
    if new.terms.charging_mode != ChargingMode::PrePaid {
        return Err(Fault::invalid("Invalid billing.charging_mode provided: pre_paid is needed."));
    }
    let view = call.service.create_vault(&call.caller, new).await?;
    Ok(Reply::ok(Value::Object(
        orders::of_vault(view.id())
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )))
}

/// `GET /vaults`.
pub(super) async fn list(call: &Call) -> Answer {
    let page = paging::read(&call.query, VaultId::parse)?;
    let listing =
        VaultListing { filters: filters(call)?, start: page.start.clone(), limit: page.limit };
    let found = call.service.list_vaults(&call.caller, &listing).await?;
    let items = found.items.iter().map(vault_document::vault).collect();
    Ok(Reply::ok(page.document("vaults", items, found.total.unwrap_or(0))))
}

/// `GET /vaults/external`.
pub(super) async fn list_external(call: &Call) -> Answer {
    let query = &call.query;
    let project = query.required("external_project_id", |it| it.text(some_text(64)))?;
    let region = query.required("region_id", |it| it.text(some_text(255)))?;
    let page = paging::read(query, VaultId::parse)?;
    let mut filters = Vec::new();
    if let Some(id) = query.optional("vault_id", |it| it.id(VaultId::parse))? {
        filters.push(VaultFilter::Ids(vec![id]));
    } else {
        push(
            &mut filters,
            query.optional("protect_type", |it| it.word(ProtectType::parse))?,
            VaultFilter::ProtectType,
        );
        push(
            &mut filters,
            query.optional("cloud_type", |it| it.word(CloudType::parse))?,
            VaultFilter::CloudType,
        );
        // Some clients spell it like that.
        for key in ["object_type", "objcet_type"] {
            push(
                &mut filters,
                query.optional(key, |it| it.word(ObjectType::parse))?,
                VaultFilter::ObjectType,
            );
        }
    }
    if region != call.service.settings().region {
        let message = format!("region {region} is not one whose vaults are known here");
        return Err(Refusal::RegionUnknown.because(message).into());
    }
    let listing = VaultListing { filters, start: page.start.clone(), limit: page.limit };
    let found = call.service.list_external_vaults(&call.caller, project, &listing).await?;
    let items = found.items.iter().map(vault_document::vault).collect();
    Ok(Reply::ok(page.document("vaults", items, found.total.unwrap_or(0))))
}

/// `GET /vaults/summary`.
pub(super) async fn summary(call: &Call) -> Answer {
    let summary = call.service.vault_summary(&call.caller).await?;
    Ok(Reply::ok(json!({"size": summary.size_gib, "used_size": summary.used_gib})))
}

/// `GET /vaults/{vault_id}`.
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let view = call.service.vault(&call.caller, id).await?;
    Ok(Reply::ok(shown(&view)))
}

/// `PUT /vaults/{vault_id}`.
pub(super) async fn update(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?.object("vault")?;
    let change = change(&wish)?;
    let view = call.service.update_vault(&call.caller, id, change).await?;
    Ok(Reply::ok(shown(&view)))
}

/// `PUT /vaults/batch-update`.
pub(super) async fn update_all(call: &Call) -> Answer {
    let body = call.json()?;
    let wish = Fields::of(&body)?.object("vault")?;
    let change = VaultChange {
        is_notifying: wish.optional("smn_notify", |it| it.flag())?,
        threshold: wish.optional("threshold", threshold)?,
        ..VaultChange::default()
    };
    if change.is_notifying.is_none() && change.threshold.is_none() {
        return Err(Fault::invalid("vault.smn_notify or vault.threshold is needed."));
    }
    let changed = call.service.update_vaults(&call.caller, change).await?;
    let ids: Vec<_> = changed.iter().map(ToString::to_string).collect();
    Ok(Reply::ok(json!({"updated_vaults_id": ids})))
}

/// `DELETE /vaults/{vault_id}`.
pub(super) async fn delete(call: &Call, id: &str) -> Answer {
    call.service.delete_vault(&call.caller, id).await?;
    Ok(Reply::empty(DONE))
}

fn shown(view: &VaultView) -> Value {
    json!({"vault": vault_document::vault(view)})
}

/// The name of an ordered vault that was given none: out of the request's id, which is not used
/// twice.
fn made_up_name(call: &Call) -> String {
    let id = call.request_id().trim_start_matches("req-");
    format!("vault_{}", id.chars().filter(char::is_ascii_hexdigit).take(8).collect::<String>())
}

/// Reads what a new vault shall be.
fn new_vault(name: String, wish: &Fields<'_>, billing: &Fields<'_>) -> Result<NewVault, Fault> {
    let resources = wish.optional("resources", |it| vault_resources::read(&it, 0))?;
    let tags = wish.optional("tags", |it| vault_tags::read(&it, 0))?;
    let policy_id = wish.optional("backup_policy_id", |it| it.id(PolicyId::parse))?;
    Ok(NewVault {
        name,
        description: wish.optional("description", |it| it.text(TEXT))?.map(str::to_owned),
        size: billing.required("size", |it| size(&it))?,
        is_locked: wish.optional("locked", |it| it.flag())?.unwrap_or(false),
        terms: terms(wish, billing)?,
        resources: resources.unwrap_or_default(),
        policy_id: policy_id.map(|id| id.to_string()),
        tags: tags.unwrap_or_default(),
    })
}

fn terms(wish: &Fields<'_>, billing: &Fields<'_>) -> Result<VaultTerms, Fault> {
    let object_type = billing.required("object_type", |it| it.word(ObjectType::parse))?;
    let protect_type = billing.required("protect_type", |it| {
        it.word(|word| ProtectType::parse(word).filter(|it| *it != ProtectType::Hybrid))
    })?;
    let consistent_level =
        billing.required("consistent_level", |it| it.word(ConsistentLevel::parse))?;
    let charging_mode = billing.optional("charging_mode", |it| it.word(ChargingMode::parse))?;
    let cloud_type = billing.optional("cloud_type", |it| it.word(CloudType::parse))?;
    let given = VaultTerms::of(object_type, protect_type);
    let flag = |fields: &Fields<'_>, key: &str, otherwise: bool| {
        Ok::<_, Fault>(fields.optional(key, |it| it.flag())?.unwrap_or(otherwise))
    };
    let lock_source = |word: &str| ["", "SMB"].contains(&word).then(|| word.to_owned());
    let zone = wish.optional("availability_zone", |it| it.text(some_text(ZONE_MAX_CHARS)))?;
    let enterprise = wish.optional("enterprise_project_id", |it| it.text(some_text(64)))?;
    Ok(VaultTerms {
        consistent_level,
        charging_mode: charging_mode.unwrap_or(given.charging_mode),
        cloud_type: cloud_type.unwrap_or(given.cloud_type),
        // There is one store.
        is_multi_az: billing
            .optional("is_multi_az", |it| match it.flag()? {
                true => Err(it.refuse("backups are kept in one zone here")),
                false => Ok(false),
            })?
            .unwrap_or(false),
        auto_bind: flag(wish, "auto_bind", false)?,
        bind_tags: wish.optional("bind_rules", bind_tags)?.unwrap_or_default(),
        auto_expand: flag(wish, "auto_expand", false)?,
        is_notifying: flag(wish, "smn_notify", true)?,
        threshold: wish.optional("threshold", threshold)?.unwrap_or(given.threshold),
        backup_name_prefix: prefix(wish)?.unwrap_or_default(),
        demand_billing: flag(wish, "demand_billing", false)?,
        lock_source: wish
            .optional("sys_lock_source_service", |it| it.word(lock_source))?
            .unwrap_or_default(),
        availability_zone: zone.map(str::to_owned),
        enterprise_project_id: enterprise
            .map_or(given.enterprise_project_id.clone(), str::to_owned),
        ..given
    })
}

/// Reads what shall be different.
fn change(wish: &Fields<'_>) -> Result<VaultChange, Fault> {
    let billing = wish.optional("billing", |it| it.object())?;
    let of_billing = |key: &str| billing.as_ref().and_then(|billing| billing.field(key));
    Ok(VaultChange {
        name: wish.optional("name", |it| it.text(NAME))?.map(str::to_owned),
        description: wish.optional("description", |it| it.text(TEXT))?.map(str::to_owned),
        size: of_billing("size").map(|it| size(&it)).transpose()?,
        consistent_level: of_billing("consistent_level")
            .map(|it| it.word(ConsistentLevel::parse))
            .transpose()?,
        auto_bind: wish.optional("auto_bind", |it| it.flag())?,
        bind_tags: wish.optional("bind_rules", bind_tags)?,
        auto_expand: wish.optional("auto_expand", |it| it.flag())?,
        is_notifying: wish.optional("smn_notify", |it| it.flag())?,
        threshold: wish.optional("threshold", threshold)?,
        is_locked: wish.optional("locked", |it| it.flag())?,
        backup_name_prefix: prefix(wish)?,
    })
}

/// A size in GiB. Whether a vault may have it is a rule, with a code of its own.
pub(super) fn size(field: &Field<'_>) -> Result<GiB, Fault> {
    let number = field.whole(i64::MIN..=i64::MAX)?;
    let refuse = || Refusal::VaultSize.because(format!("{number} GiB is no size of a vault"));
    u32::try_from(number).map(GiB).map_err(|_| refuse().into())
}

fn threshold(field: Field<'_>) -> Result<u8, Fault> {
    Ok(u8::try_from(field.whole(1..=100)?).unwrap_or(100))
}

fn prefix(wish: &Fields<'_>) -> Result<Option<String>, Fault> {
    let is = super::fields::Text { min: 0, max: PREFIX_MAX_CHARS, ..NAME };
    Ok(wish.optional("backup_name_prefix", |it| it.text(is))?.map(str::to_owned))
}

fn bind_tags(field: Field<'_>) -> Result<Vec<BindTag>, Fault> {
    let tags = field.object()?.optional("tags", |it| {
        it.each(0..=BIND_TAGS_MAX, |it| {
            let tag = it.object()?;
            Ok(BindTag {
                key: tag.required("key", |it| it.text(some_text(127)))?.to_owned(),
                value: tag
                    .optional("value", |it| it.text(any_text(255)))?
                    .unwrap_or_default()
                    .to_owned(),
            })
        })
    })?;
    Ok(tags.unwrap_or_default())
}

/// Reads the conditions of a list.
fn filters(call: &Call) -> Result<Vec<VaultFilter>, Fault> {
    let query = &call.query;
    let mut filters = Vec::new();
    let name = query.optional("name", |it| it.text(NAME))?.map(str::to_owned);
    push(&mut filters, name, VaultFilter::NameContains);
    let cloud = query.optional("cloud_type", |it| it.word(CloudType::parse))?;
    push(&mut filters, cloud, VaultFilter::CloudType);
    let protect = query.optional("protect_type", |it| it.word(ProtectType::parse))?;
    push(&mut filters, protect, VaultFilter::ProtectType);
    let object = query.optional("object_type", |it| it.word(ObjectType::parse))?;
    push(&mut filters, object, VaultFilter::ObjectType);
    let status = query.optional("status", |it| it.word(VaultStatus::parse))?;
    push(&mut filters, status, VaultFilter::Status);
    let policy = query.optional("policy_id", |it| it.id(PolicyId::parse))?;
    push(&mut filters, policy, VaultFilter::Policy);
    let zone = query.optional("availability_zone", |it| it.text(some_text(ZONE_MAX_CHARS)))?;
    push(&mut filters, zone.map(str::to_owned), VaultFilter::AvailabilityZone);
    let enterprise = query.optional("enterprise_project_id", |it| it.text(some_text(64)))?;
    let enterprise = enterprise.map(|id| vec![id.to_owned()]);
    push(&mut filters, enterprise, VaultFilter::EnterpriseProjects);
    for key in ["id", "vault_id"] {
        let ids = query.each(key, |it| it.id(VaultId::parse))?;
        push(&mut filters, (!ids.is_empty()).then_some(ids), VaultFilter::Ids);
    }
    for key in ["resource_ids", "resource_id"] {
        let ids = query.each(key, |it| it.id(ResourceId::parse))?;
        push(&mut filters, (!ids.is_empty()).then_some(ids), VaultFilter::Resources);
    }
    Ok(filters)
}

fn push<T>(filters: &mut Vec<VaultFilter>, value: Option<T>, filter: fn(T) -> VaultFilter) {
    filters.extend(value.map(filter));
}
