//! The extensions that are announced: operations D4 and D5.

use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::microversion::Version;
use crate::fault::Fault;
use crate::reply::Reply;

struct Extension {
    alias: &'static str,
    name: &'static str,
    description: &'static str,
    updated: &'static str,
}

const EXTENSIONS: [Extension; 4] = [
    Extension {
        alias: "backups",
        name: "Backups",
        description: "Backups support.",
        updated: "2012-12-12T00:00:00+00:00",
    },
    Extension {
        alias: "os-admin-actions",
        name: "AdminActions",
        description: "Enable admin actions.",
        updated: "2012-08-25T00:00:00+00:00",
    },
    Extension {
        alias: "os-quota-sets",
        name: "Quotas",
        description: "Quota management support.",
        updated: "2011-08-08T00:00:00+00:00",
    },
    Extension {
        alias: "os-used-limits",
        name: "UsedLimits",
        description: "Provide data on limited resources that are being used.",
        updated: "2013-10-03T00:00:00+00:00",
    },
];

/// `GET /extensions` (D4).
pub(super) fn list(call: &Call) -> Answer {
    let all: Vec<Value> = EXTENSIONS.iter().map(|it| view(it, call.version)).collect();
    Ok(Reply::ok(json!({"extensions": all})))
}

/// `GET /extensions/ALIAS` (D5).
pub(super) fn show(call: &Call, alias: &str) -> Answer {
    let found = EXTENSIONS.iter().find(|it| it.alias == alias);
    let extension = found.ok_or_else(Fault::no_route)?;
    Ok(Reply::ok(json!({"extension": view(extension, call.version)})))
}

fn view(extension: &Extension, version: Version) -> Value {
    let mut view = json!({
        "alias": extension.alias,
        "name": extension.name,
        "description": extension.description,
        "links": [],
        "updated": extension.updated,
    });
    if version == Version::V2 {
        let alias = extension.alias;
        view["namespace"] = json!(format!("https://docs.openstack.org/volume/ext/{alias}/api/v2"));
    }
    view
}
