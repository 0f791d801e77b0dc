//! A volume in a raw file or a block device.

use std::fs::{File, Metadata};
use std::io::{self, Seek as _};
use std::ops::Range;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use rustix::fs::{Advice, SeekFrom, fadvise, seek};
use rustix::io::Errno;

use super::VolumeSource;

/// An open raw file or block device.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    size_bytes: u64,
    /// Size and time of the last write when the file was opened.
    opened: Stamp,
}

/// What shows that a file was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size_bytes: u64,
    seconds: i64,
    nanos: i64,
}

impl FileSource {
    /// Opens a raw file or a block device for reading.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        // A block device tells its size only by seeking.
        let size_bytes = file.seek(io::SeekFrom::End(0))?;
        let opened = Stamp::of(&file.metadata()?);
        // Advice may be refused, which costs speed only.
        let _refused = fadvise(&file, 0, None, Advice::Sequential);
        Ok(Self { file, size_bytes, opened })
    }
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self { size_bytes: meta.len(), seconds: meta.mtime(), nanos: meta.mtime_nsec() }
    }
}

impl VolumeSource for FileSource {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn extents(&self, range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
        let mut extents = Vec::new();
        let mut at = range.start;
        while at < range.end {
            // The place that a seek leaves behind is shared by threads and used by none.
            let data = match seek(&self.file, SeekFrom::Data(at)) {
                Ok(data) => data,
                Err(Errno::NXIO) => break,
                Err(Errno::INVAL) => return Ok(vec![range]),
                Err(e) => return Err(e.into()),
            };
            if data >= range.end {
                break;
            }
            let hole = match seek(&self.file, SeekFrom::Hole(data)) {
                Err(Errno::NXIO) => range.end,
                hole => hole?,
            };
            at = hole.min(range.end);
            extents.push(data..at);
        }
        Ok(extents)
    }

    fn read_at(&self, offset_bytes: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buf, offset_bytes)
    }

    fn has_changed(&self) -> io::Result<bool> {
        Ok(Stamp::of(&self.file.metadata()?) != self.opened)
    }
}
