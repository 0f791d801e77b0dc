//! A target in memory, for tests and small things.

use std::io;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::RestoreTarget;

/// Bytes that a volume is restored into.
#[derive(Debug)]
pub struct MemoryTarget {
    bytes: Mutex<Vec<u8>>,
    is_zeroed: bool,
}

impl MemoryTarget {
    /// A fresh target of `size_bytes` zeros.
    pub fn new(size_bytes: usize) -> Self {
        Self { bytes: Mutex::new(vec![0; size_bytes]), is_zeroed: true }
    }

    /// A target that holds something already.
    pub fn over(bytes: Vec<u8>) -> Self {
        Self { bytes: Mutex::new(bytes), is_zeroed: false }
    }

    /// What was restored.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn with(&self, range: Range<u64>, work: impl FnOnce(&mut [u8])) -> io::Result<()> {
        let start = usize::try_from(range.start).map_err(io::Error::other)?;
        let end = usize::try_from(range.end).map_err(io::Error::other)?;
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        work(bytes.get_mut(start..end).ok_or(io::ErrorKind::StorageFull)?);
        Ok(())
    }
}

impl RestoreTarget for MemoryTarget {
    fn size_bytes(&self) -> u64 {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    fn is_zeroed(&self) -> bool {
        self.is_zeroed
    }

    fn write_at(&self, offset_bytes: u64, bytes: &[u8]) -> io::Result<()> {
        let range = offset_bytes..offset_bytes + bytes.len() as u64;
        self.with(range, |place| place.copy_from_slice(bytes))
    }

    fn zero(&self, range: Range<u64>) -> io::Result<()> {
        self.with(range, |place| place.fill(0))
    }

    fn finish(&self) -> io::Result<()> {
        Ok(())
    }
}
