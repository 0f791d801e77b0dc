//! Where links point to: the configured public address, else the one that the client used.

use axum::http::HeaderMap;
use axum::http::header::HOST;

/// Scheme, host and path prefix for links, without a slash at the end.
///
/// Behind a proxy the client's own address stands in `X-Forwarded-Proto` and in the last element
/// of `X-Forwarded-Host`.
pub(crate) fn of_request(public_endpoint: Option<&str>, headers: &HeaderMap) -> String {
    if let Some(endpoint) = public_endpoint {
        return endpoint.trim_end_matches('/').to_owned();
    }
    let scheme = match last_of(headers, "x-forwarded-proto") {
        Some("https") => "https",
        _ => "http",
    };
    let host = last_of(headers, "x-forwarded-host")
        .or_else(|| last_of(headers, HOST.as_str()))
        .unwrap_or("localhost");
    format!("{scheme}://{host}")
}

/// The last element of a comma list in a header, if it could be a host or a scheme.
fn last_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let text = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let last = text.rsplit(',').next()?.trim();
    let fits = !last.is_empty()
        && last.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    fits.then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    // T-06: the self link carries the address that the client used.
    #[test]
    fn t06_forwarded_host_and_scheme_win_over_host() {
        let direct = headers(&[("host", "10.0.0.1:8776")]);
        assert_eq!(of_request(None, &direct), "http://10.0.0.1:8776");
        let proxied = headers(&[
            ("host", "10.0.0.1:8776"),
            ("x-forwarded-host", "inner, vault.example.org"),
            ("x-forwarded-proto", "https"),
        ]);
        assert_eq!(of_request(None, &proxied), "https://vault.example.org");
        assert_eq!(
            of_request(Some("https://api.example.org/volume/"), &proxied),
            "https://api.example.org/volume"
        );
    }

    #[test]
    fn what_is_no_host_is_ignored() {
        let odd = headers(&[("host", "h:1"), ("x-forwarded-host", "a\"b/c")]);
        assert_eq!(of_request(None, &odd), "http://h:1");
        assert_eq!(of_request(None, &HeaderMap::new()), "http://localhost");
    }
}
