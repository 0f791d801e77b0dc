//! The verbs on a data directory that no service ever used.

use clap::Parser;
use strongroom_model::chance::SeededChance;
use strongroom_model::id::VolumeId;

use super::*;
use crate::args::{Args, Command};

const PROJECT: &str = "b23b579f08c84228b9b4673c46f0c442";

/// A data directory with two volumes.
struct Place {
    dir: tempfile::TempDir,
    volumes: [VolumeId; 2],
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let chance = SeededChance::new(1);
        let volumes = [VolumeId::random(&chance), VolumeId::random(&chance)];
        let folder = VolumeFolder::open(dir.path().join("volumes")).unwrap();
        for id in volumes {
            folder.create(&folder.volume(id), 4096).unwrap();
        }
        Self { dir, volumes }
    }

    fn typed(&self, options: &[&str]) -> NewServer {
        let data = self.dir.path().to_str().unwrap();
        let mut line = vec!["strongroom", "server", "add", "--data", data, "--name", "web"];
        line.extend(options);
        match Args::try_parse_from(line).unwrap().command {
            Command::Server(Verb::Add(new)) => *new,
            other => panic!("{other:?}"),
        }
    }

    fn add(&self, options: &[&str]) -> anyhow::Result<Server> {
        let new = self.typed(options);
        let project = ProjectId::parse(PROJECT).unwrap();
        add(&new, project, Timestamp::from_micros(1), &SeededChance::new(2))
    }

    fn disk(&self, at: usize) -> String {
        format!("--disk={}", self.volumes[at])
    }

    fn folder(&self) -> ServerFolder {
        open(self.dir.path()).unwrap()
    }
}

fn refusal<T: std::fmt::Debug>(result: anyhow::Result<T>) -> String {
    format!("{:#}", result.unwrap_err())
}

#[test]
fn the_first_disk_is_the_systems_unless_another_is_said_to_be() {
    let place = Place::new();
    let server = place.add(&[&place.disk(0), &place.disk(1)]).unwrap();
    assert_eq!(server.disks[0].device, "/dev/vda");
    assert_eq!(server.disks[1].device, "/dev/vdb");
    assert_eq!(server.system_disk().unwrap().volume_id, place.volumes[0]);
    assert_eq!(place.folder().find(server.id).unwrap(), Some(server.clone()));
    place.folder().remove(server.id).unwrap();

    let said = place.add(&[&place.disk(0), &format!("{}:system", place.disk(1))]).unwrap();
    assert_eq!(said.system_disk().unwrap().volume_id, place.volumes[1]);
    place.folder().remove(said.id).unwrap();

    let both = [0, 1].map(|at| format!("{}:system", place.disk(at)));
    let told = refusal(place.add(&[&both[0], &both[1]]));
    assert_eq!(told, "disks: one of them is the system's, not 2");
}

#[test]
fn a_disk_must_be_there_and_free() {
    let place = Place::new();
    let missing = VolumeId::random(&SeededChance::new(9));
    let told = refusal(place.add(&[&format!("--disk={missing}")]));
    assert!(told.starts_with(&format!("no volume {missing}: ")), "{told}");
    let first = place.add(&[&place.disk(0)]).unwrap();
    let id = "--id=00000000-0000-4000-8000-000000000001";
    let told = refusal(place.add(&[id, &place.disk(1), &place.disk(0)]));
    assert_eq!(told, format!("volume {} is a disk of server {}", place.volumes[0], first.id));
    let told = refusal(place.add(&[id, &place.disk(1), &place.disk(1)]));
    assert!(told.ends_with("is there twice"), "{told}");
    let told = refusal(place.add(&[&format!("--id={}", first.id)]));
    assert_eq!(told, format!("server {} exists", first.id));
    assert_eq!(place.folder().read().unwrap().servers, [first]);
}

#[test]
fn ids_in_networks_follow_from_the_servers() {
    let place = Place::new();
    let options = ["--network=10.0.0.5", "--network=fd00::5", "--floating-ip=203.0.113.5"];
    let first = place.add(&options).unwrap();
    place.folder().remove(first.id).unwrap();
    let again = place.add(&options).unwrap();
    assert_eq!(first, again);
    let [one, two] = &first.interfaces[..] else { panic!("{first:?}") };
    assert_ne!((one.port_id, one.network_id), (two.port_id, two.network_id));
    assert_eq!(one.mac_address.len(), 17);
    assert!(one.mac_address.starts_with("fa:16:3e:"));
    assert_eq!(first.floating_ips[0].port_id, one.port_id);
    assert_eq!(first.floating_ips[0].fixed_ip_address.to_string(), "10.0.0.5");
}

#[test]
fn the_project_is_said_or_the_environments_or_that_of_up() {
    let place = Place::new();
    let told = refusal(project(&place.typed(&[]), None));
    assert!(told.contains("neither OS_PROJECT_ID nor openrc"), "{told}");
    let text = format!("export OS_USERNAME=admin\nexport OS_PROJECT_ID={PROJECT}\n");
    fs::write(place.dir.path().join("openrc"), text).unwrap();
    let found = |options: &[&str], environment: Option<&str>| {
        let environment = environment.map(str::to_owned);
        project(&place.typed(options), environment).unwrap().to_string()
    };
    assert_eq!(found(&[], None), PROJECT);
    assert_eq!(found(&[], Some("")), PROJECT);
    assert_eq!(found(&[], Some("other")), "other");
    assert_eq!(found(&["--project=said"], Some("other")), "said");
    assert!(project(&place.typed(&[]), Some("no project".to_owned())).is_err());
}

#[test]
fn a_server_is_found_by_id_and_by_a_name_of_its_own() {
    let place = Place::new();
    let one = place.add(&["--tag=role=web", "--status=SHUTOFF"]).unwrap();
    assert_eq!(one.tags["role"], "web");
    let inventory = || place.folder().read().unwrap();
    assert_eq!(find(inventory(), "web").unwrap(), one.id);
    assert_eq!(find(inventory(), &one.id.to_string()).unwrap(), one.id);
    assert_eq!(refusal(find(inventory(), "db")), "no server db");
    place.add(&["--id=00000000-0000-4000-8000-000000000001"]).unwrap();
    assert!(refusal(find(inventory(), "web")).starts_with("several servers"));
}

#[test]
fn a_directory_that_up_never_used_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let told = refusal(open(dir.path()));
    assert!(told.contains("is no data directory"), "{told}");
    assert!(!dir.path().join("servers").exists());
}
