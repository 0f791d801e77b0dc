//! Steps on policies, in the vendor's older dialect and in that of the vaults.

use serde_json::{Value, json};

use super::asked::{Door, Effect, Request, Step};
use super::dice::Dice;
use super::scene::Scene;
use super::views::{Policy, Truth};

const VENDORS: &str = "/v2/{p}/backuppolicy";
const POLICIES: &str = "/v3/{p}/policies";

fn switch(is_enabled: bool) -> &'static str {
    if is_enabled { "ON" } else { "OFF" }
}

pub(super) fn make_vendors(_: &Scene, _: &Truth, dice: &mut Dice) -> Option<Step> {
    let (name, is_enabled) = (dice.name(), !dice.once_in(4));
    let body = json!({
        "backup_policy_name": name,
        "scheduled_policy": {
            "start_time": format!("{:02}:00", 4 + dice.below(4)), "frequency": 1,
            "rentention_num": 2, "status": switch(is_enabled),
        },
    });
    let effect = Effect::Policy(String::new(), Some(Policy { name, is_enabled }));
    Request::step(Door::Volume, ("POST", VENDORS.to_owned()), Some(body), effect)
}

pub(super) fn make(_: &Scene, _: &Truth, dice: &mut Dice) -> Option<Step> {
    let (name, is_enabled) = (dice.name(), !dice.once_in(4));
    let pattern = format!("FREQ=DAILY;BYHOUR={};BYMINUTE={}", 4 + dice.below(4), dice.below(60));
    let body = json!({"policy": {
        "name": name, "enabled": is_enabled, "operation_type": "backup",
        "operation_definition": {"max_backups": 1 + dice.below(3)},
        "trigger": {"properties": {"pattern": [pattern]}},
    }});
    let effect = Effect::Policy(String::new(), Some(Policy { name, is_enabled }));
    Request::step(Door::Cbr, ("POST", POLICIES.to_owned()), Some(body), effect)
}

/// One of the policies, and what it is to be.
fn changed(truth: &Truth, dice: &mut Dice) -> Option<(String, Policy)> {
    let ids: Vec<_> = truth.policies.keys().collect();
    let id = (*dice.one_of(&ids)?).clone();
    Some((id, Policy { name: dice.name(), is_enabled: dice.once_in(2) }))
}

pub(super) fn change_as_vendors(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let (id, policy) = changed(truth, dice)?;
    let body = json!({
        "backup_policy_name": policy.name,
        "scheduled_policy": {"status": switch(policy.is_enabled)},
    });
    let path = format!("{VENDORS}/{id}");
    Request::step(Door::Volume, ("PUT", path), Some(body), Effect::Policy(id, Some(policy)))
}

pub(super) fn change(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let (id, policy) = changed(truth, dice)?;
    let body: Value = json!({"policy": {"name": policy.name, "enabled": policy.is_enabled}});
    let path = format!("{POLICIES}/{id}");
    Request::step(Door::Cbr, ("PUT", path), Some(body), Effect::Policy(id, Some(policy)))
}

pub(super) fn remove_as_vendors(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let (id, _) = changed(truth, dice)?;
    let path = format!("{VENDORS}/{id}");
    Request::step(Door::Volume, ("DELETE", path), None, Effect::Policy(id, None))
}

pub(super) fn remove(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let (id, _) = changed(truth, dice)?;
    let path = format!("{POLICIES}/{id}");
    Request::step(Door::Cbr, ("DELETE", path), None, Effect::Policy(id, None))
}

pub(super) fn apply(scene: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let (id, _) = changed(truth, dice)?;
    let vault = dice.one_of(&scene.vaults)?;
    let path = format!("/v3/{{p}}/vaults/{vault}/associatepolicy");
    Request::step(Door::Cbr, ("POST", path), Some(json!({"policy_id": id})), Effect::None)
}

pub(super) fn bind(scene: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let (id, _) = changed(truth, dice)?;
    let disk = dice.one_of(&scene.disks)?;
    let body = json!({
        "backup_policy_id": id,
        "resources": [{"resource_id": disk, "resource_type": "volume"}],
    });
    let path = "/v2/{p}/backuppolicyresources".to_owned();
    Request::step(Door::Volume, ("POST", path), Some(body), Effect::None)
}
