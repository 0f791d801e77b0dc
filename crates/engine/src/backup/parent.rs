//! The backup that came before: a hint that saves work and can never do harm.

use std::sync::{Arc, Mutex, PoisonError};

use strongroom_model::id::BackupId;

use crate::format::GRID_BYTES;
use crate::format::manifest::{Manifest, PageRef};
use crate::format::page::Cell;
use crate::id::Digest;
use crate::list::{cell_count, content_root};
use crate::num::to_usize;
use crate::repository::Repository;

/// What is known of the parent; nothing, if there is none or it cannot be read.
pub(crate) struct Parent<'a> {
    repository: &'a Repository,
    manifest: Option<Manifest>,
    /// Why parts of it were not used.
    problems: Mutex<Vec<String>>,
}

impl<'a> Parent<'a> {
    pub(crate) fn load(repository: &'a Repository, backup: Option<BackupId>) -> Self {
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
    pub(crate) fn page_ref(&self, number: usize) -> Option<PageRef> {
        *self.manifest.as_ref()?.pages.get(number)?
    }

    /// The content root it was received with; `None` if it was not received.
    pub(crate) fn content_root(&self) -> Option<Digest> {
        content_root(&self.manifest.as_ref()?.meta)
    }

    /// All cells of page `number`; `None` if there is no such page or it cannot be read.
    pub(crate) fn whole_page(&self, number: usize) -> Option<Arc<Vec<Cell>>> {
        let manifest = self.manifest.as_ref()?;
        let count = to_usize(cell_count(manifest.size_bytes, manifest.grid_bytes, number));
        if manifest.pages.get(number)?.is_none() {
            return Some(Arc::new(vec![Cell::Hole; count]));
        }
        Some(self.cells(number)).filter(|cells| cells.len() == count)
    }

    /// Notes why a part of it was not used.
    pub(crate) fn note(&self, problem: String) {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
    }

    /// The cells of page `number`; none if there is no such page.
    pub(crate) fn cells(&self, number: usize) -> Arc<Vec<Cell>> {
        let Some(page) = self.page_ref(number) else {
            return Arc::default();
        };
        match self.repository.load_page(&page) {
            Ok(cells) => Arc::new(cells),
            Err(e) => {
                self.note(format!("page {number} of the parent was not used: {e}"));
                Arc::default()
            }
        }
    }

    pub(crate) fn into_problems(self) -> Vec<String> {
        self.problems.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
