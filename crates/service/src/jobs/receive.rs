//! Copying a backup from another region, seen from the end that is to have it: an ordinary backup
//! whose source is the other region.

use std::sync::Arc;
use std::time::Duration;

use strongroom_engine::{BackupOptions, BackupStats, Progress, Repository, SessionId};
use strongroom_model::id::{BackupId, ReplicationId};
use strongroom_model::job::Claim;
use strongroom_model::replication::Replication;
use tokio_util::sync::CancellationToken;

use super::backup::{Order, measured, record};
use super::failure::{Failure, Work};
use super::supervise::Watched;
use crate::replication::{PATIENCE, PartRequest};
use crate::{Error, Service};

/// How soon a region that did not answer is asked again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

impl Service {
    /// Fetches the bytes of a copy, then says that it is there.
    pub(super) async fn receive_backup(
        &self,
        claim: &Claim,
        (id, replication_id): (BackupId, ReplicationId),
        stop: &CancellationToken,
    ) -> Work<()> {
        let Some(order) = self.backup_order(claim, id).await? else {
            return self.drop_backup(claim, id).await;
        };
        let found = self
            .catalog()
            .read(|tx| {
                Box::pin(
                    async move { Ok::<_, Error>(tx.replications().find(replication_id).await?) },
                )
            })
            .await?;
        let replication = found.ok_or_else(|| {
            Failure::Permanent("the record of the replication is gone".to_owned())
        })?;
        let repository = self.repository_to_fill(order.backup.vault_id).await?;
        let settled = self.settle(&repository, order.session.as_deref()).await?;
        let stats = match settled {
            Some(stats) => stats,
            None => self.fetch(claim, &order, (&replication, &repository), stop).await?,
        };
        self.check_readable(claim, &repository, &order.backup, stop).await?;
        let key = self.vaults().master_key_id();
        let measured = measured(&stats, order.parent.as_ref(), key);
        self.publish_backup(claim, id, &measured, false).await?;
        self.watch_vault(order.backup.vault_id).await;
        Ok(())
    }

    async fn fetch(
        &self,
        claim: &Claim,
        order: &Order,
        (replication, repository): (&Replication, &Repository),
        stop: &CancellationToken,
    ) -> Work<BackupStats> {
        let backup = &order.backup;
        let region = replication.source_region.as_str();
        let part = replication
            .detail
            .parts
            .iter()
            .find(|part| part.destination_backup_id == Some(backup.id))
            .ok_or_else(|| Failure::Permanent("the backup is no part of it".to_owned()))?;
        let base_id = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    match &order.parent {
                        Some(parent) => self.source_of_copy(tx, region, parent).await,
                        None => Ok(None),
                    }
                })
            })
            .await?;
        let request = PartRequest {
            replication_id: replication.id,
            backup_id: part.source_backup_id,
            base_id,
            naming: repository.naming_key(),
        };
        let source = self.peer(region)?.part(request);
        let session = SessionId::random(self.chance());
        self.note_session(claim, session).await?;
        let progress = Arc::<Progress>::default();
        let options = BackupOptions {
            parent: order.parent.as_ref().map(|parent| parent.data_id),
            meta: record(backup),
            threads: self.settings().threads,
            node: self.settings().node.clone(),
            progress: Arc::clone(&progress),
            ..BackupOptions::new(backup.data_id, session)
        };
        let watched =
            Watched { shows_progress: true, progress, ..Watched::of_backup(claim, backup, stop) };
        let is_patient = self.now().since(replication.created_at) < PATIENCE;
        let repository = repository.clone();
        self.supervise(watched, move || {
            let received = strongroom_engine::receive(&repository, source.as_ref(), &options);
            received.map(|report| report.backup.stats).map_err(|error| judge(error, is_patient))
        })
        .await
    }
}

/// While the other region cannot be reached, a copy waits; what came stays.
fn judge(error: strongroom_engine::Error, is_patient: bool) -> Failure {
    let is_cut = matches!(&error, strongroom_engine::Error::Wire { .. }) && error.is_transient();
    if is_cut && is_patient {
        tracing::warn!(%error, "a copy waits for the other region");
        return Failure::Wait(TRY_AGAIN);
    }
    match Failure::from(error) {
        // What is damaged lies in the other region.
        Failure::Damaged(reason) => Failure::Permanent(reason),
        other => other,
    }
}
