//! Access keys as clients hold them, and how they sign what they send.

use serde_json::{Value, json};
use strongroom_model::time::Timestamp;
use strongroom_testkit::signer::{Form, Signer, Unsigned};

use crate::world::{Access, World};

/// Headers that clients add after signing.
const UNSIGNED: [&str; 3] = ["x-project-id", "x-domain-id", "x-security-token"];

/// A key, and the form in which it signs.
#[derive(Debug, Clone)]
pub(crate) struct Hand {
    signer: Signer,
    security_token: Option<String>,
}

impl Hand {
    /// What the door answered when the key was made.
    pub(crate) fn of(credential: &Value, form: Form) -> Self {
        let text = |key: &str| credential[key].as_str().map(str::to_owned);
        let (access, secret) = (text("access").unwrap(), text("secret").unwrap());
        Self { signer: Signer { form, access, secret }, security_token: text("securitytoken") }
    }

    pub(crate) fn access(&self) -> &str {
        &self.signer.access
    }

    /// Adds the headers that make a request a signed one.
    pub(crate) fn sign(
        &self,
        (method, target): (&str, &str),
        headers: &mut Vec<(String, String)>,
        body: &[u8],
        at: Timestamp,
    ) {
        headers.push(("x-sdk-date".to_owned(), date(at)));
        let mut signed: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| !UNSIGNED.contains(name))
            .collect();
        signed.sort_unstable();
        let authorization = self.signer.sign(&Unsigned { method, target, headers: &signed, body });
        headers.push(("authorization".to_owned(), authorization));
        let token = self.security_token.clone();
        headers.extend(token.map(|token| ("x-security-token".to_owned(), token)));
    }
}

/// An instant as signed requests write it.
fn date(at: Timestamp) -> String {
    let text = at.format_rfc3339();
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    format!("{}Z", &digits[..15])
}

impl World {
    /// A permanent key of the user that holds a token.
    pub(crate) async fn key(&self, access: &Access, form: Form) -> Hand {
        let body = json!({"credential": {"description": "made by a test"}});
        let identity = self.identity(access);
        let made = identity.post("/v3.0/OS-CREDENTIAL/credentials", body).await.expect(201);
        Hand::of(&made["credential"], form)
    }
}
