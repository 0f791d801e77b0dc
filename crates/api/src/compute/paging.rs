//! Pages by `limit` and `marker`, and the link to the next one.

use serde_json::{Value, json};

use super::Call;
use crate::fault::Fault;

/// The most items of a page, and how many one has that is not limited.
const MAX_ITEMS: u32 = 1000;

/// Reads the `limit`; one beyond the most is cut down in silence.
pub(super) fn limit(call: &Call) -> Result<u32, Fault> {
    read_limit(call.query.get("limit"))
}

fn read_limit(text: Option<&str>) -> Result<u32, Fault> {
    let Some(text) = text else {
        return Ok(MAX_ITEMS);
    };
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::bad_request(format!(
            "Invalid input for query parameters limit. Value: {text}. '{text}' does not match \
             '^[0-9]*$'"
        )));
    }
    Ok(text.parse().map_or(MAX_ITEMS, |limit: u32| limit.min(MAX_ITEMS)))
}

/// 400 for a page that should start after nothing that is there.
pub(super) fn no_marker(marker: &str) -> Fault {
    Fault::bad_request(format!("marker [{marker}] not found"))
}

/// The document of a page, with a link to the next if it is full.
pub(super) fn document(call: &Call, path: &str, limit: u32, items: Vec<Value>) -> Value {
    let collection = path.split('/').next().unwrap_or(path);
    let is_full = limit > 0 && u32::try_from(items.len()).is_ok_and(|length| length == limit);
    let last = items.last().and_then(|item| item["id"].as_str()).map(str::to_owned);
    let mut body = json!({ collection: items });
    if let Some(last) = last.filter(|_| is_full) {
        let (base, query) = (base(call), call.query.encode_with("marker", &last));
        let href = format!("{base}/{path}?{query}");
        body[format!("{collection}_links")] = json!([{"rel": "next", "href": href}]);
    }
    body
}

/// Where the request's own version and project begin.
fn base(call: &Call) -> String {
    let project = call.project.as_ref().map_or_else(String::new, |project| format!("/{project}"));
    format!("{}/v2.1{project}", call.origin)
}

/// The links of a thing, as short views show them.
pub(super) fn links(call: &Call, path: &str) -> Value {
    let project = call.project.as_ref().map_or_else(String::new, |project| format!("/{project}"));
    json!([
        {"rel": "self", "href": format!("{}/{path}", base(call))},
        {"rel": "bookmark", "href": format!("{}{project}/{path}", call.origin)},
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_capped_or_refused() {
        assert_eq!(read_limit(None).unwrap(), 1000);
        for (text, limit) in [("0", 0), ("7", 7), ("5000", 1000), ("99999999999999", 1000)] {
            assert_eq!(read_limit(Some(text)).unwrap(), limit, "{text}");
        }
        for text in ["", "-1", "x", "1.5", "+1"] {
            assert!(read_limit(Some(text)).is_err(), "{text}");
        }
    }
}
