//! Limits, quotas, extensions, volumes and snapshots.

use serde_json::{Value, json};

use strongroom_model::quota::Resource;

use super::backups::{
    list_metadata, page_v2, page_v3, remove_item, set_item, show_item, with_required,
    write_metadata,
};
use super::operation::{Kind, Operation, Parameter, Schema, cinder, newer, parameter};
use super::schema::{
    choice, count, flag, instant, list, named, nullable, object, only, open, pattern, requiring,
    short_text, text, uuid, whole, with_optional, word,
};

const VOLUMES: &[Parameter] = &[
    parameter("limit", Kind::Whole),
    parameter("offset", Kind::Whole),
    parameter("marker", Kind::Text),
    parameter("sort", Kind::Text),
    parameter("sort_key", Kind::Text),
    parameter("sort_dir", Kind::Word(&["asc", "desc"])),
    parameter("all_tenants", Kind::Flag),
    newer("with_count", Kind::Flag, "3.45"),
    parameter("name", Kind::Text),
    newer("name~", Kind::Text, "3.31"),
    parameter("status", Kind::Text),
    parameter("bootable", Kind::Flag),
    parameter("availability_zone", Kind::Text),
    parameter("metadata", Kind::Text),
];

const SNAPSHOTS: &[Parameter] = &[
    parameter("limit", Kind::Whole),
    parameter("offset", Kind::Whole),
    parameter("marker", Kind::Text),
    parameter("sort", Kind::Text),
    parameter("sort_key", Kind::Text),
    parameter("sort_dir", Kind::Word(&["asc", "desc"])),
    parameter("all_tenants", Kind::Flag),
    newer("with_count", Kind::Flag, "3.45"),
    parameter("name", Kind::Text),
    newer("name~", Kind::Text, "3.31"),
    parameter("status", Kind::Text),
    parameter("volume_id", Kind::Text),
];

const PLAIN_VOLUME: Option<Schema> = Some(Schema::Each("PlainVolumeDetail"));
const SNAPSHOT: Option<Schema> = Some(Schema::Each("SnapshotSummary"));

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    reading("listVolumes", "Volumes by id and name", Schema::Each("VolumeSummaries"), VOLUMES),
    reading("listVolumeDetails", "Volumes with all fields", Schema::Each("VolumeDetails"), VOLUMES),
    Operation {
        request: Some(Schema::One("NewVolume")),
        answer: (202, PLAIN_VOLUME),
        refusals: &[404],
        ..cinder("createVolume", "Make a volume, empty or of something")
    },
    reading("showVolume", "A volume with all its fields", Schema::Each("VolumeDetail"), &[]),
    Operation {
        request: Some(Schema::One("VolumeChange")),
        answer: (200, PLAIN_VOLUME),
        refusals: &[404],
        ..cinder("updateVolume", "Rename or describe a volume")
    },
    Operation {
        query: &[parameter("cascade", Kind::Flag), parameter("force", Kind::Flag)],
        ..done("deleteVolume", "Delete a volume", 202)
    },
    Operation {
        request: Some(Schema::One("VolumeAction")),
        or_else: Some(200),
        ..done("actOnVolume", "Do something to a volume", 202)
    },
    reading("listSnapshots", "Snapshots", Schema::Each("SnapshotSummaries"), SNAPSHOTS),
    reading(
        "listSnapshotDetails",
        "Snapshots with all fields",
        Schema::Each("SnapshotDetails"),
        SNAPSHOTS,
    ),
    Operation {
        request: Some(Schema::One("NewSnapshot")),
        answer: (202, SNAPSHOT),
        refusals: &[404],
        ..cinder("createSnapshot", "Freeze a volume as it is")
    },
    reading("showSnapshot", "A snapshot with all its fields", Schema::Each("SnapshotDetail"), &[]),
    Operation {
        request: Some(Schema::One("SnapshotChange")),
        answer: (200, SNAPSHOT),
        refusals: &[404],
        ..cinder("updateSnapshot", "Rename or describe a snapshot")
    },
    done("deleteSnapshot", "Delete a snapshot", 202),
    Operation {
        request: Some(Schema::One("SnapshotAction")),
        ..done("actOnSnapshot", "Delete a snapshot whatever its status", 202)
    },
    list_metadata("listVolumeMetadata"),
    write_metadata("mergeVolumeMetadata", "Add and overwrite pairs"),
    write_metadata("replaceVolumeMetadata", "Replace all pairs"),
    show_item("showVolumeMetadataItem"),
    set_item("setVolumeMetadataItem"),
    remove_item("removeVolumeMetadataItem"),
    list_metadata("listSnapshotMetadata"),
    write_metadata("mergeSnapshotMetadata", "Add and overwrite pairs"),
    write_metadata("replaceSnapshotMetadata", "Replace all pairs"),
    show_item("showSnapshotMetadataItem"),
    set_item("setSnapshotMetadataItem"),
    remove_item("removeSnapshotMetadataItem"),
    reading(
        "showLimits",
        "What may be kept and what is",
        Schema::One("Limits"),
        &[newer("project_id", Kind::Text, "3.39")],
    ),
    reading(
        "showQuotas",
        "The quotas of a project",
        Schema::One("Quotas"),
        &[parameter("usage", Kind::Flag)],
    ),
    reading("showDefaultQuotas", "The quotas of a new project", Schema::One("QuotaLimits"), &[]),
    Operation {
        request: Some(Schema::One("WishedQuotas")),
        ..reading("updateQuotas", "Set quotas", Schema::One("QuotaEcho"), &[])
    },
    done("resetQuotas", "Give a project the quotas of a new one", 200),
    reading("showQuotaClass", "The quotas of new projects", Schema::One("QuotaClass"), &[]),
    Operation {
        request: Some(Schema::One("WishedQuotaClass")),
        ..reading("updateQuotaClass", "Set these quotas", Schema::One("QuotaClassEcho"), &[])
    },
    always("listExtensions", "What is announced", Schema::Each("Extensions")),
    reading("showExtension", "One of these", Schema::Each("ExtensionDetail"), &[]),
    Operation {
        since: Some("3.33"),
        ..reading(
            "listResourceFilters",
            "By what lists can be filtered",
            Schema::One("ResourceFilters"),
            &[parameter("resource", Kind::Text)],
        )
    },
    always("listZones", "The zones", Schema::One("Zones")),
    always("listVolumeTypes", "The types of volumes", Schema::One("VolumeTypes")),
    reading("showVolumeType", "One of these", Schema::One("VolumeTypeDetail"), &[]),
    always("listServices", "An empty list", Schema::One("Services")),
    always("listMessages", "An empty list", Schema::One("Messages")),
];

/// Reading something that may not be there.
const fn reading(
    id: &'static str,
    summary: &'static str,
    schema: Schema,
    query: &'static [Parameter],
) -> Operation {
    Operation { refusals: &[404], query, ..always(id, summary, schema) }
}

/// Reading something that is always there.
const fn always(id: &'static str, summary: &'static str, schema: Schema) -> Operation {
    Operation { answer: (200, Some(schema)), ..cinder(id, summary) }
}

/// Doing something to what may not be there, with nothing to tell.
const fn done(id: &'static str, summary: &'static str, status: u16) -> Operation {
    Operation { answer: (status, None), refusals: &[404], ..cinder(id, summary) }
}

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let mut components = volumes();
    components.extend(snapshots());
    components.extend(requests());
    components.extend(quotas());
    components.extend(small());
    components
}

fn volumes() -> Vec<(&'static str, Value)> {
    let item = object([("id", uuid()), ("name", nullable(text())), ("links", named("Links"))]);
    let newer = |volume: Value| {
        with_optional(
            volume,
            [
                ("group_id", only(Value::Null)),
                ("service_uuid", only(Value::Null)),
                ("shared_targets", flag()),
                ("volume_type_id", uuid()),
                ("consumes_quota", flag()),
            ],
        )
    };
    vec![
        ("VolumeItem", item),
        ("PlainVolumeV2", plain_volume()),
        ("PlainVolumeV3", newer(plain_volume())),
        ("PlainVolumeDetailV2", object([("volume", named("PlainVolumeV2"))])),
        ("PlainVolumeDetailV3", object([("volume", named("PlainVolumeV3"))])),
        ("VolumeV2", volume()),
        ("VolumeV3", newer(volume())),
        ("VolumeSummariesV2", page_v2("volumes", "VolumeItem")),
        ("VolumeSummariesV3", page_v3("volumes", "VolumeItem")),
        ("VolumeDetailV2", object([("volume", named("VolumeV2"))])),
        ("VolumeDetailV3", object([("volume", named("VolumeV3"))])),
        ("VolumeDetailsV2", page_v2("volumes", "VolumeV2")),
        ("VolumeDetailsV3", page_v3("volumes", "VolumeV3")),
    ]
}

/// A volume with what Cinder's extensions add.
fn volume() -> Value {
    let added = [
        ("os-vol-tenant-attr:tenant_id", text()),
        ("os-vol-host-attr:host", text()),
        ("os-vol-mig-status-attr:migstat", only(Value::Null)),
        ("os-vol-mig-status-attr:name_id", only(Value::Null)),
    ];
    let names = added.each_ref().map(|(name, _)| *name);
    let mut volume = with_optional(plain_volume(), added);
    if let Some(required) = volume["required"].as_array_mut() {
        required.extend(names.map(Value::from));
    }
    volume
}

fn plain_volume() -> Value {
    let status = word([
        "creating",
        "available",
        "in-use",
        "backing-up",
        "restoring-backup",
        "deleting",
        "error",
        "error_deleting",
        "error_restoring",
        "attaching",
        "maintenance",
    ]);
    object([
        ("id", uuid()),
        ("status", status),
        ("size", count()),
        ("availability_zone", text()),
        ("created_at", instant()),
        ("updated_at", nullable(instant())),
        ("name", nullable(text())),
        ("description", nullable(text())),
        ("volume_type", text()),
        ("snapshot_id", nullable(uuid())),
        ("source_volid", nullable(uuid())),
        ("metadata", named("Pairs")),
        ("links", named("Links")),
        ("user_id", text()),
        ("bootable", word(["true", "false"])),
        ("encrypted", flag()),
        ("replication_status", only(Value::Null)),
        ("consistencygroup_id", only(Value::Null)),
        ("multiattach", flag()),
        ("attachments", json!({"type": "array", "maxItems": 1, "items": attachment()})),
        ("migration_status", only(Value::Null)),
    ])
}

/// A volume's being the disk of a server.
fn attachment() -> Value {
    object([
        ("attached_at", instant()),
        ("attachment_id", uuid()),
        ("device", text()),
        ("host_name", only(Value::Null)),
        ("id", uuid()),
        ("server_id", uuid()),
        ("volume_id", uuid()),
    ])
}

fn snapshots() -> Vec<(&'static str, Value)> {
    let newer = |snapshot: Value| {
        with_optional(
            snapshot,
            [
                ("group_snapshot_id", only(Value::Null)),
                ("user_id", text()),
                ("consumes_quota", flag()),
            ],
        )
    };
    let whole = || {
        with_required(
            snapshot(),
            [
                ("os-extended-snapshot-attributes:progress", word(["0%", "100%"])),
                ("os-extended-snapshot-attributes:project_id", text()),
            ],
        )
    };
    vec![
        ("SnapshotItemV2", snapshot()),
        ("SnapshotItemV3", newer(snapshot())),
        ("SnapshotV2", whole()),
        ("SnapshotV3", newer(whole())),
        ("SnapshotSummaryV2", object([("snapshot", named("SnapshotItemV2"))])),
        ("SnapshotSummaryV3", object([("snapshot", named("SnapshotItemV3"))])),
        ("SnapshotSummariesV2", page_v2("snapshots", "SnapshotItemV2")),
        ("SnapshotSummariesV3", page_v3("snapshots", "SnapshotItemV3")),
        ("SnapshotDetailV2", object([("snapshot", named("SnapshotV2"))])),
        ("SnapshotDetailV3", object([("snapshot", named("SnapshotV3"))])),
        ("SnapshotDetailsV2", page_v2("snapshots", "SnapshotV2")),
        ("SnapshotDetailsV3", page_v3("snapshots", "SnapshotV3")),
    ]
}

fn snapshot() -> Value {
    let status =
        word(["creating", "available", "backing-up", "deleting", "error", "error_deleting"]);
    object([
        ("id", uuid()),
        ("created_at", instant()),
        ("updated_at", nullable(instant())),
        ("name", nullable(text())),
        ("description", nullable(text())),
        ("volume_id", uuid()),
        ("status", status),
        ("size", count()),
        ("metadata", named("Pairs")),
    ])
}

fn requests() -> Vec<(&'static str, Value)> {
    let described = || {
        choice([
            ("name", nullable(short_text())),
            ("display_name", nullable(short_text())),
            ("description", nullable(short_text())),
            ("display_description", nullable(short_text())),
            ("metadata", nullable(named("WishedPairs"))),
        ])
    };
    let id = || nullable(named("WishedUuid"));
    let volume = with_optional(
        described(),
        [
            ("size", nullable(named("WishedSize"))),
            ("availability_zone", nullable(short_text())),
            ("snapshot_id", id()),
            ("source_volid", id()),
            ("backup_id", id()),
        ],
    );
    let snapshot = with_optional(
        described(),
        [("volume_id", named("WishedUuid")), ("force", named("Boolean"))],
    );
    let snapshot = open(requiring(snapshot, ["volume_id"]));
    let size = json!({"anyOf": [
        {"type": "integer", "minimum": 1, "maximum": i32::MAX},
        pattern("^\\s*\\+?0*[1-9]\\d*\\s*$"),
    ]});
    vec![
        ("NewVolume", open(object([("volume", open(volume))]))),
        ("VolumeChange", open(object([("volume", open(described()))]))),
        ("NewSnapshot", open(object([("snapshot", snapshot)]))),
        ("SnapshotChange", open(object([("snapshot", open(described()))]))),
        ("SnapshotAction", snapshot_action()),
        ("VolumeAction", volume_action()),
        ("WishedSize", size),
    ]
}

fn snapshot_action() -> Value {
    let reset = open(object([("status", text())]));
    json!({"oneOf": [
        object([("os-force_delete", json!({}))]),
        object([("os-reset_status", reset)]),
    ]})
}

fn volume_action() -> Value {
    let with =
        |name: &str, key: &str, schema: Value| object([(name, open(object([(key, schema)])))]);
    let mut actions = vec![
        with("os-reset_status", "status", text()),
        with("os-extend", "new_size", named("WishedSize")),
        with("os-set_bootable", "bootable", named("Boolean")),
    ];
    let plain = [
        "os-attach",
        "os-detach",
        "os-force_delete",
        "os-reserve",
        "os-unreserve",
        "os-begin_detaching",
        "os-roll_detaching",
    ];
    actions.extend(plain.map(|name| object([(name, json!({}))])));
    json!({"oneOf": actions})
}

fn quotas() -> Vec<(&'static str, Value)> {
    let figures = |figure: &dyn Fn() -> Value| Resource::ALL.map(|it| (it.name(), figure()));
    let limits = || object(figures(&whole));
    let used = || object([("limit", whole()), ("in_use", count()), ("reserved", only(0))]);
    let wished = || {
        let limit = json!({"anyOf": [
            {"type": "integer", "minimum": -1, "maximum": i32::MAX},
            pattern("^\\s*(-1|\\+?\\d+)\\s*$"),
            {"type": "null"},
        ]});
        open(choice(figures(&|| limit.clone())))
    };
    let of = |object: Value| with_required(object, [("id", text())]);
    let absolute = [
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
    let rate = json!({"type": "array", "maxItems": 0});
    let absolute = object(absolute.map(|name| (name, whole())));
    let either = json!({"anyOf": [named("QuotaSet"), of(object(figures(&used)))]});
    vec![
        ("Limits", object([("limits", object([("rate", rate), ("absolute", absolute)]))])),
        ("QuotaSet", of(limits())),
        ("Quotas", object([("quota_set", either)])),
        ("QuotaLimits", object([("quota_set", named("QuotaSet"))])),
        ("QuotaEcho", object([("quota_set", limits())])),
        ("QuotaClass", object([("quota_class_set", named("QuotaSet"))])),
        ("QuotaClassEcho", object([("quota_class_set", limits())])),
        ("WishedQuotas", open(object([("quota_set", wished())]))),
        ("WishedQuotaClass", open(object([("quota_class_set", wished())]))),
    ]
}

fn small() -> Vec<(&'static str, Value)> {
    let extension = || {
        object([
            ("alias", text()),
            ("name", text()),
            ("description", text()),
            ("links", json!({"type": "array", "maxItems": 0})),
            ("updated", pattern("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\+00:00$")),
        ])
    };
    let older = with_required(extension(), [("namespace", text())]);
    let kind = object([
        ("id", uuid()),
        ("name", text()),
        ("is_public", flag()),
        ("description", text()),
        ("extra_specs", object([])),
        ("qos_specs_id", only(Value::Null)),
        ("os-volume-type-access:is_public", flag()),
    ]);
    let zone = object([("zoneName", text()), ("zoneState", object([("available", flag())]))]);
    let filters = object([("resource", text()), ("filters", list(text()))]);
    let nothing = |name: &str| object([(name, json!({"type": "array", "maxItems": 0}))]);
    vec![
        ("ExtensionV2", older),
        ("ExtensionV3", extension()),
        ("ExtensionsV2", object([("extensions", list(named("ExtensionV2")))])),
        ("ExtensionsV3", object([("extensions", list(named("ExtensionV3")))])),
        ("ExtensionDetailV2", object([("extension", named("ExtensionV2"))])),
        ("ExtensionDetailV3", object([("extension", named("ExtensionV3"))])),
        ("ResourceFilters", object([("resource_filters", list(filters))])),
        ("Zones", object([("availabilityZoneInfo", list(zone))])),
        ("VolumeType", kind),
        ("VolumeTypes", object([("volume_types", list(named("VolumeType")))])),
        ("VolumeTypeDetail", object([("volume_type", named("VolumeType"))])),
        ("Services", nothing("services")),
        ("Messages", nothing("messages")),
    ]
}
