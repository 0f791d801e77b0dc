//! What a policy did, as the vendor shows it: operation P8.

use axum::http::StatusCode;
use serde_json::{Value, json};
use strongroom_model::id::TaskId;
use strongroom_model::page::{Direction, Start};
use strongroom_model::task::{Task, TaskFault, TaskStatus};
use strongroom_service::task::TaskListing;

use super::call::{Answer, Call};
use super::vendor_body::refuse;
use super::vendor_fault::NO_TASK;
use super::{jobs, paging};
use crate::fault::Fault;
use crate::query::Query;
use crate::reply::Reply;

/// The items of a page when nobody asks.
const DEFAULT_ITEMS: u32 = 20;

/// Each status by the name that it has here.
const STATUSES: [(&str, TaskStatus); 4] = [
    ("RUNNING", TaskStatus::Running),
    ("EXECUTE_SUCCESS", TaskStatus::Succeeded),
    ("EXECUTE_FAIL", TaskStatus::Failed),
    ("SKIP", TaskStatus::Skipped),
];

/// `GET /backuppolicy/ID/backuptasks` (P8). A status or an id that no task can have finds none.
pub(super) async fn list(call: &Call, policy: &str) -> Answer {
    let (listing, can_match) = read_listing(&call.query)?;
    let page = call.service.policy_tasks(&call.caller, policy, listing).await?;
    let tasks: Vec<_> = page.items.iter().filter(|_| can_match).map(view).collect();
    let count = page.total.filter(|_| can_match).unwrap_or_default();
    Ok(Reply::ok(json!({"tasks": tasks, "count": count})))
}

/// What a query asks for, and whether any task can be like that.
fn read_listing(query: &Query) -> Result<(TaskListing, bool), Fault> {
    let status = query.get("status").map(|word| STATUSES.iter().find(|(known, _)| *known == word));
    let id = query.get("job_id").map(|text| TaskId::parse(text).ok());
    let can_match = status != Some(None) && id != Some(None);
    if query.get("sort_key").is_some_and(|key| key != "created_at") {
        return Err(refuse("AutoBackup.0008", "'sort_key' must be created_at."));
    }
    let direction = match query.get("sort_dir") {
        None | Some("desc") => Direction::Desc,
        Some("asc") => Direction::Asc,
        Some(_) => return Err(refuse("AutoBackup.0008", "'sort_dir' must be asc or desc.")),
    };
    let limit = number(query, "limit", DEFAULT_ITEMS)?.min(paging::MAX_ITEMS);
    let offset = number(query, "offset", 0)?;
    let start = match query.get("marker") {
        None => Start::Offset(offset),
        Some(marker) => Start::After(TaskId::parse(marker).map_err(|_| no_marker(marker))?),
    };
    let statuses = status.flatten().map(|(_, status)| *status).into_iter().collect();
    let id = id.flatten();
    Ok((TaskListing { statuses, job_id: None, id, direction, start, limit }, can_match))
}

fn no_marker(marker: &str) -> Fault {
    let message = format!("Marker {marker} could not be found.");
    Fault::coded(StatusCode::NOT_FOUND, NO_TASK, message)
}

/// A whole number that is not negative.
fn number(query: &Query, key: &str, default: u32) -> Result<u32, Fault> {
    let Some(text) = query.get(key) else { return Ok(default) };
    let number = text.parse::<u32>().ok().filter(|number| i32::try_from(*number).is_ok());
    number.ok_or_else(|| {
        refuse("AutoBackup.0008", format!("'{key}' must be a whole number that is not negative."))
    })
}

/// A task. What is not known yet is left out.
fn view(task: &Task) -> Value {
    let mut shown = json!({
        "status": status(task.status),
        "job_id": task.id.to_string(),
        "created_at": task.created_at.format_naive_millis(),
        "backup_name": task.backup_name,
        "resource_id": task.volume_id.to_string(),
        "resource_type": "volume",
    });
    let more = [
        ("finished_at", task.finished_at.map(|at| at.format_naive_millis())),
        ("vbs_job_id", task.job_id.map(jobs::spell)),
        ("code", task.fault.map(|fault| code(fault).to_owned())),
        ("message", task.message.clone()),
    ];
    for (key, text) in more {
        if let Some(text) = text {
            shown[key] = text.into();
        }
    }
    shown
}

fn status(status: TaskStatus) -> &'static str {
    STATUSES.iter().find(|(_, known)| *known == status).map_or("", |(name, _)| name)
}

const fn code(fault: TaskFault) -> &'static str {
    match fault {
        TaskFault::Missed | TaskFault::BackupFailed => "AutoBackup.1700",
        TaskFault::VolumeGone => "AutoBackup.0208",
        TaskFault::VolumeState | TaskFault::Unfinished => "AutoBackup.0206",
        TaskFault::CountQuota | TaskFault::SizeQuota => "AutoBackup.0218",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_model::id::{JobId, PolicyId, RunId, VolumeId};
    use strongroom_model::time::Timestamp;

    fn read(query: &str) -> Result<(TaskListing, bool), Fault> {
        read_listing(&Query::parse(Some(query)).unwrap())
    }

    // T-18: a task's instants have three digits and no Z.
    #[test]
    fn t18_a_task_shows_what_is_known() {
        let at = |text| Timestamp::parse(text).unwrap();
        let mut task = Task {
            id: TaskId::parse(&"1".repeat(32)).unwrap(),
            run_id: RunId::parse(&"2".repeat(32)).unwrap(),
            policy_id: PolicyId::parse(&"3".repeat(32)).unwrap(),
            volume_id: VolumeId::parse(&"4".repeat(32)).unwrap(),
            due_at: at("2016-12-03T06:00:00Z"),
            status: TaskStatus::Running,
            backup_name: "autobk_1f2e".to_owned(),
            backup_id: None,
            job_id: JobId::parse(&"5".repeat(32)).ok(),
            fault: None,
            message: None,
            created_at: at("2016-12-03T06:24:34.467999Z"),
            finished_at: None,
        };
        insta::assert_snapshot!(view(&task), @r#"{"status":"RUNNING","job_id":"11111111-1111-1111-1111-111111111111","created_at":"2016-12-03T06:24:34.467","backup_name":"autobk_1f2e","resource_id":"44444444-4444-4444-4444-444444444444","resource_type":"volume","vbs_job_id":"55555555555555555555555555555555"}"#);
        task.job_id = None;
        task.status = TaskStatus::Failed;
        task.fault = Some(TaskFault::CountQuota);
        task.message = Some("no room".to_owned());
        task.finished_at = Some(at("2016-12-03T06:24:35Z"));
        insta::assert_snapshot!(view(&task), @r#"{"status":"EXECUTE_FAIL","job_id":"11111111-1111-1111-1111-111111111111","created_at":"2016-12-03T06:24:34.467","backup_name":"autobk_1f2e","resource_id":"44444444-4444-4444-4444-444444444444","resource_type":"volume","finished_at":"2016-12-03T06:24:35.000","code":"AutoBackup.0218","message":"no room"}"#);
    }

    #[test]
    fn every_status_has_a_name() {
        for one in TaskStatus::ALL {
            assert!(!status(one).is_empty());
        }
    }

    #[test]
    fn queries_are_read_and_bad_ones_refused() {
        let (plain, can_match) = read("").unwrap();
        assert!(can_match && plain.statuses.is_empty());
        assert_eq!(
            (plain.limit, plain.start, plain.direction),
            (20, Start::Offset(0), Direction::Desc)
        );
        let marker = "1".repeat(32);
        let query = format!("limit=5000&offset=3&sort_dir=asc&sort_key=created_at&marker={marker}");
        let (some, _) = read(&query).unwrap();
        assert_eq!((some.limit, some.direction), (1000, Direction::Asc));
        assert_eq!(some.start, Start::After(TaskId::parse(&marker).unwrap()));
        for nothing in ["status=WAITING", "status=x", "status=", "job_id=x", "job_id="] {
            assert!(!read(nothing).unwrap().1, "{nothing}");
        }
        assert_eq!(read("status=SKIP").unwrap().0.statuses, [TaskStatus::Skipped]);
        for bad in ["limit=", "limit=-1", "limit=1.5", "offset=x", "sort_dir=up", "sort_key=name"] {
            assert_eq!(read(bad).unwrap_err().code, Some("AutoBackup.0008"), "{bad}");
        }
        let fault = read("marker=x").unwrap_err();
        assert_eq!((fault.status, fault.code), (StatusCode::NOT_FOUND, Some("common.0011")));
    }
}
