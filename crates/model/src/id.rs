//! Newtype ids, so that two kinds of id cannot be swapped.
//!
//! Resources are named by UUIDs (lower-case, hyphenated on the wire); projects, users and domains
//! by opaque strings, usually 32 hexadecimal characters as Keystone makes them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::chance::Chance;

/// The text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a valid id")]
pub struct InvalidId(pub String);

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Draws a fresh random id.
            pub fn random(chance: &dyn Chance) -> Self {
                Self(chance.uuid())
            }

            /// Parses any UUID-like text: with or without hyphens, upper or lower case.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| InvalidId(text.to_owned()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    )*};
}

uuid_id! {
    /// Names a volume.
    VolumeId,
    /// Names a snapshot of a volume.
    SnapshotId,
    /// Names a backup; the same in every dialect and in the store.
    BackupId,
    /// Names a vault: the set of backups that share keys and deduplication.
    VaultId,
    /// Names a job.
    JobId,
    /// Names a policy: what is backed up when, and how long that is kept.
    PolicyId,
    /// Names one run of a policy over its disks.
    RunId,
    /// Names one disk's part in a run of a policy.
    TaskId,
    /// Names a share of a backup with another project.
    ShareId,
    /// Names a server with its disks.
    ServerId,
    /// Names a checkpoint: one run over the resources of a vault.
    CheckpointId,
    /// Names an operation in the log.
    OperationId,
    /// Names the record of a backup's copy in another region.
    ReplicationId,
    /// Names an agent in a server; its own choice.
    AgentId,
    /// Names a directory that an agent has backed up.
    AgentPathId,
    /// Names a policy of a whole domain.
    OrganizationPolicyId,
    /// Names a port: a server's interface as the network sees it.
    PortId,
    /// Names a network.
    NetworkId,
    /// Names a subnet of a network.
    SubnetId,
    /// Names a floating address.
    FloatingIpId,
    /// Names the image that a server was made from.
    ImageId,
}

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Draws a fresh random id of 32 hexadecimal characters.
            pub fn random(chance: &dyn Chance) -> Self {
                Self(chance.uuid().simple().to_string())
            }

            /// Accepts 1 to 64 characters of `[0-9A-Za-z_-]`.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let fits = (1..=64).contains(&text.len())
                    && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
                if fits { Ok(Self(text.to_owned())) } else { Err(InvalidId(text.to_owned())) }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_id! {
    /// Names a project, the owner of everything.
    ProjectId,
    /// Names a user.
    UserId,
    /// Names a domain, the container of projects and users.
    DomainId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuid_ids_accept_any_spelling_and_print_one() {
        let id = VolumeId::parse("7D7C6FBED7EE4B4D8BAEBDD08B5604BB").unwrap();
        assert_eq!(id.to_string(), "7d7c6fbe-d7ee-4b4d-8bae-bdd08b5604bb");
        assert!(VolumeId::parse("vol1").is_err());
    }

    #[test]
    fn text_ids_refuse_what_cannot_stand_in_a_path() {
        assert!(ProjectId::parse("b23b579f08c84228b9b4673c46f0c442").is_ok());
        for bad in ["", "a/b", "a b", &"x".repeat(65)] {
            assert!(ProjectId::parse(bad).is_err(), "{bad}");
        }
    }
}
