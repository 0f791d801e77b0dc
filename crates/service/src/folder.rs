//! The folder source: volumes and snapshots as sparse raw files in one directory.
//!
//! A file appears under its name only when it is whole and on disk: it is made under a name that
//! starts with a dot, synced, and renamed. Every function here blocks and is called from a thread
//! that may.

mod freeze;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FlockOperation, SeekFrom, flock, ioctl_ficlone, seek};
use strongroom_model::id::{BackupId, SnapshotId, VolumeId};

pub use freeze::{Part, Point};

/// The most bytes that one copy call moves.
const COPY_STEP_BYTES: u64 = 64 << 20;

/// Tells the half made files of this process apart.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// A directory of raw disk images.
#[derive(Debug, Clone)]
pub struct VolumeFolder {
    dir: PathBuf,
}

impl VolumeFolder {
    /// Opens the directory, making it if it is not there.
    pub fn open(dir: impl Into<PathBuf>) -> io::Result<Self> {
        let dir = dir.into();
        fs::create_dir_all(&dir)?;
        Ok(Self { dir })
    }

    /// Where a volume's bytes are.
    pub fn volume(&self, id: VolumeId) -> PathBuf {
        self.dir.join(format!("{id}.raw"))
    }

    /// Where a snapshot's bytes are.
    pub fn snapshot(&self, id: SnapshotId) -> PathBuf {
        self.dir.join(format!("snapshot-{id}.raw"))
    }

    /// Where the frozen copy of a volume in use stays while it is backed up.
    pub fn frozen(&self, id: BackupId) -> PathBuf {
        self.dir.join(format!("backup-{id}.raw"))
    }

    /// The backups of which there are frozen copies.
    pub fn frozen_backups(&self) -> io::Result<Vec<BackupId>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.strip_prefix("backup-"));
            let id = id.and_then(|id| id.strip_suffix(".raw"));
            found.extend(id.and_then(|id| BackupId::parse(id).ok()));
        }
        Ok(found)
    }

    /// Makes a file of `size_bytes` zeros, all hole. One that exists is replaced.
    pub fn create(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        self.publish(path, |file| file.set_len(size_bytes))
    }

    /// Makes `to` a copy of `from`, extended with zeros to `size_bytes`: a reflink where the file
    /// system can, else a copy of its data without its holes. A file that is larger is refused.
    ///
    /// Returns whether the copy may mix states, because `from` was written to while it was copied.
    pub fn copy(&self, from: &Path, to: &Path, size_bytes: u64) -> io::Result<bool> {
        let source = File::open(from)?;
        if source.metadata()?.len() > size_bytes {
            return Err(io::Error::other("the file is larger than the volume"));
        }
        let before = source.metadata()?.modified()?;
        let mut is_torn = false;
        self.publish(to, |file| {
            if ioctl_ficlone(file, &source).is_err() {
                file.set_len(0)?;
                copy_data(&source, file)?;
                is_torn = source.metadata()?.modified()? != before;
            }
            file.set_len(size_bytes)
        })?;
        Ok(is_torn)
    }

    /// Makes a volume larger; its new end is a hole.
    pub fn extend(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        if file.metadata()?.len() < size_bytes {
            file.set_len(size_bytes)?;
        }
        file.sync_all()
    }

    /// Discards what a file holds: `size_bytes` zeros take its place. One that is gone stays so.
    pub fn empty(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        let file = match OpenOptions::new().write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        file.set_len(0)?;
        file.set_len(size_bytes)?;
        file.sync_all()
    }

    /// Removes a file; one that is gone is fine.
    pub fn delete(&self, path: &Path) -> io::Result<()> {
        delete(&self.dir, path)
    }

    /// Removes what a crash left half made. What another process is filling is locked and stays.
    pub fn clean(&self) -> io::Result<()> {
        clean(&self.dir)
    }

    fn publish(&self, path: &Path, fill: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        publish(&self.dir, path, fill)
    }
}

/// Removes a file of a directory for good; one that is gone is fine.
pub(crate) fn delete(dir: &Path, path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => sync_dir(dir),
    }
}

/// Removes what a crash left half made in a directory, and not what is being filled.
pub(crate) fn clean(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let is_partial = path.extension().is_some_and(|extension| extension == "partial");
        // One that cannot be opened has just been renamed by its maker, or removed.
        let Some(file) = is_partial.then(|| File::open(&path).ok()).flatten() else {
            continue;
        };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            delete(dir, &path)?;
        }
    }
    Ok(())
}

/// Makes a file of a directory: it appears under its name when it is whole and on disk.
pub(crate) fn publish(
    dir: &Path,
    path: &Path,
    fill: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    let (file, partial) = open_partial(path)?;
    let filled = fill(&file).and_then(|()| file.sync_all());
    let published = filled.and_then(|()| fs::rename(&partial, path));
    if published.is_err() {
        drop(fs::remove_file(&partial));
    }
    published?;
    sync_dir(dir)
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Makes the file that is to become `path` and locks it, so that nobody takes it for a leftover.
fn open_partial(path: &Path) -> io::Result<(File, PathBuf)> {
    loop {
        // Of its own for each copy: one that was given up may still be writing.
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let partial = path.with_extension(format!("{}-{serial}.partial", std::process::id()));
        let file = match OpenOptions::new().write(true).create_new(true).open(&partial) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            opened => opened?,
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) if file.metadata()?.nlink() > 0 => return Ok((file, partial)),
            // Another node's cleaning has caught the file between its birth and its lock.
            Ok(()) | Err(rustix::io::Errno::WOULDBLOCK) => {}
            Err(error) => {
                drop(fs::remove_file(&partial));
                return Err(error.into());
            }
        }
    }
}

/// Copies the data extents of `from` to the same places in `to`.
fn copy_data(from: &File, to: &File) -> io::Result<()> {
    let mut offset = 0;
    while let Some((start, end)) = next_data(from, offset)? {
        let (mut read_at, mut write_at) = (start, start);
        while read_at < end {
            let step = usize::try_from((end - read_at).min(COPY_STEP_BYTES)).unwrap_or(usize::MAX);
            let copied = rustix::fs::copy_file_range(
                from,
                Some(&mut read_at),
                to,
                Some(&mut write_at),
                step,
            )?;
            if copied == 0 {
                break;
            }
        }
        offset = end;
    }
    Ok(())
}

/// The next extent of data at or after `offset`, or `None` at the end.
fn next_data(file: &File, offset: u64) -> io::Result<Option<(u64, u64)>> {
    let start = match seek(file, SeekFrom::Data(offset)) {
        Ok(start) => start,
        Err(rustix::io::Errno::NXIO) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some((start, seek(file, SeekFrom::Hole(start))?)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use strongroom_model::chance::SeededChance;

    use super::*;

    fn folder() -> (tempfile::TempDir, VolumeFolder, VolumeId) {
        let dir = tempfile::tempdir().unwrap();
        let folder = VolumeFolder::open(dir.path()).unwrap();
        let id = VolumeId::random(&SeededChance::new(1));
        (dir, folder, id)
    }

    #[test]
    fn a_new_volume_is_all_hole() {
        let (_dir, folder, id) = folder();
        folder.create(&folder.volume(id), 1 << 30).unwrap();
        let meta = fs::metadata(folder.volume(id)).unwrap();
        assert_eq!((meta.len(), meta.blocks()), (1 << 30, 0));
    }

    #[test]
    fn an_emptied_file_is_zeros_and_a_missing_one_stays_away() {
        let (_dir, folder, id) = folder();
        let path = folder.volume(id);
        folder.empty(&path, 70_000).unwrap();
        assert!(!path.exists());
        fs::write(&path, vec![7; 70_000]).unwrap();
        folder.empty(&path, 70_000).unwrap();
        assert_eq!(fs::read(&path).unwrap(), vec![0; 70_000]);
    }

    #[test]
    fn a_copy_has_the_same_bytes_and_stays_sparse() {
        let (_dir, folder, id) = folder();
        let (from, to) = (folder.volume(id), folder.dir.join("copy.raw"));
        folder.create(&from, 8 << 20).unwrap();
        let file = OpenOptions::new().write(true).open(&from).unwrap();
        file.write_all_at(b"here", 5 << 20).unwrap();
        let is_torn = folder.copy(&from, &to, 16 << 20).unwrap();
        assert!(!is_torn);
        let (copy, original) = (fs::read(&to).unwrap(), fs::read(&from).unwrap());
        assert_eq!(copy.len(), 16 << 20);
        assert_eq!(copy[..8 << 20], original[..]);
        assert!(fs::metadata(&to).unwrap().blocks() * 512 < 1 << 20);
    }

    #[test]
    fn a_copy_never_cuts_its_original() {
        let (dir, folder, id) = folder();
        folder.create(&folder.volume(id), 2).unwrap();
        assert!(folder.copy(&folder.volume(id), &folder.dir.join("copy.raw"), 1).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_copy_leaves_nothing() {
        let (dir, folder, id) = folder();
        let missing = folder.volume(id);
        assert!(folder.copy(&missing, &folder.dir.join("copy.raw"), 1).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn deleting_twice_is_fine_and_cleaning_spares_whole_files() {
        let (_dir, folder, id) = folder();
        folder.create(&folder.volume(id), 1).unwrap();
        fs::write(folder.dir.join("x.raw.partial"), b"").unwrap();
        folder.clean().unwrap();
        assert_eq!(fs::read_dir(&folder.dir).unwrap().count(), 1);
        folder.delete(&folder.volume(id)).unwrap();
        folder.delete(&folder.volume(id)).unwrap();
    }

    #[test]
    fn a_node_that_starts_spares_what_another_is_filling() {
        let (dir, folder, id) = folder();
        let other = VolumeFolder::open(dir.path()).unwrap();
        folder.publish(&folder.volume(id), |_| other.clean()).unwrap();
        assert!(folder.volume(id).exists());
    }
}
