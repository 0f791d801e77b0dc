"""Every method of the vendor's SDK, once each, with a useful request and its answer decoded.

`METHODS` is the table. A method that the SDK has and the table has not is a failure, and so is the
reverse. Longer stories are in test_cbr_sdk.py.
"""

import json
import uuid
from types import SimpleNamespace

import pytest
from huaweicloudsdkcbr.v1 import CbrClient
from huaweicloudsdkcore.auth.credentials import GlobalCredentials

from huawei import DISK, SERVER, Sdk, add_server, keys, stranger

METHODS = {}
WEEKLY = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=14;BYMINUTE=00"
SCHEDULE = {"properties": {"pattern": [WEEKLY]}}


def row(check):
    """Puts a row into the table: the function is named after the method that it calls."""
    METHODS[check.__name__] = check
    return check


@pytest.fixture(scope="module")
def world(admin, server):
    """Something of every kind, to be looked at and not to be changed."""
    sdk = Sdk(admin)
    disks = [sdk.disk(f"disk-{number}") for number in range(4)]
    host = add_server(server, "web-1", [disks[2]["id"], disks[3]["id"]], "--network", "10.0.0.7")
    policy = policy_of(sdk, "nightly")
    vault = sdk.vault("disks", disks[:1], tags=[{"key": "env", "value": "prod"}])
    sdk.associate_vault_policy(vault_id=vault.id, body={"policy_id": policy.id})
    hosts = sdk.vault("hosts", [host], object_type="server")
    _, (backup,) = sdk.checkpoint(vault.id, name="of-a-disk")
    checkpoint, (host_backup,) = sdk.checkpoint(hosts.id, name="of-a-server")
    return SimpleNamespace(
        sdk=sdk,
        friend=Sdk(stranger(admin, "friends")),
        whole=Sdk(admin, GlobalCredentials(*keys(admin), admin_domain(sdk))),
        disk=disks[0],
        spare=disks[1],
        host=host,
        policy=policy,
        vault=vault,
        hosts=hosts,
        backup=backup,
        checkpoint=checkpoint,
        host_backup=host_backup,
        region=admin.http.ok("GET", f"{sdk.identity}/v3/auth/catalog", version=None)["catalog"][0][
            "endpoints"
        ][0]["region"],
    )


def admin_domain(sdk):
    return sdk.http.ok("GET", f"{sdk.identity}/v3/auth/domains", version=None)["domains"][0]["id"]


def policy_of(sdk, name, **definition):
    wish = {"name": name, "operation_type": "backup", "enabled": True, "trigger": SCHEDULE}
    wish["operation_definition"] = definition or {"max_backups": 5}
    return sdk.create_policy(body={"policy": wish}).policy


def agent_of(sdk):
    wish = {"agent_id": str(uuid.uuid4()), "host_ip": "10.0.0.9", "host_name": "files-1"}
    wish |= {"host_os": "Linux", "agent_type": "native", "agent_version": "1.2.3"}
    return sdk.register_agent(body={"agent": wish}).agent


def rule_of(sdk, name):
    wish = {"name": name, "operation_type": "backup", "policy_name": f"of-{name}"}
    wish |= {"policy_enabled": False, "policy_trigger": SCHEDULE, "description": "for everyone"}
    wish["policy_operation_definition"] = {"max_backups": 3}
    return sdk.create_organization_policy(body={"policy": wish}).policy


def shared(world):
    """A backup of its own, shared with the friends."""
    vault = world.sdk.vault("shared", [world.sdk.disk("shared")])
    _, (backup,) = world.sdk.checkpoint(vault.id)
    body = {"members": [world.friend.project_id]}
    (member,) = world.sdk.add_member(backup_id=backup.id, body=body).members
    return backup, member


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


# Vaults


@row
def create_vault(world):
    rules = {"tags": [{"key": "backup", "value": "yes"}]}
    vault = world.sdk.vault(
        "made", [world.sdk.disk()], size=40, auto_bind=False, bind_rules=rules, threshold=70
    )
    assert (vault.billing.size, vault.billing.allocated, vault.billing.used) == (40, 1, 0)
    assert (vault.threshold, vault.smn_notify, vault.locked) == (70, True, False)
    assert vault.bind_rules.tags[0].key == "backup"
    assert vault.billing.spec_code == "vault.backup.volume.normal"


@row
def create_post_paid_vault(world):
    billing = {"consistent_level": "crash_consistent", "object_type": "disk", "size": 20}
    billing |= {"protect_type": "backup", "charging_mode": "pre_paid"}
    billing |= {"period_type": "month", "period_num": 1}
    wish = {"name": "ordered", "billing": billing, "resources": []}
    answer = world.sdk.create_post_paid_vault(body={"vault": wish})
    (order,) = answer.orders
    assert (answer.ret_code, answer.error_code) == (0, "0")
    assert world.sdk.show_vault(vault_id=order.resource_id).vault.name == "ordered"


@row
def show_vault(world):
    vault = world.sdk.show_vault(vault_id=world.vault.id).vault
    assert vault.resources[0].id == world.disk["id"]
    assert vault.billing.status == "available"


@row
def list_vault(world):
    wanted = [world.vault.id, world.hosts.id]
    found = world.sdk.list_vault(id=wanted, limit=10)
    assert {it.id for it in found.vaults} == set(wanted)
    assert (found.count, found.limit, found.offset) == (2, 10, 0)
    by_disk = world.sdk.list_vault(resource_ids=world.disk["id"]).vaults
    assert [it.id for it in by_disk] == [world.vault.id]
    by_policy = world.sdk.list_vault(policy_id=world.policy.id).vaults
    assert [it.id for it in by_policy] == [world.vault.id]


@row
def list_external_vault(world):
    found = world.sdk.list_external_vault(
        external_project_id=world.sdk.project_id, region_id=world.region, objcet_type="server"
    )
    assert world.hosts.id in {it.id for it in found.vaults}
    assert {it.billing.object_type for it in found.vaults} == {"server"}


@row
def update_vault(world):
    vault = world.sdk.vault("before", size=20)
    change = {"name": "after", "billing": {"size": 30}, "threshold": 55, "auto_expand": True}
    changed = world.sdk.update_vault(vault_id=vault.id, body={"vault": change}).vault
    assert (changed.name, changed.billing.size) == ("after", 30)
    assert (changed.threshold, changed.auto_expand) == (55, True)


@row
def batch_update_vault(world):
    body = {"vault": {"smn_notify": True, "threshold": 81}}
    changed = world.sdk.batch_update_vault(body=body).updated_vaults_id
    assert {world.vault.id, world.hosts.id} <= set(changed)
    assert world.sdk.show_vault(vault_id=world.vault.id).vault.threshold == 81


@row
def delete_vault(world):
    vault = world.sdk.vault("gone")
    answer = world.sdk.delete_vault(vault_id=vault.id)
    assert answer.status_code == 204
    world.sdk.gone("show_vault", "BackupService.6105", vault_id=vault.id)


@row
def show_summary(world):
    answer = world.sdk.show_summary()
    assert answer.size >= 200
    assert 0 <= answer.used_size <= answer.size


@row
def change_vault_charge_mode(world):
    vault = world.sdk.vault("by-the-month")
    body = {"charging_mode": "pre_paid", "period_type": "month", "period_num": 1}
    body |= {"is_auto_renew": False, "is_auto_pay": True, "vault_ids": [vault.id]}
    answer = world.sdk.change_vault_charge_mode(body=body)
    assert (answer.ret_code, bool(answer.order_id)) == (0, True)
    changed = world.sdk.show_vault(vault_id=vault.id).vault
    assert changed.billing.charging_mode == "pre_paid"


@row
def change_order(world):
    vault = world.sdk.vault("grown", size=20)
    product = {"product_id": "p", "resource_size": 60, "resource_size_measure_id": 17}
    product["resource_spec_code"] = vault.billing.spec_code
    body = {"resource_id": vault.id, "product_info": product, "is_auto_pay": True}
    answer = world.sdk.change_order(body=body)
    assert (answer.ret_code, bool(answer.order_id)) == (0, True)
    assert world.sdk.show_vault(vault_id=vault.id).vault.billing.size == 60


@row
def update_order(world):
    vault = world.sdk.vault("grown", size=20)
    product = {"productId": "p", "resourceSize": 70, "resourceSizeMeasureId": 17}
    product["resourceSpecCode"] = vault.billing.spec_code
    body = {"resourceId": vault.id, "productInfo": product}
    answer = world.sdk.update_order(order_id="CS0000000000000001", body=body)
    assert (answer.ret_code, bool(answer.order_id)) == ("0", True)
    assert world.sdk.show_vault(vault_id=vault.id).vault.billing.size == 70


@row
def add_vault_resource(world):
    vault = world.sdk.vault("filling")
    disk = world.sdk.disk("added")
    answer = world.sdk.add_vault_resource(vault_id=vault.id, body={"resources": [disk]})
    assert answer.add_resource_ids == [disk["id"]]
    (held,) = world.sdk.show_vault(vault_id=vault.id).vault.resources
    assert (held.name, held.size, held.backup_count) == ("added", 1, 0)


@row
def remove_vault_resource(world):
    disk = world.sdk.disk("removed")
    vault = world.sdk.vault("emptying", [disk])
    body = {"resource_ids": [disk["id"]]}
    answer = world.sdk.remove_vault_resource(vault_id=vault.id, body=body)
    assert answer.remove_resource_ids == [disk["id"]]
    assert world.sdk.show_vault(vault_id=vault.id).vault.resources == []


@row
def migrate_vault_resource(world):
    disk = world.sdk.disk("moved")
    vault, other = world.sdk.vault("from", [disk]), world.sdk.vault("to")
    body = {"destination_vault_id": other.id, "resource_ids": [disk["id"]]}
    answer = world.sdk.migrate_vault_resource(vault_id=vault.id, body=body)
    assert answer.migrated_resources == [disk["id"]]
    assert world.sdk.show_vault(vault_id=vault.id).vault.resources == []
    assert world.sdk.show_vault(vault_id=other.id).vault.resources[0].id == disk["id"]


@row
def set_vault_resource(world):
    disk = world.sdk.disk("set")
    vault = world.sdk.vault("set", [disk])
    for action, is_protected in (("unsuspend", False), ("suspend", True)):
        body = {"resource_ids": [disk["id"]], "action": action}
        answer = world.sdk.set_vault_resource(vault_id=vault.id, body=body)
        assert answer.set_resource_ids == [disk["id"]]
        (held,) = world.sdk.show_vault(vault_id=vault.id).vault.resources
        assert held.auto_protect is is_protected


@row
def associate_vault_policy(world):
    vault, policy = world.sdk.vault("bound"), policy_of(world.sdk, "bound")
    for _ in range(2):
        answer = world.sdk.associate_vault_policy(vault_id=vault.id, body={"policy_id": policy.id})
        bound = answer.associate_policy
        assert (bound.vault_id, bound.policy_id) == (vault.id, policy.id)


@row
def disassociate_vault_policy(world):
    vault, policy = world.sdk.vault("unbound"), policy_of(world.sdk, "unbound")
    body = {"policy_id": policy.id}
    world.sdk.associate_vault_policy(vault_id=vault.id, body=body)
    answer = world.sdk.disassociate_vault_policy(vault_id=vault.id, body=body)
    assert answer.dissociate_policy.policy_id == policy.id
    again = world.sdk.refused("disassociate_vault_policy", vault_id=vault.id, body=body)
    assert again == (404, "BackupService.6002")


@row
def update_expiration_time(world):
    vault = world.sdk.vault("expiring", [world.sdk.disk("expiring")])
    _, (backup,) = world.sdk.checkpoint(vault.id)
    body = {"expect_expiration_date": "2199-12-31", "time_zone": "UTC+08:00"}
    answer = world.sdk.update_expiration_time(vault_id=vault.id, body=body)
    assert (answer.affected_backups_count, answer.new_expiration_day) == (1, "2199-12-31")
    log = world.sdk.finished(answer.operation_log_id)
    assert log.extra_info.update_expiration_time.affected_backups_count == 1
    now = world.sdk.show_backup(backup_id=backup.id).backup
    assert now.expired_at.isoformat().startswith("2199-12-31T15:59:59")


@row
def show_storage_usage(world):
    answer = world.sdk.show_storage_usage(resource_id=world.host["id"], resource_type=SERVER)
    (usage,) = answer.storage_usage
    assert (usage.resource_id, usage.backup_count) == (world.host["id"], 1)
    assert answer.resource_count == 1


# Tags


@row
def create_vault_tags(world):
    vault = world.sdk.vault("tagged")
    for value in ("one", "two"):
        body = {"tag": {"key": "team", "value": value}}
        answer = world.sdk.create_vault_tags(vault_id=vault.id, body=body)
        assert answer.status_code == 204
    (tag,) = world.sdk.show_vault_tag(vault_id=vault.id).tags
    assert (tag.key, tag.value) == ("team", "two")


@row
def batch_create_and_delete_vault_tags(world):
    vault = world.sdk.vault("tagged")
    tags = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    for action, left in (("create", {"a", "b"}), ("delete", set())):
        body = {"action": action, "tags": tags}
        world.sdk.batch_create_and_delete_vault_tags(vault_id=vault.id, body=body)
        assert {tag.key for tag in world.sdk.show_vault_tag(vault_id=vault.id).tags} == left


@row
def show_vault_tag(world):
    (tag,) = world.sdk.show_vault_tag(vault_id=world.vault.id).tags
    assert (tag.key, tag.value) == ("env", "prod")


@row
def show_vault_project_tag(world):
    tags = {tag.key: tag._values for tag in world.sdk.show_vault_project_tag().tags}
    assert "prod" in tags["env"]


@row
def show_vault_resource_instances(world):
    body = {"action": "filter", "tags": [{"key": "env", "values": ["prod"]}], "limit": "10"}
    body |= {"offset": "0", "matches": [{"key": "resource_name", "value": "disk"}]}
    found = world.sdk.show_vault_resource_instances(body=body)
    (one,) = found.resources
    assert (one.resource_id, found.total_count) == (world.vault.id, 1)
    assert one.resource_detail.vault.name == "disks"
    body = {"action": "count", "tags": [{"key": "env", "values": []}]}
    assert world.sdk.show_vault_resource_instances(body=body).total_count == 1


@row
def delete_vault_tag(world):
    vault = world.sdk.vault("tagged", tags=[{"key": "k ü", "value": "v"}])
    answer = world.sdk.delete_vault_tag(vault_id=vault.id, key="k ü")
    assert answer.status_code == 204
    again = world.sdk.refused("delete_vault_tag", vault_id=vault.id, key="k ü")
    assert again == (404, "BackupService.6601")


# Policies


@row
def create_policy(world):
    rules = {"retention_duration_days": 30, "full_backup_interval": 7}
    weekly = {"days_of_week": ["SU"], "retention_duration_periods": 4}
    rules["advanced_retention_rules"] = {"weekly_retention_rules": weekly}
    policy = policy_of(world.sdk, "made", **rules)
    assert (policy.enabled, policy.operation_type) == (True, "backup")
    assert policy.trigger.properties.pattern == [WEEKLY]
    assert policy.operation_definition.full_backup_interval == 7
    assert policy.associated_vaults == []


@row
def show_policy(world):
    policy = world.sdk.show_policy(policy_id=world.policy.id).policy
    assert [it.vault_id for it in policy.associated_vaults] == [world.vault.id]


@row
def list_policies(world):
    found = world.sdk.list_policies(operation_type="backup", vault_id=world.vault.id)
    assert ([it.id for it in found.policies], found.count) == ([world.policy.id], 1)


@row
def update_policy(world):
    policy = policy_of(world.sdk, "before", max_backups=-1, retention_duration_days=9)
    body = {"policy": {"name": "after"}}
    changed = world.sdk.update_policy(policy_id=policy.id, body=body).policy
    assert changed.name == "after"
    assert changed.operation_definition == policy.operation_definition
    assert changed.trigger == policy.trigger


@row
def delete_policy(world):
    policy = policy_of(world.sdk, "gone")
    assert world.sdk.delete_policy(policy_id=policy.id).status_code == 204
    refusal = world.sdk.refused("show_policy", policy_id=policy.id)
    assert refusal == (404, "BackupService.6000")


# Organization policies


@row
def create_organization_policy(world):
    rule = rule_of(world.sdk, "made")
    assert (rule.name, rule.policy_name, rule.policy_enabled) == ("made", "of-made", False)
    assert rule.policy_trigger.properties.pattern == [WEEKLY]
    world.sdk.delete_organization_policy(organization_policy_id=rule.id)


@row
def list_organization_policies(world):
    rule = rule_of(world.sdk, "listed")
    found = world.sdk.list_organization_policies(operation_type="backup", limit=10, offset=0)
    assert rule.id in {it.id for it in found.policies}
    world.sdk.delete_organization_policy(organization_policy_id=rule.id)


@row
def show_organization_policy(world):
    rule = rule_of(world.sdk, "shown")
    assert world.sdk.show_organization_policy(organization_policy_id=rule.id).policy == rule
    world.sdk.delete_organization_policy(organization_policy_id=rule.id)


@row
def update_organization_policy(world):
    rule = rule_of(world.sdk, "before")
    body = {"policy": {"name": "after", "description": "otherwise"}}
    changed = world.sdk.update_organization_policy(organization_policy_id=rule.id, body=body).policy
    assert (changed.name, changed.policy_name) == ("after", "of-before")
    world.sdk.delete_organization_policy(organization_policy_id=rule.id)


@row
def list_organization_policy_detail(world):
    rule = rule_of(world.sdk, "detailed")
    found = world.sdk.list_organization_policy_detail(organization_policy_id=rule.id)
    projects = {it.project_id: it.policy_id for it in found.policies}
    policy = world.sdk.show_policy(policy_id=projects[world.sdk.project_id]).policy
    assert (policy.name, policy.policy_type) == ("of-detailed", "organization_policy_v2")
    assert world.friend.project_id in projects
    world.sdk.delete_organization_policy(organization_policy_id=rule.id)


@row
def delete_organization_policy(world):
    rule = rule_of(world.sdk, "gone")
    answer = world.sdk.delete_organization_policy(organization_policy_id=rule.id)
    assert answer.status_code == 204
    refusal = world.sdk.refused("show_organization_policy", organization_policy_id=rule.id)
    assert refusal == (404, "BackupService.6000")


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


def test_the_table_has_every_method():
    every = {
        name
        for name, value in vars(CbrClient).items()
        if callable(value) and not name.startswith("_") and not name.endswith("_invoker")
    }
    assert every - {"new_builder", "call_api"} == set(METHODS)
    assert len(METHODS) == 74


@pytest.mark.parametrize("method", METHODS)
def test_a_method(method, world):
    METHODS[method](world)
