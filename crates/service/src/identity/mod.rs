//! The built-in identity: passwords to tokens, tokens to callers; domains, projects, users, roles.
//!
//! A token is signed and holds who, where and until when; roles are looked up when it is used, so
//! that taking a role away works at once.

mod admin;
mod bootstrap;
mod directory;
mod token;
mod user;

pub use bootstrap::Bootstrap;
pub(crate) use bootstrap::token_secret;

use strongroom_model::id::{DomainId, ProjectId};
use strongroom_model::identity::{Domain, Role, User};
use strongroom_model::project::Project;
use strongroom_model::time::Timestamp;

use crate::Caller;

/// Names a user, project or domain by id, or by a name and its domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameOrId {
    /// By id.
    Id(String),
    /// By name in a domain, which is itself named either way; the default domain if absent.
    Name(String, Option<DomainRef>),
}

/// Names a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainRef {
    /// By id.
    Id(String),
    /// By name.
    Name(String),
}

/// The proof that somebody brings.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A user and its password.
    Password {
        /// The user.
        user: NameOrId,
        /// The password.
        password: String,
    },
    /// A token that still holds.
    Token(String),
}

/// The scope that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeRequest {
    /// The user's default project if it has one, else none.
    Default,
    /// Explicitly none.
    Unscoped,
    /// A project.
    Project(NameOrId),
    /// A domain.
    Domain(DomainRef),
}

/// A token with everything that Keystone's token document says.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token itself, the value of `X-Auth-Token`.
    pub secret: String,
    /// Its id for audit and revocation; not a secret.
    pub audit_id: String,
    /// `password` and, or, `token`.
    pub methods: Vec<String>,
    /// Whose it is.
    pub user: User,
    /// The user's domain.
    pub user_domain: Domain,
    /// The project in which it holds.
    pub project: Option<Project>,
    /// The domain in which it holds, or the project's domain.
    pub scope_domain: Option<Domain>,
    /// The roles that it gives, highest first.
    pub roles: Vec<Role>,
    /// Whether it was issued for the admin project, or for a domain, with the admin role.
    pub is_cloud_admin: bool,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Token {
    /// The caller that this token proves.
    pub fn caller(&self, request_id: String) -> Caller {
        use crate::caller::CallerScope;
        let scope = match (&self.project, &self.scope_domain) {
            (Some(project), _) => CallerScope::Project(project.id.clone()),
            (None, Some(domain)) => CallerScope::Domain(domain.id.clone()),
            (None, None) => CallerScope::Unscoped,
        };
        Caller {
            user_id: self.user.id.clone(),
            scope,
            role: self.roles.first().copied(),
            is_cloud_admin: self.is_cloud_admin,
            request_id,
        }
    }
}

/// What a caller asks for when it makes a project.
#[derive(Debug, Clone)]
pub struct NewProject {
    /// Its name.
    pub name: String,
    /// Its domain; the caller's own if absent.
    pub domain_id: Option<DomainId>,
    /// Free text.
    pub description: String,
    /// Whether it gives tokens.
    pub is_enabled: bool,
}

/// What a caller asks for when it makes a user.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Its name.
    pub name: String,
    /// Its domain; the caller's own if absent.
    pub domain_id: Option<DomainId>,
    /// Its password.
    pub password: String,
    /// The project an unscoped request is scoped to.
    pub default_project_id: Option<ProjectId>,
    /// Whether it gets tokens.
    pub is_enabled: bool,
}

/// What to change in a domain, project or user; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct IdentityChange {
    /// The new name.
    pub name: Option<String>,
    /// The new description (domains and projects).
    pub description: Option<String>,
    /// Whether it is enabled.
    pub is_enabled: Option<bool>,
    /// The new password (users).
    pub password: Option<String>,
    /// The new default project (users).
    pub default_project_id: Option<Option<ProjectId>>,
}
