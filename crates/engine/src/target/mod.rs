//! Where the bytes of a volume go.

mod file;
mod memory;

use std::io;
use std::ops::Range;

pub use file::FileTarget;
pub use memory::MemoryTarget;

/// A place for a volume that can be written anywhere, from several threads at once.
pub trait RestoreTarget: Send + Sync {
    /// Room in bytes.
    fn size_bytes(&self) -> u64;

    /// Whether everything that was not written reads as zeros, so that zeros need not be written.
    fn is_zeroed(&self) -> bool;

    /// Writes `bytes` at byte `offset_bytes`.
    fn write_at(&self, offset_bytes: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes `range` read as zeros.
    fn zero(&self, range: Range<u64>) -> io::Result<()>;

    /// Makes everything written durable.
    fn finish(&self) -> io::Result<()>;
}
