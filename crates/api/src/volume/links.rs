//! Links to single things and to next pages, as the request's own version writes them.

use serde::Serialize;

use super::microversion::Generation;
use crate::query::Query;

/// One link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Link {
    /// The address.
    pub(super) href: String,
    /// What it is: `self`, `bookmark` or `next`.
    pub(super) rel: &'static str,
}

/// The parts that links of one request share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Links {
    /// Scheme, host and prefix.
    pub(super) origin: String,
    /// The version of the request.
    pub(super) generation: Generation,
    /// The project, if the request's path had one.
    pub(super) project: Option<String>,
}

impl Links {
    /// The two links of every thing.
    pub(super) fn of(&self, collection: &str, id: impl std::fmt::Display) -> [Link; 2] {
        let project = self.project_part();
        let (origin, version) = (&self.origin, self.generation.segment());
        [
            Link { href: format!("{origin}/{version}{project}/{collection}/{id}"), rel: "self" },
            Link { href: format!("{origin}{project}/{collection}/{id}"), rel: "bookmark" },
        ]
    }

    /// The link to the page after `marker`: same version, path and query.
    pub(super) fn next(&self, path: &str, query: &Query, marker: &str) -> Link {
        self.next_with(path, query, ("marker", marker))
    }

    /// The link to the page that one key of the query names: same version, path and other keys.
    pub(super) fn next_with(&self, path: &str, query: &Query, (key, value): (&str, &str)) -> Link {
        let (origin, version) = (&self.origin, self.generation.segment());
        Link {
            href: format!(
                "{origin}/{version}{}/{path}?{}",
                self.project_part(),
                query.encode_with(key, value)
            ),
            rel: "next",
        }
    }

    fn project_part(&self) -> String {
        self.project.as_ref().map_or_else(String::new, |project| format!("/{project}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(generation: Generation, project: Option<&str>) -> Links {
        Links { origin: "http://h:1".to_owned(), generation, project: project.map(str::to_owned) }
    }

    #[test]
    fn links_mirror_the_version_and_project_of_the_request() {
        let [own, bookmark] = links(Generation::V2, Some("p")).of("backups", "b");
        assert_eq!(own.href, "http://h:1/v2/p/backups/b");
        assert_eq!(bookmark.href, "http://h:1/p/backups/b");
        let [own, bookmark] = links(Generation::V3, None).of("backups", "b");
        assert_eq!(own.href, "http://h:1/v3/backups/b");
        assert_eq!(bookmark.href, "http://h:1/backups/b");
    }

    // T-13: the next link keeps host, project and collection path.
    #[test]
    fn t13_the_next_link_stays_on_its_path() {
        let query = Query::parse(Some("limit=1&sort=name:asc")).unwrap();
        let next = links(Generation::V3, Some("p")).next("backups/detail", &query, "b");
        assert_eq!(next.href, "http://h:1/v3/p/backups/detail?limit=1&sort=name:asc&marker=b");
    }
}
