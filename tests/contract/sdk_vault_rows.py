"""Rows about vaults, tags and policies."""

from huawei import SERVER
from sdk_rows import WEEKLY, policy_of, row, rule_of

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
