//! Claims, leases, fences and what remains of finished jobs.

use strongroom_catalog::{JobCounts, JobState};
use strongroom_model::id::BackupId;
use strongroom_model::job::{Job, JobKind};

use crate::support::{World, at, on_both};

on_both!(
    the_job_due_for_longest_is_claimed,
    a_job_from_the_future_does_not_wait_for_it,
    a_lost_lease_is_fenced_off,
    a_postponed_job_keeps_its_attempts_and_session,
    finished_jobs_stay_until_purged,
    unfinished_jobs_are_found_by_what_they_do,
);

async fn the_job_due_for_longest_is_claimed(world: &World) {
    let jobs = [world.job(30), world.job(10), world.job(20)];
    world.enqueue(&jobs).await;
    let wanted = (jobs[1].id, jobs[2].id);
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            assert_eq!(tx.jobs().claim("w", at(9), at(99)).await?, None);
            let first = tx.jobs().claim("w", at(25), at(99)).await?.unwrap();
            assert_eq!((first.job.id, first.job.attempt), (wanted.0, 1));
            assert_eq!(first.job.worker.as_deref(), Some("w"));
            assert_eq!(first.job.lease_until, Some(at(99)));
            let second = tx.jobs().claim("w", at(25), at(99)).await?.unwrap();
            assert_eq!(second.job.id, wanted.1);
            assert_eq!(tx.jobs().claim("w", at(25), at(99)).await?, None);
            tx.jobs().list_unfinished().await
        })
    });
    let unfinished: Vec<_> = work.await.unwrap().iter().map(|job| job.id).collect();
    assert_eq!(unfinished, [jobs[1].id, jobs[2].id, jobs[0].id]);
}

async fn a_job_from_the_future_does_not_wait_for_it(world: &World) {
    let job = Job { created_at: at(500), ..world.job(500) };
    world.enqueue(std::slice::from_ref(&job)).await;
    let work = world
        .catalog
        .transact(|tx| Box::pin(async move { tx.jobs().claim("w", at(100), at(200)).await }));
    assert_eq!(work.await.unwrap().unwrap().job.id, job.id);
}

async fn a_lost_lease_is_fenced_off(world: &World) {
    world.enqueue(&[world.job(0)]).await;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let mut jobs = tx.jobs();
            let old = jobs.claim("w1", at(1), at(10)).await?.unwrap();
            assert!(jobs.set_session(&old, "store-session-1").await?);
            assert!(jobs.renew(&old, at(20)).await?);
            assert_eq!(jobs.claim("w2", at(19), at(30)).await?, None);
            // Run out, but nobody took it over: the work may still be finished.
            assert!(jobs.holds(&old).await?);
            let new = jobs.claim("w2", at(20), at(30)).await?.unwrap();
            assert_eq!((new.job.id, new.job.attempt), (old.job.id, 2));
            let session = jobs.session_of(new.job.id).await?;
            assert_eq!(session.as_deref(), Some("store-session-1"));

            assert!(!jobs.holds(&old).await?);
            assert!(!jobs.renew(&old, at(99)).await?);
            assert!(!jobs.set_session(&old, "late").await?);
            assert!(!jobs.postpone(&old, at(99), 1).await?);
            assert!(!jobs.finish(&old, at(21), None).await?);
            assert!(jobs.holds(&new).await?);
            assert!(jobs.finish(&new, at(22), None).await?);
            // The same worker under the same number has nothing to finish twice.
            jobs.finish(&new, at(23), Some("twice")).await
        })
    });
    assert!(!work.await.unwrap());
}

async fn a_postponed_job_keeps_its_attempts_and_session(world: &World) {
    let id = world.job(0).id;
    let mut job = world.job(0);
    job.id = id;
    world.enqueue(&[job]).await;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let mut jobs = tx.jobs();
            assert_eq!(jobs.session_of(id).await?, None);
            let claim = jobs.claim("w", at(1), at(10)).await?.unwrap();
            assert!(jobs.set_session(&claim, "s").await?);
            assert!(jobs.postpone(&claim, at(50), 1).await?);
            assert!(!jobs.holds(&claim).await?);
            assert_eq!(jobs.claim("w", at(49), at(99)).await?, None);
            let again = jobs.claim("w", at(50), at(99)).await?.unwrap();
            assert_eq!(again.job.attempt, 2);
            jobs.session_of(id).await
        })
    });
    assert_eq!(work.await.unwrap().as_deref(), Some("s"));
}

async fn finished_jobs_stay_until_purged(world: &World) {
    let jobs = [world.job(1), world.job(2), world.job(3), world.job(4)];
    world.enqueue(&jobs).await;
    let failed = jobs[1].id;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let mut jobs = tx.jobs();
            let well = jobs.claim("w", at(9), at(99)).await?.unwrap();
            jobs.finish(&well, at(10), None).await?;
            let badly = jobs.claim("w", at(9), at(99)).await?.unwrap();
            jobs.finish(&badly, at(20), Some("no space")).await?;
            jobs.claim("w", at(9), at(99)).await?;
            let counts = JobCounts { queued: 1, running: 1, done: 1, failed: 1 };
            assert_eq!(jobs.count_by_state().await?, counts);
            let record = jobs.find(failed).await?.unwrap();
            assert_eq!(record.state, JobState::Failed);
            assert_eq!(record.error.as_deref(), Some("no space"));
            assert_eq!(record.finished_at, Some(at(20)));
            assert_eq!(jobs.list_unfinished().await?.len(), 2);
            assert_eq!(jobs.purge_finished(at(20)).await?, 1);
            assert_eq!(jobs.purge_finished(at(21)).await?, 1);
            jobs.find(failed).await
        })
    });
    assert_eq!(work.await.unwrap(), None);
}

async fn unfinished_jobs_are_found_by_what_they_do(world: &World) {
    let backup_id = BackupId::random(&world.chance);
    let other = BackupId::random(&world.chance);
    let kind = &JobKind::CreateBackup { backup_id };
    let absent = &JobKind::ImportBackup { backup_id };
    let foreign = &JobKind::CreateBackup { backup_id: other };
    world.enqueue(&[Job { kind: kind.clone(), ..world.job(0) }, world.job(5)]).await;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let mut jobs = tx.jobs();
            assert!(jobs.is_any_unfinished([absent, kind]).await?);
            assert!(!jobs.is_any_unfinished([absent, foreign]).await?);
            let claim = jobs.claim("w", at(1), at(10)).await?.unwrap();
            assert!(jobs.is_any_unfinished([kind, absent]).await?);
            jobs.finish(&claim, at(2), None).await?;
            jobs.is_any_unfinished([kind, absent]).await
        })
    });
    assert!(!work.await.unwrap());
}
