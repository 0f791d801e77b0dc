//! The one version that is spoken, 2.1 in its first microversion, and how it is announced.

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::reply::Reply;

/// The only microversion.
const VERSION: &str = "2.1";

/// What tells the version of an answer, in the new manner and in the old one.
pub(super) const HEADERS: [(&str, &str); 2] =
    [("openstack-api-version", "compute 2.1"), ("x-openstack-nova-api-version", "2.1")];

/// `GET /`: every version.
pub(super) fn root(origin: &str) -> Reply {
    let mut entry = entry(origin);
    entry["links"] = json!([own_link(origin)]);
    Reply::ok(json!({"versions": [entry]}))
}

/// `GET /v2.1/`: the version, not in a list.
pub(super) fn document(origin: &str) -> Reply {
    let mut entry = entry(origin);
    entry["media-types"] = json!([{
        "base": "application/json",
        "type": "application/vnd.openstack.compute+json;version=2.1",
    }]);
    Reply::ok(json!({"version": entry}))
}

fn entry(origin: &str) -> Value {
    json!({
        "id": "v2.1",
        "status": "CURRENT",
        "version": VERSION,
        "min_version": VERSION,
        "updated": "2013-07-23T11:33:21Z",
        "links": [
            own_link(origin),
            {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"},
        ],
    })
}

fn own_link(origin: &str) -> Value {
    json!({"rel": "self", "href": format!("{origin}/v2.1/")})
}

/// Refuses a request for another microversion.
pub(super) fn negotiate(headers: &HeaderMap) -> Result<(), Fault> {
    let Some(wanted) = requested(headers) else {
        return Ok(());
    };
    if wanted.eq_ignore_ascii_case("latest") || wanted == VERSION {
        return Ok(());
    }
    if !is_version(&wanted) {
        return Err(Fault::bad_request(format!(
            "API Version String {wanted} is of invalid format. Must be of format \
             MajorNum.MinorNum."
        )));
    }
    Err(Fault::new(
        StatusCode::NOT_ACCEPTABLE,
        format!(
            "Version {wanted} is not supported by the API. Minimum is {VERSION} and maximum is \
             {VERSION}."
        ),
    ))
}

/// What follows the name of this service in the newer header, else what the older one says.
fn requested(headers: &HeaderMap) -> Option<String> {
    let texts = |name: &str| -> Vec<String> {
        let values = headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    };
    let newer = texts("openstack-api-version");
    let mut pairs = newer.iter().flat_map(|value| value.split(',')).map(str::trim);
    let own = pairs.find_map(|pair| {
        let (name, version) = pair.split_once(char::is_whitespace).unwrap_or((pair, ""));
        name.eq_ignore_ascii_case("compute").then(|| version.trim().to_owned())
    });
    own.or_else(|| {
        texts("x-openstack-nova-api-version").first().map(|version| version.trim().to_owned())
    })
}

fn is_version(text: &str) -> bool {
    let is_number = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0')
    };
    text.split_once('.')
        .is_some_and(|(major, minor)| is_number(major) && (minor == "0" || is_number(minor)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(name: &'static str, value: &str) -> Result<(), (u16, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        negotiate(&headers).map_err(|fault| (fault.status.as_u16(), fault.message))
    }

    #[test]
    fn only_the_first_microversion_is_spoken() {
        let newer = "openstack-api-version";
        for value in ["compute 2.1", "Compute latest", "volume 3.70", "volume 3.1, compute 2.1"] {
            assert_eq!(ask(newer, value), Ok(()), "{value}");
        }
        let (status, told) = ask(newer, "compute 2.90").unwrap_err();
        assert_eq!(status, 406);
        assert_eq!(
            told,
            "Version 2.90 is not supported by the API. Minimum is 2.1 and maximum is 2.1."
        );
        for value in ["compute", "compute 2", "compute 2.01", "compute two.one"] {
            assert_eq!(ask(newer, value).unwrap_err().0, 400, "{value}");
        }
        assert_eq!(ask("x-openstack-nova-api-version", "2.1"), Ok(()));
        assert_eq!(ask("x-openstack-nova-api-version", "2.3").unwrap_err().0, 406);
    }
}
