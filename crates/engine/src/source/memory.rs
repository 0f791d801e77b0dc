//! A volume in memory, for tests and small things.

use std::io;
use std::ops::Range;

use super::VolumeSource;

/// Bytes that are a volume; none of them is a hole.
#[derive(Debug, Clone)]
pub struct MemorySource(Vec<u8>);

impl MemorySource {
    /// Makes a volume of `bytes`.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl VolumeSource for MemorySource {
    fn size_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn extents(&self, range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
        Ok(vec![range])
    }

    fn read_at(&self, offset_bytes: u64, buf: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset_bytes).map_err(io::Error::other)?;
        let bytes = start.checked_add(buf.len()).and_then(|end| self.0.get(start..end));
        buf.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn has_changed(&self) -> io::Result<bool> {
        Ok(false)
    }
}
