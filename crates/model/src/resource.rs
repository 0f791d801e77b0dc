//! Resources: what can be protected, whatever it is.

use uuid::Uuid;

use crate::id::{ServerId, VolumeId};
use crate::vault::{ObjectType, words};

words! {
    /// What a resource is, in the words of OpenStack's Heat.
    ResourceKind {
        /// A server with its disks.
        Server = "OS::Nova::Server",
        /// A disk.
        Volume = "OS::Cinder::Volume",
        /// A bare-metal server.
        BareMetal = "OS::Ironic::BareMetalServer",
        /// A server of another site.
        NativeServer = "OS::Native::Server",
        /// A file system.
        FileSystem = "OS::Sfs::Turbo",
        /// A workspace.
        Workspace = "OS::Workspace::DesktopV2",
    }
}

impl ResourceKind {
    /// Whether vaults for such objects take resources of this kind.
    pub const fn fits(self, object_type: ObjectType) -> bool {
        matches!(
            (self, object_type),
            (Self::Server | Self::BareMetal | Self::NativeServer, ObjectType::Server)
                | (Self::Volume, ObjectType::Disk)
                | (Self::FileSystem, ObjectType::Turbo)
                | (Self::Workspace, ObjectType::Workspace)
                | (Self::NativeServer, ObjectType::Vmware)
        )
    }
}

/// The id of a resource, whatever it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct ResourceId(pub Uuid);

impl ResourceId {
    /// Parses any UUID-like text.
    pub fn parse(text: &str) -> Result<Self, crate::id::InvalidId> {
        Uuid::try_parse(text).map(Self).map_err(|_| crate::id::InvalidId(text.to_owned()))
    }

    /// As the id of a volume.
    pub const fn volume(self) -> VolumeId {
        VolumeId(self.0)
    }

    /// As the id of a server.
    pub const fn server(self) -> ServerId {
        ServerId(self.0)
    }
}

impl From<VolumeId> for ResourceId {
    fn from(id: VolumeId) -> Self {
        Self(id.0)
    }
}

impl From<ServerId> for ResourceId {
    fn from(id: ServerId) -> Self {
        Self(id.0)
    }
}

impl std::fmt::Display for ResourceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
