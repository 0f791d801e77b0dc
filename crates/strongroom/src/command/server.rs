//! `server …`: the inventory of servers, kept as files whether the service runs or not.

mod show;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use strongroom_model::chance::{Chance, SystemChance};
use strongroom_model::id::{FloatingIpId, NetworkId, PortId, ProjectId, ServerId, SubnetId};
use strongroom_model::server::{Flavor, FloatingIp, Interface, Server, ServerDisk, device_name};
use strongroom_model::time::{Clock, SystemClock, Timestamp};
use strongroom_service::folder::VolumeFolder;
use strongroom_service::servers::{Inventory, ServerFolder, derived_id};

use crate::args::{NewServer, Server as Verb};
use crate::report::Hint;

/// The variable that names the project of whoever types.
const PROJECT_VARIABLE: &str = "OS_PROJECT_ID";

/// Runs one verb.
pub(crate) fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Add(new) => {
            let project = project(&new, project_of_environment())?;
            let server = add(&new, project, SystemClock.now(), &SystemChance)?;
            show::added(&new.at, &server);
        }
        Verb::List { at, project } => {
            let mut inventory = open(&at.data)?.read()?;
            inventory.servers.retain(|server| {
                project.as_ref().is_none_or(|project| server.project_id == *project)
            });
            show::listed(&at, &inventory);
        }
        Verb::Show { at, server } => {
            let folder = open(&at.data)?;
            let id = find(folder.read()?, &server)?;
            let found = folder.find(id)?.with_context(|| format!("no server {server}"))?;
            show::shown(&at, &found);
        }
        Verb::Remove { at, server } => {
            let folder = open(&at.data)?;
            // By id also what cannot be read.
            let id = match ServerId::parse(&server) {
                Ok(id) => id,
                Err(_) => find(folder.read()?, &server)?,
            };
            ensure!(folder.remove(id)?, "no server {server}");
            show::removed(&at, id);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The inventory of a data directory, which must be one.
fn open(data: &Path) -> anyhow::Result<ServerFolder> {
    ensure_data(data)?;
    let dir = data.join("servers");
    ServerFolder::open(&dir).with_context(|| format!("cannot make {}", dir.display()))
}

fn ensure_data(data: &Path) -> anyhow::Result<()> {
    if !data.join("volumes").is_dir() {
        return Err(anyhow::anyhow!("{} is no data directory of `up`", data.display()))
            .context(Hint("name it with --data, or start `strongroom up` first".to_owned()));
    }
    Ok(())
}

/// Adds a server whose disks are there and nobody else's.
fn add(
    new: &NewServer,
    project: ProjectId,
    now: Timestamp,
    chance: &dyn Chance,
) -> anyhow::Result<Server> {
    let folder = open(&new.at.data)?;
    let volumes = VolumeFolder::open(new.at.data.join("volumes"))?;
    for disk in &new.disks {
        let file = volumes.volume(disk.volume_id);
        ensure!(file.is_file(), "no volume {}: {} is missing", disk.volume_id, file.display());
    }
    let id = new.id.unwrap_or_else(|| ServerId::random(chance));
    let (interfaces, floating_ips) = networks(new, id)?;
    let server = Server {
        id,
        project_id: project,
        user_id: new.user.clone(),
        name: new.name.clone(),
        status: new.status,
        availability_zone: new.az.clone(),
        architecture: new.arch.clone(),
        flavor: Flavor {
            id: new.flavor.clone(),
            name: new.flavor.clone(),
            vcpus: new.vcpus,
            ram_mib: new.ram,
            disk_gib: 0,
        },
        disks: disks(new)?,
        interfaces,
        floating_ips,
        metadata: Default::default(),
        tags: new.tags.iter().cloned().collect(),
        image_id: None,
        key_name: None,
        created_at: now,
        updated_at: None,
        wants_power_on: None,
    };
    folder.add(&server)?;
    Ok(server)
}

/// The disks in the order in which they were named.
fn disks(new: &NewServer) -> anyhow::Result<Vec<ServerDisk>> {
    let is_said = new.disks.iter().any(|disk| disk.is_system);
    let disks = new.disks.iter().enumerate().map(|(at, disk)| {
        Ok(ServerDisk {
            volume_id: disk.volume_id,
            device: device_name(at).context("these are more disks than a server may have")?,
            is_system: if is_said { disk.is_system } else { at == 0 },
        })
    });
    disks.collect()
}

/// A network for each address, with ids that follow from the server's.
fn networks(new: &NewServer, id: ServerId) -> anyhow::Result<(Vec<Interface>, Vec<FloatingIp>)> {
    let mut interfaces = Vec::new();
    for (at, address) in new.networks.iter().enumerate() {
        let derived = |what: &str| derived_id(id, &format!("{what} {at}"));
        let port_id = PortId::parse(&derived("port"))?;
        let [.., a, b, c] = *port_id.0.as_bytes();
        interfaces.push(Interface {
            port_id,
            network_id: NetworkId::parse(&derived("network"))?,
            subnet_id: SubnetId::parse(&derived("subnet"))?,
            ip_address: *address,
            mac_address: format!("fa:16:3e:{a:02x}:{b:02x}:{c:02x}"),
        });
    }
    let floating = match (new.floating_ip, interfaces.first()) {
        (Some(address), Some(first)) => vec![FloatingIp {
            id: FloatingIpId::parse(&derived_id(id, "floating address"))?,
            address,
            fixed_ip_address: first.ip_address,
            port_id: first.port_id,
            network_id: NetworkId::parse(&derived_id(id, "outer network"))?,
        }],
        _ => Vec::new(),
    };
    Ok((interfaces, floating))
}

/// Whose the new server is: what was said, else the environment's project, else the one that
/// `up` wrote down.
fn project(new: &NewServer, environment: Option<String>) -> anyhow::Result<ProjectId> {
    if let Some(project) = &new.project {
        return Ok(project.clone());
    }
    if let Some(text) = environment.filter(|text| !text.is_empty()) {
        return ProjectId::parse(&text)
            .with_context(|| format!("{PROJECT_VARIABLE} is no project"));
    }
    let openrc = new.at.data.join("openrc");
    let text = fs::read_to_string(&openrc).unwrap_or_default();
    let prefix = format!("export {PROJECT_VARIABLE}=");
    text.lines()
        .find_map(|line| line.strip_prefix(&prefix))
        .and_then(|id| ProjectId::parse(id.trim().trim_matches(['"', '\''])).ok())
        .with_context(|| Hint("name it with --project".to_owned()))
        .with_context(|| format!("whose the server is says neither {PROJECT_VARIABLE} nor openrc"))
}

fn project_of_environment() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the binary")]
    std::env::var(PROJECT_VARIABLE).ok()
}

/// The server of that id, or the only one of that name.
fn find(inventory: Inventory, wanted: &str) -> anyhow::Result<ServerId> {
    if let Ok(id) = ServerId::parse(wanted) {
        return Ok(id);
    }
    let mut named = inventory.servers.into_iter().filter(|server| server.name == wanted);
    match (named.next(), named.next()) {
        (Some(only), None) => Ok(only.id),
        (None, _) => bail!("no server {wanted}"),
        (Some(_), Some(_)) => bail!("several servers are named {wanted}; say which by its id"),
    }
}

#[cfg(test)]
mod tests;
