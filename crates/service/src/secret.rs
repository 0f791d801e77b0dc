//! Passwords and tokens: argon2 for the first, a keyed BLAKE3 signature for the second.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use strongroom_model::chance::Chance;
use strongroom_model::time::Timestamp;

use crate::error::{Error, Result};

/// Bytes of a generated password before it is written as text.
const PASSWORD_BYTES: usize = 18;

/// Hashes a password with argon2id and a fresh salt. Takes tens of milliseconds by design.
pub(crate) fn hash_password(password: &str, chance: &dyn Chance) -> Result<String> {
    let mut salt = [0; 16];
    chance.fill(&mut salt);
    Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| Error::internal(error.to_string()))
}

/// Whether `password` is the one that was hashed.
pub(crate) fn verify_password(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// A password that nobody chose: 24 characters that need no quoting anywhere.
pub fn generate_password(chance: &dyn Chance) -> String {
    let mut bytes = [0; PASSWORD_BYTES];
    chance.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Where a token holds, as it is written in the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ClaimedScope {
    /// Nowhere.
    #[serde(rename = "u")]
    Unscoped,
    /// In a project.
    #[serde(rename = "p")]
    Project(String),
    /// In a domain.
    #[serde(rename = "d")]
    Domain(String),
}

/// What a token says. Roles are not in it: they are looked up when it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// Id for audit and revocation.
    #[serde(rename = "i")]
    pub(crate) audit_id: String,
    /// The user.
    #[serde(rename = "s")]
    pub(crate) user_id: String,
    /// Where it holds.
    #[serde(rename = "c")]
    pub(crate) scope: ClaimedScope,
    /// How it was obtained.
    #[serde(rename = "m")]
    pub(crate) methods: Vec<String>,
    /// The access key by which it was obtained, if it was.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub(crate) access_key: Option<String>,
    /// When it was issued, in microseconds.
    #[serde(rename = "t")]
    pub(crate) issued_at: Timestamp,
    /// When it ends, in microseconds.
    #[serde(rename = "e")]
    pub(crate) expires_at: Timestamp,
}

/// Signs tokens and reads them back.
#[derive(Clone, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub(crate) struct TokenKey([u8; 32]);

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey")
    }
}

impl TokenKey {
    /// The key that belongs to a secret text.
    pub(crate) fn derive(secret: &str) -> Self {
        Self(blake3::derive_key("strongroom 2026-11 token signature", secret.as_bytes()))
    }

    /// Writes and signs a token.
    pub(crate) fn sign(&self, claims: &Claims) -> Result<String> {
        let body = serde_json::to_vec(claims).map_err(Error::internal)?;
        let signature = blake3::keyed_hash(&self.0, &body);
        Ok(format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(&body),
            URL_SAFE_NO_PAD.encode(signature.as_bytes())
        ))
    }

    /// Reads a token whose signature holds. Its times and its owner are the caller's to check.
    pub(crate) fn read(&self, token: &str) -> Option<Claims> {
        let (body, signature) = token.split_once('.')?;
        let body = URL_SAFE_NO_PAD.decode(body).ok()?;
        let signature: [u8; 32] = URL_SAFE_NO_PAD.decode(signature).ok()?.try_into().ok()?;
        // `blake3::Hash` compares in constant time.
        if blake3::keyed_hash(&self.0, &body) != blake3::Hash::from_bytes(signature) {
            return None;
        }
        serde_json::from_slice(&body).ok()
    }
}

#[cfg(test)]
mod tests {
    use strongroom_model::chance::SeededChance;

    use super::*;

    fn claims() -> Claims {
        Claims {
            audit_id: "a".to_owned(),
            user_id: "u".to_owned(),
            scope: ClaimedScope::Project("p".to_owned()),
            methods: vec!["password".to_owned()],
            access_key: None,
            issued_at: Timestamp::from_micros(1),
            expires_at: Timestamp::from_micros(2),
        }
    }

    #[test]
    fn a_token_is_read_back_by_its_own_key_only() {
        let key = TokenKey::derive("one");
        let token = key.sign(&claims()).unwrap();
        assert_eq!(key.read(&token), Some(claims()));
        assert_eq!(TokenKey::derive("two").read(&token), None);
    }

    #[test]
    fn a_changed_token_is_refused() {
        let key = TokenKey::derive("one");
        let token = key.sign(&claims()).unwrap();
        for place in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            // The last character of each part has spare bits, so that some changes decode equal.
            if let Some(read) = key.read(&changed) {
                assert_eq!(read, claims());
            }
        }
        assert_eq!(key.read(""), None);
        assert_eq!(key.read("a.b.c"), None);
    }

    #[test]
    fn a_password_is_verified_by_its_hash() {
        let chance = SeededChance::new(1);
        let hash = hash_password("secret", &chance).unwrap();
        assert!(verify_password("secret", &hash));
        assert!(!verify_password("Secret", &hash));
        assert!(!verify_password("secret", "not a hash"));
        assert_eq!(generate_password(&chance).len(), 24);
    }
}
