//! Quotas: how much a project may keep.

/// One countable kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// Number of backups.
    Backups,
    /// Sum of the sizes of backed-up volumes, in GiB.
    BackupGigabytes,
    /// Number of volumes.
    Volumes,
    /// Number of snapshots.
    Snapshots,
    /// Sum of the sizes of volumes and snapshots, in GiB.
    Gigabytes,
    /// Largest size of one volume, in GiB.
    PerVolumeGigabytes,
    /// Number of volume groups; none can be made, the figure is echoed.
    Groups,
}

impl Resource {
    /// Every resource, in the order in which it is listed.
    pub const ALL: [Self; 7] = [
        Self::Backups,
        Self::BackupGigabytes,
        Self::Volumes,
        Self::Snapshots,
        Self::Gigabytes,
        Self::PerVolumeGigabytes,
        Self::Groups,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backups => "backups",
            Self::BackupGigabytes => "backup_gigabytes",
            Self::Volumes => "volumes",
            Self::Snapshots => "snapshots",
            Self::Gigabytes => "gigabytes",
            Self::PerVolumeGigabytes => "per_volume_gigabytes",
            Self::Groups => "groups",
        }
    }

    /// The resource of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.name() == name)
    }
}

/// The limit of a resource that has none.
pub const UNLIMITED: i64 = -1;

/// How much of a resource a project may have, has, and has asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The resource.
    pub resource: Resource,
    /// The most it may have; [`UNLIMITED`] for no limit.
    pub limit: i64,
    /// What it has.
    pub in_use: i64,
}

impl Quota {
    /// Whether `more` would still fit.
    pub const fn admits(&self, more: i64) -> bool {
        self.limit < 0 || self.in_use.saturating_add(more) <= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_admits_up_to_its_limit() {
        let quota = |limit| Quota { resource: Resource::Backups, limit, in_use: 9 };
        assert!(quota(10).admits(1));
        assert!(!quota(10).admits(2));
        assert!(quota(UNLIMITED).admits(i64::MAX));
        assert!(!quota(0).admits(1));
    }
}
