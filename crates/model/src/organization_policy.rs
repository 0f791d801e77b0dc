//! Organization policies: one policy for every project of a domain.

use serde_json::{Map, Value};

use crate::id::{DomainId, OrganizationPolicyId, PolicyId, ProjectId};
use crate::policy::PolicyOperation;
use crate::time::Timestamp;

/// A policy for every project of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationPolicy {
    /// Its id.
    pub id: OrganizationPolicyId,
    /// The domain.
    pub domain_id: DomainId,
    /// Its name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// For whom it is meant, in the caller's own words.
    pub effective_scope: String,
    /// What it does.
    pub operation: PolicyOperation,
    /// The name of the policy in each project.
    pub policy_name: String,
    /// Whether the policies run by themselves.
    pub is_policy_enabled: bool,
    /// How long backups are kept, and where they are copied to, in the caller's own words.
    pub definition: Map<String, Value>,
    /// When the policies run, in the caller's own words.
    pub patterns: Vec<String>,
    /// By how many minutes a run may begin late.
    pub start_window_minutes: Option<u16>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The policy of one project that an organization's policy stands behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The organization's policy.
    pub organization_policy_id: OrganizationPolicyId,
    /// The project.
    pub project_id: ProjectId,
    /// The policy in it.
    pub policy_id: PolicyId,
}
