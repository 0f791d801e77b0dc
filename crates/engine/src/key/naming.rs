//! The key by which a vault names its chunks, on its way to the origin of a replication.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::KEY_LEN;
use crate::id::ChunkId;

/// Names chunks as one vault does, and does nothing else: it opens nothing.
///
/// It serialises as 64 hexadecimal digits. It is a secret: see
/// [`naming_key`](crate::Repository::naming_key).
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct NamingKey([u8; KEY_LEN]);

impl NamingKey {
    pub(crate) fn from_bytes(key: [u8; KEY_LEN]) -> Self {
        Self(key)
    }

    /// The key as 64 hexadecimal digits.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(blake3::Hash::from_bytes(self.0).to_hex().as_str().to_owned())
    }

    /// Parses 64 hexadecimal digits; `None` if the text is not that.
    pub fn parse(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|key| Self(*key.as_bytes()))
    }

    /// The id of a chunk with this content in the vault of this key.
    pub(crate) fn chunk_id(&self, plain: &[u8]) -> ChunkId {
        ChunkId(*blake3::keyed_hash(&self.0, plain).as_bytes())
    }
}

impl fmt::Debug for NamingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NamingKey(..)")
    }
}

impl Serialize for NamingKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for NamingKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not 64 hexadecimal digits"))
    }
}
