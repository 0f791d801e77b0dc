//! Steps on shares, which are members: given, offered, taken, declined and ended.

use serde_json::json;

use super::asked::{Door, Effect, Request, Step};
use super::dice::Dice;
use super::scene::Scene;
use super::views::Truth;

const SHARES: &str = "/v2/{p}/os-vendor-backup-sharing";

/// One of the projects that backups are shared with.
fn project<'a>(scene: &'a Scene, dice: &mut Dice) -> &'a str {
    if dice.once_in(4) { &scene.world.admin.project } else { &scene.receiver.project }
}

pub(super) fn share(scene: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let ids = if dice.once_in(5) { truth.disk_ids() } else { truth.whole_ids(true) };
    let id = dice.one_of(&ids)?.clone();
    let to = project(scene, dice).to_owned();
    let body = json!({"shared": {"backup_id": id, "to_project_ids": [to]}});
    let effect = Effect::Member(id, to, Some("accepted".to_owned()));
    Request::step(Door::Volume, ("POST", SHARES.to_owned()), Some(body), effect)
}

pub(super) fn offer(scene: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let ids = if dice.once_in(5) { truth.ids() } else { truth.whole_ids(false) };
    let id = dice.one_of(&ids)?.clone();
    let to = project(scene, dice).to_owned();
    let path = format!("/v3/{{p}}/backups/{id}/members");
    let body = json!({"members": [to]});
    let effect = Effect::Member(id, to, Some("pending".to_owned()));
    Request::step(Door::Cbr, ("POST", path), Some(body), effect)
}

pub(super) fn answer(scene: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let to = &scene.receiver.project;
    let offered: Vec<_> = truth.members.iter().filter(|one| one.to == *to).collect();
    let backup = dice.one_of(&offered)?.backup.clone();
    let status = *dice.one_of(&["accepted", "accepted", "rejected", "pending"])?;
    let mut body = json!({ "status": status });
    if status == "accepted" {
        let is_servers = truth.servers.contains_key(&backup);
        body["vault_id"] = json!(scene.places[usize::from(!is_servers)]);
    }
    let path = format!("/v3/{{p}}/backups/{backup}/members/{to}");
    let effect = Effect::Member(backup, to.clone(), Some(status.to_owned()));
    Request::step(Door::CbrOfReceiver, ("PUT", path), Some(body), effect)
}

pub(super) fn end(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let members: Vec<_> = truth.members.iter().collect();
    let one = dice.one_of(&members)?;
    let effect = Effect::Member(one.backup.clone(), one.to.clone(), None);
    Request::step(Door::Volume, ("DELETE", format!("{SHARES}/{}", one.id)), None, effect)
}

pub(super) fn end_all(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let members: Vec<_> = truth.members.iter().collect();
    let one = dice.one_of(&members)?;
    let path = format!("{SHARES}/{}?is_backup_id=true", one.backup);
    let effect = Effect::Member(one.backup.clone(), one.to.clone(), None);
    Request::step(Door::Volume, ("DELETE", path), None, effect)
}

pub(super) fn remove(_: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let members: Vec<_> = truth.members.iter().collect();
    let one = dice.one_of(&members)?;
    let path = format!("/v3/{{p}}/backups/{}/members/{}", one.backup, one.to);
    let effect = Effect::Member(one.backup.clone(), one.to.clone(), None);
    Request::step(Door::Cbr, ("DELETE", path), None, effect)
}

pub(super) fn use_it(scene: &Scene, truth: &Truth, dice: &mut Dice) -> Option<Step> {
    let taken = |id: &String| truth.is_taken(id, &scene.receiver.project);
    let taken: Vec<_> = truth.disk_ids().into_iter().filter(taken).collect();
    let body = json!({"volume": {"backup_id": dice.one_of(&taken)?, "size": 1}});
    let path = "/v3/{p}/volumes".to_owned();
    Request::step(Door::VolumeOfReceiver, ("POST", path), Some(body), Effect::None)
}
