//! Operations: the log of what was done.

use strongroom_model::id::{
    BackupId, CheckpointId, JobId, OperationId, PolicyId, ProjectId, VaultId,
};
use strongroom_model::operation::{Operation, OperationFault, OperationKind, OperationStatus};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::time::Timestamp;
use strongroom_model::vault::ObjectType;

use strongroom_model::page::{Page, SortBy, Start};

use crate::error::Result;
use crate::page::{Conditions, Listing, SortColumn, order};
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

pub(crate) const TABLE: Table = Table {
    name: "operation",
    what: "operation",
    columns: &[
        "id",
        "kind",
        "status",
        "project_id",
        "vault_id",
        "vault_name",
        "object_type",
        "checkpoint_id",
        "policy_id",
        "resource_id",
        "resource_kind",
        "resource_name",
        "backup_id",
        "backup_name",
        "job_id",
        "detail",
        "fault",
        "message",
        "progress",
        "request_id",
        "created_at",
        "updated_at",
        "ended_at",
    ],
};

/// How an operation ended: well, or with a fault and the same as a sentence.
pub type OperationEnd<'a> = std::result::Result<(), (OperationFault, &'a str)>;

/// A condition on operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationFilter {
    /// It began at this instant or later.
    From(Timestamp),
    /// It ended at this instant or earlier; if it goes on, it began by then.
    To(Timestamp),
    /// It is of this kind.
    Kind(OperationKind),
    /// It is about what vaults for such objects protect.
    ObjectType(ObjectType),
    /// It is about this resource.
    Resource(ResourceId),
    /// The resource's name has this in it, letter for letter.
    ResourceNamePart(String),
    /// It stands there.
    Status(OperationStatus),
    /// It is in one of these vaults.
    Vaults(Vec<VaultId>),
    /// The vault's name has this in it, letter for letter.
    VaultNamePart(String),
    /// It is a replication to this region.
    DestinationRegion(String),
    /// It is a replication to this project.
    DestinationProject(String),
}

/// Which operations of a project to list; newest first.
#[derive(Debug, Clone)]
pub struct OperationQuery {
    /// The project.
    pub project: ProjectId,
    /// Conditions that all hold.
    pub filters: Vec<OperationFilter>,
    /// Where the page starts.
    pub start: Start<OperationId>,
    /// Items at most.
    pub limit: u32,
    /// Whether to count the whole list; costs a walk over it.
    pub with_total: bool,
}

impl OperationQuery {
    fn into_listing(self) -> Listing {
        let mut conditions = Conditions::default();
        for filter in &self.filters {
            apply(&mut conditions, filter);
        }
        let keys: [SortBy<SortColumn>; 0] = [];
        Listing {
            table: TABLE,
            project: Some(self.project),
            conditions,
            order: order(&keys, Some),
            start: match self.start {
                Start::Offset(offset) => Start::Offset(offset),
                Start::After(id) => Start::After(id.to_string()),
            },
            limit: self.limit,
            with_total: self.with_total,
        }
    }
}

fn apply(conditions: &mut Conditions, filter: &OperationFilter) {
    match filter {
        OperationFilter::From(at) => {
            let place = conditions.bind((*at).into());
            conditions.push(format!("created_at >= {place}"));
        }
        OperationFilter::To(at) => {
            let place = conditions.bind((*at).into());
            conditions.push(format!("COALESCE(ended_at, created_at) <= {place}"));
        }
        OperationFilter::Kind(kind) => conditions.equals("kind", Value::text(kind.as_str())),
        OperationFilter::ObjectType(kind) => {
            conditions.equals("object_type", Value::text(kind.as_str()));
        }
        OperationFilter::Resource(id) => conditions.equals("resource_id", Value::text(id)),
        OperationFilter::ResourceNamePart(part) => {
            conditions.has_part("COALESCE(resource_name, '')", part);
        }
        OperationFilter::Status(status) => {
            conditions.equals("status", Value::text(status.as_str()));
        }
        OperationFilter::Vaults(ids) => {
            conditions.is_one_of("vault_id", ids.iter().map(Value::text));
        }
        OperationFilter::VaultNamePart(part) => {
            conditions.has_part("COALESCE(vault_name, '')", part);
        }
        OperationFilter::DestinationRegion(region) => {
            conditions.has_pair("detail", "destination_region", region);
        }
        OperationFilter::DestinationProject(id) => {
            conditions.has_pair("detail", "destination_project_id", id);
        }
    }
}

/// The statements that must be read from an index, and the index.
#[cfg(test)]
pub(crate) fn indexed() -> Vec<(String, &'static str)> {
    let tail = "WHERE project_id = $1 ORDER BY created_at DESC, id DESC LIMIT 10";
    vec![(TABLE.select(tail), "operation_order")]
}

/// Reads and writes operations.
#[derive(Debug)]
pub struct Operations<'t>(pub(crate) &'t mut Session);

impl Operations<'_> {
    /// Adds one; [`Error::Conflict`](crate::Error::Conflict) if its id is taken.
    pub async fn insert(&mut self, operation: &Operation) -> Result<()> {
        TABLE.insert(self.0, values(operation)).await
    }

    /// The one of that id, if it is the project's.
    pub async fn find(
        &mut self,
        project: &ProjectId,
        id: OperationId,
    ) -> Result<Option<Operation>> {
        let values = vec![Value::text(id), Value::text(project)];
        TABLE.find(self.0, "WHERE id = $1 AND project_id = $2", values, decode).await
    }

    /// The one of that id, whosever it is.
    pub async fn find_any(&mut self, id: OperationId) -> Result<Option<Operation>> {
        TABLE.find(self.0, "WHERE id = $1", vec![Value::text(id)], decode).await
    }

    /// One page of a list; [`Error::MarkerNotFound`](crate::Error::MarkerNotFound) if it should
    /// start after one that is not the project's.
    pub async fn list(&mut self, query: OperationQuery) -> Result<Page<Operation>> {
        query.into_listing().load(self.0, decode).await
    }

    /// Writes it over the one of its id; tells whether there was one.
    pub async fn update(&mut self, operation: &Operation) -> Result<bool> {
        TABLE.update(self.0, values(operation)).await
    }

    /// Those of a backup that have not ended.
    pub async fn running_of(&mut self, backup_id: BackupId) -> Result<Vec<Operation>> {
        let tail = "WHERE backup_id = $1 AND ended_at IS NULL ORDER BY created_at, id";
        TABLE.list(self.0, tail, vec![Value::text(backup_id)], decode).await
    }

    /// Those of a vault that have not ended.
    pub async fn running_in(&mut self, vault_id: VaultId) -> Result<Vec<Operation>> {
        let tail = "WHERE vault_id = $1 AND ended_at IS NULL ORDER BY created_at, id";
        TABLE.list(self.0, tail, vec![Value::text(vault_id)], decode).await
    }

    /// Ends the operation that goes with a job, if it has not ended; tells whether there was one.
    pub async fn end_with_job(
        &mut self,
        job_id: JobId,
        now: Timestamp,
        end: OperationEnd<'_>,
    ) -> Result<bool> {
        self.end("job_id = $1", Value::text(job_id), now, end).await
    }

    /// Ends an operation that has not ended; tells whether there was one.
    pub async fn end_one(
        &mut self,
        id: OperationId,
        now: Timestamp,
        end: OperationEnd<'_>,
    ) -> Result<bool> {
        self.end("id = $1", Value::text(id), now, end).await
    }

    async fn end(
        &mut self,
        which: &str,
        key: Value,
        now: Timestamp,
        end: OperationEnd<'_>,
    ) -> Result<bool> {
        let status = if end.is_ok() { OperationStatus::Success } else { OperationStatus::Failed };
        let fault = end.err();
        let progress = if end.is_ok() { "100" } else { "progress" };
        let sql = format!(
            "UPDATE operation SET status = $2, fault = $3, message = $4, updated_at = $5, \
             ended_at = $5, progress = {progress} WHERE {which} AND ended_at IS NULL"
        );
        let values = vec![
            key,
            Value::text(status.as_str()),
            Value::opt_text(fault.map(|(fault, _)| fault.as_str())),
            Value::opt_text(fault.map(|(_, message)| message)),
            now.into(),
        ];
        Ok(self.0.execute(TABLE.what, sql, values).await? > 0)
    }

    /// Forgets operations that ended before an instant; returns how many.
    pub async fn purge_ended(&mut self, before: Timestamp) -> Result<u64> {
        let sql = "DELETE FROM operation WHERE ended_at < $1";
        self.0.execute(TABLE.what, sql, vec![before.into()]).await
    }
}

fn values(operation: &Operation) -> Vec<Value> {
    let resource = operation.resource.as_ref();
    vec![
        Value::text(operation.id),
        Value::text(operation.kind.as_str()),
        Value::text(operation.status.as_str()),
        Value::text(&operation.project_id),
        Value::opt_text(operation.vault_id),
        Value::opt_text(operation.vault_name.as_ref()),
        Value::opt_text(operation.object_type.map(ObjectType::as_str)),
        Value::opt_text(operation.checkpoint_id),
        Value::opt_text(operation.policy_id),
        Value::opt_text(resource.map(|(id, _, _)| id)),
        Value::opt_text(resource.map(|(_, kind, _)| kind.as_str())),
        Value::opt_text(resource.map(|(_, _, name)| name)),
        Value::opt_text(operation.backup_id),
        Value::opt_text(operation.backup_name.as_ref()),
        Value::opt_text(operation.job_id),
        Value::json(&operation.detail),
        Value::opt_text(operation.fault.map(OperationFault::as_str)),
        Value::opt_text(operation.message.as_ref()),
        Value::int(operation.progress),
        Value::text(&operation.request_id),
        operation.created_at.into(),
        operation.updated_at.into(),
        operation.ended_at.into(),
    ]
}

pub(crate) fn decode(row: &Fields<'_>) -> Result<Operation> {
    let resource = match row.opt_id("resource_id", ResourceId::parse)? {
        Some(id) => {
            let kind = row.parsed("resource_kind", ResourceKind::parse)?;
            Some((id, kind, row.opt_text("resource_name")?.unwrap_or_default()))
        }
        None => None,
    };
    Ok(Operation {
        id: row.id("id", OperationId::parse)?,
        kind: row.parsed("kind", OperationKind::parse)?,
        status: row.parsed("status", OperationStatus::parse)?,
        project_id: row.id("project_id", ProjectId::parse)?,
        vault_id: row.opt_id("vault_id", VaultId::parse)?,
        vault_name: row.opt_text("vault_name")?,
        object_type: row.opt_parsed("object_type", ObjectType::parse)?,
        checkpoint_id: row.opt_id("checkpoint_id", CheckpointId::parse)?,
        policy_id: row.opt_id("policy_id", PolicyId::parse)?,
        resource,
        backup_id: row.opt_id("backup_id", BackupId::parse)?,
        backup_name: row.opt_text("backup_name")?,
        job_id: row.opt_id("job_id", JobId::parse)?,
        detail: row.json("detail")?,
        fault: row.opt_parsed("fault", OperationFault::parse)?,
        message: row.opt_text("message")?,
        progress: row.narrow("progress")?,
        request_id: row.text("request_id")?,
        created_at: row.instant("created_at")?,
        updated_at: row.instant("updated_at")?,
        ended_at: row.opt_instant("ended_at")?,
    })
}
