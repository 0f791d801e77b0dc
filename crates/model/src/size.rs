//! Sizes in two units that do not mix: bytes on disk, and whole GiB on the wire.

use serde::{Deserialize, Serialize};

/// Bytes in one GiB.
pub const BYTES_PER_GIB: u64 = 1 << 30;

/// A size in whole GiB, the unit of every volume and quota on the wire.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct GiB(pub u32);

impl GiB {
    /// The same size in bytes.
    pub const fn bytes(self) -> u64 {
        self.0 as u64 * BYTES_PER_GIB
    }

    /// The smallest whole number of GiB that holds `bytes`.
    pub fn holding(bytes: u64) -> Self {
        Self(u32::try_from(bytes.div_ceil(BYTES_PER_GIB)).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gib_round_up() {
        assert_eq!(GiB::holding(0), GiB(0));
        assert_eq!(GiB::holding(1), GiB(1));
        assert_eq!(GiB::holding(BYTES_PER_GIB), GiB(1));
        assert_eq!(GiB::holding(BYTES_PER_GIB + 1), GiB(2));
        assert_eq!(GiB(3).bytes(), 3 << 30);
    }
}
