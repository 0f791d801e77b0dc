//! The vault's key: how it is wrapped, and the keys that follow from it.

use std::fmt;

use strongroom_model::chance::Chance;
use strongroom_model::id::VaultId;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use super::{KEY_LEN, MasterKey, NamingKey, Sealer, Suite, TAG_LEN};
use crate::id::{ChunkId, PackId, SessionId};

/// Bytes of a wrapped key: nonce, key, tag.
pub(crate) const WRAPPED_LEN: usize = 12 + KEY_LEN + TAG_LEN;

/// The random key of a vault and the keys derived from it.
#[derive(ZeroizeOnDrop)]
pub(crate) struct VaultKey {
    secret: [u8; KEY_LEN],
    chunk_id: [u8; KEY_LEN],
    page_id: [u8; KEY_LEN],
    record: [u8; KEY_LEN],
    wrap: [u8; KEY_LEN],
}

impl VaultKey {
    /// Draws a fresh key.
    pub(crate) fn random(chance: &dyn Chance) -> Self {
        let mut secret = [0; KEY_LEN];
        chance.fill(&mut secret);
        Self::new(secret)
    }

    fn new(secret: [u8; KEY_LEN]) -> Self {
        Self {
            chunk_id: blake3::derive_key("strongroom v1 chunk id", &secret),
            page_id: blake3::derive_key("strongroom v1 page id", &secret),
            record: blake3::derive_key("strongroom v1 record mac", &secret),
            wrap: blake3::derive_key("strongroom v1 data key wrap", &secret),
            secret,
        }
    }

    /// The id of a chunk with this content.
    pub(crate) fn chunk_id(&self, plain: &[u8]) -> ChunkId {
        ChunkId(*blake3::keyed_hash(&self.chunk_id, plain).as_bytes())
    }

    /// What another vault needs to name chunks as this one does.
    pub(crate) fn naming_key(&self) -> NamingKey {
        NamingKey::from_bytes(self.chunk_id)
    }

    /// The id of a page with this encoding; no chunk can have the same.
    pub(crate) fn page_id(&self, plain: &[u8]) -> ChunkId {
        ChunkId(*blake3::keyed_hash(&self.page_id, plain).as_bytes())
    }

    /// The code that binds the body of a small record to the name of its object.
    pub(crate) fn record_mac(&self, name: &str, body: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.record);
        hasher.update(name.as_bytes()).update(&[0]).update(body);
        hasher.finalize()
    }

    /// Wraps the key with the customer's.
    pub(crate) fn wrap(
        &self,
        master: &MasterKey,
        aad: &[u8],
        chance: &dyn Chance,
    ) -> [u8; WRAPPED_LEN] {
        let mut nonce = [0; 12];
        chance.fill(&mut nonce);
        wrap(&Suite::Aes256Gcm.sealer(master.bytes()), nonce, aad, &self.secret)
    }

    /// Unwraps what [`Self::wrap`] made; `None` if key, vault or bytes are not the same.
    pub(crate) fn unwrap(
        master: &MasterKey,
        aad: &[u8],
        wrapped: &[u8; WRAPPED_LEN],
    ) -> Option<Self> {
        let secret = unwrap(&Suite::Aes256Gcm.sealer(master.bytes()), aad, wrapped)?;
        Some(Self::new(*secret))
    }

    /// Wraps a data key for its session. Each session has its own wrapping key, so the nonce may
    /// stay zero.
    pub(crate) fn wrap_data_key(
        &self,
        key: &DataKey,
        vault: VaultId,
        session: SessionId,
    ) -> [u8; WRAPPED_LEN] {
        wrap(&self.session_sealer(session), [0; 12], vault.0.as_bytes(), &key.0)
    }

    /// Unwraps the data key of a session; `None` if anything was changed.
    pub(crate) fn unwrap_data_key(
        &self,
        wrapped: &[u8; WRAPPED_LEN],
        vault: VaultId,
        session: SessionId,
    ) -> Option<DataKey> {
        unwrap(&self.session_sealer(session), vault.0.as_bytes(), wrapped).map(|key| DataKey(*key))
    }

    fn session_sealer(&self, session: SessionId) -> Sealer {
        let key = Zeroizing::new(*blake3::keyed_hash(&self.wrap, session.0.as_bytes()).as_bytes());
        Suite::Aes256Gcm.sealer(&key)
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey(..)")
    }
}

/// The random key of one session; it seals that session's packs and manifest.
#[derive(Clone, ZeroizeOnDrop)]
pub(crate) struct DataKey([u8; KEY_LEN]);

impl DataKey {
    /// Draws a fresh key.
    pub(crate) fn random(chance: &dyn Chance) -> Self {
        let mut key = [0; KEY_LEN];
        chance.fill(&mut key);
        Self(key)
    }

    /// What seals the records of one pack.
    pub(crate) fn pack_sealer(&self, suite: Suite, pack: PackId) -> Sealer {
        suite.sealer(&self.derive("strongroom v1 pack", pack.0.as_bytes()))
    }

    /// The key of the code over a pack's header and footer.
    pub(crate) fn footer_key(&self, pack: PackId) -> Zeroizing<[u8; KEY_LEN]> {
        self.derive("strongroom v1 pack footer", pack.0.as_bytes())
    }

    /// What seals the body of the session's one manifest.
    pub(crate) fn manifest_sealer(&self, suite: Suite, session: SessionId) -> Sealer {
        suite.sealer(&self.derive("strongroom v1 manifest", session.0.as_bytes()))
    }

    fn derive(&self, context: &str, id: &[u8; 16]) -> Zeroizing<[u8; KEY_LEN]> {
        let mut material = Zeroizing::new([0; KEY_LEN + 16]);
        material[..KEY_LEN].copy_from_slice(&self.0);
        material[KEY_LEN..].copy_from_slice(id);
        Zeroizing::new(blake3::derive_key(context, &material[..]))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

fn wrap(sealer: &Sealer, nonce: [u8; 12], aad: &[u8], key: &[u8; KEY_LEN]) -> [u8; WRAPPED_LEN] {
    let mut text = Vec::with_capacity(KEY_LEN + TAG_LEN);
    text.extend_from_slice(key);
    sealer.seal(nonce, aad, &mut text);
    let mut wrapped = [0; WRAPPED_LEN];
    wrapped[..12].copy_from_slice(&nonce);
    wrapped[12..].copy_from_slice(&text);
    wrapped
}

fn unwrap(
    sealer: &Sealer,
    aad: &[u8],
    wrapped: &[u8; WRAPPED_LEN],
) -> Option<Zeroizing<[u8; KEY_LEN]>> {
    let mut nonce = [0; 12];
    nonce.copy_from_slice(&wrapped[..12]);
    let mut text = wrapped[12..].to_vec();
    let opened = sealer.open(nonce, aad, &mut text);
    let key = opened.and_then(|()| text.as_slice().try_into().ok()).map(Zeroizing::new);
    text.zeroize();
    key
}
