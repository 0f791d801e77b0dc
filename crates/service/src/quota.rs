//! Quotas as callers see them: limits, use, defaults, classes.

use std::collections::BTreeMap;

use strongroom_catalog::Transaction;
use strongroom_model::id::ProjectId;
use strongroom_model::identity::Role;
use strongroom_model::quota::{Quota, Resource};

use crate::error::{Error, Result};
use crate::{Caller, Service};

/// The class whose limits hold for every project that has none of its own.
const DEFAULT_CLASS: &str = "default";

impl Service {
    /// The quotas of a project with what is in use, in the order of [`Resource::ALL`].
    /// Another project's are for admins.
    pub async fn quotas(&self, caller: &Caller, project: &ProjectId) -> Result<Vec<Quota>> {
        self.check_own_project(caller, project, "volume_extension:quotas:show")?;
        self.catalog().read(|tx| Box::pin(async move { self.quotas_of(tx, project).await })).await
    }

    /// The limits of a project that has none of its own (class `default`); `in_use` is zero.
    pub async fn default_quotas(&self, caller: &Caller) -> Result<Vec<Quota>> {
        self.quota_class(caller, DEFAULT_CLASS).await
    }

    /// Sets limits of a project (admin). Below what is in use is refused.
    pub async fn set_quotas(
        &self,
        caller: &Caller,
        project: &ProjectId,
        limits: &[(Resource, i64)],
    ) -> Result<Vec<Quota>> {
        caller.require_cloud_admin("volume_extension:quotas:update")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let usage = tx.quotas().usage(project).await?;
                    for (resource, limit) in limits {
                        let in_use = usage.get(resource).copied().unwrap_or(0);
                        if (0..in_use).contains(limit) {
                            return Err(Error::QuotaBelowUse { resource: *resource, in_use });
                        }
                        tx.quotas().set_limit(project, *resource, *limit).await?;
                    }
                    self.quotas_of(tx, project).await
                })
            })
            .await
    }

    /// Gives a project the default limits again (admin).
    pub async fn clear_quotas(&self, caller: &Caller, project: &ProjectId) -> Result<()> {
        caller.require_cloud_admin("volume_extension:quotas:delete")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    tx.quotas().clear(project).await?;
                    Ok(())
                })
            })
            .await
    }

    /// The limits of a quota class; only `default` has an effect.
    pub async fn quota_class(&self, caller: &Caller, class: &str) -> Result<Vec<Quota>> {
        caller.project(Role::Reader, "volume_extension:quota_classes:get")?;
        let limits = self
            .catalog()
            .read(|tx| {
                Box::pin(async move { Ok::<_, Error>(tx.quotas().class_limits(class).await?) })
            })
            .await?;
        Ok(self.quota_list(&BTreeMap::new(), &limits, &BTreeMap::new()))
    }

    /// Sets limits of a quota class (admin).
    pub async fn set_quota_class(
        &self,
        caller: &Caller,
        class: &str,
        limits: &[(Resource, i64)],
    ) -> Result<Vec<Quota>> {
        caller.require_cloud_admin("volume_extension:quota_classes:update")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    for (resource, limit) in limits {
                        tx.quotas().set_class_limit(class, *resource, *limit).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await?;
        self.quota_class(caller, class).await
    }

    /// Refuses what would exceed a quota. The transaction makes check and insertion one step.
    pub(crate) async fn check_quota(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        asked: &[(Resource, i64)],
    ) -> Result<()> {
        let quotas = self.quotas_of(tx, project).await?;
        for (resource, requested) in asked {
            let Some(quota) = quotas.iter().find(|quota| quota.resource == *resource) else {
                continue;
            };
            if !quota.admits(*requested) {
                let Quota { resource, limit, in_use } = *quota;
                return Err(Error::QuotaExceeded {
                    resource,
                    limit,
                    in_use,
                    requested: *requested,
                });
            }
        }
        Ok(())
    }

    async fn quotas_of(&self, tx: &mut Transaction<'_>, project: &ProjectId) -> Result<Vec<Quota>> {
        let own = tx.quotas().limits(project).await?;
        let class = tx.quotas().class_limits(DEFAULT_CLASS).await?;
        let usage = tx.quotas().usage(project).await?;
        Ok(self.quota_list(&own, &class, &usage))
    }

    fn quota_list(
        &self,
        own: &BTreeMap<Resource, i64>,
        class: &BTreeMap<Resource, i64>,
        usage: &BTreeMap<Resource, i64>,
    ) -> Vec<Quota> {
        let limit = |resource| {
            let set = own.get(&resource).or_else(|| class.get(&resource)).copied();
            set.unwrap_or_else(|| self.settings().quota_default(resource))
        };
        Resource::ALL
            .into_iter()
            .map(|resource| Quota {
                resource,
                limit: limit(resource),
                in_use: usage.get(&resource).copied().unwrap_or(0),
            })
            .collect()
    }

    fn check_own_project(
        &self,
        caller: &Caller,
        project: &ProjectId,
        rule: &'static str,
    ) -> Result<()> {
        match caller.project(Role::Reader, rule)? {
            own if own == project => Ok(()),
            _ => caller.require_cloud_admin(rule),
        }
    }
}
