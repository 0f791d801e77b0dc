//! Agents in servers.

use strongroom_model::agent::{Agent, AgentKind, AgentStatus};
use strongroom_model::id::{AgentId, ProjectId};

use crate::error::Result;
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "agent",
    what: "agent",
    columns: &[
        "id",
        "project_id",
        "kind",
        "version",
        "host_ip",
        "host_name",
        "host_nickname",
        "host_os",
        "status",
        "paths",
        "created_at",
        "updated_at",
        "last_active_at",
    ],
};

/// Reads and writes agents.
#[derive(Debug)]
pub struct Agents<'t>(pub(crate) &'t mut Session);

impl Agents<'_> {
    /// Writes the agent, over the one of its id in its project if there is one.
    pub async fn put(&mut self, agent: &Agent) -> Result<()> {
        self.delete(&agent.project_id, agent.id).await?;
        TABLE.insert(self.0, values(agent)).await
    }

    /// The agent of that id in a project.
    pub async fn find(&mut self, project: &ProjectId, id: AgentId) -> Result<Option<Agent>> {
        let values = vec![Value::text(project), Value::text(id)];
        TABLE.find(self.0, "WHERE project_id = $1 AND id = $2", values, decode).await
    }

    /// The agents of a project, the newest first.
    pub async fn list(&mut self, project: &ProjectId) -> Result<Vec<Agent>> {
        let tail = "WHERE project_id = $1 ORDER BY created_at DESC, id DESC";
        TABLE.list(self.0, tail, vec![Value::text(project)], decode).await
    }

    /// Removes an agent; tells whether there was one.
    pub async fn delete(&mut self, project: &ProjectId, id: AgentId) -> Result<bool> {
        let sql = "DELETE FROM agent WHERE project_id = $1 AND id = $2";
        let values = vec![Value::text(project), Value::text(id)];
        Ok(self.0.execute(TABLE.what, sql, values).await? > 0)
    }

    /// Removes the agents of a project; returns how many.
    pub async fn clear(&mut self, project: &ProjectId) -> Result<u64> {
        let sql = "DELETE FROM agent WHERE project_id = $1";
        self.0.execute(TABLE.what, sql, vec![Value::text(project)]).await
    }
}

fn values(agent: &Agent) -> Vec<Value> {
    vec![
        Value::text(agent.id),
        Value::text(&agent.project_id),
        Value::text(agent.kind.as_str()),
        Value::opt_text(agent.version.as_ref()),
        Value::text(&agent.host_ip),
        Value::text(&agent.host_name),
        Value::opt_text(agent.host_nickname.as_ref()),
        Value::text(&agent.host_os),
        Value::text(agent.status.as_str()),
        Value::json(&agent.paths),
        agent.created_at.into(),
        agent.updated_at.into(),
        agent.last_active_at.into(),
    ]
}

fn decode(row: &Fields<'_>) -> Result<Agent> {
    Ok(Agent {
        id: row.id("id", AgentId::parse)?,
        project_id: row.id("project_id", ProjectId::parse)?,
        kind: row.parsed("kind", AgentKind::parse)?,
        version: row.opt_text("version")?,
        host_ip: row.text("host_ip")?,
        host_name: row.text("host_name")?,
        host_nickname: row.opt_text("host_nickname")?,
        host_os: row.text("host_os")?,
        status: row.parsed("status", AgentStatus::parse)?,
        paths: row.json("paths")?,
        created_at: row.instant("created_at")?,
        updated_at: row.opt_instant("updated_at")?,
        last_active_at: row.instant("last_active_at")?,
    })
}
