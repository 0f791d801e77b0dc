//! Jobs as callers see them.

use strongroom_model::id::JobId;
use strongroom_model::job::{JobKind, Subject};
use strongroom_model::time::Timestamp;

use crate::error::Result;
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
    /// A job of the caller's project; `id` is text as it came, with or without hyphens.
    pub async fn job(&self, _caller: &Caller, _id: &str) -> Result<JobView> {
        todo!()
    }
}
