//! Small records: one line of JSON, then one line with the code that binds it to its name.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Flaw, damaged};
use crate::key::VaultKey;

/// Encodes `value` as the record `name`.
pub(crate) fn encode<T: Serialize>(key: &VaultKey, name: &str, value: &T) -> Vec<u8> {
    let body = serde_json::to_string(value)
        .expect("records are plain structs with text keys, which JSON can always hold");
    let mac = key.record_mac(name, body.as_bytes()).to_hex();
    format!("{body}\n{mac}\n").into_bytes()
}

/// Decodes the record `name`; unknown fields are ignored, a wrong code never is.
pub(crate) fn decode<T: DeserializeOwned>(
    key: &VaultKey,
    name: &str,
    bytes: &[u8],
) -> Result<T, Flaw> {
    let Some(text) = std::str::from_utf8(bytes).ok().and_then(|text| text.strip_suffix('\n'))
    else {
        return damaged("it is not a record");
    };
    let Some((body, mac)) = text.split_once('\n') else {
        return damaged("its code is missing");
    };
    // Comparing two `blake3::Hash` takes the same time wherever they differ.
    let is_ours =
        blake3::Hash::from_hex(mac).is_ok_and(|mac| key.record_mac(name, body.as_bytes()) == mac);
    if !is_ours {
        return damaged("its code does not fit its name and body");
    }
    serde_json::from_str(body).map_err(|e| Flaw::Unsupported(format!("its body: {e}")))
}
