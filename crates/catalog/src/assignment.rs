//! Assignments: which roles users hold where.

use strongroom_model::id::{DomainId, ProjectId, UserId};
use strongroom_model::identity::{Assignment, Role, Scope};

use crate::error::Result;
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "assignment",
    what: "role assignment",
    columns: &["user_id", "scope_kind", "scope_id", "role"],
};

/// The stored word for a role held in a project.
pub(crate) const PROJECT_SCOPE: &str = "project";
/// The stored word for a role held in a domain.
pub(crate) const DOMAIN_SCOPE: &str = "domain";

/// Reads and writes role assignments.
#[derive(Debug)]
pub struct Assignments<'t>(pub(crate) &'t mut Session);

impl Assignments<'_> {
    /// Gives a user a role in a scope; it may hold it already.
    /// [`Error::Reference`](crate::Error::Reference) if there is no such user.
    pub async fn grant(&mut self, assignment: &Assignment) -> Result<()> {
        let sql = "INSERT INTO assignment (user_id, scope_kind, scope_id, role) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let values = values(assignment);
        self.0.execute(TABLE.what, sql, values).await?;
        Ok(())
    }

    /// Takes a role from a user; tells whether it held it.
    pub async fn revoke(&mut self, assignment: &Assignment) -> Result<bool> {
        let sql = "DELETE FROM assignment \
                   WHERE user_id = $1 AND scope_kind = $2 AND scope_id = $3 AND role = $4";
        let values = values(assignment);
        Ok(self.0.execute(TABLE.what, sql, values).await? > 0)
    }

    /// Every role a user holds, by scope.
    pub async fn list_for_user(&mut self, user_id: &UserId) -> Result<Vec<Assignment>> {
        let tail = "WHERE user_id = $1 ORDER BY scope_kind, scope_id, role";
        let values = vec![Value::text(user_id)];
        TABLE.list(self.0, tail, values, decode).await
    }

    /// Every role held in a scope, by user.
    pub async fn list_for_scope(&mut self, scope: &Scope) -> Result<Vec<Assignment>> {
        let tail = "WHERE scope_kind = $1 AND scope_id = $2 ORDER BY user_id, role";
        let (kind, id) = words(scope);
        let values = vec![Value::text(kind), Value::text(id)];
        TABLE.list(self.0, tail, values, decode).await
    }

    /// The roles a user was given in a scope, in rising order and without those they imply.
    pub async fn roles(&mut self, user_id: &UserId, scope: &Scope) -> Result<Vec<Role>> {
        let tail = "WHERE user_id = $1 AND scope_kind = $2 AND scope_id = $3";
        let (kind, id) = words(scope);
        let values = vec![Value::text(user_id), Value::text(kind), Value::text(id)];
        let found = TABLE.list(self.0, tail, values, decode).await?;
        let mut roles: Vec<_> = found.into_iter().map(|a| a.role).collect();
        roles.sort_unstable();
        Ok(roles)
    }
}

/// Takes every role held in a scope that goes away.
pub(crate) async fn revoke_scope(session: &mut Session, kind: &str, id: &str) -> Result<()> {
    let sql = "DELETE FROM assignment WHERE scope_kind = $1 AND scope_id = $2";
    let values = vec![Value::text(kind), Value::text(id)];
    session.execute(TABLE.what, sql, values).await?;
    Ok(())
}

/// The stored words for a scope.
pub(crate) fn words(scope: &Scope) -> (&'static str, &str) {
    match scope {
        Scope::Project(id) => (PROJECT_SCOPE, id.as_str()),
        Scope::Domain(id) => (DOMAIN_SCOPE, id.as_str()),
    }
}

/// The scope that two stored words mean.
pub(crate) fn scope_of(kind: &str, id: &str) -> Option<Scope> {
    match kind {
        PROJECT_SCOPE => ProjectId::parse(id).ok().map(Scope::Project),
        DOMAIN_SCOPE => DomainId::parse(id).ok().map(Scope::Domain),
        _ => None,
    }
}

fn values(assignment: &Assignment) -> Vec<Value> {
    let (kind, id) = words(&assignment.scope);
    vec![
        Value::text(&assignment.user_id),
        Value::text(kind),
        Value::text(id),
        Value::text(assignment.role.name()),
    ]
}

fn decode(row: &Fields<'_>) -> Result<Assignment> {
    let kind = row.text("scope_kind")?;
    Ok(Assignment {
        user_id: row.id("user_id", UserId::parse)?,
        scope: row.parsed("scope_id", |id| scope_of(&kind, id))?,
        role: row.parsed("role", Role::parse)?,
    })
}
