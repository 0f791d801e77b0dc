//! Runs of policies: when they begin, what hinders a disk, how tasks end, what is missed.

use std::slice;
use std::time::Duration;

use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{JobId, TaskId};
use strongroom_model::identity::Role;
use strongroom_model::page::{Direction, Start};
use strongroom_model::policy::{Policy, Retention};
use strongroom_model::quota::Resource;
use strongroom_model::tag::{Tagged, Tags};
use strongroom_model::task::{Task, TaskFault, TaskStatus};
use strongroom_model::volume::VolumeStatus;
use strongroom_service::backup::BackupListing;
use strongroom_service::policy::{NewPolicy, PolicyChange};
use strongroom_service::task::TaskListing;
use strongroom_service::volume::VolumeDeletion;
use strongroom_service::{Caller, Error, Settings};

use tokio_util::sync::CancellationToken;

use super::policies::{UNKNOWN, daily, new_policy};
use super::world::{World, new_backup};

pub(crate) fn listing() -> TaskListing {
    TaskListing {
        statuses: vec![],
        job_id: None,
        id: None,
        direction: Direction::Asc,
        start: Start::Offset(0),
        limit: 1000,
    }
}

impl World {
    pub(crate) async fn tasks(&self, caller: &Caller, policy: &Policy) -> Vec<Task> {
        let page = self.service.policy_tasks(caller, &policy.id.to_string(), listing()).await;
        let page = page.unwrap();
        assert_eq!(page.total, Some(page.items.len() as u64));
        page.items
    }

    /// Every backup of the caller's project, oldest first.
    pub(crate) async fn backups(&self, caller: &Caller) -> Vec<Backup> {
        let listing = BackupListing { limit: 1000, ..BackupListing::default() };
        let mut all = self.service.backups(caller, listing).await.unwrap().items;
        all.reverse();
        all
    }

    /// The backup of a run by hand of a policy with one disk.
    async fn backup_of_policy(&self, policy: &Policy) -> Backup {
        self.service.execute_policy(&self.admin, &policy.id.to_string()).await.unwrap();
        self.work().await;
        self.backups(&self.admin).await.pop().unwrap()
    }

    pub(crate) async fn run_due(&self) -> usize {
        self.service.run_due_policies().await.unwrap()
    }
}

fn ends(tasks: &[Task]) -> Vec<(TaskStatus, Option<TaskFault>)> {
    tasks.iter().map(|task| (task.status, task.fault)).collect()
}

#[tokio::test]
async fn a_run_makes_a_named_and_tagged_backup_of_each_disk() {
    let w = World::new().await;
    let (a, b) = (w.written_volume(&w.admin, "a").await, w.written_volume(&w.admin, "b").await);
    w.service.attach_volume(&w.admin, &b.id.to_string(), true).await.unwrap();
    let tags = Tags::from([("tier".to_owned(), "gold".to_owned())]);
    let retention = Retention { days: Some(3), ..Retention::for_ever() };
    let new = NewPolicy { tags: tags.clone(), retention, ..new_policy(daily(&[3])) };
    let policy = w.policy(&w.admin, new, &[&a, &b]).await;
    w.at("2023-11-15T02:59:59Z");
    assert_eq!(w.run_due().await, 0);
    w.at("2023-11-15T03:00:00Z");
    assert_eq!(w.run_due().await, 1);
    assert_eq!(w.run_due().await, 0);
    let running = w.tasks(&w.admin, &policy).await;
    assert_eq!(ends(&running), [(TaskStatus::Running, None); 2]);
    assert_eq!(running[0].run_id, running[1].run_id);
    w.work().await;
    let tasks = w.tasks(&w.admin, &policy).await;
    assert_eq!(ends(&tasks), [(TaskStatus::Succeeded, None); 2]);
    for task in &tasks {
        assert_eq!(task.due_at.format_rfc3339(), "2023-11-15T03:00:00Z");
        let id = task.backup_id.unwrap().to_string();
        let backup = w.service.backup(&w.admin, &id).await.unwrap();
        assert_eq!(backup.status, BackupStatus::Available);
        assert_eq!(backup.name.as_ref(), Some(&task.backup_name));
        let hex = task.backup_name.strip_prefix("autobk_").unwrap();
        assert!(hex.len() == 4 && hex.bytes().all(|b| b.is_ascii_hexdigit()), "{hex}");
        assert_eq!((backup.policy_id, backup.volume_id), (Some(policy.id), task.volume_id));
        assert_eq!(backup.expires_at.unwrap().format_rfc3339(), "2023-11-18T03:00:00Z");
        assert_eq!(w.service.tags(&w.admin, Tagged::Backup, &id).await.unwrap(), tags);
        let by_job = TaskListing { job_id: task.job_id, ..listing() };
        let found = w.service.policy_tasks(&w.admin, &policy.id.to_string(), by_job).await;
        assert_eq!(found.unwrap().items, slice::from_ref(task));
    }
    assert_eq!(w.show_volume(&w.admin, &b).await.status, VolumeStatus::InUse);
    let next = w.service.policy(&w.admin, &policy.id.to_string()).await.unwrap().policy;
    assert_eq!(next.next_run_at.unwrap().format_rfc3339(), "2023-11-16T03:00:00Z");
}

#[tokio::test]
async fn what_hinders_one_disk_hinders_no_other() {
    let w = World::new().await;
    let gone = w.volume(&w.admin).await;
    let broken = w.volume(&w.admin).await;
    let busy = w.volume(&w.admin).await;
    let fine = w.volume(&w.admin).await;
    let all = [&gone, &broken, &busy, &fine];
    let policy = w.policy(&w.admin, new_policy(daily(&[3])), &all).await;
    let deletion = VolumeDeletion::default();
    w.service.delete_volume(&w.admin, &gone.id.to_string(), deletion).await.unwrap();
    w.work().await;
    let reset = VolumeStatus::Error;
    w.service.reset_volume(&w.admin, &broken.id.to_string(), reset).await.unwrap();
    w.service.create_backup(&w.admin, new_backup(&busy)).await.unwrap();
    w.at("2023-11-15T03:00:00Z");
    assert_eq!(w.run_due().await, 1);
    let fault_of = |tasks: &[Task], id| {
        let task = tasks.iter().find(|task| task.volume_id == id).unwrap().clone();
        assert_eq!(task.fault.is_some(), task.message.is_some());
        assert_eq!(task.status == TaskStatus::Running, task.finished_at.is_none());
        (task.status, task.fault)
    };
    let tasks = w.tasks(&w.admin, &policy).await;
    assert_eq!(tasks.len(), 4);
    let skipped = |fault| (TaskStatus::Skipped, Some(fault));
    assert_eq!(fault_of(&tasks, gone.id), skipped(TaskFault::VolumeGone));
    assert_eq!(fault_of(&tasks, busy.id), skipped(TaskFault::Unfinished));
    let failed = (TaskStatus::Failed, Some(TaskFault::VolumeState));
    assert_eq!(fault_of(&tasks, broken.id), failed);
    w.work().await;
    let tasks = w.tasks(&w.admin, &policy).await;
    assert_eq!(fault_of(&tasks, fine.id), (TaskStatus::Succeeded, None));
    // That a disk is gone is told once, whether later runs begin or are missed.
    w.at("2023-11-17T03:00:00Z");
    assert_eq!(w.run_due().await, 1);
    w.work().await;
    let tasks = w.tasks(&w.admin, &policy).await;
    assert_eq!(tasks.iter().filter(|task| task.volume_id == gone.id).count(), 1);
    assert_eq!(tasks.len(), 10);
}

#[tokio::test]
async fn a_quota_stops_the_disk_that_would_exceed_it() {
    let w = World::new().await;
    let member = w.project("alpha", Role::Member).await;
    let disks = [w.volume(&member).await, w.volume(&member).await];
    let all: Vec<_> = disks.iter().collect();
    let policy = w.policy(&member, new_policy(daily(&[3, 4])), &all).await;
    let limit = |resource, n| {
        let (service, admin, project) =
            (w.service.clone(), w.admin.clone(), policy.project_id.clone());
        async move { service.set_quotas(&admin, &project, &[(resource, n)]).await.unwrap() }
    };
    limit(Resource::Backups, 1).await;
    w.at("2023-11-15T03:00:00Z");
    w.run_due().await;
    w.work().await;
    limit(Resource::Backups, 100).await;
    limit(Resource::BackupGigabytes, 2).await;
    w.at("2023-11-15T04:00:00Z");
    w.run_due().await;
    w.work().await;
    let mut ends = ends(&w.tasks(&member, &policy).await);
    ends.sort_by_key(|(_, fault)| fault.map(TaskFault::as_str));
    let failed = |fault| (TaskStatus::Failed, Some(fault));
    let well = (TaskStatus::Succeeded, None);
    let (count, size) = (failed(TaskFault::CountQuota), failed(TaskFault::SizeQuota));
    assert_eq!(ends, [well, well, count, size]);
    for disk in &disks {
        // What was refused left no mark.
        assert_eq!(w.show_volume(&member, disk).await.status, VolumeStatus::Available);
    }
}

#[tokio::test]
async fn a_task_ends_with_its_backup_however_that_ends() {
    let settings = Settings { attempts_max: 1, ..Settings::default() };
    let w = World::with(settings).await;
    let volume = w.written_volume(&w.admin, "x").await;
    let policy = w.policy(&w.admin, new_policy(daily(&[3])), &[&volume]).await;
    let id = policy.id.to_string();
    let run = || w.service.execute_policy(&w.admin, &id);
    let last = || async { w.tasks(&w.admin, &policy).await.pop().unwrap() };
    let mut finished = Vec::new();
    for reset in [false, true] {
        run().await.unwrap();
        let running = last().await;
        assert!(matches!(run().await, Err(Error::PolicyRunning(found)) if found == policy.id));
        let backup = running.backup_id.unwrap().to_string();
        if reset {
            w.service.reset_backup(&w.admin, &backup, BackupStatus::Error).await.unwrap();
        } else {
            w.service.delete_backup(&w.admin, &backup, true).await.unwrap();
        }
        let ended = last().await;
        assert_eq!(
            ends(slice::from_ref(&ended)),
            [(TaskStatus::Failed, Some(TaskFault::BackupFailed))]
        );
        w.clock.advance(Duration::from_secs(60));
        w.work().await;
        assert_eq!(last().await, ended);
        finished.push(ended);
        w.clock.advance(Duration::from_secs(60));
        w.work().await;
    }
    let (store, aside) = (w.dir.path().join("store"), w.dir.path().join("aside"));
    // The vault exists since its first backup; without its folder the job is given up.
    run().await.unwrap();
    w.work().await;
    assert_eq!(last().await.status, TaskStatus::Succeeded);
    w.clock.advance(Duration::from_secs(60));
    std::fs::rename(&store, &aside).unwrap();
    run().await.unwrap();
    w.work().await;
    let ended = last().await;
    assert_eq!(ended.fault, Some(TaskFault::BackupFailed));
    let failed = w.service.backup(&w.admin, &ended.backup_id.unwrap().to_string()).await.unwrap();
    assert_eq!((failed.status, failed.fail_reason), (BackupStatus::Error, ended.message));
}

#[tokio::test]
async fn a_policy_is_run_by_hand_when_disabled_and_without_disks() {
    let w = World::new().await;
    let new = NewPolicy { is_enabled: false, ..new_policy(daily(&[3])) };
    let policy = w.policy(&w.admin, new, &[]).await;
    let id = policy.id.to_string();
    assert_eq!(policy.next_run_at, None);
    w.service.execute_policy(&w.admin, &id).await.unwrap();
    w.service.execute_policy(&w.admin, &id).await.unwrap();
    assert!(w.tasks(&w.admin, &policy).await.is_empty());
    let volume = w.volume(&w.admin).await;
    w.bind(&w.admin, &policy, &[&volume]).await;
    w.service.execute_policy(&w.admin, &id).await.unwrap();
    w.work().await;
    let tasks = w.tasks(&w.admin, &policy).await;
    assert_eq!(ends(&tasks), [(TaskStatus::Succeeded, None)]);
    assert_eq!(tasks[0].due_at, w.service.now());
    w.at("2023-11-18T00:00:00Z");
    assert_eq!(w.run_due().await, 0);
    assert_eq!(w.tasks(&w.admin, &policy).await.len(), 1);
}

#[tokio::test]
async fn the_latest_missed_run_is_made_up_once_and_the_others_are_noted() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let policy = w.policy(&w.admin, new_policy(daily(&[3])), &[&volume]).await;
    w.at("2023-11-18T12:00:00Z");
    let w = w.restart().await;
    assert_eq!(w.run_due().await, 1);
    assert_eq!(w.run_due().await, 0);
    w.work().await;
    let mut tasks = w.tasks(&w.admin, &policy).await;
    tasks.sort_by_key(|task| task.due_at);
    let days: Vec<_> = tasks.iter().map(|task| task.due_at.format_rfc3339()).collect();
    let expected = ["15", "16", "17", "18"].map(|day| format!("2023-11-{day}T03:00:00Z"));
    assert_eq!(days, expected);
    let missed = (TaskStatus::Skipped, Some(TaskFault::Missed));
    assert_eq!(ends(&tasks), [missed, missed, missed, (TaskStatus::Succeeded, None)]);
    assert_eq!(w.backups(&w.admin).await.len(), 1);
    w.at("2023-11-19T03:00:00Z");
    assert_eq!(w.run_due().await, 1);
    w.work().await;
    // A hundred days later one is made up for, and the last thirty are told one by one.
    w.at("2024-02-27T12:00:00Z");
    assert_eq!(w.run_due().await, 1);
    w.work().await;
    let tasks = w.tasks(&w.admin, &policy).await;
    let noted: Vec<_> = tasks.iter().filter(|task| task.fault.is_some()).skip(3).collect();
    assert_eq!(noted.len(), 29);
    let told: Vec<_> = noted.iter().filter_map(|task| task.message.as_ref()).collect();
    assert_eq!(told.iter().filter(|text| text.contains("nor were 70 more before")).count(), 1);
    assert_eq!(w.backups(&w.admin).await.len(), 3);
    // Tasks are kept for thirty days.
    w.clock.advance(Duration::from_secs(31 * 24 * 3600));
    w.service.tend(&Default::default()).await.unwrap();
    assert!(w.tasks(&w.admin, &policy).await.is_empty());
}

#[tokio::test]
async fn two_nodes_never_begin_the_same_run() {
    let w = World::new().await;
    let (a, b) = (w.volume(&w.admin).await, w.volume(&w.admin).await);
    let policy = w.policy(&w.admin, new_policy(daily(&[3, 4, 5, 6])), &[&a, &b]).await;
    let other = w.twin().await;
    for hour in 3..=6_u8 {
        w.at(&format!("2023-11-15T{hour:02}:00:00Z"));
        let mut nodes = tokio::task::JoinSet::new();
        for n in 0..6 {
            let node = if n % 2 == 0 { w.service.clone() } else { other.clone() };
            nodes.spawn(async move { node.run_due_policies().await.unwrap() });
        }
        assert_eq!(nodes.join_all().await.into_iter().sum::<usize>(), 1);
        w.work().await;
    }
    let tasks = w.tasks(&w.admin, &policy).await;
    assert_eq!(ends(&tasks), [(TaskStatus::Succeeded, None); 8]);
    assert_eq!(w.backups(&w.admin).await.len(), 8);
}

#[tokio::test]
async fn a_changed_policy_reckons_from_now_and_hides_nothing() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let policy = w.policy(&w.admin, new_policy(daily(&[3])), &[&volume]).await;
    let id = policy.id.to_string();
    w.at("2023-11-16T05:00:00Z");
    let named = PolicyChange { name: Some("n".to_owned()), ..PolicyChange::default() };
    let named = w.service.update_policy(&w.admin, &id, named).await.unwrap();
    assert_eq!(named.next_run_at, policy.next_run_at);
    let changed = PolicyChange { trigger: Some(daily(&[4])), ..PolicyChange::default() };
    let changed = w.service.update_policy(&w.admin, &id, changed).await.unwrap();
    assert_eq!(changed.next_run_at.unwrap().format_rfc3339(), "2023-11-17T04:00:00Z");
    assert_eq!(w.run_due().await, 0);
    let missed = (TaskStatus::Skipped, Some(TaskFault::Missed));
    assert_eq!(ends(&w.tasks(&w.admin, &policy).await), [missed, missed]);
    let switch = |on| PolicyChange { is_enabled: Some(on), ..PolicyChange::default() };
    w.service.update_policy(&w.admin, &id, switch(false)).await.unwrap();
    w.at("2023-11-20T05:00:00Z");
    assert_eq!(w.run_due().await, 0);
    let on = w.service.update_policy(&w.admin, &id, switch(true)).await.unwrap();
    assert_eq!(on.next_run_at.unwrap().format_rfc3339(), "2023-11-21T04:00:00Z");
    assert_eq!(w.tasks(&w.admin, &policy).await.len(), 2);
}

#[tokio::test]
async fn a_run_survives_a_crash_and_a_removed_policy() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let policy = w.policy(&w.admin, new_policy(daily(&[3])), &[&volume]).await;
    w.at("2023-11-15T03:00:00Z");
    w.run_due().await;
    let w = w.restart().await;
    assert_eq!(w.run_due().await, 0);
    w.service.release_claims().await.unwrap();
    w.work().await;
    let tasks = w.tasks(&w.admin, &policy).await;
    assert_eq!(ends(&tasks), [(TaskStatus::Succeeded, None)]);
    w.at("2023-11-16T03:00:00Z");
    w.run_due().await;
    w.service.delete_policy(&w.admin, &policy.id.to_string()).await.unwrap();
    w.work().await;
    let statuses: Vec<_> = w.backups(&w.admin).await.iter().map(|b| b.status).collect();
    assert_eq!(statuses, [BackupStatus::Available; 2]);
    w.at("2023-11-19T03:00:00Z");
    assert_eq!((w.run_due().await, w.service.expire_backups().await.unwrap()), (0, 0));
}

#[tokio::test]
async fn a_page_of_tasks_begins_after_one_of_the_same_policy() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let policy = w.policy(&w.admin, new_policy(daily(&[3])), &[&volume]).await;
    let other = w.policy(&w.admin, new_policy(daily(&[3])), &[]).await;
    let id = policy.id.to_string();
    for _ in 0..3 {
        w.service.execute_policy(&w.admin, &id).await.unwrap();
        w.work().await;
        w.clock.advance(Duration::from_secs(1));
    }
    let all = w.tasks(&w.admin, &policy).await;
    let after = |marker| TaskListing { start: Start::After(marker), limit: 1, ..listing() };
    let page = w.service.policy_tasks(&w.admin, &id, after(all[0].id)).await.unwrap();
    assert_eq!((page.items.as_slice(), page.total), (&all[1..2], Some(3)));
    let unknown = TaskId::parse(UNKNOWN).unwrap();
    for (policy, marker) in [(&policy, unknown), (&other, all[0].id)] {
        let refused = w.service.policy_tasks(&w.admin, &policy.id.to_string(), after(marker)).await;
        assert!(matches!(refused, Err(Error::MarkerNotFound(_))));
    }
    let none = TaskListing { job_id: Some(JobId::parse(UNKNOWN).unwrap()), ..listing() };
    assert_eq!(w.service.policy_tasks(&w.admin, &id, none).await.unwrap().total, Some(0));
}

#[tokio::test]
async fn a_service_at_work_runs_its_policies_by_itself() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let retention = Retention { count: Some(1), ..Retention::for_ever() };
    let new = NewPolicy { retention, ..new_policy(daily(&[3])) };
    let policy = w.policy(&w.admin, new, &[&volume]).await;
    let first = w.backup_of_policy(&policy).await;
    w.at("2023-11-15T03:00:00Z");
    let stop = CancellationToken::new();
    let working = tokio::spawn(w.service.clone().run_jobs(stop.clone()));
    let is_over = async {
        let left = [BackupStatus::Available];
        loop {
            let backups = w.backups(&w.admin).await;
            let is_replaced = backups.iter().all(|backup| backup.id != first.id);
            if is_replaced && backups.iter().map(|b| b.status).eq(left) {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), is_over).await.unwrap();
    stop.cancel();
    working.await.unwrap();
    let ends = ends(&w.tasks(&w.admin, &policy).await);
    assert_eq!(ends, [(TaskStatus::Succeeded, None); 2]);
}
