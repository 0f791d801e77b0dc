//! A backup as this door shows it.

use serde_json::{Value, json};
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::operation::OperationFault;
use strongroom_model::replication::{Replication, ReplicationStatus};
use strongroom_model::resource::ResourceKind;
use strongroom_model::saved::Saved;
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::vault::ObjectType;
use strongroom_service::saved::SavedView;

use super::provider::provider_id;
use super::{operation_fault, time};

/// What a backup is made of, since this dialect began to say so: snapshots.
const VERSION: u32 = 3;

/// The word for a status.
pub(super) const fn status_word(status: BackupStatus) -> &'static str {
    match status {
        BackupStatus::Creating => "protecting",
        BackupStatus::Available => "available",
        BackupStatus::Restoring => "restoring",
        BackupStatus::Deleting => "deleting",
        BackupStatus::Error | BackupStatus::ErrorDeleting => "error",
    }
}

/// The statuses that a word stands for; none for a word that nothing here ever has. `None` if there
/// is no such word.
pub(super) fn statuses(word: &str) -> Option<Vec<BackupStatus>> {
    match word {
        "waiting_protect" | "waiting_delete" | "waiting_restore" => Some(Vec::new()),
        _ => {
            let all = BackupStatus::ALL.into_iter();
            let found: Vec<_> = all.filter(|status| status_word(*status) == word).collect();
            (!found.is_empty()).then_some(found)
        }
    }
}

/// A backup with its parts and its copies.
pub(super) fn view(view: &SavedView) -> Value {
    let mut document = match &view.saved {
        Saved::Disk(backup) => disk(view, backup),
        Saved::Server(backup) => server(view, backup),
    };
    document["enterprise_project_id"] = json!(view.enterprise_project_id);
    document["children"] = view.children.iter().map(|child| disk(view, child)).collect();
    document["replication_records"] = view.replications.iter().map(record).collect();
    document
}

/// A backup alone, as it stands among the documents of what it is of.
pub(super) fn bare(view: &SavedView) -> Value {
    match &view.saved {
        Saved::Disk(backup) => disk(view, backup),
        Saved::Server(backup) => server(view, backup),
    }
}

fn server(view: &SavedView, backup: &ServerBackup) -> Value {
    json!({
        "id": backup.id.to_string(),
        "checkpoint_id": backup.checkpoint_id.to_string(),
        "vault_id": view.vault_id.map(|id| id.to_string()),
        "project_id": backup.project_id.as_str(),
        "provider_id": provider_id(ObjectType::Server),
        "name": backup.name,
        "description": backup.description,
        "status": status_word(backup.status),
        "image_type": image_type(backup.is_replica),
        "resource_type": ResourceKind::Server.as_str(),
        "resource_id": backup.server_id.to_string(),
        "resource_name": backup.server_name,
        "resource_size": backup.size.0,
        "resource_az": backup.availability_zone,
        "parent_id": null,
        "children": [],
        "incremental": backup.is_incremental,
        "version": VERSION,
        "scheduled_operation_id": backup.policy_id.map(|id| id.to_string()),
        "created_at": time::write(backup.created_at),
        "updated_at": backup.updated_at.map(time::write),
        "expired_at": backup.expires_at.map(time::write),
        "protected_at": backup.protected_at.map(time::write),
        "replication_records": [],
        "extend_info": of_server(view, backup),
    })
}

/// What is known of a server's backup besides.
fn of_server(view: &SavedView, backup: &ServerBackup) -> Value {
    let is_whole = matches!(backup.status, BackupStatus::Available | BackupStatus::Restoring);
    json!({
        "auto_trigger": backup.is_automatic,
        "bootable": null,
        "incremental": backup.is_incremental,
        "snapshot_id": null,
        // A restore has written every byte when it ends; nothing is loaded later.
        "support_lld": false,
        "supported_restore_mode": if is_whole { "backup" } else { "na" },
        "os_images_data": null,
        "contain_system_disk": backup.has_system_disk,
        "encrypted": true,
        "system_disk": false,
        "is_multi_az": false,
        "progress": view.progress,
        "architecture": backup.architecture,
        "app_consistency": app_consistency(view.wants_application_consistency),
    })
}

/// What was done to bring applications to rest: nothing, which is a failure where it was wanted.
pub(super) fn app_consistency(is_wanted: bool) -> Value {
    let (status, code, message) = match is_wanted {
        true => ("1", "1", "no agent: the backup is crash-consistent"),
        false => ("0", "0", ""),
    };
    json!({
        "app_consistency": "0",
        "app_consistency_status": status,
        "app_consistency_error_code": code,
        "app_consistency_error_message": message,
    })
}

/// A disk's backup. One that belongs to that of a server is provided by the server's provider, and
/// neither describes itself nor says where its disk lay.
fn disk(view: &SavedView, backup: &Backup) -> Value {
    let parent = backup.origin.server_backup_id;
    let provider = if parent.is_some() { ObjectType::Server } else { ObjectType::Disk };
    let alone = |text: &Option<String>| text.clone().filter(|_| parent.is_none());
    let protected_at = backup.measured.as_ref().map(|_| time::write(backup.data_timestamp));
    json!({
        "id": backup.id.to_string(),
        "checkpoint_id": backup.checkpoint_id().to_string(),
        "vault_id": view.vault_id.map(|id| id.to_string()),
        "project_id": backup.project_id.as_str(),
        "provider_id": provider_id(provider),
        "name": backup.name.as_deref().unwrap_or_default(),
        "description": alone(&backup.description),
        "status": status_word(backup.status),
        "image_type": image_type(backup.origin.is_replica),
        "resource_type": ResourceKind::Volume.as_str(),
        "resource_id": backup.volume_id.to_string(),
        "resource_name": backup.origin.volume_name.as_deref().unwrap_or_default(),
        "resource_size": backup.size.0,
        "resource_az": alone(&backup.availability_zone),
        "parent_id": parent.map(|id| id.to_string()),
        "children": [],
        "incremental": backup.is_incremental,
        "version": VERSION,
        "scheduled_operation_id": backup.policy_id.map(|id| id.to_string()),
        "created_at": time::write(backup.created_at),
        "updated_at": backup.updated_at.map(time::write),
        "expired_at": backup.expires_at.map(time::write),
        "protected_at": protected_at,
        "replication_records": [],
        "extend_info": of_disk(backup),
    })
}

/// What is known of a disk's backup besides.
fn of_disk(backup: &Backup) -> Value {
    let is_part = backup.origin.server_backup_id.is_some();
    let is_being_made = backup.status == BackupStatus::Creating;
    json!({
        "auto_trigger": backup.origin.is_automatic,
        "bootable": backup.is_bootable,
        "incremental": backup.is_incremental,
        "snapshot_id": backup.snapshot_id.map(|id| id.to_string()),
        "support_lld": null,
        "supported_restore_mode": null,
        "os_images_data": null,
        "contain_system_disk": null,
        // Nothing lies in the store unsealed.
        "encrypted": true,
        "system_disk": backup.is_bootable && is_part,
        "is_multi_az": false,
        "progress": is_being_made.then_some(backup.progress),
        "architecture": null,
        "app_consistency": null,
    })
}

const fn image_type(is_replica: bool) -> &'static str {
    if is_replica { "replication" } else { "backup" }
}

/// What is known of a copy in another region.
pub(super) fn record(replication: &Replication) -> Value {
    let fail_code = match replication.status {
        ReplicationStatus::Fail => {
            operation_fault::code(OperationFault::ReplicationFailed, None).text()
        }
        _ => String::new(),
    };
    json!({
        "id": replication.id.to_string(),
        "status": replication.status.as_str(),
        "vault_id": replication.vault_id.to_string(),
        "created_at": time::write(replication.created_at),
        "source_backup_id": replication.source_backup_id.to_string(),
        "source_checkpoint_id": replication.source_checkpoint_id.to_string(),
        "source_project_id": replication.source_project_id,
        "source_region": replication.source_region,
        "destination_backup_id": replication.destination_backup_id.map(|id| id.to_string()),
        "destination_checkpoint_id":
            replication.destination_checkpoint_id.map(|id| id.to_string()),
        "destination_project_id": replication.destination_project_id,
        "destination_region": replication.destination_region,
        "destination_vault_id": replication.destination_vault_id.to_string(),
        "extra_info": {
            "progress": replication.progress,
            "fail_code": fail_code,
            "fail_reason": replication.message.as_deref().unwrap_or_default(),
            "auto_trigger": replication.is_automatic,
            "destination_vault_id": replication.destination_vault_id.to_string(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_word_and_every_word_its_statuses() {
        for status in BackupStatus::ALL {
            assert!(statuses(status_word(status)).unwrap().contains(&status));
        }
        assert_eq!(statuses("error").unwrap().len(), 2);
        assert_eq!(statuses("waiting_protect"), Some(Vec::new()));
        for unknown in ["creating", "error_deleting", "AVAILABLE", ""] {
            assert_eq!(statuses(unknown), None, "{unknown}");
        }
    }
}
