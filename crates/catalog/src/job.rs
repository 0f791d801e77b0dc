//! Jobs: background work, claimed by lease and fenced by the number of the attempt.
//!
//! A worker that loses its lease does not know it at once. What keeps it from doing harm is that
//! every change it makes here is bound to its claim, and that it asks [`Jobs::holds`] in the
//! transaction in which it writes a result elsewhere.

use sqlx::Row;
use strongroom_model::id::JobId;
use strongroom_model::job::{Claim, Job, JobKind};
use strongroom_model::time::Timestamp;

use crate::error::{Error, Result};
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "job",
    what: "job",
    columns: &[
        "id",
        "kind",
        "attempt",
        "state",
        "not_before",
        "lease_until",
        "worker",
        "request_id",
        "created_at",
        "session",
        "finished_at",
        "error",
        "failures",
        "subject",
    ],
};

/// The condition that a claim still holds its job; its values are [`fence_values`].
const HELD: &str = "id = $1 AND attempt = $2 AND worker = $3 AND state = 'running'";

/// What [`Jobs::is_any_unfinished`] reads. What a job does is stored as one text, field by field in
/// the order of its type, so that it can be compared whole.
const UNFINISHED: &str =
    "SELECT id FROM job WHERE kind IN ($1, $2) AND finished_at IS NULL LIMIT 1";

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// It waits to be claimed.
    Queued,
    /// It is claimed; its lease may have run out.
    Running,
    /// It ended well.
    Done,
    /// It was given up.
    Failed,
}

impl JobState {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Queued, Self::Running, Self::Done, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// A job and how it stands or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// The job.
    pub job: Job,
    /// Where it stands.
    pub state: JobState,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it was given up.
    pub error: Option<String>,
}

/// How many jobs there are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobCounts {
    /// Waiting.
    pub queued: u64,
    /// Claimed.
    pub running: u64,
    /// Ended well and not yet purged.
    pub done: u64,
    /// Given up and not yet purged.
    pub failed: u64,
}

/// Reads and writes jobs.
#[derive(Debug)]
pub struct Jobs<'t>(pub(crate) &'t mut Session);

impl Jobs<'_> {
    /// Adds a job that waits to be claimed, in the transaction of the change that causes it. Lease
    /// and worker of `job` are not looked at. [`Error::Conflict`] if its id is taken.
    pub async fn enqueue(&mut self, job: &Job) -> Result<()> {
        let values = vec![
            Value::text(job.id),
            Value::json(&job.kind),
            Value::int(job.attempt),
            Value::text(JobState::Queued.as_str()),
            job.not_before.into(),
            Value::Int(None),
            Value::Text(None),
            Value::text(&job.request_id),
            job.created_at.into(),
            Value::Text(None),
            Value::Int(None),
            Value::Text(None),
            Value::int(job.failures),
            Value::json(&job.subject),
        ];
        TABLE.insert(self.0, values).await
    }

    /// The job of that id, finished or not.
    pub async fn find(&mut self, id: JobId) -> Result<Option<JobRecord>> {
        let values = vec![Value::text(id)];
        let decode = decode_record;
        TABLE.find(self.0, "WHERE id = $1", values, decode).await
    }

    /// Claims the job that has been due for longest: one that waits, or whose lease ran out. No two
    /// workers get the same attempt of the same job. One that was made at an instant to come, by a
    /// clock that was ahead, is due too.
    pub async fn claim(
        &mut self,
        worker: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Claim>> {
        let due = "finished_at IS NULL AND (not_before <= $2 OR created_at > $2) \
                   AND (lease_until IS NULL OR lease_until <= $2)";
        let sql = format!(
            "UPDATE job SET state = 'running', attempt = attempt + 1, worker = $1, \
             lease_until = $3 WHERE id = (SELECT id FROM job WHERE {due} \
             ORDER BY not_before, created_at, id LIMIT 1) AND {due} RETURNING {}",
            TABLE.columns.join(", ")
        );
        let values = vec![Value::text(worker), now.into(), lease_until.into()];
        let rows = self.0.rows(TABLE.what, sql, values).await?;
        let claim =
            |row| decode(&TABLE.fields(row)).map(|job| Claim { job, worker: worker.to_owned() });
        rows.first().map(claim).transpose()
    }

    /// Prolongs a lease; tells whether the claim still held the job. If not, the worker must stop.
    pub async fn renew(&mut self, claim: &Claim, lease_until: Timestamp) -> Result<bool> {
        let sql = format!("UPDATE job SET lease_until = $4 WHERE {HELD}");
        self.change(claim, sql, vec![lease_until.into()]).await
    }

    /// Ends a job, well or with the reason why it is given up; tells whether the claim still held
    /// it. The row stays until [`Jobs::purge_finished`].
    pub async fn finish(
        &mut self,
        claim: &Claim,
        now: Timestamp,
        error: Option<&str>,
    ) -> Result<bool> {
        let state = match error {
            None => JobState::Done,
            Some(_) => JobState::Failed,
        };
        let sql = format!(
            "UPDATE job SET state = $4, finished_at = $5, error = $6, lease_until = NULL \
             WHERE {HELD}"
        );
        let values = vec![Value::text(state.as_str()), now.into(), Value::opt_text(error)];
        self.change(claim, sql, values).await
    }

    /// Gives a job back, to be claimed again no earlier than `not_before`; tells whether the claim
    /// still held it. The number of attempts and the session stay; `failures` is the new count.
    pub async fn postpone(
        &mut self,
        claim: &Claim,
        not_before: Timestamp,
        failures: u32,
    ) -> Result<bool> {
        let sql = format!(
            "UPDATE job SET state = 'queued', not_before = $4, failures = $5, worker = NULL, \
             lease_until = NULL WHERE {HELD}"
        );
        self.change(claim, sql, vec![not_before.into(), Value::int(failures)]).await
    }

    /// Gives back every claimed job, whoever holds it. Only for a process that knows it is alone;
    /// returns how many there were.
    pub async fn release_all(&mut self) -> Result<u64> {
        let sql = "UPDATE job SET state = 'queued', worker = NULL, lease_until = NULL \
                   WHERE state = 'running'";
        self.0.execute(TABLE.what, sql, vec![]).await
    }

    /// Whether a claim still holds its job: to be asked in the transaction of any result. A lease
    /// that ran out but was not taken over still holds.
    pub async fn holds(&mut self, claim: &Claim) -> Result<bool> {
        let sql = format!("SELECT id FROM job WHERE {HELD}");
        let rows = self.0.rows(TABLE.what, sql, fence_values(claim)).await?;
        Ok(!rows.is_empty())
    }

    /// Notes what this attempt opened in the store, in place of what an earlier one did; tells
    /// whether the claim still held the job.
    pub async fn set_session(&mut self, claim: &Claim, session: &str) -> Result<bool> {
        let sql = format!("UPDATE job SET session = $4 WHERE {HELD}");
        self.change(claim, sql, vec![Value::text(session)]).await
    }

    /// What the last attempt that noted it opened in the store. Finishing does not clear it.
    pub async fn session_of(&mut self, id: JobId) -> Result<Option<String>> {
        let sql = "SELECT session FROM job WHERE id = $1";
        let rows = self.0.rows(TABLE.what, sql, vec![Value::text(id)]).await?;
        let session = rows.first().map(|row| row.try_get("session"));
        let session: Option<Option<String>> = session.transpose().map_err(Error::Database)?;
        Ok(session.flatten())
    }

    /// Every job that waits or runs, in the order in which they fall due.
    pub async fn list_unfinished(&mut self) -> Result<Vec<Job>> {
        let tail = "WHERE finished_at IS NULL ORDER BY not_before, created_at, id";
        TABLE.list(self.0, tail, vec![], decode).await
    }

    /// Whether a job waits or runs that does one of these two things.
    pub async fn is_any_unfinished(&mut self, kinds: [&JobKind; 2]) -> Result<bool> {
        let values = kinds.map(Value::json).to_vec();
        Ok(!self.0.rows(TABLE.what, UNFINISHED, values).await?.is_empty())
    }

    /// How many jobs there are in each state.
    pub async fn count_by_state(&mut self) -> Result<JobCounts> {
        let sql = "SELECT state AS id, state, COUNT(*) AS many FROM job GROUP BY state";
        let rows = self.0.rows(TABLE.what, sql, vec![]).await?;
        let mut counts = JobCounts::default();
        for row in &rows {
            let fields = TABLE.fields(row);
            let many = fields.narrow("many")?;
            match fields.parsed("state", JobState::parse)? {
                JobState::Queued => counts.queued = many,
                JobState::Running => counts.running = many,
                JobState::Done => counts.done = many,
                JobState::Failed => counts.failed = many,
            }
        }
        Ok(counts)
    }

    /// Forgets jobs that ended before an instant; returns how many.
    pub async fn purge_finished(&mut self, before: Timestamp) -> Result<u64> {
        let sql = "DELETE FROM job WHERE finished_at < $1";
        self.0.execute(TABLE.what, sql, vec![before.into()]).await
    }

    /// Runs an update that is bound to a claim; `more` are its values from `$4` on.
    async fn change(&mut self, claim: &Claim, sql: String, more: Vec<Value>) -> Result<bool> {
        let mut values = fence_values(claim);
        values.extend(more);
        Ok(self.0.execute(TABLE.what, sql, values).await? > 0)
    }
}

/// The statements that must be read from an index, and the index.
#[cfg(test)]
pub(crate) fn indexed() -> Vec<(String, &'static str)> {
    vec![(UNFINISHED.to_owned(), "job_unfinished")]
}

/// A claim's job, attempt and worker.
pub(crate) fn fence_values(claim: &Claim) -> Vec<Value> {
    vec![Value::text(claim.job.id), Value::int(claim.job.attempt), Value::text(&claim.worker)]
}

fn decode(row: &Fields<'_>) -> Result<Job> {
    Ok(Job {
        id: row.id("id", JobId::parse)?,
        kind: row.json("kind")?,
        attempt: row.narrow("attempt")?,
        failures: row.narrow("failures")?,
        not_before: row.instant("not_before")?,
        lease_until: row.opt_instant("lease_until")?,
        worker: row.opt_text("worker")?,
        subject: row.opt_json("subject")?.unwrap_or_default(),
        request_id: row.text("request_id")?,
        created_at: row.instant("created_at")?,
    })
}

fn decode_record(row: &Fields<'_>) -> Result<JobRecord> {
    Ok(JobRecord {
        job: decode(row)?,
        state: row.parsed("state", JobState::parse)?,
        finished_at: row.opt_instant("finished_at")?,
        error: row.opt_text("error")?,
    })
}
