//! The vendor's policies and the disks that they are bound to: operations P1 to P7.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use strongroom_service::policy::{Binding, BindingFault};

use super::call::{Answer, Call};
use super::policy_body::PolicyBody;
use super::policy_view;
use super::vendor_body::{self, BodyCodes, get, refuse};
use crate::fault::Fault;
use crate::reply::Reply;

/// The codes of bodies about policies that say nothing.
pub(super) const BODY: BodyCodes =
    BodyCodes { absent: "AutoBackup.0000", empty: "AutoBackup.0001", malformed: "AutoBackup.0008" };

/// The one kind of resource that can be bound to a policy.
const VOLUME: &str = "volume";

/// `POST /backuppolicy` (P1).
pub(super) async fn create(call: &Call) -> Answer {
    let body = PolicyBody::read(&vendor_body::object(call, BODY)?)?;
    let new = body.into_new(call.service.now())?;
    let policy = call.service.create_policy(&call.caller, new).await?;
    Ok(Reply::ok(json!({"backup_policy_id": policy.id.to_string()})))
}

/// `GET /backuppolicy` (P2): all of them.
pub(super) async fn list(call: &Call) -> Answer {
    let (policies, now) = (call.service.policies(&call.caller).await?, call.service.now());
    let shown: Vec<_> = policies.iter().map(|one| policy_view::view(one, now)).collect();
    Ok(Reply::ok(json!({"backup_policies": shown})))
}

/// `GET /backuppolicy/ID`, which is not documented: the policy without an envelope.
pub(super) async fn show(call: &Call, id: &str) -> Answer {
    let policy = call.service.policy(&call.caller, id).await?;
    Ok(Reply::ok(policy_view::view(&policy, call.service.now())))
}

/// `PUT /backuppolicy/ID` (P3): what the body does not name stays; tags are added.
pub(super) async fn update(call: &Call, id: &str) -> Answer {
    let body = PolicyBody::read(&vendor_body::object(call, BODY)?)?;
    let present = call.service.policy(&call.caller, id).await?.policy;
    let change = body.into_change(&present.trigger.zone, call.service.now())?;
    let policy = call.service.update_policy(&call.caller, id, change).await?;
    Ok(Reply::ok(json!({"backup_policy_id": policy.id.to_string()})))
}

/// `DELETE /backuppolicy/ID` (P4).
pub(super) async fn delete(call: &Call, id: &str) -> Answer {
    call.service.delete_policy(&call.caller, id).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// `POST /backuppolicy/ID/action` (P5): runs it now; a body does not matter.
pub(super) async fn execute(call: &Call, id: &str) -> Answer {
    call.service.execute_policy(&call.caller, id).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// `POST /backuppolicyresources` (P6).
pub(super) async fn bind(call: &Call) -> Answer {
    let body = vendor_body::object(call, BODY)?;
    let id = get(&body, "backup_policy_id").and_then(Value::as_str).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| refuse("AutoBackup.0006", "'backup_policy_id' is missing."))?;
    let wanted = read_resources(&body)?;
    let bindings = call.service.bind_volumes(&call.caller, id, &wanted.volumes).await?;
    Ok(outcome(&wanted, &bindings))
}

/// `POST /backuppolicyresources/ID/deleted_resources` (P7).
pub(super) async fn release(call: &Call, id: &str) -> Answer {
    let wanted = read_resources(&vendor_body::object(call, BODY)?)?;
    let bindings = call.service.release_volumes(&call.caller, id, &wanted.volumes).await?;
    Ok(outcome(&wanted, &bindings))
}

/// What a body wants to bind or release.
#[derive(Debug, Default)]
struct Resources {
    /// Ids of disks, as they came.
    volumes: Vec<String>,
    /// What is of another kind: the id and the kind, as they came.
    others: Vec<(String, String)>,
}

fn read_resources(body: &Map<String, Value>) -> Result<Resources, Fault> {
    let empty = || refuse("AutoBackup.0207", "'resources' must not be empty.");
    let Value::Array(items) = get(body, "resources").ok_or_else(empty)? else {
        return Err(refuse("AutoBackup.0008", "'resources' must be a list."));
    };
    if items.is_empty() {
        return Err(empty());
    }
    let mut wanted = Resources::default();
    for item in items {
        let Value::Object(resource) = item else {
            return Err(refuse("AutoBackup.0008", "A resource must be an object."));
        };
        let id = get(resource, "resource_id").and_then(Value::as_str).filter(|id| !id.is_empty());
        let no_id = || refuse("AutoBackup.0209", "'resource_id' must be the id of a disk.");
        let id = id.ok_or_else(no_id)?.to_owned();
        match get(resource, "resource_type") {
            None => wanted.volumes.push(id),
            Some(kind) if kind == VOLUME => wanted.volumes.push(id),
            Some(Value::String(kind)) => wanted.others.push((id, kind.clone())),
            Some(_) => return Err(refuse("AutoBackup.0008", "'resource_type' must be a text.")),
        }
    }
    Ok(wanted)
}

/// What was done and what was not. Some clients tell one from the other by `code` alone.
fn outcome(wanted: &Resources, bindings: &[Binding]) -> Reply {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (id, kind) in &wanted.others {
        failed.push(json!({
            "resource_id": id,
            "resource_type": kind,
            "code": "AutoBackup.0211",
            "message": "only disks can be bound to a policy",
        }));
    }
    for binding in bindings {
        let mut resource = resource(binding);
        match binding.fault {
            None => done.push(resource),
            Some(fault) => {
                let (code, message) = reason(fault);
                resource["code"] = code.into();
                resource["message"] = message.into();
                failed.push(resource);
            }
        }
    }
    Reply::ok(json!({"success_resources": done, "fail_resources": failed}))
}

fn resource(binding: &Binding) -> Value {
    let mut resource = json!({"resource_id": binding.id, "resource_type": VOLUME});
    if let Some(zone) = &binding.availability_zone {
        resource["availability_zone"] = zone.as_str().into();
        resource["os_vol_host_attr"] = format!("pod01.{zone}").into();
    }
    resource
}

const fn reason(fault: BindingFault) -> (&'static str, &'static str) {
    match fault {
        BindingFault::Missing => ("AutoBackup.0208", "there is no such disk"),
        BindingFault::State => ("AutoBackup.0206", "the disk is in a state that does not allow it"),
        BindingFault::NotBound => ("AutoBackup.1400", "the disk is not bound to the policy"),
        BindingFault::TooMany => ("AutoBackup.0204", "the policy has as many disks as it may have"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(resources: Value) -> Result<Resources, Fault> {
        read_resources(json!({"resources": resources}).as_object().unwrap())
    }

    #[test]
    fn a_bad_list_is_refused_as_a_whole() {
        for (resources, code) in [
            (json!(null), "0207"),
            (json!([]), "0207"),
            (json!({}), "0008"),
            (json!(["x"]), "0008"),
            (json!([{}]), "0209"),
            (json!([{"resource_id": ""}]), "0209"),
            (json!([{"resource_id": 7}]), "0209"),
            (json!([{"resource_id": "v", "resource_type": 7}]), "0008"),
        ] {
            let fault = read(resources.clone()).unwrap_err();
            assert_eq!(fault.code.unwrap(), format!("AutoBackup.{code}"), "{resources}");
        }
    }

    // T-29: what failed has a code, what was done has none. T-30: the host's name as it is spelled.
    #[test]
    fn t29_t30_only_what_failed_has_a_code() {
        let wanted = read(json!([
            {"resource_id": "v", "resource_type": "volume"},
            {"resource_id": "w"},
            {"resource_id": "s", "resource_type": "server"},
        ]))
        .unwrap();
        assert_eq!(wanted.volumes, ["v", "w"]);
        let binding = |id: &str, fault| Binding {
            id: id.to_owned(),
            volume_id: None,
            availability_zone: Some("nova".to_owned()),
            fault,
        };
        let bindings = [binding("v", None), binding("w", Some(BindingFault::State))];
        let body = outcome(&wanted, &bindings).body.unwrap();
        insta::assert_snapshot!(body["success_resources"], @r#"[{"resource_id":"v","resource_type":"volume","availability_zone":"nova","os_vol_host_attr":"pod01.nova"}]"#);
        insta::assert_snapshot!(body["fail_resources"], @r#"[{"resource_id":"s","resource_type":"server","code":"AutoBackup.0211","message":"only disks can be bound to a policy"},{"resource_id":"w","resource_type":"volume","availability_zone":"nova","os_vol_host_attr":"pod01.nova","code":"AutoBackup.0206","message":"the disk is in a state that does not allow it"}]"#);
    }
}
