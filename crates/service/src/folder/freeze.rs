//! Several files frozen at one point: copied back to back and watched from the first to the last.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{VolumeFolder, sync_dir};

/// A file that is to be frozen.
#[derive(Debug, Clone)]
pub struct Part {
    /// The file.
    pub from: PathBuf,
    /// Where its frozen bytes are to be found.
    pub to: PathBuf,
    /// Their size; what is beyond the original is zeros.
    pub size_bytes: u64,
    /// Whether nobody writes the file until the frozen one is removed: then a second name for it
    /// does, and no copy is made.
    pub is_at_rest: bool,
}

/// What came of freezing several files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Whether none of them was written to from the beginning of the first copy to the end of the
    /// last, so that all belong to one instant.
    pub is_one: bool,
    /// Of each: whether its copy may mix states.
    pub are_torn: Vec<bool>,
}

impl VolumeFolder {
    /// Freezes files back to back. What an earlier call left in their places is replaced.
    pub fn freeze(&self, parts: &[Part]) -> io::Result<Point> {
        self.freeze_with(parts, |_| Ok(()))
    }

    /// How many names a file has: none if it is gone, several if it was frozen without a copy.
    pub fn names_of(&self, path: &Path) -> io::Result<u64> {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            metadata => Ok(metadata?.nlink()),
        }
    }

    fn freeze_with(
        &self,
        parts: &[Part],
        mut after_each: impl FnMut(usize) -> io::Result<()>,
    ) -> io::Result<Point> {
        for part in parts {
            self.delete(&part.to)?;
        }
        let sources = parts.iter().map(|part| File::open(&part.from));
        let sources = sources.collect::<io::Result<Vec<_>>>()?;
        let before = marks(&sources)?;
        let mut are_torn = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            are_torn.push(match part.is_at_rest {
                true => fs::hard_link(&part.from, &part.to).map(|()| false)?,
                false => self.copy(&part.from, &part.to, part.size_bytes)?,
            });
            after_each(at)?;
        }
        sync_dir(&self.dir)?;
        Ok(Point { is_one: marks(&sources)? == before, are_torn })
    }
}

/// What changes when a file is written to.
fn marks(files: &[File]) -> io::Result<Vec<(SystemTime, u64)>> {
    let mark = |file: &File| {
        let metadata = file.metadata()?;
        Ok((metadata.modified()?, metadata.len()))
    };
    files.iter().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with files of these texts, and the parts that freeze them.
    fn folder(texts: &[(&str, bool)]) -> (tempfile::TempDir, VolumeFolder, Vec<Part>) {
        let dir = tempfile::tempdir().unwrap();
        let folder = VolumeFolder::open(dir.path()).unwrap();
        let parts = texts.iter().enumerate().map(|(at, (text, is_at_rest))| {
            let from = dir.path().join(format!("{at}.raw"));
            fs::write(&from, text).unwrap();
            let to = dir.path().join(format!("frozen-{at}.raw"));
            Part { from, to, size_bytes: 8, is_at_rest: *is_at_rest }
        });
        let parts = parts.collect();
        (dir, folder, parts)
    }

    /// Writes to a file at an instant of its own, as any later write has one.
    fn write_later(part: &Part, text: &str) -> io::Result<()> {
        fs::write(&part.from, text)?;
        let file = File::options().write(true).open(&part.from)?;
        let before = file.metadata()?.modified()?;
        file.set_modified(before + std::time::Duration::from_secs(1))
    }

    #[test]
    fn files_that_nobody_writes_to_are_frozen_at_one_point() {
        let (_dir, folder, parts) = folder(&[("one", false), ("two", true)]);
        let point = folder.freeze(&parts).unwrap();
        assert_eq!(point, Point { is_one: true, are_torn: vec![false, false] });
        assert_eq!(fs::read(&parts[0].to).unwrap(), b"one\0\0\0\0\0");
        assert_eq!(fs::read(&parts[1].to).unwrap(), b"two");
        // What is frozen stays when its original changes, and a second time takes its place.
        fs::write(&parts[0].from, "new").unwrap();
        assert_eq!(fs::read(&parts[0].to).unwrap(), b"one\0\0\0\0\0");
        folder.freeze(&parts).unwrap();
        assert_eq!(fs::read(&parts[0].to).unwrap(), b"new\0\0\0\0\0");
    }

    #[test]
    fn a_write_between_two_copies_is_noticed_on_either_side() {
        for written in 0..2 {
            let (_dir, folder, parts) = folder(&[("one", false), ("two", false)]);
            let write = |at| match at {
                0 => write_later(&parts[written], "changed"),
                _ => Ok(()),
            };
            let point = folder.freeze_with(&parts, write).unwrap();
            assert!(!point.is_one, "file {written}");
            assert_eq!(point.are_torn, [false, false]);
        }
    }

    #[test]
    fn removing_what_is_frozen_spares_the_original() {
        let (_dir, folder, parts) = folder(&[("one", true)]);
        folder.freeze(&parts).unwrap();
        folder.delete(&parts[0].to).unwrap();
        assert_eq!(fs::read(&parts[0].from).unwrap(), b"one");
    }
}
