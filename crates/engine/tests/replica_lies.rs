//! An origin, or a wire, that does not tell the truth: it is refused, and nothing is committed.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;
mod replica {
    pub(crate) mod wire;
}

use common::{restored, try_restore};
use replica::wire::{Answer, Dice, Pair, Tamper, Wire, named_cells, payloads, resummed};
use strongroom_engine::*;
use strongroom_model::id::BackupId;
use strongroom_testkit::volume::{disk, noise};

/// Two backups in the near vault, and a copy of the first in the far one.
struct Case {
    pair: Pair,
    new: Vec<u8>,
    first: BackupId,
    second: BackupId,
    base: BackupId,
}

impl Case {
    fn new() -> Self {
        let pair = Pair::new();
        let old = noise(1, 2_500_000);
        let mut new = old.clone();
        new[600_000..1_400_000].copy_from_slice(&noise(2, 800_000));
        let first = pair.near.save(&old, None);
        let second = pair.near.save(&new, Some(first));
        let base = pair.copy(first, None, None);
        Self { pair, new, first, second, base }
    }

    /// Receives the second backup over a wire that lies, on top of the base.
    ///
    /// Nothing may come of it, and an honest attempt afterwards must succeed.
    fn lie(&self, what: &str, tamper: Tamper) -> Error {
        let origin = self.pair.origin(self.second, Some(self.first));
        self.refuse(what, &Wire::new(&origin, tamper))
    }

    fn refuse(&self, what: &str, source: &dyn ReplicaSource) -> Error {
        let far = &self.pair.far;
        let options = far.fresh(Some(self.base));
        let error = match receive(&far.open(), source, &options) {
            Err(error) => error,
            Ok(report) => panic!("{what} was believed: {report:?}"),
        };
        let settled = resolve_session(&far.open_sound(), options.session_id).unwrap();
        assert_eq!(settled, SessionOutcome::Aborted, "{what}");
        let listed = list(&far.open_sound()).unwrap().backups;
        assert!(listed.iter().all(|entry| entry.backup_id != options.backup_id), "{what}");
        let missing = try_restore(&far.open_sound(), options.backup_id);
        assert!(matches!(missing, Err(Error::BackupMissing(_))), "{what}");
        far.tidy();
        let session_id = SessionId::random(&*far.chance);
        let honest = BackupOptions { session_id, ..options };
        self.pair.receive(self.second, Some(self.first), &honest).unwrap();
        assert!(restored(&far.open_sound(), honest.backup_id) == self.new, "{what}");
        delete(&far.open_sound(), honest.backup_id).unwrap();
        far.tidy();
        error
    }

    /// What the origin answers.
    fn outline(&self, backup: BackupId, base: Option<BackupId>) -> Vec<u8> {
        self.pair.origin(backup, base).outline(0, base.is_some()).unwrap()
    }
}

/// A wire that changes the answers of one kind and makes their check sums right.
fn on(kind: &'static str, change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Tamper {
    Box::new(move |answer: Answer| {
        let mut bytes = answer.bytes;
        if answer.kind == kind {
            change(&mut bytes);
            bytes = resummed(bytes);
        }
        Ok(bytes)
    })
}

fn assert_unfaithful(error: &Error, words: &str) {
    assert!(matches!(error, Error::Unfaithful { .. }) && !error.is_transient(), "{error:?}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn other_bytes_than_were_announced() {
    let case = Case::new();
    let error = case.lie("a changed byte", on("chunks", |b| b[100_000] ^= 1));
    assert_unfaithful(&error, "a chunk has another id than was announced");
    let swap = |bytes: &mut Vec<u8>| {
        let places = payloads(bytes);
        let (head, tail) = bytes.split_at_mut(places[1].start);
        head[places[0].clone()].swap_with_slice(&mut tail[..places[1].len()]);
    };
    let error = case.lie("two chunks in each other's place", on("chunks", swap));
    assert_unfaithful(&error, "a chunk has another id than was announced");
    let error = case.lie("another length", on("chunks", |b| b[18] = 3));
    assert_unfaithful(&error, "another length than it says");
    let error = case.lie("a codec of its own", on("chunks", |b| b[20] = 9));
    assert_unfaithful(&error, "unknown codec");
}

#[test]
fn other_cells_than_were_asked_for() {
    let case = Case::new();
    let rename = |b: &mut Vec<u8>| b[8] ^= 1;
    assert_unfaithful(&case.lie("another cell", on("chunks", rename)), "other cells");
    let turn = |bytes: &mut Vec<u8>| {
        let places = payloads(bytes);
        let (first, second) = (8..places[0].end, places[0].end..places[1].end);
        let turned = [&bytes[second], &bytes[first.clone()], &bytes[places[1].end..]].concat();
        bytes.splice(first.start.., turned);
    };
    assert_unfaithful(&case.lie("the other way round", on("chunks", turn)), "other cells");
    let fewer = |bytes: &mut Vec<u8>| {
        let last = payloads(bytes).pop().unwrap();
        bytes.drain(last.start - 17..last.end);
        bytes[6] -= 1;
    };
    assert_unfaithful(&case.lie("one too few", on("chunks", fewer)), "other cells");
}

#[test]
fn an_answer_to_something_else() {
    let case = Case::new();
    let outline = case.outline(case.second, None);
    let instead = outline.clone();
    let error = case.lie("an outline for chunks", on("chunks", move |b| b.clone_from(&instead)));
    assert_unfaithful(&error, "an answer to something else");
    let error = case.lie("an outline", on("summary", move |b| b.clone_from(&outline)));
    assert_unfaithful(&error, "an answer to something else");
    let other = case.outline(case.first, None);
    let error = case.lie("another backup", on("outline", move |b| b.clone_from(&other)));
    assert_unfaithful(&error, "another page or another size");
    let error = case.lie("another page", on("outline", |b| b[6] ^= 1));
    assert_unfaithful(&error, "another page or another size");
    for kind in ["summary", "outline", "chunks"] {
        let error = case.lie("a later version", on(kind, |b| b[4] = 2));
        assert!(matches!(&error, Error::Unsupported { .. }), "{error}");
        let error = case.lie("far too much", on(kind, |b| b.resize(20 << 20, 0)));
        assert_unfaithful(&error, "at most");
    }
}

#[test]
fn an_answer_that_did_not_arrive_whole_is_only_an_accident() {
    let case = Case::new();
    for kind in ["summary", "outline", "chunks"] {
        let changes: [fn(&mut Vec<u8>); 4] = [
            |bytes| bytes.truncate(bytes.len() - 1),
            |bytes| bytes.truncate(3),
            Vec::clear,
            |bytes| bytes[20] ^= 0x10,
        ];
        for change in changes {
            let tamper = move |answer: Answer| {
                let mut bytes = answer.bytes;
                if answer.kind == kind {
                    change(&mut bytes);
                }
                Ok(bytes)
            };
            let error = case.lie("a torn answer", Box::new(tamper));
            assert!(matches!(error, Error::Wire { source: WireError::Cut(_), .. }), "{error}");
            assert!(error.is_transient());
        }
        let error = case.lie("half an answer", on(kind, |bytes| bytes.truncate(bytes.len() / 2)));
        assert_unfaithful(&error, "");
    }
}

#[test]
fn names_that_are_wrong() {
    let case = Case::new();
    let rename = |bytes: &mut Vec<u8>| {
        let own = *named_cells(bytes).values().next().unwrap();
        bytes[own + 32] ^= 1;
    };
    let error = case.lie("a wrong name", on("outline", rename));
    assert_unfaithful(&error, "a chunk has another id than was announced");
    let disown = |bytes: &mut Vec<u8>| {
        let own = *named_cells(bytes).values().next().unwrap();
        bytes[own] ^= 1;
    };
    let error = case.lie("a wrong id of its own", on("outline", disown));
    assert_unfaithful(&error, "not those of the backup in the summary");
    let swap = |bytes: &mut Vec<u8>| {
        let owns: Vec<_> = named_cells(bytes).into_values().collect();
        let (head, tail) = bytes.split_at_mut(owns[1]);
        head[owns[0]..owns[0] + 64].swap_with_slice(&mut tail[..64]);
    };
    // The names fit the bytes that come, so only the content root tells.
    let swap_names = move |answer: Answer| match answer.kind {
        "outline" => {
            let mut bytes = answer.bytes;
            swap(&mut bytes);
            Ok(resummed(bytes))
        }
        _ => Ok(answer.bytes),
    };
    let error = case.lie("two cells in each other's place", Box::new(swap_names));
    assert!(matches!(error, Error::Unfaithful { .. }), "{error}");
}

#[test]
fn a_second_outline_that_differs_from_the_first() {
    let case = Case::new();
    let far = &case.pair.far;
    // The copy of the base has lost its page, so that the far vault asks again, for names only.
    for pack in far.objects("packs") {
        far.sound.delete(&pack).unwrap();
    }
    let other = case.outline(case.first, None);
    let tamper = move |answer: Answer| match answer.call {
        3 => Ok(other.clone()),
        _ => Ok(answer.bytes),
    };
    let origin = case.pair.origin(case.second, Some(case.first));
    let options = far.fresh(Some(case.base));
    let wire = Wire::new(&origin, Box::new(tamper));
    let error = receive(&far.open(), &wire, &options).unwrap_err();
    assert_unfaithful(&error, "it was another one a moment ago");
    assert!(find(&far.open_sound(), options.backup_id).unwrap().is_none());
}

#[test]
fn a_chunk_of_another_length_that_the_vault_holds() {
    let case = Case::new();
    // A short chunk that the far vault holds for another volume, and its name.
    let short = case.pair.near.save(&noise(9, 1000), None);
    let outline = case.outline(short, None);
    let own = named_cells(&outline)[&0];
    let name = outline[own + 32..own + 64].to_vec();
    case.pair.copy(short, None, None);
    let substitute = move |bytes: &mut Vec<u8>| {
        let own = *named_cells(bytes).values().next().unwrap();
        bytes[own + 32..own + 64].copy_from_slice(&name);
    };
    let error = case.lie("a short chunk", on("outline", substitute));
    assert_unfaithful(&error, "longer or shorter than its cell");
}

#[test]
fn a_summary_that_is_wrong() {
    let case = Case::new();
    // Magic and version 6, size 8, grid 4, root 32, mark of the base 1, size of the base 8, root 32.
    let error = case.lie("a wrong root", on("summary", |b| b[18] ^= 1));
    assert_unfaithful(&error, "not those of the backup in the summary");
    let error = case.lie("a larger volume", on("summary", |b| b[8] ^= 0x10));
    assert_unfaithful(&error, "another page or another size");
    let error = case.lie("a little larger volume", on("summary", |b| b[6] ^= 1));
    assert_unfaithful(&error, "");
    let error = case.lie("an endless volume", on("summary", |b| b[13] = 0x7f));
    assert!(matches!(error, Error::VolumeTooLarge { .. }), "{error}");
    let error = case.lie("another grid", on("summary", |b| b[16] ^= 1));
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    let error = case.lie("a larger base", on("summary", |b| b[53] ^= 0x40));
    assert_unfaithful(&error, "another page or another size");
    let error = case.lie("a little larger base", on("summary", |b| b[51] ^= 1));
    assert_unfaithful(&error, "the base is not what they say it is");
}

#[test]
fn a_cell_that_is_said_to_be_the_same_and_is_not() {
    let case = Case::new();
    // Kinds of the cells from byte 19 on, then those of the base, then ids.
    let pretend = |bytes: &mut Vec<u8>| {
        let count = usize::from(u16::from_le_bytes([bytes[15], bytes[16]]));
        let (place, own) = named_cells(bytes).into_iter().next().unwrap();
        let changed = named_cells(bytes).len();
        // The base's ids are the last ones before the check sum; this one is their first.
        let base_id = bytes.len() - 4 - 32 * changed;
        bytes.drain(base_id..base_id + 32);
        bytes.drain(own + 32..own + 64);
        bytes[19 + place] = 3;
        bytes[19 + count + place] = 3;
    };
    let error = case.lie("a cell", on("outline", pretend));
    assert_unfaithful(&error, "the base is not what they say it is");
    let all = |bytes: &mut Vec<u8>| {
        bytes.truncate(14);
        bytes.push(1);
        bytes.extend_from_slice(&[7; 36]);
    };
    let error = case.lie("a page", on("outline", all));
    assert_unfaithful(&error, "not those of the backup in the summary");
}

#[test]
fn a_base_that_is_said_to_be_another_and_is_not() {
    let case = Case::new();
    // The summary speaks of the base that the far vault holds, the outlines of another one.
    let other = case.pair.near.save(&disk(5, 2_500_000), None);
    let mixed = case.outline(case.second, Some(other));
    let error = case.lie("another base", on("outline", move |b| b.clone_from(&mixed)));
    assert_unfaithful(&error, "the base is not what they say it is");
}

#[test]
fn no_flipped_byte_is_ever_committed() {
    let pair = Pair::new();
    let volume = disk(6, 700_000);
    let backup = pair.near.save(&volume, None);
    let (mut refused, mut dice) = (0, Dice(11));
    for round in 0..300_u64 {
        let at = usize::try_from(dice.below(1 << 40)).unwrap();
        let flip = u8::try_from(1 + dice.below(255)).unwrap();
        let tamper = move |answer: Answer| {
            let mut bytes = answer.bytes;
            if answer.call == 1 + round % 3 {
                // Heads, where the meaning is, as often as anywhere.
                let reach = if at % 2 == 0 { bytes.len().min(100) } else { bytes.len() };
                bytes[(at / 2) % reach] ^= flip;
                bytes = resummed(bytes);
            }
            Ok(bytes)
        };
        let far = common::Fragile::seeded(round);
        let naming = far.open_sound().naming_key();
        let origin = Origin::open(&pair.near.open_sound(), backup, None, naming).unwrap();
        let options = far.fresh(None);
        match receive(&far.open(), &Wire::new(&origin, Box::new(tamper)), &options) {
            Ok(_) => assert!(restored(&far.open_sound(), options.backup_id) == volume),
            Err(_) => {
                refused += 1;
                assert!(list(&far.open_sound()).unwrap().backups.is_empty());
            }
        }
    }
    assert!(refused > 250, "{refused}");
}
