//! Copying a backup to another region, seen from the end that has it: the offer, and how it goes.

use std::time::Duration;

use strongroom_catalog::Transaction;
use strongroom_model::id::ReplicationId;
use strongroom_model::job::Claim;
use strongroom_model::replication::{Replication, ReplicationStatus};

use super::failure::{Failure, Work};
use crate::replication::{CopyState, Offer, PATIENCE, PeerError};
use crate::{Error, Service};

/// Why a replication ended although nothing went wrong.
const UNWANTED: &str = "the backup was deleted";

/// How long the other region may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// How soon a copy that is being made is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How soon a region that did not answer is asked again.
const TRY_AGAIN: Duration = Duration::from_secs(20);

impl Service {
    /// Makes the offer if that is still to be done, and looks how the copy goes. Ends when it ends.
    pub(super) async fn replicate(&self, claim: &Claim, id: ReplicationId) -> Work<()> {
        let found = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    let Some(record) = tx.replications().find(id).await? else {
                        return Ok(None);
                    };
                    let offer = self.offer_of(tx, &record).await?;
                    Ok::<_, Error>(offer.map(|offer| (record, offer)))
                })
            })
            .await?;
        let Some((record, offer)) = found.filter(|(record, _)| !record.status.is_ended()) else {
            return Err(Failure::Permanent(UNWANTED.to_owned()));
        };
        let state = self.ask_for_copy(&record, offer).await?;
        let (state, record) = (&state, &record);
        let is_ended = self
            .catalog()
            .transact(|tx| Box::pin(async move { self.note_copy(tx, claim, record, state).await }))
            .await?;
        match (is_ended, state.status) {
            (true, _) => Ok(()),
            (false, ReplicationStatus::Fail) => {
                let reason = state.message.clone();
                Err(Failure::Permanent(reason.unwrap_or_else(|| "the copy failed".to_owned())))
            }
            (false, _) => Err(Failure::Wait(LOOK_AGAIN)),
        }
    }

    async fn ask_for_copy(&self, record: &Replication, offer: Offer) -> Work<CopyState> {
        let peer = self.peer(&record.destination_region)?;
        let asking = match record.status {
            ReplicationStatus::Waiting => peer.offer(offer),
            _ => peer.state(record.id),
        };
        // Well within the lease: nobody renews it meanwhile.
        let asked = tokio::time::timeout(ANSWER_WITHIN, asking).await.unwrap_or_else(|_| {
            let region = record.destination_region.clone();
            Err(PeerError::Unreachable { region, reason: "it does not answer".to_owned() })
        });
        let seen_at = record.updated_at.unwrap_or(record.created_at);
        asked.map_err(|error| match error {
            PeerError::Unreachable { .. } if self.now().since(seen_at) < PATIENCE => {
                tracing::warn!(replication = %record.id, %error, "a replication waits");
                Failure::Wait(TRY_AGAIN)
            }
            other => Failure::Permanent(other.to_string()),
        })
    }

    /// Writes how the copy stands; ends the job if the copy is there.
    async fn note_copy(
        &self,
        tx: &mut Transaction<'_>,
        claim: &Claim,
        seen: &Replication,
        state: &CopyState,
    ) -> Work<bool> {
        let Some(mut record) = tx.replications().find(seen.id).await? else { return Ok(false) };
        if !tx.jobs().holds(claim).await? {
            return Err(Failure::Lost);
        }
        record.destination_backup_id = Some(state.destination_backup_id);
        record.destination_checkpoint_id = Some(state.destination_checkpoint_id);
        record.progress = state.progress;
        if state.status != ReplicationStatus::Fail {
            record.status = state.status;
        }
        record.updated_at = Some(self.now());
        tx.replications().update(&record).await?;
        let operation = strongroom_model::id::OperationId(claim.job.id.0);
        if let Some(mut operation) = tx.operations().find_any(operation).await? {
            operation.progress = state.progress.min(99);
            operation.updated_at = self.now();
            if let Some(ends) = &mut operation.detail.replication {
                ends.destination_backup_id = record.destination_backup_id;
                ends.destination_checkpoint_id = record.destination_checkpoint_id;
            }
            tx.operations().update(&operation).await?;
        }
        let is_there = state.status == ReplicationStatus::Success;
        if is_there {
            self.finish(tx, claim).await?;
        }
        Ok(is_there)
    }

    /// Writes why there is no copy.
    pub(super) async fn fail_replication(
        &self,
        tx: &mut Transaction<'_>,
        id: ReplicationId,
        reason: &str,
    ) -> crate::Result<()> {
        if let Some(mut record) = tx.replications().find(id).await?
            && !record.status.is_ended()
        {
            record.status = ReplicationStatus::Fail;
            record.message = Some(reason.to_owned());
            record.updated_at = Some(self.now());
            tx.replications().update(&record).await?;
        }
        Ok(())
    }
}
