//! Domains and projects: made, shown, changed and removed.

use strongroom_catalog::Transaction;
use strongroom_model::id::{DomainId, ProjectId, UserId};
use strongroom_model::identity::{Domain, Scope};
use strongroom_model::project::Project;
use strongroom_model::tag::Tagged;

use super::user::user_by_id;
use super::{IdentityChange, NewProject};
use crate::error::{Error, Result};
use crate::{Caller, CallerScope, DEFAULT_DOMAIN_ID, Service};

pub(super) fn missing(what: &'static str, id: &str) -> Error {
    Error::IdentityNotFound { what, id: id.to_owned() }
}

impl Service {
    /// All domains (admin).
    pub async fn domains(&self, caller: &Caller) -> Result<Vec<Domain>> {
        caller.require_cloud_admin("identity:list_domains")?;
        self.catalog().read(|tx| Box::pin(async move { Ok(tx.domains().list().await?) })).await
    }

    /// One domain (admin, or the caller's own).
    pub async fn domain(&self, caller: &Caller, id: &str) -> Result<Domain> {
        let domain =
            self.catalog().read(|tx| Box::pin(async move { domain_by_id(tx, id).await })).await?;
        let is_own = caller.scope == CallerScope::Domain(domain.id.clone());
        if caller.is_cloud_admin || is_own { Ok(domain) } else { Err(missing("domain", id)) }
    }

    /// The domain that the caller's user belongs to.
    pub async fn own_domain(&self, caller: &Caller) -> Result<Domain> {
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let user = user_by_id(tx, caller.user_id.as_str()).await?;
                    domain_by_id(tx, user.domain_id.as_str()).await
                })
            })
            .await
    }

    /// Makes a domain (admin).
    pub async fn create_domain(
        &self,
        caller: &Caller,
        name: String,
        description: String,
    ) -> Result<Domain> {
        caller.require_cloud_admin("identity:create_domain")?;
        let domain =
            Domain { id: DomainId::random(self.chance()), name, description, is_enabled: true };
        let new = &domain;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    if tx.domains().find_by_name(&new.name).await?.is_some() {
                        return Err(Error::IdentityExists {
                            what: "domain",
                            name: new.name.clone(),
                        });
                    }
                    Ok(tx.domains().insert(new).await?)
                })
            })
            .await?;
        Ok(domain)
    }

    /// Changes a domain (admin).
    pub async fn update_domain(
        &self,
        caller: &Caller,
        id: &str,
        change: IdentityChange,
    ) -> Result<Domain> {
        caller.require_cloud_admin("identity:update_domain")?;
        let change = &change;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut domain = domain_by_id(tx, id).await?;
                    if let Some(name) = change.name.as_ref().filter(|name| **name != domain.name) {
                        if tx.domains().find_by_name(name).await?.is_some() {
                            return Err(Error::IdentityExists {
                                what: "domain",
                                name: name.clone(),
                            });
                        }
                        domain.name.clone_from(name);
                    }
                    set(&mut domain.description, &change.description);
                    domain.is_enabled = change.is_enabled.unwrap_or(domain.is_enabled);
                    tx.domains().update(&domain).await?;
                    Ok(domain)
                })
            })
            .await
    }

    /// Removes a disabled domain without projects and users (admin).
    pub async fn delete_domain(&self, caller: &Caller, id: &str) -> Result<()> {
        caller.require_cloud_admin("identity:delete_domain")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let domain = domain_by_id(tx, id).await?;
                    if domain.is_enabled {
                        return Err(Error::Forbidden(
                            "identity:delete_domain of an enabled domain",
                        ));
                    }
                    let projects = tx.projects().list(Some(&domain.id)).await?;
                    let users = tx.users().list().await?;
                    if !projects.is_empty() || users.iter().any(|user| user.domain_id == domain.id)
                    {
                        return Err(in_use("domain"));
                    }
                    tx.domains().delete(&domain.id).await?;
                    Ok(())
                })
            })
            .await
    }

    /// All projects (admin), else those in which the caller holds a role.
    pub async fn projects(&self, caller: &Caller) -> Result<Vec<Project>> {
        if !caller.is_cloud_admin {
            return self.projects_of(caller, &caller.user_id).await;
        }
        self.catalog().read(|tx| Box::pin(async move { Ok(tx.projects().list(None).await?) })).await
    }

    /// The projects in which a user holds a role.
    pub async fn projects_of(&self, caller: &Caller, user: &UserId) -> Result<Vec<Project>> {
        self.check_own_user(caller, user, "identity:list_user_projects")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let mut found = Vec::new();
                    for assignment in tx.assignments().list_for_user(user).await? {
                        let Scope::Project(id) = assignment.scope else {
                            continue;
                        };
                        let project = tx.projects().find(&id).await?;
                        found.extend(project.filter(|project| project.is_enabled));
                    }
                    found.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
                    found.dedup();
                    Ok(found)
                })
            })
            .await
    }

    /// The domains in which a user holds a role.
    pub async fn domains_of(&self, caller: &Caller, user: &UserId) -> Result<Vec<Domain>> {
        self.check_own_user(caller, user, "identity:list_user_domains")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let mut found = Vec::new();
                    for assignment in tx.assignments().list_for_user(user).await? {
                        let Scope::Domain(id) = assignment.scope else {
                            continue;
                        };
                        found.extend(tx.domains().find(&id).await?);
                    }
                    found.dedup();
                    Ok(found)
                })
            })
            .await
    }

    /// One project: any for an admin, else one in which the caller holds a role.
    pub async fn project(&self, caller: &Caller, id: &str) -> Result<Project> {
        let projects = self.projects(caller).await?;
        let found = projects.into_iter().find(|project| project.id.as_str() == id);
        found.ok_or_else(|| missing("project", id))
    }

    /// Makes a project (admin).
    pub async fn create_project(&self, caller: &Caller, new: NewProject) -> Result<Project> {
        caller.require_cloud_admin("identity:create_project")?;
        let project = Project {
            id: ProjectId::random(self.chance()),
            domain_id: self.domain_or_own(caller, new.domain_id).await?,
            name: new.name,
            description: new.description,
            is_enabled: new.is_enabled,
            created_at: self.now(),
        };
        let new = &project;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    domain_by_id(tx, new.domain_id.as_str()).await?;
                    refuse_same_project(tx, new, &new.name).await?;
                    tx.projects().insert(new).await?;
                    self.deploy_all(tx, new, &caller.user_id).await
                })
            })
            .await?;
        Ok(project)
    }

    /// Changes a project (admin).
    pub async fn update_project(
        &self,
        caller: &Caller,
        id: &str,
        change: IdentityChange,
    ) -> Result<Project> {
        caller.require_cloud_admin("identity:update_project")?;
        let change = &change;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut project = project_by_id(tx, id).await?;
                    if let Some(name) = change.name.as_ref().filter(|name| **name != project.name) {
                        refuse_same_project(tx, &project, name).await?;
                        project.name.clone_from(name);
                    }
                    set(&mut project.description, &change.description);
                    project.is_enabled = change.is_enabled.unwrap_or(project.is_enabled);
                    tx.projects().update(&project).await?;
                    Ok(project)
                })
            })
            .await
    }

    /// Removes a project that owns no volumes, snapshots and backups, with its policies and with what
    /// others share with it (admin).
    pub async fn delete_project(&self, caller: &Caller, id: &str) -> Result<()> {
        caller.require_cloud_admin("identity:delete_project")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let project = project_by_id(tx, id).await?;
                    if tx.quotas().usage(&project.id).await?.values().any(|in_use| *in_use > 0) {
                        return Err(in_use("project"));
                    }
                    if !self.forget_vaults(tx, &project.id).await? {
                        return Err(in_use("project"));
                    }
                    for policy in tx.policies().list(&project.id).await? {
                        tx.tags().clear(Tagged::Policy, &policy.id.to_string()).await?;
                        tx.policies().delete(policy.id).await?;
                    }
                    tx.agents().clear(&project.id).await?;
                    tx.organization_policies().undeploy(&project.id).await?;
                    tx.shares().delete_with(&project.id).await?;
                    tx.quotas().clear(&project.id).await?;
                    tx.projects().delete(&project.id).await?;
                    Ok(())
                })
            })
            .await
    }

    /// The named domain, or the one that the caller's token belongs to.
    pub(crate) async fn domain_or_own(
        &self,
        caller: &Caller,
        named: Option<DomainId>,
    ) -> Result<DomainId> {
        let own = match (&named, &caller.scope) {
            (Some(id), _) | (None, CallerScope::Domain(id)) => return Ok(id.clone()),
            (None, CallerScope::Project(project)) => self
                .catalog()
                .read(|tx| {
                    Box::pin(async move { Ok::<_, Error>(tx.projects().find(project).await?) })
                })
                .await?
                .map(|project| project.domain_id),
            (None, CallerScope::Unscoped) => self
                .catalog()
                .read(|tx| {
                    Box::pin(async move { Ok::<_, Error>(tx.users().find(&caller.user_id).await?) })
                })
                .await?
                .map(|user| user.domain_id),
        };
        own.map_or_else(|| DomainId::parse(DEFAULT_DOMAIN_ID).map_err(Error::internal), Ok)
    }

    /// Users look up their own affairs, admins everybody's.
    pub(super) fn check_own_user(
        &self,
        caller: &Caller,
        user: &UserId,
        rule: &'static str,
    ) -> Result<()> {
        if caller.user_id == *user { Ok(()) } else { caller.require_cloud_admin(rule) }
    }
}

pub(super) fn set(field: &mut String, change: &Option<String>) {
    if let Some(value) = change {
        field.clone_from(value);
    }
}

fn in_use(what: &'static str) -> Error {
    Error::Invalid { field: what, message: format!("the {what} still owns something") }
}

async fn domain_by_id(tx: &mut Transaction<'_>, id: &str) -> Result<Domain> {
    let parsed = DomainId::parse(id).map_err(|_| missing("domain", id))?;
    tx.domains().find(&parsed).await?.ok_or_else(|| missing("domain", id))
}

pub(super) async fn project_by_id(tx: &mut Transaction<'_>, id: &str) -> Result<Project> {
    let parsed = ProjectId::parse(id).map_err(|_| missing("project", id))?;
    tx.projects().find(&parsed).await?.ok_or_else(|| missing("project", id))
}

async fn refuse_same_project(
    tx: &mut Transaction<'_>,
    project: &Project,
    name: &str,
) -> Result<()> {
    match tx.projects().find_by_name(&project.domain_id, name).await? {
        Some(_) => Err(Error::IdentityExists { what: "project", name: name.to_owned() }),
        None => Ok(()),
    }
}
