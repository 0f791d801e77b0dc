"""Rows about agents, checkpoints, backups, members, operations and the domain."""

import json
import uuid

from huawei import DISK, SERVER
from sdk_rows import agent_of, row, shared

# Agents


@row
def register_agent(world):
    agent = agent_of(world.sdk)
    assert (agent.host_name, agent.status) == ("files-1", "normal")


@row
def list_agent(world):
    agent = agent_of(world.sdk)
    found = world.sdk.list_agent(limit="10", agent_id=[agent.agent_id])
    assert ([it.agent_id for it in found.agents], found.count) == ([agent.agent_id], 1)


@row
def show_agent(world):
    agent = agent_of(world.sdk)
    assert world.sdk.show_agent(agent_id=agent.agent_id).agent == agent


@row
def update_agent(world):
    agent = agent_of(world.sdk)
    body = {"agent": {"status": "uninstall"}}
    changed = world.sdk.update_agent(agent_id=agent.agent_id, body=body).agent
    assert changed.status == "uninstall"


@row
def unregister_agent(world):
    agent = agent_of(world.sdk)
    answer = world.sdk.unregister_agent(agent_id=agent.agent_id)
    assert answer.status_code == 200
    refusal = world.sdk.refused("show_agent", agent_id=agent.agent_id)
    assert refusal == (404, "BackupService.7410")


@row
def add_agent_path(world):
    agent = agent_of(world.sdk)
    body = {"add_path": ["/srv", "/etc"]}
    world.sdk.add_agent_path(agent_id=agent.agent_id, body={"add_path": ["/etc"]})
    answer = world.sdk.add_agent_path(agent_id=agent.agent_id, body=body)
    assert (answer.added, answer.existed) == (["/srv"], ["/etc"])


@row
def remove_agent_path(world):
    agent = agent_of(world.sdk)
    world.sdk.add_agent_path(agent_id=agent.agent_id, body={"add_path": ["/etc"]})
    body = {"remove_path": ["/etc", "/srv"]}
    answer = world.sdk.remove_agent_path(agent_id=agent.agent_id, body=body)
    assert (answer.removed, answer.not_existed) == (["/etc"], ["/srv"])


@row
def check_agent(world):
    asked = {"resource_id": world.host["id"], "resource_type": SERVER, "resource_name": "web-1"}
    (answer,) = world.sdk.check_agent(body={"agent_status": [asked]}).agent_status
    assert (answer.resource_id, answer.installed) == (world.host["id"], False)


# Checkpoints and backups


@row
def create_checkpoint(world):
    disk = world.sdk.disk("kept")
    vault = world.sdk.vault("kept", [disk])
    parameters = {"resource_details": [disk], "incremental": False, "description": "by hand"}
    made, (backup,) = world.sdk.checkpoint(vault.id, name="by-hand", **parameters)
    assert (made.extra_info.name, made.extra_info.retention_duration) == ("by-hand", -1)
    assert (backup.name, backup.checkpoint_id) == ("by-hand", made.id)


@row
def show_checkpoint(world):
    found = world.sdk.show_checkpoint(checkpoint_id=world.checkpoint.id).checkpoint
    assert (found.vault.id, found.status) == (world.hosts.id, "available")
    assert found.vault.resources[0].resource_size == "2"


@row
def list_backups(world):
    query = {"limit": 5, "offset": 0, "sort": "created_at:desc", "status": "available"}
    found = world.sdk.list_backups(vault_id=world.vault.id, show_replication=True, **query)
    assert [it.id for it in found.backups] == [world.backup.id]
    assert (found.count, found.limit, found.offset) == (1, 5, 0)
    children = world.sdk.list_backups(parent_id=world.host_backup.id).backups
    assert {it.resource_type for it in children} == {DISK}
    assert len(children) == 2


@row
def show_backup(world):
    backup = world.sdk.show_backup(backup_id=world.host_backup.id).backup
    assert {child.parent_id for child in backup.children} == {backup.id}
    assert {child.provider_id for child in backup.children} == {backup.provider_id}
    assert sum(child.resource_size for child in backup.children) == backup.resource_size == 2


@row
def update_backup(world):
    body = {"backup": {"name": "renamed"}}
    changed = world.sdk.update_backup(backup_id=world.backup.id, body=body).backup
    assert changed.name == "renamed"
    assert changed.updated_at


@row
def show_metadata(world):
    answer = world.sdk.show_metadata(backup_id=world.host_backup.id)
    assert json.loads(answer.backups)["id"] == answer.backup_id == world.host_backup.id
    assert json.loads(answer.server)["server"]["id"] == world.host["id"]
    assert json.loads(answer.flavor)["flavor"]
    assert json.loads(answer.interface)["interfaceAttachments"]
    assert [set(json.loads(one)) for one in answer.volumes] == [{"volume"}] * 2
    assert [set(json.loads(one)) for one in answer.ports] == [{"port"}]
    assert [set(json.loads(one)) for one in answer.floatingips] == [{"floatingips"}]


@row
def delete_backup(world):
    vault = world.sdk.vault("short", [world.sdk.disk("short")])
    made, (backup,) = world.sdk.checkpoint(vault.id)
    assert world.sdk.delete_backup(backup_id=backup.id).status_code == 204
    world.sdk.gone("show_backup", "BackupService.6200", backup_id=backup.id)
    world.sdk.gone("show_checkpoint", "BackupService.6217", checkpoint_id=made.id)


@row
def restore_backup(world):
    body = {"restore": {"volume_id": world.spare["id"]}}
    answer = world.sdk.restore_backup(backup_id=world.backup.id, body=body)
    assert answer.status_code == 202
    (log,) = world.sdk.list_op_logs(operation_type="restore").operation_logs
    log = world.sdk.finished(log.id)
    assert log.extra_info.restore.target_resource_id == world.spare["id"]


@row
def copy_backup(world):
    to = {"destination_project_id": world.sdk.project_id, "destination_region": "elsewhere"}
    to["destination_vault_id"] = str(uuid.uuid4())
    refusal = world.sdk.refused(
        "copy_backup", backup_id=world.host_backup.id, body={"replicate": to}
    )
    assert refusal == (400, "BackupService.1005")


@row
def copy_checkpoint(world):
    to = {"destination_project_id": world.sdk.project_id, "destination_region": "elsewhere"}
    to |= {"destination_vault_id": str(uuid.uuid4()), "vault_id": world.hosts.id}
    refusal = world.sdk.refused("copy_checkpoint", body={"replicate": to})
    assert refusal == (400, "BackupService.1005")


@row
def import_backup(world):
    one = {"backup_id": str(uuid.uuid4()), "backup_name": "other", "bucket_name": "bucket"}
    one |= {"created_at": 1_700_000_000, "image_path": "a/b", "resource_id": str(uuid.uuid4())}
    one |= {"resource_name": "vm", "resource_type": "OS::Native::Server"}
    assert world.sdk.refused("import_backup", body={"sync": [one]}) == (400, "BackupService.7300")


@row
def import_checkpoint(world):
    body = {"sync": {"vault_id": world.vault.id, "auto_trigger": False}}
    assert world.sdk.refused("import_checkpoint", body=body) == (400, "BackupService.7300")


# Members


@row
def add_member(world):
    backup, member = shared(world)
    assert (member.backup_id, member.status) == (backup.id, "pending")
    assert member.dest_project_id == world.friend.project_id


@row
def show_members_detail(world):
    backup, member = shared(world)
    found = world.sdk.show_members_detail(backup_id=backup.id, limit=10, sort="created_at:asc")
    assert ([it.id for it in found.members], found.count) == ([member.id], 1)


@row
def show_member_detail(world):
    backup, member = shared(world)
    found = world.sdk.show_member_detail(backup_id=backup.id, member_id=world.friend.project_id)
    assert found.member == member


@row
def update_member_status(world):
    backup, _ = shared(world)
    vault = world.friend.vault("received")
    body = {"status": "accepted", "vault_id": vault.id}
    to = {"backup_id": backup.id, "member_id": world.friend.project_id}
    member = world.friend.update_member_status(**to, body=body).member
    assert (member.status, member.vault_id) == ("accepted", vault.id)
    seen = world.friend.show_backup(backup_id=backup.id).backup
    assert (seen.project_id, seen.vault_id) == (world.sdk.project_id, vault.id)


@row
def delete_member(world):
    backup, _ = shared(world)
    to = {"backup_id": backup.id, "member_id": world.friend.project_id}
    assert world.sdk.delete_member(**to).status_code == 204
    assert world.sdk.show_members_detail(backup_id=backup.id).members == []
    refusal = world.sdk.refused("show_member_detail", **to)
    assert refusal == (404, "BackupService.6705")


# Operation logs, protectables, features


@row
def list_op_logs(world):
    query = {"operation_type": "backup", "vault_id": world.vault.id, "status": "success"}
    found = world.sdk.list_op_logs(limit=10, offset=0, resource_id=world.disk["id"], **query)
    (log,) = found.operation_logs
    assert log.extra_info.backup.backup_id == world.backup.id
    assert (found.count, found.limit, found.offset) == (1, 10, 0)


@row
def show_op_log(world):
    (listed,) = world.sdk.list_op_logs(vault_id=world.hosts.id).operation_logs
    log = world.sdk.show_op_log(operation_log_id=listed.id).operation_log
    assert (log.status, log.extra_info.common.progress) == ("success", 100)
    assert log.extra_info.resource.id == world.host["id"]
    assert (log.error_info.code, log.error_info.message) == ("", "")


@row
def list_protectable(world):
    found = world.sdk.list_protectable(protectable_type="server", limit=50, name="web").instances
    (host,) = [it for it in found if it.id == world.host["id"]]
    assert (host.type, host.size, host.protectable.result) == (SERVER, 2, False)
    assert host.protectable.vault.id == world.hosts.id
    assert len(host.children) == 2


@row
def show_protectable(world):
    asked = {"protectable_type": "disk", "instance_id": world.spare["id"]}
    found = world.sdk.show_protectable(**asked).instance
    assert (found.type, found.status, found.protectable.result) == (DISK, "available", True)
    assert found.detail["id"] == world.spare["id"]


@row
def show_replication_capabilities(world):
    (region,) = world.sdk.show_replication_capabilities().regions
    assert (region.name, region.replication_destinations) == (world.region, [])


@row
def list_features(world):
    features = world.sdk.list_features().body
    assert features["replication.source_region"] == world.region


@row
def show_feature(world):
    answer = world.sdk.show_feature(feature_key="replication.source_region")
    assert answer.body == {"replication.source_region": world.region}
    refusal = world.sdk.refused("show_feature", feature_key="no.such.feature")
    assert refusal == (400, "BackupService.9900")


# The domain


@row
def list_projects(world):
    projects = world.whole.list_projects().projects
    assert world.sdk.project_id in {it.id for it in projects}


@row
def list_domain_projects(world):
    projects = world.whole.list_domain_projects(domain_name="Default").projects
    assert world.friend.project_id in {it.project_id for it in projects}


@row
def show_domain(world):
    found = world.sdk.show_domain(source_project_id=world.friend.project_id)
    assert (found.project_name, found.domain_name) == ("friends", "Default")


@row
def show_migrate_status(world):
    answer = world.whole.show_migrate_status(all_regions=True)
    assert answer.status == "success"
    assert {row.status for row in answer.project_status} <= {"success"}


@row
def migrate_domain(world):
    answer = world.whole.migrate_domain(body={"all_regions": True, "reservation": 0.2})
    assert answer.body == {world.region: "running"}
