//! Projects, the owners of everything.

use strongroom_model::id::{DomainId, ProjectId};
use strongroom_model::project::Project;

use crate::assignment::{PROJECT_SCOPE, revoke_scope};
use crate::error::Result;
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "project",
    what: "project",
    columns: &["id", "domain_id", "name", "description", "is_enabled", "created_at"],
};

/// Reads and writes projects.
#[derive(Debug)]
pub struct Projects<'t>(pub(crate) &'t mut Session);

impl Projects<'_> {
    /// Adds a project; [`Error::Conflict`](crate::Error::Conflict) if its id, or its name in its
    /// domain, is taken.
    pub async fn insert(&mut self, project: &Project) -> Result<()> {
        TABLE.insert(self.0, values(project)).await
    }

    /// The project of that id.
    pub async fn find(&mut self, id: &ProjectId) -> Result<Option<Project>> {
        let values = vec![Value::text(id)];
        TABLE.find(self.0, "WHERE id = $1", values, decode).await
    }

    /// The project of that name in a domain.
    pub async fn find_by_name(
        &mut self,
        domain_id: &DomainId,
        name: &str,
    ) -> Result<Option<Project>> {
        let tail = "WHERE domain_id = $1 AND name = $2";
        let values = vec![Value::text(domain_id), Value::text(name)];
        TABLE.find(self.0, tail, values, decode).await
    }

    /// The projects of one domain, or of all, by name.
    pub async fn list(&mut self, domain_id: Option<&DomainId>) -> Result<Vec<Project>> {
        let (tail, values) = match domain_id {
            None => ("ORDER BY name, id", vec![]),
            Some(id) => ("WHERE domain_id = $1 ORDER BY name", vec![Value::text(id)]),
        };
        TABLE.list(self.0, tail, values, decode).await
    }

    /// Writes the project over the one of its id; tells whether there was one.
    pub async fn update(&mut self, project: &Project) -> Result<bool> {
        TABLE.update(self.0, values(project)).await
    }

    /// Removes a project and the roles held in it; tells whether there was one. What it owns is
    /// not looked at: the caller makes sure that nothing is left.
    pub async fn delete(&mut self, id: &ProjectId) -> Result<bool> {
        revoke_scope(self.0, PROJECT_SCOPE, id.as_str()).await?;
        TABLE.delete(self.0, Value::text(id)).await
    }
}

fn values(project: &Project) -> Vec<Value> {
    vec![
        Value::text(&project.id),
        Value::text(&project.domain_id),
        Value::text(&project.name),
        Value::text(&project.description),
        Value::int(project.is_enabled),
        project.created_at.into(),
    ]
}

fn decode(row: &Fields<'_>) -> Result<Project> {
    Ok(Project {
        id: row.id("id", ProjectId::parse)?,
        domain_id: row.id("domain_id", DomainId::parse)?,
        name: row.text("name")?,
        description: row.text("description")?,
        is_enabled: row.flag("is_enabled")?,
        created_at: row.instant("created_at")?,
    })
}
