//! Authenticated encryption: two suites behind one face.

use ring::aead::{AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

/// Bytes of every key.
pub(crate) const KEY_LEN: usize = 32;
/// Bytes a sealed text is longer than its plaintext.
pub(crate) const TAG_LEN: usize = 16;

/// Which cipher sealed an object; stored as one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// AES-256-GCM, the fast one where the processor has AES instructions.
    Aes256Gcm = 1,
    /// ChaCha20-Poly1305, the fast one elsewhere.
    ChaCha20Poly1305 = 2,
}

impl Suite {
    /// The faster one on this machine.
    pub(crate) fn fastest() -> Self {
        #[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
        let has_aes = std::arch::is_x86_feature_detected!("aes");
        #[cfg(target_arch = "aarch64")]
        let has_aes = std::arch::is_aarch64_feature_detected!("aes");
        #[cfg(not(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")))]
        let has_aes = false;
        if has_aes { Self::Aes256Gcm } else { Self::ChaCha20Poly1305 }
    }

    /// The suite of a stored byte; `None` for one this version does not know.
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        [Self::Aes256Gcm, Self::ChaCha20Poly1305].into_iter().find(|suite| suite.byte() == byte)
    }

    /// The byte that stands for the suite.
    pub(crate) fn byte(self) -> u8 {
        self as u8
    }

    /// A sealer with one key.
    pub(crate) fn sealer(self, key: &[u8; KEY_LEN]) -> Sealer {
        let algorithm = match self {
            Self::Aes256Gcm => &AES_256_GCM,
            Self::ChaCha20Poly1305 => &CHACHA20_POLY1305,
        };
        let key = UnboundKey::new(algorithm, key).expect("both suites take keys of 32 bytes");
        Sealer(LessSafeKey::new(key))
    }
}

/// One key, ready for use. The caller answers for never using a nonce twice.
#[derive(Debug)]
pub(crate) struct Sealer(LessSafeKey);

impl Sealer {
    /// Encrypts `text` in place and appends the tag.
    pub(crate) fn seal(&self, nonce: [u8; 12], aad: &[u8], text: &mut Vec<u8>) {
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), text)
            .expect("sealing fails only beyond 64 GiB and every length here is capped far below");
    }

    /// Decrypts in place and cuts the tag off; `None` if anything was changed.
    pub(crate) fn open(&self, nonce: [u8; 12], aad: &[u8], text: &mut Vec<u8>) -> Option<()> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let len = self.0.open_in_place(nonce, Aad::from(aad), text).ok()?.len();
        text.truncate(len);
        Some(())
    }
}

/// The nonce that is a number.
pub(crate) fn counter_nonce(counter: u32) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[..4].copy_from_slice(&counter.to_le_bytes());
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_suites_open_what_they_sealed_and_nothing_else() {
        for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
            let sealer = suite.sealer(&[7; 32]);
            let mut text = b"plain".to_vec();
            sealer.seal(counter_nonce(1), b"aad", &mut text);
            let sealed = text.clone();
            assert!(sealer.open(counter_nonce(1), b"aad", &mut text).is_some());
            assert_eq!(text, b"plain");
            assert!(sealer.open(counter_nonce(2), b"aad", &mut sealed.clone()).is_none());
            assert!(sealer.open(counter_nonce(1), b"other", &mut sealed.clone()).is_none());
            assert!(
                suite
                    .sealer(&[8; 32])
                    .open(counter_nonce(1), b"aad", &mut sealed.clone())
                    .is_none()
            );
            assert_eq!(Suite::from_byte(suite.byte()), Some(suite));
        }
        assert_eq!(Suite::from_byte(0), None);
        assert_eq!(Suite::from_byte(3), None);
    }
}
