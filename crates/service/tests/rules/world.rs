//! A whole service in a temporary directory: a database, a folder store, a clock that stands still.
//!
//! The same rules are compiled twice, as `rules` and as `rules_postgres`; the name of the binary
//! tells which database they run on.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use strongroom_catalog::Catalog;
use strongroom_engine::{MasterKey, Store};
use strongroom_model::backup::Backup;
use strongroom_model::chance::SeededChance;
use strongroom_model::id::{ProjectId, UserId};
use strongroom_model::identity::{Assignment, Role, Scope};
use strongroom_model::size::GiB;
use strongroom_model::time::{SettableClock, Timestamp};
use strongroom_model::volume::Volume;
use strongroom_service::backup::NewBackup;
use strongroom_service::folder::VolumeFolder;
use strongroom_service::identity::{
    Bootstrap, Credentials, NameOrId, NewProject, NewUser, ScopeRequest,
};
use strongroom_service::servers::ServerFolder;
use strongroom_service::volume::NewVolume;
use strongroom_service::{Caller, Parts, Service, Settings};
use strongroom_testkit::database::Database;

/// Everything that a test needs, gone when it is dropped.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) service: Service,
    pub(crate) clock: Arc<SettableClock>,
    pub(crate) admin: Caller,
    pub(crate) bootstrap: Bootstrap,
    database: Database,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::folder(&dir.path().join("store")).unwrap();
        Self::over(store, dir, settings).await
    }

    /// A world whose backups are kept elsewhere than in its directory.
    pub(crate) async fn over(store: Store, dir: tempfile::TempDir, settings: Settings) -> Self {
        let clock = Arc::new(SettableClock::new(Timestamp::from_micros(1_700_000_000_000_000)));
        let database = match env!("CARGO_CRATE_NAME") {
            "rules_postgres" => Database::postgres(),
            _ => Database::sqlite(),
        };
        let service = open((&dir, store), &clock, settings, (database.url(), 1)).await;
        let bootstrap = service.bootstrap().await.unwrap().unwrap();
        let admin = log_in(&service, "admin", &bootstrap.password, "admin").await;
        Self { dir, service, clock, admin, bootstrap, database }
    }

    /// The catalogue, as another process would open it.
    pub(crate) async fn catalog(&self) -> Catalog {
        Catalog::connect(self.database.url()).await.unwrap()
    }

    /// The same directory opened anew, as after a crash.
    pub(crate) async fn restart(mut self) -> Self {
        let store = Store::folder(&self.dir.path().join("store")).unwrap();
        let url = self.database.url();
        self.service = open((&self.dir, store), &self.clock, Settings::default(), (url, 2)).await;
        self
    }

    /// Another node over the same database, store and clock.
    pub(crate) async fn twin(&self) -> Service {
        let store = Store::folder(&self.dir.path().join("store")).unwrap();
        let place = (&self.dir, store);
        open(place, &self.clock, Settings::default(), (self.database.url(), 3)).await
    }

    /// Moves the clock forward to an instant.
    pub(crate) fn at(&self, instant: &str) {
        let wanted = Timestamp::parse(instant).unwrap();
        assert!(wanted >= self.service.now(), "the clock is past {instant}");
        self.clock.advance(wanted.since(self.service.now()));
    }

    /// A project and a user in it with that role.
    pub(crate) async fn project(&self, name: &str, role: Role) -> Caller {
        let new = NewProject {
            name: name.to_owned(),
            domain_id: None,
            description: String::new(),
            is_enabled: true,
        };
        let project = self.service.create_project(&self.admin, new).await.unwrap();
        self.user(&format!("{name}-user"), &project.id, role).await;
        log_in(&self.service, &format!("{name}-user"), "password", name).await
    }

    pub(crate) async fn user(&self, name: &str, project: &ProjectId, role: Role) -> UserId {
        let new = NewUser {
            name: name.to_owned(),
            domain_id: None,
            password: "password".to_owned(),
            default_project_id: None,
            is_enabled: true,
        };
        let user = self.service.create_user(&self.admin, new).await.unwrap();
        let scope = Scope::Project(project.clone());
        let assignment = Assignment { user_id: user.id.clone(), scope, role };
        self.service.grant(&self.admin, assignment).await.unwrap();
        user.id
    }

    /// An available volume of 1 GiB.
    pub(crate) async fn volume(&self, caller: &Caller) -> Volume {
        let new = NewVolume { size: Some(GiB(1)), ..NewVolume::default() };
        let volume = self.service.create_volume(caller, new).await.unwrap();
        self.work().await;
        self.service.volume(caller, &volume.id.to_string()).await.unwrap()
    }

    /// A volume that holds `text` at some places.
    pub(crate) async fn written_volume(&self, caller: &Caller, text: &str) -> Volume {
        let volume = self.volume(caller).await;
        self.write(&volume, text);
        volume
    }

    pub(crate) fn write(&self, volume: &Volume, text: &str) {
        let file = fs::OpenOptions::new().write(true).open(self.path(volume)).unwrap();
        for place in [0, 300 << 10, 500 << 20, (1 << 30) - 4096] {
            file.write_all_at(text.as_bytes(), place).unwrap();
        }
    }

    pub(crate) fn path(&self, volume: &Volume) -> PathBuf {
        self.service.folder().volume(volume.id)
    }

    pub(crate) fn digest(&self, volume: &Volume) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        let mut file = fs::File::open(self.path(volume)).unwrap();
        std::io::copy(&mut file, &mut hasher).unwrap();
        hasher.finalize()
    }

    /// A backup of the volume, as its job left it.
    pub(crate) async fn backup(&self, caller: &Caller, volume: &Volume) -> Backup {
        let backup = self.service.create_backup(caller, new_backup(volume)).await.unwrap();
        self.work().await;
        self.service.backup(caller, &backup.id.to_string()).await.unwrap()
    }

    pub(crate) async fn show(&self, caller: &Caller, backup: &Backup) -> Backup {
        self.service.backup(caller, &backup.id.to_string()).await.unwrap()
    }

    pub(crate) async fn show_volume(&self, caller: &Caller, volume: &Volume) -> Volume {
        self.service.volume(caller, &volume.id.to_string()).await.unwrap()
    }

    /// Runs one job, if one is due, and tells how many that were.
    pub(crate) async fn step(&self) -> usize {
        self.service.run_due_job().await.unwrap().into()
    }

    /// Runs every due job.
    pub(crate) async fn work(&self) -> usize {
        self.service.run_due_jobs().await.unwrap()
    }
}

/// What a plain `openstack volume backup create` asks for.
pub(crate) fn new_backup(volume: &Volume) -> NewBackup {
    NewBackup { name: Some("nightly".to_owned()), ..NewBackup::of(volume.id) }
}

pub(crate) async fn log_in(service: &Service, user: &str, password: &str, project: &str) -> Caller {
    let credentials = Credentials::Password {
        user: NameOrId::Name(user.to_owned(), None),
        password: password.to_owned(),
    };
    let scope = ScopeRequest::Project(NameOrId::Name(project.to_owned(), None));
    let token = service.issue_token(credentials, scope).await.unwrap();
    token.caller("req-test".to_owned())
}

async fn open(
    (dir, store): (&tempfile::TempDir, Store),
    clock: &Arc<SettableClock>,
    settings: Settings,
    (url, seed): (&str, u64),
) -> Service {
    let parts = Parts {
        catalog: Catalog::connect(url).await.unwrap(),
        store,
        master_key: MasterKey::from_bytes([7; 32]),
        folder: VolumeFolder::open(dir.path().join("volumes")).unwrap(),
        servers: ServerFolder::open(dir.path().join("servers")).unwrap(),
        clock: Arc::<SettableClock>::clone(clock),
        chance: Arc::new(SeededChance::new(seed)),
    };
    Service::open(parts, settings).await.unwrap()
}
