//! Agents: programs in servers that name what files shall be backed up.

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, AgentPathId, ProjectId};
use crate::time::Timestamp;
use crate::vault::words;

words! {
    /// Where the server of an agent is.
    AgentKind {
        /// In this cloud.
        Cloud = "cloud",
        /// On the owner's own ground.
        Native = "native",
    }
}

words! {
    /// How an agent is.
    AgentStatus {
        /// It works.
        Normal = "normal",
        /// It has not been heard of for long.
        Abnormal = "abnormal",
        /// It was told to remove itself.
        Uninstall = "uninstall",
    }
}

/// A program in a server, registered under an id of its own choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its id, unique in its project.
    pub id: AgentId,
    /// Whose it is.
    pub project_id: ProjectId,
    /// Where its server is.
    pub kind: AgentKind,
    /// Its version, as in `23.9.0`.
    pub version: Option<String>,
    /// The server's address.
    pub host_ip: String,
    /// The server's name.
    pub host_name: String,
    /// What people call the server.
    pub host_nickname: Option<String>,
    /// The server's operating system.
    pub host_os: String,
    /// How it is.
    pub status: AgentStatus,
    /// What is to be backed up, in the order in which it was named.
    pub paths: Vec<AgentPath>,
    /// When it was registered first.
    pub created_at: Timestamp,
    /// When anything of it changed since.
    pub updated_at: Option<Timestamp>,
    /// When it was last heard of.
    pub last_active_at: Timestamp,
}

/// A directory that is to be backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentPath {
    /// Its id.
    pub id: AgentPathId,
    /// The directory, from its root.
    pub directory: String,
    /// What in it is left out.
    pub excluded: Vec<String>,
}
