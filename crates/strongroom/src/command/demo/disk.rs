//! The sample disk: real files of this machine in an ext4 file system, and a change to it.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use strongroom_model::chance::{Chance, SystemChance};
use strongroom_model::size::GiB;

/// Where files are taken from, in this order, until the disk is filled.
const SOURCES: [&str; 4] = ["/usr/share", "/usr/lib", "/usr/bin", "/etc"];

/// The part of the disk that is filled with files.
const FILL: (u64, u64) = (6, 10);

/// Files in one directory of the disk: `mke2fs` searches directories from the start.
const FILES_PER_DIR: u64 = 256;

/// Isolated blocks that [`change`] writes, and their size.
const SCATTERED: u64 = 64;
const BLOCK_BYTES: usize = 4096;

/// Bytes that [`change`] writes in one run.
const RUN_BYTES: usize = 8 << 20;

/// What was changed.
#[derive(Debug)]
pub(super) struct Change {
    /// Bytes written.
    pub(super) bytes: u64,
    /// Separate places.
    pub(super) places: u64,
}

/// Fills the image at `path` with files of this machine and tells how.
pub(super) fn make(path: &Path, size: GiB) -> io::Result<String> {
    let staging = path.with_extension("files");
    let made = make_in(path, &staging, size);
    let cleaned = if staging.exists() { fs::remove_dir_all(&staging) } else { Ok(()) };
    let told = made?;
    cleaned.map(|()| told)
}

fn make_in(path: &Path, staging: &Path, size: GiB) -> io::Result<String> {
    let mut budget = size.bytes() / FILL.1 * FILL.0;
    let mut count = 0;
    for source in SOURCES {
        count +=
            copy_files(Path::new(source), &staging.join(source.replace('/', "")), &mut budget)?;
    }
    if make_ext4(path, staging)? {
        Ok(format!("{count} files in an ext4 file system"))
    } else {
        concatenate(path, staging)?;
        Ok(format!("{count} files one after another (mke2fs is not installed)"))
    }
}

/// Copies regular files below `from` into directories of `to` until the budget is used up.
fn copy_files(from: &Path, to: &Path, budget: &mut u64) -> io::Result<u64> {
    let mut count = 0;
    let mut pending = vec![from.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in sorted_entries(&dir) {
            let Ok(meta) = entry.symlink_metadata() else { continue };
            if meta.is_dir() {
                pending.push(entry);
            } else if meta.is_file() && meta.len() > 0 && meta.len() <= *budget {
                let home = to.join((count / FILES_PER_DIR).to_string());
                fs::create_dir_all(&home)?;
                // A file that may not be read is left out.
                if fs::copy(&entry, home.join(count.to_string())).is_ok() {
                    *budget -= meta.len();
                    count += 1;
                }
            }
        }
        if *budget < 1 << 20 {
            break;
        }
    }
    Ok(count)
}

fn sorted_entries(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Whether `mke2fs` was there to do it.
fn make_ext4(path: &Path, staging: &Path) -> io::Result<bool> {
    for program in ["mke2fs", "/sbin/mke2fs", "/usr/sbin/mke2fs"] {
        let mut command = Command::new(program);
        command.args(["-q", "-F", "-t", "ext4", "-d"]).arg(staging).arg(path);
        match command.stdout(Stdio::null()).stderr(Stdio::null()).status() {
            Ok(status) if status.success() => return Ok(true),
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

fn concatenate(path: &Path, staging: &Path) -> io::Result<()> {
    let image = OpenOptions::new().write(true).open(path)?;
    let mut offset = 0;
    let mut pending = vec![staging.to_owned()];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(sorted_entries(&path));
            continue;
        }
        let content = fs::read(path)?;
        image.write_all_at(&content, offset)?;
        offset = (offset + content.len() as u64).next_multiple_of(BLOCK_BYTES as u64);
    }
    image.sync_all()
}

/// Writes a run and some isolated blocks of fresh bytes over the disk.
pub(super) fn change(path: &Path) -> io::Result<Change> {
    let image = OpenOptions::new().write(true).open(path)?;
    let size = image.metadata()?.len();
    let mut run = vec![0; RUN_BYTES];
    SystemChance.fill(&mut run);
    image.write_all_at(&run, size / 3)?;
    let stride = size / (SCATTERED + 1) / BLOCK_BYTES as u64 * BLOCK_BYTES as u64;
    for place in 1..=SCATTERED {
        let start = usize::try_from(place).unwrap_or(0) * BLOCK_BYTES;
        image.write_all_at(&run[start..start + BLOCK_BYTES], place * stride)?;
    }
    image.sync_all()?;
    Ok(Change {
        bytes: (RUN_BYTES + usize::try_from(SCATTERED).unwrap_or(0) * BLOCK_BYTES) as u64,
        places: SCATTERED + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_copied_up_to_the_budget() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(from.path().join("sub")).unwrap();
        fs::write(from.path().join("a"), vec![1; 3000]).unwrap();
        fs::write(from.path().join("sub/b"), vec![2; 3000]).unwrap();
        let mut budget = 4000;
        let count = copy_files(from.path(), to.path(), &mut budget).unwrap();
        assert_eq!((count, budget), (1, 1000));
    }

    #[test]
    fn a_change_writes_what_it_says() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk");
        fs::write(&path, vec![0; 64 << 20]).unwrap();
        let change = change(&path).unwrap();
        assert_eq!(change.places, 65);
        let nonzero =
            fs::read(&path).unwrap().chunks(4096).filter(|c| c.iter().any(|b| *b != 0)).count();
        assert!(nonzero as u64 * 4096 <= change.bytes && nonzero > 2048, "{nonzero}");
    }
}
