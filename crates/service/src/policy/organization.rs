//! Policies of whole domains: kept by whoever administers every project, and carried out by a policy
//! in each project of the domain.
//!
//! A project that is made later gets its policies too. When a policy of the domain goes, those of the
//! projects stay as they are, and say that they are left over.

use serde_json::{Map, Value};
use strongroom_catalog::Transaction;
use strongroom_model::id::{DomainId, OrganizationPolicyId, ProjectId, UserId};
use strongroom_model::identity::Role;
use strongroom_model::organization_policy::{Deployment, OrganizationPolicy};
use strongroom_model::policy::{PolicyKind, PolicyOperation};
use strongroom_model::project::Project;

use super::{NewPatternedPolicy, PatternedChange};
use crate::error::{Error, Result};
use crate::{Caller, Refusal, Service};

/// What a caller asks for when it makes a policy of its domain.
#[derive(Debug, Clone)]
pub struct NewOrganizationPolicy {
    /// Its name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// For whom it is meant, in the caller's own words.
    pub effective_scope: String,
    /// The policy of each project.
    pub policy: NewPatternedPolicy,
}

/// What to change in a policy of a domain; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct OrganizationPolicyChange {
    /// The new name.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The new scope.
    pub effective_scope: Option<String>,
    /// What to change in the policy of each project.
    pub policy: PatternedChange,
}

impl Service {
    /// The policies of the caller's domain that do this, the newest first.
    pub async fn organization_policies(
        &self,
        caller: &Caller,
        operation: PolicyOperation,
    ) -> Result<Vec<OrganizationPolicy>> {
        let domain = &self.domain_to_read(caller, "organization_policy:list").await?;
        let list = self.catalog().read(|tx| {
            Box::pin(async move { Ok::<_, Error>(tx.organization_policies().list(domain).await?) })
        });
        let mut policies = list.await?;
        policies.retain(|policy| policy.operation == operation);
        Ok(policies)
    }

    /// A policy of the caller's domain.
    pub async fn organization_policy(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<OrganizationPolicy> {
        let domain = &self.domain_to_read(caller, "organization_policy:get").await?;
        self.catalog().read(|tx| Box::pin(async move { by_id(tx, domain, id).await })).await
    }

    /// Makes a policy of the caller's domain, and one in each of its projects (admin).
    pub async fn create_organization_policy(
        &self,
        caller: &Caller,
        new: NewOrganizationPolicy,
    ) -> Result<OrganizationPolicy> {
        let domain_id = self.domain_to_change(caller, "organization_policy:create").await?;
        let project = caller.project(Role::Admin, "organization_policy:create")?;
        // Checks what is said, should the domain have no project.
        let said = self.patterned((project, &caller.user_id), &new.policy, ORGANIZATION)?;
        self.check_region(&said)?;
        let said = said.terms;
        let made = &OrganizationPolicy {
            id: OrganizationPolicyId::random(self.chance()),
            domain_id,
            name: new.name,
            description: new.description,
            effective_scope: new.effective_scope,
            operation: new.policy.operation,
            policy_name: new.policy.name,
            is_policy_enabled: new.policy.is_enabled,
            definition: said.definition.unwrap_or_default(),
            patterns: new.policy.patterns,
            start_window_minutes: new.policy.start_window_minutes,
            created_at: self.now(),
        };
        let insert = self.catalog().transact(|tx| {
            Box::pin(async move {
                tx.organization_policies().insert(made).await?;
                for project in tx.projects().list(Some(&made.domain_id)).await? {
                    self.deploy(tx, made, (&project.id, &caller.user_id)).await?;
                }
                Ok::<_, Error>(())
            })
        });
        insert.await?;
        self.0.alarm.notify_one();
        Ok(made.clone())
    }

    /// Changes a policy of the caller's domain, and those of its projects (admin).
    pub async fn update_organization_policy(
        &self,
        caller: &Caller,
        id: &str,
        change: &OrganizationPolicyChange,
    ) -> Result<OrganizationPolicy> {
        let domain = &self.domain_to_change(caller, "organization_policy:update").await?;
        let project = caller.project(Role::Admin, "organization_policy:update")?;
        let update = self.catalog().transact(|tx| {
            Box::pin(async move {
                let mut policy = by_id(tx, domain, id).await?;
                let region = policy.definition.get("destination_region").cloned();
                change.apply(&mut policy);
                // Checks what comes of it, and keeps of the definition what means something.
                let owner = (project, &caller.user_id);
                let said = self.patterned(owner, &policy_of(&policy), ORGANIZATION)?;
                if said.destination().map(|to| to.region.into()) != region {
                    self.check_region(&said)?;
                }
                policy.definition = said.terms.definition.unwrap_or_default();
                tx.organization_policies().update(&policy).await?;
                for deployment in tx.organization_policies().deployments(policy.id).await? {
                    let Some(mut own) = tx.policies().find_any(deployment.policy_id).await? else {
                        continue;
                    };
                    let is_bound = !tx.policies().vaults(own.id).await?.is_empty();
                    self.change_patterned(tx, &mut own, &change.policy, is_bound).await?;
                }
                Ok::<_, Error>(policy)
            })
        });
        let changed = update.await?;
        self.0.alarm.notify_one();
        Ok(changed)
    }

    /// Removes a policy of the caller's domain (admin). Those of its projects are left over.
    pub async fn delete_organization_policy(&self, caller: &Caller, id: &str) -> Result<()> {
        let domain = &self.domain_to_change(caller, "organization_policy:delete").await?;
        let delete = self.catalog().transact(|tx| {
            Box::pin(async move {
                let policy = by_id(tx, domain, id).await?;
                for deployment in tx.organization_policies().deployments(policy.id).await? {
                    if let Some(mut own) = tx.policies().find_any(deployment.policy_id).await? {
                        own.kind = PolicyKind::OrganizationRemoved;
                        own.updated_at = Some(self.now());
                        tx.policies().update(&own).await?;
                    }
                }
                tx.organization_policies().delete(policy.id).await?;
                Ok::<_, Error>(())
            })
        });
        delete.await
    }

    /// The policies of projects that carry a policy of the caller's domain out.
    pub async fn organization_deployments(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<(OrganizationPolicy, Vec<Deployment>)> {
        let domain = &self.domain_to_read(caller, "organization_policy:get").await?;
        let list = self.catalog().read(|tx| {
            Box::pin(async move {
                let policy = by_id(tx, domain, id).await?;
                let mut found = Vec::new();
                for deployment in tx.organization_policies().deployments(policy.id).await? {
                    // Its project may have removed it.
                    if tx.policies().find_any(deployment.policy_id).await?.is_some() {
                        found.push(deployment);
                    }
                }
                Ok::<_, Error>((policy, found))
            })
        });
        list.await
    }

    /// The name of a domain, for documents that show it beside its id.
    pub async fn domain_name(&self, id: &DomainId) -> Result<String> {
        let find = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.domains().find(id).await?) }));
        Ok(find.await?.map(|domain| domain.name).unwrap_or_default())
    }

    /// Gives a new project what its domain wants every project to have.
    pub(crate) async fn deploy_all(
        &self,
        tx: &mut Transaction<'_>,
        project: &Project,
        user: &UserId,
    ) -> Result<()> {
        for policy in tx.organization_policies().list(&project.domain_id).await? {
            self.deploy(tx, &policy, (&project.id, user)).await?;
        }
        Ok(())
    }

    async fn deploy(
        &self,
        tx: &mut Transaction<'_>,
        policy: &OrganizationPolicy,
        owner: (&ProjectId, &UserId),
    ) -> Result<()> {
        // What the domain wants does not count among what the project may have.
        let own = self.patterned(owner, &policy_of(policy), ORGANIZATION)?;
        tx.policies().insert(&own).await?;
        let deployment = Deployment {
            organization_policy_id: policy.id,
            project_id: own.project_id,
            policy_id: own.id,
        };
        Ok(tx.organization_policies().deploy(&deployment).await?)
    }

    async fn domain_to_read(&self, caller: &Caller, rule: &'static str) -> Result<DomainId> {
        caller.project(Role::Reader, rule)?;
        self.domain_or_own(caller, None).await
    }

    /// What is done to every project needs a power that reaches across projects.
    async fn domain_to_change(&self, caller: &Caller, rule: &'static str) -> Result<DomainId> {
        caller.require_cloud_admin(rule)?;
        self.domain_or_own(caller, None).await
    }
}

const ORGANIZATION: PolicyKind = PolicyKind::Organization;

/// The policy that each project gets.
fn policy_of(policy: &OrganizationPolicy) -> NewPatternedPolicy {
    NewPatternedPolicy {
        name: policy.policy_name.clone(),
        operation: policy.operation,
        is_enabled: policy.is_policy_enabled,
        definition: policy.definition.clone(),
        patterns: policy.patterns.clone(),
        start_window_minutes: policy.start_window_minutes,
    }
}

impl OrganizationPolicyChange {
    fn apply(&self, policy: &mut OrganizationPolicy) {
        let of_each = &self.policy;
        set(&mut policy.name, &self.name);
        set(&mut policy.description, &self.description);
        set(&mut policy.effective_scope, &self.effective_scope);
        set(&mut policy.policy_name, &of_each.name);
        set(&mut policy.is_policy_enabled, &of_each.is_enabled);
        set(&mut policy.patterns, &of_each.patterns);
        set(&mut policy.start_window_minutes, &of_each.start_window_minutes);
        if let Some(said) = &of_each.definition {
            policy.definition = with_destination(&policy.definition, said);
        }
    }
}

fn set<T: Clone>(field: &mut T, change: &Option<T>) {
    if let Some(value) = change {
        field.clone_from(value);
    }
}

/// A definition replaces the one before, but for where copies go to.
fn with_destination(before: &Map<String, Value>, said: &Map<String, Value>) -> Map<String, Value> {
    super::definition::replaced(Some(before), said.clone())
}

async fn by_id(
    tx: &mut Transaction<'_>,
    domain: &DomainId,
    id: &str,
) -> Result<OrganizationPolicy> {
    let found = match OrganizationPolicyId::parse(id) {
        Ok(id) => tx.organization_policies().find(domain, id).await?,
        Err(_) => None,
    };
    let missing = || format!("Organization policy {id} does not exist.");
    found.ok_or_else(|| Refusal::OrganizationPolicyMissing.because(missing()))
}
