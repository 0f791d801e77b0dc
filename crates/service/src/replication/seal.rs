//! How two regions know each other: both hold one secret, and each request bears a seal by it.

use std::time::Duration;

use strongroom_model::time::Timestamp;
use zeroize::Zeroize;

/// How far the clocks of two regions may be apart, and for how long a seal holds.
const WINDOW: Duration = Duration::from_secs(900);

/// What separates this use of the secret from every other.
const CONTEXT: &str = "strongroom 2026 peer request seal v1";

/// The fewest characters of a secret.
pub const SECRET_MIN: usize = 16;

/// What both regions derive from their secret.
#[derive(Clone)]
pub struct PeerKey([u8; 32]);

impl std::fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PeerKey(..)")
    }
}

impl Drop for PeerKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// What a seal covers.
#[derive(Debug, Clone, Copy)]
pub struct Sealed<'a> {
    /// The region that asks.
    pub region: &'a str,
    /// When it asks, in whole seconds since 1970.
    pub at_secs: i64,
    /// The method.
    pub method: &'a str,
    /// The path with the query.
    pub path: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl PeerKey {
    /// The key of a secret; none if it has fewer than [`SECRET_MIN`] characters.
    pub fn derive(secret: &str) -> Option<Self> {
        let is_long = secret.chars().count() >= SECRET_MIN;
        is_long.then(|| Self(blake3::derive_key(CONTEXT, secret.as_bytes())))
    }

    /// The seal as hexadecimal digits.
    pub fn seal(&self, sealed: &Sealed<'_>) -> String {
        self.hash(sealed).to_hex().to_string()
    }

    /// Whether a seal is by this key, covers that, and is not too old or too new.
    pub fn verifies(&self, seal: &str, sealed: &Sealed<'_>, now: Timestamp) -> bool {
        let window = i64::try_from(WINDOW.as_secs()).unwrap_or(i64::MAX);
        let is_timely =
            now.as_secs().saturating_sub(sealed.at_secs).unsigned_abs() <= window.unsigned_abs();
        // The comparison of hashes takes the same time wherever they differ.
        let is_right = blake3::Hash::from_hex(seal).is_ok_and(|seal| seal == self.hash(sealed));
        is_timely && is_right
    }

    fn hash(&self, sealed: &Sealed<'_>) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for field in [sealed.region, &sealed.at_secs.to_string(), sealed.method, sealed.path] {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field.as_bytes());
        }
        hasher.update(sealed.body);
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Sealed<'static> {
        Sealed { region: "r1", at_secs: 1000, method: "POST", path: "/peer/v1/x", body: b"body" }
    }

    #[test]
    fn a_seal_covers_everything_and_holds_for_a_while() {
        let key = PeerKey::derive("a secret of some length").unwrap();
        let (request, at) = (request(), |secs: i64| Timestamp::from_micros(secs * 1_000_000));
        let seal = key.seal(&request);
        assert!(key.verifies(&seal, &request, at(1000)));
        assert!(key.verifies(&seal, &request, at(1900)) && key.verifies(&seal, &request, at(100)));
        assert!(!key.verifies(&seal, &request, at(1901)) && !key.verifies(&seal, &request, at(99)));
        let changed = [
            Sealed { region: "r2", ..request },
            Sealed { at_secs: 1001, ..request },
            Sealed { method: "GET", ..request },
            Sealed { path: "/peer/v1/y", ..request },
            Sealed { body: b"bodY", ..request },
        ];
        assert!(changed.iter().all(|other| !key.verifies(&seal, other, at(1000))));
        let other = PeerKey::derive("another secret of that").unwrap();
        assert!(!other.verifies(&seal, &request, at(1000)));
        assert!(!key.verifies("", &request, at(1000)) && !key.verifies("zz", &request, at(1000)));
    }

    #[test]
    fn a_short_secret_is_none() {
        assert!(PeerKey::derive("0123456789abcde").is_none());
        assert!(PeerKey::derive("0123456789abcdef").is_some());
    }
}
