//! What fills the cells of a backup: a volume that is read, or another vault that is asked.

use super::BackupOptions;
use super::packer::Packer;
use super::pages::Pages;
use super::parent::Parent;
use super::stats::Counters;
use crate::crew::Crew;
use crate::error::Result;
use crate::repository::Repository;
use crate::session::Session;

/// Where the cells of a backup come from.
pub(crate) trait Feed: Sync {
    /// Size of the volume.
    fn size_bytes(&self) -> u64;

    /// Units of work, which the threads share.
    fn units(&self) -> u64;

    /// How many threads of which kind, and how large the packs, may work for this feed.
    fn crowd(&self, options: &BackupOptions) -> Crowd;

    /// The work of one thread: fills the cells of units until all are done or somebody failed.
    fn work(&self, stage: &Stage<'_>, crew: &Crew);

    /// Called when all cells are filled and nothing is committed yet; errs if what was filled in
    /// must not be committed. Tells whether the volume was written to meanwhile.
    fn finish(&self) -> Result<bool>;
}

/// What the feed lets run at once; it is what bounds memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crowd {
    pub(crate) workers: usize,
    pub(crate) uploaders: usize,
    /// Full packs that may wait for an uploader.
    pub(crate) queued_packs: usize,
    pub(crate) pack_bytes: usize,
}

/// What the threads of one attempt share.
pub(crate) struct Stage<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) session: &'a Session<'a>,
    pub(crate) options: &'a BackupOptions,
    pub(crate) parent: &'a Parent<'a>,
    pub(crate) pages: &'a Pages<'a>,
    pub(crate) packer: &'a Packer<'a>,
    pub(crate) counters: &'a Counters,
}
