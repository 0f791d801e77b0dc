//! Vaults and what is in them.

use serde_json::{Value, json};

use super::operation::{Kind, LIMIT, MARKER, OFFSET, Operation, operation, parameter, required};
use super::schema::{
    choice, count, flag, instant, list, list_of, name, named, needing, nullable, object, only,
    pattern, range, text, text_of, uuid, wished_uuid, wishes, word,
};
use crate::cbr::code::Code;
use crate::openapi::with_optional;

const OBJECT_TYPES: [&str; 7] = ["server", "disk", "turbo", "workspace", "vmware", "rds", "file"];
const PROTECT_TYPES: [&str; 3] = ["backup", "replication", "hybrid"];
const CLOUD_TYPES: [&str; 2] = ["public", "hybrid"];
const STATUSES: [&str; 5] = ["available", "lock", "frozen", "deleting", "error"];
const LEVELS: [&str; 2] = ["crash_consistent", "app_consistent"];
const CHARGING_MODES: [&str; 2] = ["post_paid", "pre_paid"];
pub(super) const RESOURCE_TYPES: [&str; 6] = [
    "OS::Nova::Server",
    "OS::Cinder::Volume",
    "OS::Ironic::BareMetalServer",
    "OS::Native::Server",
    "OS::Sfs::Turbo",
    "OS::Workspace::DesktopV2",
];

/// Why a new vault, or the resources of one, may be refused.
const BINDING: &[Code] = &[
    Code::TooManyVaultResources,
    Code::ResourceTypeNotSupported,
    Code::ResourceInOtherVault,
    Code::DuplicateResources,
    Code::VaultNotFound,
    Code::VaultTakesNoResources,
    Code::InvalidVaultStatus,
    Code::ResourcesBeingRemoved,
    Code::ResourceNotFound,
    Code::DiskNotFound,
    Code::DiskStatusForbidsBackup,
    Code::DiskAlreadyInVault,
    Code::ServerNotFound,
    Code::ServerAlreadyInVault,
];

const CREATION: &[Code] = &[
    Code::PolicyNotFound,
    Code::TooManyVaultResources,
    Code::InvalidVaultSize,
    Code::ResourceTypeNotSupported,
    Code::ResourceInOtherVault,
    Code::DuplicateResources,
    Code::VaultTakesNoResources,
    Code::PolicyNotApplicable,
    Code::PolicyOnHybridVault,
    Code::TooManyVaults,
    Code::ResourcesBeingRemoved,
    Code::ResourceNotFound,
    Code::DiskNotFound,
    Code::DiskStatusForbidsBackup,
    Code::ServerNotFound,
    Code::TooManyTags,
];

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        request: Some("NewVaultBody"),
        answer: (200, Some("VaultMade")),
        codes: CREATION,
        ..operation("createVault", "Make a vault")
    },
    Operation {
        request: Some("OrderedVaultBody"),
        answer: (200, Some("VaultOrdered")),
        codes: CREATION,
        ..operation("orderVault", "Make a vault that is paid for in advance")
    },
    Operation {
        query: &[
            LIMIT,
            OFFSET,
            MARKER,
            parameter("name", Kind::Text),
            parameter("cloud_type", Kind::Word(&CLOUD_TYPES)),
            parameter("protect_type", Kind::Word(&PROTECT_TYPES)),
            parameter("object_type", Kind::Word(&OBJECT_TYPES)),
            parameter("enterprise_project_id", Kind::Text),
            parameter("id", Kind::Ids),
            parameter("vault_id", Kind::Ids),
            parameter("policy_id", Kind::Id),
            parameter("status", Kind::Word(&STATUSES)),
            parameter("resource_ids", Kind::Ids),
            parameter("resource_id", Kind::Ids),
            parameter("availability_zone", Kind::Text),
        ],
        answer: (200, Some("Vaults")),
        ..operation("listVaults", "List vaults")
    },
    Operation {
        query: &[
            LIMIT,
            OFFSET,
            MARKER,
            required("external_project_id", Kind::Text),
            required("region_id", Kind::Text),
            parameter("protect_type", Kind::Word(&PROTECT_TYPES)),
            parameter("cloud_type", Kind::Word(&CLOUD_TYPES)),
            parameter("object_type", Kind::Word(&OBJECT_TYPES)),
            parameter("objcet_type", Kind::Word(&OBJECT_TYPES)),
            parameter("vault_id", Kind::Id),
        ],
        answer: (200, Some("Vaults")),
        codes: &[Code::RegionWithoutReplication, Code::ResourceNotFound],
        ..operation("listExternalVaults", "List the vaults of another project of the caller")
    },
    Operation {
        answer: (200, Some("VaultSummary")),
        ..operation("showSummary", "Size and use of all vaults")
    },
    Operation {
        answer: (200, Some("VaultBody")),
        codes: &[Code::VaultNotFound],
        ..operation("showVault", "Show a vault")
    },
    Operation {
        request: Some("VaultsChangeBody"),
        answer: (200, Some("VaultsUpdated")),
        ..operation("updateVaults", "Set when warnings are given, for all vaults")
    },
    Operation {
        request: Some("VaultChangeBody"),
        answer: (200, Some("VaultBody")),
        codes: &[
            Code::InvalidVaultSize,
            Code::VaultNotFound,
            Code::VaultNotUpdatable,
            Code::InvalidVaultStatus,
            Code::ExpansionRefused,
        ],
        ..operation("updateVault", "Change a vault")
    },
    Operation {
        answer: (204, None),
        codes: &[Code::VaultNotFound, Code::VaultNotDeletable, Code::BackupsRunning],
        ..operation("deleteVault", "Remove a vault with its backups")
    },
    Operation {
        request: Some("ChargeModeBody"),
        answer: (200, Some("Ordered")),
        codes: &[Code::VaultNotFound, Code::InvalidVaultStatus],
        ..operation("changeVaultChargeMode", "Have vaults paid for in advance")
    },
    Operation {
        request: Some("NewResourcesBody"),
        answer: (200, Some("ResourcesAdded")),
        codes: BINDING,
        ..operation("addVaultResources", "Protect resources")
    },
    Operation {
        request: Some("ResourceIdsBody"),
        answer: (200, Some("ResourcesRemoved")),
        codes: &[
            Code::VaultNotFound,
            Code::BackupLocked,
            Code::InvalidVaultStatus,
            Code::BackupRunning,
            Code::ResourcesBeingRemoved,
            Code::ResourceNotInVault,
        ],
        ..operation("removeVaultResources", "Remove resources with their backups")
    },
    Operation {
        request: Some("ResourceMoveBody"),
        answer: (200, Some("ResourcesMoved")),
        codes: &[
            Code::TooManyVaultResources,
            Code::ResourceTypeNotSupported,
            Code::VaultNotFound,
            Code::VaultNotUpdatable,
            Code::InvalidVaultStatus,
            Code::DestinationVaultNotFound,
            Code::DestinationVaultFull,
            Code::ResourcesBeingRemoved,
            Code::ResourceNotInVault,
        ],
        ..operation("migrateVaultResources", "Move resources to another vault")
    },
    Operation {
        request: Some("ResourceActionBody"),
        answer: (200, Some("ResourcesSet")),
        codes: &[
            Code::VaultNotFound,
            Code::InvalidVaultStatus,
            Code::ResourcesBeingRemoved,
            Code::ResourceNotInVault,
        ],
        ..operation("setVaultResources", "Say which resources are backed up by themselves")
    },
    Operation {
        request: Some("PolicyAssociation"),
        answer: (200, Some("PolicyAssociated")),
        codes: &[
            Code::PolicyNotFound,
            Code::VaultNotFound,
            Code::VaultNotUpdatable,
            Code::InvalidVaultStatus,
            Code::PolicyNotApplicable,
            Code::PolicyOnHybridVault,
        ],
        ..operation("associateVaultPolicy", "Apply a policy to a vault")
    },
    Operation {
        request: Some("PolicyDissociation"),
        answer: (200, Some("PolicyDissociated")),
        codes: &[
            Code::PolicyNotFound,
            Code::PolicyNotApplied,
            Code::VaultNotFound,
            Code::VaultNotUpdatable,
            Code::InvalidVaultStatus,
        ],
        ..operation("dissociateVaultPolicy", "Take a policy off a vault")
    },
    Operation {
        request: Some("ExpirationBody"),
        answer: (200, Some("ExpirationSet")),
        codes: &[Code::VaultNotFound, Code::InvalidVaultStatus],
        ..operation("updateBackupExpirationTime", "Set the dates of all backups of a vault")
    },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let mut all = documents();
    all.extend(bodies());
    all.extend(changes());
    all.extend(bodies_about_resources());
    all.extend(answers());
    all
}

fn documents() -> Vec<(&'static str, Value)> {
    let billing = object([
        ("allocated", count()),
        ("used", count()),
        ("size", range(1, 10_485_760)),
        ("charging_mode", word(CHARGING_MODES)),
        ("cloud_type", word(CLOUD_TYPES)),
        ("consistent_level", word(LEVELS)),
        ("object_type", word(OBJECT_TYPES)),
        ("protect_type", word(PROTECT_TYPES)),
        ("spec_code", pattern("^vault\\.(backup|hybrid|replication)\\.[a-z]+\\.normal$")),
        ("status", word(STATUSES)),
        ("is_multi_az", flag()),
        ("order_id", only(Value::Null)),
        ("product_id", only(Value::Null)),
        ("storage_unit", only(Value::Null)),
        ("frozen_scene", only(Value::Null)),
        ("partner_bp_id", only(Value::Null)),
    ]);
    let resource = object([
        ("id", uuid()),
        ("type", word(RESOURCE_TYPES)),
        ("name", text()),
        ("size", count()),
        ("backup_size", count()),
        ("backup_count", count()),
        ("protect_status", word(["available", "error", "protecting", "restoring", "removing"])),
        ("auto_protect", flag()),
        ("extra_info", object([("exclude_volumes", list(uuid()))])),
    ]);
    let vault = object([
        ("id", uuid()),
        ("name", text()),
        ("description", nullable(text())),
        ("project_id", text()),
        ("user_id", text()),
        ("provider_id", uuid()),
        ("created_at", instant()),
        ("enterprise_project_id", text()),
        ("auto_bind", flag()),
        ("auto_expand", flag()),
        ("bind_rules", choice([("tags", list(named("VaultTag")))])),
        ("smn_notify", flag()),
        ("threshold", range(1, 100)),
        ("locked", flag()),
        ("backup_name_prefix", text()),
        ("demand_billing", flag()),
        ("cbc_delete_count", only(0)),
        ("frozen", only(false)),
        ("sys_lock_source_service", word(["", "SMB"])),
        ("availability_zone", nullable(text())),
        ("billing", named("VaultBilling")),
        ("resources", list(named("VaultResource"))),
        ("tags", list(named("VaultTag"))),
    ]);
    vec![
        ("VaultBilling", billing),
        ("VaultResource", resource),
        ("VaultTag", object([("key", text()), ("value", text())])),
        ("Vault", vault),
        ("VaultBody", object([("vault", named("Vault"))])),
    ]
}

fn description() -> Value {
    pattern("^[^<>\\x00]{0,255}$")
}

fn prefix() -> Value {
    pattern("^[\\u4E00-\\u9FA5\\uF900-\\uFA2Da-zA-Z0-9_.-]{0,32}$")
}

fn bind_rules() -> Value {
    let tag = needing([("key", text_of(1, 127))], [("value", text_of(0, 255))]);
    wishes([("tags", list_of(tag, 0, 5))])
}

fn bodies() -> Vec<(&'static str, Value)> {
    let billing = needing(
        [
            ("consistent_level", word(LEVELS)),
            ("object_type", word(OBJECT_TYPES)),
            ("protect_type", word(["backup", "replication"])),
            ("size", json!({"type": "integer"})),
        ],
        [
            ("charging_mode", word(CHARGING_MODES)),
            ("cloud_type", word(CLOUD_TYPES)),
            ("is_multi_az", only(false)),
            ("is_auto_renew", flag()),
            ("is_auto_pay", flag()),
            ("period_type", word(["year", "month"])),
            ("period_num", range(1, 9)),
            ("console_url", text_of(1, 255)),
        ],
    );
    let vault = needing(
        [("name", name()), ("billing", billing)],
        [
            ("resources", list_of(named("NewVaultResource"), 0, 256)),
            ("description", description()),
            ("backup_policy_id", wished_uuid()),
            ("enterprise_project_id", text_of(1, 64)),
            ("tags", list_of(named("NewVaultTag"), 0, 100)),
            ("auto_bind", flag()),
            ("bind_rules", bind_rules()),
            ("auto_expand", flag()),
            ("smn_notify", flag()),
            ("threshold", range(1, 100)),
            ("locked", flag()),
            ("backup_name_prefix", prefix()),
            ("demand_billing", flag()),
            ("availability_zone", text_of(1, 32)),
            ("sys_lock_source_service", word(["", "SMB"])),
        ],
    );
    let mut ordered = with_optional(vault.clone(), [("name", nullable(name()))]);
    ordered["required"] = json!(["billing"]);
    vec![
        ("NewVaultBody", needing([("vault", vault)], [])),
        ("OrderedVaultBody", needing([("vault", ordered)], [])),
    ]
}

fn changes() -> Vec<(&'static str, Value)> {
    let change = wishes([
        ("name", name()),
        ("description", description()),
        (
            "billing",
            wishes([("size", json!({"type": "integer"})), ("consistent_level", word(LEVELS))]),
        ),
        ("auto_bind", flag()),
        ("bind_rules", bind_rules()),
        ("auto_expand", flag()),
        ("smn_notify", flag()),
        ("threshold", range(1, 100)),
        ("locked", flag()),
        ("backup_name_prefix", prefix()),
    ]);
    let change_all = wishes([("smn_notify", flag()), ("threshold", range(1, 100))]);
    let charge_mode = needing(
        [
            ("charging_mode", only("pre_paid")),
            ("period_type", word(["year", "month"])),
            ("period_num", range(1, 9)),
            ("is_auto_renew", flag()),
            ("is_auto_pay", flag()),
            ("vault_ids", list_of(wished_uuid(), 1, 60)),
        ],
        [("console_url", text_of(1, 255))],
    );
    vec![
        ("VaultChangeBody", needing([("vault", change)], [])),
        ("VaultsChangeBody", needing([("vault", change_all)], [])),
        ("ChargeModeBody", charge_mode),
    ]
}

fn bodies_about_resources() -> Vec<(&'static str, Value)> {
    let included = needing([("id", wished_uuid())], []);
    let excluded = wishes([
        ("exclude_volumes", list_of(wished_uuid(), 0, 256)),
        ("include_volumes", list_of(included, 0, 256)),
    ]);
    let resource = needing(
        [("id", wished_uuid()), ("type", word(RESOURCE_TYPES))],
        [("name", text_of(0, 255)), ("extra_info", excluded)],
    );
    let resources = list_of(named("NewVaultResource"), 1, 256);
    let ids = || ("resource_ids", list_of(wished_uuid(), 1, 256));
    let action = ("action", word(["suspend", "unsuspend"]));
    let association = wishes([
        ("policy_id", wished_uuid()),
        ("add_policy_ids", list_of(wished_uuid(), 1, 10)),
        ("destination_vault_id", wished_uuid()),
    ]);
    let expiration = needing(
        [
            ("expect_expiration_date", pattern("^\\d{4}-\\d\\d-\\d\\d$")),
            ("time_zone", pattern("^UTC[+-]\\d{1,2}:\\d\\d$")),
        ],
        [],
    );
    vec![
        ("NewVaultResource", resource),
        ("NewResourcesBody", needing([("resources", resources)], [])),
        ("ResourceIdsBody", needing([ids()], [])),
        ("ResourceMoveBody", needing([("destination_vault_id", wished_uuid()), ids()], [])),
        ("ResourceActionBody", needing([ids(), action], [])),
        ("PolicyAssociation", association),
        ("PolicyDissociation", needing([("policy_id", wished_uuid())], [])),
        ("ExpirationBody", expiration),
    ]
}

fn answers() -> Vec<(&'static str, Value)> {
    let order = object([
        ("cloudServiceId", only("cbr")),
        ("orderId", pattern("^CS[0-9A-F]+$")),
        ("resourceId", uuid()),
        ("subscribeResult", only(1)),
    ]);
    let told = || {
        [
            ("orders", list(named("VaultOrder"))),
            ("retCode", only(0)),
            ("errText", only("success")),
            ("error_code", only("0")),
        ]
    };
    let [orders, code, sentence, error] = told();
    let made = with_optional(object([("vault", named("Vault"))]), told());
    let page = object([
        ("vaults", list(named("Vault"))),
        ("count", count()),
        ("limit", range(1, 1000)),
        ("offset", count()),
    ]);
    let associated = with_optional(
        object([("vault_id", uuid()), ("policy_id", uuid())]),
        [("destination_vault_id", uuid())],
    );
    let dissociated = object([("vault_id", uuid()), ("policy_id", uuid())]);
    let ordered = object([
        ("orderId", pattern("^CS[0-9A-F]+$")),
        ("retCode", only(0)),
        ("retMsg", only("success")),
    ]);
    let expiration = object([
        ("affected_backups_count", count()),
        ("new_expiration_day", pattern("^\\d{4}-\\d\\d-\\d\\d$")),
        ("operation_log_id", uuid()),
    ]);
    let ids = |key| object([(key, list(uuid()))]);
    vec![
        ("VaultOrder", order),
        ("VaultMade", made),
        ("VaultOrdered", object([orders, code, sentence, error])),
        ("Vaults", page),
        ("VaultSummary", object([("size", count()), ("used_size", count())])),
        ("VaultsUpdated", ids("updated_vaults_id")),
        ("ResourcesAdded", ids("add_resource_ids")),
        ("ResourcesRemoved", ids("remove_resource_ids")),
        ("ResourcesMoved", ids("migrated_resources")),
        ("ResourcesSet", ids("set_resource_ids")),
        ("PolicyAssociated", object([("associate_policy", associated)])),
        ("PolicyDissociated", object([("dissociate_policy", dissociated)])),
        ("ExpirationSet", expiration),
        ("Ordered", ordered),
    ]
}

/// What kind of resources a vault protects.
pub(super) fn object_type() -> Value {
    word(OBJECT_TYPES)
}

/// Where the resources of a vault are.
pub(super) fn cloud_type() -> Value {
    word(CLOUD_TYPES)
}
