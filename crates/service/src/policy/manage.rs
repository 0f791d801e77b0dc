//! Policies as callers see them: make, show, change, remove, run by hand.

use strongroom_catalog::Transaction;
use strongroom_model::id::{PolicyId, ProjectId};
use strongroom_model::identity::Role;
use strongroom_model::policy::{Policy, PolicyKind, PolicyOperation, Terms};
use strongroom_model::tag::Tagged;

use super::change::{check_retention, check_trigger};
use super::patterned::refuse_if_of_organization;
use super::schedule::next_after;
use super::vault::find_any_policy;
use super::vault_run::{Halt, RefusedVaults};
use super::{NewPolicy, PolicyChange, PolicyView};
use crate::error::{Error, Result};
use crate::tag::TaggedId;
use crate::{Caller, Service};

impl Service {
    /// Makes a policy. Nothing runs before the first time that its trigger names.
    pub async fn create_policy(&self, caller: &Caller, new: NewPolicy) -> Result<Policy> {
        let project = caller.project(Role::Member, "policy:create")?;
        check_trigger(&new.trigger)?;
        check_retention(&new.retention)?;
        let tags = &new.tags;
        let now = self.now();
        let id = PolicyId::random(self.chance());
        let policy = &Policy {
            id,
            project_id: project.clone(),
            user_id: caller.user_id.clone(),
            name: new.name,
            is_enabled: new.is_enabled,
            next_run_at: new.is_enabled.then(|| next_after(&new.trigger, now)).flatten(),
            trigger: new.trigger,
            retention: new.retention,
            created_at: now,
            updated_at: None,
            operation: PolicyOperation::Backup,
            kind: PolicyKind::Custom,
            terms: Terms::unsaid(id, now),
        };
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    self.insert_policy(tx, policy).await?;
                    self.put_tags(tx, project, &TaggedId::of_policy(policy.id), tags).await
                })
            })
            .await?;
        self.0.alarm.notify_one();
        Ok(policy.clone())
    }

    /// Every policy of the caller's project that makes backups, oldest first.
    pub async fn policies(&self, caller: &Caller) -> Result<Vec<PolicyView>> {
        let project = caller.project(Role::Reader, "policy:get_all")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let mut views = Vec::new();
                    let all = tx.policies().list(project).await?.into_iter();
                    for policy in all.filter(makes_backups) {
                        views.push(view(tx, policy).await?);
                    }
                    Ok(views)
                })
            })
            .await
    }

    /// One policy of the caller's project. `id` is text as it came; what is no UUID is not found.
    pub async fn policy(&self, caller: &Caller, id: &str) -> Result<PolicyView> {
        let project = caller.project(Role::Reader, "policy:get")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let policy = find_policy(tx, project, id).await?;
                    view(tx, policy).await
                })
            })
            .await
    }

    /// Changes a policy. If it runs at other times by that, its next run is reckoned anew from now,
    /// and what was due and had not begun is noted as missed.
    pub async fn update_policy(
        &self,
        caller: &Caller,
        id: &str,
        change: PolicyChange,
    ) -> Result<Policy> {
        let project = caller.project(Role::Member, "policy:update")?;
        let change = &change;
        let policy = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut policy = find_policy(tx, project, id).await?;
                    refuse_if_of_organization(&policy)?;
                    let before = policy.clone();
                    let now = self.now();
                    if change.apply(&mut policy, now)? {
                        self.note_overdue(tx, &before, now).await?;
                        let next = policy.is_enabled.then(|| next_after(&policy.trigger, now));
                        policy.next_run_at = next.flatten();
                    }
                    policy.updated_at = Some(now);
                    tx.policies().update(&policy).await?;
                    let thing = TaggedId::of_policy(policy.id);
                    self.put_tags(tx, project, &thing, &change.tags).await?;
                    Ok::<_, Error>(policy)
                })
            })
            .await?;
        self.0.alarm.notify_one();
        Ok(policy)
    }

    /// Removes a policy with its bindings and tags; the backups that it made stay. Refused while it
    /// is applied to a locked vault.
    pub async fn delete_policy(&self, caller: &Caller, id: &str) -> Result<()> {
        let project = caller.project(Role::Member, "policy:delete")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let policy = find_policy(tx, project, id).await?;
                    refuse_if_of_organization(&policy)?;
                    self.remove_policy(tx, policy.id).await
                })
            })
            .await
    }

    /// Runs a policy now, enabled or not. Refused while a run of it goes on.
    pub async fn execute_policy(&self, caller: &Caller, id: &str) -> Result<()> {
        let project = caller.project(Role::Member, "policy:execute")?;
        let mut refused = RefusedVaults::new();
        loop {
            let known = &refused;
            let begun = self
                .catalog()
                .transact(|tx| {
                    Box::pin(async move {
                        let policy = find_policy(tx, project, id).await?;
                        if tx.tasks().is_any_running(policy.id).await? {
                            return Err(Halt::Failed(Error::PolicyRunning(policy.id)));
                        }
                        self.start_run(tx, (&policy, self.now()), known).await
                    })
                })
                .await;
            match begun {
                Ok(()) => break,
                Err(halt) => halt.note(&mut refused)?,
            }
        }
        self.nudge();
        Ok(())
    }
}

/// Whether a policy makes backups; the volume door knows no others.
pub(super) fn makes_backups(policy: &Policy) -> bool {
    policy.operation == PolicyOperation::Backup
}

/// A policy of a project that makes backups. What is no UUID is not found.
pub(crate) async fn find_policy(
    tx: &mut Transaction<'_>,
    project: &ProjectId,
    id: &str,
) -> Result<Policy> {
    let policy = find_any_policy(tx, project, id).await?;
    Some(policy).filter(makes_backups).ok_or_else(|| Error::PolicyNotFound(id.to_owned()))
}

async fn view(tx: &mut Transaction<'_>, policy: Policy) -> Result<PolicyView> {
    let volume_count = tx.policies().count_volumes(policy.id).await?;
    let tags = tx.tags().get(Tagged::Policy, &policy.id.to_string()).await?;
    Ok(PolicyView { policy, volume_count, tags })
}
