//! Who asks: a user with a role in a scope, as proved by a token.

use strongroom_model::id::{DomainId, ProjectId, UserId};
use strongroom_model::identity::Role;

use crate::error::{Error, Result};

/// Where the caller's token holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallerScope {
    /// In one project.
    Project(ProjectId),
    /// In one domain.
    Domain(DomainId),
    /// Nowhere: the caller may only look for its projects and ask for another token.
    Unscoped,
}

/// Who asks for something, in which scope and with which role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user_id: UserId,
    /// Where the token holds.
    pub scope: CallerScope,
    /// The highest role in that scope; `None` without a scope.
    pub role: Option<Role>,
    /// Whether the admin role was given in the admin project or in a domain, so that it reaches
    /// across projects. An admin of any other project is one in that project only.
    pub is_cloud_admin: bool,
    /// The id of the request, for logs and jobs: `req-` and a UUID.
    pub request_id: String,
}

impl Caller {
    /// The project that the caller acts in, if it holds at least `role` there.
    /// `rule` names the refused action, as in `backup:create`.
    pub fn project(&self, role: Role, rule: &'static str) -> Result<&ProjectId> {
        match (&self.scope, self.role) {
            (CallerScope::Project(project), Some(held)) if held >= role => Ok(project),
            _ => Err(Error::Forbidden(rule)),
        }
    }

    /// Whether a thing of that project is the caller's own: its project's, or any for a cloud admin.
    pub fn owns(&self, project: &ProjectId) -> bool {
        self.is_cloud_admin || self.scope == CallerScope::Project(project.clone())
    }

    /// Whether the caller holds the admin role in its scope.
    pub fn is_admin(&self) -> bool {
        self.role == Some(Role::Admin)
    }

    /// Refuses everyone but an admin whose power reaches across projects.
    pub fn require_cloud_admin(&self, rule: &'static str) -> Result<()> {
        if self.is_cloud_admin { Ok(()) } else { Err(Error::Forbidden(rule)) }
    }
}
