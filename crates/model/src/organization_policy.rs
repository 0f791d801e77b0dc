//! Organization policies: one policy for every project of a domain.

use crate::id::{DomainId, OrganizationPolicyId, PolicyId, ProjectId};
use crate::time::Timestamp;
use crate::vault::words;

words! {
    /// What a policy of an organization does.
    OrganizationOperation {
        /// It makes backups.
        Backup = "backup",
        /// It copies backups to another region.
        Replication = "replication",
    }
}

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
    pub operation: OrganizationOperation,
    /// The name of the policy in each project.
    pub policy_name: String,
    /// Whether the policies run by themselves.
    pub is_policy_enabled: bool,
    /// How long backups are kept, a JSON object in the caller's own words.
    pub definition: String,
    /// When backups are made, a JSON object in the caller's own words.
    pub trigger: String,
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
