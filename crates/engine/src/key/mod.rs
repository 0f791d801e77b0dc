//! Keys: the customer's master key, the vault's key and what is derived from it.
//!
//! The master key is never stored. It wraps the vault's random key; a key derived from that wraps
//! one random data key per session. All key material is wiped when it is dropped.

mod aead;
mod master;
mod naming;
mod vault;

pub use aead::Suite;
pub(crate) use aead::{KEY_LEN, Sealer, TAG_LEN, counter_nonce};
pub use master::MasterKey;
pub use naming::NamingKey;
pub(crate) use vault::{DataKey, VaultKey, WRAPPED_LEN};
