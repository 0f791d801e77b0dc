//! Steps on backups: made, named, restored, deleted and tagged, in every dialect.

use serde_json::json;

use super::asked::{Door, Effect, Request, Step};
use super::dice::Dice;
use super::scene::Scene;
use super::views::Truth;

const NATIVE: &str = "/v3/{p}/backups";
const CLOUD: &str = "/v2/{p}/cloudbackups";

pub(super) fn native(scene: &Scene, _: &Truth, dice: &mut Dice) -> Option<Step> {
    let mut body = json!({"backup": {"volume_id": dice.one_of(&scene.disks)?, "force": true}});
    if !dice.once_in(4) {
        body["backup"]["name"] = json!(dice.name());
    }
    body["backup"]["incremental"] = json!(dice.once_in(2));
    Request::step(Door::Volume, ("POST", NATIVE.to_owned()), Some(body), Effect::None)
}

pub(super) fn cloud(scene: &Scene, _: &Truth, dice: &mut Dice) -> Option<Step> {
    let volume = dice.one_of(&scene.disks)?;
    let full = if dice.once_in(2) { "true" } else { "false" };
    let body = json!({"backup": {
        "name": dice.name(), "volume_id": volume, "extend_param": {"FullBackup": full},
    }});
    Request::step(Door::Volume, ("POST", CLOUD.to_owned()), Some(body), Effect::None)
}

pub(super) fn checkpoint(scene: &Scene, _: &Truth, dice: &mut Dice) -> Option<Step> {
    let parameters = json!({"incremental": dice.once_in(2), "auto_trigger": dice.once_in(4)});
    let body = json!({"checkpoint": {
        "vault_id": dice.one_of(&scene.vaults)?, "parameters": parameters,
    }});
    let path = "/v3/{p}/checkpoints".to_owned();
    Request::step(Door::Cbr, ("POST", path), Some(body), Effect::None)
}

pub(super) fn name_natively(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let (id, name) = (dice.one_of(&truth.disk_ids())?.clone(), dice.name());
    let path = format!("{NATIVE}/{id}");
    let body = json!({"backup": {"name": name}});
    Request::step(Door::Volume, ("PUT", path), Some(body), Effect::Named(id, name))
}

pub(super) fn name(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let (id, name) = (dice.one_of(&truth.ids())?.clone(), dice.name());
    let body = json!({"backup": {"name": name}});
    Request::step(Door::Cbr, ("PUT", path(&id)), Some(body), Effect::Named(id, name))
}

pub(super) fn delete_natively(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let id = dice.one_of(&truth.disk_ids())?.clone();
    Request::step(Door::Volume, ("DELETE", format!("{NATIVE}/{id}")), None, Effect::Going(id))
}

pub(super) fn delete_by_job(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let id = dice.one_of(&truth.disk_ids())?.clone();
    Request::step(Door::Volume, ("POST", format!("{CLOUD}/{id}")), None, Effect::Going(id))
}

pub(super) fn delete(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let id = dice.one_of(&truth.ids())?.clone();
    Request::step(Door::Cbr, ("DELETE", path(&id)), None, Effect::Going(id))
}

pub(super) fn restore_natively(scene: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let path = format!("{NATIVE}/{}/restore", dice.one_of(&truth.disk_ids())?);
    let body = json!({"restore": {"volume_id": dice.one_of(&scene.disks)?}});
    Request::step(Door::Volume, ("POST", path), Some(body), Effect::None)
}

pub(super) fn restore_by_job(scene: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let path = format!("{CLOUD}/{}/restore", dice.one_of(&truth.disk_ids())?);
    let body = json!({"restore": {"volume_id": dice.one_of(&scene.disks)?}});
    Request::step(Door::Volume, ("POST", path), Some(body), Effect::None)
}

pub(super) fn restore(scene: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let id = dice.one_of(&truth.ids())?.clone();
    let wish = match truth.servers.contains_key(&id) {
        true => json!({"server_id": scene.server}),
        false => json!({"volume_id": dice.one_of(&scene.disks)?}),
    };
    let path = format!("{}/restore", path(&id));
    let body = json!({ "restore": wish });
    Request::step(Door::Cbr, ("POST", path), Some(body), Effect::None)
}

pub(super) fn set_status(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let path = format!("{NATIVE}/{}/action", dice.one_of(&truth.disk_ids())?);
    let status = if dice.once_in(2) { "available" } else { "error" };
    let body = json!({"os-reset_status": {"status": status}});
    Request::step(Door::VolumeOfAdmin, ("POST", path), Some(body), Effect::None)
}

pub(super) fn tag(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let path = format!("/v2/{{p}}/os-vendor-tags/backups/{}", dice.one_of(&truth.disk_ids())?);
    let body = json!({"tags": {format!("k{}", dice.below(3)): dice.name()}});
    let method = if dice.once_in(3) { "PUT" } else { "POST" };
    Request::step(Door::Volume, (method, path), Some(body), Effect::None)
}

pub(super) fn tag_vault(scene: &Scene, _: &Truth, dice: &mut Dice) -> Option<Step> {
    let path = format!("/v3/{{p}}/vault/{}/tags/action", dice.one_of(&scene.vaults)?);
    let action = if dice.once_in(3) { "delete" } else { "create" };
    let tag = json!({"key": format!("k{}", dice.below(3)), "value": dice.name()});
    let body = json!({"action": action, "tags": [tag]});
    Request::step(Door::Cbr, ("POST", path), Some(body), Effect::None)
}

fn path(id: &str) -> String {
    format!("/v3/{{p}}/backups/{id}")
}
