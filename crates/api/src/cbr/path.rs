//! What a path points at.

use percent_encoding::percent_decode_str;

use super::fault::Fault;

/// Words after the version that no project has as its id.
const OF_DOMAIN: [&str; 3] = ["migrates", "region-projects", "domain"];

/// The names under which the version document is to be had, beside the root.
const VERSIONS: [&str; 4] = ["v3", "cbr", "csbs", "vbs"];

/// What a path points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The list of versions.
    Versions,
    /// An operation without a project in its path.
    OfDomain {
        /// What follows the version.
        rest: Vec<String>,
    },
    /// An operation below a project.
    OfProject {
        /// The project.
        project: String,
        /// What follows it.
        rest: Vec<String>,
    },
    /// Nothing that there is.
    Nowhere,
}

impl Target {
    /// Reads a path. Doubled and trailing slashes are forgiven; a dot is a letter like others.
    pub(super) fn of(path: &str) -> Result<Self, Fault> {
        let mut segments = path
            .split('/')
            .filter(|piece| !piece.is_empty())
            .map(decode)
            .collect::<Result<Vec<_>, Fault>>()?
            .into_iter();
        let Some(first) = segments.next() else { return Ok(Self::Versions) };
        let Some(second) = segments.next() else {
            let is_version = VERSIONS.contains(&first.as_str());
            return Ok(if is_version { Self::Versions } else { Self::Nowhere });
        };
        if first != "v3" {
            return Ok(Self::Nowhere);
        }
        if OF_DOMAIN.contains(&second.as_str()) {
            return Ok(Self::OfDomain { rest: [second].into_iter().chain(segments).collect() });
        }
        Ok(Self::OfProject { project: second, rest: segments.collect() })
    }
}

fn decode(piece: &str) -> Result<String, Fault> {
    match percent_decode_str(piece).decode_utf8() {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err(Fault::invalid("The path is not UTF-8 encoded.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str) -> String {
        match Target::of(path) {
            Ok(Target::OfDomain { rest }) => format!("domain: {}", rest.join(" ")),
            Ok(Target::OfProject { project, rest }) => format!("{project}: {}", rest.join(" ")),
            Ok(other) => format!("{other:?}"),
            Err(_) => "refused".to_owned(),
        }
    }

    #[test]
    fn every_form_of_a_path_is_understood() {
        for (path, target) in [
            ("", "Versions"),
            ("//", "Versions"),
            ("/v3/", "Versions"),
            ("/csbs", "Versions"),
            ("/v2", "Nowhere"),
            ("/v2/p/vaults", "Nowhere"),
            ("/v3/p", "p: "),
            ("/v3/p/vaults/", "p: vaults"),
            ("//v3//p/cbr-features/a.json", "p: cbr-features a.json"),
            ("/v3/p/vault/v/tags/a%20b%2Fc", "p: vault v tags a b/c"),
            ("/v3/migrates", "domain: migrates"),
            ("/v3/domain/d/projects", "domain: domain d projects"),
            ("/v3/p/%00", "refused"),
            ("/v3/p/%FF", "refused"),
        ] {
            assert_eq!(told(path), target, "{path}");
        }
    }
}
