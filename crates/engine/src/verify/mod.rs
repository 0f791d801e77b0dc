//! Verifies a vault: every object, and on request every byte of it.
//!
//! It keeps going whatever it finds, and says for each finding which object it is and which backups
//! need it. Only a store that does not answer ends it early, because nothing can be concluded then.

mod packs;
mod pages;
mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use strongroom_model::id::BackupId;

use crate::error::{Error, Result};
use crate::id::{ChunkId, PackId};
use crate::progress::Progress;
use crate::repository::Repository;

/// How thorough to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VerifyDepth {
    /// Records, manifests, pages and the footers of packs; nearly no data is read.
    #[default]
    Structure,
    /// All that, and every stored record is decrypted and hashed once.
    Data,
}

/// How to verify.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// How thorough to be.
    pub depth: VerifyDepth,
    /// Threads; 0 for one per core, never more than 8.
    pub threads: usize,
    /// Counters to watch and the way to cancel.
    pub progress: Arc<Progress>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Name of the object at fault.
    pub object: String,
    /// The record at fault, if only that one is.
    pub ordinal: Option<u32>,
    /// The content that should be in the record.
    pub chunk: Option<ChunkId>,
    /// What is wrong.
    pub detail: String,
    /// The backups that cannot be restored, or not wholly, because of it.
    pub backups: BTreeSet<BackupId>,
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// What is wrong, by object; empty if all is well.
    pub findings: Vec<Finding>,
    /// Backups that were checked.
    pub backup_count: u64,
    /// Packs that were checked.
    pub pack_count: u64,
    /// Stored bytes that were read and proven.
    pub checked_bytes: u64,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Verifies everything in the vault.
pub fn verify(repository: &Repository, options: &VerifyOptions) -> Result<VerifyReport> {
    let mut findings = Findings::default();
    let live = records::check(repository, &mut findings)?;
    let packs = packs::check(repository, options, &mut findings)?;
    pages::check(repository, &live, &packs, &mut findings)?;
    Ok(VerifyReport {
        findings: findings.0.into_values().collect(),
        backup_count: live.len() as u64,
        pack_count: packs.count,
        checked_bytes: packs.checked_bytes,
    })
}

/// Findings by object and record, so that what hurts many backups is told once.
#[derive(Debug, Default)]
struct Findings(BTreeMap<(String, Option<u32>), Finding>);

impl Findings {
    /// Notes that something is wrong with a whole object.
    fn object(&mut self, object: &str, detail: impl Into<String>) -> &mut Finding {
        self.record(object, None, None, detail)
    }

    /// Notes that something is wrong with a record, or with a whole object.
    fn record(
        &mut self,
        object: &str,
        ordinal: Option<u32>,
        chunk: Option<ChunkId>,
        detail: impl Into<String>,
    ) -> &mut Finding {
        let object = object.to_owned();
        self.0.entry((object.clone(), ordinal)).or_insert_with(|| Finding {
            object,
            ordinal,
            chunk,
            detail: detail.into(),
            backups: BTreeSet::new(),
        })
    }

    /// Notes an error about `object`, unless it says nothing about the object.
    fn error(&mut self, object: &str, error: Error) -> Result<&mut Finding> {
        match error {
            Error::ChunkDamaged { chunk, ordinal, detail, .. } => {
                Ok(self.record(object, Some(ordinal), Some(chunk), detail))
            }
            Error::Damaged { detail, .. } | Error::Unsupported { detail, .. } => {
                Ok(self.object(object, detail))
            }
            Error::Store(e) if e.is_missing() => Ok(self.object(object, "it does not exist")),
            other => Err(other),
        }
    }
}

/// The packs that were looked at.
#[derive(Debug, Default)]
struct Packs {
    count: u64,
    checked_bytes: u64,
    /// Packs that are there, whatever is wrong with them.
    present: BTreeSet<PackId>,
    /// Packs that cannot be used at all.
    broken: BTreeSet<PackId>,
    /// Records that are damaged in packs that can be opened.
    bad_records: BTreeMap<PackId, BTreeSet<u32>>,
}
