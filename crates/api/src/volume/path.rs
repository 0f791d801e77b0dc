//! The forms in which a path may name an operation, brought to one.
//!
//! `/v3/PROJECT/…`, `/v3/…`, `/v2/PROJECT/…`, `/v2/…`, `/v1/PROJECT/jobs/…` and, because
//! every backup's bookmark link has it, `/PROJECT/…` as another name of version 2.

use super::microversion::Generation;

/// The words that open a collection. A first segment that is none of them is a project.
const COLLECTIONS: [&str; 19] = [
    "backuppolicy",
    "backuppolicyresources",
    "backups",
    "cloudbackups",
    "cloudvolumes",
    "extensions",
    "jobs",
    "limits",
    "messages",
    "os-availability-zone",
    "os-quota-class-sets",
    "os-quota-sets",
    "os-services",
    "os-vendor-backup-sharing",
    "os-vendor-tags",
    "resource_filters",
    "snapshots",
    "types",
    "volumes",
];

/// What a path points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The list of versions.
    Root,
    /// The document of one version.
    Document(Generation),
    /// Something below a version.
    Operation {
        /// The version.
        generation: Generation,
        /// The project that the path names.
        project: Option<String>,
        /// What follows.
        rest: Vec<String>,
    },
    /// A version that does not exist.
    Nowhere,
}

impl Target {
    /// Reads the segments of a path.
    pub(super) fn of(mut segments: Vec<String>) -> Self {
        let Some(first) = segments.first() else {
            return Self::Root;
        };
        let generation = match first.as_str() {
            "v1" => Some(Generation::V1),
            "v2" => Some(Generation::V2),
            "v3" => Some(Generation::V3),
            other if is_version(other) => return Self::Nowhere,
            _ => None,
        };
        if let Some(generation) = generation {
            segments.remove(0);
            match generation {
                Generation::V1 if segments.is_empty() => return Self::Nowhere,
                generation if segments.is_empty() => return Self::Document(generation),
                _ => {}
            }
        }
        let generation = generation.unwrap_or(Generation::V2);
        let project = (!is_collection(&segments[0])).then(|| segments.remove(0));
        if generation == Generation::V1 && segments.first().is_none_or(|word| word != "jobs") {
            return Self::Nowhere;
        }
        Self::Operation { generation, project, rest: segments }
    }

    /// The version whose manners the answer has.
    pub(super) fn generation(&self) -> Generation {
        match self {
            Self::Document(generation) | Self::Operation { generation, .. } => *generation,
            Self::Root | Self::Nowhere => Generation::V2,
        }
    }
}

fn is_collection(word: &str) -> bool {
    COLLECTIONS.contains(&word)
}

fn is_version(word: &str) -> bool {
    word.strip_prefix('v').is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incoming::segments;

    fn operation(path: &str) -> (Generation, Option<String>, String) {
        match Target::of(segments(path)) {
            Target::Operation { generation, project, rest } => {
                (generation, project, rest.join("/"))
            }
            other => panic!("{path} is {other:?}"),
        }
    }

    #[test]
    fn every_form_of_a_path_is_understood() {
        let p = || Some("p".to_owned());
        let table = [
            ("/v3/p/backups/detail", Generation::V3, p(), "backups/detail"),
            ("/v3/backups", Generation::V3, None, "backups"),
            ("/v2/p/backups/", Generation::V2, p(), "backups"),
            ("/p/backups.json", Generation::V2, p(), "backups"),
            ("//v3//p//volumes", Generation::V3, p(), "volumes"),
            ("/v3/volumes/backups", Generation::V3, None, "volumes/backups"),
            ("/v3/p", Generation::V3, p(), ""),
            ("/v1/p/jobs/1", Generation::V1, p(), "jobs/1"),
            ("/v1/jobs/1", Generation::V1, None, "jobs/1"),
        ];
        for (path, generation, project, rest) in table {
            assert_eq!(operation(path), (generation, project, rest.to_owned()), "{path}");
        }
    }

    #[test]
    fn versions_and_the_root_are_documents() {
        for root in ["/", "//", ""] {
            assert_eq!(Target::of(segments(root)), Target::Root);
        }
        for (path, generation) in [("/v2", Generation::V2), ("/v3/", Generation::V3)] {
            assert_eq!(Target::of(segments(path)), Target::Document(generation));
        }
        for path in ["/v1", "/v1/", "/v1/p", "/v1/p/backups", "/v4/", "/v3.0/p"] {
            assert_eq!(Target::of(segments(path)), Target::Nowhere);
        }
    }
}
