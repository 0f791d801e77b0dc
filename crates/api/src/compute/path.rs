//! The forms in which a path may name an operation, brought to one: `/v2.1/PROJECT/…` and
//! `/v2.1/…`.

/// What a path points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The list of versions.
    Root,
    /// The document of the one version.
    Document,
    /// Something below it.
    Operation {
        /// The project that the path names.
        project: Option<String>,
        /// What is asked for.
        operation: Operation,
    },
    /// Nothing.
    Nowhere,
}

/// What can be read. An id is as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    /// The servers by name.
    Servers,
    /// The servers with all their fields.
    ServerDetails,
    /// One server.
    Server(String),
    /// The disks of a server.
    Disks(String),
    /// One disk of a server.
    Disk(String, String),
    /// The interfaces of a server.
    Interfaces(String),
    /// One interface of a server.
    Interface(String, String),
    /// The flavors by name.
    Flavors,
    /// The flavors with all their fields.
    FlavorDetails,
    /// One flavor.
    Flavor(String),
    /// What a flavor has beyond its fields.
    ExtraSpecs(String),
}

impl Target {
    /// Reads the segments of a path.
    pub(super) fn of(segments: Vec<String>) -> Self {
        let words: Vec<&str> = segments.iter().map(String::as_str).collect();
        let rest = match &words[..] {
            [] => return Self::Root,
            ["v2.1"] => return Self::Document,
            ["v2.1", rest @ ..] => rest,
            _ => return Self::Nowhere,
        };
        let (project, rest) = match rest {
            ["servers" | "flavors", ..] => (None, rest),
            [project, rest @ ..] => (Some((*project).to_owned()), rest),
            [] => (None, rest),
        };
        match Operation::of(rest) {
            Some(operation) => Self::Operation { project, operation },
            None => Self::Nowhere,
        }
    }
}

impl Operation {
    fn of(words: &[&str]) -> Option<Self> {
        let own = |word: &str| word.to_owned();
        Some(match words {
            ["servers"] => Self::Servers,
            ["servers", "detail"] => Self::ServerDetails,
            ["servers", id] => Self::Server(own(id)),
            ["servers", id, "os-volume_attachments"] => Self::Disks(own(id)),
            ["servers", id, "os-volume_attachments", disk] => Self::Disk(own(id), own(disk)),
            ["servers", id, "os-interface"] => Self::Interfaces(own(id)),
            ["servers", id, "os-interface", port] => Self::Interface(own(id), own(port)),
            ["flavors"] => Self::Flavors,
            ["flavors", "detail"] => Self::FlavorDetails,
            ["flavors", id] => Self::Flavor(own(id)),
            ["flavors", id, "os-extra_specs"] => Self::ExtraSpecs(own(id)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incoming::segments;

    #[test]
    fn every_form_of_a_path_is_understood() {
        let at = |path: &str| Target::of(segments(path));
        let found = |project: Option<&str>, operation| Target::Operation {
            project: project.map(str::to_owned),
            operation,
        };
        assert_eq!(at("/"), Target::Root);
        assert_eq!(at("/v2.1/"), Target::Document);
        assert_eq!(at("/v2.1/servers"), found(None, Operation::Servers));
        assert_eq!(at("/v2.1/p/servers/detail"), found(Some("p"), Operation::ServerDetails));
        assert_eq!(at("/v2.1/p/servers/x"), found(Some("p"), Operation::Server("x".to_owned())));
        let disks = Operation::Disks("x".to_owned());
        assert_eq!(at("/v2.1/servers/x/os-volume_attachments"), found(None, disks));
        let flavor = Operation::Flavor("s2.small".to_owned());
        assert_eq!(at("/v2.1/flavors/s2.small"), found(None, flavor));
        for path in ["/v2", "/v3/servers", "/v2.1/p", "/v2.1/p/keypairs", "/v2.1/servers/x/ips"] {
            assert_eq!(at(path), Target::Nowhere, "{path}");
        }
    }
}
