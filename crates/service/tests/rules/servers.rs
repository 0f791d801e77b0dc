//! The inventory: whose a server is, whose a disk, and which page of them is shown.

use std::collections::BTreeMap;

use strongroom_model::chance::SeededChance;
use strongroom_model::id::{ProjectId, ServerId};
use strongroom_model::identity::Role;
use strongroom_model::page::Start;
use strongroom_model::server::{Flavor, Server, ServerDisk, ServerStatus, device_name};
use strongroom_model::time::Timestamp;
use strongroom_model::volume::Volume;
use strongroom_service::servers::{ServerFilter, ServerListing};
use strongroom_service::volume::VolumeDeletion;
use strongroom_service::{Caller, CallerScope, Error};

use super::world::World;

pub(crate) fn project_of(caller: &Caller) -> ProjectId {
    match &caller.scope {
        CallerScope::Project(project) => project.clone(),
        other => panic!("{other:?}"),
    }
}

/// A server of the caller's project with these disks, made `seed` seconds after the epoch.
pub(crate) fn server(caller: &Caller, seed: u64, disks: &[&Volume]) -> Server {
    let disks = disks.iter().enumerate().map(|(at, volume)| ServerDisk {
        volume_id: volume.id,
        device: device_name(at).unwrap(),
        is_system: at == 0,
    });
    Server {
        id: ServerId::random(&SeededChance::new(seed)),
        project_id: project_of(caller),
        user_id: None,
        name: format!("Server {seed}"),
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
        disks: disks.collect(),
        interfaces: Vec::new(),
        floating_ips: Vec::new(),
        metadata: BTreeMap::new(),
        tags: BTreeMap::new(),
        image_id: None,
        key_name: None,
        created_at: Timestamp::from_micros(i64::try_from(seed).unwrap() * 1_000_000),
        updated_at: None,
        wants_power_on: None,
    }
}

fn listing() -> ServerListing {
    ServerListing { limit: 100, ..ServerListing::default() }
}

async fn names(world: &World, caller: &Caller, listing: ServerListing) -> Vec<String> {
    let page = world.service.servers(caller, listing).await.unwrap();
    page.items.into_iter().map(|server| server.name).collect()
}

#[tokio::test]
async fn another_projects_server_is_a_missing_one() {
    let world = World::new().await;
    let alpha = world.project("alpha", Role::Member).await;
    let beta = world.project("beta", Role::Admin).await;
    let kept = world.service.keep_server(server(&alpha, 1, &[])).await.unwrap();
    let id = kept.id.to_string();
    assert_eq!(world.service.server(&alpha, &id).await.unwrap(), kept);
    assert_eq!(world.service.server(&world.admin, &id).await.unwrap(), kept);
    for asked in [&id, "nonsense", "00000000-0000-4000-8000-000000000000"] {
        let refused = world.service.server(&beta, asked).await.unwrap_err();
        assert!(matches!(refused, Error::ServerNotFound(told) if told == asked));
    }
    let everyone = ServerListing { all_projects: true, ..listing() };
    assert!(names(&world, &beta, everyone.clone()).await.is_empty());
    assert_eq!(names(&world, &world.admin, everyone).await, ["Server 1"]);
    assert!(names(&world, &world.admin, listing()).await.is_empty());

    let project = project_of(&beta);
    let refused = world.service.project_server(&project, kept.id).await.unwrap_err();
    assert!(matches!(refused, Error::ServerNotFound(_)));
    let refused = world.service.forget_server(&project, kept.id).await.unwrap_err();
    assert!(matches!(refused, Error::ServerNotFound(_)));
    let refused = world.service.note_power_wish(&project, kept.id, true).await.unwrap_err();
    assert!(matches!(refused, Error::ServerNotFound(_)));
    let moved = Server { project_id: project, ..kept };
    let refused = world.service.keep_server(moved).await.unwrap_err();
    assert!(matches!(refused, Error::ServerNotFound(_)));
}

#[tokio::test]
async fn a_disk_is_a_volume_of_the_same_project() {
    let world = World::new().await;
    let alpha = world.project("alpha", Role::Member).await;
    let beta = world.project("beta", Role::Member).await;
    let (own, foreign) = (world.volume(&alpha).await, world.volume(&beta).await);
    let refused = world.service.keep_server(server(&alpha, 1, &[&own, &foreign])).await;
    assert!(
        matches!(refused.unwrap_err(), Error::VolumeNotFound(id) if id == foreign.id.to_string())
    );

    // Whatever an operator writes into a file, it opens no door to another project's volume.
    let sly = server(&alpha, 2, &[&own, &foreign]);
    world.service.server_folder().put(&sly).unwrap();
    let volumes = world.service.server_volumes(&sly).await.unwrap();
    assert_eq!(volumes, std::slice::from_ref(&own));
    let seen = world.service.attachments(&beta).await.unwrap();
    assert_eq!(seen.of_volume(&foreign), None);
    let seen = world.service.attachments(&world.admin).await.unwrap();
    assert_eq!(seen.of_volume(&foreign), None);
    let attachment = seen.of_volume(&own).unwrap();
    assert_eq!((attachment.server_id, attachment.device.as_str()), (sly.id, "/dev/vda"));
}

#[tokio::test]
async fn a_disk_has_one_server_and_stays_when_its_volume_goes() {
    let world = World::new().await;
    let alpha = world.project("alpha", Role::Member).await;
    let (first, second) = (world.volume(&alpha).await, world.volume(&alpha).await);
    let kept = world.service.keep_server(server(&alpha, 1, &[&first, &second])).await.unwrap();
    let refused = world.service.keep_server(server(&alpha, 2, &[&second])).await.unwrap_err();
    let told = format!("disks: volume {} is a disk of server {}", second.id, kept.id);
    assert_eq!(refused.to_string(), told);

    let gone = VolumeDeletion::default();
    world.service.delete_volume(&alpha, &second.id.to_string(), gone).await.unwrap();
    let refused = world.service.keep_server(server(&alpha, 3, &[&second])).await.unwrap_err();
    assert!(matches!(refused, Error::VolumeBusy { .. }), "{refused}");
    world.work().await;
    let kept = world.service.keep_server(kept).await.unwrap();
    assert_eq!(kept.updated_at, Some(world.service.now()));
    assert_eq!(world.service.server_volumes(&kept).await.unwrap(), [first]);
    world.service.forget_server(&kept.project_id, kept.id).await.unwrap();
    assert!(world.service.project_servers(&kept.project_id).await.unwrap().is_empty());
}

#[tokio::test]
async fn volumes_come_in_the_order_of_the_disks() {
    let world = World::new().await;
    let alpha = world.project("alpha", Role::Member).await;
    let (first, second) = (world.volume(&alpha).await, world.volume(&alpha).await);
    for disks in [[&first, &second], [&second, &first]] {
        let found = world.service.server_volumes(&server(&alpha, 1, &disks)).await.unwrap();
        assert_eq!(found, [disks[0].clone(), disks[1].clone()]);
    }
}

#[tokio::test]
async fn pages_follow_each_other() {
    let world = World::new().await;
    let alpha = world.project("alpha", Role::Member).await;
    let beta = world.project("beta", Role::Member).await;
    for seed in 1..=5 {
        world.service.keep_server(server(&alpha, seed, &[])).await.unwrap();
    }
    let foreign = world.service.keep_server(server(&beta, 9, &[])).await.unwrap();
    let (mut start, mut seen) = (Start::default(), Vec::new());
    loop {
        let wish = ServerListing { limit: 2, start, with_total: true, ..listing() };
        let page = world.service.servers(&alpha, wish).await.unwrap();
        assert_eq!(page.total, Some(5));
        let Some(last) = page.items.last() else { break };
        start = Start::After(last.id);
        seen.extend(page.items.into_iter().map(|server| server.name));
    }
    assert_eq!(seen, ["Server 5", "Server 4", "Server 3", "Server 2", "Server 1"]);
    let offset = ServerListing { start: Start::Offset(3), ..listing() };
    assert_eq!(names(&world, &alpha, offset).await, ["Server 2", "Server 1"]);
    let beyond = ServerListing { start: Start::Offset(u32::MAX), ..listing() };
    assert!(names(&world, &alpha, beyond).await.is_empty());
    let elsewhere = ServerListing { start: Start::After(foreign.id), ..listing() };
    let refused = world.service.servers(&alpha, elsewhere).await.unwrap_err();
    assert!(matches!(refused, Error::MarkerNotFound(id) if id == foreign.id.to_string()));
}

#[tokio::test]
async fn conditions_must_all_hold() {
    let world = World::new().await;
    let alpha = world.project("alpha", Role::Member).await;
    let volume = world.volume(&alpha).await;
    let one = world.service.keep_server(server(&alpha, 1, &[&volume])).await.unwrap();
    let off = Server { status: ServerStatus::Shutoff, ..server(&alpha, 11, &[]) };
    world.service.keep_server(off).await.unwrap();
    let name = |text: &str, at_start, at_end| ServerFilter::Name {
        text: text.to_owned(),
        at_start,
        at_end,
    };
    let table = [
        (vec![name("RVER 1", false, false)], vec!["Server 11", "Server 1"]),
        (vec![name("server 1", true, false)], vec!["Server 11", "Server 1"]),
        (vec![name("er 1", false, true)], vec!["Server 1"]),
        (vec![name("server 1", true, true)], vec!["Server 1"]),
        (vec![ServerFilter::Status(ServerStatus::Shutoff)], vec!["Server 11"]),
        (vec![ServerFilter::Disk(volume.id)], vec!["Server 1"]),
        (vec![ServerFilter::Ids(vec![one.id])], vec!["Server 1"]),
        (vec![ServerFilter::Ids(vec![])], vec![]),
        (vec![ServerFilter::Disk(volume.id), name("11", false, false)], vec![]),
        (vec![ServerFilter::Flavor("small".to_owned())], vec!["Server 11", "Server 1"]),
        (vec![ServerFilter::AvailabilityZone("other".to_owned())], vec![]),
    ];
    for (filters, expected) in table {
        let told = format!("{filters:?}");
        assert_eq!(
            names(&world, &alpha, ServerListing { filters, ..listing() }).await,
            expected,
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_restores_wish_is_noted() {
    let world = World::new().await;
    let alpha = world.project("alpha", Role::Member).await;
    let kept = world.service.keep_server(server(&alpha, 1, &[])).await.unwrap();
    assert_eq!(kept.wants_power_on, None);
    for wish in [true, false] {
        world.service.note_power_wish(&kept.project_id, kept.id, wish).await.unwrap();
        let shown = world.service.server(&alpha, &kept.id.to_string()).await.unwrap();
        assert_eq!(shown.wants_power_on, Some(wish));
    }
}

#[tokio::test]
async fn a_broken_file_is_no_server_and_no_failure() {
    let world = World::new().await;
    let alpha = world.project("alpha", Role::Member).await;
    let kept = world.service.keep_server(server(&alpha, 1, &[])).await.unwrap();
    world.service.keep_server(server(&alpha, 2, &[])).await.unwrap();
    std::fs::write(world.service.server_folder().path(kept.id), "{").unwrap();
    assert_eq!(names(&world, &alpha, listing()).await, ["Server 2"]);
    let refused = world.service.server(&alpha, &kept.id.to_string()).await.unwrap_err();
    assert!(matches!(refused, Error::ServerNotFound(_)));
}
