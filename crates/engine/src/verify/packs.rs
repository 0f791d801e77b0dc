//! Checks packs: their footers, and on request every record in them.

use std::sync::{Mutex, PoisonError};

use super::{Findings, Packs, VerifyDepth, VerifyOptions};
use crate::crew::{Crew, thread_count};
use crate::error::{Error, Result};
use crate::format::name;
use crate::format::pack::{HEADER_LEN, Header, Trailer};
use crate::id::PackId;
use crate::num::to_usize;
use crate::pack::OpenPack;
use crate::repository::Repository;

/// What one pack turned out to be: bytes proven, whether it opens, what is wrong with records.
struct Checked {
    bytes: u64,
    broken: Option<Error>,
    bad: Vec<Error>,
}

/// Checks every pack there is.
pub(super) fn check(
    repository: &Repository,
    options: &VerifyOptions,
    findings: &mut Findings,
) -> Result<Packs> {
    let listed = repository.list_packs()?;
    options.progress.begin(listed.len() as u64);
    let crew = Crew::new(listed.len() as u64);
    let shared = Mutex::new((Packs::default(), findings));
    std::thread::scope(|scope| {
        for _ in 0..thread_count(options.threads) {
            scope.spawn(|| {
                crew.work(|number| {
                    options.progress.check()?;
                    let (pack, _) = listed[to_usize(number)];
                    let checked = check_pack(repository, pack, options.depth)?;
                    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    let (packs, findings) = &mut *shared;
                    options.progress.add_done(1);
                    note(repository, (pack, checked), packs, findings)
                });
            });
        }
    });
    crew.finish()?;
    Ok(shared.into_inner().unwrap_or_else(PoisonError::into_inner).0)
}

fn note(
    repository: &Repository,
    (pack, checked): (PackId, Checked),
    packs: &mut Packs,
    findings: &mut Findings,
) -> Result<()> {
    let object = name::pack(repository.vault(), pack);
    packs.count += 1;
    packs.present.insert(pack);
    packs.checked_bytes += checked.bytes;
    if let Some(error) = checked.broken {
        packs.broken.insert(pack);
        findings.error(&object, error)?;
    }
    for error in checked.bad {
        if let Error::ChunkDamaged { ordinal, .. } = &error {
            packs.bad_records.entry(pack).or_default().insert(*ordinal);
        }
        findings.error(&object, error)?;
    }
    Ok(())
}

fn check_pack(repository: &Repository, pack: PackId, depth: VerifyDepth) -> Result<Checked> {
    let checked = match depth {
        VerifyDepth::Structure => repository.load_pack(pack).map(|_| (0, Vec::new())),
        VerifyDepth::Data => check_data(repository, pack),
    };
    match checked {
        Ok((bytes, bad)) => Ok(Checked { bytes, broken: None, bad }),
        Err(e) if e.is_damage() || matches!(e, Error::Unsupported { .. }) => {
            Ok(Checked { bytes: 0, broken: Some(e), bad: Vec::new() })
        }
        Err(e) => Err(e),
    }
}

/// Reads a pack whole; returns the bytes proven and what is wrong with single records.
fn check_data(repository: &Repository, pack: PackId) -> Result<(u64, Vec<Error>)> {
    let object = name::pack(repository.vault(), pack);
    let bytes = repository.store().get(&object)?;
    let len = bytes.len() as u64;
    let open = OpenPack::from_tail(repository, pack, &bytes, len)
        .map_err(|flaw| flaw.at(&object))?
        .ok_or_else(|| Error::damaged(&object, "it is too short"))?;
    let (mut proven, mut bad) = (0, Vec::new());
    for (ordinal, entry) in (0..).zip(&open.entries) {
        let span = entry.span();
        let stored = &bytes[to_usize(span.start)..to_usize(span.end)];
        match open.open_record(repository, ordinal, stored) {
            Ok(_) if crc32fast::hash(stored) != entry.crc => {
                bad.push(Error::damaged(
                    &object,
                    format!("record {ordinal} has a wrong check sum"),
                ));
            }
            Ok(_) => proven += u64::from(entry.stored),
            Err(e) => bad.push(e),
        }
    }
    if Header::decode(&bytes[..HEADER_LEN]).ok().as_ref() != Some(&open.header) {
        bad.push(Error::damaged(&object, "its two headers differ"));
    }
    let records_end = open.entries.last().map_or(HEADER_LEN as u64, |entry| entry.span().end);
    let footer = Trailer::decode(&bytes, len).map_err(|flaw| flaw.at(&object))?.footer_offset;
    if bytes[to_usize(records_end)..to_usize(footer.into())].iter().any(|byte| *byte != 0) {
        bad.push(Error::damaged(&object, "its padding is not zero"));
    }
    Ok((proven, bad))
}
