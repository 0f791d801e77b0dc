//! In which order a list is asked for.

use strongroom_model::page::{Direction, SortBy};

use crate::fault::Fault;
use crate::query::Query;

/// Reads `sort`, or the older `sort_key` and `sort_dir`. `key_of` knows the attributes by name.
/// No wish at all is an empty answer: the newest first.
pub(super) fn read<K>(
    query: &Query,
    key_of: impl Fn(&str) -> Option<K>,
) -> Result<Vec<SortBy<K>>, Fault> {
    let old = (query.get("sort_key"), query.get("sort_dir"));
    match (query.get("sort"), old) {
        (Some(_), (Some(_), _) | (_, Some(_))) => Err(Fault::bad_request(
            "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with \
             the 'sort' parameter.",
        )),
        (Some(sort), _) => read_pairs(sort, key_of),
        (None, (None, None)) => Ok(Vec::new()),
        (None, (key, direction)) => {
            let key = key.map(str::trim).filter(|key| !key.is_empty());
            let pair = read_pair(key.unwrap_or("created_at"), direction, &key_of)?;
            Ok(vec![pair])
        }
    }
}

fn read_pairs<K>(sort: &str, key_of: impl Fn(&str) -> Option<K>) -> Result<Vec<SortBy<K>>, Fault> {
    if sort.trim().is_empty() {
        return Ok(Vec::new());
    }
    sort.split(',')
        .map(|pair| {
            let (key, direction) = match pair.split_once(':') {
                Some((key, direction)) => (key, Some(direction)),
                None => (pair, None),
            };
            read_pair(key, direction, &key_of)
        })
        .collect()
}

fn read_pair<K>(
    key: &str,
    direction: Option<&str>,
    key_of: &impl Fn(&str) -> Option<K>,
) -> Result<SortBy<K>, Fault> {
    let direction = match direction.map(str::trim) {
        None | Some("" | "desc") => Direction::Desc,
        Some("asc") => Direction::Asc,
        Some(_) => {
            return Err(Fault::invalid_input("Unknown sort direction, must be 'desc' or 'asc'."));
        }
    };
    let key = key_of(key.trim()).ok_or_else(|| Fault::invalid_input("Invalid sort key"))?;
    Ok(SortBy { key, direction })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(query: &str) -> Result<Vec<(char, Direction)>, String> {
        let known = |key: &str| match key {
            "a" | "b" => key.chars().next(),
            "created_at" => Some('c'),
            _ => None,
        };
        read(&Query::parse(Some(query)).unwrap(), known)
            .map(|keys| keys.into_iter().map(|by| (by.key, by.direction)).collect())
            .map_err(|fault| fault.message)
    }

    #[test]
    fn both_spellings_are_read() {
        use Direction::{Asc, Desc};
        assert_eq!(sorted(""), Ok(vec![]));
        assert_eq!(sorted("sort=a:asc,b"), Ok(vec![('a', Asc), ('b', Desc)]));
        assert_eq!(sorted("sort_key=b"), Ok(vec![('b', Desc)]));
        assert_eq!(sorted("sort_dir=asc"), Ok(vec![('c', Asc)]));
    }

    #[test]
    fn refusals_have_cinders_words() {
        assert_eq!(sorted("sort=x").unwrap_err(), "Invalid input received: Invalid sort key");
        assert_eq!(
            sorted("sort=a:up").unwrap_err(),
            "Invalid input received: Unknown sort direction, must be 'desc' or 'asc'."
        );
        assert!(sorted("sort=a&sort_dir=asc").unwrap_err().contains("are deprecated"));
    }
}
