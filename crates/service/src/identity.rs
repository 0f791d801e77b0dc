//! The built-in identity: passwords to tokens, tokens to callers; domains, projects, users, roles.
//!
//! A token is signed and holds who, where and until when; roles are looked up when it is used, so
//! that taking a role away works at once.

use strongroom_model::id::{DomainId, ProjectId, UserId};
use strongroom_model::identity::{Assignment, Domain, Role, User};
use strongroom_model::project::Project;
use strongroom_model::time::Timestamp;

use crate::{Caller, Service, error::Result};

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

impl Service {
    /// Proves who somebody is and issues a token. Fails with `Unauthenticated` for every wrong
    /// user, password, scope or missing role alike.
    pub async fn issue_token(
        &self,
        credentials: Credentials,
        scope: ScopeRequest,
    ) -> Result<Token> {
        unimplemented!("{credentials:?} {scope:?}")
    }

    /// Reads a token back; `Unauthenticated` if it is forged, revoked, expired or its user,
    /// project or role is gone.
    pub async fn validate_token(&self, secret: &str) -> Result<Token> {
        unimplemented!("{secret}")
    }

    /// Ends a token before its time.
    pub async fn revoke_token(&self, secret: &str) -> Result<()> {
        unimplemented!("{secret}")
    }

    /// The projects in which a user holds a role.
    pub async fn projects_of(&self, caller: &Caller, user: &UserId) -> Result<Vec<Project>> {
        unimplemented!("{caller:?} {user}")
    }

    /// The domains in which a user holds a role.
    pub async fn domains_of(&self, caller: &Caller, user: &UserId) -> Result<Vec<Domain>> {
        unimplemented!("{caller:?} {user}")
    }

    /// All domains (admin).
    pub async fn domains(&self, caller: &Caller) -> Result<Vec<Domain>> {
        unimplemented!("{caller:?}")
    }

    /// One domain (admin, or the caller's own).
    pub async fn domain(&self, caller: &Caller, id: &str) -> Result<Domain> {
        unimplemented!("{caller:?} {id}")
    }

    /// Makes a domain (admin).
    pub async fn create_domain(
        &self,
        caller: &Caller,
        name: String,
        description: String,
    ) -> Result<Domain> {
        unimplemented!("{caller:?} {name} {description}")
    }

    /// Changes a domain (admin).
    pub async fn update_domain(
        &self,
        caller: &Caller,
        id: &str,
        change: IdentityChange,
    ) -> Result<Domain> {
        unimplemented!("{caller:?} {id} {change:?}")
    }

    /// Removes a disabled domain without projects and users (admin).
    pub async fn delete_domain(&self, caller: &Caller, id: &str) -> Result<()> {
        unimplemented!("{caller:?} {id}")
    }

    /// All projects (admin), else those in which the caller holds a role.
    pub async fn projects(&self, caller: &Caller) -> Result<Vec<Project>> {
        unimplemented!("{caller:?}")
    }

    /// One project: any for an admin, else one in which the caller holds a role.
    pub async fn project(&self, caller: &Caller, id: &str) -> Result<Project> {
        unimplemented!("{caller:?} {id}")
    }

    /// Makes a project (admin).
    pub async fn create_project(&self, caller: &Caller, new: NewProject) -> Result<Project> {
        unimplemented!("{caller:?} {new:?}")
    }

    /// Changes a project (admin).
    pub async fn update_project(
        &self,
        caller: &Caller,
        id: &str,
        change: IdentityChange,
    ) -> Result<Project> {
        unimplemented!("{caller:?} {id} {change:?}")
    }

    /// Removes a project that owns nothing (admin).
    pub async fn delete_project(&self, caller: &Caller, id: &str) -> Result<()> {
        unimplemented!("{caller:?} {id}")
    }

    /// All users (admin).
    pub async fn users(&self, caller: &Caller) -> Result<Vec<User>> {
        unimplemented!("{caller:?}")
    }

    /// One user: any for an admin, else the caller itself.
    pub async fn user(&self, caller: &Caller, id: &str) -> Result<User> {
        unimplemented!("{caller:?} {id}")
    }

    /// Makes a user (admin).
    pub async fn create_user(&self, caller: &Caller, new: NewUser) -> Result<User> {
        unimplemented!("{caller:?} {new:?}")
    }

    /// Changes a user (admin). A new password ends the user's tokens.
    pub async fn update_user(
        &self,
        caller: &Caller,
        id: &str,
        change: IdentityChange,
    ) -> Result<User> {
        unimplemented!("{caller:?} {id} {change:?}")
    }

    /// Lets a user change its own password by proving the present one.
    pub async fn change_password(
        &self,
        caller: &Caller,
        id: &str,
        original: &str,
        new: String,
    ) -> Result<()> {
        unimplemented!("{caller:?} {id} {original} {new}")
    }

    /// Removes a user (admin).
    pub async fn delete_user(&self, caller: &Caller, id: &str) -> Result<()> {
        unimplemented!("{caller:?} {id}")
    }

    /// Gives a role (admin); giving it twice is the same as once.
    pub async fn grant(&self, caller: &Caller, assignment: Assignment) -> Result<()> {
        unimplemented!("{caller:?} {assignment:?}")
    }

    /// Takes a role away (admin).
    pub async fn revoke(&self, caller: &Caller, assignment: Assignment) -> Result<()> {
        unimplemented!("{caller:?} {assignment:?}")
    }

    /// All assignments (admin).
    pub async fn assignments(&self, caller: &Caller) -> Result<Vec<Assignment>> {
        unimplemented!("{caller:?}")
    }
}
