//! The documented examples, held against the document.
//!
//! The document says what we answer, so an example fits it but for what it leaves out or shows as
//! null where we always say something. Each such place is listed with its example; the rest of it
//! fits exactly.

use jsonschema::error::ValidationErrorKind;
use serde_json::{Value, json};

use crate::contract;

/// Where an example differs from what we answer: absent keys and nulls, by their places.
pub(crate) fn differences(schema: &str, example: &Value) -> Vec<String> {
    let mut found: Vec<String> = contract::VOLUME
        .schema(schema)
        .iter_errors(example)
        .map(|error| {
            let place = error.instance_path().to_string();
            match error.kind() {
                ValidationErrorKind::Required { property } => {
                    format!("{place}/{} is absent", property.as_str().unwrap())
                }
                ValidationErrorKind::Type { .. } if error.instance().is_null() => {
                    format!("{place} is null")
                }
                _ => format!("{place}: {error}"),
            }
        })
        .collect();
    found.sort();
    found
}

/// The example differs in exactly these places.
#[track_caller]
pub(crate) fn assert_differs(schema: &str, example: &Value, expected: &[&str]) {
    assert_eq!(differences(schema, example), expected, "{schema}");
}

/// The example fits as it is.
#[track_caller]
pub(crate) fn assert_fits(schema: &str, example: &Value) {
    assert_differs(schema, example, &[]);
}

const PROJECT: &str = "b23b579f08c84228b9b4673c46f0c442";
const HOST: &str = "http://192.168.82.222:8776";

fn links(id: &str) -> Value {
    json!([
        {"href": format!("{HOST}/v2/{PROJECT}/backups/{id}"), "rel": "self"},
        {"href": format!("{HOST}/{PROJECT}/backups/{id}"), "rel": "bookmark"},
    ])
}

fn next_link() -> Value {
    let marker = "b3cf7a16-decc-4beb-8077-682737d94a58";
    let query = format!("limit=1&offset=1&marker={marker}");
    json!([{"href": format!("{HOST}/{PROJECT}/backups?{query}"), "rel": "next"}])
}

/// An item of the version 2 detail example.
fn failed(id: &str, created_at: &str) -> Value {
    json!({
        "status": "error",
        "description": null,
        "links": links(id),
        "availability_zone": null,
        "volume_id": "2748f2f2-4394-4e6e-af8d-8dd34496c024",
        "fail_reason": "Connection to swift failed: [Errno 111] ECONNREFUSED",
        "id": id,
        "size": 1,
        "object_count": null,
        "container": "volumebackups",
        "name": null,
        "created_at": created_at,
    })
}

// We never say null of object_count, nor leave out a field of the table.
#[test]
fn the_version_two_detail_example_lacks_what_we_always_say() {
    let mut first = failed("1d1139d8-8989-49d3-8aa1-83eb691e6db2", "2013-06-27T08:48:03.000000");
    first["os-bak-tenant-attr:tenant_id"] = json!(PROJECT);
    first["service_metadata"] = json!(
        " {\"bootable\": false, \"backupurl\": \"58d94782-6509-45ad-9442-970d2a005050\", \
         \"BackupSize\": 0, \"progress\": \"0\", \
         \"snap_id\": \"665e411f5d87431ca98c199fbd4a64fd\", \"Type\": 0} "
    );
    let second = failed("80e17946-6e56-46e0-9547-e9ba4f1619bd", "2013-06-27T08:56:58.000000");
    let example = |item: &Value| json!({"backups": [item], "backups_links": next_link()});
    let mut absent = vec![
        "/backups/0/data_timestamp is absent",
        "/backups/0/has_dependent_backups is absent",
        "/backups/0/is_incremental is absent",
        "/backups/0/object_count is null",
        "/backups/0/snapshot_id is absent",
        "/backups/0/updated_at is absent",
    ];
    assert_differs("BackupDetailsV2", &example(&first), &absent);
    // Items after the first lack the owner and the metadata too.
    absent.insert(4, "/backups/0/os-bak-tenant-attr:tenant_id is absent");
    absent.insert(5, "/backups/0/service_metadata is absent");
    assert_differs("BackupDetailsV2", &example(&second), &absent);
}

#[test]
fn the_version_three_summary_example_fits() {
    let item = |id: &str| json!({"id": id, "links": links(id), "name": null});
    let example = json!({
        "backups": [
            item("1d1139d8-8989-49d3-8aa1-83eb691e6db2"),
            item("b3cf7a16-decc-4beb-8077-682737d94a58"),
        ],
        "backups_links": next_link(),
    });
    assert_fits("BackupSummariesV3", &example);
    assert_fits("BackupSummariesV2", &example);
}

/// A backup with all that one version shows of it.
pub(crate) fn whole(version: &str) -> Value {
    let id = "1d1139d8-8989-49d3-8aa1-83eb691e6db2";
    let mut item = failed(id, "2013-06-27T08:48:03.000000");
    let more = match version {
        "v2" => json!({"os-bak-tenant-attr:tenant_id": PROJECT, "service_metadata": "{}"}),
        _ => json!({"os-backup-project-attr:project_id": PROJECT, "metadata": {"k": "v"}}),
    };
    let always = json!({
        "object_count": 0,
        "updated_at": null,
        "data_timestamp": "2013-06-27T08:48:03.000000",
        "has_dependent_backups": false,
        "snapshot_id": null,
        "is_incremental": false,
    });
    for fields in [always, more] {
        item.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    }
    item
}

#[test]
fn a_backup_is_shown_made_and_changed() {
    for (version, [detail, details, wish]) in [
        ("v2", ["BackupDetailV2", "BackupDetailsV2", "NewBackupV2"]),
        ("v3", ["BackupDetailV3", "BackupDetailsV3", "NewBackupV3"]),
    ] {
        let backup = whole(version);
        assert_fits(detail, &json!({ "backup": backup }));
        assert_fits(details, &json!({ "backups": [backup] }));
        let new = json!({
            "volume_id": "2748f2f2-4394-4e6e-af8d-8dd34496c024",
            "snapshot_id": null,
            "name": "backup001",
            "description": "API_backup",
            "container": "my_backups",
            "incremental": false,
            "force": true,
        });
        assert_fits(wish, &json!({ "backup": new }));
    }
    let item = json!({
        "id": "1d1139d8-8989-49d3-8aa1-83eb691e6db2",
        "links": links("1d1139d8-8989-49d3-8aa1-83eb691e6db2"),
        "name": "backup001",
    });
    assert_fits("BackupSummary", &json!({ "backup": item }));
    for change in [json!({"name": "n", "description": null}), json!({"metadata": {"k": "v"}})] {
        assert_fits("BackupChange", &json!({ "backup": change }));
    }
    for (answered, wished, example) in [
        ("Metadata", "WishedMetadata", json!({"metadata": {"k": "v"}})),
        ("Metadata", "WishedMetadata", json!({"metadata": {}})),
        ("MetadataItem", "WishedMetadataItem", json!({"meta": {"k": "v"}})),
    ] {
        assert_fits(answered, &example);
        assert_fits(wished, &example);
    }
}

#[test]
fn the_examples_of_records_and_restores_fit() {
    let id = "2ef47aee-8844-490c-804d-2a8efe561c65";
    let volume = "795114e8-7489-40be-a978-83797f2c1dd3";
    let restore = json!({"backup_id": id, "volume_id": volume, "volume_name": "v"});
    assert_fits("Restore", &json!({ "restore": restore }));
    let record = json!({
        "backup_service": "cinder.backup.drivers.vbs",
        "backup_url": "eyJzdGF0dXMiOiAiYXZhaWxhYmxlIn0=",
    });
    assert_fits("ExportedRecord", &json!({"backup-record": record}));
    assert_fits("ImportedRecord", &json!({"backup-record": record}));
    for wish in [json!({}), json!({"volume_id": null, "name": null}), json!({"name": "n"})] {
        assert_fits("RestoreWishV2", &json!({ "restore": wish }));
        assert_fits("RestoreWishV3", &json!({ "restore": wish }));
    }
    for action in [
        json!({"os-force_delete": null}),
        json!({"os-force_delete": {}}),
        json!({"os-reset_status": {"status": "error"}}),
    ] {
        assert_fits("BackupAction", &action);
    }
}

#[test]
fn the_examples_of_version_documents_and_faults_fit() {
    let entry = json!({
        "id": "v3.0",
        "status": "CURRENT",
        "version": "3.71",
        "min_version": "3.0",
        "updated": "2023-08-31T00:00:00Z",
        "media-types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.volume+json;version=3",
        }],
        "links": [
            {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"},
            {"rel": "self", "href": "http://h:1/v3/"},
        ],
    });
    let older = json!({
        "id": "v2.0",
        "status": "DEPRECATED",
        "version": "",
        "min_version": "",
        "updated": "2017-02-25T12:00:00Z",
        "media-types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.volume+json;version=2",
        }],
        "links": [
            {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"},
            {"rel": "self", "href": "http://h:1/v2/"},
        ],
    });
    assert_fits("Versions", &json!({"versions": [older, entry]}));
    let unauthenticated = json!({"error": {
        "code": 401,
        "title": "Unauthorized",
        "message": "The request you have made requires authentication.",
    }});
    assert_fits("Unauthenticated", &unauthenticated);
    for (schema, name, code) in [
        ("BadRequest", "badRequest", 400),
        ("Forbidden", "forbidden", 403),
        ("NotFound", "itemNotFound", 404),
        ("NotSupported", "badMethod", 405),
        ("UnknownVersion", "computeFault", 406),
        ("Conflict", "conflictingRequest", 409),
        ("UnknownContent", "badMediaType", 415),
        ("Failure", "computeFault", 500),
        ("Unavailable", "serviceUnavailable", 503),
    ] {
        assert_fits(schema, &json!({name: {"code": code, "message": "m"}}));
    }
    let over = json!({"overLimit": {"code": 413, "message": "m", "retryAfter": "0"}});
    assert_fits("TooMuch", &over);
}

#[test]
fn the_examples_of_quotas_and_filters_fit() {
    let limits = [
        "maxTotalBackups",
        "maxTotalBackupGigabytes",
        "maxTotalVolumes",
        "maxTotalSnapshots",
        "maxTotalVolumeGigabytes",
        "totalBackupsUsed",
        "totalBackupGigabytesUsed",
        "totalVolumesUsed",
        "totalSnapshotsUsed",
        "totalGigabytesUsed",
    ];
    let absolute: Value = limits.into_iter().map(|name| (name.to_owned(), json!(10))).collect();
    assert_fits("Limits", &json!({"limits": {"rate": [], "absolute": absolute}}));
    let quotas = |figure: &Value| {
        let mut set = json!({"id": PROJECT});
        for name in [
            "backups",
            "backup_gigabytes",
            "volumes",
            "snapshots",
            "gigabytes",
            "per_volume_gigabytes",
            "groups",
        ] {
            set[name] = figure.clone();
        }
        json!({ "quota_set": set })
    };
    assert_fits("Quotas", &quotas(&json!(-1)));
    assert_fits("Quotas", &quotas(&json!({"limit": 10, "in_use": 0, "reserved": 0})));
    let wished = json!({"quota_set": {"backups": 5, "backup_gigabytes": 100}});
    assert_fits("WishedQuotas", &wished);
    assert_fits("WishedQuotaClass", &json!({"quota_class_set": wished["quota_set"]}));
    let set = quotas(&json!(-1))["quota_set"].clone();
    assert_fits("QuotaLimits", &json!({ "quota_set": set }));
    assert_fits("QuotaClass", &json!({ "quota_class_set": set }));
    let mut echo = set;
    echo.as_object_mut().unwrap().shift_remove("id");
    assert_fits("QuotaEcho", &json!({ "quota_set": echo }));
    assert_fits("QuotaClassEcho", &json!({ "quota_class_set": echo }));
    let extension = json!({
        "alias": "backups",
        "name": "Backups",
        "description": "Backups support.",
        "links": [],
        "updated": "2012-12-12T00:00:00+00:00",
    });
    assert_fits("ExtensionsV3", &json!({"extensions": [extension]}));
    assert_fits("ExtensionDetailV3", &json!({ "extension": extension }));
    let mut older = extension;
    older["namespace"] = json!("http://docs.openstack.org/volume/ext/backups/api/v1");
    assert_fits("ExtensionsV2", &json!({"extensions": [older]}));
    assert_fits("ExtensionDetailV2", &json!({ "extension": older }));
    let filters = ["name", "status", "volume_id", "name~", "status~", "volume_id~"];
    let filters = json!({"resource_filters": [{"resource": "backup", "filters": filters}]});
    assert_fits("ResourceFilters", &filters);
}

/// Schemas whose bodies no documented example shows: the volumes, snapshots and types that stand
/// beside the backups. Every test that asks for them holds the answers against the document.
const WITHOUT_EXAMPLE: [&str; 9] = [
    "Messages",
    "PlainVolume",
    "Services",
    "Snapshot",
    "NewSnapshot",
    "Volume",
    "NewVolume",
    "WishedSize",
    "Zones",
];

/// The names that a schema refers to.
fn references(value: &Value, found: &mut Vec<String>) {
    let name = value["$ref"].as_str().and_then(|it| it.strip_prefix("#/components/schemas/"));
    found.extend(name.map(str::to_owned));
    match value {
        Value::Object(map) => map.values().for_each(|inner| references(inner, found)),
        Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

#[test]
fn every_schema_has_an_example_or_is_part_of_one_that_has() {
    let sources = [include_str!("examples.rs"), include_str!("examples_vendor.rs")].concat();
    let document = strongroom_api::volume::openapi();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let is_excepted = |name: &str| WITHOUT_EXAMPLE.iter().any(|begin| name.starts_with(begin));
    let mut reached: Vec<String> = schemas
        .keys()
        .filter(|name| sources.contains(&format!("\"{name}\"")))
        .filter(|name| !is_excepted(name))
        .cloned()
        .collect();
    let mut at = 0;
    while at < reached.len() {
        let mut more = Vec::new();
        references(&schemas[&reached[at]], &mut more);
        reached.extend(more.into_iter().filter(|name| !reached.contains(name)).collect::<Vec<_>>());
        at += 1;
    }
    let missing: Vec<&String> =
        schemas.keys().filter(|name| !reached.contains(name) && !is_excepted(name)).collect();
    assert!(missing.is_empty(), "no example shows {missing:?}");
    for begin in WITHOUT_EXAMPLE {
        assert!(schemas.keys().any(|name| name.starts_with(begin)), "there is no {begin}");
    }
}
