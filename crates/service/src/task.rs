//! Tasks as callers see them: what policies did.

use strongroom_model::id::{JobId, TaskId};
use strongroom_model::page::{Direction, Page, Start};
use strongroom_model::task::{Task, TaskStatus};

use crate::error::Result;
use crate::{Caller, Service};

/// Which tasks of a policy to list, and which page of them.
#[derive(Debug, Clone)]
pub struct TaskListing {
    /// Those in one of these states; all if empty.
    pub statuses: Vec<TaskStatus>,
    /// The one whose backup this job makes.
    pub job_id: Option<JobId>,
    /// The one of this id.
    pub id: Option<TaskId>,
    /// The direction of their order by time of creation.
    pub direction: Direction,
    /// Where the page starts.
    pub start: Start<TaskId>,
    /// The most items to return.
    pub limit: u32,
}

impl Service {
    /// A page of a policy's tasks, always with the total.
    pub async fn policy_tasks(
        &self,
        _caller: &Caller,
        _policy: &str,
        _listing: TaskListing,
    ) -> Result<Page<Task>> {
        todo!()
    }
}
