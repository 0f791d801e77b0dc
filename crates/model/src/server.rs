//! Servers: machines whose disks are volumes, as an inventory describes them.
//!
//! Nothing here runs a server. What is kept is what a backup of one has to remember: which volumes
//! are its disks, in which order, and what it takes to set the same machine up again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::id::{
    FloatingIpId, ImageId, NetworkId, PortId, ProjectId, ServerId, SubnetId, UserId, VolumeId,
};
use crate::time::Timestamp;
use crate::volume::Metadata;

/// The longest name of a server in characters, as Nova has it.
pub const MAX_NAME_CHARS: usize = 255;

/// The most disks of a server, one for each letter of a device's name.
pub const MAX_DISKS: usize = 26;

/// The state of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerStatus {
    /// It runs.
    Active,
    /// It is switched off.
    Shutoff,
    /// It cannot be used.
    Error,
}

impl ServerStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Shutoff, Self::Error];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Shutoff => "SHUTOFF",
            Self::Error => "ERROR",
        }
    }

    /// The status of that word, in capitals or not.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(word))
    }
}

/// What kind of machine a server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flavor {
    /// Its id, as in `s2.small.1`.
    pub id: String,
    /// Its name, often the same.
    pub name: String,
    /// Processors.
    pub vcpus: u32,
    /// Memory in MiB.
    pub ram_mib: u32,
    /// The disk that comes with the machine in GiB; 0 if all its disks are volumes.
    pub disk_gib: u32,
}

/// A volume as a server's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerDisk {
    /// The volume.
    pub volume_id: VolumeId,
    /// Where the server sees it, as in `/dev/vda`.
    pub device: String,
    /// Whether the server starts from it.
    pub is_system: bool,
}

/// A server's place in a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// The port.
    pub port_id: PortId,
    /// The network.
    pub network_id: NetworkId,
    /// The subnet of its address.
    pub subnet_id: SubnetId,
    /// Its address.
    pub ip_address: IpAddr,
    /// Its hardware address, as in `fa:16:3e:00:00:01`.
    pub mac_address: String,
}

/// An address from outside that leads to a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloatingIp {
    /// Its id.
    pub id: FloatingIpId,
    /// The address.
    pub address: IpAddr,
    /// The server's own address that it leads to.
    pub fixed_ip_address: IpAddr,
    /// The port of that address.
    pub port_id: PortId,
    /// The network that the address comes from.
    pub network_id: NetworkId,
}

/// A machine of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its id.
    pub id: ServerId,
    /// The project that owns it.
    pub project_id: ProjectId,
    /// The user who made it, if that is known.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// Its name, not unique.
    pub name: String,
    /// Its state.
    pub status: ServerStatus,
    /// The zone it runs in.
    pub availability_zone: String,
    /// The processors' kind, as in `x86_64`.
    pub architecture: String,
    /// What kind of machine it is.
    pub flavor: Flavor,
    /// Its disks, in their order.
    #[serde(default)]
    pub disks: Vec<ServerDisk>,
    /// Its places in networks.
    #[serde(default)]
    pub interfaces: Vec<Interface>,
    /// The addresses from outside that lead to it.
    #[serde(default)]
    pub floating_ips: Vec<FloatingIp>,
    /// The user's key-value pairs.
    #[serde(default)]
    pub metadata: Metadata,
    /// What marks it for whoever looks for it.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The image it was made from.
    #[serde(default)]
    pub image_id: Option<ImageId>,
    /// The name of the key pair that it was made with.
    #[serde(default)]
    pub key_name: Option<String>,
    /// When it was made.
    #[serde(with = "instant")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(default, with = "opt_instant")]
    pub updated_at: Option<Timestamp>,
    /// What the latest restore onto it asked for: to be switched on afterwards, or not. `None`
    /// before any restore.
    #[serde(default)]
    pub wants_power_on: Option<bool>,
}

/// What is wrong with a server that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct InvalidServer {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong with it.
    pub message: String,
}

impl InvalidServer {
    fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

impl Server {
    /// Whether the parts fit together: a name that can be shown, disks that differ from each other
    /// and of which exactly one is the system's, addresses that lead to ports of this server.
    pub fn check(&self) -> Result<(), InvalidServer> {
        ProjectId::parse(self.project_id.as_str())
            .map_err(|error| InvalidServer::new("project_id", error.to_string()))?;
        for (field, text) in [
            ("name", &self.name),
            ("availability_zone", &self.availability_zone),
            ("architecture", &self.architecture),
            ("flavor", &self.flavor.id),
            ("flavor", &self.flavor.name),
        ] {
            check_text(field, text)?;
        }
        self.check_disks()?;
        self.check_addresses()
    }

    fn check_disks(&self) -> Result<(), InvalidServer> {
        let fault = |message: String| Err(InvalidServer::new("disks", message));
        if self.disks.len() > MAX_DISKS {
            return fault(format!("{MAX_DISKS} are all that a server may have"));
        }
        let (mut volumes, mut devices) = (BTreeSet::new(), BTreeSet::new());
        for disk in &self.disks {
            check_text("device", &disk.device)?;
            if !volumes.insert(disk.volume_id) {
                return fault(format!("volume {} is there twice", disk.volume_id));
            }
            if !devices.insert(&disk.device) {
                return fault(format!("device {} is there twice", disk.device));
            }
        }
        match self.disks.iter().filter(|disk| disk.is_system).count() {
            0 if self.disks.is_empty() => Ok(()),
            1 => Ok(()),
            count => fault(format!("one of them is the system's, not {count}")),
        }
    }

    fn check_addresses(&self) -> Result<(), InvalidServer> {
        let mut ports = BTreeSet::new();
        for interface in &self.interfaces {
            check_text("mac_address", &interface.mac_address)?;
            if !ports.insert(interface.port_id) {
                let message = format!("port {} is there twice", interface.port_id);
                return Err(InvalidServer::new("interfaces", message));
            }
        }
        match self.floating_ips.iter().find(|floating| !ports.contains(&floating.port_id)) {
            None => Ok(()),
            Some(floating) => {
                let message = format!("{} leads to a port of another server", floating.address);
                Err(InvalidServer::new("floating_ips", message))
            }
        }
    }

    /// The disk that the server starts from, if it has one.
    pub fn system_disk(&self) -> Option<&ServerDisk> {
        self.disks.iter().find(|disk| disk.is_system)
    }

    /// The disk that is this volume.
    pub fn disk(&self, volume_id: VolumeId) -> Option<&ServerDisk> {
        self.disks.iter().find(|disk| disk.volume_id == volume_id)
    }
}

fn check_text(field: &'static str, text: &str) -> Result<(), InvalidServer> {
    if text.trim().is_empty() {
        return Err(InvalidServer::new(field, "is empty"));
    }
    if text.chars().count() > MAX_NAME_CHARS || text.chars().any(char::is_control) {
        let message = format!("is longer than {MAX_NAME_CHARS} characters, or one is no character");
        return Err(InvalidServer::new(field, message));
    }
    Ok(())
}

/// Where a server sees its disk number `at`, counted from 0: `/dev/vda`, `/dev/vdb` and so on.
/// `None` beyond [`MAX_DISKS`].
pub fn device_name(at: usize) -> Option<String> {
    let letter = u8::try_from(at).ok().filter(|at| usize::from(*at) < MAX_DISKS)?;
    Some(format!("/dev/vd{}", char::from(b'a' + letter)))
}

/// An instant as people read and write it.
mod instant {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::time::Timestamp;

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&at.format_utc_micros())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        Timestamp::parse(&text).ok_or_else(|| D::Error::custom(format!("'{text}' is no instant")))
    }
}

/// The same for one that may be missing.
mod opt_instant {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::time::Timestamp;

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Written(#[serde(with = "super::instant")] Timestamp);

    #[expect(clippy::ref_option, reason = "serde passes the field as it is")]
    pub(super) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Written).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<Written>::deserialize(from)?.map(|written| written.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::SeededChance;

    fn server() -> Server {
        let chance = SeededChance::new(1);
        let disk = |at: usize| ServerDisk {
            volume_id: VolumeId::random(&chance),
            device: device_name(at).unwrap(),
            is_system: at == 0,
        };
        Server {
            id: ServerId::random(&chance),
            project_id: ProjectId::random(&chance),
            user_id: None,
            name: "web".to_owned(),
            status: ServerStatus::Active,
            availability_zone: "nova".to_owned(),
            architecture: "x86_64".to_owned(),
            flavor: Flavor {
                id: "small".to_owned(),
                name: "small".to_owned(),
                vcpus: 1,
                ram_mib: 1024,
                disk_gib: 0,
            },
            disks: vec![disk(0), disk(1)],
            interfaces: Vec::new(),
            floating_ips: Vec::new(),
            metadata: Metadata::new(),
            tags: BTreeMap::new(),
            image_id: None,
            key_name: None,
            created_at: Timestamp::from_micros(5),
            updated_at: None,
            wants_power_on: None,
        }
    }

    fn fault(change: impl FnOnce(&mut Server)) -> String {
        let mut server = server();
        change(&mut server);
        server.check().unwrap_err().to_string()
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        assert_eq!(server().check(), Ok(()));
        let twice = fault(|server| server.disks[1].volume_id = server.disks[0].volume_id);
        assert!(twice.ends_with("is there twice"), "{twice}");
        let device = fault(|server| server.disks[1].device = "/dev/vda".to_owned());
        assert_eq!(device, "disks: device /dev/vda is there twice");
        for systems in [0, 2] {
            let told = fault(|server| {
                for disk in &mut server.disks {
                    disk.is_system = systems == 2;
                }
            });
            assert_eq!(told, format!("disks: one of them is the system's, not {systems}"));
        }
        assert_eq!(fault(|server| server.name = " ".to_owned()), "name: is empty");
        assert!(fault(|server| server.name = "a\nb".to_owned()).starts_with("name: "));
        assert!(fault(|server| server.name = "x".repeat(256)).starts_with("name: "));
    }

    #[test]
    fn a_floating_address_leads_to_a_port_of_the_server() {
        let chance = SeededChance::new(2);
        let told = fault(|server| {
            server.floating_ips.push(FloatingIp {
                id: FloatingIpId::random(&chance),
                address: IpAddr::from([203, 0, 113, 5]),
                fixed_ip_address: IpAddr::from([10, 0, 0, 5]),
                port_id: PortId::random(&chance),
                network_id: NetworkId::random(&chance),
            });
        });
        assert_eq!(told, "floating_ips: 203.0.113.5 leads to a port of another server");
    }

    #[test]
    fn a_server_without_disks_makes_sense() {
        let bare = Server { disks: Vec::new(), ..server() };
        assert_eq!(bare.check(), Ok(()));
        assert_eq!(bare.system_disk(), None);
    }

    #[test]
    fn devices_have_letters_as_far_as_letters_go() {
        assert_eq!(device_name(0).as_deref(), Some("/dev/vda"));
        assert_eq!(device_name(25).as_deref(), Some("/dev/vdz"));
        assert_eq!(device_name(26), None);
    }

    #[test]
    fn words_and_statuses_correspond() {
        for status in ServerStatus::ALL {
            assert_eq!(ServerStatus::parse(&status.as_str().to_lowercase()), Some(status));
        }
        assert_eq!(ServerStatus::parse("gone"), None);
    }
}
