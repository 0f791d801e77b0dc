//! When a full backup is due: a decision over what there is, no more.

/// Whether the next backup of a resource is a full one, given of its earlier backups, newest first,
/// whether they are increments. `interval` is after how many increments: 0 for always, none for
/// never.
pub(super) fn is_full_due(interval: Option<u32>, earlier: impl Iterator<Item = bool>) -> bool {
    let Some(interval) = interval else { return false };
    let increments = earlier.take_while(|is_incremental| *is_incremental).count();
    u32::try_from(increments).unwrap_or(u32::MAX) >= interval
}

#[cfg(test)]
mod tests {
    use super::is_full_due;

    #[test]
    fn the_count_begins_anew_with_each_full_one() {
        let due = |interval, earlier: &[bool]| is_full_due(interval, earlier.iter().copied());
        assert!(!due(None, &[true; 99]));
        assert!(due(Some(0), &[]) && due(Some(0), &[false]));
        assert!(!due(Some(2), &[]) && !due(Some(2), &[true, false]));
        assert!(due(Some(2), &[true, true, false]));
        assert!(!due(Some(2), &[true, false, true, true]));
        assert!(!due(Some(2), &[false, true, true]));
    }
}
