//! Which disks belong to which policy.

use strongroom_catalog::Transaction;
use strongroom_model::id::VolumeId;
use strongroom_model::identity::Role;
use strongroom_model::policy::Policy;
use strongroom_model::volume::{Volume, VolumeStatus};

use super::manage::find_policy;
use super::{Binding, BindingFault};
use crate::error::Result;
use crate::{Caller, Service};

impl Service {
    /// Binds disks to a policy, each for itself. One that is bound to another policy moves.
    pub async fn bind_volumes(
        &self,
        caller: &Caller,
        id: &str,
        volumes: &[String],
    ) -> Result<Vec<Binding>> {
        let project = caller.project(Role::Member, "policy:bind")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let policy = find_policy(tx, project, id).await?;
                    let mut bindings = Vec::new();
                    for text in volumes {
                        let volume = find_volume(tx, &policy, text).await?;
                        let fault = self.bind(tx, &policy, volume.as_ref()).await?;
                        bindings.push(outcome(text, volume.as_ref(), fault));
                    }
                    Ok(bindings)
                })
            })
            .await
    }

    /// Releases disks from a policy, each for itself.
    pub async fn release_volumes(
        &self,
        caller: &Caller,
        id: &str,
        volumes: &[String],
    ) -> Result<Vec<Binding>> {
        let project = caller.project(Role::Member, "policy:release")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let policy = find_policy(tx, project, id).await?;
                    let mut bindings = Vec::new();
                    for text in volumes {
                        bindings.push(release(tx, &policy, text).await?);
                    }
                    Ok(bindings)
                })
            })
            .await
    }

    async fn bind(
        &self,
        tx: &mut Transaction<'_>,
        policy: &Policy,
        volume: Option<&Volume>,
    ) -> Result<Option<BindingFault>> {
        let Some(volume) = volume else { return Ok(Some(BindingFault::Missing)) };
        if tx.policies().is_bound(policy.id, volume.id).await? {
            return Ok(None);
        }
        if !is_bindable(volume.status) {
            return Ok(Some(BindingFault::State));
        }
        let count = tx.policies().count_volumes(policy.id).await?;
        if count >= u64::from(self.settings().policy_volumes_max) {
            return Ok(Some(BindingFault::TooMany));
        }
        tx.policies().bind(policy.id, volume.id, self.now()).await?;
        Ok(None)
    }
}

/// A disk that is broken, or going, is not taken on.
const fn is_bindable(status: VolumeStatus) -> bool {
    match status {
        VolumeStatus::Creating
        | VolumeStatus::Available
        | VolumeStatus::InUse
        | VolumeStatus::BackingUp
        | VolumeStatus::Attaching
        | VolumeStatus::Maintenance
        | VolumeStatus::RestoringBackup => true,
        VolumeStatus::Deleting
        | VolumeStatus::Error
        | VolumeStatus::ErrorDeleting
        | VolumeStatus::ErrorRestoring => false,
    }
}

async fn find_volume(
    tx: &mut Transaction<'_>,
    policy: &Policy,
    id: &str,
) -> Result<Option<Volume>> {
    let Ok(id) = VolumeId::parse(id) else { return Ok(None) };
    Ok(tx.volumes().find(&policy.project_id, id).await?)
}

/// A disk that is gone can be released too.
async fn release(tx: &mut Transaction<'_>, policy: &Policy, text: &str) -> Result<Binding> {
    let volume = find_volume(tx, policy, text).await?;
    let id = VolumeId::parse(text).ok();
    let is_released = match id {
        Some(id) => tx.policies().release(policy.id, id).await?,
        None => false,
    };
    let fault = match (is_released, &volume) {
        (true, _) => None,
        (false, Some(_)) => Some(BindingFault::NotBound),
        (false, None) => Some(BindingFault::Missing),
    };
    let volume_id = id.filter(|_| fault != Some(BindingFault::Missing));
    Ok(Binding { volume_id, ..outcome(text, volume.as_ref(), fault) })
}

fn outcome(text: &str, volume: Option<&Volume>, fault: Option<BindingFault>) -> Binding {
    Binding {
        id: text.to_owned(),
        volume_id: volume.map(|volume| volume.id),
        availability_zone: volume.map(|volume| volume.availability_zone.clone()),
        fault,
    }
}
