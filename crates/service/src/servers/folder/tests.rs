//! Files that were put, written by hand, broken and left half written.

use serde_json::{Value, json};
use strongroom_model::chance::SeededChance;
use strongroom_model::server::{Flavor, ServerDisk, ServerStatus};
use strongroom_model::time::Timestamp;

use super::*;

fn server(seed: u64) -> Server {
    let chance = SeededChance::new(seed);
    Server {
        id: ServerId::random(&chance),
        project_id: ProjectId::parse("alpha").unwrap(),
        user_id: None,
        name: format!("server {seed}"),
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
        disks: vec![ServerDisk {
            volume_id: VolumeId::random(&chance),
            device: "/dev/vda".to_owned(),
            is_system: true,
        }],
        interfaces: Vec::new(),
        floating_ips: Vec::new(),
        metadata: Default::default(),
        tags: Default::default(),
        image_id: None,
        key_name: None,
        created_at: Timestamp::from_micros(i64::try_from(seed).unwrap()),
        updated_at: None,
        wants_power_on: None,
    }
}

fn folder() -> (tempfile::TempDir, ServerFolder) {
    let dir = tempfile::tempdir().unwrap();
    let folder = ServerFolder::open(dir.path().join("servers")).unwrap();
    (dir, folder)
}

fn ids(servers: &[Server]) -> Vec<ServerId> {
    servers.iter().map(|server| server.id).collect()
}

/// What is wrong with a file of these bytes in the place of that server.
fn fault(folder: &ServerFolder, id: ServerId, bytes: &[u8]) -> String {
    fs::write(folder.path(id), bytes).unwrap();
    match folder.find(id).unwrap_err() {
        InventoryError::Broken { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_put_is_found_and_listed_newest_first() {
    let (_dir, folder) = folder();
    let (old, new) = (server(1), server(2));
    for server in [&new, &old] {
        folder.put(server).unwrap();
    }
    assert_eq!(folder.find(old.id).unwrap(), Some(old.clone()));
    assert_eq!(ids(&folder.list(None).unwrap()), [new.id, old.id]);
    let nobody = ProjectId::parse("beta").unwrap();
    assert!(folder.list(Some(&nobody)).unwrap().is_empty());
    assert!(folder.remove(old.id).unwrap());
    assert!(!folder.remove(old.id).unwrap());
    assert_eq!(folder.find(old.id).unwrap(), None);
}

#[test]
fn a_file_is_a_document_that_people_can_read() {
    let (_dir, folder) = folder();
    let server = server(1);
    folder.put(&server).unwrap();
    let text = fs::read_to_string(folder.path(server.id)).unwrap();
    assert!(text.lines().count() > 20);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["server"]["status"], "active");
    assert_eq!(document["server"]["created_at"], "1970-01-01T00:00:00.000001Z");
}

#[test]
fn a_file_that_an_operator_adds_is_seen_at_once() {
    let (_dir, folder) = folder();
    assert!(folder.list(None).unwrap().is_empty());
    let id = server(1).id;
    let short = json!({"version": 1, "server": {
        "id": id.to_string(), "project_id": "alpha", "name": "by hand", "status": "shutoff",
        "availability_zone": "nova", "architecture": "aarch64",
        "flavor": {"id": "s", "name": "s", "vcpus": 2, "ram_mib": 512, "disk_gib": 0},
        "created_at": "2026-01-02T03:04:05Z",
    }});
    fs::write(folder.path(id), short.to_string()).unwrap();
    let found = folder.list(None).unwrap();
    assert_eq!((found[0].name.as_str(), found[0].disks.len()), ("by hand", 0));
}

#[test]
fn a_disk_belongs_to_one_server() {
    let (_dir, folder) = folder();
    let one = server(1);
    folder.put(&one).unwrap();
    folder.put(&one).unwrap();
    assert!(matches!(folder.add(&one), Err(InventoryError::Exists(id)) if id == one.id));
    let thief = Server { disks: one.disks.clone(), ..server(2) };
    let refused = folder.put(&thief).unwrap_err().to_string();
    let disk = one.disks[0].volume_id;
    assert_eq!(refused, format!("volume {disk} is a disk of server {}", one.id));
    folder.remove(one.id).unwrap();
    folder.add(&thief).unwrap();
}

#[test]
fn a_broken_file_is_told_of_and_spares_the_others() {
    let (_dir, folder) = folder();
    let (good, bad) = (server(1), server(2));
    folder.put(&good).unwrap();
    folder.put(&bad).unwrap();
    let whole = fs::read_to_string(folder.path(bad.id)).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(whole.contains(from), "{from}");
        whole.replace(from, to).into_bytes()
    };
    let table: [(Vec<u8>, &str); 8] = [
        (whole.as_bytes()[..50].to_vec(), "EOF while parsing"),
        (Vec::new(), "EOF while parsing"),
        (vec![0xff, 0xfe], "valid UTF-8"),
        (changed("\"version\": 1", "\"version\": 2"), "its version is 2, not 1"),
        (changed("\"tags\"", "\"tag\""), "unknown field `tag`"),
        (changed("\"active\"", "\"asleep\""), "unknown variant `asleep`"),
        (changed("\"alpha\"", "\"a/b\""), "project_id: 'a/b' is not a valid id"),
        (changed("\"is_system\": true", "\"is_system\": false"), "disks: one of them"),
    ];
    for (bytes, reason) in table {
        let told = fault(&folder, bad.id, &bytes);
        assert!(told.contains(reason), "{told}");
        let inventory = folder.read().unwrap();
        assert_eq!((ids(&inventory.servers), inventory.broken.len()), (vec![good.id], 1));
        assert_eq!(ids(&folder.list(None).unwrap()), [good.id]);
    }
    assert!(folder.remove(bad.id).unwrap());
}

#[test]
fn what_is_no_document_is_not_read() {
    let (_dir, folder) = folder();
    let one = server(1);
    folder.put(&one).unwrap();
    let text = fs::read(folder.path(one.id)).unwrap();
    let told = fault(&folder, server(2).id, &text);
    assert!(told.ends_with("belongs into another file"), "{told}");
    fs::create_dir(folder.path(server(3).id)).unwrap();
    for ignored in [".hidden.json", "notes.txt", "README"] {
        fs::write(folder.dir.join(ignored), "x").unwrap();
    }
    let inventory = folder.read().unwrap();
    assert_eq!((ids(&inventory.servers), inventory.broken.len()), (vec![one.id], 2));
    let large = vec![b' '; usize::try_from(MAX_FILE_BYTES).unwrap() + 1];
    assert!(fault(&folder, server(2).id, &large).contains("larger than"));
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let (_dir, folder) = folder();
    let one = server(1);
    folder.put(&one).unwrap();
    let refused = folder.change(one.id, |server| {
        server.name = "other".to_owned();
        Err(InventoryError::Io(io::Error::other("no")))
    });
    assert!(refused.is_err());
    assert_eq!(folder.find(one.id).unwrap(), Some(one.clone()));
    let changed = folder.change(one.id, |server| {
        server.name = "other".to_owned();
        Ok::<(), InventoryError>(())
    });
    assert_eq!(changed.unwrap().unwrap().name, "other");
    let missing = folder.change(server(2).id, |_| Ok::<(), InventoryError>(()));
    assert_eq!(missing.unwrap(), None);
}

#[test]
fn a_directory_that_is_gone_holds_nothing() {
    let (dir, folder) = folder();
    fs::remove_dir(&folder.dir).unwrap();
    assert!(folder.list(None).unwrap().is_empty());
    assert!(folder.put(&server(1)).is_err());
    drop(dir);
}

#[test]
fn half_written_documents_are_cleaned_away() {
    let (_dir, folder) = folder();
    folder.put(&server(1)).unwrap();
    fs::write(folder.dir.join("x.7-1.partial"), "{").unwrap();
    assert_eq!(folder.read().unwrap().broken.len(), 0);
    folder.clean().unwrap();
    let left = fs::read_dir(&folder.dir).unwrap().count();
    assert_eq!(left, 2, "one document and the lock");
}
