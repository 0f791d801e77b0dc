//! Policies of whole domains, and the policies of projects that they stand behind.

use strongroom_model::id::{DomainId, OrganizationPolicyId, PolicyId, ProjectId};
use strongroom_model::organization_policy::{Deployment, OrganizationPolicy};
use strongroom_model::policy::PolicyOperation;

use crate::error::{Error, Result};
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "organization_policy",
    what: "organization policy",
    columns: &[
        "id",
        "domain_id",
        "name",
        "description",
        "effective_scope",
        "operation",
        "policy_name",
        "is_policy_enabled",
        "definition",
        "patterns",
        "start_window",
        "created_at",
    ],
};

const DEPLOYMENT: Table = Table {
    name: "organization_deployment",
    what: "deployment of an organization policy",
    columns: &["policy_id", "organization_policy_id", "project_id"],
};

/// Reads and writes policies of whole domains.
#[derive(Debug)]
pub struct OrganizationPolicies<'t>(pub(crate) &'t mut Session);

impl OrganizationPolicies<'_> {
    /// Adds one; [`Error::Conflict`](crate::Error::Conflict) if its id is taken.
    pub async fn insert(&mut self, policy: &OrganizationPolicy) -> Result<()> {
        TABLE.insert(self.0, values(policy)).await
    }

    /// The one of that id in a domain.
    pub async fn find(
        &mut self,
        domain: &DomainId,
        id: OrganizationPolicyId,
    ) -> Result<Option<OrganizationPolicy>> {
        let values = vec![Value::text(id), Value::text(domain)];
        TABLE.find(self.0, "WHERE id = $1 AND domain_id = $2", values, decode).await
    }

    /// Those of a domain, the newest first.
    pub async fn list(&mut self, domain: &DomainId) -> Result<Vec<OrganizationPolicy>> {
        let tail = "WHERE domain_id = $1 ORDER BY created_at DESC, id DESC";
        TABLE.list(self.0, tail, vec![Value::text(domain)], decode).await
    }

    /// Writes it over the one of its id; tells whether there was one.
    pub async fn update(&mut self, policy: &OrganizationPolicy) -> Result<bool> {
        TABLE.update(self.0, values(policy)).await
    }

    /// Removes it with what is known of its deployment, but not the policies of projects; tells
    /// whether there was one.
    pub async fn delete(&mut self, id: OrganizationPolicyId) -> Result<bool> {
        TABLE.delete(self.0, Value::text(id)).await
    }

    /// Notes that a policy of a project is its.
    pub async fn deploy(&mut self, deployment: &Deployment) -> Result<()> {
        let values = vec![
            Value::text(deployment.policy_id),
            Value::text(deployment.organization_policy_id),
            Value::text(&deployment.project_id),
        ];
        DEPLOYMENT.insert(self.0, values).await
    }

    /// Forgets what was deployed to a project.
    pub async fn undeploy(&mut self, project: &ProjectId) -> Result<u64> {
        let sql = "DELETE FROM organization_deployment WHERE project_id = $1";
        self.0.execute(DEPLOYMENT.what, sql, vec![Value::text(project)]).await
    }

    /// The policies of projects that it stands behind, by project.
    pub async fn deployments(&mut self, id: OrganizationPolicyId) -> Result<Vec<Deployment>> {
        let tail = "WHERE organization_policy_id = $1 ORDER BY project_id, policy_id";
        DEPLOYMENT.list(self.0, tail, vec![Value::text(id)], decode_deployment).await
    }
}

fn values(policy: &OrganizationPolicy) -> Vec<Value> {
    vec![
        Value::text(policy.id),
        Value::text(&policy.domain_id),
        Value::text(&policy.name),
        Value::text(&policy.description),
        Value::text(&policy.effective_scope),
        Value::text(policy.operation.as_str()),
        Value::text(&policy.policy_name),
        Value::int(policy.is_policy_enabled),
        Value::json(&policy.definition),
        Value::json(&policy.patterns),
        Value::Int(policy.start_window_minutes.map(i64::from)),
        policy.created_at.into(),
    ]
}

fn decode(row: &Fields<'_>) -> Result<OrganizationPolicy> {
    let window = row.opt_int("start_window")?.map(u16::try_from).transpose();
    Ok(OrganizationPolicy {
        id: row.id("id", OrganizationPolicyId::parse)?,
        domain_id: row.id("domain_id", DomainId::parse)?,
        name: row.text("name")?,
        description: row.text("description")?,
        effective_scope: row.text("effective_scope")?,
        operation: row.parsed("operation", PolicyOperation::parse)?,
        policy_name: row.text("policy_name")?,
        is_policy_enabled: row.flag("is_policy_enabled")?,
        definition: row.json("definition")?,
        patterns: row.json("patterns")?,
        start_window_minutes: window.map_err(|_| Error::TooLarge { what: "number of minutes" })?,
        created_at: row.instant("created_at")?,
    })
}

fn decode_deployment(row: &Fields<'_>) -> Result<Deployment> {
    Ok(Deployment {
        organization_policy_id: row.id("organization_policy_id", OrganizationPolicyId::parse)?,
        project_id: row.id("project_id", ProjectId::parse)?,
        policy_id: row.id("policy_id", PolicyId::parse)?,
    })
}
