//! The catalogue: which services there are and where, for one project.

use serde_json::{Value, json};

use super::IdentitySettings;
use super::ask::{Answer, Ask};
use super::list;
use super::refusal::Refusal;
use crate::reply::Reply;

/// Where a service's addresses begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the identity door.
    Identity,
    /// At the volume door, in this version, below a project.
    Volume(&'static str),
    /// At the CBR door, below a project.
    Cbr,
}

/// Type, name and place of every service. Each kind of client looks for a type of its own; those
/// of Huawei's lineage never discover versions and need theirs in the address.
const SERVICES: [(&str, &str, Place); 7] = [
    ("identity", "keystone", Place::Identity),
    ("volumev3", "cinderv3", Place::Volume("v3")),
    ("volumev2", "cinderv2", Place::Volume("v2")),
    ("block-storage", "cinder", Place::Volume("v3")),
    ("vbs", "vbs", Place::Volume("v2")),
    ("vbsv2", "vbsv2", Place::Volume("v2")),
    ("cbr", "cbr", Place::Cbr),
];

const INTERFACES: [&str; 3] = ["public", "internal", "admin"];

/// How Keystone writes the project in an address that is for every project.
const ANY_PROJECT: &str = "$(project_id)s";

/// The catalogue for a project. Without one, services below a project have no address and are
/// left out.
pub(super) fn of(settings: &IdentitySettings, project: Option<&str>) -> Vec<Value> {
    let entries = (0..SERVICES.len()).filter_map(|service| {
        let (kind, name, place) = SERVICES[service];
        let url = url(settings, place, project)?;
        let endpoints = (0..INTERFACES.len()).map(|interface| {
            json!({
                "id": endpoint_id(service, interface),
                "interface": INTERFACES[interface],
                "region_id": settings.region,
                "region": settings.region,
                "url": url,
            })
        });
        Some(json!({
            "endpoints": endpoints.collect::<Vec<_>>(),
            "id": service_id(service),
            "type": kind,
            "name": name,
        }))
    });
    entries.collect()
}

fn url(settings: &IdentitySettings, place: Place, project: Option<&str>) -> Option<String> {
    match (place, project) {
        (Place::Identity, _) => Some(format!("{}/v3", settings.identity_endpoint)),
        (Place::Volume(version), Some(project)) => {
            Some(format!("{}/{version}/{project}", settings.volume_endpoint))
        }
        (Place::Cbr, Some(project)) => {
            settings.cbr_endpoint.as_ref().map(|endpoint| format!("{endpoint}/v3/{project}"))
        }
        (Place::Volume(_) | Place::Cbr, None) => None,
    }
}

fn service_id(service: usize) -> String {
    format!("{:032x}", 0x100 + service)
}

fn endpoint_id(service: usize, interface: usize) -> String {
    format!("{:032x}", 0x1000 + service * 0x10 + interface)
}

/// `GET /auth/catalog`.
pub(super) fn show(ask: &Ask) -> Answer {
    let project = ask.token.project.as_ref().map(|project| project.id.as_str());
    let catalogue = of(&ask.settings, project);
    let links = json!({"self": ask.address("auth/catalog"), "next": null, "previous": null});
    Ok(Reply::ok(json!({"catalog": catalogue, "links": links})))
}

/// `GET /services`.
pub(super) fn services(ask: &Ask) -> Answer {
    Ok(list::reply(ask, "services", all_services(ask)))
}

/// `GET /services/ID`.
pub(super) fn service(ask: &Ask, id: &str) -> Answer {
    one("service", id, all_services(ask))
}

fn all_services(ask: &Ask) -> Vec<Value> {
    let entries = SERVICES.iter().enumerate();
    let views = entries.map(|(at, (kind, name, _))| {
        let id = service_id(at);
        json!({
            "links": {"self": ask.address(&format!("services/{id}"))},
            "id": id,
            "type": kind,
            "name": name,
            "description": "",
            "enabled": true,
        })
    });
    views.collect()
}

/// `GET /endpoints`.
pub(super) fn endpoints(ask: &Ask) -> Answer {
    Ok(list::reply(ask, "endpoints", all_endpoints(ask)))
}

/// `GET /endpoints/ID`.
pub(super) fn endpoint(ask: &Ask, id: &str) -> Answer {
    one("endpoint", id, all_endpoints(ask))
}

fn all_endpoints(ask: &Ask) -> Vec<Value> {
    let mut views = Vec::new();
    for entry in of(&ask.settings, Some(ANY_PROJECT)) {
        for endpoint in entry["endpoints"].as_array().into_iter().flatten() {
            let mut view = endpoint.clone();
            let id = endpoint["id"].as_str().unwrap_or_default();
            view["links"] = json!({"self": ask.address(&format!("endpoints/{id}"))});
            view["service_id"] = entry["id"].clone();
            view["enabled"] = Value::Bool(true);
            views.push(view);
        }
    }
    views
}

/// `GET /regions`.
pub(super) fn regions(ask: &Ask) -> Answer {
    Ok(list::reply(ask, "regions", vec![only_region(ask)]))
}

/// `GET /regions/ID`.
pub(super) fn region(ask: &Ask, id: &str) -> Answer {
    one("region", id, vec![only_region(ask)])
}

fn only_region(ask: &Ask) -> Value {
    let id = &ask.settings.region;
    let links = json!({"self": ask.address(&format!("regions/{id}"))});
    json!({"links": links, "id": id, "description": "", "parent_region_id": null})
}

fn one(noun: &str, id: &str, views: Vec<Value>) -> Answer {
    let found = views.into_iter().find(|view| view["id"] == id);
    let view = found.ok_or_else(|| Refusal::missing(noun, id))?;
    Ok(Reply::ok(json!({ noun: view })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use strongroom_model::chance::SeededChance;

    fn settings() -> IdentitySettings {
        IdentitySettings {
            identity_endpoint: "http://h:5000".to_owned(),
            volume_endpoint: "http://h:8776".to_owned(),
            cbr_endpoint: Some("http://h:8799".to_owned()),
            region: "home".to_owned(),
            body_limit_bytes: 1024,
            chance: Arc::new(SeededChance::new(1)),
        }
    }

    // T-07: addresses of the vbs types hold the version, because nobody will discover it.
    #[test]
    fn t07_c28_every_client_finds_its_type() {
        let lines: Vec<String> = of(&settings(), Some("p"))
            .iter()
            .map(|entry| format!("{} {}", entry["type"], entry["endpoints"][0]["url"]))
            .collect();
        insta::assert_snapshot!(lines.join("\n").replace('"', ""), @r"
        identity http://h:5000/v3
        volumev3 http://h:8776/v3/p
        volumev2 http://h:8776/v2/p
        block-storage http://h:8776/v3/p
        vbs http://h:8776/v2/p
        vbsv2 http://h:8776/v2/p
        cbr http://h:8799/v3/p
        ");
    }

    // T-01: clients in Go replace the first `evs` of the address by `vbs`, and T-02: for jobs the
    // first `v2` by `v1`. An address of numbers, which is what the service listens on unless told
    // otherwise, comes through whole; docs/api says what a name must not contain.
    #[test]
    fn t01_t02_addresses_survive_what_clients_do_to_them() {
        let numbers =
            IdentitySettings { volume_endpoint: "http://127.0.0.1:8776".to_owned(), ..settings() };
        for entry in of(&numbers, Some("b23b579f08c84228b9b4673c46f0c442")) {
            let url = entry["endpoints"][0]["url"].as_str().unwrap();
            assert_eq!(url.replacen("evs", "vbs", 1), url);
            let job = url.replacen("v2", "v1", 1);
            assert_eq!(job, url.replace("/v2/", "/v1/"));
        }
    }

    #[test]
    fn without_a_project_only_identity_has_an_address() {
        let entries = of(&settings(), None);
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0]["type"], "identity");
        assert_eq!(entries[0]["endpoints"].as_array().unwrap().len(), 3);
    }
}
