//! Laws of the wire: what was encoded decodes to itself, and no bytes make a decoder panic.

use proptest::prelude::*;

use super::wire::{
    BaseCell, BaseSummary, Body, CHUNKS_BYTES_MAX, OUTLINE_BYTES_MAX, Outline, OutlineCell,
    SUMMARY_BYTES_MAX, Summary, TAIL_MAX, WireChunk, decode_chunks, encode_chunks,
};
use crate::format::GRID_BYTES;
use crate::id::{ChunkId, Digest};

fn id() -> impl Strategy<Value = ChunkId> {
    any::<[u8; 32]>().prop_map(ChunkId)
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn summary() -> impl Strategy<Value = Summary> {
    let base = (any::<u64>(), digest(), prop::collection::vec(digest(), 0..5))
        .prop_map(|(size_bytes, root, tail)| BaseSummary { size_bytes, root, tail });
    (any::<u64>(), any::<u32>(), digest(), prop::option::of(base)).prop_map(
        |(size_bytes, grid_bytes, root, base)| Summary { size_bytes, grid_bytes, root, base },
    )
}

/// A cell of the backup and the one of the base below it.
fn pair() -> impl Strategy<Value = (OutlineCell, BaseCell)> {
    let now = prop_oneof![
        Just(OutlineCell::Hole),
        Just(OutlineCell::Zero),
        (id(), id()).prop_map(|(own, name)| OutlineCell::Chunk { own, name }),
    ];
    let then =
        prop_oneof![Just(BaseCell::Hole), Just(BaseCell::Zero), id().prop_map(BaseCell::Chunk)];
    prop_oneof![(now, then), id().prop_map(|own| (OutlineCell::Same { own }, BaseCell::Same)),]
}

fn outline() -> impl Strategy<Value = Outline> {
    // One of the two may be longer, with cells that refer to nothing.
    let cells = (prop::collection::vec(pair(), 0..40), 0..10_usize, any::<bool>()).prop_map(
        |(pairs, more, is_longer)| {
            let (mut cells, mut base): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            match is_longer {
                true => cells.extend(vec![OutlineCell::Zero; more]),
                false => base.extend(vec![BaseCell::Zero; more]),
            }
            Body::Cells { cells, base }
        },
    );
    let body = prop_oneof![digest().prop_map(Body::Same), cells];
    (any::<u64>(), body).prop_map(|(page, body)| Outline { page, body })
}

/// Makes the check sum right again.
fn resummed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len().saturating_sub(4));
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// Lets all decoders at bytes; whatever they say is fine.
fn feed(bytes: &[u8]) {
    let _said = (Summary::decode(bytes), Outline::decode(bytes).map(|o| o.body.base_digest()));
    for chunk in decode_chunks(bytes).unwrap_or_default() {
        let _said = chunk.plain();
    }
}

proptest! {
    #[test]
    fn a_summary_decodes_to_itself(summary in summary()) {
        prop_assert_eq!(Summary::decode(&summary.encode()), Ok(summary));
    }

    #[test]
    fn an_outline_decodes_to_itself(outline in outline()) {
        prop_assert_eq!(Outline::decode(&outline.encode()), Ok(outline));
    }

    #[test]
    fn chunks_decode_to_themselves(
        plains in prop::collection::vec((any::<u64>(), prop::collection::vec(0..3_u8, 0..500)), 0..9)
    ) {
        let squeezed: Vec<_> =
            plains.iter().map(|(_, plain)| zstd::bulk::compress(plain, 1).unwrap()).collect();
        let chunks: Vec<_> = plains.iter().zip(&squeezed).map(|((cell, plain), squeezed)| {
            let is_squeezed = cell % 2 == 0;
            let bytes = if is_squeezed { squeezed } else { plain };
            let plain_len = u32::try_from(plain.len()).unwrap();
            WireChunk { cell: *cell, plain_len, is_squeezed, bytes }
        }).collect();
        let bytes = encode_chunks(chunks.iter().copied());
        let decoded = decode_chunks(&bytes).unwrap();
        prop_assert_eq!(&decoded, &chunks);
        for (chunk, (_, plain)) in decoded.iter().zip(&plains) {
            prop_assert_eq!(&chunk.plain().unwrap(), plain);
        }
    }

    #[test]
    fn any_bytes_are_taken_without_a_panic(
        magic in prop::sample::select(vec![*b"SRRS\x01\0", *b"SRRO\x01\0", *b"SRRC\x01\0"]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        feed(&bytes);
        feed(&resummed([&magic[..], &bytes, &[0; 4]].concat()));
    }

    #[test]
    fn a_changed_answer_is_refused_or_changed_in_meaning(
        outline in outline(), at in any::<prop::sample::Index>(), flip in 1..=255_u8, cut in any::<bool>()
    ) {
        let mut bytes = outline.encode();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] ^= flip }
        prop_assert!(Outline::decode(&bytes).is_err());
        // Even with a check sum that is right it never reads as the same.
        let bytes = resummed(bytes);
        feed(&bytes);
        prop_assert!(at >= outline.encode().len() - 4 || Outline::decode(&bytes) != Ok(outline));
    }
}

#[test]
fn a_chunk_that_unpacks_to_more_than_it_says_is_refused() {
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 1).unwrap();
    for plain_len in [1, GRID_BYTES, GRID_BYTES + 1, u32::MAX] {
        let chunk = WireChunk { cell: 0, plain_len, is_squeezed: true, bytes: &bomb };
        assert!(chunk.plain().is_err(), "{plain_len}");
    }
    let chunk = WireChunk { cell: 0, plain_len: 2, is_squeezed: false, bytes: b"one" };
    assert!(chunk.plain().is_err());
}

#[test]
fn the_largest_answers_are_allowed() {
    let ids = |n: usize| ChunkId([u8::try_from(n % 256).unwrap(); 32]);
    let cells: Vec<_> =
        (0..1024).map(|n| OutlineCell::Chunk { own: ids(n), name: ids(n + 1) }).collect();
    let base = (0..1024).map(|n| BaseCell::Chunk(ids(n + 2))).collect();
    let outline = Outline { page: u64::MAX, body: Body::Cells { cells, base } };
    assert!(outline.encode().len() <= OUTLINE_BYTES_MAX);
    assert_eq!(Outline::decode(&outline.encode()), Ok(outline));

    let digest = Digest([7; 32]);
    let base = BaseSummary { size_bytes: 1, root: digest, tail: vec![digest; TAIL_MAX] };
    let summary = Summary { size_bytes: 1, grid_bytes: 1, root: digest, base: Some(base) };
    assert!(summary.encode().len() <= SUMMARY_BYTES_MAX);
    assert_eq!(Summary::decode(&summary.encode()), Ok(summary));

    let plain = vec![1; GRID_BYTES as usize];
    let chunk = |cell| WireChunk { cell, plain_len: GRID_BYTES, is_squeezed: false, bytes: &plain };
    let chunks: Vec<_> = (0..32).map(chunk).collect();
    let bytes = encode_chunks(chunks.iter().copied());
    assert!(bytes.len() <= CHUNKS_BYTES_MAX);
    assert_eq!(decode_chunks(&bytes).unwrap(), chunks);
}
