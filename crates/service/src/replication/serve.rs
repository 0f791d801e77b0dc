//! Handing out the bytes of what was offered.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use strongroom_engine::{NamingKey, Origin, WireError};
use strongroom_model::id::{BackupId, ReplicationId};
use strongroom_model::replication::{ReplicationSide, ReplicationStatus};

use super::PeerError;
use crate::{Error, Service};

/// Backups that are kept open for other regions.
const OPEN_MAX: usize = 16;

/// Which part of which replication is wanted, and for which vault.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartRequest {
    /// The replication.
    pub replication_id: ReplicationId,
    /// The backup of a disk in the region that is asked.
    pub backup_id: BackupId,
    /// A backup in the region that is asked of which the asking one has a copy.
    pub base_id: Option<BackupId>,
    /// What names chunks in the vault that asks.
    pub naming: NamingKey,
}

/// What is asked about the bytes of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartQuestion {
    /// Size and content roots.
    Summary,
    /// What lies in a page of 256 MiB.
    Outline {
        /// Its number.
        page: u64,
        /// Whether it may refer to the base.
        with_base: bool,
    },
    /// The content of chunks.
    Chunks {
        /// Their places in the volume.
        cells: Vec<u64>,
    },
}

/// What is kept of a request: the naming key is compared by its digits.
#[derive(Debug)]
struct Open {
    key: (ReplicationId, BackupId, Option<BackupId>, String),
    origin: Arc<Origin>,
}

/// Backups that other regions are reading, the latest ones last.
#[derive(Debug, Default)]
pub(crate) struct Origins(Mutex<VecDeque<Open>>);

impl Service {
    /// Answers what the engine of another region asks about a part of what it was offered.
    pub async fn answer_part(
        &self,
        region: &str,
        request: &PartRequest,
        question: PartQuestion,
    ) -> Result<Vec<u8>, PeerError> {
        let origin = self.replica_origin(region, request).await?;
        let asked = tokio::task::spawn_blocking(move || match question {
            PartQuestion::Summary => origin.summary(),
            PartQuestion::Outline { page, with_base } => origin.outline(page, with_base),
            PartQuestion::Chunks { cells } => origin.chunks(&cells),
        });
        let bytes = asked.await.map_err(|error| as_peer(Error::internal(error)))?;
        bytes.map_err(|error| match WireError::from(error) {
            WireError::Cut(reason) => unreachable_now(self, reason),
            WireError::Refused(message) => refused(message),
        })
    }

    /// The backup that another region was offered, opened for it. What is not on offer to that region
    /// is not found.
    async fn replica_origin(
        &self,
        region: &str,
        request: &PartRequest,
    ) -> Result<Arc<Origin>, PeerError> {
        let naming = request.naming.to_hex();
        let key = (
            request.replication_id,
            request.backup_id,
            request.base_id,
            naming.as_str().to_owned(),
        );
        let (backup, base) = self.offered(region, request).await.map_err(as_peer)?;
        {
            let open = self.0.origins.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = open.iter().find(|open| open.key == key) {
                return Ok(Arc::clone(&found.origin));
            }
        }
        let (vault_id, data_id) = backup;
        let repository = self.repository(vault_id).await.map_err(as_peer)?;
        let naming = request.naming.clone();
        let opened =
            tokio::task::spawn_blocking(move || Origin::open(&repository, data_id, base, naming))
                .await
                .map_err(|error| as_peer(Error::internal(error)))?;
        let origin = Arc::new(opened.map_err(|error| {
            let message = error.to_string();
            if error.is_transient() { unreachable_now(self, message) } else { refused(message) }
        })?);
        let mut open = self.0.origins.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() == OPEN_MAX {
            open.pop_front();
        }
        open.push_back(Open { key, origin: Arc::clone(&origin) });
        Ok(origin)
    }

    /// The vault and the stored backup that is wanted, and the stored base.
    async fn offered(
        &self,
        region: &str,
        request: &PartRequest,
    ) -> crate::Result<((strongroom_model::id::VaultId, BackupId), Option<BackupId>)> {
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let missing = || Error::BackupNotFound(request.backup_id.to_string());
                    let record = tx.replications().find(request.replication_id).await?;
                    let record = record
                        .filter(|record| record.side == ReplicationSide::Source)
                        .filter(|record| record.destination_region == region)
                        .filter(|record| !record.status.is_ended())
                        .ok_or_else(missing)?;
                    let is_part = record
                        .detail
                        .parts
                        .iter()
                        .any(|part| part.source_backup_id == request.backup_id);
                    let backup = tx.backups().find_any(request.backup_id).await?;
                    let backup = backup.filter(|_| is_part).ok_or_else(missing)?;
                    let base = match request.base_id {
                        Some(id) => tx.backups().find_any(id).await?,
                        None => None,
                    };
                    // A base that never went to that region is no business of its.
                    let base = match base.filter(|base| base.vault_id == backup.vault_id) {
                        Some(base) => {
                            let whole = base.origin.server_backup_id.unwrap_or(base.id);
                            let records = tx.replications().of_backup(whole).await?;
                            let went = records.iter().any(|record| {
                                record.destination_region == region
                                    && record.status == ReplicationStatus::Success
                            });
                            went.then_some(base.data_id)
                        }
                        None => None,
                    };
                    Ok(((backup.vault_id, backup.data_id), base))
                })
            })
            .await
    }
}

pub(super) fn refused(message: String) -> PeerError {
    PeerError::Refused { reason: super::PeerRefusal::Other, message }
}

fn unreachable_now(service: &Service, reason: String) -> PeerError {
    PeerError::Unreachable { region: service.settings().region.clone(), reason }
}

pub(super) fn as_peer(error: Error) -> PeerError {
    match error {
        Error::Unavailable { what, .. } => PeerError::Unreachable {
            region: "the other".to_owned(),
            reason: format!("{what} is unavailable there"),
        },
        Error::Internal(source) => {
            tracing::error!(%source, "another region cannot be answered");
            PeerError::Unreachable {
                region: "the other".to_owned(),
                reason: "internal error there".to_owned(),
            }
        }
        other => refused(other.to_string()),
    }
}
