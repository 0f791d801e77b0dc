//! The documented examples, held against the document.
//!
//! The document says what we answer, so an example fits it but for what it leaves out or shows as
//! null where we always say something. Each such place is listed with its example; the rest of it
//! fits exactly.

use jsonschema::error::ValidationErrorKind;
use serde_json::{Value, json};

use crate::contract;

/// Where an example differs from what we answer: absent keys and nulls, by their places.
fn differences(schema: &str, example: &Value) -> Vec<String> {
    let mut found: Vec<String> = contract::schema(schema)
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

#[track_caller]
fn assert_differs(schema: &str, example: &Value, expected: &[&str]) {
    assert_eq!(differences(schema, example), expected, "{schema}");
}

#[track_caller]
fn assert_fits(schema: &str, example: &Value) {
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
    assert_fits("Versions", &json!({"versions": [entry]}));
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
    let extension = json!({
        "alias": "backups",
        "name": "Backups",
        "description": "Backups support.",
        "links": [],
        "updated": "2012-12-12T00:00:00+00:00",
    });
    assert_fits("ExtensionsV3", &json!({"extensions": [extension]}));
    let filters = ["name", "status", "volume_id", "name~", "status~", "volume_id~"];
    let filters = json!({"resource_filters": [{"resource": "backup", "filters": filters}]});
    assert_fits("ResourceFilters", &filters);
}

/// An item of the share example.
fn share(id: &str, to: &str, created_at: &str, updated_at: Value) -> Value {
    json!({
        "backup": {
            "availability_zone": "AZ1",
            "container": null,
            "created_at": "2017-08-08T04:03:27.456859",
            "data_timestamp": "2017-08-08T04:03:27.456859",
            "description": null,
            "fail_reason": "Invalid InitiatorConnector protocol specified DSWARE",
            "has_dependent_backups": null,
            "id": "066b1e37-9305-4057-97e5-2e99b21fc71d",
            "is_incremental": null,
            "name": "lbf",
            "object_count": null,
            "size": 1,
            "snapshot_id": null,
            "status": "available",
            "updated_at": "2017-08-08T04:03:35.109308",
            "volume_id": "a7d7783f-02b7-4645-b0e3-61df63f0ba10",
            "service_metadata": null,
        },
        "backup_id": "066b1e37-9305-4057-97e5-2e99b21fc71d",
        "created_at": created_at,
        "from_project_id": "c13f5220dc1949b0b741ea81a7cd5554",
        "id": id,
        "to_project_id": to,
        "updated_at": updated_at,
    })
}

// Of the nulls of the example these four are never ours; the rest fits.
#[test]
fn the_share_example_has_four_nulls_that_we_never_say() {
    let first = share(
        "e842bf23-1e05-4c2c-b0f9-25222f4686da",
        "722513ed0a324dadaabe5b2d0fe848b9",
        "2017-08-10T12:25:40.480424",
        json!("2017-08-14T06:41:49.381069"),
    );
    let second = share(
        "f842bf23-1e05-4c2c-b0f9-25222f4686da",
        "722513ed0a324dadaabe5b2d0fe848a9",
        "2017-08-10T12:19:37.318031",
        Value::Null,
    );
    let nulls = ["has_dependent_backups", "is_incremental", "object_count", "service_metadata"];
    let expected: Vec<String> = (0..2)
        .flat_map(|at| nulls.map(|key| format!("/shared/{at}/backup/{key} is null")))
        .collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    assert_differs("Shares", &json!({"shared": [first, second]}), &expected);
    let created = json!({"shared": [{
        "id": "e842bf23-1e05-4c2c-b0f9-25222f4686da",
        "backup_id": "066b1e37-9305-4057-97e5-2e99b21fc71d",
        "from_project_id": "c13f5220dc1949b0b741ea81a7cd5554",
        "to_project_id": "722513ed0a324dadaabe5b2d0fe848b9",
        "created_at": null,
        "updated_at": null,
        "deleted": null,
        "deleted_at": null,
    }]});
    assert_differs("CreatedShares", &created, &["/shared/0/created_at is null"]);
    assert_fits("ShareCount", &json!({"count": 2}));
}

#[test]
fn the_examples_of_tags_fit() {
    assert_fits("AllBackupTags", &json!({"tags": {"k": ["v1", "v2"]}}));
    assert_fits("BackupTags", &json!({"tags": {"k": "v"}}));
    assert_fits("WishedBackupTags", &json!({"tags": {"k": "v"}}));
    assert_fits("BackupTag", &json!({"tag": {"k": "v"}}));
    assert_fits("BackupTagAction", &json!({"os-delete_tags": {"k": "v"}}));
}

#[test]
fn the_examples_of_jobs_fit() {
    let job = json!({
        "status": "SUCCESS",
        "entities": {
            "bks_create_volume_name": "autobk_volume",
            "backup_id": "ba5401a2-7cd2-4c01-8c0d-c936ab412d6d",
            "volume_id": "7e5fdc5a-5e36-4b22-8bcc-7f17037290cc",
            "snapshot_id": "a77a96bf-dd18-40bf-a446-fdcefc1719ec",
        },
        "job_id": "4010b39b5281d3590152874bfa3b1604",
        "job_type": "bksCreateBackup",
        "begin_time": "2016-01-28T16:14:09.466Z",
        "end_time": "2016-01-28T16:25:27.690Z",
        "error_code": null,
        "fail_reason": null,
    });
    assert_fits("Job", &job);
    assert_fits("JobId", &json!({"job_id": "4010b39b5281d3590152874bfa3b1604"}));
    let fault = json!({"error": {"message": "m", "code": "common.0011"}});
    assert_fits("VendorFault", &fault);
    let resources = |gigabytes: &str| {
        json!({"quotas": {"resources": [
            {"type": "backups", "used": 114, "reserved": 0, "quota": 5014},
            {"type": gigabytes, "used": 4838, "reserved": 0, "quota": -1},
        ]}})
    };
    assert_fits("CloudBackupQuota", &resources("backup_gigabytes"));
    // The example has a blank in the word, which its table has not.
    assert_eq!(differences("CloudBackupQuota", &resources("backup_ gigabytes")).len(), 1);
    for full in [json!("true"), json!(false)] {
        let backup = json!({
            "volume_id": "7e5fdc5a-5e36-4b22-8bcc-7f17037290cc",
            "name": "nightly",
            "snapshot_id": null,
            "description": "d",
            "tags": [{"key": "k", "value": "v"}],
            "extend_param": {"FullBackup": full},
        });
        assert_fits("NewCloudBackup", &json!({ "backup": backup }));
    }
}

// What a policy leaves out in the examples we always say; a task is never WAITING here.
#[test]
fn the_examples_of_policies_fit_but_for_what_we_always_say() {
    let id = "af8a20b0-117d-4fc3-ae53-aa3968a4f870";
    let policy = json!({
        "backup_policy_id": id,
        "backup_policy_name": "plan01",
        "scheduled_policy": {
            "remain_first_backup_of_curMonth": "Y",
            "rentention_num": 10,
            "frequency": 1,
            "start_time": "12:00,20:00",
            "status": "ON",
        },
        "policy_resource_count": 0,
    });
    assert_differs(
        "Policies",
        &json!({"backup_policies": [policy]}),
        &["/backup_policies/0/tags is absent", "/backup_policies/0/time_zone is absent"],
    );
    assert_fits("NewPolicy", &policy);
    assert_fits("PolicyChange", &json!({"scheduled_policy": {"status": "OFF"}}));
    assert_fits("PolicyId", &json!({"backup_policy_id": id}));
    let disk = json!({
        "resource_id": "1de8e9d5-8c4e-4a5c-8e52-2b22f9f1d1d5",
        "resource_type": "volume",
        "availability_zone": "kvmxen.dc1",
        "os_vol_host_attr": "pod01.kvmxen.dc1",
    });
    let mut failed = disk.clone();
    failed["code"] = json!("AutoBackup.0206");
    failed["message"] = json!("m");
    assert_fits("Associated", &json!({"success_resources": [disk], "fail_resources": [failed]}));
    let task = json!({
        "status": "EXECUTE_FAIL",
        "job_id": "0781095b-b8ba-4d59-a2f8-5b1a39e0a0b1",
        "created_at": "2016-12-03T06:24:34.467",
        "backup_name": "autobk_1f2e",
        "resource_id": "1de8e9d5-8c4e-4a5c-8e52-2b22f9f1d1d5",
        "resource_type": "volume",
    });
    assert_fits("Tasks", &json!({"tasks": [task], "count": 1}));
    for action in [
        json!({"action": "create", "tags": [{"key": "k", "value": "v"}]}),
        json!({"action": "delete"}),
        json!({"action": "delete", "tags": [{"key": "k"}]}),
    ] {
        assert_fits("PolicyTagAction", &action);
    }
    let query = json!({
        "action": "filter",
        "limit": "10",
        "offset": 0,
        "tags": [{"key": "k", "values": ["v"]}],
        "matches": [{"key": "resource_name", "value": "p"}],
    });
    assert_fits("PolicyQuery", &query);
    assert_fits("TaggedPolicies", &json!({"total_count": 3}));
}
