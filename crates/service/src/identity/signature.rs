//! Requests signed with an access key: read the proof, rebuild what was signed, compare.
//!
//! There are two forms with the same name of algorithm. The newer says `Access=` and signs with the
//! secret itself; the older says `Credential=`, signs with a key derived from the secret, the day
//! and a scope, and of a POST without a body signs the query in the body's place. Only what is
//! listed as signed is proved.

use std::fmt::Write as _;
use std::time::Duration;

use ring::{digest, hmac};
use strongroom_model::time::Timestamp;

use crate::error::{Error, Result};

const ALGORITHM: &str = "SDK-HMAC-SHA256";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
/// How far the date of a request may lie from the service's clock, either way.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);

/// A request as it was received; nothing in it is believed yet.
#[derive(Clone, Debug)]
pub struct SignedRequest<'a> {
    /// The method, upper case.
    pub method: &'a str,
    /// The path as sent, still percent-encoded.
    pub path: &'a str,
    /// The query as sent, without the question mark.
    pub query: &'a str,
    /// Names and values of the headers.
    pub headers: &'a [(String, String)],
    /// The whole body.
    pub body: &'a [u8],
}

impl SignedRequest<'_> {
    /// The only value of a header; none if it is absent or sent twice.
    fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value.trim())
    }

    /// The value of a header, if it is there. One that is sent twice could be read in two ways:
    /// `Unauthenticated`.
    pub(super) fn only(&self, name: &str) -> Result<Option<&str>> {
        let is_there = self.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
        match self.header(name) {
            None if is_there => Err(Error::Unauthenticated),
            value => Ok(value),
        }
    }
}

/// What an `Authorization` header of a signed request claims.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The public half of the key.
    pub access_key: &'a str,
    scope: Option<&'a str>,
    signed_headers: &'a str,
    signature: Vec<u8>,
}

impl<'a> Claim<'a> {
    /// Reads the header in either form; none if it is in neither.
    #[must_use]
    pub fn parse(header: &'a str) -> Option<Self> {
        let rest = header.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let (mut key, mut names, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let repeated = match name {
                "Access" => key.replace((value, None)).is_some(),
                "Credential" => {
                    let (access, scope) = value.split_once('/')?;
                    key.replace((access, Some(scope))).is_some()
                }
                "SignedHeaders" => names.replace(value).is_some(),
                "Signature" => signature.replace(unhex(value)?).is_some(),
                _ => true,
            };
            if repeated {
                return None;
            }
        }
        let (access_key, scope) = key?;
        Some(Self { access_key, scope, signed_headers: names?, signature: signature? })
    }

    /// Whether the secret signed this request at about this time.
    #[must_use]
    pub fn verify(&self, secret: &str, request: &SignedRequest<'_>, now: Timestamp) -> bool {
        self.check(secret, request, now).is_some()
    }

    fn check(&self, secret: &str, request: &SignedRequest<'_>, now: Timestamp) -> Option<()> {
        let date = request.header("x-sdk-date")?;
        let signed_at = parse_date(date)?;
        if signed_at.plus(WINDOW) < now || now.plus(WINDOW) < signed_at {
            return None;
        }
        let hash =
            hex(digest::digest(&digest::SHA256, self.canonical(request)?.as_bytes()).as_ref());
        let (key, text) = match self.scope {
            None => (secret.as_bytes().to_vec(), format!("{ALGORITHM}\n{date}\n{hash}")),
            Some(scope) => {
                (derive(secret, scope, date)?, format!("{ALGORITHM}\n{date}\n{scope}\n{hash}"))
            }
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        hmac::verify(&key, text.as_bytes(), &self.signature).ok()
    }

    fn canonical(&self, request: &SignedRequest<'_>) -> Option<String> {
        let mut headers = String::new();
        let mut dated = false;
        for name in self.signed_headers.split(';') {
            dated |= name.eq_ignore_ascii_case("x-sdk-date");
            writeln!(headers, "{}:{}", name.to_ascii_lowercase(), request.header(name)?).ok()?;
        }
        if !dated {
            return None;
        }
        let mut query = canonical_query(request.query)?;
        let mut payload = request.body;
        let moved = query.clone();
        if self.scope.is_some() && request.method == "POST" && payload.is_empty() {
            payload = moved.as_bytes();
            query.clear();
        }
        let actual = hex(digest::digest(&digest::SHA256, payload).as_ref());
        let hash = request.header("x-sdk-content-sha256").unwrap_or(&actual);
        if hash != UNSIGNED_PAYLOAD && !hash.eq_ignore_ascii_case(&actual) {
            return None;
        }
        let path = canonical_path(request.path)?;
        let names = self.signed_headers;
        Some(format!("{}\n{path}\n{query}\n{headers}\n{names}\n{hash}", request.method))
    }
}

fn derive(secret: &str, scope: &str, date: &str) -> Option<Vec<u8>> {
    let parts: Vec<&str> = scope.split('/').collect();
    if parts.len() != 4 || parts[3] != "sdk_request" || date.get(..8)? != parts[0] {
        return None;
    }
    Some(parts.iter().fold(format!("SDK{secret}").into_bytes(), |key, part| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        hmac::sign(&key, part.as_bytes()).as_ref().to_vec()
    }))
}

fn parse_date(text: &str) -> Option<Timestamp> {
    if text.len() != 16 || !text.is_ascii() {
        return None;
    }
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    if day.len() != 8 || time.len() != 6 {
        return None;
    }
    let (year, month, day) = (&day[..4], &day[4..6], &day[6..]);
    let (hour, minute, second) = (&time[..2], &time[2..4], &time[4..]);
    Timestamp::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

fn canonical_path(path: &str) -> Option<String> {
    let plain = decode(path)?;
    let parts: Vec<_> = plain.split(|byte| *byte == b'/').map(encode).collect();
    let mut path = parts.join("/");
    if !path.ends_with('/') {
        path.push('/');
    }
    Some(path)
}

/// Every value counts. Some clients of the older form sign only the first of a repeated name: what
/// they send is refused, since the others could be anything.
fn canonical_query(query: &str) -> Option<String> {
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let plain = |text: &str| decode(&text.replace('+', " "));
        pairs.push((plain(name)?, plain(value)?));
    }
    pairs.sort();
    let pairs: Vec<_> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    Some(pairs.join("&"))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(if byte == b'%' {
            digit(bytes.next()?)? * 16 + digit(bytes.next()?)?
        } else {
            byte
        });
    }
    Some(plain)
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| Some(digit(pair[0])? * 16 + digit(*pair.get(1)?)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "TestSecretKey0123456789abcdefghijklmnop";
    const PROJECT: &str = "0605767b5780d5762fc5c0118072a564";
    const NEW: &str = "SDK-HMAC-SHA256 Access=TESTAK000000000000, SignedHeaders=content-type;host;user-agent;x-project-id;x-sdk-date, Signature=";
    const OLD: &str =
        "SDK-HMAC-SHA256 Credential=TESTAK000000000000/20260101///sdk_request, SignedHeaders=";

    fn accepted(header: &str, case: [&str; 5], now: &str) -> bool {
        let [method, path, query, kind, body] = case;
        let headers = [
            ("Content-Type", kind),
            ("Accept", "application/json"),
            ("Host", "cbr.example.test"),
            ("User-Agent", "ua/1"),
            ("X-Project-Id", PROJECT),
            ("X-Sdk-Date", "20260101T000000Z"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let path = format!("/v3/{PROJECT}/{path}");
        let request =
            SignedRequest { method, path: &path, query, headers: &headers, body: body.as_bytes() };
        let now = Timestamp::parse(now).unwrap();
        Claim::parse(header).unwrap().verify(SECRET, &request, now)
    }

    const NOW: &str = "2026-01-01T00:00:00Z";
    const QUERY: &str = "limit=10&name=a%20b&status=available";
    const GET: [&str; 5] = ["GET", "backups", QUERY, "application/json", ""];
    const POST: [&str; 5] = ["POST", "vaults", "", "application/json", "{\"vault\": {}}"];

    fn new_get() -> String {
        format!("{NEW}1ad8da4b4ddb76f93f98c673f6ae589a324ff6529a7029fb9669e60d39cf119e")
    }

    #[test]
    fn the_known_signatures_are_accepted() {
        assert!(accepted(&new_get(), GET, NOW));
        let post = format!("{NEW}c7974c0cb48f5a28a31226ca62294e07e98081e5507dbc03fa0163d319f034fb");
        let mut case = POST;
        case[3] = "application/json;charset=UTF-8";
        assert!(accepted(&post, case, NOW));
        let get = format!(
            "{OLD}accept;host;user-agent;x-sdk-date, Signature=37f63dc3d7102409d9f1bbb665b88ccdafa9b321b3cc175394dda2d4bdeec099"
        );
        assert!(accepted(&get, GET, NOW));
        let post = format!(
            "{OLD}accept;content-type;host;user-agent;x-sdk-date, Signature=b155b2d54b8a2466d1c54eea31d188cfb542be36ff54f363b128c33292f97b03"
        );
        assert!(accepted(&post, POST, NOW));
    }

    #[test]
    fn whatever_is_changed_is_refused() {
        for (part, changed) in
            [(0, "PUT"), (1, "backupt"), (2, "limit=11"), (3, "text/plain"), (4, "x")]
        {
            let mut case = GET;
            case[part] = changed;
            assert!(!accepted(&new_get(), case, NOW), "{changed}");
        }
    }

    #[test]
    fn outside_the_window_it_is_refused() {
        assert!(accepted(&new_get(), GET, "2026-01-01T00:15:00Z"));
        assert!(!accepted(&new_get(), GET, "2026-01-01T00:15:01Z"));
        assert!(accepted(&new_get(), GET, "2025-12-31T23:45:00Z"));
        assert!(!accepted(&new_get(), GET, "2025-12-31T23:44:59Z"));
    }
}
