//! Where the bytes of a volume come from.

mod file;
mod memory;

use std::io;
use std::ops::Range;

pub use file::FileSource;
pub use memory::MemorySource;

/// A volume that can be read at any place, from several threads at once.
pub trait VolumeSource: Send + Sync {
    /// Size in bytes.
    fn size_bytes(&self) -> u64;

    /// The parts of `range` that may hold data, in order; the rest was never written and is not
    /// read.
    fn extents(&self, range: Range<u64>) -> io::Result<Vec<Range<u64>>>;

    /// Fills `buf` from byte `offset_bytes` on.
    fn read_at(&self, offset_bytes: u64, buf: &mut [u8]) -> io::Result<()>;

    /// Whether the volume was written to since it was opened, as far as can be told.
    fn has_changed(&self) -> io::Result<bool>;
}
