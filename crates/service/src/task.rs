//! Tasks as callers see them: what policies did.

use strongroom_catalog::TaskQuery;
use strongroom_model::id::{JobId, TaskId};
use strongroom_model::identity::Role;
use strongroom_model::page::{Direction, Page, Start};
use strongroom_model::task::{Task, TaskStatus};

use crate::error::{Error, Result};
use crate::policy::find_policy;
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
        caller: &Caller,
        policy: &str,
        listing: TaskListing,
    ) -> Result<Page<Task>> {
        let project = caller.project(Role::Reader, "policy:get_tasks")?;
        let listing = &listing;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let policy_id = find_policy(tx, project, policy).await?.id;
                    if let Start::After(marker) = listing.start
                        && tx.tasks().find(policy_id, marker).await?.is_none()
                    {
                        return Err(Error::MarkerNotFound(marker.to_string()));
                    }
                    let query = TaskQuery {
                        policy_id,
                        statuses: listing.statuses.clone(),
                        job_id: listing.job_id,
                        id: listing.id,
                        direction: listing.direction,
                        start: listing.start.clone(),
                        limit: listing.limit,
                    };
                    Ok(tx.tasks().list(&query).await?)
                })
            })
            .await
    }
}
