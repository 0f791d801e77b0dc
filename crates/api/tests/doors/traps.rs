//! Every numbered trap has a test that names it, or a line in the notes on the door.
//!
//! The traps of the volume door are numbered with a T, those of the CBR door with a C.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::cbr::traps::FACTS;

/// A door's traps: the letter before their numbers, and how many there are, numbered from 1.
type Series = (char, u8);

const VOLUME: Series = ('t', 40);
const CBR: Series = ('c', 44);

/// The files below a directory with one of these endings.
fn files(directory: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let is_wanted = path.extension().is_some_and(|it| endings.iter().any(|one| it == *one));
        if path.is_dir() && !path.ends_with("target") {
            files(&path, endings, found);
        } else if is_wanted {
            found.push(path);
        }
    }
}

/// The numbers in the name of the function that a line begins, as in `fn t01_t02_addresses(`.
fn tested(line: &str, letter: char) -> Vec<u8> {
    let line = line.trim_start();
    let begins = ["fn ", "async fn ", "def ", "async def "];
    let Some(rest) = begins.iter().find_map(|begin| line.strip_prefix(begin)) else {
        return Vec::new();
    };
    let name = rest.split('(').next().unwrap_or_default();
    name.split('_').filter_map(|word| number(word.strip_prefix(letter)?)).collect()
}

/// The numbers of a line of the notes, as in `(T-01, T-02)`.
fn told(line: &str, letter: char) -> Vec<u8> {
    let mark = format!("{}-", letter.to_ascii_uppercase());
    line.split(&mark).skip(1).filter_map(|rest| number(rest.get(..2)?)).collect()
}

fn number(text: &str) -> Option<u8> {
    let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// The numbers of a series that some test or note names.
fn named((letter, _): Series) -> BTreeSet<u8> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let mut named = BTreeSet::new();
    for (directory, endings, numbers) in [
        ("crates", ["rs"], tested as fn(&str, char) -> Vec<u8>),
        ("tests/contract", ["py"], tested),
        ("docs/api", ["md"], told),
    ] {
        let mut found = Vec::new();
        files(&root.join(directory), &endings, &mut found);
        assert!(!found.is_empty(), "{directory}");
        for file in found {
            let text = std::fs::read_to_string(file).unwrap();
            named.extend(text.lines().flat_map(|line| numbers(line, letter)));
        }
    }
    named
}

/// The numbers of a series that nothing names.
fn unnamed(series: Series) -> Vec<u8> {
    let named = named(series);
    (1..=series.1).filter(|number| !named.contains(number)).collect()
}

#[test]
fn every_trap_of_the_volume_door_is_named_by_a_test_or_told() {
    let missing = unnamed(VOLUME);
    assert!(missing.is_empty(), "no test and no note names the traps {missing:?}");
}

#[test]
fn every_trap_of_the_cbr_door_is_named_by_a_test_or_told() {
    assert_eq!(FACTS.len(), usize::from(CBR.1));
    let facts = unnamed(CBR).into_iter().map(|number| FACTS[usize::from(number) - 1]);
    let missing: Vec<&str> = facts.collect();
    assert!(missing.is_empty(), "no test and no note says that {missing:?}");
}

#[test]
fn no_trap_is_named_that_there_is_not() {
    for series in [VOLUME, CBR] {
        let unknown: Vec<u8> =
            named(series).into_iter().filter(|number| !(1..=series.1).contains(number)).collect();
        assert!(unknown.is_empty(), "there are no traps {unknown:?} of {series:?}");
    }
}

#[test]
fn numbers_are_read_from_names_and_notes() {
    assert_eq!(tested("    async fn t01_t40_both() {", 't'), [1, 40]);
    assert_eq!(tested("def test_t12_pages(client):", 't'), [12]);
    for none in ["fn two_t1_t123_tab() {", "// t01_addresses", "let t01_x = 1;"] {
        assert!(tested(none, 't').is_empty(), "{none}");
    }
    assert_eq!(told("Hosts are changed (T-01, T-02).", 't'), [1, 2]);
    assert!(told("T-shirts, T-1 and T-nn", 't').is_empty());
}
