//! The version documents, which anybody may read.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::microversion::{Generation, MAX_MINOR};
use crate::reply::Reply;

/// `GET /`: every version, with status 300 and without a location.
pub(super) fn root(origin: &str) -> Reply {
    let versions = [Generation::V2, Generation::V3].map(|generation| entry(generation, origin));
    Reply::json(StatusCode::MULTIPLE_CHOICES, json!({"versions": versions}))
}

/// `GET /v2/` and `GET /v3/`: one version, still in a list.
pub(super) fn document(generation: Generation, origin: &str) -> Reply {
    Reply::ok(json!({"versions": [entry(generation, origin)]}))
}

fn entry(generation: Generation, origin: &str) -> Value {
    let (id, status, updated, number) = match generation {
        Generation::V1 | Generation::V2 => ("v2.0", "DEPRECATED", "2017-02-25T12:00:00Z", 2),
        Generation::V3 => ("v3.0", "CURRENT", "2023-08-31T00:00:00Z", 3),
    };
    let (version, min_version) = match generation {
        Generation::V1 | Generation::V2 => (String::new(), ""),
        Generation::V3 => (format!("3.{MAX_MINOR}"), "3.0"),
    };
    json!({
        "id": id,
        "status": status,
        "version": version,
        "min_version": min_version,
        "updated": updated,
        "media-types": [{
            "base": "application/json",
            "type": format!("application/vnd.openstack.volume+json;version={number}"),
        }],
        "links": [
            {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"},
            {"rel": "self", "href": format!("{origin}/{}/", generation.segment())},
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // T-03: 300, every key in every entry. T-04: a list even for one version.
    #[test]
    fn t03_t04_every_entry_is_whole_and_in_a_list() {
        let all = root("http://h:1");
        assert_eq!(all.status, 300);
        assert!(all.headers.is_empty());
        let body = all.body.unwrap();
        for (at, id) in ["v2.0", "v3.0"].iter().enumerate() {
            assert_eq!(body["versions"][at]["id"], *id);
            let keys: Vec<_> = body["versions"][at].as_object().unwrap().keys().collect();
            assert_eq!(
                keys,
                ["id", "status", "version", "min_version", "updated", "media-types", "links"]
            );
        }
        let one = document(Generation::V3, "http://h:1").body.unwrap();
        assert_eq!(one["versions"].as_array().unwrap().len(), 1);
        assert_eq!(one["versions"][0], body["versions"][1]);
    }

    #[test]
    fn version_three_announces_its_range() {
        let body = document(Generation::V3, "https://h/x").body.unwrap();
        let entry = &body["versions"][0];
        assert_eq!(
            (entry["version"].as_str(), entry["min_version"].as_str()),
            (Some("3.71"), Some("3.0"))
        );
        assert_eq!(entry["links"][1]["href"], "https://h/x/v3/");
        let old = document(Generation::V2, "https://h/x").body.unwrap();
        assert_eq!(old["versions"][0]["version"], "");
        assert_eq!(old["versions"][0]["min_version"], "");
    }
}
