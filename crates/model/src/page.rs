//! Pages of a list: where to start, how many, in which order.

/// Ascending or descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

/// One key of a sort order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortBy<K> {
    /// The attribute.
    pub key: K,
    /// Its direction.
    pub direction: Direction,
}

/// Where a page starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start<I> {
    /// After so many items.
    Offset(u32),
    /// After the item of this id, in the order of the list.
    After(I),
}

impl<I> Default for Start<I> {
    fn default() -> Self {
        Self::Offset(0)
    }
}

/// One page of a list, and how many items the whole list has if that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// Items in the whole list.
    pub total: Option<u64>,
}
