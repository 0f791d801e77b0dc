//! The documented examples of the vendor's half, held against the document.

use serde_json::{Value, json};

use crate::examples::{assert_differs, assert_fits, differences, whole};

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
    assert_differs("Shares", &json!({"shared": [first.clone(), second]}), &expected);
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
    let wish = json!({
        "backup_id": "066b1e37-9305-4057-97e5-2e99b21fc71d",
        "to_project_ids": ["722513ed0a324dadaabe5b2d0fe848b9"],
    });
    assert_fits("NewShares", &json!({ "shared": wish }));
    let nulls: Vec<String> =
        nulls.iter().map(|key| format!("/shared/backup/{key} is null")).collect();
    let nulls: Vec<&str> = nulls.iter().map(String::as_str).collect();
    assert_differs("ShareDetail", &json!({ "shared": first }), &nulls);
}

#[test]
fn the_examples_of_tags_fit() {
    assert_fits("AllBackupTags", &json!({"tags": {"k": ["v1", "v2"]}}));
    assert_fits("BackupTags", &json!({"tags": {"k": "v"}}));
    assert_fits("WishedBackupTags", &json!({"tags": {"k": "v"}}));
    assert_fits("BackupTag", &json!({"tag": {"k": "v"}}));
    assert_fits("BackupTagAction", &json!({"os-delete_tags": {"k": "v"}}));
    assert_fits("WishedBackupTag", &json!({"tag": {"k": "v"}}));
    for (version, schema) in [("v2", "TaggedBackupsV2"), ("v3", "TaggedBackupsV3")] {
        let backup = whole(version);
        let found = json!({
            "resource_id": backup["id"],
            "resource_name": backup["name"],
            "resource_detail": backup,
            "tags": {"k": "v"},
        });
        assert_fits(schema, &json!({"total_count": 1, "resources": [found]}));
    }
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
    let onto = json!({"volume_id": "7e5fdc5a-5e36-4b22-8bcc-7f17037290cc"});
    assert_fits("CloudRestore", &json!({ "restore": onto }));
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
    let wished = json!([{"resource_id": disk["resource_id"], "resource_type": "volume"}]);
    assert_fits("NewAssociation", &json!({"backup_policy_id": id, "resources": wished}));
    assert_fits("Disassociation", &json!({"resources": [{"resource_id": disk["resource_id"]}]}));
    let released = json!({"resource_id": disk["resource_id"]});
    assert_differs(
        "Disassociated",
        &json!({"success_resources": [released], "fail_resources": []}),
        &["/success_resources/0/resource_type is absent"],
    );
}

#[test]
fn the_examples_of_tasks_and_of_policies_tags_fit() {
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
    let tag = json!({"key": "k", "value": "v"});
    let found = json!({
        "resource_id": "af8a20b0-117d-4fc3-ae53-aa3968a4f870",
        "resource_name": "plan01",
        "resource_detail": null,
        "tags": [tag],
    });
    assert_fits("TaggedPolicies", &json!({"total_count": 1, "resources": [found]}));
    assert_fits("NewPolicyTag", &json!({ "tag": tag }));
    assert_fits("PolicyTags", &json!({"tags": [tag]}));
    assert_fits("PolicyTagValues", &json!({"tags": [{"key": "k", "values": ["v1", "v2"]}]}));
}
