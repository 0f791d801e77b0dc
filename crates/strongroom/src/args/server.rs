//! What is typed to keep the inventory of servers.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as ClapArgs, Subcommand};
use strongroom_model::id::{ProjectId, ServerId, UserId, VolumeId};
use strongroom_model::server::ServerStatus;

/// The inventory's verbs. They work on files, whether the service runs or not.
#[derive(Debug, Subcommand)]
pub(crate) enum Server {
    /// Add a server: a name for volumes that are backed up and restored together.
    Add(Box<NewServer>),
    /// List the servers, and the files that describe none.
    List {
        #[command(flatten)]
        at: ServerPlace,
        /// Only those of this project.
        #[arg(long, value_name = "ID", value_parser = ProjectId::parse)]
        project: Option<ProjectId>,
    },
    /// Show a server.
    Show {
        #[command(flatten)]
        at: ServerPlace,
        /// Its id, or its name if no other server has that.
        server: String,
    },
    /// Take a server out of the inventory; its volumes stay.
    Remove {
        #[command(flatten)]
        at: ServerPlace,
        /// Its id, or its name if no other server has that.
        server: String,
    },
}

/// Where the inventory is, and how it is printed.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct ServerPlace {
    /// Where everything is kept, as for `up`.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(crate) data: PathBuf,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A server to be added.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct NewServer {
    #[command(flatten)]
    pub(crate) at: ServerPlace,
    /// Name of the server.
    #[arg(long)]
    pub(crate) name: String,
    /// The project that owns it; if absent that of OS_PROJECT_ID, else that of DIR/openrc.
    #[arg(long, value_name = "ID", value_parser = ProjectId::parse)]
    pub(crate) project: Option<ProjectId>,
    /// A volume that is a disk of it; the first is the system's unless another says `:system`.
    #[arg(long = "disk", value_name = "VOLUME_ID[:system]")]
    pub(crate) disks: Vec<DiskArgument>,
    /// Its id; a new one if absent.
    #[arg(long, value_name = "UUID", value_parser = ServerId::parse)]
    pub(crate) id: Option<ServerId>,
    /// The user who made it.
    #[arg(long, value_name = "ID", value_parser = UserId::parse)]
    pub(crate) user: Option<UserId>,
    /// Whether it is `active`, `shutoff` or in `error`.
    #[arg(long, default_value = "active", value_parser = status)]
    pub(crate) status: ServerStatus,
    /// Id and name of its flavor.
    #[arg(long, value_name = "NAME", default_value = "m1.small")]
    pub(crate) flavor: String,
    /// Its processors.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) vcpus: u32,
    /// Its memory in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    pub(crate) ram: u32,
    /// The zone it runs in.
    #[arg(long, value_name = "ZONE", default_value = "nova")]
    pub(crate) az: String,
    /// The kind of its processors.
    #[arg(long, value_name = "ARCH", default_value = "x86_64")]
    pub(crate) arch: String,
    /// An address that it has in a network of its own; the ids of network, subnet and port follow
    /// from the server's id.
    #[arg(long = "network", value_name = "ADDRESS")]
    pub(crate) networks: Vec<IpAddr>,
    /// An address from outside that leads to its first network's.
    #[arg(long, value_name = "ADDRESS", requires = "networks")]
    pub(crate) floating_ip: Option<IpAddr>,
    /// A tag.
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) tags: Vec<(String, String)>,
}

/// A volume as it is named for a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DiskArgument {
    /// The volume.
    pub(crate) volume_id: VolumeId,
    /// Whether it was said to be the system's.
    pub(crate) is_system: bool,
}

impl FromStr for DiskArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, is_system) = match text.split_once(':') {
            None => (text, false),
            Some((id, "system")) => (id, true),
            Some((_, other)) => return Err(format!("'{other}' is not `system`")),
        };
        let volume_id = VolumeId::parse(id).map_err(|error| error.to_string())?;
        Ok(Self { volume_id, is_system })
    }
}

fn status(word: &str) -> Result<ServerStatus, String> {
    ServerStatus::parse(word).ok_or_else(|| "it is active, shutoff or error".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("it is no KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00000000-0000-4000-8000-000000000001";

    #[test]
    fn a_disk_is_a_volume_and_perhaps_the_systems() {
        let parse = |text: &str| text.parse::<DiskArgument>();
        assert!(!parse(ID).unwrap().is_system);
        assert!(parse(&format!("{ID}:system")).unwrap().is_system);
        for bad in ["", "disk", ":system", &format!("{ID}:boot"), &format!("{ID}:")] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tag_has_a_key() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(pair("a="), Ok(("a".to_owned(), String::new())));
        for bad in ["", "a", "=b"] {
            assert!(pair(bad).is_err(), "{bad}");
        }
    }
}
