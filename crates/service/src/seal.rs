//! Secrets that must be read back, sealed for the catalogue.
//!
//! Passwords and tokens are only ever compared, so their hashes are kept. A signature can be checked
//! only with the secret itself: it is encrypted with a key that follows from the secret of tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use strongroom_model::chance::Chance;

use crate::error::{Error, Result};

/// Seals the secrets of access keys and opens them, and derives what belongs to a temporary one.
pub(crate) struct Sealer {
    key: LessSafeKey,
    companion: [u8; 32],
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// The sealer that belongs to the secret of tokens.
    pub(crate) fn derive(secret: &str) -> Self {
        let key = blake3::derive_key("strongroom 2026-11 access key secrets", secret.as_bytes());
        let key = UnboundKey::new(&AES_256_GCM, &key).expect("32 bytes are what AES-256 takes");
        let companion = blake3::derive_key("strongroom 2026-11 security tokens", secret.as_bytes());
        Self { key: LessSafeKey::new(key), companion }
    }

    /// Seals a secret for the key of that public half; nobody can pass it off as another's.
    pub(crate) fn seal(&self, access: &str, secret: &str, chance: &dyn Chance) -> Result<String> {
        let mut nonce = [0; NONCE_LEN];
        chance.fill(&mut nonce);
        let mut sealed = secret.as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(access.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| Error::internal("a secret cannot be sealed"))?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what was sealed for that public half.
    ///
    /// # Errors
    /// `Internal` if it was sealed for another, with another secret of tokens, or changed since.
    pub(crate) fn open(&self, access: &str, sealed: &str) -> Result<String> {
        let unreadable = || Error::internal(format!("the secret of key {access} cannot be opened"));
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| unreadable())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(unreadable)?;
        let mut sealed = sealed.to_vec();
        let plain = self
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(access.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| unreadable())?;
        String::from_utf8(plain.to_vec()).map_err(|_| unreadable())
    }

    /// The text that must come with every request signed by the temporary key of that public half.
    pub(crate) fn security_token(&self, access: &str) -> String {
        URL_SAFE_NO_PAD.encode(blake3::keyed_hash(&self.companion, access.as_bytes()).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use strongroom_model::chance::SeededChance;

    use super::*;

    #[test]
    fn a_secret_is_opened_for_its_key_by_its_sealer_only() {
        let (sealer, chance) = (Sealer::derive("one"), SeededChance::new(1));
        let sealed = sealer.seal("A", "the secret", &chance).unwrap();
        assert_ne!(sealed, sealer.seal("A", "the secret", &chance).unwrap());
        assert!(!sealed.contains("secret"));
        assert_eq!(sealer.open("A", &sealed).unwrap(), "the secret");
        assert!(sealer.open("B", &sealed).is_err());
        assert!(Sealer::derive("two").open("A", &sealed).is_err());
        for place in 0..sealed.len() - 1 {
            let mut bytes = sealed.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            assert!(sealer.open("A", &String::from_utf8(bytes).unwrap()).is_err(), "{place}");
        }
        assert!(sealer.open("A", "").is_err());
    }

    #[test]
    fn a_security_token_belongs_to_one_key() {
        let sealer = Sealer::derive("one");
        assert_eq!(sealer.security_token("A"), sealer.security_token("A"));
        assert_ne!(sealer.security_token("A"), sealer.security_token("B"));
        assert_ne!(sealer.security_token("A"), Sealer::derive("two").security_token("A"));
    }
}
