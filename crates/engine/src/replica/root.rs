//! The content root: a hash over what a backup holds, wherever and however it is stored.
//!
//! It is made of the ids that the origin's own key gives, so that only that vault can make it from
//! content, and anybody can check it against a list of ids.

use crate::id::{ChunkId, Digest};

/// What a cell holds, as the origin names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Never written.
    Hole,
    /// Zeros.
    Zero,
    /// A chunk, by the id it has in the origin.
    Chunk(ChunkId),
}

/// The hash over the cells of one page.
pub(super) fn page_digest(cells: impl Iterator<Item = Content>) -> Digest {
    let (mut kinds, mut ids) = (Vec::new(), Vec::new());
    for cell in cells {
        kinds.push(match cell {
            Content::Hole => 0,
            Content::Zero => 1,
            Content::Chunk(id) => {
                ids.extend_from_slice(&id.0);
                2
            }
        });
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"strongroom v1 content page");
    hasher.update(&(kinds.len() as u64).to_le_bytes());
    hasher.update(&kinds).update(&ids);
    Digest(*hasher.finalize().as_bytes())
}

/// The hash over the digests of all pages.
pub(super) fn content_root(
    size_bytes: u64,
    grid_bytes: u32,
    pages: impl Iterator<Item = Digest>,
) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"strongroom v1 content root");
    hasher.update(&size_bytes.to_le_bytes());
    hasher.update(&grid_bytes.to_le_bytes());
    for page in pages {
        hasher.update(&page.0);
    }
    Digest(*hasher.finalize().as_bytes())
}
