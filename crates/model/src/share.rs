//! Shares: another project may use a backup.

use crate::id::{BackupId, ProjectId, ShareId, VaultId};
use crate::time::Timestamp;

/// Whether the receiving project has taken a share. The volume door's shares are accepted at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShareStatus {
    /// Offered.
    Pending,
    /// Taken: the backup can be used.
    Accepted,
    /// Declined.
    Rejected,
}

impl ShareStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Accepted, Self::Rejected];

    /// The word on the wire and in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// One backup shared with one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Its id.
    pub id: ShareId,
    /// The backup, of a volume or of a server.
    pub backup_id: BackupId,
    /// The project that owns the backup.
    pub from_project_id: ProjectId,
    /// The project that may use it.
    pub to_project_id: ProjectId,
    /// Whether that project has taken it.
    pub status: ShareStatus,
    /// The receiver's vault that it was taken into, if one was named.
    pub vault_id: Option<VaultId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}
