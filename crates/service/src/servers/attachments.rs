//! Which volumes are disks of which servers, read once for a whole list of volumes.

use std::collections::BTreeMap;

use strongroom_model::id::{ProjectId, ServerId, VolumeId};
use strongroom_model::server::Server;
use strongroom_model::time::Timestamp;
use strongroom_model::volume::Volume;

use super::derived_id;

/// A volume as the disk of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The id of this being so: always the same for the same server and volume.
    pub id: String,
    /// The server.
    pub server_id: ServerId,
    /// The volume.
    pub volume_id: VolumeId,
    /// Where the server sees it.
    pub device: String,
    /// Since when at the earliest: when the server was made.
    pub attached_at: Timestamp,
}

impl Attachment {
    /// The disks of a server, in their order.
    pub fn all_of(server: &Server) -> Vec<Self> {
        let disks = server.disks.iter().map(|disk| Self {
            id: derived_id(server.id, &format!("attachment {}", disk.volume_id)),
            server_id: server.id,
            volume_id: disk.volume_id,
            device: disk.device.clone(),
            attached_at: server.created_at,
        });
        disks.collect()
    }
}

/// The disks of an inventory, by volume.
#[derive(Debug, Clone, Default)]
pub struct Attachments(BTreeMap<(VolumeId, ProjectId), Attachment>);

impl Attachments {
    /// The disks of these servers. Of two that claim the same volume the older one has it.
    pub(super) fn of(servers: &[Server]) -> Self {
        let mut all = BTreeMap::new();
        for server in servers {
            for attachment in Attachment::all_of(server) {
                // Servers come newest first.
                all.insert((attachment.volume_id, server.project_id.clone()), attachment);
            }
        }
        Self(all)
    }

    /// Whose disk a volume is. A server of another project cannot claim it.
    pub fn of_volume(&self, volume: &Volume) -> Option<&Attachment> {
        self.0.get(&(volume.id, volume.project_id.clone()))
    }
}
