//! Objects as files below one folder.
//!
//! An object is written to a locked temporary file in the same tree, synced, linked to its name
//! (which fails if the name is taken) and the folder is synced. A failed sync is an error and never
//! tried again: the kernel may have dropped the pages it could not write.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};
use rustix::io::Errno;

use super::{Created, ObjectMeta, StoreError};

/// Where files are filled before they get their names.
const TEMP: &str = ".tmp";
/// How many folders are remembered as durable before the memory starts over.
const DURABLE_MAX: usize = 4096;
/// How often a folder that a concurrent delete removed is made again.
const RACE_MAX: u32 = 16;

/// A folder of objects.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// Distinguishes the temporary files of this process.
    serial: AtomicU64,
    /// Folders whose own names this process has synced; shared by all threads.
    durable: Mutex<HashSet<PathBuf>>,
}

impl Folder {
    pub(super) fn open(root: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(root)
            .map_err(|e| StoreError::from_io("create", &root.display().to_string(), e))?;
        let root = fs::canonicalize(root)
            .map_err(|e| StoreError::from_io("read", &root.display().to_string(), e))?;
        Ok(Self { root, serial: AtomicU64::new(0), durable: Mutex::default() })
    }

    pub(super) fn create(&self, name: &str, bytes: &[u8]) -> Result<Created, StoreError> {
        self.try_create(name, bytes).map_err(|e| StoreError::from_io("create", name, e))
    }

    fn try_create(&self, name: &str, bytes: &[u8]) -> io::Result<Created> {
        let path = self.path(name)?;
        let parent = path.parent().unwrap_or(&self.root);
        if path.try_exists()? {
            sync_folder(parent)?;
            return Ok(Created::Exists);
        }
        let temp = self.open_temp()?;
        let outcome = fill(&temp.file, bytes).and_then(|()| self.publish(&temp.path, &path));
        // The name may be gone already where it was renamed instead of linked.
        let _gone = fs::remove_file(&temp.path);
        let created = outcome?;
        sync_folder(parent)?;
        Ok(created)
    }

    /// Gives a filled file its name, making the folders on the way.
    fn publish(&self, temp: &Path, path: &Path) -> io::Result<Created> {
        let parent = path.parent().unwrap_or(&self.root);
        let mut tries = 0;
        loop {
            tries += 1;
            let named = self.make_durable(parent).and_then(|()| give_name(temp, path));
            match named {
                // A concurrent delete removed the folder because it was empty.
                Err(e) if e.kind() == io::ErrorKind::NotFound && tries < RACE_MAX => {
                    self.forget_durable();
                }
                named => return named,
            }
        }
    }

    pub(super) fn get(&self, name: &str) -> Result<Bytes, StoreError> {
        self.path(name)
            .and_then(fs::read)
            .map(Bytes::from)
            .map_err(|e| StoreError::from_io("read", name, e))
    }

    pub(super) fn get_range(&self, name: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        let read = || {
            let file = File::open(self.path(name)?)?;
            let end = range.end.min(file.metadata()?.len());
            read_span(&file, range.start.min(end)..end)
        };
        read().map_err(|e| StoreError::from_io("read", name, e))
    }

    pub(super) fn get_tail(&self, name: &str, count: u64) -> Result<(Bytes, u64), StoreError> {
        let read = || {
            let file = File::open(self.path(name)?)?;
            let len = file.metadata()?.len();
            Ok((read_span(&file, len.saturating_sub(count)..len)?, len))
        };
        read().map_err(|e| StoreError::from_io("read", name, e))
    }

    pub(super) fn size(&self, name: &str) -> Result<u64, StoreError> {
        self.path(name)
            .and_then(fs::metadata)
            .map(|meta| meta.len())
            .map_err(|e| StoreError::from_io("read", name, e))
    }

    pub(super) fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        let mut found = Vec::new();
        self.path(prefix)
            .and_then(|path| self.walk(&path, &mut found))
            .map_err(|e| StoreError::from_io("list", prefix, e))?;
        Ok(found)
    }

    fn walk(&self, folder: &Path, found: &mut Vec<ObjectMeta>) -> io::Result<()> {
        let entries = match fs::read_dir(folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if path.starts_with(self.root.join(TEMP)) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.walk(&path, found)?;
                continue;
            }
            let size_bytes = match entry.metadata() {
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                meta => meta?.len(),
            };
            if let Some(name) = path.strip_prefix(&self.root).ok().and_then(Path::to_str) {
                found.push(ObjectMeta { name: name.to_owned(), size_bytes });
            }
        }
        Ok(())
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), StoreError> {
        let remove = || {
            let path = self.path(name)?;
            match fs::remove_file(&path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
                removed => removed?,
            }
            let Some(parent) = path.parent() else {
                return Ok(());
            };
            sync_folder(parent)?;
            // A folder that still holds something refuses, which is what we want.
            if parent != self.root && fs::remove_dir(parent).is_ok() {
                self.forget_durable();
            }
            Ok(())
        };
        remove().map_err(|e| StoreError::from_io("delete", name, e))
    }

    pub(super) fn roots(&self) -> Result<Vec<String>, StoreError> {
        let list = || {
            let mut names = Vec::new();
            for entry in fs::read_dir(&self.root)? {
                let name = entry?.file_name();
                names.extend(name.to_str().filter(|n| *n != TEMP).map(str::to_owned));
            }
            Ok(names)
        };
        list().map_err(|e| StoreError::from_io("list", "", e))
    }

    pub(super) fn remove_leftovers(&self) -> Result<u64, StoreError> {
        let sweep = || {
            let mut removed = 0;
            let entries = match fs::read_dir(self.root.join(TEMP)) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(removed),
                entries => entries?,
            };
            for entry in entries {
                let path = entry?.path();
                let Ok(file) = File::open(&path) else {
                    continue;
                };
                if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                    removed += u64::from(fs::remove_file(&path).is_ok());
                }
            }
            Ok(removed)
        };
        sweep().map_err(|e| StoreError::from_io("delete", TEMP, e))
    }

    /// The file of an object; a name that could leave the folder is refused.
    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
        if name.split('/').all(is_plain) {
            return Ok(self.root.join(name));
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a name of an object"))
    }

    /// Opens a temporary file and locks it, so that nobody takes it for a leftover.
    fn open_temp(&self) -> io::Result<Temp> {
        loop {
            let serial = self.serial.fetch_add(1, Ordering::Relaxed);
            let path = self.root.join(TEMP).join(format!("{}-{serial}", std::process::id()));
            let opened = OpenOptions::new().write(true).create_new(true).open(&path);
            let file = match opened {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    // Not its parents: a root that went away, a file system that was unmounted say,
                    // must not be replaced by an empty one.
                    match fs::create_dir(self.root.join(TEMP)) {
                        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
                        _ => continue,
                    }
                }
                file => file?,
            };
            // A sweeper may have caught the file between its birth and its lock.
            let is_locked = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
            if is_locked && file.metadata()?.nlink() > 0 {
                return Ok(Temp { file, path });
            }
        }
    }

    /// Makes a folder and its parents, and syncs each name this process has not synced before.
    fn make_durable(&self, folder: &Path) -> io::Result<()> {
        if folder == self.root || self.durable().contains(folder) {
            return Ok(());
        }
        let parent = folder.parent().unwrap_or(&self.root);
        self.make_durable(parent)?;
        match fs::create_dir(folder) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => sync_folder(parent)?,
        }
        let mut durable = self.durable();
        if durable.len() >= DURABLE_MAX {
            durable.clear();
        }
        durable.insert(folder.to_owned());
        Ok(())
    }

    fn forget_durable(&self) {
        self.durable().clear();
    }

    fn durable(&self) -> std::sync::MutexGuard<'_, HashSet<PathBuf>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file being filled.
struct Temp {
    file: File,
    path: PathBuf,
}

fn fill(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Gives a filled file its name, unless that is taken.
fn give_name(temp: &Path, path: &Path) -> io::Result<Created> {
    let linked = match fs::hard_link(temp, path) {
        // Some file systems have no links but an exclusive rename.
        Err(e) if has_no_links(&e) => {
            renameat_with(CWD, temp, CWD, path, RenameFlags::NOREPLACE).map_err(io::Error::from)
        }
        linked => linked,
    };
    match linked {
        Ok(()) => Ok(Created::New),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(Created::Exists),
        Err(e) => Err(e),
    }
}

fn has_no_links(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS))
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn read_span(file: &File, span: Range<u64>) -> io::Result<Bytes> {
    let len = usize::try_from(span.end - span.start).map_err(io::Error::other)?;
    let mut buf = vec![0; len];
    file.read_exact_at(&mut buf, span.start)?;
    Ok(Bytes::from(buf))
}
