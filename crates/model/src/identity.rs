//! Who exists: domains, users and the roles that they hold.

use serde::{Deserialize, Serialize};

use crate::id::{DomainId, ProjectId, UserId};
use crate::time::Timestamp;

/// A container of projects and users; its name is unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its id; `default` for the first one, as Keystone has it.
    pub id: DomainId,
    /// Its unique name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// A disabled domain lets nobody in.
    pub is_enabled: bool,
}

/// A person or a program that can ask for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The domain in which `name` is unique.
    pub domain_id: DomainId,
    /// Its name, unique in its domain.
    pub name: String,
    /// The password as an argon2 PHC string; never the password.
    pub password_hash: String,
    /// The project to which an unscoped request for a token is scoped.
    pub default_project_id: Option<ProjectId>,
    /// A disabled user gets no token.
    pub is_enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Tokens issued before this instant are refused; moved when the password changes.
    pub tokens_valid_from: Timestamp,
}

/// What a user may do in a project, in rising order; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Lists and shows.
    Reader,
    /// Creates, updates, deletes and restores.
    Member,
    /// Exports and imports records, forces and resets, sees all projects.
    Admin,
}

impl Role {
    /// Every role, in rising order.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Member, Self::Admin];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// A fixed id for the role, as Keystone clients expect one: 32 hexadecimal characters.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Reader => "00000000000000000000000000000001",
            Self::Member => "00000000000000000000000000000002",
            Self::Admin => "00000000000000000000000000000003",
        }
    }

    /// This role and every role that it includes, highest first.
    pub fn with_implied(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().rev().filter(move |role| *role <= self)
    }
}

/// Where a role holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In one project.
    Project(ProjectId),
    /// In one domain: its projects and users may be administered.
    Domain(DomainId),
}

/// A role that a user holds in a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Who holds it.
    pub user_id: UserId,
    /// Where it holds.
    pub scope: Scope,
    /// What it allows.
    pub role: Role,
}

/// The two halves of a secret with which a user's programs sign requests, instead of bringing a
/// token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The public half, which names the key: capital letters and digits.
    pub access: String,
    /// Whose it is: a request that it signs has this user's roles and no others.
    pub user_id: UserId,
    /// The secret half, sealed so that the catalogue alone does not give it away.
    pub sealed_secret: String,
    /// Free text.
    pub description: String,
    /// A disabled key proves nothing.
    pub is_enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// What bounds a temporary key; a permanent one has no bounds but its user's.
    pub bounds: Option<KeyBounds>,
}

/// What bounds a temporary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyBounds {
    /// When it ends.
    pub expires_at: Timestamp,
    /// The only scope in which it holds; without one wherever its user holds a role.
    pub scope: Option<Scope>,
    /// The permanent key by which it was asked for, and with which it ends.
    pub parent: Option<String>,
    /// The token by which it was asked for, by its id for audit, and with which it ends.
    pub token_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_includes_the_ones_below() {
        let implied: Vec<_> = Role::Member.with_implied().collect();
        assert_eq!(implied, [Role::Member, Role::Reader]);
        assert_eq!(Role::parse("admin"), Some(Role::Admin));
        assert_eq!(Role::parse("root"), None);
    }
}
