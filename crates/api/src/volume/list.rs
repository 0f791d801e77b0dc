//! A list request read whole: page, order and conditions, in the words of one noun.

use strongroom_model::page::{SortBy, Start};
use strongroom_service::Error;

use super::call::Call;
use super::{filters, paging, sorting};
use crate::fault::Fault;

/// How one noun's lists are spoken of: its name in errors, its ids, attributes and conditions.
pub(super) struct Vocabulary<I, K, F> {
    /// The noun as errors say it: `Backup`.
    pub(super) noun: &'static str,
    /// Reads an id.
    pub(super) id: fn(&str) -> Option<I>,
    /// The attribute of that name, by which one may sort.
    pub(super) key: fn(&Call, &str) -> Option<K>,
    /// What a parameter and its value demand.
    pub(super) filter: fn(&Call, &str, &str) -> Option<F>,
    /// The condition that nothing meets.
    pub(super) never: fn() -> F,
}

/// A list request.
#[derive(Debug)]
pub(super) struct Listing<I, K, F> {
    /// Those of every project.
    pub(super) all_projects: bool,
    /// What must hold.
    pub(super) filters: Vec<F>,
    /// The order.
    pub(super) sort: Vec<SortBy<K>>,
    /// Where the page starts.
    pub(super) start: Start<I>,
    /// The most items of it.
    pub(super) limit: u32,
    /// Count the whole list.
    pub(super) with_total: bool,
}

/// Reads the query of a list request.
pub(super) fn read<I, K, F>(
    call: &Call,
    words: &Vocabulary<I, K, F>,
) -> Result<Listing<I, K, F>, Fault> {
    let page = paging::read(call, words.noun, words.id)?;
    let sort = sorting::read(&call.query, |name| (words.key)(call, name))?;
    let filters = filters::read(call, |key, value| (words.filter)(call, key, value), words.never)?;
    Ok(Listing {
        all_projects: filters.all_projects,
        filters: filters.conditions,
        sort,
        start: page.start,
        limit: page.limit,
        with_total: filters.with_total,
    })
}

impl<I, K, F> Vocabulary<I, K, F> {
    /// The fault of a list that failed; an unknown marker is an unknown thing of this noun.
    pub(super) fn fault(&self, error: Error) -> Fault {
        match error {
            Error::MarkerNotFound(id) => Fault::missing(self.noun, &id),
            other => other.into(),
        }
    }
}
