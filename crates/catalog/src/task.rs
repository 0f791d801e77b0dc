//! Tasks: what became of each disk in each run of a policy.

use strongroom_model::id::{BackupId, JobId, PolicyId, RunId, TaskId, VolumeId};
use strongroom_model::page::{Direction, Page, SortBy, Start};
use strongroom_model::task::{Task, TaskFault, TaskStatus};
use strongroom_model::time::Timestamp;

use crate::error::Result;
use crate::page::{Conditions, Listing, SortColumn, order};
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "task",
    what: "task",
    columns: &[
        "id",
        "run_id",
        "policy_id",
        "volume_id",
        "due_at",
        "status",
        "backup_name",
        "backup_id",
        "job_id",
        "fault",
        "message",
        "created_at",
        "finished_at",
    ],
};

/// Rows of one statement, within the number of values that every database takes.
const ROWS_PER_STATEMENT: usize = 64;

/// Which tasks of one policy to list, and how: by time of creation, then by id.
#[derive(Debug, Clone)]
pub struct TaskQuery {
    /// The policy.
    pub policy_id: PolicyId,
    /// Those in one of these states; all if empty.
    pub statuses: Vec<TaskStatus>,
    /// The one whose backup this job makes.
    pub job_id: Option<JobId>,
    /// The one of this id.
    pub id: Option<TaskId>,
    /// The direction of their order.
    pub direction: Direction,
    /// Where the page starts.
    pub start: Start<TaskId>,
    /// Items at most.
    pub limit: u32,
}

/// Reads and writes tasks.
#[derive(Debug)]
pub struct Tasks<'t>(pub(crate) &'t mut Session);

impl Tasks<'_> {
    /// Adds a task; [`Error::Conflict`](crate::Error::Conflict) if its id is taken.
    pub async fn insert(&mut self, task: &Task) -> Result<()> {
        TABLE.insert(self.0, values(task)).await
    }

    /// Adds many tasks; as [`Tasks::insert`], in fewer statements.
    pub async fn insert_all(&mut self, tasks: &[Task]) -> Result<()> {
        for some in tasks.chunks(ROWS_PER_STATEMENT) {
            let mut conditions = Conditions::default();
            let row = |task: &Task| {
                let places = values(task).into_iter().map(|value| conditions.bind(value));
                format!("({})", places.collect::<Vec<_>>().join(", "))
            };
            let rows = some.iter().map(row).collect::<Vec<_>>().join(", ");
            let sql = format!("INSERT INTO task ({}) VALUES {rows}", TABLE.columns.join(", "));
            self.0.execute(TABLE.what, sql, conditions.values()).await?;
        }
        Ok(())
    }

    /// The task of that id, if it is the policy's.
    pub async fn find(&mut self, policy_id: PolicyId, id: TaskId) -> Result<Option<Task>> {
        let tail = "WHERE id = $1 AND policy_id = $2";
        let values = vec![Value::text(id), Value::text(policy_id)];
        TABLE.find(self.0, tail, values, decode).await
    }

    /// Ends the running task whose backup this is, well or with a fault; tells whether there was
    /// one.
    pub async fn finish_of(
        &mut self,
        backup_id: BackupId,
        now: Timestamp,
        fault: Option<(TaskFault, &str)>,
    ) -> Result<bool> {
        let status = if fault.is_none() { TaskStatus::Succeeded } else { TaskStatus::Failed };
        let sql = "UPDATE task SET status = $2, fault = $3, message = $4, finished_at = $5 \
                   WHERE backup_id = $1 AND status = 'running'";
        let values = vec![
            Value::text(backup_id),
            Value::text(status.as_str()),
            Value::opt_text(fault.map(|(fault, _)| fault.as_str())),
            Value::opt_text(fault.map(|(_, message)| message)),
            now.into(),
        ];
        Ok(self.0.execute(TABLE.what, sql, values).await? > 0)
    }

    /// Whether a task of a policy is running.
    pub async fn is_any_running(&mut self, policy_id: PolicyId) -> Result<bool> {
        let tail = "WHERE policy_id = $1 AND status = 'running' LIMIT 1";
        let found = TABLE.find(self.0, tail, vec![Value::text(policy_id)], decode).await?;
        Ok(found.is_some())
    }

    /// One page of a policy's tasks, always with the total;
    /// [`Error::MarkerNotFound`](crate::Error::MarkerNotFound) if it should start after a task that
    /// does not exist.
    pub async fn list(&mut self, query: &TaskQuery) -> Result<Page<Task>> {
        let mut conditions = Conditions::default();
        conditions.equals("policy_id", Value::text(query.policy_id));
        if !query.statuses.is_empty() {
            let words = query.statuses.iter().map(|status| Value::text(status.as_str()));
            conditions.is_one_of("status", words);
        }
        if let Some(job_id) = query.job_id {
            conditions.equals("job_id", Value::text(job_id));
        }
        if let Some(id) = query.id {
            conditions.equals("id", Value::text(id));
        }
        let by_creation = SortBy { key: (), direction: query.direction };
        let listing = Listing {
            table: TABLE,
            project: None,
            conditions,
            order: order(&[by_creation], |()| Some(SortColumn::Int("created_at"))),
            start: match query.start {
                Start::Offset(offset) => Start::Offset(offset),
                Start::After(id) => Start::After(id.to_string()),
            },
            limit: query.limit,
            with_total: true,
        };
        listing.load(self.0, decode).await
    }

    /// Forgets tasks that ended before an instant; returns how many.
    pub async fn purge_finished(&mut self, before: Timestamp) -> Result<u64> {
        let sql = "DELETE FROM task WHERE finished_at < $1";
        self.0.execute(TABLE.what, sql, vec![before.into()]).await
    }
}

fn values(task: &Task) -> Vec<Value> {
    vec![
        Value::text(task.id),
        Value::text(task.run_id),
        Value::text(task.policy_id),
        Value::text(task.volume_id),
        task.due_at.into(),
        Value::text(task.status.as_str()),
        Value::text(&task.backup_name),
        Value::opt_text(task.backup_id),
        Value::opt_text(task.job_id),
        Value::opt_text(task.fault.map(TaskFault::as_str)),
        Value::opt_text(task.message.as_ref()),
        task.created_at.into(),
        task.finished_at.into(),
    ]
}

fn decode(row: &Fields<'_>) -> Result<Task> {
    Ok(Task {
        id: row.id("id", TaskId::parse)?,
        run_id: row.id("run_id", RunId::parse)?,
        policy_id: row.id("policy_id", PolicyId::parse)?,
        volume_id: row.id("volume_id", VolumeId::parse)?,
        due_at: row.instant("due_at")?,
        status: row.parsed("status", TaskStatus::parse)?,
        backup_name: row.text("backup_name")?,
        backup_id: row.opt_id("backup_id", BackupId::parse)?,
        job_id: row.opt_id("job_id", JobId::parse)?,
        fault: row.opt_parsed("fault", TaskFault::parse)?,
        message: row.opt_text("message")?,
        created_at: row.instant("created_at")?,
        finished_at: row.opt_instant("finished_at")?,
    })
}
