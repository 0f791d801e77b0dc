//! Signs requests with an access key as clients do, in both forms: the service's verifier turned
//! round, and written without it.
//!
//! Targets are taken as they stand: whoever writes one has encoded it as it is signed.

use ring::{digest, hmac};

/// How the header `Authorization` is written, and what follows for the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `Access=`: signed with the secret itself.
    New,
    /// `Credential=`: signed with a key that is derived from secret and day.
    Old,
}

impl Form {
    /// Both.
    pub const ALL: [Self; 2] = [Self::New, Self::Old];
}

/// A client's access key.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The form in which it signs.
    pub form: Form,
    /// The public half.
    pub access: String,
    /// The secret half.
    pub secret: String,
}

/// A request before it is sent.
#[derive(Debug, Clone)]
pub struct Unsigned<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query as they are sent.
    pub target: &'a str,
    /// Names in lower case and values of the headers that are signed, in the order of their names;
    /// `x-sdk-date` is among them.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

impl Signer {
    /// The value of the header `Authorization`.
    pub fn sign(&self, request: &Unsigned<'_>) -> String {
        let date = value(request.headers, "x-sdk-date").unwrap_or_default();
        let hash = hex(&sha256(self.canonical(request).as_bytes()));
        let scope = format!("{}///sdk_request", date.split('T').next().unwrap_or_default());
        let (who, signature) = match self.form {
            Form::New => {
                let text = format!("SDK-HMAC-SHA256\n{date}\n{hash}");
                (format!("Access={}", self.access), keyed(self.secret.as_bytes(), &text))
            }
            Form::Old => {
                let mut key = format!("SDK{}", self.secret).into_bytes();
                for part in scope.split('/') {
                    key = keyed(&key, part);
                }
                let text = format!("SDK-HMAC-SHA256\n{date}\n{scope}\n{hash}");
                (format!("Credential={}/{scope}", self.access), keyed(&key, &text))
            }
        };
        let (names, signature) = (names(request.headers), hex(&signature));
        format!("SDK-HMAC-SHA256 {who}, SignedHeaders={names}, Signature={signature}")
    }

    /// The six parts of what is signed.
    fn canonical(&self, request: &Unsigned<'_>) -> String {
        let (path, query) = request.target.split_once('?').unwrap_or((request.target, ""));
        let slash = if path.ends_with('/') { "" } else { "/" };
        let mut pairs: Vec<String> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
            .collect();
        pairs.sort();
        if self.form == Form::Old {
            pairs.dedup_by(|later, first| later.split('=').next() == first.split('=').next());
        }
        let query = pairs.join("&");
        let takes_place =
            self.form == Form::Old && request.method == "POST" && request.body.is_empty();
        let (query, payload) =
            if takes_place { ("", query.as_bytes()) } else { (query.as_str(), request.body) };
        let payload = match value(request.headers, "x-sdk-content-sha256") {
            Some(given) => given.to_owned(),
            None => hex(&sha256(payload)),
        };
        let headers: String = request
            .headers
            .iter()
            .map(|(name, value)| format!("{name}:{}\n", value.trim()))
            .collect();
        let (method, names) = (request.method, names(request.headers));
        [method, &format!("{path}{slash}"), query, &headers, &names, &payload].join("\n")
    }
}

fn names(headers: &[(&str, &str)]) -> String {
    headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";")
}

fn value<'a>(headers: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers<'a> = &'a [(&'a str, &'a str)];

    const PROJECT: &str = "0605767b5780d5762fc5c0118072a564";
    const DATE: (&str, &str) = ("x-sdk-date", "20260101T000000Z");
    const HOST: (&str, &str) = ("host", "cbr.example.test");
    const AGENT: (&str, &str) = ("user-agent", "ua/1");
    const ACCEPT: (&str, &str) = ("accept", "application/json");

    fn signature(form: Form, request: &Unsigned<'_>) -> String {
        let access = "TESTAK000000000000".to_owned();
        let secret = "TestSecretKey0123456789abcdefghijklmnop".to_owned();
        let header = Signer { form, access, secret }.sign(request);
        header.rsplit_once('=').unwrap().1.to_owned()
    }

    #[test]
    fn known_requests_have_their_known_signatures() {
        let get = format!("/v3/{PROJECT}/backups?limit=10&name=a%20b&status=available");
        let post = format!("/v3/{PROJECT}/vaults");
        let body = b"{\"vault\": {}}";
        let json = ("content-type", "application/json");
        let spelled = ("content-type", "application/json;charset=UTF-8");
        let project = ("x-project-id", PROJECT);
        let (get, post) = (get.as_str(), post.as_str());
        let table: [(Form, &str, &str, Headers<'_>, &str); 4] = [
            (
                Form::New,
                "GET",
                get,
                &[json, HOST, AGENT, project, DATE],
                "1ad8da4b4ddb76f93f98c673f6ae589a324ff6529a7029fb9669e60d39cf119e",
            ),
            (
                Form::New,
                "POST",
                post,
                &[spelled, HOST, AGENT, project, DATE],
                "c7974c0cb48f5a28a31226ca62294e07e98081e5507dbc03fa0163d319f034fb",
            ),
            (
                Form::Old,
                "GET",
                get,
                &[ACCEPT, HOST, AGENT, DATE],
                "37f63dc3d7102409d9f1bbb665b88ccdafa9b321b3cc175394dda2d4bdeec099",
            ),
            (
                Form::Old,
                "POST",
                post,
                &[ACCEPT, json, HOST, AGENT, DATE],
                "b155b2d54b8a2466d1c54eea31d188cfb542be36ff54f363b128c33292f97b03",
            ),
        ];
        for (form, method, target, headers, expected) in table {
            let body: &[u8] = if method == "POST" { body } else { b"" };
            let request = Unsigned { method, target, headers, body };
            assert_eq!(signature(form, &request), expected, "{form:?} {method}");
        }
    }
}
