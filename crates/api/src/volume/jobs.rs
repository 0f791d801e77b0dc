//! Jobs as the vendor shows them: operation V5, in versions 1, 2 and 3.

use serde_json::{Map, Value, json};
use strongroom_model::id::JobId;
use strongroom_model::job::{JobKind, Subject};
use strongroom_service::jobs::{JobStatus, JobView};

use super::call::{Answer, Call};
use crate::reply::Reply;

/// `GET /jobs/ID` (V5): the job without an envelope.
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let job = call.service.job(&call.caller, id).await?;
    Ok(Reply::ok(view(&job)))
}

/// An id as this dialect writes it: without hyphens.
pub(super) fn spell(id: JobId) -> String {
    id.0.simple().to_string()
}

fn view(job: &JobView) -> Value {
    let is_failed = job.status == JobStatus::Failed;
    json!({
        "status": status(job.status),
        "entities": entities(&job.kind, &job.subject),
        "job_id": spell(job.id),
        "job_type": job_type(&job.kind),
        "begin_time": job.begun_at.format_utc_millis(),
        "end_time": job.ended_at.map(|at| at.format_utc_millis()),
        "error_code": is_failed.then(|| error_code(&job.kind)),
        "fail_reason": job.fail_reason.as_ref().filter(|_| is_failed),
    })
}

const fn status(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Waiting => "INIT",
        JobStatus::Running => "RUNNING",
        JobStatus::Succeeded => "SUCCESS",
        JobStatus::Failed => "FAIL",
    }
}

const fn job_type(kind: &JobKind) -> &'static str {
    match kind {
        JobKind::CreateBackup { .. } | JobKind::FreezeServer { .. } => "bksCreateBackup",
        JobKind::DeleteBackup { .. } => "bksDeleteBackup",
        JobKind::RestoreBackup { .. } => "bksRestoreBackup",
        JobKind::ImportBackup { .. } => "bksImportBackup",
        JobKind::CreateVolume { .. } => "createVolume",
        JobKind::DeleteVolume { .. } => "deleteVolume",
        JobKind::CreateSnapshot { .. } => "createSnapshot",
        JobKind::DeleteSnapshot { .. } => "deleteSnapshot",
        JobKind::DeleteVault { .. } => "deleteVault",
        JobKind::RemoveResources { .. } => "removeVaultResources",
    }
}

/// The code of a job that failed; why it failed is told in words.
const fn error_code(kind: &JobKind) -> &'static str {
    match kind {
        JobKind::DeleteBackup { .. } => "VolumeBackup.0100",
        JobKind::RestoreBackup { .. } => "VolumeBackup.0200",
        JobKind::CreateBackup { .. }
        | JobKind::FreezeServer { .. }
        | JobKind::ImportBackup { .. }
        | JobKind::CreateVolume { .. }
        | JobKind::DeleteVolume { .. }
        | JobKind::CreateSnapshot { .. }
        | JobKind::DeleteSnapshot { .. }
        | JobKind::DeleteVault { .. }
        | JobKind::RemoveResources { .. } => "VolumeBackup.0008",
    }
}

/// What the job is about. Every value is a text: Go clients cannot read anything else here.
fn entities(kind: &JobKind, subject: &Subject) -> Map<String, Value> {
    let is_creation = matches!(kind, JobKind::CreateBackup { .. });
    let Subject { backup_id, volume_id, snapshot_id, backup_name, .. } = subject;
    let pairs = [
        ("backup_id", backup_id.map(|id| id.to_string())),
        ("volume_id", volume_id.map(|id| id.to_string())),
        ("snapshot_id", snapshot_id.filter(|_| is_creation).map(|id| id.to_string())),
        ("bks_create_volume_name", backup_name.clone().filter(|_| is_creation)),
    ];
    let known = pairs.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into())));
    known.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_model::id::{BackupId, SnapshotId, VolumeId};
    use strongroom_model::time::Timestamp;

    fn job() -> JobView {
        let backup_id = BackupId::parse(&"b".repeat(32)).unwrap();
        JobView {
            id: JobId::parse("4010b39b5281d3590152874bfa3b1604").unwrap(),
            kind: JobKind::CreateBackup { backup_id },
            subject: Subject {
                project_id: None,
                backup_id: Some(backup_id),
                volume_id: VolumeId::parse(&"c".repeat(32)).ok(),
                snapshot_id: SnapshotId::parse(&"d".repeat(32)).ok(),
                backup_name: Some("nightly".to_owned()),
            },
            status: JobStatus::Succeeded,
            begun_at: Timestamp::parse("2016-01-28T16:14:09.466789Z").unwrap(),
            ended_at: Timestamp::parse("2016-01-28T16:25:27Z"),
            fail_reason: None,
        }
    }

    // T-18: a job's instants have three digits and a Z. T-21: its entities are texts, and the
    // backup is among them.
    #[test]
    fn t18_t21_a_finished_job_is_flat_and_its_entities_are_texts() {
        insta::assert_snapshot!(view(&job()), @r#"{"status":"SUCCESS","entities":{"backup_id":"bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb","volume_id":"cccccccc-cccc-cccc-cccc-cccccccccccc","snapshot_id":"dddddddd-dddd-dddd-dddd-dddddddddddd","bks_create_volume_name":"nightly"},"job_id":"4010b39b5281d3590152874bfa3b1604","job_type":"bksCreateBackup","begin_time":"2016-01-28T16:14:09.466Z","end_time":"2016-01-28T16:25:27.000Z","error_code":null,"fail_reason":null}"#);
    }

    #[test]
    fn each_failure_has_the_code_of_its_kind() {
        let (backup_id, volume_id) =
            (BackupId::parse(&"b".repeat(32)).unwrap(), VolumeId::parse(&"c".repeat(32)).unwrap());
        for (kind, code) in [
            (JobKind::CreateBackup { backup_id }, "VolumeBackup.0008"),
            (JobKind::DeleteBackup { backup_id }, "VolumeBackup.0100"),
            (JobKind::RestoreBackup { backup_id, volume_id }, "VolumeBackup.0200"),
        ] {
            let is_creation = matches!(kind, JobKind::CreateBackup { .. });
            let reason = Some("the store is full".to_owned());
            let failed = JobView { kind, status: JobStatus::Failed, fail_reason: reason, ..job() };
            let shown = view(&failed);
            assert_eq!((&shown["status"], &shown["error_code"]), (&json!("FAIL"), &json!(code)));
            assert_eq!(shown["fail_reason"], "the store is full");
            let count = shown["entities"].as_object().unwrap().len();
            assert_eq!(count, if is_creation { 4 } else { 2 });
        }
    }

    #[test]
    fn an_unfinished_job_has_no_end() {
        for (status, word) in [(JobStatus::Waiting, "INIT"), (JobStatus::Running, "RUNNING")] {
            let shown = view(&JobView { status, ended_at: None, ..job() });
            assert_eq!((&shown["status"], &shown["end_time"]), (&json!(word), &Value::Null));
        }
    }
}
