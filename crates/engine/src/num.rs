//! The three conversions of numbers that the engine needs, each with its proof.

// Offsets of the store are 64 bits and must index memory.
const _: () = assert!(usize::BITS == 64, "the engine is built for 64-bit machines");

/// A byte count or a number of cells as an index.
#[expect(clippy::cast_possible_truncation, reason = "usize has 64 bits, asserted above")]
pub(crate) const fn to_usize(number: u64) -> usize {
    number as usize
}

/// A length inside a pack or a page, which the format keeps below 64 MiB.
#[expect(clippy::cast_possible_truncation, reason = "packs and pages are capped far below")]
pub(crate) const fn to_u32(length: usize) -> u32 {
    assert!(length <= u32::MAX as usize, "packs and pages are capped far below 4 GiB");
    length as u32
}

/// The number of a record in its pack, or of a pack in a page's table.
#[expect(clippy::cast_possible_truncation, reason = "packs and pages are capped below")]
pub(crate) const fn to_u16(number: usize) -> u16 {
    assert!(number <= u16::MAX as usize, "a pack is closed before it has 65 536 records");
    number as u16
}
