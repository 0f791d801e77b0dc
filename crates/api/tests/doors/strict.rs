//! Answers decoded as clients with static types decode them.
//!
//! Go's decoder fails the whole answer when one timestamp does not fit its layout or one value has
//! another type; Java's does when a job's end has no `Z`. These types take nothing else, and no key
//! that they do not name.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::world::World;

/// A text or null that must be there: a missing key is an error.
type OrNull<T> = Option<T>;

/// Go's layout `2006-01-02T15:04:05.999999`: no zone, digits after the point or none.
#[derive(Debug)]
struct Naive;

/// Java's `yyyy-MM-dd'T'HH:mm:ss.SSS`: three digits, no zone.
#[derive(Debug)]
struct NaiveMillis;

/// Java's `yyyy-MM-dd'T'HH:mm:ss.SSS'Z'`.
#[derive(Debug)]
struct ZonedMillis;

/// Whether a text is a date and a time of day, and what follows them.
fn after_seconds(text: &str) -> Option<&str> {
    let (head, rest) = text.split_at_checked(19)?;
    let shape: String = head.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    (shape == "0000-00-00T00:00:00").then_some(rest)
}

fn are_digits(text: &str, count: std::ops::RangeInclusive<usize>) -> bool {
    count.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn parsed<'de, D: Deserializer<'de>, T>(
    from: D,
    value: T,
    fits: impl Fn(&str) -> bool,
) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    match after_seconds(&text) {
        Some(rest) if fits(rest) => Ok(value),
        _ => Err(D::Error::custom(format!("{text:?} has another layout"))),
    }
}

impl<'de> Deserialize<'de> for Naive {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        parsed(from, Self, |rest| {
            rest.is_empty() || rest.strip_prefix('.').is_some_and(|it| are_digits(it, 1..=6))
        })
    }
}

impl<'de> Deserialize<'de> for NaiveMillis {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        parsed(from, Self, |rest| rest.strip_prefix('.').is_some_and(|it| are_digits(it, 3..=3)))
    }
}

impl<'de> Deserialize<'de> for ZonedMillis {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        parsed(from, Self, |rest| {
            let millis = rest.strip_prefix('.').and_then(|it| it.strip_suffix('Z'));
            millis.is_some_and(|it| are_digits(it, 3..=3))
        })
    }
}

/// Reads a key that must be there, whatever its value; serde would take its absence for null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    T::deserialize(from)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct Link {
    rel: String,
    href: String,
}

/// `Backup` of the Go clients on version 2, and of the Java client.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct BackupV2 {
    id: String,
    #[serde(deserialize_with = "present")]
    name: OrNull<String>,
    links: Vec<Link>,
    status: String,
    #[serde(deserialize_with = "present")]
    description: OrNull<String>,
    #[serde(deserialize_with = "present")]
    availability_zone: OrNull<String>,
    volume_id: String,
    #[serde(deserialize_with = "present")]
    fail_reason: OrNull<String>,
    size: i32,
    object_count: i32,
    #[serde(deserialize_with = "present")]
    container: OrNull<String>,
    created_at: Naive,
    #[serde(deserialize_with = "present")]
    updated_at: OrNull<Naive>,
    data_timestamp: Naive,
    #[serde(deserialize_with = "present")]
    snapshot_id: OrNull<String>,
    has_dependent_backups: bool,
    is_incremental: bool,
    #[serde(rename = "os-bak-tenant-attr:tenant_id")]
    tenant_id: String,
    service_metadata: String,
}

/// `Backup` of version 3 at its newest microversion.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct BackupV3 {
    id: String,
    #[serde(deserialize_with = "present")]
    name: OrNull<String>,
    links: Vec<Link>,
    status: String,
    #[serde(deserialize_with = "present")]
    description: OrNull<String>,
    #[serde(deserialize_with = "present")]
    availability_zone: OrNull<String>,
    volume_id: String,
    #[serde(deserialize_with = "present")]
    fail_reason: OrNull<String>,
    size: i32,
    object_count: i32,
    #[serde(deserialize_with = "present")]
    container: OrNull<String>,
    created_at: Naive,
    #[serde(deserialize_with = "present")]
    updated_at: OrNull<Naive>,
    data_timestamp: Naive,
    #[serde(deserialize_with = "present")]
    snapshot_id: OrNull<String>,
    has_dependent_backups: bool,
    is_incremental: bool,
    #[serde(rename = "os-backup-project-attr:project_id")]
    project_id: String,
    metadata: BTreeMap<String, String>,
    user_id: String,
    encryption_key_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Show<T> {
    backup: T,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List<T> {
    backups: Vec<T>,
    backups_links: Option<Vec<Link>>,
    count: Option<i32>,
}

/// A share as the Go clients list it, with the backup that is in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct Share {
    id: String,
    backup_id: String,
    from_project_id: String,
    to_project_id: String,
    created_at: Naive,
    #[serde(deserialize_with = "present")]
    updated_at: OrNull<Naive>,
    backup: SharedBackup,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct SharedBackup {
    #[serde(deserialize_with = "present")]
    availability_zone: OrNull<String>,
    #[serde(deserialize_with = "present")]
    container: OrNull<String>,
    created_at: Naive,
    data_timestamp: Naive,
    #[serde(deserialize_with = "present")]
    description: OrNull<String>,
    #[serde(deserialize_with = "present")]
    fail_reason: OrNull<String>,
    has_dependent_backups: bool,
    id: String,
    is_incremental: bool,
    #[serde(deserialize_with = "present")]
    name: OrNull<String>,
    object_count: i32,
    size: i32,
    #[serde(deserialize_with = "present")]
    snapshot_id: OrNull<String>,
    status: String,
    #[serde(deserialize_with = "present")]
    updated_at: OrNull<Naive>,
    volume_id: String,
    service_metadata: String,
}

/// A new share: `deleted` is a text or null, never a boolean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct CreatedShare {
    id: String,
    backup_id: String,
    from_project_id: String,
    to_project_id: String,
    created_at: Naive,
    #[serde(deserialize_with = "present")]
    updated_at: OrNull<Naive>,
    #[serde(deserialize_with = "present")]
    deleted: OrNull<String>,
    #[serde(deserialize_with = "present")]
    deleted_at: OrNull<Naive>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared<T> {
    shared: T,
    shared_links: Option<Vec<Link>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagsOf<T> {
    tags: BTreeMap<String, T>,
}

/// A job: Go reads the entities as a map of texts, Java the instants with a `Z`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct Job {
    status: String,
    entities: BTreeMap<String, String>,
    job_id: String,
    job_type: String,
    begin_time: ZonedMillis,
    #[serde(deserialize_with = "present")]
    end_time: OrNull<ZonedMillis>,
    #[serde(deserialize_with = "present")]
    error_code: OrNull<String>,
    #[serde(deserialize_with = "present")]
    fail_reason: OrNull<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Started {
    job_id: String,
}

/// A policy: Go takes what is not said for zero, Java does not know other members.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct Policy {
    backup_policy_id: String,
    backup_policy_name: String,
    scheduled_policy: Schedule,
    policy_resource_count: i32,
    time_zone: Option<String>,
    tags: Option<Vec<Tag>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct Schedule {
    start_time: String,
    frequency: Option<i32>,
    week_frequency: Option<Vec<String>>,
    rentention_num: Option<i32>,
    rentention_day: Option<i32>,
    #[serde(rename = "remain_first_backup_of_curMonth")]
    keeps_first: String,
    status: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policies {
    backup_policies: Vec<Policy>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct Task {
    status: String,
    job_id: String,
    created_at: NaiveMillis,
    finished_at: Option<NaiveMillis>,
    backup_name: String,
    resource_id: String,
    resource_type: String,
    vbs_job_id: Option<String>,
    code: Option<String>,
    message: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tasks {
    tasks: Vec<Task>,
    count: i32,
}

/// A quota or a limit: whole numbers by name.
type Figures = BTreeMap<String, i32>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    limits: LimitsInner,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsInner {
    rate: Vec<Value>,
    absolute: Figures,
}

#[derive(Debug, Deserialize)]
struct QuotaSet {
    quota_set: Quotas,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that it decodes is what is asserted")]
struct Quotas {
    id: String,
    backups: i32,
    backup_gigabytes: i32,
    volumes: i32,
    snapshots: i32,
    gigabytes: i32,
    per_volume_gigabytes: i32,
    groups: i32,
}

/// An answer as this type.
#[track_caller]
fn decode<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error} in {value:#}"))
}

// T-18, T-19: Go clients decode a backup in each status that it goes through.
#[tokio::test]
async fn t18_t19_every_status_of_a_backup_decodes() {
    let (world, alpha, _) = World::with_projects().await;
    let (member, admin) = (world.volume(&alpha.member), world.volume(&alpha.admin));
    let volume = member.make_volume("v").await;
    let wish = json!({"backup": {"volume_id": volume}});
    let made = member.post("/v2/{p}/backups", wish).await.expect(202);
    let id = made["backup"]["id"].as_str().unwrap();
    let path = format!("{{p}}/backups/{id}");
    let mut seen = Vec::new();
    for step in ["created", "stored", "restoring", "restored", "broken", "deleting"] {
        let action = format!("/v2/{path}/action");
        match step {
            "restoring" => {
                let wish = json!({"restore": {"volume_id": volume}});
                member.post(&format!("/v2/{path}/restore"), wish).await.expect(202);
            }
            "broken" => {
                let wish = json!({"os-reset_status": {"status": "error"}});
                admin.post(&action, wish).await.expect(202);
            }
            "deleting" => assert_eq!(member.delete(&format!("/v2/{path}")).await.status, 202),
            "stored" | "restored" => world.settle().await,
            _ => {}
        }
        let shown: Show<BackupV2> = decode(member.get(&format!("/v2/{path}")).await.expect(200));
        let newest = member.at("3.71");
        let newer: Show<BackupV3> = decode(newest.get(&format!("/v3/{path}")).await.expect(200));
        let listed: List<BackupV2> =
            decode(member.get("/v2/{p}/backups/detail?limit=1").await.expect(200));
        let query = "/v3/{p}/backups/detail?with_count=True";
        let counted: List<BackupV3> = decode(newest.get(query).await.expect(200));
        assert_eq!((listed.backups.len(), counted.count), (1, Some(1)));
        assert!(listed.backups_links.is_some() && counted.backups_links.is_none());
        assert_eq!(newer.backup.status, shown.backup.status);
        seen.push(shown.backup.status);
    }
    assert_eq!(seen, ["creating", "available", "restoring", "available", "error", "deleting"]);
}

// T-18, T-21: a job decodes from its first moment to its end, in every version that has jobs.
#[tokio::test]
async fn t18_t21_jobs_decode_until_their_end() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let wish = json!({"backup": {"volume_id": volume, "name": "b"}});
    let mut started = member.post("/v2/{p}/cloudbackups", wish).await;
    let mut backup = String::new();
    for (step, kind) in
        ["bksCreateBackup", "bksRestoreBackup", "bksDeleteBackup"].iter().enumerate()
    {
        let id = decode::<Started>(started.expect(200)).job_id;
        let path = format!("{{p}}/jobs/{id}");
        for version in ["v1", "v2", "v3"] {
            let job: Job = decode(member.get(&format!("/{version}/{path}")).await.expect(200));
            assert_eq!((job.job_type.as_str(), job.end_time.is_none()), (*kind, true));
        }
        world.settle().await;
        let job: Job = decode(member.get(&format!("/v1/{path}")).await.expect(200));
        assert_eq!((job.status.as_str(), job.end_time.is_some()), ("SUCCESS", true));
        backup.clone_from(&job.entities["backup_id"]);
        let path = format!("/v2/{{p}}/cloudbackups/{backup}");
        let wish = json!({"restore": {"volume_id": volume}});
        started = match step {
            0 => member.post(&format!("{path}/restore"), wish).await,
            _ => member.send("POST", &path, None).await,
        };
    }
    assert_eq!(started.status, 404);
}

// T-18: a task's instants have no zone. T-30: the members of a policy as they are spelled.
#[tokio::test]
async fn t18_t30_policies_and_tasks_decode() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let wish = json!({
        "backup_policy_name": "p",
        "scheduled_policy": {
            "start_time": "12:00", "frequency": 1, "rentention_num": 2, "status": "ON",
        },
        "tags": [{"key": "k", "value": "v"}],
    });
    let path = "/v2/{p}/backuppolicy";
    let made = member.post(path, wish).await.expect(200);
    let id = made["backup_policy_id"].as_str().unwrap();
    let disk = json!([{"resource_id": volume, "resource_type": "volume"}]);
    let binding = json!({"backup_policy_id": id, "resources": disk});
    member.post("/v2/{p}/backuppolicyresources", binding).await.expect(200);
    let listed: Policies = decode(member.get(path).await.expect(200));
    assert_eq!(listed.backup_policies[0].policy_resource_count, 1);
    let ran = member.send("POST", &format!("{path}/{id}/action"), None).await;
    assert_eq!((ran.status, ran.text.as_str()), (204, ""));
    for _ in 0..2 {
        let tasks = member.get(&format!("{path}/{id}/backuptasks")).await.expect(200);
        let tasks: Tasks = decode(tasks);
        assert_eq!((tasks.tasks.len(), tasks.count), (1, 1));
        world.settle().await;
    }
    let tasks = member.get(&format!("{path}/{id}/backuptasks")).await.expect(200);
    let tasks: Tasks = decode(tasks);
    assert_eq!(tasks.tasks[0].status, "EXECUTE_SUCCESS");
    assert!(tasks.tasks[0].finished_at.is_some());
    let job = format!("/v1/{{p}}/jobs/{}", tasks.tasks[0].vbs_job_id.as_ref().unwrap());
    let job: Job = decode(member.get(&job).await.expect(200));
    assert_eq!(job.status, "SUCCESS");
}

// T-20: `deleted` of a share is no boolean. T-32: a list by backup has it at once.
#[tokio::test]
async fn t20_t32_shares_decode() {
    let (world, alpha, beta) = World::with_projects().await;
    let (owner, guest) = (world.volume(&alpha.member), world.volume(&beta.member));
    let volume = owner.make_volume("v").await;
    let backup = owner.make_backup(&volume, "b").await;
    let wish = json!({"backup_id": backup, "to_project_ids": [beta.member.project]});
    let path = "/v2/{p}/os-vendor-backup-sharing";
    let made = owner.post(path, json!({ "shared": wish })).await.expect(200);
    let made: Shared<Vec<CreatedShare>> = decode(made);
    assert_eq!((made.shared.len(), made.shared_links.is_none()), (1, true));
    let query = format!("{path}/detail?backup_id={backup}&limit=1");
    let listed: Shared<Vec<Share>> = decode(owner.get(&query).await.expect(200));
    assert_eq!(listed.shared[0].id, made.shared[0].id);
    let shown = format!("{path}/{}", made.shared[0].id);
    let shown: Shared<Share> = decode(guest.get(&shown).await.expect(200));
    assert_eq!(shown.shared.backup.id, backup);
}

#[tokio::test]
async fn tags_are_texts_or_lists_of_texts() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let backup = member.make_backup(&volume, "b").await;
    let path = format!("/v2/{{p}}/os-vendor-tags/backups/{backup}");
    let tags = json!({"tags": {"k": "v", "empty": ""}});
    let echoed: TagsOf<String> = decode(member.post(&path, tags).await.expect(200));
    let all = member.get("/v2/{p}/os-vendor-tags/backups").await.expect(200);
    let all: TagsOf<Vec<String>> = decode(all);
    assert!(echoed.tags.keys().eq(all.tags.keys()));
}

#[tokio::test]
async fn figures_are_whole_numbers() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let limits: Limits = decode(member.get("/v2/{p}/limits").await.expect(200));
    assert_eq!((limits.limits.rate.len(), limits.limits.absolute.len()), (0, 10));
    let path = format!("/v3/{{p}}/os-quota-sets/{}", alpha.member.project);
    let set: QuotaSet = decode(member.get(&path).await.expect(200));
    assert_eq!(set.quota_set.id, alpha.member.project);
}

#[test]
fn each_layout_takes_its_own_kind_only() {
    let six = json!("2013-06-27T08:48:03.000000");
    let three = json!("2016-12-03T06:24:34.467");
    let zoned = json!("2016-01-28T16:14:09.466Z");
    let fits = |value: &Value| {
        [
            serde_json::from_value::<Naive>(value.clone()).is_ok(),
            serde_json::from_value::<NaiveMillis>(value.clone()).is_ok(),
            serde_json::from_value::<ZonedMillis>(value.clone()).is_ok(),
        ]
    };
    assert_eq!(fits(&six), [true, false, false]);
    assert_eq!(fits(&three), [true, true, false]);
    assert_eq!(fits(&zoned), [false, false, true]);
    for bad in ["2013-06-27 08:48:03", "2013-06-27T08:48:03+00:00", "", "2013-06-27T08:48:03."] {
        assert_eq!(fits(&json!(bad)), [false; 3], "{bad}");
    }
}
