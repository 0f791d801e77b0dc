//! Policies, their disks and their tasks, written and read back.

use std::slice;

use strongroom_catalog::{Error, TaskQuery};
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, JobId, PolicyId, RunId, TaskId, UserId, VolumeId};
use strongroom_model::page::{Direction, Start};
use strongroom_model::policy::{
    Days, KeptMonthly, KeptWeekly, KeptYearly, LongerKept, MonthDays, Picks, Policy, PolicyKind,
    PolicyOperation, Retention, Rule, Terms, TimeOfDay, Trigger, Weekday,
};
use strongroom_model::task::{Task, TaskFault, TaskStatus};
use strongroom_model::zone::Zone;

use crate::support::{Outcome, World, at, on_both, project};

on_both!(
    policies_are_kept_whole,
    due_policies_are_found_and_their_next_run_is_fenced,
    a_disk_belongs_to_one_policy,
    tasks_are_kept_whole,
    tasks_are_listed_page_by_page,
    a_task_ends_once_with_its_backup,
    what_may_have_expired_is_found,
);

pub(crate) fn policy(world: &World, owner: &str) -> Policy {
    let rules = vec![
        Rule {
            times: vec![TimeOfDay { hour: 23, minute: 59 }, TimeOfDay { hour: 0, minute: 1 }],
            days: Days::Weekdays(vec![Weekday::Sunday, Weekday::Friday]),
        },
        Rule { times: vec![TimeOfDay { hour: 1, minute: 0 }], days: Days::OfMonth { every: 30 } },
    ];
    let picks = Picks { daily: 1, weekly: 2, monthly: 3, yearly: u32::MAX };
    let (id, created_at) = (PolicyId::random(&world.chance), at(1));
    Policy {
        id,
        project_id: project(owner),
        user_id: UserId::parse("ann").unwrap(),
        name: "nightly \"Ä\"".to_owned(),
        is_enabled: true,
        trigger: Trigger { zone: Zone::parse("Europe/Berlin").unwrap(), rules },
        retention: Retention {
            count: Some(7),
            days: None,
            keeps_first_of_month: true,
            picks,
            longer: LongerKept {
                weekly: Some(KeptWeekly { days: vec![Weekday::Monday], weeks: 5200 }),
                monthly: Some(KeptMonthly { on: MonthDays::Dates(vec![-1, 28]), months: 1200 }),
                yearly: Some(KeptYearly {
                    in_months: vec![1, 12],
                    on: MonthDays::Weekdays { weeks: vec![1, -1], days: vec![Weekday::Friday] },
                    years: 100,
                }),
            },
            zone: Zone::parse("UTC-03:30").unwrap(),
        },
        next_run_at: Some(at(50)),
        created_at,
        updated_at: None,
        operation: PolicyOperation::Backup,
        kind: PolicyKind::Custom,
        terms: Terms::unsaid(id, created_at),
    }
}

pub(crate) async fn insert(world: &World, policies: &[&Policy]) {
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            for policy in policies {
                tx.policies().insert(policy).await?;
            }
            Outcome::Ok(())
        })
    });
    work.await.unwrap();
}

async fn policies_are_kept_whole(world: &World) {
    let first = &policy(world, "p");
    let changed = &Policy {
        name: String::new(),
        is_enabled: false,
        trigger: Trigger { zone: Zone::utc(), rules: vec![] },
        retention: Retention::for_ever(),
        next_run_at: None,
        updated_at: Some(at(9)),
        ..first.clone()
    };
    let second = &Policy { created_at: at(0), ..policy(world, "p") };
    insert(world, &[first, second]).await;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            assert_eq!(tx.policies().find(&project("p"), first.id).await?.as_ref(), Some(first));
            assert_eq!(tx.policies().find(&project("q"), first.id).await?, None);
            assert_eq!(tx.policies().list(&project("p")).await?, [second.clone(), first.clone()]);
            assert_eq!(tx.policies().list(&project("q")).await?, []);
            assert!(tx.policies().update(changed).await?);
            assert_eq!(tx.policies().find_any(first.id).await?.as_ref(), Some(changed));
            assert_eq!(tx.policies().list_enabled().await?, slice::from_ref(second));
            assert!(tx.policies().delete(first.id).await?);
            tx.policies().delete(first.id).await
        })
    });
    assert!(!work.await.unwrap());
}

async fn due_policies_are_found_and_their_next_run_is_fenced(world: &World) {
    let first = &policy(world, "p");
    let later = &Policy { next_run_at: Some(at(60)), ..policy(world, "q") };
    let off = &Policy { next_run_at: None, ..policy(world, "q") };
    insert(world, &[later, first, off]).await;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            assert_eq!(tx.policies().next_run_at().await?, Some(at(50)));
            assert_eq!(tx.policies().list_due(at(49)).await?, []);
            assert_eq!(tx.policies().list_due(at(50)).await?, slice::from_ref(first));
            assert_eq!(tx.policies().list_due(at(60)).await?, [first.clone(), later.clone()]);
            assert!(!tx.policies().set_next_run(first.id, at(49), None).await?);
            assert!(tx.policies().set_next_run(first.id, at(50), Some(at(99))).await?);
            assert!(!tx.policies().set_next_run(first.id, at(50), Some(at(99))).await?);
            assert_eq!(tx.policies().next_run_at().await?, Some(at(60)));
            assert!(tx.policies().set_next_run(first.id, at(99), None).await?);
            assert!(tx.policies().set_next_run(later.id, at(60), None).await?);
            tx.policies().next_run_at().await
        })
    });
    assert_eq!(work.await.unwrap(), None);
}

async fn a_disk_belongs_to_one_policy(world: &World) {
    let (first, second) = (&policy(world, "p"), &policy(world, "p"));
    insert(world, &[first, second]).await;
    let disks = [(); 3].map(|()| world.volume("p"));
    world.insert_volumes(&disks).await;
    let disks = disks.map(|disk| disk.id);
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let mut policies = tx.policies();
            for (n, disk) in (0_i64..).zip(disks) {
                policies.bind(first.id, disk, at(9 - n)).await?;
            }
            assert_eq!(policies.volumes(first.id).await?, [disks[2], disks[1], disks[0]]);
            policies.bind(second.id, disks[1], at(20)).await?;
            assert_eq!(policies.volumes(first.id).await?, [disks[2], disks[0]]);
            assert_eq!(policies.volumes(second.id).await?, [disks[1]]);
            assert_eq!(policies.count_volumes(first.id).await?, 2);
            assert!(policies.is_bound(second.id, disks[1]).await?);
            assert!(!policies.is_bound(first.id, disks[1]).await?);
            assert!(!policies.release(first.id, disks[1]).await?);
            assert!(policies.release(first.id, disks[0]).await?);
            // The bindings go with the policy.
            policies.delete(first.id).await?;
            assert_eq!(policies.count_volumes(first.id).await?, 0);
            assert_eq!(policies.volumes(second.id).await?, [disks[1]]);
            assert_eq!(policies.count_volumes(second.id).await?, 1);
            // What no longer exists does not count but stays bound, and is left out once noted.
            assert!(tx.volumes().delete(disks[1]).await?);
            let mut policies = tx.policies();
            assert_eq!(policies.count_volumes(second.id).await?, 0);
            assert_eq!(policies.volumes(second.id).await?, [disks[1]]);
            policies.note_gone(second.id, disks[1], at(30)).await?;
            assert_eq!(policies.volumes(second.id).await?, []);
            assert!(policies.is_bound(second.id, disks[1]).await?);
            policies.all_volumes(second.id).await
        })
    });
    assert_eq!(work.await.unwrap(), [disks[1]]);
    let unknown = PolicyId::random(&world.chance);
    let work = world
        .catalog
        .transact(|tx| Box::pin(async move { tx.policies().bind(unknown, disks[0], at(0)).await }));
    assert!(matches!(work.await, Err(Error::Reference { .. })));
}

fn task(world: &World, policy_id: PolicyId, created_at: i64) -> Task {
    Task {
        id: TaskId::random(&world.chance),
        run_id: RunId::random(&world.chance),
        policy_id,
        volume_id: VolumeId::random(&world.chance),
        due_at: at(5),
        status: TaskStatus::Running,
        backup_name: "autobk_00ff".to_owned(),
        backup_id: Some(BackupId::random(&world.chance)),
        job_id: Some(JobId::random(&world.chance)),
        fault: None,
        message: None,
        created_at: at(created_at),
        finished_at: None,
    }
}

fn query(policy_id: PolicyId) -> TaskQuery {
    TaskQuery {
        policy_id,
        statuses: vec![],
        job_id: None,
        id: None,
        direction: Direction::Desc,
        start: Start::Offset(0),
        limit: 1000,
    }
}

async fn tasks_are_kept_whole(world: &World) {
    let (id, other) = (PolicyId::random(&world.chance), PolicyId::random(&world.chance));
    let mut all = vec![task(world, id, 1)];
    for (n, fault) in (2_i64..).zip(TaskFault::ALL) {
        all.push(Task {
            status: TaskStatus::Skipped,
            backup_id: None,
            job_id: None,
            fault: Some(fault),
            message: Some("it's so".to_owned()),
            finished_at: Some(at(n)),
            ..task(world, id, n)
        });
    }
    // More than one statement takes.
    all.extend((100..300).map(|n| task(world, id, n)));
    let all = &all;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            tx.tasks().insert(&all[0]).await?;
            tx.tasks().insert_all(&all[1..]).await?;
            tx.tasks().insert_all(&[]).await?;
            assert_eq!(tx.tasks().find(id, all[1].id).await?.as_ref(), Some(&all[1]));
            assert_eq!(tx.tasks().find(other, all[1].id).await?, None);
            let listed = tx.tasks().list(&query(id)).await?;
            assert!(listed.items.iter().eq(all.iter().rev()));
            assert_eq!(tx.tasks().purge_finished(at(4)).await?, 2);
            assert_eq!(tx.tasks().find(id, all[1].id).await?, None);
            tx.tasks().purge_finished(at(4)).await
        })
    });
    assert_eq!(work.await.unwrap(), 0);
}

async fn tasks_are_listed_page_by_page(world: &World) {
    let (id, other) = (PolicyId::random(&world.chance), PolicyId::random(&world.chance));
    let mut all: Vec<_> = (0..7).map(|n| task(world, id, n / 3)).collect();
    all[2].status = TaskStatus::Failed;
    all[4].status = TaskStatus::Skipped;
    all.sort_by_key(|task| (task.created_at, task.id.to_string()));
    let foreign = task(world, other, 1);
    let (all, foreign) = (&all, &foreign);
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            tx.tasks().insert_all(all).await?;
            tx.tasks().insert(foreign).await?;
            let page = tx.tasks().list(&TaskQuery { limit: 3, ..query(id) }).await?;
            assert_eq!((page.items.len(), page.total), (3, Some(7)));
            assert!(page.items.iter().eq(all.iter().rev().take(3)));
            let after = Start::After(page.items[2].id);
            let page = tx.tasks().list(&TaskQuery { start: after, ..query(id) }).await?;
            assert!(page.items.iter().eq(all.iter().rev().skip(3)));
            assert_eq!(page.total, Some(7));
            let asc = TaskQuery { direction: Direction::Asc, start: Start::Offset(2), ..query(id) };
            let page = tx.tasks().list(&asc).await?;
            assert!(page.items.iter().eq(all.iter().skip(2)));
            let ended = vec![TaskStatus::Failed, TaskStatus::Skipped];
            let page = tx.tasks().list(&TaskQuery { statuses: ended, ..query(id) }).await?;
            assert_eq!((page.items.len(), page.total), (2, Some(2)));
            let of_job = TaskQuery { job_id: all[3].job_id, ..query(id) };
            assert_eq!(tx.tasks().list(&of_job).await?.items, [all[3].clone()]);
            let of_id = TaskQuery { id: Some(all[3].id), ..query(id) };
            assert_eq!(tx.tasks().list(&of_id).await?.items, [all[3].clone()]);
            let foreign = TaskQuery { id: Some(foreign.id), ..query(id) };
            Outcome::Ok(tx.tasks().list(&foreign).await?.items)
        })
    });
    assert_eq!(work.await.unwrap(), []);
}

async fn a_task_ends_once_with_its_backup(world: &World) {
    let id = PolicyId::random(&world.chance);
    let (well, badly) = (&task(world, id, 1), &task(world, id, 2));
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let mut tasks = tx.tasks();
            assert!(!tasks.is_any_running(id).await?);
            tasks.insert_all(&[well.clone(), badly.clone()]).await?;
            assert!(tasks.finish_of(well.backup_id.unwrap(), at(8), None).await?);
            assert!(tasks.is_any_running(id).await?);
            let fault = Some((TaskFault::BackupFailed, "no space"));
            assert!(!tasks.finish_of(well.backup_id.unwrap(), at(9), fault).await?);
            assert!(tasks.finish_of(badly.backup_id.unwrap(), at(9), fault).await?);
            assert!(!tasks.is_any_running(id).await?);
            let expected =
                Task { status: TaskStatus::Succeeded, finished_at: Some(at(8)), ..well.clone() };
            assert_eq!(tasks.find(id, well.id).await?, Some(expected));
            let expected = Task {
                status: TaskStatus::Failed,
                fault: Some(TaskFault::BackupFailed),
                message: Some("no space".to_owned()),
                finished_at: Some(at(9)),
                ..badly.clone()
            };
            assert_eq!(tasks.find(id, badly.id).await?, Some(expected));
            tasks.purge_finished(at(9)).await
        })
    });
    assert_eq!(work.await.unwrap(), 1);
}

async fn what_may_have_expired_is_found(world: &World) {
    let vault = world.vault("p").await;
    let [past, failed, rest] = [(); 3].map(|()| PolicyId::random(&world.chance));
    let dated =
        |policy_id, expires_at| Backup { policy_id, expires_at, ..world.backup("p", vault) };
    let due = dated(Some(past), Some(at(10)));
    let twin = Backup { volume_id: due.volume_id, ..dated(Some(past), Some(at(9))) };
    let stuck = Backup { status: BackupStatus::ErrorDeleting, ..dated(Some(failed), None) };
    let by_hand = Backup { status: BackupStatus::ErrorDeleting, ..dated(None, Some(at(1))) };
    let backups = [due, twin, stuck, by_hand, dated(Some(rest), Some(at(11))), dated(None, None)];
    world.insert_backups(&backups).await;
    let work =
        world.catalog.transact(|tx| Box::pin(async move { tx.backups().to_expire(at(10)).await }));
    let mut found = work.await.unwrap();
    found.sort_unstable();
    let mut expected = [(past, backups[0].volume_id), (failed, backups[2].volume_id)];
    expected.sort_unstable();
    assert_eq!(found, expected);
}
