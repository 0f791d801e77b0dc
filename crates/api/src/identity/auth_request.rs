//! The body of a request for a token: who asks, how it is proved, and for which scope.

use serde_json::{Map, Value};
use strongroom_service::identity::{Credentials, DomainRef, NameOrId, ScopeRequest};

use super::refusal::Refusal;

/// Reads `{"auth": {"identity": …, "scope": …}}`.
pub(super) fn read(body: &Value) -> Result<(Credentials, ScopeRequest), Refusal> {
    let auth = object(body, "auth")?;
    let identity = auth
        .get("identity")
        .and_then(Value::as_object)
        .ok_or_else(|| Refusal::lacking("identity"))?;
    Ok((read_credentials(identity)?, read_scope(auth.get("scope"))?))
}

fn read_credentials(identity: &Map<String, Value>) -> Result<Credentials, Refusal> {
    let methods = identity
        .get("methods")
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::lacking("methods"))?;
    // Several methods at once would all have to be proved; nobody asks for that.
    match methods.as_slice() {
        [method] if method == "password" => read_password(inner(identity, "password")?),
        [method] if method == "token" => {
            let token = inner(identity, "token")?;
            Ok(Credentials::Token(text(token, "id")?))
        }
        [method] if method == "hw_ak_sk" => {
            let halves = inner(identity, "hw_ak_sk")?;
            let half = |key| text(inner(halves, key)?, "key");
            Ok(Credentials::AccessKey { access: half("access")?, secret: half("secret")? })
        }
        _ => Err(Refusal::unauthenticated()),
    }
}

fn read_password(method: &Map<String, Value>) -> Result<Credentials, Refusal> {
    let user = inner(method, "user")?;
    Ok(Credentials::Password { user: name_or_id(user, "user")?, password: text(user, "password")? })
}

fn read_scope(scope: Option<&Value>) -> Result<ScopeRequest, Refusal> {
    let scope = match scope {
        None | Some(Value::Null) => return Ok(ScopeRequest::Default),
        Some(Value::String(word)) if word == "unscoped" => return Ok(ScopeRequest::Unscoped),
        Some(Value::Object(scope)) => scope,
        Some(_) => return Err(Refusal::lacking("a valid scope")),
    };
    if scope.contains_key("unscoped") {
        Ok(ScopeRequest::Unscoped)
    } else if scope.contains_key("project") {
        let project = name_or_id(inner(scope, "project")?, "project")?;
        Ok(ScopeRequest::Project(project))
    } else if scope.contains_key("domain") {
        let domain = domain_ref(inner(scope, "domain")?)?;
        Ok(ScopeRequest::Domain(domain))
    } else {
        // A system or a trust: scopes that nobody has here.
        Err(Refusal::unauthenticated())
    }
}

fn name_or_id(map: &Map<String, Value>, what: &str) -> Result<NameOrId, Refusal> {
    if let Some(id) = map.get("id").and_then(Value::as_str) {
        return Ok(NameOrId::Id(id.to_owned()));
    }
    let name = map
        .get("name")
        .and_then(Value::as_str)
        .ok_or_else(|| Refusal::lacking(&format!("id or name of the {what}")))?;
    let domain = match map.get("domain") {
        None | Some(Value::Null) => None,
        Some(_) => Some(domain_ref(inner(map, "domain")?)?),
    };
    Ok(NameOrId::Name(name.to_owned(), domain))
}

fn domain_ref(map: &Map<String, Value>) -> Result<DomainRef, Refusal> {
    let named = |key| map.get(key).and_then(Value::as_str).map(str::to_owned);
    named("id")
        .map(DomainRef::Id)
        .or_else(|| named("name").map(DomainRef::Name))
        .ok_or_else(|| Refusal::lacking("id or name of the domain"))
}

fn object<'a>(value: &'a Value, key: &str) -> Result<&'a Map<String, Value>, Refusal> {
    value.get(key).and_then(Value::as_object).ok_or_else(|| Refusal::lacking(key))
}

fn inner<'a>(map: &'a Map<String, Value>, key: &str) -> Result<&'a Map<String, Value>, Refusal> {
    map.get(key).and_then(Value::as_object).ok_or_else(|| Refusal::lacking(key))
}

fn text(map: &Map<String, Value>, key: &str) -> Result<String, Refusal> {
    map.get(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| Refusal::lacking(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with_scope(scope: &Value) -> Result<ScopeRequest, Refusal> {
        let identity = json!({"methods": ["token"], "token": {"id": "t"}});
        read(&json!({"auth": {"identity": identity, "scope": scope}})).map(|(_, scope)| scope)
    }

    #[test]
    fn a_password_proves_a_user_by_name_or_id() {
        let domain = json!({"name": "Default"});
        let user = json!({"name": "ann", "domain": domain, "password": "p"});
        let body =
            json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}});
        let (credentials, scope) = read(&body).unwrap();
        assert_eq!(scope, ScopeRequest::Default);
        let Credentials::Password { user, password } = credentials else {
            panic!("{credentials:?}")
        };
        let domain = Some(DomainRef::Name("Default".to_owned()));
        assert_eq!((user, password.as_str()), (NameOrId::Name("ann".to_owned(), domain), "p"));
    }

    #[test]
    fn both_halves_of_a_key_prove_its_user() {
        let halves = json!({"access": {"key": "A"}, "secret": {"key": "S"}});
        let identity = json!({"methods": ["hw_ak_sk"], "hw_ak_sk": halves});
        let (credentials, _) = read(&json!({"auth": {"identity": identity}})).unwrap();
        let Credentials::AccessKey { access, secret } = credentials else {
            panic!("{credentials:?}")
        };
        assert_eq!((access.as_str(), secret.as_str()), ("A", "S"));
    }

    #[test]
    fn scopes_in_every_spelling() {
        let id = || "x".to_owned();
        let table = [
            (json!("unscoped"), ScopeRequest::Unscoped),
            (json!({"unscoped": {}}), ScopeRequest::Unscoped),
            (json!(null), ScopeRequest::Default),
            (json!({"project": {"id": "x"}}), ScopeRequest::Project(NameOrId::Id(id()))),
            (
                json!({"project": {"name": "x", "domain": {"id": "x"}}}),
                ScopeRequest::Project(NameOrId::Name(id(), Some(DomainRef::Id(id())))),
            ),
            (json!({"domain": {"name": "x"}}), ScopeRequest::Domain(DomainRef::Name(id()))),
        ];
        for (scope, expected) in table {
            assert_eq!(with_scope(&scope).unwrap(), expected, "{scope}");
        }
        for bad in [json!(1), json!({"project": {}}), json!({"system": {"all": true}}), json!({})] {
            assert!(with_scope(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_request_for_a_token_is_refused() {
        for identity in [
            json!({}),
            json!({"methods": []}),
            json!({"methods": ["password", "token"]}),
            json!({"methods": ["totp"], "totp": {}}),
            json!({"methods": ["password"]}),
            json!({"methods": ["password"], "password": {"user": {"name": "a"}}}),
            json!({"methods": ["password"], "password": {"user": {"name": 1, "password": "p"}}}),
            json!({"methods": ["token"], "token": {"id": 7}}),
            json!({"methods": ["hw_ak_sk"], "hw_ak_sk": {"access": {"key": "A"}}}),
            json!({"methods": ["hw_ak_sk"], "hw_ak_sk": {"access": "A", "secret": "S"}}),
        ] {
            assert!(read(&json!({"auth": {"identity": identity}})).is_err(), "{identity}");
        }
        assert!(read(&json!([])).is_err());
    }
}
