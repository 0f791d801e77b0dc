//! Names of stored objects.

use strongroom_model::id::{BackupId, VaultId};

use crate::id::{PackId, SessionId};

/// The vault's record.
pub(crate) fn vault(vault: VaultId) -> String {
    format!("{vault}/vault")
}

/// One of the two copies of a wrapped vault key.
pub(crate) fn key(vault: VaultId, version: u32, copy: char) -> String {
    format!("{vault}/keys/{version:08}/{copy}")
}

/// The folder of all wrapped vault keys.
pub(crate) fn keys(vault: VaultId) -> String {
    format!("{vault}/keys")
}

/// A pack.
pub(crate) fn pack(vault: VaultId, pack: PackId) -> String {
    let text = pack.to_string();
    format!("{vault}/packs/{}/{text}", &text[..2])
}

/// The folder of all packs.
pub(crate) fn packs(vault: VaultId) -> String {
    format!("{vault}/packs")
}

/// The manifest that a session made of a backup.
pub(crate) fn manifest(vault: VaultId, backup: BackupId, session: SessionId) -> String {
    format!("{vault}/manifests/{backup}/{session}")
}

/// The folder of all manifests.
pub(crate) fn manifests(vault: VaultId) -> String {
    format!("{vault}/manifests")
}

/// The folder of the manifests of one backup.
pub(crate) fn manifests_of(vault: VaultId, backup: BackupId) -> String {
    format!("{vault}/manifests/{backup}")
}

/// The folder of all sessions.
pub(crate) fn sessions(vault: VaultId) -> String {
    format!("{vault}/sessions")
}

/// The folder of a session's signs of life.
pub(crate) fn session_renewals(vault: VaultId, session: SessionId) -> String {
    format!("{vault}/sessions/{session}/renew")
}

/// The record that opens a session.
pub(crate) fn session_open(vault: VaultId, session: SessionId) -> String {
    format!("{vault}/sessions/{session}/open")
}

/// A sign of life of a session.
pub(crate) fn session_renew(vault: VaultId, session: SessionId, serial: u32) -> String {
    format!("{vault}/sessions/{session}/renew/{serial:08}")
}

/// The record that ends a session.
pub(crate) fn session_end(vault: VaultId, session: SessionId) -> String {
    format!("{vault}/sessions/{session}/end")
}

/// The record that a backup is deleted.
pub(crate) fn tomb(vault: VaultId, backup: BackupId) -> String {
    format!("{vault}/tombs/{backup}")
}

/// The folder of all tombs.
pub(crate) fn tombs(vault: VaultId) -> String {
    format!("{vault}/tombs")
}

/// The folder of all epochs of collection.
pub(crate) fn gc(vault: VaultId) -> String {
    format!("{vault}/gc")
}

/// The packs that an epoch condemned.
pub(crate) fn gc_condemned(vault: VaultId, epoch: u64) -> String {
    format!("{vault}/gc/{epoch:016}/condemned")
}

/// The sessions that an epoch waits for.
pub(crate) fn gc_waits(vault: VaultId, epoch: u64) -> String {
    format!("{vault}/gc/{epoch:016}/waits")
}

/// The parts of `name` behind the folder `below`; `None` if it does not lie there.
pub(crate) fn parts<'a>(name: &'a str, below: &str) -> Option<Vec<&'a str>> {
    let rest = name.strip_prefix(below)?.strip_prefix('/')?;
    Some(rest.split('/').collect())
}
