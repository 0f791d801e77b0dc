//! Which page of a list is asked for, and the link to the one after it.

use serde_json::{Value, json};
use strongroom_model::page::Start;

use super::call::Call;
use crate::fault::Fault;

/// The most items of a page, and as many as there are when nobody asks.
pub(super) const MAX_ITEMS: u32 = 1000;

/// The page that a query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageRequest<I> {
    /// Where it starts.
    pub(super) start: Start<I>,
    /// The most items of it.
    pub(super) limit: u32,
}

/// Reads `limit`, `offset` and `marker`. A marker wins over an offset, so that following a link
/// that repeats the offset skips nothing. `parse` reads an id; a marker that is none is not found.
pub(super) fn read<I>(
    call: &Call,
    noun: &str,
    parse: impl Fn(&str) -> Option<I>,
) -> Result<PageRequest<I>, Fault> {
    let limit = read_limit(call.query.get("limit"))?;
    let offset = read_offset(call.query.get("offset"))?;
    let start = match call.query.get("marker") {
        Some(marker) => Start::After(parse(marker).ok_or_else(|| Fault::missing(noun, marker))?),
        None => Start::Offset(offset),
    };
    Ok(PageRequest { start, limit })
}

/// Reads `limit` and `offset`, for lists that know no marker.
pub(super) fn read_offset_page(call: &Call) -> Result<(u32, u32), Fault> {
    Ok((read_limit(call.query.get("limit"))?, read_offset(call.query.get("offset"))?))
}

fn read_limit(text: Option<&str>) -> Result<u32, Fault> {
    let Some(text) = text else {
        return Ok(MAX_ITEMS);
    };
    match whole(text) {
        None => Err(Fault::bad_request("limit param must be an integer")),
        Some(limit) if limit < 0 => Err(Fault::bad_request("limit param must be positive")),
        Some(limit) => Ok(u32::try_from(limit).map_or(MAX_ITEMS, |limit| limit.min(MAX_ITEMS))),
    }
}

fn read_offset(text: Option<&str>) -> Result<u32, Fault> {
    const MAX: i128 = 0x7fff_ffff;
    match text.map(whole) {
        None => Ok(0),
        Some(None) => Err(Fault::bad_request("offset must be an integer")),
        Some(Some(offset)) if offset < 0 => Err(Fault::bad_request("offset must be >= 0")),
        Some(Some(offset)) => u32::try_from(offset)
            .ok()
            .filter(|_| offset <= MAX)
            .ok_or_else(|| Fault::bad_request("offset must be <= 2147483647")),
    }
}

/// A whole number however large: what does not fit is as good as the largest that does.
fn whole(text: &str) -> Option<i128> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let huge = if text.starts_with('-') { i128::MIN } else { i128::MAX };
    Some(text.parse().unwrap_or(huge))
}

/// The document of a page: the items, the link to the next one if the page is full, the count if
/// it was asked for.
pub(super) fn document(call: &Call, path: &str, limit: u32, page: PageView) -> Value {
    let collection = path.split('/').next().unwrap_or(path);
    let is_full = u32::try_from(page.items.len()).is_ok_and(|length| length == limit);
    let mut body = json!({ collection: page.items });
    if let Some(last) = page.last_id.filter(|_| is_full) {
        let next = call.links.next(path, &call.query, &last);
        body[format!("{collection}_links")] = json!([next]);
    }
    if let Some(total) = page.total {
        body["count"] = json!(total);
    }
    body
}

/// A page in the dialect's words.
#[derive(Debug)]
pub(super) struct PageView {
    /// The items.
    pub(super) items: Vec<Value>,
    /// The id of the last of them.
    pub(super) last_id: Option<String>,
    /// Items in the whole list, if asked for.
    pub(super) total: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T>(result: Result<T, Fault>) -> String {
        result.err().map(|fault| fault.message).unwrap_or_default()
    }

    #[test]
    fn limits_are_capped_and_refused_in_cinders_words() {
        assert_eq!(read_limit(None).unwrap(), 1000);
        for (text, limit) in [("0", 0), ("7", 7), ("5000", 1000), ("99999999999999999999999", 1000)]
        {
            assert_eq!(read_limit(Some(text)).unwrap(), limit, "{text}");
        }
        for text in ["", "x", "1.5", "0x10", "-", "1e3"] {
            assert_eq!(message(read_limit(Some(text))), "limit param must be an integer");
        }
        assert_eq!(message(read_limit(Some("-1"))), "limit param must be positive");
    }

    #[test]
    fn offsets_have_a_range() {
        assert_eq!(read_offset(None).unwrap(), 0);
        assert_eq!(read_offset(Some("2147483647")).unwrap(), 2_147_483_647);
        for (text, words) in [
            ("a", "offset must be an integer"),
            ("-1", "offset must be >= 0"),
            ("2147483648", "offset must be <= 2147483647"),
            ("999999999999999999999999999999999999999999999", "offset must be <= 2147483647"),
        ] {
            assert_eq!(message(read_offset(Some(text))), words);
        }
    }
}
