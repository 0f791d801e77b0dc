//! Which page of a list is asked for, in which order, and how it is answered.

use serde_json::{Map, Value, json};
use strongroom_model::id::InvalidId;
use strongroom_model::page::{Direction, SortBy, Start};

use super::fault::Fault;
use super::query::Query;

/// The most items of a page, and as many as there are when nobody asks.
pub(super) const MAX_ITEMS: u32 = 1000;

/// The longest order that is read.
const MAX_SORT_CHARS: usize = 255;

/// The page that a query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageRequest<I> {
    /// Where it starts. A marker wins over an offset.
    pub(super) start: Start<I>,
    /// The most items of it.
    pub(super) limit: u32,
    /// The offset that was asked for, which answers repeat.
    pub(super) offset: u32,
}

impl<I> PageRequest<I> {
    /// The keys that a list answers with: the items under `collection`, the number of all items
    /// that meet the conditions, limit and offset.
    pub(super) fn document(&self, collection: &str, items: Vec<Value>, total: u64) -> Value {
        json!({collection: items, "count": total, "limit": self.limit, "offset": self.offset})
    }

    /// The page out of a list that is at hand as a whole.
    pub(super) fn cut<T>(&self, all: Vec<T>, is: impl Fn(&T, &I) -> bool) -> Vec<T> {
        let skipped = match &self.start {
            Start::Offset(offset) => usize::try_from(*offset).unwrap_or(usize::MAX),
            Start::After(marker) => {
                all.iter().position(|item| is(item, marker)).map_or(all.len(), |at| at + 1)
            }
        };
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        all.into_iter().skip(skipped).take(limit).collect()
    }
}

/// Reads `limit`, `offset` and `marker`, with at most [`MAX_ITEMS`] items.
pub(super) fn read<I>(
    query: &Query,
    parse: fn(&str) -> Result<I, InvalidId>,
) -> Result<PageRequest<I>, Fault> {
    read_at_most(query, MAX_ITEMS, parse)
}

/// Reads `limit`, `offset` and `marker`. `parse` reads an id.
pub(super) fn read_at_most<I>(
    query: &Query,
    most: u32,
    parse: fn(&str) -> Result<I, InvalidId>,
) -> Result<PageRequest<I>, Fault> {
    let limit = number(query, "limit", 1, most)?.unwrap_or(most);
    let offset = number(query, "offset", 0, 0x7fff_ffff)?.unwrap_or(0);
    let marker = query.optional("marker", |it| it.id(parse))?;
    let start = marker.map_or(Start::Offset(offset), Start::After);
    Ok(PageRequest { start, limit, offset })
}

fn number(query: &Query, key: &str, least: u32, most: u32) -> Result<Option<u32>, Fault> {
    let found = query.optional(key, |it| it.digits(i64::from(least)..=i64::from(most)))?;
    Ok(found.and_then(|number| u32::try_from(number).ok()))
}

/// Reads `sort=key[:dir],…`; without a direction the largest stand first.
pub(super) fn read_sort<K>(
    query: &Query,
    key: impl Fn(&str) -> Option<K>,
) -> Result<Vec<SortBy<K>>, Fault> {
    let refuse = || Fault::invalid("Invalid sort provided: KEY[:asc|desc] is needed.");
    let Some(text) = query.get("sort") else { return Ok(Vec::new()) };
    if text.chars().count() > MAX_SORT_CHARS {
        return Err(refuse());
    }
    let read = |piece: &str| {
        let (name, direction) = piece.split_once(':').unwrap_or((piece, "desc"));
        let direction = match direction.trim() {
            "asc" => Direction::Asc,
            "desc" => Direction::Desc,
            _ => return None,
        };
        Some(SortBy { key: key(name.trim())?, direction })
    };
    text.split(',').map(|piece| read(piece).ok_or_else(refuse)).collect()
}

/// A list that says nothing of limit and offset.
pub(super) fn counted(collection: &str, items: Vec<Value>, total: u64) -> Value {
    let mut document = Map::new();
    document.insert(collection.to_owned(), Value::Array(items));
    document.insert("count".to_owned(), total.into());
    Value::Object(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_model::id::VaultId;

    fn page(query: &str) -> Option<PageRequest<VaultId>> {
        read(&Query::parse(Some(query)).unwrap(), VaultId::parse).ok()
    }

    #[test]
    fn c10_c11_a_marker_wins_over_an_offset_and_what_is_no_number_is_refused() {
        let plain = page("").unwrap();
        assert_eq!((plain.limit, plain.start), (1000, Start::Offset(0)));
        let id = "11111111-1111-1111-1111-111111111111";
        let both = page(&format!("marker={id}&offset=3&limit=2")).unwrap();
        assert_eq!(both.start, Start::After(VaultId::parse(id).unwrap()));
        assert_eq!((both.limit, both.offset), (2, 3));
        for bad in ["limit=0", "limit=1001", "limit=x", "limit=-1", "offset=-1", "offset=1.5"] {
            assert_eq!(page(bad), None, "{bad}");
        }
        assert_eq!(page("offset=99999999999999999999"), None);
        assert_eq!(page("marker=x"), None);
    }

    #[test]
    fn orders_are_read_and_the_largest_stand_first() {
        let sort = |text: &str| {
            let query = Query::parse(Some(&format!("sort={text}"))).unwrap();
            read_sort(&query, |key| (key == "name" || key == "id").then(|| key.to_owned()))
                .map(|keys| keys.len())
        };
        assert_eq!(sort("name,id:asc").unwrap(), 2);
        for bad in ["size", "name:up", "name,,id", "name:asc:desc"] {
            assert!(sort(bad).is_err(), "{bad}");
        }
        let query = Query::parse(Some("sort=id")).unwrap();
        let read = read_sort(&query, |_| Some(())).unwrap();
        assert_eq!(read, [SortBy { key: (), direction: Direction::Desc }]);
    }

    #[test]
    fn a_list_at_hand_is_cut_after_its_marker() {
        let ids: Vec<VaultId> =
            (1..=3).map(|n| VaultId::parse(&format!("{n}").repeat(32)).unwrap()).collect();
        let after = page(&format!("limit=1&marker={}", ids[0])).unwrap();
        assert_eq!(after.cut(ids.clone(), |a, b| a == b), [ids[1]]);
        let gone = page(&format!("marker={}", "4".repeat(32))).unwrap();
        assert!(gone.cut(ids.clone(), |a, b| a == b).is_empty());
        assert!(page("offset=9").unwrap().cut(ids, |a, b| a == b).is_empty());
    }
}
