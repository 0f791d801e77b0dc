//! What an operator may tune. Plain values; the binary reads them, the service obeys them.

use std::collections::BTreeMap;
use std::time::Duration;

use strongroom_model::quota::{Resource, UNLIMITED};

/// Limits, durations and names of one service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of the region in catalogues of endpoints.
    pub region: String,
    /// The zone of volumes and backups that name none.
    pub availability_zone: String,
    /// How long a token holds.
    pub token_lifetime: Duration,
    /// Jobs that run at once on this node.
    pub workers: usize,
    /// Threads that one backup or restore may use; 0 for one per core, at most eight.
    pub threads: usize,
    /// How long a claimed job may go without renewal before another worker takes it over.
    pub lease: Duration,
    /// How often a job is tried before it ends in error.
    pub attempts_max: u32,
    /// Wait before the second attempt; doubled for each further one.
    pub retry_delay: Duration,
    /// Time between two collections of garbage in the store.
    pub gc_interval: Duration,
    /// Refuse an increment without a parent, as Cinder does, instead of making a full backup.
    pub strict_cinder: bool,
    /// Limits of a project that has none of its own; absent means unlimited.
    pub quota_defaults: BTreeMap<Resource, i64>,
    /// Policies that a project may have.
    pub policies_max: u32,
    /// Disks that may be bound to one policy.
    pub policy_volumes_max: u32,
    /// Vaults that a project may have.
    pub vaults_max: u32,
    /// This node's name in leases and sessions.
    pub node: String,
}

impl Settings {
    /// The limit that applies when neither project nor class sets one.
    pub fn quota_default(&self, resource: Resource) -> i64 {
        self.quota_defaults.get(&resource).copied().unwrap_or(UNLIMITED)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: "RegionOne".to_owned(),
            availability_zone: "nova".to_owned(),
            token_lifetime: Duration::from_secs(8 * 3600),
            workers: 4,
            threads: 0,
            lease: Duration::from_secs(30),
            attempts_max: 3,
            retry_delay: Duration::from_secs(2),
            gc_interval: Duration::from_secs(600),
            strict_cinder: false,
            quota_defaults: BTreeMap::new(),
            policies_max: 32,
            policy_volumes_max: 64,
            vaults_max: 1000,
            node: "node".to_owned(),
        }
    }
}
