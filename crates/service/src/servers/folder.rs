//! The inventory of servers: one JSON document for each in one directory, `ID.json`.
//!
//! It is read anew whenever it is asked, so an operator may add, change and remove files while the
//! service runs. A file is `{"version": 1, "server": {…}}` with the fields of [`Server`]; a field
//! that is not one of them is refused, so that a slip of the pen is not passed over. A file that
//! cannot be understood is left out of lists, and the log says so once. Every function here blocks
//! and is called from a thread that may.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use strongroom_model::id::{ProjectId, ServerId, VolumeId};
use strongroom_model::server::Server;

use crate::folder;

/// The version of the files that are written, and the only one that is read.
const VERSION: u32 = 1;

/// The most bytes of a file that are read; more is no server.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The file that is locked while the inventory is changed.
const LOCK: &str = ".lock";

/// Why the inventory could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// A file is not a server's.
    #[error("{} describes no server: {reason}", .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The server to be kept makes no sense.
    #[error(transparent)]
    Invalid(#[from] strongroom_model::server::InvalidServer),
    /// A server of that id is there already.
    #[error("server {0} exists")]
    Exists(ServerId),
    /// A volume is the disk of one server at most.
    #[error("volume {volume} is a disk of server {server}")]
    DiskTaken {
        /// The volume.
        volume: VolumeId,
        /// Whose disk it is.
        server: ServerId,
    },
    /// The directory or a file cannot be read or written.
    #[error("the inventory of servers is unavailable")]
    Io(#[from] io::Error),
}

/// What the directory holds.
#[derive(Debug, Default)]
pub struct Inventory {
    /// The servers, newest first.
    pub servers: Vec<Server>,
    /// The files that describe none.
    pub broken: Vec<InventoryError>,
}

/// A directory of servers' documents. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ServerFolder {
    dir: PathBuf,
    /// The broken files that the log knows of.
    told: Arc<Mutex<BTreeSet<String>>>,
}

/// A file of the directory.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    server: Server,
}

/// The part of a file that is the same in every version.
#[derive(Debug, Deserialize)]
struct AnyDocument {
    version: u32,
}

impl ServerFolder {
    /// Opens the directory, making it if it is not there.
    pub fn open(dir: impl Into<PathBuf>) -> io::Result<Self> {
        let dir = dir.into();
        fs::create_dir_all(&dir)?;
        Ok(Self { dir, told: Arc::default() })
    }

    /// Where a server's document is.
    pub fn path(&self, id: ServerId) -> PathBuf {
        self.dir.join(format!("{id}.json"))
    }

    /// Everything that the directory holds, and what in it cannot be understood.
    pub fn read(&self) -> Result<Inventory, InventoryError> {
        let mut inventory = Inventory::default();
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(inventory),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
            if is_hidden || path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match read_file(&path) {
                Ok(Some(server)) => inventory.servers.push(server),
                // Removed since the directory was read.
                Ok(None) => {}
                Err(error) => inventory.broken.push(error),
            }
        }
        inventory.servers.sort_by_key(|server| (server.created_at, server.id));
        inventory.servers.reverse();
        Ok(inventory)
    }

    /// The servers of a project, or of all, newest first. Broken files are told to the log.
    pub fn list(&self, project: Option<&ProjectId>) -> Result<Vec<Server>, InventoryError> {
        let Inventory { mut servers, broken } = self.read()?;
        self.tell(&broken);
        servers.retain(|server| project.is_none_or(|project| server.project_id == *project));
        Ok(servers)
    }

    /// One server; `None` if there is no file of that id. A file that is broken is an error.
    pub fn find(&self, id: ServerId) -> Result<Option<Server>, InventoryError> {
        read_file(&self.path(id))
    }

    /// Keeps a server, in place of what was kept of it. Each of its disks must be free or its own.
    pub fn put(&self, server: &Server) -> Result<(), InventoryError> {
        let _lock = self.lock()?;
        self.put_locked(server)
    }

    /// Keeps a server of which nothing is kept yet, under the same condition.
    pub fn add(&self, server: &Server) -> Result<(), InventoryError> {
        let _lock = self.lock()?;
        if self.path(server.id).try_exists()? {
            return Err(InventoryError::Exists(server.id));
        }
        self.put_locked(server)
    }

    /// Changes a server that is there; `None` if it is not. Nobody else changes the inventory in
    /// between, and an error of `change` leaves everything as it was.
    pub fn change<E: From<InventoryError>>(
        &self,
        id: ServerId,
        change: impl FnOnce(&mut Server) -> Result<(), E>,
    ) -> Result<Option<Server>, E> {
        let _lock = self.lock()?;
        let Some(mut server) = self.find(id)? else {
            return Ok(None);
        };
        change(&mut server)?;
        server.id = id;
        self.put_locked(&server)?;
        Ok(Some(server))
    }

    /// Removes a server from the inventory, readable or not, and says whether it was there. Its
    /// disks stay.
    pub fn remove(&self, id: ServerId) -> Result<bool, InventoryError> {
        let _lock = self.lock()?;
        let path = self.path(id);
        let was_there = path.try_exists()?;
        folder::delete(&self.dir, &path)?;
        Ok(was_there)
    }

    /// Removes what a crash left half written.
    pub fn clean(&self) -> io::Result<()> {
        folder::clean(&self.dir)
    }

    fn put_locked(&self, server: &Server) -> Result<(), InventoryError> {
        server.check()?;
        let others = self.read()?.servers.into_iter().filter(|other| other.id != server.id);
        for other in others {
            if let Some(disk) =
                server.disks.iter().find(|disk| other.disk(disk.volume_id).is_some())
            {
                return Err(InventoryError::DiskTaken { volume: disk.volume_id, server: other.id });
            }
        }
        let document = Document { version: VERSION, server: server.clone() };
        let mut text = serde_json::to_string_pretty(&document).map_err(io::Error::from)?;
        text.push('\n');
        folder::publish(&self.dir, &self.path(server.id), |mut file| {
            file.write_all(text.as_bytes())
        })?;
        Ok(())
    }

    /// Waits for whoever changes the inventory, also in another process.
    fn lock(&self) -> Result<File, InventoryError> {
        let file = File::create(self.dir.join(LOCK))?;
        flock(&file, FlockOperation::LockExclusive).map_err(io::Error::from)?;
        Ok(file)
    }

    /// Writes to the log what is wrong now and was not the last time.
    fn tell(&self, broken: &[InventoryError]) {
        let texts: BTreeSet<String> = broken.iter().map(ToString::to_string).collect();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for text in texts.difference(&told) {
            tracing::warn!("{text}; it is left out");
        }
        *told = texts;
    }
}

fn read_file(path: &Path) -> Result<Option<Server>, InventoryError> {
    let broken = |reason: String| InventoryError::Broken { path: path.to_owned(), reason };
    let text = match read_text(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|error| broken(error.to_string()))?,
    };
    let AnyDocument { version } =
        serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    if version != VERSION {
        return Err(broken(format!("its version is {version}, not {VERSION}")));
    }
    let Document { server, .. } =
        serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    server.check().map_err(|error| broken(error.to_string()))?;
    if path.file_name().is_none_or(|name| *name != *format!("{}.json", server.id)) {
        return Err(broken(format!("a server of id {} belongs into another file", server.id)));
    }
    Ok(Some(server))
}

fn read_text(path: &Path) -> io::Result<String> {
    // Looked at before it is opened: opening a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let file = File::open(path)?;
    let mut text = String::new();
    if file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)? as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other(format!("it is larger than {MAX_FILE_BYTES} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
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
}
