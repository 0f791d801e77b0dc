//! Access keys, permanent and temporary, by the paths that the vendor's clients know.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use bytes::Bytes;
use serde_json::{Value, json};
use strongroom_model::identity::AccessKey;
use strongroom_service::Service;
use strongroom_service::identity::{AccessKeyChange, IssuedKey, Proved};

use super::DONE;
use super::ask::{Answer, Ask, parse};
use super::fields::Fields;
use super::refusal::Refusal;
use super::routes::Place;
use crate::reply::Reply;

/// The words for a key that proves something and one that does not.
const STATUS: [(&str, bool); 2] = [("active", true), ("inactive", false)];

/// `POST /v3.0/OS-CREDENTIAL/credentials`: for the caller unless a user is named.
pub(super) async fn create(ask: &Ask) -> Answer {
    let body = ask.json()?;
    let fields = Fields::of(&body, "credential")?;
    let user = fields.filled("user_id")?;
    let description = fields.text("description")?.unwrap_or_default();
    let made = ask.service.create_access_key(&ask.proved, user.as_deref(), description).await?;
    let mut view = view(&made.key);
    view["secret"] = json!(made.secret);
    Ok(Reply::created(json!({"credential": view})))
}

/// `GET /v3.0/OS-CREDENTIAL/credentials`: the caller's, or those of the user that the query names.
pub(super) async fn list(ask: &Ask) -> Answer {
    let keys = ask.service.access_keys(&ask.caller, ask.query.get("user_id")).await?;
    let views: Vec<Value> = keys.iter().map(view).collect();
    Ok(Reply::ok(json!({"credentials": views})))
}

/// `GET /v3.0/OS-CREDENTIAL/credentials/ACCESS`.
pub(super) async fn show(ask: &Ask, access: &str) -> Answer {
    let key = ask.service.access_key(&ask.caller, access).await?;
    Ok(Reply::ok(json!({"credential": view(&key)})))
}

/// `PUT /v3.0/OS-CREDENTIAL/credentials/ACCESS`.
pub(super) async fn update(ask: &Ask, access: &str) -> Answer {
    let body = ask.json()?;
    let fields = Fields::of(&body, "credential")?;
    let is_enabled = match fields.text("status")? {
        None => None,
        Some(word) => {
            let known = STATUS.iter().find(|(name, _)| *name == word);
            let refusal = || Refusal::bad_request("'status' must be active or inactive");
            Some(known.ok_or_else(refusal)?.1)
        }
    };
    let change = AccessKeyChange { is_enabled, description: fields.text("description")? };
    let key = ask.service.update_access_key(&ask.caller, access, change).await?;
    Ok(Reply::ok(json!({"credential": view(&key)})))
}

/// `DELETE /v3.0/OS-CREDENTIAL/credentials/ACCESS`.
pub(super) async fn delete(ask: &Ask, access: &str) -> Answer {
    ask.service.delete_access_key(&ask.caller, access).await?;
    Ok(Reply::empty(DONE))
}

/// Whether a request may prove its caller by a token in its body.
pub(super) fn brings_its_token(method: &Method, place: Place<'_>) -> bool {
    method == Method::POST && place == Place::Credentials(&["securitytokens"])
}

/// `POST /v3.0/OS-CREDENTIAL/securitytokens` of a caller that its headers prove.
pub(super) async fn lend(ask: &Ask) -> Answer {
    let wish = match &ask.body {
        Some(_) => Wish::read(&ask.json()?)?,
        None => Wish::default(),
    };
    match wish.token {
        // What is lent is bound to the token that the body names.
        Some(token) => {
            let token = ask.service.validate_token(&token).await?;
            issue(&ask.service, &token.proved(ask.caller.request_id.clone()), wish.life).await
        }
        None => issue(&ask.service, &ask.proved, wish.life).await,
    }
}

/// The same of a caller that is proved by nothing but the token in the body.
pub(super) async fn lend_to_token(
    service: &Service,
    body: Option<Bytes>,
    request_id: &str,
) -> Answer {
    let wish = match &body {
        Some(_) => Wish::read(&parse(body.as_ref())?)?,
        None => Wish::default(),
    };
    let token = wish.token.ok_or_else(Refusal::unauthenticated)?;
    let token = service.validate_token(&token).await?;
    issue(service, &token.proved(request_id.to_owned()), wish.life).await
}

async fn issue(service: &Service, by: &Proved, life: Option<Duration>) -> Answer {
    let issued = service.create_temporary_key(by, life).await?;
    Ok(Reply::json(StatusCode::CREATED, json!({"credential": temporary_view(&issued)})))
}

/// What a temporary key is asked for with.
#[derive(Debug, Default)]
struct Wish {
    token: Option<String>,
    life: Option<Duration>,
}

impl Wish {
    /// Reads `{"auth": {"identity": {"methods": ["token"], "token": {…}}}}`.
    fn read(body: &Value) -> Result<Self, Refusal> {
        let auth = Fields::of(body, "auth")?;
        let identity = auth.get("identity").ok_or_else(|| Refusal::lacking("identity"))?;
        if identity["methods"] != json!(["token"]) {
            return Err(Refusal::bad_request(
                "'methods' must be [\"token\"]: agencies are unknown",
            ));
        }
        // One who asks for less must not be given more.
        if identity.get("policy").is_some_and(|policy| !policy.is_null()) {
            return Err(Refusal::bad_request("A policy cannot be put on a temporary access key."));
        }
        if identity.get("token").is_none_or(Value::is_null) {
            return Ok(Self::default());
        }
        let token = Fields::of(identity, "token")?;
        let life = token.get("duration_seconds").map(seconds).transpose()?;
        let token = match token.get("id") {
            None => None,
            Some(id) => Some(id.as_str().ok_or_else(|| Refusal::lacking("id of the token"))?),
        };
        Ok(Self { token: token.map(str::to_owned), life })
    }
}

/// A number of seconds, which some write as text.
fn seconds(value: &Value) -> Result<Duration, Refusal> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let refusal = || Refusal::bad_request("'duration_seconds' must be a whole number");
    number.map(Duration::from_secs).ok_or_else(refusal)
}

fn view(key: &AccessKey) -> Value {
    let status = STATUS.iter().find(|(_, is_enabled)| *is_enabled == key.is_enabled);
    json!({
        "access": key.access,
        "user_id": key.user_id.as_str(),
        "description": key.description,
        "status": status.map(|(name, _)| name),
        "create_time": key.created_at.format_utc_micros(),
    })
}

fn temporary_view(issued: &IssuedKey) -> Value {
    json!({
        "access": issued.key.access,
        "secret": issued.secret,
        "securitytoken": issued.security_token,
        "expires_at": issued.key.bounds.as_ref().map(|it| it.expires_at.format_utc_micros()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(identity: &Value) -> Result<Wish, Refusal> {
        Wish::read(&json!({"auth": {"identity": identity}}))
    }

    #[test]
    fn a_wish_names_a_life_and_perhaps_a_token() {
        let methods = json!(["token"]);
        let bare = wish(&json!({"methods": methods})).unwrap();
        assert_eq!((bare.token, bare.life), (None, None));
        for life in [json!(900), json!("900")] {
            let token = json!({"id": "t", "duration_seconds": life});
            let full = wish(&json!({"methods": methods, "token": token})).unwrap();
            assert_eq!(full.token.as_deref(), Some("t"));
            assert_eq!(full.life, Some(Duration::from_secs(900)));
        }
    }

    #[test]
    fn what_would_give_more_than_was_asked_for_is_refused() {
        for identity in [
            json!({}),
            json!({"methods": ["assume_role"], "assume_role": {"agency_name": "a"}}),
            json!({"methods": ["token"], "policy": {"Version": "1.1"}}),
            json!({"methods": ["token"], "token": 7}),
            json!({"methods": ["token"], "token": {"id": 7}}),
            json!({"methods": ["token"], "token": {"duration_seconds": -1}}),
            json!({"methods": ["token"], "token": {"duration_seconds": 1.5}}),
        ] {
            assert!(wish(&identity).is_err(), "{identity}");
        }
        assert!(Wish::read(&json!([])).is_err());
    }
}
