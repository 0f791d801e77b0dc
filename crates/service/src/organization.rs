//! Policies of whole domains: kept by whoever administers every project, read by its projects.

use strongroom_catalog::Transaction;
use strongroom_model::id::{DomainId, OrganizationPolicyId};
use strongroom_model::identity::Role;
use strongroom_model::organization_policy::{
    Deployment, OrganizationOperation, OrganizationPolicy,
};

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
    /// What it does.
    pub operation: OrganizationOperation,
    /// The name of the policy in each project.
    pub policy_name: String,
    /// Whether the policies run by themselves.
    pub is_policy_enabled: bool,
    /// How long backups are kept, a JSON object.
    pub definition: String,
    /// When backups are made, a JSON object.
    pub trigger: String,
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
    /// The new name of the policy in each project.
    pub policy_name: Option<String>,
    /// Whether the policies run by themselves.
    pub is_policy_enabled: Option<bool>,
    /// The new definition.
    pub definition: Option<String>,
    /// The new trigger.
    pub trigger: Option<String>,
}

impl Service {
    /// The policies of the caller's domain that do this, the newest first.
    pub async fn organization_policies(
        &self,
        caller: &Caller,
        operation: OrganizationOperation,
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

    /// Makes a policy of the caller's domain (admin).
    pub async fn create_organization_policy(
        &self,
        caller: &Caller,
        new: NewOrganizationPolicy,
    ) -> Result<OrganizationPolicy> {
        let domain_id = self.domain_to_change(caller, "organization_policy:create").await?;
        let policy = OrganizationPolicy {
            id: OrganizationPolicyId::random(self.chance()),
            domain_id,
            name: new.name,
            description: new.description,
            effective_scope: new.effective_scope,
            operation: new.operation,
            policy_name: new.policy_name,
            is_policy_enabled: new.is_policy_enabled,
            definition: new.definition,
            trigger: new.trigger,
            created_at: self.now(),
        };
        let made = &policy;
        let insert = self.catalog().transact(|tx| {
            Box::pin(async move { Ok::<_, Error>(tx.organization_policies().insert(made).await?) })
        });
        insert.await?;
        Ok(policy)
    }

    /// Changes a policy of the caller's domain (admin).
    pub async fn update_organization_policy(
        &self,
        caller: &Caller,
        id: &str,
        change: &OrganizationPolicyChange,
    ) -> Result<OrganizationPolicy> {
        let domain = &self.domain_to_change(caller, "organization_policy:update").await?;
        let update = self.catalog().transact(|tx| {
            Box::pin(async move {
                let mut policy = by_id(tx, domain, id).await?;
                for (field, value) in [
                    (&mut policy.name, &change.name),
                    (&mut policy.description, &change.description),
                    (&mut policy.effective_scope, &change.effective_scope),
                    (&mut policy.policy_name, &change.policy_name),
                    (&mut policy.definition, &change.definition),
                    (&mut policy.trigger, &change.trigger),
                ] {
                    if let Some(value) = value {
                        field.clone_from(value);
                    }
                }
                policy.is_policy_enabled =
                    change.is_policy_enabled.unwrap_or(policy.is_policy_enabled);
                tx.organization_policies().update(&policy).await?;
                Ok::<_, Error>(policy)
            })
        });
        update.await
    }

    /// Removes a policy of the caller's domain (admin).
    pub async fn delete_organization_policy(&self, caller: &Caller, id: &str) -> Result<()> {
        let domain = &self.domain_to_change(caller, "organization_policy:delete").await?;
        let delete = self.catalog().transact(|tx| {
            Box::pin(async move {
                let policy = by_id(tx, domain, id).await?;
                tx.organization_policies().delete(policy.id).await?;
                Ok::<_, Error>(())
            })
        });
        delete.await
    }

    /// The policies of projects that a policy of the caller's domain stands behind.
    pub async fn organization_deployments(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<(OrganizationPolicy, Vec<Deployment>)> {
        let domain = &self.domain_to_read(caller, "organization_policy:get").await?;
        let list = self.catalog().read(|tx| {
            Box::pin(async move {
                let policy = by_id(tx, domain, id).await?;
                let deployments = tx.organization_policies().deployments(policy.id).await?;
                Ok::<_, Error>((policy, deployments))
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
