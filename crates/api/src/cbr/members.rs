//! With whom a backup is shared. A member is named by its project.

use serde_json::{Value, json};
use strongroom_model::id::{ProjectId, ShareId, VaultId};
use strongroom_model::share::{Share, ShareStatus};
use strongroom_service::member::{
    MEMBERS_MAX, MemberChange, MemberFilter, MemberKey, MemberListing,
};

use super::call::{Answer, Call};
use super::code::Code;
use super::fault::Fault;
use super::fields::Fields;
use super::query::Query;
use super::{DONE, paging, time};
use crate::reply::Reply;

/// `GET /backups/{backup_id}/members`.
pub(super) async fn list(call: &Call, backup: &str) -> Answer {
    let page = paging::read(&call.query, ShareId::parse)?;
    let listing = MemberListing {
        filters: filters(&call.query)?,
        sort: paging::read_sort(&call.query, key)?,
        start: page.start,
        limit: page.limit,
    };
    // No image is ever made of a backup.
    let of_image = call.query.optional("image_id", |it| it.string())?;
    let found = call.service.members(&call.caller, backup, listing).await?;
    let (items, total) = match of_image {
        Some(_) => (Vec::new(), 0),
        None => (found.items.iter().map(view).collect(), found.total.unwrap_or_default()),
    };
    Ok(Reply::ok(paging::counted("members", items, total)))
}

/// `POST /backups/{backup_id}/members`.
pub(super) async fn create(call: &Call, backup: &str) -> Answer {
    let body = call.json()?;
    let fields = Fields::of(&body)?;
    let domains = fields.optional("domains", |it| it.list(0..=MEMBERS_MAX))?.unwrap_or_default();
    if !domains.is_empty() {
        let message = "Backups are shared with projects, not with domains.";
        return Err(Fault::new(Code::InvalidMember, message));
    }
    let with: Vec<ProjectId> = fields.required("members", |it| {
        it.each(1..=MEMBERS_MAX, |it| {
            let message = "A member is the id of a project.";
            ProjectId::parse(it.string()?).map_err(|_| Fault::new(Code::InvalidMember, message))
        })
    })?;
    let members = call.service.add_members(&call.caller, backup, &with).await?;
    let total = u64::try_from(members.len()).unwrap_or_default();
    Ok(Reply::ok(paging::counted("members", members.iter().map(view).collect(), total)))
}

/// `GET /backups/{backup_id}/members/{member_id}`.
pub(super) async fn show(call: &Call, backup: &str, member: &str) -> Answer {
    let found = call.service.member(&call.caller, backup, member).await?;
    Ok(Reply::ok(json!({"member": view(&found)})))
}

/// `PUT /backups/{backup_id}/members/{member_id}`, whose body has no envelope.
pub(super) async fn update(call: &Call, backup: &str, member: &str) -> Answer {
    let body = call.json()?;
    let fields = Fields::of(&body)?;
    let change = MemberChange {
        status: fields.required("status", |it| it.word(ShareStatus::parse))?,
        vault_id: fields.optional("vault_id", |it| it.id(VaultId::parse))?,
    };
    let changed = call.service.change_member(&call.caller, backup, member, change).await?;
    Ok(Reply::ok(json!({"member": view(&changed)})))
}

/// `DELETE /backups/{backup_id}/members/{member_id}`.
pub(super) async fn delete(call: &Call, backup: &str, member: &str) -> Answer {
    call.service.remove_member(&call.caller, backup, member).await?;
    Ok(Reply::empty(DONE))
}

fn filters(query: &Query) -> Result<Vec<MemberFilter>, Fault> {
    let mut filters = Vec::new();
    let to = query.optional("dest_project_id", |it| it.id(ProjectId::parse))?;
    filters.extend(to.map(MemberFilter::To));
    let status = query.optional("status", |it| it.word(ShareStatus::parse))?;
    filters.extend(status.map(MemberFilter::Status));
    let vault = query.optional("vault_id", |it| it.id(VaultId::parse))?;
    filters.extend(vault.map(MemberFilter::Vault));
    Ok(filters)
}

fn key(word: &str) -> Option<MemberKey> {
    Some(match word {
        "created_at" => MemberKey::CreatedAt,
        "updated_at" => MemberKey::UpdatedAt,
        "status" => MemberKey::Status,
        "id" => MemberKey::Id,
        "dest_project_id" => MemberKey::To,
        _ => return None,
    })
}

fn view(share: &Share) -> Value {
    json!({
        "id": share.id.to_string(),
        "backup_id": share.backup_id.to_string(),
        "dest_project_id": share.to_project_id.as_str(),
        "status": share.status.as_str(),
        "created_at": time::write(share.created_at),
        "updated_at": share.updated_at.map(time::write),
        "image_id": null,
        "vault_id": share.vault_id.map(|id| id.to_string()),
    })
}
