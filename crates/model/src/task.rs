//! Tasks: one disk's part in one run of a policy, and how it ended.

use serde::{Deserialize, Serialize};

use crate::id::{BackupId, JobId, PolicyId, RunId, TaskId, VolumeId};
use crate::time::Timestamp;

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Its backup is being made.
    Running,
    /// Its backup is available.
    Succeeded,
    /// Its backup could not be begun, or not be made.
    Failed,
    /// It was not to be done: the run was missed, the disk is gone, the one before goes on.
    Skipped,
}

impl TaskStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Running, Self::Succeeded, Self::Failed, Self::Skipped];

    /// The word in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// Why a task failed or was skipped, in words that no dialect owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskFault {
    /// The service was not running at the time, and a later run stands for this one.
    Missed,
    /// The disk does not exist any more.
    VolumeGone,
    /// The disk is in a state in which it cannot be backed up.
    VolumeState,
    /// An earlier backup of the disk is not finished.
    Unfinished,
    /// The number of backups would exceed the quota.
    CountQuota,
    /// The size of backups would exceed the quota.
    SizeQuota,
    /// The backup was begun and could not be made.
    BackupFailed,
}

impl TaskFault {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Missed,
        Self::VolumeGone,
        Self::VolumeState,
        Self::Unfinished,
        Self::CountQuota,
        Self::SizeQuota,
        Self::BackupFailed,
    ];

    /// The word in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::VolumeGone => "volume_gone",
            Self::VolumeState => "volume_state",
            Self::Unfinished => "unfinished",
            Self::CountQuota => "count_quota",
            Self::SizeQuota => "size_quota",
            Self::BackupFailed => "backup_failed",
        }
    }

    /// The reason of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == word)
    }
}

/// One disk's part in one run of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The run it is part of.
    pub run_id: RunId,
    /// The policy that ran.
    pub policy_id: PolicyId,
    /// The disk.
    pub volume_id: VolumeId,
    /// The instant for which the run was due; when it was asked for by hand, that instant.
    pub due_at: Timestamp,
    /// Where it stands.
    pub status: TaskStatus,
    /// The name that its backup has, or would have had.
    pub backup_name: String,
    /// Its backup, if one was begun.
    pub backup_id: Option<BackupId>,
    /// The job that makes the backup, if one was begun.
    pub job_id: Option<JobId>,
    /// Why it failed or was skipped.
    pub fault: Option<TaskFault>,
    /// The same as a sentence.
    pub message: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_reasons_correspond() {
        for status in TaskStatus::ALL {
            assert_eq!(TaskStatus::parse(status.as_str()), Some(status));
        }
        for fault in TaskFault::ALL {
            assert_eq!(TaskFault::parse(fault.as_str()), Some(fault));
        }
        assert_eq!(TaskFault::parse("bad luck"), None);
    }
}
