//! What was known about a server or a disk when it was backed up.

use serde_json::Value;
use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::identity::Role;
use strongroom_model::saved::Saved;
use strongroom_model::volume::{Volume, VolumeStatus};

use super::SavedView;
use super::view::add_vault_terms;
use crate::error::{Error, Result};
use crate::servers::{Place, ServerDocuments};
use crate::{Caller, Refusal, Service};

/// A backup and the documents of what it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedDocuments {
    /// The backup, without its parts.
    pub view: SavedView,
    /// The documents, as they were then.
    pub documents: ServerDocuments,
}

impl Service {
    /// The documents of a backup whose bytes are there. Only its owner sees them: they tell of the
    /// owner's networks, keys and users.
    pub async fn saved_documents(&self, caller: &Caller, id: &str) -> Result<SavedDocuments> {
        let project = caller.project(Role::Reader, "saved:get")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let saved = self.find_saved(tx, project, id).await?;
                    let status = saved.status();
                    if !matches!(status, BackupStatus::Available | BackupStatus::Restoring) {
                        let message = format!("backup {id} is {}", status.as_str());
                        return Err(Refusal::MetadataUnavailable.because(message));
                    }
                    let mut view = SavedView::new(saved, None);
                    add_vault_terms(tx, std::slice::from_mut(&mut view)).await?;
                    let documents = documents_of(tx, &view.saved).await?;
                    Ok(SavedDocuments { view, documents })
                })
            })
            .await
    }
}

async fn documents_of(tx: &mut Transaction<'_>, saved: &Saved) -> Result<ServerDocuments> {
    let backup = match saved {
        Saved::Server(backup) => {
            let Some(kept) = &backup.documents else { return Ok(ServerDocuments::default()) };
            return serde_json::from_str(kept).map_err(Error::internal);
        }
        Saved::Disk(backup) => backup,
    };
    if let Some(parent) = backup.origin.server_backup_id
        && let Some(kept) =
            tx.server_backups().find_any(parent).await?.and_then(|whole| whole.documents)
    {
        let whole: ServerDocuments = serde_json::from_str(&kept).map_err(Error::internal)?;
        let id = backup.volume_id.to_string();
        let is_its = |document: &Value| document["volume"]["id"] == id.as_str();
        let volumes: Vec<_> = whole.volumes.into_iter().filter(is_its).collect();
        if !volumes.is_empty() {
            return Ok(ServerDocuments { volumes, ..ServerDocuments::default() });
        }
    }
    Ok(document_of_disk(backup))
}

/// The document of a disk as its backup remembers it. When the disk was made is not among that.
fn document_of_disk(backup: &Backup) -> ServerDocuments {
    let volume = Volume {
        id: backup.volume_id,
        project_id: backup.project_id.clone(),
        user_id: backup.user_id.clone(),
        name: backup.origin.volume_name.clone(),
        description: None,
        size: backup.size,
        status: VolumeStatus::Available,
        previous_status: None,
        is_bootable: backup.is_bootable,
        availability_zone: backup.availability_zone.clone().unwrap_or_default(),
        metadata: backup.volume_metadata.clone(),
        snapshot_id: None,
        source_volume_id: None,
        backup_id: None,
        created_at: backup.created_at,
        updated_at: None,
    };
    let mut documents = ServerDocuments::of_volume(&volume, None, &Place::default());
    for document in &mut documents.volumes {
        document["volume"]["created_at"] = Value::Null;
    }
    documents
}
