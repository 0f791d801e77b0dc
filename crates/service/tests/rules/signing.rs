//! Users with access keys, and the requests that they sign.

use strongroom_model::time::Timestamp;
use strongroom_service::identity::signature::SignedRequest;
use strongroom_service::identity::{Credentials, IssuedKey, NameOrId, Proved, ScopeRequest, Token};
use strongroom_service::{Caller, Result, Service};
use strongroom_testkit::signer::{Form, Signer, Unsigned};

use super::world::World;

/// A key as its user holds it.
#[derive(Debug, Clone)]
pub(crate) struct Hand {
    pub(crate) access: String,
    pub(crate) secret: String,
    pub(crate) security_token: Option<String>,
}

impl From<IssuedKey> for Hand {
    fn from(issued: IssuedKey) -> Self {
        let (secret, security_token) = (issued.secret, issued.security_token);
        Self { access: issued.key.access, secret, security_token }
    }
}

impl Hand {
    pub(crate) fn signer(&self, form: Form) -> Signer {
        Signer { form, access: self.access.clone(), secret: self.secret.clone() }
    }

    /// A request for backups, signed at an instant.
    pub(crate) fn get(&self, form: Form, at: Timestamp) -> Sent {
        self.send(form, at, ("GET", "/v3/backups?limit=10&name=a%20b"), b"")
    }

    pub(crate) fn send(
        &self,
        form: Form,
        at: Timestamp,
        (method, target): (&str, &str),
        body: &[u8],
    ) -> Sent {
        let date = date(at);
        let headers = [("host", "cbr.test"), ("user-agent", "ua/1"), ("x-sdk-date", &date)];
        let authorization =
            self.signer(form).sign(&Unsigned { method, target, headers: &headers, body });
        let mut sent = Sent::new(method, target, body);
        for (name, value) in headers {
            sent = sent.with(name, value);
        }
        sent = sent.with("Authorization", &authorization);
        match &self.security_token {
            Some(token) => sent.with("X-Security-Token", token),
            None => sent,
        }
    }
}

/// A request as the service receives it.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    fn new(method: &str, target: &str, body: &[u8]) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: body.to_vec(),
        }
    }

    /// The same with a header that was not signed.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same without a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self
    }

    /// The same with another value of a header.
    pub(crate) fn changed(self, name: &str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    pub(crate) async fn proved(&self, service: &Service) -> Result<Proved> {
        self.proved_in(service, None).await
    }

    /// As received at a path that names a project.
    pub(crate) async fn proved_in(
        &self,
        service: &Service,
        project: Option<&str>,
    ) -> Result<Proved> {
        let request = SignedRequest {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        };
        service.prove_signature(&request, project, "req-1".to_owned()).await
    }

    pub(crate) async fn caller(&self, service: &Service) -> Result<Caller> {
        Ok(self.proved(service).await?.caller)
    }
}

/// An instant as requests write it.
pub(crate) fn date(at: Timestamp) -> String {
    let text = at.format_rfc3339();
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    format!("{}Z", &digits[..15])
}

pub(crate) fn by_password(user: &str, password: &str) -> Credentials {
    let user = NameOrId::Name(user.to_owned(), None);
    Credentials::Password { user, password: password.to_owned() }
}

/// A token of `NAME-user` in the project `NAME`.
pub(crate) async fn token(w: &World, name: &str) -> Token {
    let scope = ScopeRequest::Project(NameOrId::Name(name.to_owned(), None));
    let credentials = by_password(&format!("{name}-user"), "password");
    w.service.issue_token(credentials, scope).await.unwrap()
}

pub(crate) async fn proved(w: &World, name: &str) -> Proved {
    token(w, name).await.proved("req-1".to_owned())
}

/// The administrator, as proved by its token.
pub(crate) async fn proved_admin(w: &World) -> Proved {
    let scope = ScopeRequest::Project(NameOrId::Name("admin".to_owned(), None));
    let credentials = by_password("admin", &w.bootstrap.password);
    let token = w.service.issue_token(credentials, scope).await.unwrap();
    token.proved("req-1".to_owned())
}

/// A permanent key of `NAME-user`.
pub(crate) async fn hand(w: &World, name: &str) -> Hand {
    let by = proved(w, name).await;
    w.service.create_access_key(&by, None, String::new()).await.unwrap().into()
}
