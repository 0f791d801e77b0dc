//! Laws of the encodings: what was encoded decodes to itself, and no bytes make a decoder panic.

use proptest::prelude::*;
use strongroom_model::chance::SeededChance;
use strongroom_model::id::{BackupId, VaultId};
use strongroom_model::time::Timestamp;
use uuid::Uuid;

use super::keyfile::KeyFile;
use super::manifest::{Manifest, PageRef, page_count};
use super::pack::{self, Entry, Footer, Header, Trailer};
use super::page::{self, Cell, Location};
use super::{Flaw, record};
use crate::id::{ChunkId, PackId, SessionId};
use crate::key::{DataKey, Suite, VaultKey, WRAPPED_LEN};

fn vault_key() -> VaultKey {
    VaultKey::random(&SeededChance::new(1))
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<[u8; 16]>().prop_map(Uuid::from_bytes)
}

fn suite() -> impl Strategy<Value = Suite> {
    prop_oneof![Just(Suite::Aes256Gcm), Just(Suite::ChaCha20Poly1305)]
}

fn location() -> impl Strategy<Value = Location> {
    // Few packs, so that cells share them.
    (0..5_u8, any::<u16>()).prop_map(|(pack, ordinal)| Location {
        pack: PackId(Uuid::from_bytes([pack; 16])),
        ordinal,
    })
}

fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        Just(Cell::Hole),
        Just(Cell::Zero),
        (any::<[u8; 32]>(), location()).prop_map(|(id, at)| Cell::Chunk(ChunkId(id), at)),
    ]
}

fn header() -> impl Strategy<Value = Header> {
    (suite(), uuid(), uuid(), uuid(), any::<u32>()).prop_map(|(suite, a, b, c, key_version)| {
        Header {
            suite,
            pack: PackId(a),
            vault: VaultId(b),
            session: SessionId(c),
            key_version,
            wrapped_data_key: [9; WRAPPED_LEN],
        }
    })
}

/// Records of these lengths, one behind the other as in a pack.
fn entries(lengths: &[u32]) -> Vec<Entry> {
    let mut offset = u32::try_from(pack::HEADER_LEN).unwrap();
    let mut made = Vec::new();
    for (n, stored) in lengths.iter().enumerate() {
        let id = ChunkId([u8::try_from(n % 256).unwrap(); 32]);
        made.push(Entry { id, offset, stored: *stored, plain: 7, kind: 0, codec: 1, crc: *stored });
        offset += stored;
    }
    made
}

/// A whole pack with records of zeros.
fn encode_pack(header: &Header, entries: &[Entry]) -> Vec<u8> {
    let mut bytes = header.encode();
    let end = entries.last().map_or(bytes.len() as u64, |entry| entry.span().end);
    bytes.resize(usize::try_from(end).unwrap(), 0);
    pack::finish(&mut bytes, entries, &[5; 32]);
    bytes
}

fn decode_pack(bytes: &[u8]) -> Result<Footer<'_>, Flaw> {
    Trailer::decode(bytes, bytes.len() as u64)?.decode_footer(bytes)
}

fn manifest(size_bytes: u64, page: Option<PageRef>) -> Manifest {
    Manifest {
        suite: Suite::Aes256Gcm,
        vault: VaultId(Uuid::from_u128(1)),
        backup: BackupId(Uuid::from_u128(2)),
        parent: None,
        session: SessionId(Uuid::from_u128(3)),
        created_at: Timestamp::from_micros(-5),
        size_bytes,
        grid_bytes: super::GRID_BYTES,
        key_version: 1,
        meta: b"{}".to_vec(),
        stats: b"{\"x\":1}".to_vec(),
        pages: (0..page_count(size_bytes, super::GRID_BYTES)).map(|_| page).collect(),
    }
}

proptest! {
    #[test]
    fn a_page_decodes_to_itself(cells in prop::collection::vec(cell(), 0..=page::CELLS)) {
        prop_assert_eq!(page::decode(&page::encode(&cells)).unwrap(), cells);
    }

    #[test]
    fn a_pack_decodes_to_itself(
        header in header(),
        lengths in prop::collection::vec(16..5000_u32, 0..200),
    ) {
        let entries = entries(&lengths);
        let bytes = encode_pack(&header, &entries);
        prop_assert!(bytes.len().is_multiple_of(pack::ALIGN));
        prop_assert_eq!(Header::decode(&bytes).unwrap(), header.clone());
        let footer = decode_pack(&bytes).unwrap();
        prop_assert_eq!(&footer.header, &header);
        prop_assert_eq!(&footer.entries, &entries);
        prop_assert_eq!(pack::footer_mac(&[5; 32], footer.bytes), footer.mac);
    }

    #[test]
    fn a_manifest_opens_to_itself(
        size in 0..3_u64 << 30,
        place in prop::option::of((any::<[u8; 32]>(), location())),
    ) {
        let page = place.filter(|(id, _)| *id != [0; 32]);
        let page = page.map(|(id, location)| PageRef { id: ChunkId(id), location });
        let manifest = manifest(size, page);
        let data_key = DataKey::random(&SeededChance::new(2));
        let bytes = manifest.seal(&vault_key(), &data_key);
        prop_assert_eq!(Manifest::open(&vault_key(), &bytes).unwrap(), manifest);
    }

    #[test]
    fn a_changed_manifest_never_opens(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let data_key = DataKey::random(&SeededChance::new(2));
        let mut bytes = manifest(1 << 30, None).seal(&vault_key(), &data_key);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Manifest::open(&vault_key(), &bytes).is_err());
    }

    #[test]
    fn a_key_object_decodes_to_itself(vault in uuid(), master in uuid(), version in any::<u32>()) {
        let wrapped = [3; WRAPPED_LEN];
        let key = KeyFile { vault: VaultId(vault), version, master, wrapped };
        let mut bytes = key.encode();
        prop_assert_eq!(bytes.len(), 112);
        prop_assert_eq!(KeyFile::decode(&bytes).unwrap(), key);
        bytes[40] ^= 1;
        prop_assert!(KeyFile::decode(&bytes).is_err());
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(decode_pack(&bytes).is_err());
        prop_assert!(Header::decode(&bytes).is_err());
        prop_assert!(page::decode(&bytes).is_err());
        prop_assert!(KeyFile::decode(&bytes).is_err());
        prop_assert!(Manifest::open(&vault_key(), &bytes).is_err());
        prop_assert!(record::decode::<serde_json::Value>(&vault_key(), "n", &bytes).is_err());
    }

    #[test]
    fn no_change_makes_a_decoder_panic(
        cells in prop::collection::vec(cell(), 0..50),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = page::encode(&cells);
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let _any = page::decode(&bytes);
        let header = Header {
            suite: Suite::Aes256Gcm,
            pack: PackId(Uuid::nil()),
            vault: VaultId(Uuid::nil()),
            session: SessionId(Uuid::nil()),
            key_version: 1,
            wrapped_data_key: [0; WRAPPED_LEN],
        };
        let mut bytes = encode_pack(&header, &entries(&[100, 200]));
        let place = bytes.len() - 1 - at.index(400);
        bytes[place] = byte;
        let _any = decode_pack(&bytes);
    }
}

#[test]
fn what_a_later_version_wrote_is_refused_by_name() {
    let later = |flaw: Flaw| matches!(flaw, Flaw::Unsupported(_));
    let mut bytes = page::encode(&[Cell::Zero, Cell::Hole]);
    bytes[16] = 3;
    assert!(later(page::decode(&bytes).unwrap_err()));
    bytes[4] = 2;
    assert!(later(page::decode(&bytes).unwrap_err()));
    let mut key = KeyFile {
        vault: VaultId(Uuid::nil()),
        version: 1,
        master: Uuid::nil(),
        wrapped: [0; WRAPPED_LEN],
    }
    .encode();
    key[8] = 2;
    let crc = crc32fast::hash(&key[..108]);
    key[108..].copy_from_slice(&crc.to_le_bytes());
    assert!(later(KeyFile::decode(&key).unwrap_err()));
}

#[test]
fn a_record_holds_only_under_its_own_name() {
    let bytes = record::encode(&vault_key(), "v/tombs/x", &serde_json::json!({"a": 1}));
    let read = |name| record::decode::<serde_json::Value>(&vault_key(), name, &bytes);
    assert_eq!(read("v/tombs/x").unwrap()["a"], 1);
    assert!(read("v/tombs/y").is_err());
}
