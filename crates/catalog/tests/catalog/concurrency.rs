//! Several at once: claims, counters, limits, roll-backs.

use std::collections::HashSet;

use strongroom_catalog::{Catalog, Error};
use strongroom_model::id::JobId;
use strongroom_model::quota::Resource;
use tokio::task::JoinSet;

use crate::support::{Outcome, World, at, on_both, project};

on_both!(
    no_job_is_claimed_twice,
    no_increment_is_lost,
    a_limit_is_never_exceeded,
    an_error_rolls_everything_back,
    a_failed_statement_spoils_the_transaction,
    reads_see_one_state_and_write_nothing,
);

const TASKS: usize = 8;

async fn no_job_is_claimed_twice(world: &World) {
    let jobs: Vec<_> = (0..40).map(|_| world.job(0)).collect();
    world.enqueue(&jobs).await;
    let mut claimers = JoinSet::new();
    for n in 0..TASKS {
        claimers.spawn(claim_all(world.catalog.clone(), format!("worker-{n}")));
    }
    let claimed: Vec<_> = claimers.join_all().await.concat();
    let distinct: HashSet<_> = claimed.iter().copied().collect();
    assert_eq!((claimed.len(), distinct.len()), (jobs.len(), jobs.len()));
}

async fn claim_all(catalog: Catalog, worker: String) -> Vec<JobId> {
    let (mut claimed, worker) = (Vec::new(), worker.as_str());
    loop {
        let work = catalog
            .transact(|tx| Box::pin(async move { tx.jobs().claim(worker, at(1), at(1000)).await }));
        match work.await.unwrap() {
            Some(claim) => claimed.push(claim.job.id),
            None => return claimed,
        }
    }
}

async fn no_increment_is_lost(world: &World) {
    // Two catalogues, as two nodes would have: what one process lines up, two do not.
    let other = Catalog::connect(world.database.url()).await.unwrap();
    let mut counters = JoinSet::new();
    for n in 0..TASKS {
        let catalog = if n % 2 == 0 { &world.catalog } else { &other };
        counters.spawn(count(catalog.clone(), 25));
    }
    counters.join_all().await;
    let work = world.catalog.read(|tx| Box::pin(async move { tx.settings().get("counter").await }));
    assert_eq!(work.await.unwrap().as_deref(), Some("200"));
}

async fn count(catalog: Catalog, times: usize) {
    for _ in 0..times {
        let work = catalog.transact(|tx| {
            Box::pin(async move {
                let value = tx.settings().get("counter").await?;
                let value: u32 = value.map_or(0, |text| text.parse().unwrap());
                tx.settings().put("counter", &(value + 1).to_string()).await
            })
        });
        work.await.unwrap();
    }
}

async fn a_limit_is_never_exceeded(world: &World) {
    const LIMIT: i64 = 5;
    let mut makers = JoinSet::new();
    for _ in 0..TASKS {
        let volumes: Vec<_> = (0..3).map(|_| world.volume("p")).collect();
        let catalog = world.catalog.clone();
        makers.spawn(async move {
            for volume in &volumes {
                let work = catalog.transact(|tx| {
                    Box::pin(async move {
                        let usage = tx.quotas().usage(&volume.project_id).await?;
                        if usage[&Resource::Volumes] < LIMIT {
                            tx.volumes().insert(volume).await?;
                        }
                        Outcome::Ok(())
                    })
                });
                work.await.unwrap();
            }
        });
    }
    makers.join_all().await;
    let work =
        world.catalog.read(|tx| Box::pin(async move { tx.quotas().usage(&project("p")).await }));
    assert_eq!(work.await.unwrap()[&Resource::Volumes], LIMIT);
}

/// An error of the caller's own, as a service has.
#[derive(Debug)]
enum Refusal {
    Catalog(Error),
    NotToday,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Catalog(error)
    }
}

async fn an_error_rolls_everything_back(world: &World) {
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            tx.settings().put("a", "1").await?;
            Err::<(), _>(Refusal::NotToday)
        })
    });
    assert!(matches!(work.await, Err(Refusal::NotToday)));
    let work = world.catalog.read(|tx| Box::pin(async move { tx.settings().get("a").await }));
    assert_eq!(work.await.unwrap(), None);
}

async fn a_failed_statement_spoils_the_transaction(world: &World) {
    let volume = &world.volume("p");
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            tx.volumes().insert(volume).await?;
            assert!(tx.volumes().insert(volume).await.is_err());
            Ok::<_, Refusal>(())
        })
    });
    let spoiled = work.await;
    assert!(matches!(spoiled, Err(Refusal::Catalog(Error::Spoiled))));
    let work =
        world.catalog.read(|tx| Box::pin(async move { tx.volumes().find_any(volume.id).await }));
    assert_eq!(work.await.unwrap(), None);
}

async fn reads_see_one_state_and_write_nothing(world: &World) {
    let catalog = &world.catalog;
    let reading = catalog.read(|tx| {
        Box::pin(async move {
            assert_eq!(tx.settings().get("a").await?, None);
            let writing =
                catalog.transact(|tx| Box::pin(async move { tx.settings().put("a", "1").await }));
            writing.await?;
            assert_eq!(tx.settings().get("a").await?, None);
            tx.settings().put("a", "2").await
        })
    });
    let error = reading.await.unwrap_err();
    assert!(matches!(error, Error::Database(_)), "{error:?}");
    assert!(!error.is_transient());
    let work = catalog.read(|tx| Box::pin(async move { tx.settings().get("a").await }));
    assert_eq!(work.await.unwrap().as_deref(), Some("1"));
}
