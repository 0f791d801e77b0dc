//! Holds the wall between our crates, and proves that the guard sees a hole in it.

use std::path::Path;

use strongroom_testkit::arrows::{Arrow, Arrows, Purpose};

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Writes a workspace of empty crates, each with the given sections of dependencies.
fn workspace(crates: &[(&str, &str)]) -> std::io::Result<tempfile::TempDir> {
    let root = tempfile::tempdir()?;
    std::fs::write(
        root.path().join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"*\"]\n",
    )?;
    for (name, dependencies) in crates {
        let home = root.path().join(name);
        std::fs::create_dir_all(home.join("src"))?;
        std::fs::write(home.join("src/lib.rs"), "")?;
        let manifest = format!(
            "[package]\nname = \"strongroom-{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{dependencies}\n"
        );
        std::fs::write(home.join("Cargo.toml"), manifest)?;
    }
    Ok(root)
}

fn violations_of(crates: &[(&str, &str)]) -> Outcome<Vec<String>> {
    let root = workspace(crates)?;
    Ok(Arrows::of_workspace(&root.path().join("Cargo.toml"))?.violations())
}

#[test]
fn this_workspace_keeps_the_wall() {
    let arrows = Arrows::of_workspace(Path::new(MANIFEST)).unwrap();
    assert_eq!(arrows.violations(), Vec::<String>::new());
}

#[test]
fn every_crate_of_this_workspace_was_looked_at() {
    let arrows = Arrows::of_workspace(Path::new(MANIFEST)).unwrap();
    let crates: Vec<_> = arrows.crates().into_keys().collect();
    for name in ["api", "catalog", "engine", "service", "strongroom"] {
        assert!(crates.contains(&name), "{name} is missing of {crates:?}");
    }
}

#[test]
fn a_catalog_that_knows_the_engine_is_found() {
    let found = violations_of(&[
        ("engine", ""),
        ("catalog", "[dependencies]\nstrongroom-engine = { path = \"../engine\" }"),
    ])
    .unwrap();
    assert_eq!(found, ["catalog -> engine"]);
}

#[test]
fn an_api_whose_tests_reach_past_the_service_is_found() {
    let found = violations_of(&[
        ("catalog", ""),
        ("api", "[dev-dependencies]\nstrongroom-catalog = { path = \"../catalog\" }"),
    ])
    .unwrap();
    assert_eq!(found, ["api -> catalog (tests)"]);
}

#[test]
fn a_build_script_is_production() {
    let found = violations_of(&[
        ("testkit", ""),
        ("engine", "[build-dependencies]\nstrongroom-testkit = { path = \"../testkit\" }"),
    ])
    .unwrap();
    assert_eq!(found, ["engine -> testkit"]);
}

#[test]
fn the_test_kit_is_for_tests_only() {
    let used = |purpose| Arrows::of([Arrow::new("service", "testkit", purpose)]).violations();
    assert_eq!(used(Purpose::Production), ["service -> testkit"]);
    assert!(used(Purpose::Tests).is_empty());
}

#[test]
fn a_crate_that_the_wall_does_not_know_is_refused() {
    let unknown = Arrows::of([Arrow::new("console", "service", Purpose::Production)]);
    assert_eq!(unknown.violations(), ["console -> service"]);
}

#[test]
fn every_listed_arrow_passes() {
    let listed = [
        ("engine", "model"),
        ("catalog", "model"),
        ("service", "engine"),
        ("service", "catalog"),
        ("service", "model"),
        ("api", "service"),
        ("api", "model"),
        ("strongroom", "api"),
        ("strongroom", "service"),
        ("strongroom", "catalog"),
        ("strongroom", "engine"),
        ("strongroom", "model"),
        ("testkit", "model"),
    ];
    let arrows = listed.map(|(from, to)| Arrow::new(from, to, Purpose::Production));
    assert!(Arrows::of(arrows).violations().is_empty());
}
