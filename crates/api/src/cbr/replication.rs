//! Copies in other regions: of one backup, of all of a vault, and where they can go.

use serde_json::{Value, json};
use strongroom_model::id::VaultId;
use strongroom_service::Refusal;
use strongroom_service::replication::Destination;

use super::call::{Answer, Call};
use super::fault::Fault;
use super::fields::{Fields, NAME, REGION, TEXT, any_text, some_text};
use super::provider;
use crate::reply::Reply;

/// Backups of another site that one request may name.
const SYNC_MAX: usize = 50;

/// `POST /backups/{backup_id}/replicate`.
pub(super) async fn replicate_backup(call: &Call, id: &str) -> Answer {
    let body = call.json()?;
    let fields = Fields::of(&body)?.object("replicate")?;
    let to = Destination {
        name: fields.optional("name", |it| it.text(NAME))?.map(str::to_owned),
        description: fields.optional("description", |it| it.text(TEXT))?.map(str::to_owned),
        ..destination(&fields)?
    };
    fields.optional("enable_acceleration", |it| it.flag())?;
    let started = call.service.replicate_backup(&call.caller, id, &to).await?;
    let answer = with_ends(
        call,
        &to,
        json!({
            "backup_id": started.backup_id.to_string(),
            "project_id": started.vault.project_id.as_str(),
            "provider_id": provider::provider_id(started.vault.terms.object_type),
            "replication_record_id": started.replication_id.to_string(),
        }),
    );
    Ok(Reply::ok(json!({"replication": answer})))
}

/// `POST /checkpoints/replicate`; some clients wrap the body once more.
pub(super) async fn replicate_checkpoint(call: &Call) -> Answer {
    let body = call.json()?;
    let whole = Fields::of(&body)?;
    let whole = match whole.field("checkpoint") {
        Some(wrapped) => wrapped.object()?,
        None => whole,
    };
    let fields = whole.object("replicate")?;
    let vault = fields.required("vault_id", |it| it.id(VaultId::parse))?;
    let to = destination(&fields)?;
    let is_automatic = fields.optional("auto_trigger", |it| it.flag())?.unwrap_or(false);
    fields.optional("enable_acceleration", |it| it.flag())?;
    let replicated = call
        .service
        .replicate_whole_vault(&call.caller, &vault.to_string(), &to, is_automatic)
        .await?;
    let (vault, started) = replicated;
    let backups: Vec<Value> = started
        .iter()
        .map(|one| {
            json!({
                "backup_id": one.backup_id.to_string(),
                "replication_record_id": one.replication_id.to_string(),
            })
        })
        .collect();
    let answer = with_ends(
        call,
        &to,
        json!({
            "backups": backups,
            "project_id": vault.project_id.as_str(),
            "provider_id": provider::provider_id(vault.terms.object_type),
            "vault_id": vault.id.to_string(),
        }),
    );
    Ok(Reply::ok(json!({"replication": answer})))
}

/// `GET /replication-capabilities`.
pub(super) fn capabilities(call: &Call) -> Answer {
    let region = &call.service.settings().region;
    let destinations = call.service.replication_regions();
    let region = json!({"name": region, "replication_destinations": destinations});
    Ok(Reply::ok(json!({"regions": [region]})))
}

/// `POST /backups/sync`: there is no other site whose backups could be brought in.
pub(super) fn sync(call: &Call) -> Answer {
    let body = call.json()?;
    let fields = Fields::of(&body)?;
    fields.required("sync", |it| {
        it.each(1..=SYNC_MAX, |one| {
            let one = one.object()?;
            one.required("backup_id", |it| it.text(some_text(255)).map(drop))?;
            one.required("backup_name", |it| it.text(NAME).map(drop))?;
            one.required("bucket_name", |it| it.text(any_text(255)).map(drop))?;
            one.required("created_at", |it| it.whole(0..=i64::MAX).map(drop))?;
            one.required("image_path", |it| it.text(any_text(1024)).map(drop))?;
            one.required("resource_id", |it| it.text(some_text(255)).map(drop))?;
            one.required("resource_name", |it| it.text(any_text(255)).map(drop))?;
            one.optional("resource_type", |it| it.text(some_text(255)).map(drop))?;
            Ok(())
        })
    })?;
    let message = "no other site is connected whose backups could be brought in";
    Err(Fault::from(Refusal::SyncUnsupported.because(message)))
}

fn destination(fields: &Fields<'_>) -> Result<Destination, Fault> {
    Ok(Destination {
        region: fields.required("destination_region", |it| it.text(REGION))?.to_owned(),
        project_id: fields
            .required("destination_project_id", |it| it.text(some_text(64)))?
            .to_owned(),
        vault_id: fields.required("destination_vault_id", |it| it.id(VaultId::parse))?,
        name: None,
        description: None,
    })
}

/// The answer with what it says of both ends.
fn with_ends(call: &Call, to: &Destination, mut answer: Value) -> Value {
    answer["destination_project_id"] = json!(to.project_id);
    answer["destination_region"] = json!(to.region);
    answer["destination_vault_id"] = json!(to.vault_id.to_string());
    answer["source_region"] = json!(call.service.settings().region);
    answer
}
