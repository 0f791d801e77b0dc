//! Agents in servers: registered by themselves, told what to back up by people.

use strongroom_catalog::Transaction;
use strongroom_model::agent::{Agent, AgentKind, AgentPath, AgentStatus};
use strongroom_model::id::{AgentId, AgentPathId, ProjectId};
use strongroom_model::identity::Role;

use crate::error::{Error, Result};
use crate::{Caller, Refusal, Service};

/// The most directories of one agent.
pub const AGENT_PATHS_MAX: usize = 64;

/// What an agent says of itself.
#[derive(Debug, Clone)]
pub struct NewAgent {
    /// Its id, of its own choice.
    pub id: AgentId,
    /// Where its server is.
    pub kind: AgentKind,
    /// Its version.
    pub version: Option<String>,
    /// The server's address.
    pub host_ip: String,
    /// The server's name.
    pub host_name: String,
    /// What people call the server.
    pub host_nickname: Option<String>,
    /// The server's operating system.
    pub host_os: String,
}

/// A directory to be backed up, and what in it is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAgentPath {
    /// The directory, from its root.
    pub directory: String,
    /// What in it is left out; as it is if absent and the directory is named already.
    pub excluded: Option<Vec<String>>,
}

/// Which agents are listed.
#[derive(Debug, Clone, Default)]
pub struct AgentFilter {
    /// Only those of this status.
    pub status: Option<AgentStatus>,
    /// Only these, if any is named.
    pub ids: Vec<AgentId>,
}

/// What became of directories that were named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathsDone {
    /// Those that were added or removed.
    pub done: Vec<String>,
    /// Those that were there, or were not there to be removed.
    pub not_done: Vec<String>,
}

impl Service {
    /// The project's agents, the newest first.
    pub async fn agents(&self, caller: &Caller, filter: &AgentFilter) -> Result<Vec<Agent>> {
        let project = caller.project(Role::Reader, "agent:list")?;
        let list = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.agents().list(project).await?) }));
        let mut agents = list.await?;
        agents.retain(|agent| {
            filter.status.is_none_or(|status| agent.status == status)
                && (filter.ids.is_empty() || filter.ids.contains(&agent.id))
        });
        Ok(agents)
    }

    /// An agent of the project.
    pub async fn agent(&self, caller: &Caller, id: &str) -> Result<Agent> {
        let project = caller.project(Role::Reader, "agent:get")?;
        self.catalog().read(|tx| Box::pin(async move { by_id(tx, project, id).await })).await
    }

    /// Registers an agent, or notes anew what it says of itself; its directories stay.
    pub async fn register_agent(&self, caller: &Caller, new: NewAgent) -> Result<Agent> {
        let project = caller.project(Role::Member, "agent:register")?;
        let now = self.now();
        let fresh = Agent {
            id: new.id,
            project_id: project.clone(),
            kind: new.kind,
            version: new.version,
            host_ip: new.host_ip,
            host_name: new.host_name,
            host_nickname: new.host_nickname,
            host_os: new.host_os,
            status: AgentStatus::Normal,
            paths: Vec::new(),
            created_at: now,
            updated_at: None,
            last_active_at: now,
        };
        let fresh = &fresh;
        let register = self.catalog().transact(|tx| {
            Box::pin(async move {
                let mut agent = fresh.clone();
                if let Some(known) = tx.agents().find(project, fresh.id).await? {
                    agent.paths = known.paths;
                    agent.created_at = known.created_at;
                    agent.updated_at = Some(now);
                }
                tx.agents().put(&agent).await?;
                Ok::<_, Error>(agent)
            })
        });
        register.await
    }

    /// Tells an agent to remove itself.
    pub async fn uninstall_agent(&self, caller: &Caller, id: &str) -> Result<Agent> {
        let project = caller.project(Role::Member, "agent:update")?;
        let now = self.now();
        let change = self.catalog().transact(|tx| {
            Box::pin(async move {
                let mut agent = by_id(tx, project, id).await?;
                agent.status = AgentStatus::Uninstall;
                agent.updated_at = Some(now);
                tx.agents().put(&agent).await?;
                Ok::<_, Error>(agent)
            })
        });
        change.await
    }

    /// Forgets an agent.
    pub async fn remove_agent(&self, caller: &Caller, id: &str) -> Result<()> {
        let project = caller.project(Role::Member, "agent:delete")?;
        let remove = self.catalog().transact(|tx| {
            Box::pin(async move {
                let agent = by_id(tx, project, id).await?;
                tx.agents().delete(project, agent.id).await?;
                Ok::<_, Error>(())
            })
        });
        remove.await
    }

    /// Adds directories to an agent. What is left out of one that is there is changed.
    pub async fn add_agent_paths(
        &self,
        caller: &Caller,
        id: &str,
        wanted: &[NewAgentPath],
    ) -> Result<PathsDone> {
        let project = caller.project(Role::Member, "agent:add_path")?;
        let now = self.now();
        let add = self.catalog().transact(|tx| {
            Box::pin(async move {
                let mut agent = by_id(tx, project, id).await?;
                refuse_uninstalled(&agent)?;
                let done = self.add_paths(&mut agent, wanted);
                if agent.paths.len() > AGENT_PATHS_MAX {
                    let message = format!("An agent may have {AGENT_PATHS_MAX} paths.");
                    return Err(Refusal::TooManyAgentPaths.because(message));
                }
                agent.updated_at = Some(now);
                tx.agents().put(&agent).await?;
                Ok::<_, Error>(done)
            })
        });
        add.await
    }

    fn add_paths(&self, agent: &mut Agent, wanted: &[NewAgentPath]) -> PathsDone {
        let mut told = PathsDone::default();
        for path in wanted {
            let known = agent.paths.iter_mut().find(|it| it.directory == path.directory);
            match (known, &path.excluded) {
                (Some(known), Some(excluded)) => known.excluded.clone_from(excluded),
                (Some(_), None) => {}
                (None, excluded) => {
                    told.done.push(path.directory.clone());
                    agent.paths.push(AgentPath {
                        id: AgentPathId::random(self.chance()),
                        directory: path.directory.clone(),
                        excluded: excluded.clone().unwrap_or_default(),
                    });
                    continue;
                }
            }
            told.not_done.push(path.directory.clone());
        }
        told
    }

    /// Takes directories from an agent.
    pub async fn remove_agent_paths(
        &self,
        caller: &Caller,
        id: &str,
        directories: &[String],
    ) -> Result<PathsDone> {
        let project = caller.project(Role::Member, "agent:remove_path")?;
        let now = self.now();
        let remove = self.catalog().transact(|tx| {
            Box::pin(async move {
                let mut agent = by_id(tx, project, id).await?;
                refuse_uninstalled(&agent)?;
                let mut told = PathsDone::default();
                for directory in directories {
                    let before = agent.paths.len();
                    agent.paths.retain(|path| path.directory != *directory);
                    let list = if agent.paths.len() < before {
                        &mut told.done
                    } else {
                        &mut told.not_done
                    };
                    list.push(directory.clone());
                }
                agent.updated_at = Some(now);
                tx.agents().put(&agent).await?;
                Ok::<_, Error>(told)
            })
        });
        remove.await
    }
}

/// What removes itself is told nothing more.
fn refuse_uninstalled(agent: &Agent) -> Result<()> {
    match agent.status {
        AgentStatus::Uninstall => {
            Err(Refusal::AgentInvalid.because(format!("Invalid agent {}.", agent.id)))
        }
        AgentStatus::Normal | AgentStatus::Abnormal => Ok(()),
    }
}

async fn by_id(tx: &mut Transaction<'_>, project: &ProjectId, id: &str) -> Result<Agent> {
    let found = match AgentId::parse(id) {
        Ok(id) => tx.agents().find(project, id).await?,
        Err(_) => None,
    };
    found.ok_or_else(|| Refusal::AgentMissing.because(format!("Agent {id} does not exist.")))
}
