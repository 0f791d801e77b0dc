//! The backup that came before: a hint that saves work and can never do harm.

use std::sync::{Arc, Mutex, PoisonError};

use strongroom_model::id::BackupId;

use crate::format::GRID_BYTES;
use crate::format::manifest::{Manifest, PageRef};
use crate::format::page::Cell;
use crate::repository::Repository;

/// What is known of the parent; nothing, if there is none or it cannot be read.
pub(super) struct Parent<'a> {
    repository: &'a Repository,
    manifest: Option<Manifest>,
    /// Why parts of it were not used.
    problems: Mutex<Vec<String>>,
}

impl<'a> Parent<'a> {
    pub(super) fn load(repository: &'a Repository, backup: Option<BackupId>) -> Self {
        let mut problems = Vec::new();
        let manifest = backup.and_then(|backup| match repository.load_manifest(backup) {
            Ok(manifest) => Some(manifest).filter(|m| m.grid_bytes == GRID_BYTES),
            Err(e) => {
                problems.push(format!("parent {backup} was not used: {e}"));
                None
            }
        });
        Self { repository, manifest, problems: Mutex::new(problems) }
    }

    /// Where page `number` of the parent lies.
    pub(super) fn page_ref(&self, number: usize) -> Option<PageRef> {
        *self.manifest.as_ref()?.pages.get(number)?
    }

    /// The cells of page `number`; none if there is no such page.
    pub(super) fn cells(&self, number: usize) -> Arc<Vec<Cell>> {
        let Some(page) = self.page_ref(number) else {
            return Arc::default();
        };
        match self.repository.load_page(&page) {
            Ok(cells) => Arc::new(cells),
            Err(e) => {
                let problem = format!("page {number} of the parent was not used: {e}");
                self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
                Arc::default()
            }
        }
    }

    pub(super) fn into_problems(self) -> Vec<String> {
        self.problems.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
