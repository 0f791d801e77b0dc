//! `up`: everything embedded in one process, for a laptop, a test or a small machine.

mod credentials;

use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustix::fs::{FlockOperation, flock};
use strongroom_api::cbr::{self, CbrSettings};
use strongroom_api::identity::{self, IdentitySettings};
use strongroom_api::volume::{self, VolumeSettings};
use strongroom_catalog::Catalog;
use strongroom_model::chance::{Chance, SystemChance};
use strongroom_model::time::{Clock, SystemClock};
use strongroom_service::folder::VolumeFolder;
use strongroom_service::servers::ServerFolder;
use strongroom_service::{Parts, Service, Settings};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::args::Up;
use crate::command::{demo, location};
use crate::rehearsal::RehearsalClock;
use crate::report::Hint;
pub(crate) use credentials::Access;

/// How long open requests may take when the process is told to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs `up` until it is told to stop.
pub(crate) fn run(args: Up) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(serve(args))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(args: Up) -> anyhow::Result<()> {
    fs::create_dir_all(&args.data)
        .with_context(|| format!("cannot make {}", args.data.display()))?;
    let data = args.data.canonicalize()?;
    let _lock = lock(&data)?;
    let identity_listener = bind(args.identity, "--identity").await?;
    let volume_listener = bind(args.volume, "--volume").await?;
    let cbr_listener = bind(args.cbr, "--cbr").await?;
    let addresses = Addresses {
        identity: identity_listener.local_addr()?,
        volume: volume_listener.local_addr()?,
        cbr: cbr_listener.local_addr()?,
    };
    let service = open_service(&args, &data).await?;
    let access = Access::prepare(&data, &service, addresses).await?;

    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let door = identity::router(service.clone(), identity_settings(&service, addresses));
    tasks.spawn(listen(identity_listener, door, stop.clone()));
    let door = volume::router(service.clone(), volume_settings(&service, addresses));
    tasks.spawn(listen(volume_listener, door, stop.clone()));
    let door = cbr::router(service.clone(), cbr_settings(addresses));
    tasks.spawn(listen(cbr_listener, door, stop.clone()));
    let jobs = tokio::task::spawn(service.clone().run_jobs(stop.clone()));

    access.announce(&data);
    if args.demo {
        demo::run(&service, &access, &data).await?;
    }
    writeln!(std::io::stdout(), "ready")?;
    std::io::stdout().flush()?;

    wait_for_signal().await?;
    stop.cancel();
    // A client that never finishes its request must not keep the process from ending.
    let doors = async {
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        anyhow::Ok(())
    };
    if let Ok(ended) = tokio::time::timeout(PATIENCE, doors).await {
        ended?;
    }
    jobs.await?;
    Ok(())
}

/// Where the front doors listen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    /// The identity service.
    pub(crate) identity: SocketAddr,
    /// The volume service.
    pub(crate) volume: SocketAddr,
    /// The CBR service.
    pub(crate) cbr: SocketAddr,
}

/// One process at a time may use a data directory; the lock goes with the process.
fn lock(data: &Path) -> anyhow::Result<File> {
    let file = File::create(data.join("lock"))
        .with_context(|| format!("cannot write to {}", data.display()))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)
        .with_context(|| Hint("stop the other process or choose another --data".to_owned()))
        .with_context(|| format!("{} is in use by another process", data.display()))?;
    Ok(file)
}

async fn bind(address: SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| Hint(format!("choose another address with {option}, port 0 for any")))
        .with_context(|| format!("cannot listen on {address}"))
}

async fn open_service(args: &Up, data: &Path) -> anyhow::Result<Service> {
    let database = args
        .database
        .clone()
        .unwrap_or_else(|| format!("sqlite://{}", data.join("catalog.db").display()));
    let store = args.store.clone().unwrap_or_else(|| data.join("store").display().to_string());
    let key = args.key.clone().unwrap_or_else(|| data.join("master.key"));
    let (store, master_key) =
        tokio::task::spawn_blocking(move || location::open_or_make(&store, &key)).await??;
    let folder = VolumeFolder::open(data.join("volumes"))?;
    folder.clean()?;
    let servers = ServerFolder::open(data.join("servers"))?;
    servers.clean()?;
    let parts = Parts {
        catalog: Catalog::connect(&database).await.context("cannot open the catalogue")?,
        store,
        master_key,
        folder,
        servers,
        clock: clock(args),
        chance: Arc::new(SystemChance),
    };
    let settings = Settings {
        workers: args.workers,
        strict_cinder: args.strict_cinder,
        node: format!("{}", SystemChance.uuid().simple()),
        ..Settings::default()
    };
    let service = Service::open(parts, settings).await?;
    if args.database.is_none() {
        // The lock on the directory proves that nobody else works on this catalogue's jobs.
        service.release_claims().await?;
    }
    Ok(service)
}

fn clock(args: &Up) -> Arc<dyn Clock> {
    match &args.clock_ahead {
        Some(file) => Arc::new(RehearsalClock::new(file.clone())),
        None => Arc::new(SystemClock),
    }
}

fn identity_settings(service: &Service, addresses: Addresses) -> IdentitySettings {
    IdentitySettings {
        identity_endpoint: format!("http://{}", addresses.identity),
        volume_endpoint: format!("http://{}", addresses.volume),
        cbr_endpoint: Some(format!("http://{}", addresses.cbr)),
        region: service.settings().region.clone(),
        body_limit_bytes: volume::DEFAULT_BODY_LIMIT_BYTES,
        chance: Arc::new(SystemChance),
    }
}

fn volume_settings(service: &Service, addresses: Addresses) -> VolumeSettings {
    VolumeSettings {
        public_endpoint: None,
        identity_endpoint: format!("http://{}/v3", addresses.identity),
        availability_zone: service.settings().availability_zone.clone(),
        body_limit_bytes: volume::DEFAULT_BODY_LIMIT_BYTES,
        chance: Arc::new(SystemChance),
    }
}

fn cbr_settings(addresses: Addresses) -> CbrSettings {
    CbrSettings {
        public_endpoint: None,
        identity_endpoint: format!("http://{}", addresses.identity),
        body_limit_bytes: cbr::DEFAULT_BODY_LIMIT_BYTES,
        chance: Arc::new(SystemChance),
    }
}

async fn listen(
    listener: TcpListener,
    router: axum::Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}

/// Returns when the process is asked to end.
async fn wait_for_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
