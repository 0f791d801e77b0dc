//! A wrapped vault key: `keys/<version>/a` and its copy `b`.

use strongroom_model::id::VaultId;
use uuid::Uuid;

use super::cursor::Cursor;
use super::{Flaw, VERSION, check_version, damaged, unsupported};
use crate::key::WRAPPED_LEN;

const MAGIC: &[u8; 8] = b"SRMKEY1\n";
/// The one algorithm: AES-256-GCM under a master key of 32 bytes.
const ALGORITHM: u8 = 1;

/// A vault key sealed with a master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyFile {
    pub(crate) vault: VaultId,
    pub(crate) version: u32,
    pub(crate) master: Uuid,
    pub(crate) wrapped: [u8; WRAPPED_LEN],
}

impl KeyFile {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(112);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[ALGORITHM, 0]);
        out.extend_from_slice(self.vault.0.as_bytes());
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(self.master.as_bytes());
        out.extend_from_slice(&self.wrapped);
        out.extend_from_slice(&crc32fast::hash(&out).to_le_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        let Some((body, crc)) = bytes.split_last_chunk::<4>() else {
            return damaged("it is too short");
        };
        if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
            return damaged("its check sum is wrong");
        }
        let mut cursor = Cursor::new(body);
        if cursor.array::<8>()? != *MAGIC {
            return damaged("it is not a key object");
        }
        check_version(cursor.u16()?)?;
        match (cursor.u8()?, cursor.u8()?) {
            (ALGORITHM, 0) => {}
            (other, _) => return unsupported(format!("key wrap {other}")),
        }
        let key = Self {
            vault: VaultId(cursor.uuid()?),
            version: cursor.u32()?,
            master: cursor.uuid()?,
            wrapped: cursor.array()?,
        };
        cursor.end()?;
        Ok(key)
    }

    /// What the wrapping binds the key to.
    pub(crate) fn aad(vault: VaultId, version: u32) -> [u8; 20] {
        let mut aad = [0; 20];
        aad[..16].copy_from_slice(vault.0.as_bytes());
        aad[16..].copy_from_slice(&version.to_le_bytes());
        aad
    }
}
