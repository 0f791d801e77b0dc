//! Runs over vaults of disks.
