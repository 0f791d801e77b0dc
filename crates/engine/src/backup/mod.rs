//! Makes a backup: reads a volume, stores what the vault does not hold yet, commits.
//!
//! Plain threads take units of 4 MiB; each grid cell is compared with the parent's, then with the
//! index, and only what is new is compressed, sealed and packed. Two more threads upload packs.
//! Memory: four packs of 32 MiB, 5 MiB for each of at most eight workers, and the pages in work;
//! below 200 MiB whatever the size of the volume, besides the index that all streams share.

mod feed;
mod packer;
mod pages;
mod parent;
mod stats;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use strongroom_model::id::BackupId;

use crate::crew::Crew;
use crate::error::{Error, Result};
use crate::format::manifest::{Manifest, page_count};
use crate::format::page::CELLS;
use crate::format::{GRID_BYTES, name};
use crate::id::{Digest, SessionId};
use crate::key::{DataKey, Suite};
use crate::progress::Progress;
use crate::repository::Repository;
use crate::session::{EndRecord, OpenRecord, Session, abort, end};
use crate::source::VolumeSource;
use crate::store::Created;
pub(crate) use feed::{Crowd, Feed, Stage};
pub(crate) use packer::Stored;
use packer::{Packer, Shape};
use pages::Pages;
use parent::Parent;
pub use stats::BackupStats;
use stats::Counters;
pub(crate) use stats::add;
pub(crate) use worker::LEVEL;
use worker::VolumeFeed;

/// A pack is full at this length, if nobody says otherwise.
const PACK_BYTES: usize = 32 * 1024 * 1024;

/// What to back up as what.
#[derive(Debug, Clone)]
pub struct BackupOptions {
    /// Name of the backup.
    pub backup_id: BackupId,
    /// Name of this attempt; every attempt needs a fresh one.
    pub session_id: SessionId,
    /// The backup this one follows. It saves work and is not needed afterwards.
    pub parent: Option<BackupId>,
    /// Kept with the backup and given back by `list`; the engine looks only at what [`CONTENT_ROOT`]
    /// says of a backup that was received.
    ///
    /// [`CONTENT_ROOT`]: crate::CONTENT_ROOT
    pub meta: Map<String, Value>,
    /// Name of this machine, for people who read sessions.
    pub node: String,
    /// How long the session outlives its last sign of life.
    pub lease: Duration,
    /// Reading threads; 0 for one per core, never more than 8.
    pub threads: usize,
    /// The cipher; the fastest on this machine if absent.
    pub suite: Option<Suite>,
    /// A pack is full at this length; 32 MiB unless somebody says less. Smaller packs lose less to
    /// an attempt that is cut, and are more objects.
    pub pack_bytes: usize,
    /// Counters to watch and the way to cancel.
    pub progress: Arc<Progress>,
}

impl BackupOptions {
    /// The usual options for one attempt at one backup.
    pub fn new(backup_id: BackupId, session_id: SessionId) -> Self {
        Self {
            backup_id,
            session_id,
            parent: None,
            meta: Map::new(),
            node: String::new(),
            lease: Duration::from_secs(3600),
            threads: 0,
            suite: None,
            pack_bytes: PACK_BYTES,
            progress: Arc::default(),
        }
    }
}

/// What a committed backup amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// The backup.
    pub backup_id: BackupId,
    /// The hash over size and pages, as the commit record has it.
    pub root: Digest,
    /// What was read and stored.
    pub stats: BackupStats,
    /// Whether the source was written to while it was read, so that the backup may hold a mixture.
    pub source_changed: bool,
    /// What was found wrong on the way and cost only room or time.
    pub problems: Vec<String>,
}

/// Backs up `source`. After `Ok` the backup is durable and listed; after an error it is not, unless
/// the store stopped answering at the commit: then [`crate::resolve_session`] tells.
pub fn backup(
    repository: &Repository,
    source: &dyn VolumeSource,
    options: &BackupOptions,
) -> Result<BackupReport> {
    attempt(repository, &VolumeFeed(source), options)
}

/// One attempt at a backup of what `feed` fills in.
pub(crate) fn attempt(
    repository: &Repository,
    feed: &dyn Feed,
    options: &BackupOptions,
) -> Result<BackupReport> {
    let record = OpenRecord {
        backup: options.backup_id,
        node: options.node.clone(),
        opened_at: repository.clock().now(),
        lease_secs: options.lease.as_secs(),
    };
    let session = Session::open(repository, options.session_id, record)?;
    let outcome = Run { repository, feed, options, session: &session }.run();
    if let Err(error) = &outcome {
        session.give_up(error);
    }
    outcome
}

/// One backup in progress.
struct Run<'a> {
    repository: &'a Repository,
    feed: &'a dyn Feed,
    options: &'a BackupOptions,
    session: &'a Session<'a>,
}

impl Run<'_> {
    fn run(&self) -> Result<BackupReport> {
        self.check_tomb()?;
        let started_at = self.repository.clock().now();
        let mut problems = self.session.problems.clone();
        problems.extend(self.repository.index().refresh(self.repository, &self.session.condemned)?);
        let counters = Counters::default();
        let data_key = DataKey::random(self.repository.chance());
        let parent = Parent::load(self.repository, self.options.parent);
        let pages = self.store_cells(&parent, &counters, &data_key)?;
        problems.extend(parent.into_problems());
        let source_changed = self.feed.finish()?;
        let duration = self.repository.clock().now().since(started_at);
        let mut stats = counters.stats(self.feed.size_bytes(), duration);
        let manifest = Manifest {
            suite: self.suite(),
            vault: self.repository.vault(),
            backup: self.options.backup_id,
            parent: self.options.parent,
            session: self.session.id,
            created_at: started_at,
            size_bytes: self.feed.size_bytes(),
            grid_bytes: GRID_BYTES,
            key_version: self.repository.key_version(),
            meta: to_json(&self.options.meta),
            stats: to_json(&stats),
            pages,
        };
        let root = manifest.root();
        let stored_bytes = self.publish(&manifest, &data_key)?;
        stats.add_manifest(stored_bytes);
        let backup_id = self.options.backup_id;
        Ok(BackupReport { backup_id, root, stats, source_changed, problems })
    }

    /// A deleted backup cannot be made again. Looked up after the opening, so that a tomb that is
    /// cleaned up from here on waits for this session.
    fn check_tomb(&self) -> Result<()> {
        let tomb = name::tomb(self.repository.vault(), self.options.backup_id);
        match self.repository.store().size(&tomb) {
            Ok(_) => Err(Error::BackupDeleted(self.options.backup_id)),
            Err(e) if e.is_missing() => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    fn suite(&self) -> Suite {
        self.options.suite.unwrap_or_else(Suite::fastest)
    }

    /// Fills the cells and stores what is new; returns the page table. When it returns, every
    /// pack is durable.
    fn store_cells(
        &self,
        parent: &Parent<'_>,
        counters: &Counters,
        data_key: &DataKey,
    ) -> Result<Vec<Option<crate::format::manifest::PageRef>>> {
        let size_bytes = self.feed.size_bytes();
        let too_large = || Error::VolumeTooLarge { size_bytes };
        let page_total =
            usize::try_from(page_count(size_bytes, GRID_BYTES)).map_err(|_| too_large())?;
        if page_total as u64 > u64::from(u32::MAX) / CELLS as u64 {
            return Err(too_large());
        }
        self.options.progress.begin(size_bytes);
        let (repository, session, options) = (self.repository, self.session, self.options);
        let crew = Crew::new(self.feed.units());
        let crowd = self.feed.crowd(options);
        let Crowd { pack_bytes, queued_packs, .. } = crowd;
        let shape = Shape { suite: self.suite(), pack_bytes, queued_packs };
        let (packer, full) = Packer::new(repository, session, data_key, shape);
        let pages = Pages::new(parent, &packer, page_total, size_bytes);
        let stage = Stage {
            repository,
            session,
            options,
            parent,
            pages: &pages,
            packer: &packer,
            counters,
        };
        let uploads = packer::Uploads { packer: &packer, full, counters, options: self.options };
        std::thread::scope(|scope| {
            for _ in 0..crowd.uploaders {
                scope.spawn(|| uploads.work(&crew));
            }
            let workers: Vec<_> =
                (0..crowd.workers).map(|_| scope.spawn(|| self.feed.work(&stage, &crew))).collect();
            for worker in workers {
                if worker.join().is_err() {
                    crew.fail(Error::damaged("the engine itself", "a worker panicked"));
                }
            }
            packer.close();
        });
        crew.finish()?;
        Ok(pages.into_table())
    }

    /// Uploads the manifest and commits; returns the manifest's length.
    fn publish(&self, manifest: &Manifest, data_key: &DataKey) -> Result<u64> {
        self.options.progress.check()?;
        let object = name::manifest(self.repository.vault(), manifest.backup, manifest.session);
        let bytes = bytes::Bytes::from(manifest.seal(self.repository.keys(), data_key));
        let hash = Digest::of(&bytes);
        let len = bytes.len() as u64;
        if self.repository.store().create(&object, bytes.clone())? == Created::Exists
            && self.repository.store().get(&object)? != bytes
        {
            return Err(Error::damaged(&object, "its name was taken by something else"));
        }
        self.options.progress.add_stored(len);
        self.session.fence_rivals()?;
        self.commit(hash, manifest.root())?;
        Ok(len)
    }

    /// Commits; if the store's answer was lost, asks what became of it.
    fn commit(&self, manifest: Digest, root: Digest) -> Result<()> {
        let error = match self.session.commit(manifest, root) {
            Err(error @ Error::Store(_)) => error,
            decided => return decided,
        };
        match end(self.repository, self.session.id, &abort("the commit failed")) {
            Ok(EndRecord::Commit { .. }) => Ok(()),
            _ => Err(error),
        }
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain values with text keys, which JSON can always hold")
}
