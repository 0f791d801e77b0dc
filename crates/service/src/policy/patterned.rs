//! Policies as callers of vaults see them: said in patterns and a definition, which are told back as
//! they came.

use serde_json::{Map, Value};
use strongroom_catalog::Transaction;
use strongroom_model::id::{PolicyId, ProjectId, UserId, VaultId};
use strongroom_model::identity::Role;
use strongroom_model::policy::{
    Policy, PolicyKind, PolicyOperation, Retention, Terms, Trigger, VaultPolicy,
};
use strongroom_model::tag::Tagged;
use strongroom_model::time::Timestamp;
use strongroom_model::zone::Zone;

use super::change::{check_retention, check_trigger};
use super::definition::{self, check_operation, replaced};
use super::pattern;
use super::schedule::next_after;
use super::vault::find_any_policy;
use crate::error::{Error, Result};
use crate::{Caller, Refusal, Service};

/// The minutes by which a run may be said to begin late.
const START_WINDOW_MINUTES: std::ops::RangeInclusive<u16> = 60..=480;

/// What a caller asks for when it makes a policy of patterns.
#[derive(Debug, Clone)]
pub struct NewPatternedPolicy {
    /// Its name.
    pub name: String,
    /// What it does.
    pub operation: PolicyOperation,
    /// Whether it runs and expires by itself.
    pub is_enabled: bool,
    /// How long backups are kept, and where they are copied to.
    pub definition: Map<String, Value>,
    /// When it runs.
    pub patterns: Vec<String>,
    /// By how many minutes a run may begin late.
    pub start_window_minutes: Option<u16>,
}

/// What to change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct PatternedChange {
    /// The new name.
    pub name: Option<String>,
    /// What it is said to do, which is settled when it is made: anything else is refused.
    pub operation: Option<PolicyOperation>,
    /// Whether it runs and expires by itself.
    pub is_enabled: Option<bool>,
    /// The definition anew. What it does not say is not set any more, but for the destination.
    pub definition: Option<Map<String, Value>>,
    /// The patterns anew.
    pub patterns: Option<Vec<String>>,
    /// By how many minutes a run may begin late; `Some(None)` removes it.
    pub start_window_minutes: Option<Option<u16>>,
}

/// Which policies to list: conditions that must all hold.
#[derive(Debug, Clone, Default)]
pub struct PatternedFilter {
    /// What they do.
    pub operation: Option<PolicyOperation>,
    /// A vault that they are applied to.
    pub vault_id: Option<VaultId>,
    /// A part of their names.
    pub name: Option<String>,
    /// Whether they run.
    pub is_enabled: Option<bool>,
}

/// A policy with what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternedPolicy {
    /// The policy.
    pub policy: Policy,
    /// Its patterns, as they were said or as they follow from its trigger.
    pub patterns: Vec<String>,
    /// Its definition, as it was said or as it follows from its retention.
    pub definition: Map<String, Value>,
    /// The vaults that it is applied to, that for longest first.
    pub vaults: Vec<VaultPolicy>,
}

impl Service {
    /// Makes a policy of patterns. Nothing runs before the first time that they name.
    pub async fn create_patterned_policy(
        &self,
        caller: &Caller,
        new: NewPatternedPolicy,
    ) -> Result<PatternedPolicy> {
        let project = caller.project(Role::Member, "policy:create")?;
        let owner = (project, &caller.user_id);
        let policy = &self.patterned(owner, &new, PolicyKind::Custom)?;
        self.check_region(policy)?;
        self.catalog()
            .transact(|tx| Box::pin(async move { self.insert_policy(tx, policy).await }))
            .await?;
        self.0.alarm.notify_one();
        Ok(view(policy.clone(), Vec::new(), self.now()))
    }

    /// The policies of the caller's project that meet the conditions, newest first.
    pub async fn patterned_policies(
        &self,
        caller: &Caller,
        filter: &PatternedFilter,
    ) -> Result<Vec<PatternedPolicy>> {
        let project = caller.project(Role::Reader, "policy:get_all")?;
        let now = self.now();
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let bound = tx.policies().bound_in(project).await?;
                    let all = tx.policies().list(project).await?.into_iter().rev();
                    let with_vaults = all.map(|policy| {
                        let own = bound.iter().filter(|one| one.policy_id == policy.id);
                        let vaults = own.cloned().collect();
                        view(policy, vaults, now)
                    });
                    Ok(with_vaults.filter(|one| filter.admits(one)).collect())
                })
            })
            .await
    }

    /// One policy of the caller's project. `id` is text as it came; what is no UUID is not found.
    pub async fn patterned_policy(&self, caller: &Caller, id: &str) -> Result<PatternedPolicy> {
        let project = caller.project(Role::Reader, "policy:get")?;
        let now = self.now();
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let policy = find_any_policy(tx, project, id).await?;
                    let vaults = tx.policies().vaults(policy.id).await?;
                    Ok(view(policy, vaults, now))
                })
            })
            .await
    }

    /// Changes a policy. Patterns that are those which it has change nothing.
    pub async fn update_patterned_policy(
        &self,
        caller: &Caller,
        id: &str,
        change: PatternedChange,
    ) -> Result<PatternedPolicy> {
        let project = caller.project(Role::Member, "policy:update")?;
        let change = &change;
        let changed = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut policy = find_any_policy(tx, project, id).await?;
                    refuse_if_of_organization(&policy)?;
                    let vaults = tx.policies().vaults(policy.id).await?;
                    self.change_patterned(tx, &mut policy, change, !vaults.is_empty()).await?;
                    Ok::<_, Error>(view(policy, vaults, self.now()))
                })
            })
            .await?;
        self.0.alarm.notify_one();
        Ok(changed)
    }

    /// Removes a policy, whatever it does, and takes it off vaults and disks; the backups that it
    /// made stay. Refused while it is applied to a locked vault.
    pub async fn delete_patterned_policy(&self, caller: &Caller, id: &str) -> Result<()> {
        let project = caller.project(Role::Member, "policy:delete")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let policy = find_any_policy(tx, project, id).await?;
                    refuse_if_of_organization(&policy)?;
                    self.remove_policy(tx, policy.id).await
                })
            })
            .await
    }

    /// Puts a change on a policy and writes it down.
    pub(super) async fn change_patterned(
        &self,
        tx: &mut Transaction<'_>,
        policy: &mut Policy,
        change: &PatternedChange,
        is_bound: bool,
    ) -> Result<()> {
        let (before, now) = (policy.clone(), self.now());
        change.apply(policy, now)?;
        if is_bound && before.destination() != policy.destination() {
            let message = "the policy is applied to a vault: its destination cannot change";
            return Err(Refusal::PolicyDestinationFixed.because(message));
        }
        if before.destination() != policy.destination() {
            self.check_region(policy)?;
        }
        if (before.is_enabled, &before.trigger) != (policy.is_enabled, &policy.trigger) {
            self.note_overdue(tx, &before, now).await?;
            let next = policy.is_enabled.then(|| next_after(&policy.trigger, now));
            policy.next_run_at = next.flatten();
        }
        policy.updated_at = Some(now);
        tx.policies().update(policy).await?;
        Ok(())
    }

    /// Refuses a policy that copies to where nothing can be copied from here. The vault over there
    /// is asked about when the policy runs.
    pub(super) fn check_region(&self, policy: &Policy) -> Result<()> {
        match policy.destination() {
            Some(to) if policy.operation == PolicyOperation::Replication => {
                self.peer(&to.region).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// The policy that comes of what is said.
    pub(super) fn patterned(
        &self,
        (project, user): (&ProjectId, &UserId),
        new: &NewPatternedPolicy,
        kind: PolicyKind,
    ) -> Result<Policy> {
        let (id, now) = (PolicyId::random(self.chance()), self.now());
        let terms = Terms { trigger_id: self.chance().uuid(), ..Terms::unsaid(id, now) };
        let mut policy = Policy {
            id,
            project_id: project.clone(),
            user_id: user.clone(),
            name: new.name.clone(),
            is_enabled: new.is_enabled,
            trigger: Trigger { zone: Zone::utc(), rules: Vec::new() },
            retention: Retention::for_ever(),
            next_run_at: None,
            created_at: now,
            updated_at: None,
            operation: new.operation,
            kind,
            terms,
        };
        let said = PatternedChange {
            definition: Some(new.definition.clone()),
            patterns: Some(new.patterns.clone()),
            start_window_minutes: Some(new.start_window_minutes),
            ..PatternedChange::default()
        };
        said.apply(&mut policy, now)?;
        policy.next_run_at = policy.is_enabled.then(|| next_after(&policy.trigger, now)).flatten();
        Ok(policy)
    }

    /// Adds a policy if the project may have one more of its own that does the same.
    pub(super) async fn insert_policy(
        &self,
        tx: &mut Transaction<'_>,
        policy: &Policy,
    ) -> Result<()> {
        let max = self.settings().policies_max;
        let all = tx.policies().list(&policy.project_id).await?;
        let is_like =
            |one: &&Policy| one.operation == policy.operation && one.kind == PolicyKind::Custom;
        let count = all.iter().filter(is_like).count();
        if count >= usize::try_from(max).unwrap_or(usize::MAX) {
            return Err(Error::TooManyPolicies(max));
        }
        Ok(tx.policies().insert(policy).await?)
    }

    /// Removes a policy with its bindings and tags.
    pub(super) async fn remove_policy(&self, tx: &mut Transaction<'_>, id: PolicyId) -> Result<()> {
        self.refuse_if_on_locked_vault(tx, id).await?;
        tx.tags().clear(Tagged::Policy, &id.to_string()).await?;
        tx.policies().delete(id).await?;
        Ok(())
    }
}

/// Refuses to change or remove, as if it were the project's own, what carries a policy of the domain
/// out. What is left over of one that is gone is the project's own.
pub(super) fn refuse_if_of_organization(policy: &Policy) -> Result<()> {
    if policy.kind != PolicyKind::Organization {
        return Ok(());
    }
    let message = "it belongs to a policy of the domain and is changed and removed with that one";
    Err(Error::Invalid { field: "policy_id", message: message.to_owned() })
}

impl PatternedChange {
    /// Puts the change on a policy and checks what comes of it.
    fn apply(&self, policy: &mut Policy, now: Timestamp) -> Result<()> {
        if self.operation.is_some_and(|said| said != policy.operation) {
            let message = format!("the policy makes a {} for ever", policy.operation.as_str());
            return Err(Error::Invalid { field: "operation_type", message });
        }
        if let Some(name) = &self.name {
            policy.name.clone_from(name);
        }
        policy.is_enabled = self.is_enabled.unwrap_or(policy.is_enabled);
        if let Some(said) = &self.definition {
            let known = definition::recognised(said)?;
            let new = replaced(policy.terms.definition.as_ref(), known);
            check_operation(&new, policy.operation)?;
            policy.retention = definition::retention(&new, &policy.retention)?;
            policy.terms.definition = Some(new);
        }
        self.apply_trigger(policy, now)?;
        check_trigger(&policy.trigger)?;
        check_retention(&policy.retention)
    }

    fn apply_trigger(&self, policy: &mut Policy, now: Timestamp) -> Result<()> {
        if let Some(minutes) = self.start_window_minutes {
            if minutes.is_some_and(|minutes| !START_WINDOW_MINUTES.contains(&minutes)) {
                let message = "must lie between 60 and 480".to_owned();
                return Err(Error::Invalid { field: "start_window_minutes", message });
            }
            policy.terms.start_window_minutes = minutes;
        }
        let new = self.patterns.as_ref().filter(|new| **new != patterns(policy, now));
        if let Some(new) = new {
            let utc = Zone::utc();
            let rules = pattern::read(new, utc.date(now))?;
            policy.trigger = Trigger { zone: utc, rules };
            policy.terms.patterns = Some(new.clone());
            policy.terms.trigger_set_at = now;
        }
        Ok(())
    }
}

impl PatternedFilter {
    fn admits(&self, one: &PatternedPolicy) -> bool {
        let PatternedPolicy { policy, vaults, .. } = one;
        self.operation.is_none_or(|operation| operation == policy.operation)
            && self.vault_id.is_none_or(|id| vaults.iter().any(|bound| bound.vault_id == id))
            && self.name.as_ref().is_none_or(|part| policy.name.contains(part))
            && self.is_enabled.is_none_or(|is_enabled| is_enabled == policy.is_enabled)
    }
}

fn view(policy: Policy, vaults: Vec<VaultPolicy>, now: Timestamp) -> PatternedPolicy {
    let said = policy.terms.definition.clone();
    PatternedPolicy {
        patterns: patterns(&policy, now),
        definition: said.unwrap_or_else(|| definition::write(&policy.retention, None)),
        policy,
        vaults,
    }
}

/// The patterns as they were said, or as they follow from the trigger.
fn patterns(policy: &Policy, now: Timestamp) -> Vec<String> {
    let said = policy.terms.patterns.clone();
    said.unwrap_or_else(|| pattern::write(&policy.trigger, now))
}
