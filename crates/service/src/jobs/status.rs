//! Jobs as callers see them.

use strongroom_catalog::{JobRecord, JobState};
use strongroom_model::id::{JobId, ProjectId};
use strongroom_model::identity::Role;
use strongroom_model::job::{JobKind, Subject};
use strongroom_model::time::Timestamp;

use crate::error::{Error, Result};
use crate::{Caller, Service};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStatus {
    /// It waits for a worker.
    Waiting,
    /// It is being worked on.
    Running,
    /// It did what it was to do.
    Succeeded,
    /// It did not.
    Failed,
}

/// A job as callers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// What it is about.
    pub subject: Subject,
    /// Where it stands.
    pub status: JobStatus,
    /// When it was asked for.
    pub begun_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub fail_reason: Option<String>,
}

impl Service {
    /// A job of the caller's project; `id` is text as it came, with or without hyphens. A cloud
    /// admin sees every project's. A job that ended is known for as long as finished jobs are kept.
    pub async fn job(&self, caller: &Caller, id: &str) -> Result<JobView> {
        caller.project(Role::Reader, "job:get")?;
        let missing = || Error::JobNotFound(id.to_owned());
        let parsed = JobId::parse(id).map_err(|_| missing())?;
        let found = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.jobs().find(parsed).await?) }))
            .await?;
        let is_visible = |project: &ProjectId| caller.owns(project);
        found
            .filter(|found| found.job.subject.project_id.as_ref().is_some_and(is_visible))
            .map(view)
            .ok_or_else(missing)
    }
}

fn view(record: JobRecord) -> JobView {
    let JobRecord { job, state, finished_at, error } = record;
    let status = match state {
        // Put off or cut short, it goes on.
        JobState::Queued if job.attempt > 0 => JobStatus::Running,
        JobState::Queued => JobStatus::Waiting,
        JobState::Running => JobStatus::Running,
        JobState::Done => JobStatus::Succeeded,
        JobState::Failed => JobStatus::Failed,
    };
    JobView {
        id: job.id,
        kind: job.kind,
        subject: job.subject,
        status,
        begun_at: job.created_at,
        ended_at: finished_at,
        fail_reason: error,
    }
}
