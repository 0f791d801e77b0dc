//! The wall between our crates: which of them may depend on which.
//!
//! [`Arrows::of_workspace`] reads what cargo knows of a workspace; [`Arrows::violations`] names
//! every dependency between our own crates that the wall does not allow. Dependencies on crates
//! of others are not its concern, and neither is what stands inside a crate.

use std::collections::BTreeMap;
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// The binary, which wires everything and may depend on all.
const BINARY: &str = "strongroom";

/// The crate that only tests may use.
const TESTKIT: &str = "testkit";

/// For each crate, by its short name, the crates it may depend on.
const ALLOWED: [(&str, &[&str]); 7] = [
    ("model", &[]),
    ("engine", &["model"]),
    ("catalog", &["model"]),
    ("service", &["engine", "catalog", "model"]),
    ("api", &["service", "model"]),
    (TESTKIT, &["model"]),
    (BINARY, &["model", "engine", "catalog", "service", "api"]),
];

/// What an arrow is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The code itself, or its build script.
    Production,
    /// Tests, examples and benchmarks only.
    Tests,
}

/// A dependency of one of our crates on another, both by short name (`engine`, not
/// `strongroom-engine`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    /// The crate that depends.
    pub from: String,
    /// The crate it depends on.
    pub to: String,
    /// What for.
    pub purpose: Purpose,
}

impl Arrow {
    /// The arrow between two crates given by short name.
    pub fn new(from: &str, to: &str, purpose: Purpose) -> Self {
        Self { from: from.to_owned(), to: to.to_owned(), purpose }
    }

    /// Whether the wall lets it through: production code uses what is listed, tests use the test
    /// kit beside it. A crate that is not listed may use nothing.
    fn is_allowed(&self) -> bool {
        let Some((_, listed)) = ALLOWED.iter().find(|(name, _)| *name == self.from) else {
            return false;
        };
        listed.contains(&self.to.as_str()) || (self.purpose == Purpose::Tests && self.to == TESTKIT)
    }
}

impl std::fmt::Display for Arrow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let purpose = match self.purpose {
            Purpose::Production => "",
            Purpose::Tests => " (tests)",
        };
        write!(f, "{} -> {}{purpose}", self.from, self.to)
    }
}

/// All arrows between the crates of one workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrows(Vec<Arrow>);

impl Arrows {
    /// Reads the arrows of the workspace whose `Cargo.toml` is given, without the network.
    ///
    /// # Errors
    ///
    /// When cargo cannot be run or does not understand the workspace.
    pub fn of_workspace(manifest: &Path) -> Result<Self, cargo_metadata::Error> {
        let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
        Ok(Self::of_metadata(&metadata))
    }

    /// The arrows of a workspace that is held in memory, for examples that break the wall.
    pub fn of(arrows: impl IntoIterator<Item = Arrow>) -> Self {
        Self(arrows.into_iter().collect())
    }

    /// The crates that take part, by short name and with the number of arrows that leave each.
    pub fn crates(&self) -> BTreeMap<&str, usize> {
        let mut leaving = BTreeMap::new();
        for arrow in &self.0 {
            *leaving.entry(arrow.from.as_str()).or_default() += 1;
        }
        leaving
    }

    /// The arrows that the wall does not allow, in a stable order, each as `from -> to`.
    pub fn violations(&self) -> Vec<String> {
        let mut wrong: Vec<_> = self.0.iter().filter(|arrow| !arrow.is_allowed()).collect();
        wrong.sort();
        wrong.dedup();
        wrong.into_iter().map(Arrow::to_string).collect()
    }

    /// Keeps of cargo's answer the path dependencies between members of the workspace.
    fn of_metadata(metadata: &Metadata) -> Self {
        let members = metadata.workspace_packages();
        let is_ours = |name: &str| members.iter().any(|member| member.name.as_str() == name);
        let mut arrows = Vec::new();
        for member in &members {
            for dependency in member.dependencies.iter().filter(|d| is_ours(&d.name)) {
                let purpose = if dependency.kind == DependencyKind::Development {
                    Purpose::Tests
                } else {
                    Purpose::Production
                };
                arrows.push(Arrow::new(short(&member.name), short(&dependency.name), purpose));
            }
        }
        Self(arrows)
    }
}

/// `strongroom-engine` is `engine`; the binary keeps its name.
fn short(package: &str) -> &str {
    package.strip_prefix("strongroom-").unwrap_or(package)
}
