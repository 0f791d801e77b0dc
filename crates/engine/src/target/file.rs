//! A target that is a raw file or a block device.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use super::RestoreTarget;

/// Zeros are written by this much at a time where holes cannot be punched.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// An open raw file or block device.
#[derive(Debug)]
pub struct FileTarget {
    file: File,
    size_bytes: u64,
    is_zeroed: bool,
}

impl FileTarget {
    /// Creates a sparse file of `size_bytes`; fails if the path is taken.
    pub fn create(path: &Path, size_bytes: u64) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.set_len(size_bytes)?;
        Ok(Self { file, size_bytes, is_zeroed: true })
    }

    /// Opens what is there: a file is cut or grown to `size_bytes`, a block device is taken as it
    /// is.
    pub fn open(path: &Path, size_bytes: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        if file.metadata()?.is_file() {
            file.set_len(size_bytes)?;
        }
        let size_bytes = file.seek(io::SeekFrom::End(0))?;
        Ok(Self { file, size_bytes, is_zeroed: false })
    }
}

impl RestoreTarget for FileTarget {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn is_zeroed(&self) -> bool {
        self.is_zeroed
    }

    fn write_at(&self, offset_bytes: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset_bytes)
    }

    fn zero(&self, range: Range<u64>) -> io::Result<()> {
        let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        match fallocate(&self.file, punch, range.start, range.end - range.start) {
            Ok(()) => return Ok(()),
            Err(Errno::OPNOTSUPP | Errno::NODEV | Errno::INVAL | Errno::NOSYS) => {}
            Err(e) => return Err(e.into()),
        }
        let mut at = range.start;
        while at < range.end {
            let len = (range.end - at).min(ZEROS.len() as u64);
            self.file
                .write_all_at(&ZEROS[..usize::try_from(len).map_err(io::Error::other)?], at)?;
            at += len;
        }
        Ok(())
    }

    fn finish(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}
