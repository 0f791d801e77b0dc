//! Shares: backups that other projects may use.

/// A condition on shares and the backups that are shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShareFilter {
    /// The backup's id is this text.
    BackupId(String),
    /// The share is by the project of this id.
    From(String),
    /// The share is with the project of this id.
    To(String),
    /// The backup is of the volume of this id.
    VolumeId(String),
    /// The backup's name contains this, in any case.
    NameLike(String),
    /// The backup's status is this word.
    Status(String),
    /// The backup lies in this zone.
    AvailabilityZone(String),
}

/// What shares can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShareKey {
    /// The share's id.
    Id,
    /// When the share was made.
    CreatedAt,
    /// When the share last changed.
    UpdatedAt,
    /// The backup's id.
    BackupId,
    /// The project that shares.
    From,
    /// The project that receives.
    To,
    /// The backup's name.
    Name,
    /// The backup's status.
    Status,
    /// The backup's size.
    Size,
    /// The same for all.
    Constant,
}
