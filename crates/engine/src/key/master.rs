//! The customer's master key, as a file holds it.

use std::fmt;
use std::path::Path;

use strongroom_model::chance::Chance;
use uuid::Uuid;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use super::KEY_LEN;
use crate::error::{Error, Result};

/// First word of our own text form.
const LABEL: &str = "strongroom-key-v1";

/// The key that opens a vault. It exists in a file or a key service and never in the store.
#[derive(Clone, ZeroizeOnDrop)]
pub struct MasterKey([u8; KEY_LEN]);

impl MasterKey {
    /// Draws a fresh key; `chance` must be the system's.
    pub fn random(chance: &dyn Chance) -> Self {
        let mut key = [0; KEY_LEN];
        chance.fill(&mut key);
        Self(key)
    }

    /// Takes 32 bytes as the key.
    pub fn from_bytes(key: [u8; KEY_LEN]) -> Self {
        Self(key)
    }

    /// Reads a key file: our text form, 64 hexadecimal digits, or 32 raw bytes.
    pub fn read(path: &Path) -> Result<Self> {
        let origin = path.display().to_string();
        let bytes = std::fs::read(path)
            .map_err(|e| Error::BadKey { origin: origin.clone(), detail: e.to_string() })?;
        Self::parse(&Zeroizing::new(bytes), &origin)
    }

    /// Reads a key from the content of a key file; `origin` names it in errors.
    pub fn parse(content: &[u8], origin: &str) -> Result<Self> {
        let bad =
            |detail: &str| Error::BadKey { origin: origin.to_owned(), detail: detail.to_owned() };
        if let Ok(raw) = <[u8; KEY_LEN]>::try_from(content) {
            return Ok(Self(raw));
        }
        let text = std::str::from_utf8(content)
            .map_err(|_| bad("it is neither text nor 32 bytes long"))?
            .trim();
        let Some(rest) = text.strip_prefix(LABEL) else {
            return from_hex(text).map(Self).ok_or_else(|| bad("expected 64 hexadecimal digits"));
        };
        let mut words = rest.split_whitespace();
        let (id, hex) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let key = from_hex(hex).map(Self).ok_or_else(|| bad("expected 64 hexadecimal digits"))?;
        if Uuid::try_parse(id).ok() != Some(key.id()) {
            return Err(bad("the id in the file is not the id of the key"));
        }
        Ok(key)
    }

    /// Our text form: a label, the id and the key, so that a typing error shows.
    pub fn to_text(&self) -> Zeroizing<String> {
        let hex = blake3::Hash::from_bytes(self.0).to_hex();
        Zeroizing::new(format!("{LABEL} {} {hex}\n", self.id()))
    }

    /// Names the key without giving it away.
    pub fn id(&self) -> Uuid {
        let mut hash = blake3::derive_key("strongroom v1 master key id", &self.0);
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        hash.zeroize();
        Uuid::from_bytes(id)
    }

    /// The key bytes, for wrapping.
    pub(super) fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id())
    }
}

fn from_hex(text: &str) -> Option<[u8; KEY_LEN]> {
    blake3::Hash::from_hex(text).ok().map(|hash| *hash.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_key_file_gives_the_same_key() {
        let key = MasterKey::from_bytes([9; 32]);
        let hex = "09".repeat(32);
        for form in [key.to_text().as_bytes(), hex.as_bytes(), &[9; 32]] {
            assert_eq!(MasterKey::parse(form, "f").unwrap().id(), key.id());
        }
        assert_eq!(MasterKey::parse(format!("{hex}\n").as_bytes(), "f").unwrap().id(), key.id());
    }

    #[test]
    fn a_mistyped_key_is_refused_and_never_printed() {
        let key = MasterKey::from_bytes([9; 32]);
        let mistyped = key.to_text().replace("0909", "0908");
        let error = MasterKey::parse(mistyped.as_bytes(), "key.txt").unwrap_err();
        assert!(error.to_string().contains("key.txt"));
        assert!(!error.to_string().contains("0908"));
        assert!(MasterKey::parse(b"short", "f").is_err());
        assert!(!format!("{key:?}").contains("0909"));
    }
}
