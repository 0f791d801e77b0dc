//! Which projects a caller may know of, beside its own.

use strongroom_model::id::ProjectId;
use strongroom_model::identity::Domain;
use strongroom_model::project::Project;

use super::admin::missing;
use crate::error::{Error, Result};
use crate::{Caller, CallerScope, Service};

impl Service {
    /// The projects of a domain by its name: all of them for an admin whose power reaches across
    /// projects, else those in which the caller holds a role.
    pub async fn projects_in(&self, caller: &Caller, domain_name: &str) -> Result<Vec<Project>> {
        let own_domain = self.domain_or_own(caller, None).await?;
        let found = self.domain_named(domain_name).await?;
        let domain = found.ok_or_else(|| missing("domain", domain_name))?;
        let mut projects = self.projects(caller).await?;
        projects.retain(|project| project.domain_id == domain.id);
        let is_known = caller.is_cloud_admin || domain.id == own_domain || !projects.is_empty();
        if is_known { Ok(projects) } else { Err(missing("domain", domain_name)) }
    }

    /// A project and its domain, if the caller may know of it: a project of its own domain, one in
    /// which it holds a role, or one with which its project shares a backup, either way.
    pub async fn neighbour(&self, caller: &Caller, id: &str) -> Result<(Project, Domain)> {
        let own_domain = self.domain_or_own(caller, None).await?;
        let is_own = self.projects(caller).await?.iter().any(|project| project.id.as_str() == id);
        let own_project = match &caller.scope {
            CallerScope::Project(project) => Some(project),
            _ => None,
        };
        let parsed = ProjectId::parse(id).map_err(|_| missing("project", id))?;
        let (parsed, own_domain) = (&parsed, &own_domain);
        let found = self.catalog().read(|tx| {
            Box::pin(async move {
                let Some(project) = tx.projects().find(parsed).await? else { return Ok(None) };
                let shares = match own_project {
                    Some(own) => tx.shares().exist_between(own, parsed).await?,
                    None => false,
                };
                let is_known = is_own || shares || project.domain_id == *own_domain;
                let domain = tx.domains().find(&project.domain_id).await?;
                Ok::<_, Error>(domain.filter(|_| is_known).map(|domain| (project, domain)))
            })
        });
        found.await?.ok_or_else(|| missing("project", id))
    }

    async fn domain_named(&self, name: &str) -> Result<Option<Domain>> {
        let find = self.catalog().read(|tx| {
            Box::pin(async move { Ok::<_, Error>(tx.domains().find_by_name(name).await?) })
        });
        find.await
    }
}
