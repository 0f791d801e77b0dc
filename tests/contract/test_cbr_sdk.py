"""Stories of vaults, policies, checkpoints and shares in the hands of the vendor's Python SDK."""

import uuid

import pytest
from huaweicloudsdkcbr.v1 import CbrAsyncClient, CbrClient, ShowSummaryRequest
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.client import ClientBuilder
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.region.region import Region

from disks import copy, scribble
from huawei import DISK, SERVER, Sdk, add_server, keys, stranger
from strongroom import same_bytes, wait_for

NOBODY = "00000000-0000-4000-8000-000000000000"
# As clients write them. None of them may come back in any other way.
PATTERNS = [
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=14;BYMINUTE=00",
    "FREQ=DAILY;INTERVAL=2;BYHOUR=05;BYMINUTE=00",
    "FREQ=WEEKLY;BYHOUR=7;BYDAY=SU,MO;BYMINUTE=5",
    "FREQ=DAILY;INTERVAL=1;BYHOUR=1,3;BYMINUTE=30",
]


@pytest.fixture(scope="module")
def sdk(admin):
    return Sdk(admin)


@pytest.fixture(scope="module")
def friend(admin):
    return Sdk(stranger(admin, "receivers"))


@pytest.fixture
def disks(sdk, server):
    """Two disks with bytes on them."""
    made = [sdk.disk(name) for name in ("left", "right")]
    for seed, disk in enumerate(made):
        scribble(server.volume_file(disk["id"]), seed=seed, blocks=200)
    return made


def kept(server, tmp_path, disks):
    """Copies of disks, by id."""
    names = [disk["id"] if isinstance(disk, dict) else disk for disk in disks]
    return {name: copy(server.volume_file(name), tmp_path / name) for name in names}


def spoil(server, disks):
    for name in disks:
        scribble(server.volume_file(name), seed=99, blocks=300)


def policy(sdk, name="nightly", patterns=None, **definition):
    wish = {"name": name, "operation_type": "backup"}
    wish["trigger"] = {"properties": {"pattern": list(patterns or PATTERNS[:1])}}
    wish["operation_definition"] = definition
    return sdk.create_policy(body={"policy": wish}).policy


def test_a_vault_lives(sdk):
    disk = sdk.disk()
    made = sdk.vault("alive", [disk], size=40, tags=[{"key": "a", "value": ""}], description="d")
    shown = sdk.show_vault(vault_id=made.id).vault
    both = set(made.attribute_map) & set(shown.attribute_map)
    assert {name: getattr(made, name) for name in both} == {
        name: getattr(shown, name) for name in both
    }
    assert shown.bind_rules.tags in (None, [])
    assert (shown.enterprise_project_id, shown.project_id) == ("0", sdk.project_id)
    change = {"name": "older", "billing": {"size": 50}, "auto_expand": True, "threshold": 60}
    sdk.update_vault(vault_id=made.id, body={"vault": change})
    _, (backup,) = sdk.checkpoint(made.id)
    used = sdk.show_vault(vault_id=made.id).vault
    assert (used.name, used.billing.size, used.resources[0].backup_count) == ("older", 50, 1)
    assert sdk.delete_vault(vault_id=made.id).status_code == 204
    sdk.gone("show_vault", "BackupService.6105", vault_id=made.id)
    sdk.gone("show_backup", "BackupService.6200", backup_id=backup.id)
    (log,) = sdk.list_op_logs(operation_type="vault_delete", vault_id=made.id).operation_logs
    assert sdk.finished(log.id).extra_info.vault_delete.fail_count == 0
    # The disk belongs to no vault any more.
    again = sdk.vault("next", [disk])
    assert again.resources[0].backup_count == 0


def test_a_policy_keeps_its_patterns_byte_for_byte(sdk):
    made = policy(sdk, patterns=PATTERNS, max_backups=-1, retention_duration_days=-1)
    assert made.trigger.properties.pattern == PATTERNS
    assert made.operation_definition.max_backups == -1
    listed = {it.id: it for it in sdk.list_policies(operation_type="backup").policies}
    assert listed[made.id] == made == sdk.show_policy(policy_id=made.id).policy
    only = {"policy": {"enabled": False}}
    changed = sdk.update_policy(policy_id=made.id, body=only).policy
    assert changed.trigger == made.trigger
    assert changed.operation_definition == made.operation_definition
    assert (changed.enabled, changed.name) == (False, made.name)
    backwards = {"properties": {"pattern": PATTERNS[::-1][:2], "start_window_minutes": 60}}
    rules = {"day_backups": 0, "week_backups": 4, "timezone": "UTC+01:00", "max_backups": 14}
    body = {"policy": {"trigger": backwards, "operation_definition": rules}}
    changed = sdk.update_policy(policy_id=made.id, body=body).policy
    assert changed.trigger.properties.pattern == PATTERNS[::-1][:2]
    assert changed.trigger.properties.start_window_minutes == 60
    definition = changed.operation_definition
    assert (definition.day_backups, definition.timezone) == (0, "UTC+01:00")
    assert definition.retention_duration_days is None
    sdk.delete_policy(policy_id=made.id)
    sdk.gone("show_policy", "BackupService.6000", policy_id=made.id)


def test_a_policy_is_bound_and_replaced(sdk):
    first, second = policy(sdk, "first"), policy(sdk, "second")
    vault = sdk.vault("bound", backup_policy_id=first.id)
    for bound in (first, second, second):
        sdk.associate_vault_policy(vault_id=vault.id, body={"policy_id": bound.id})
        (seen,) = sdk.list_policies(vault_id=vault.id).policies
        assert seen.id == bound.id
        assert vault.id in {it.vault_id for it in seen.associated_vaults}
    assert sdk.list_vault(policy_id=first.id).vaults == []
    # Deleting a policy takes it off its vaults.
    sdk.delete_policy(policy_id=second.id)
    assert sdk.list_policies(vault_id=vault.id).policies == []


def test_two_disks_are_backed_up_and_restored(sdk, server, disks, tmp_path):
    vault = sdk.vault("pair", disks)
    before = kept(server, tmp_path, disks)
    made, backups = sdk.checkpoint(vault.id, name="pair")
    assert made.vault.skipped_resources == []
    assert {it.resource_id for it in backups} == set(before)
    assert {it.checkpoint_id for it in backups} == {made.id}
    spoil(server, before)
    for backup in backups:
        log = sdk.restored(backup.id, volume_id=backup.resource_id)
        assert log.extra_info.restore.backup_id == backup.id
    assert all(same_bytes(image, server.volume_file(disk)) for disk, image in before.items())
    # The next checkpoint is an increment upon the first, and outlives it.
    _, increments = sdk.checkpoint(vault.id)
    assert {it.incremental for it in increments} == {True}
    for backup in backups:
        sdk.delete_backup(backup_id=backup.id)
    sdk.gone("show_checkpoint", "BackupService.6217", checkpoint_id=made.id)
    spoil(server, before)
    for backup in increments:
        sdk.restored(backup.id, resource_id=backup.resource_id)
    assert all(same_bytes(image, server.volume_file(disk)) for disk, image in before.items())


def test_a_server_is_backed_up_and_restored(sdk, server, disks, tmp_path):
    host = add_server(server, "app-1", [disk["id"] for disk in disks])
    vault = sdk.vault("hosts", [host], object_type="server")
    before = kept(server, tmp_path, disks)
    _, (backup,) = sdk.checkpoint(vault.id, name="all-of-it")
    assert (backup.resource_type, backup.resource_id) == (SERVER, host["id"])
    backup = sdk.show_backup(backup_id=backup.id).backup
    assert {child.resource_id for child in backup.children} == set(before)
    systems = {child.resource_id for child in backup.children if child.extend_info.bootable}
    assert systems == {disks[0]["id"]}
    # Children are seen with their parent only, and none of them goes alone.
    assert [it.id for it in sdk.list_backups(vault_id=vault.id).backups] == [backup.id]
    child = backup.children[0]
    assert sdk.refused("delete_backup", backup_id=child.id) == (400, "BackupService.6201")

    spoil(server, before)
    maps = [{"backup_id": child.id, "volume_id": child.resource_id} for child in backup.children]
    log = sdk.restored(backup.id, server_id=host["id"], mappings=maps, power_on=True)
    assert log.extra_info.restore.target_resource_id == host["id"]
    assert all(same_bytes(image, server.volume_file(disk)) for disk, image in before.items())
    spoil(server, before)
    sdk.restored(backup.id, server_id=host["id"])
    assert all(same_bytes(image, server.volume_file(disk)) for disk, image in before.items())

    assert sdk.delete_backup(backup_id=backup.id).status_code == 204
    sdk.gone("show_backup", "BackupService.6200", backup_id=backup.id)
    sdk.gone("show_backup", "BackupService.6200", backup_id=child.id)


def test_a_backup_is_shared_accepted_and_read(sdk, friend, server, disks, tmp_path):
    vault = sdk.vault("giver", disks[:1])
    before = kept(server, tmp_path, disks[:1])
    _, (backup,) = sdk.checkpoint(vault.id)
    assert friend.refused("show_backup", backup_id=backup.id) == (404, "BackupService.6200")
    wish = {"backup_id": backup.id, "body": {"members": [friend.project_id]}}
    sdk.add_member(**wish)
    assert sdk.refused("add_member", **wish) == (400, "BackupService.6703")
    assert [it.id for it in friend.list_backups(own_type="shared").backups] == [backup.id]
    assert friend.list_backups().backups == []
    to = {"backup_id": backup.id, "member_id": friend.project_id}
    receiver = friend.vault("receiver")
    accepted = {"status": "accepted", "vault_id": receiver.id}
    # Only who receives may accept.
    status, _ = sdk.refused("update_member_status", **to, body=accepted)
    assert status in (403, 404)
    lacking = friend.refused("update_member_status", **to, body={"status": "accepted"})
    assert lacking[0] == 400
    friend.update_member_status(**to, body=accepted)
    seen = friend.show_backup(backup_id=backup.id).backup
    assert (seen.project_id, seen.vault_id) == (sdk.project_id, receiver.id)
    # What is received is read by making a disk of it, and never put over one.
    restore = {"restore": {"volume_id": friend.disk("other")["id"]}}
    refusal = friend.refused("restore_backup", backup_id=backup.id, body=restore)
    assert refusal == (400, "BackupService.2003")
    made = friend.http.create_volume(1, backup_id=backup.id)["id"]
    (image,) = before.values()
    assert same_bytes(image, server.volume_file(made))
    assert friend.refused("delete_backup", backup_id=backup.id)[0] in (400, 403, 404)
    friend.update_member_status(**to, body={"status": "rejected"})
    sdk.delete_member(**to)
    assert friend.refused("show_backup", backup_id=backup.id) == (404, "BackupService.6200")
    assert sdk.show_members_detail(backup_id=backup.id).members == []


@pytest.mark.parametrize(
    ("method", "fields", "refusal"),
    [
        ("show_vault", {"vault_id": "by-its-name"}, (404, "BackupService.6105")),
        ("delete_vault", {"vault_id": NOBODY}, (404, "BackupService.6105")),
        ("show_policy", {"policy_id": "by-its-name"}, (404, "BackupService.6000")),
        ("show_backup", {"backup_id": "by-its-name"}, (404, "BackupService.6200")),
        ("delete_backup", {"backup_id": NOBODY}, (404, "BackupService.6200")),
        ("show_checkpoint", {"checkpoint_id": NOBODY}, (404, "BackupService.6217")),
        ("show_op_log", {"operation_log_id": NOBODY}, (404, "BackupService.6500")),
        ("show_agent", {"agent_id": NOBODY}, (404, "BackupService.7410")),
        ("list_backups", {"limit": 1001}, (400, "BackupService.9900")),
        ("list_vault", {"limit": 0}, (400, "BackupService.9900")),
        ("list_backups", {"sort": "colour:asc"}, (400, "BackupService.9900")),
    ],
)
def test_what_is_refused_is_refused_by_its_code(sdk, method, fields, refusal):
    assert sdk.refused(method, **fields) == refusal


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"size": 9}, "BackupService.6101"),
        ({"size": 10_485_761}, "BackupService.6101"),
        ({"name": ""}, "BackupService.9900"),
        ({"name": "x" * 65}, "BackupService.9900"),
        ({"object_type": "moon"}, "BackupService.9900"),
        ({"threshold": 0}, "BackupService.9900"),
        ({"resources": [{"id": NOBODY, "type": SERVER}]}, "BackupService.6102"),
        ({"tags": [{"key": "k", "value": "v"}] * 2}, "BackupService.9900"),
    ],
)
def test_a_bad_vault_is_refused_by_its_code(sdk, change, code):
    with pytest.raises(ClientRequestException) as refusal:
        sdk.vault(**{"name": "fine", **change})
    assert (refusal.value.status_code, refusal.value.error_code) == (400, code)


def test_a_disk_has_one_vault_and_is_named_once(sdk):
    disk = sdk.disk()
    vault = sdk.vault("holder", [disk])
    for resources, code in (
        ([disk], "BackupService.6103"),
        ([sdk.disk("twice")] * 2, "BackupService.6104"),
        ([{"id": NOBODY, "type": DISK}], "BackupService.7000"),
    ):
        with pytest.raises(ClientRequestException) as refusal:
            sdk.vault("second", resources)
        assert refusal.value.error_code == code
    body = {"resource_ids": [NOBODY]}
    refusal = sdk.refused("remove_vault_resource", vault_id=vault.id, body=body)
    assert refusal == (400, "BackupService.6135")


def test_keys_that_prove_nothing_are_told_so(sdk, admin):
    access, secret = keys(admin)
    wrong = sdk.built(BasicCredentials(access, secret[::-1], sdk.project_id))
    assert sdk.refused("show_summary", client=wrong) == (401, "APIGW.0301")
    nobody = sdk.built(BasicCredentials("A" * 20, secret, sdk.project_id))
    assert sdk.refused("show_summary", client=nobody) == (401, "APIGW.0301")
    elsewhere = sdk.built(BasicCredentials(access, secret, uuid.uuid4().hex))
    assert sdk.refused("show_summary", client=elsewhere)[0] in (401, 403)


def test_a_region_is_enough_to_find_the_project(sdk, admin, server):
    catalog = sdk.http.ok("GET", f"{sdk.identity}/v3/auth/catalog", version=None)["catalog"]
    (name,) = {it["region"] for entry in catalog for it in entry["endpoints"]}
    credentials = BasicCredentials(*keys(admin)).with_iam_endpoint(sdk.identity)
    builder = CbrClient.new_builder().with_credentials(credentials)
    client = builder.with_region(Region(name, sdk.endpoint)).build()
    assert sdk.call("list_vault", client=client).count >= 0
    (project,) = sdk.http.ok("GET", f"{sdk.identity}/v3/projects?name={name}", version=None)[
        "projects"
    ]
    assert credentials.project_id == project["id"]


def test_the_domain_is_found_for_global_credentials(sdk, admin):
    credentials = GlobalCredentials(*keys(admin)).with_iam_endpoint(sdk.identity)
    builder = ClientBuilder(CbrClient, "GlobalCredentials").with_credentials(credentials)
    client = builder.with_region(Region("anywhere", sdk.endpoint)).build()
    status = sdk.call("show_migrate_status", client=client, all_regions=True)
    assert status.status == "success"
    assert credentials.domain_id
    projects = sdk.call("list_projects", client=client).projects
    assert sdk.project_id in {it.id for it in projects}


def test_keys_are_lent_for_a_while(sdk, admin):
    url = f"{sdk.identity}/v3.0/OS-CREDENTIAL/securitytokens"
    identity = {"methods": ["token"], "token": {"id": sdk.http.token, "duration_seconds": 900}}
    lent = sdk.http.ok("POST", url, version=None, json={"auth": {"identity": identity}})
    lent = lent["credential"]
    credentials = BasicCredentials(lent["access"], lent["secret"], sdk.project_id)
    client = sdk.built(credentials.with_security_token(lent["securitytoken"]))
    assert sdk.call("show_summary", client=client).size >= 0
    credentials = BasicCredentials(lent["access"], lent["secret"], sdk.project_id)
    assert sdk.refused("show_summary", client=sdk.built(credentials))[0] == 401
    credentials = BasicCredentials(lent["access"], lent["secret"], sdk.project_id)
    other = sdk.built(credentials.with_security_token(lent["securitytoken"] + "x"))
    assert sdk.refused("show_summary", client=other)[0] == 401


def test_the_asynchronous_client_works_too(sdk, admin):
    credentials = BasicCredentials(*keys(admin), sdk.project_id)
    builder = CbrAsyncClient.new_builder().with_credentials(credentials)
    client = builder.with_endpoint(sdk.endpoint).build()
    answer = client.show_summary_async(ShowSummaryRequest()).result()
    assert answer.size == sdk.show_summary().size


def test_pages_join_to_the_whole(sdk):
    names = {f"page-{number}" for number in range(5)}
    for name in sorted(names):
        sdk.vault(name)
    found, offset = [], 0
    while True:
        page = sdk.list_vault(name="page-", limit=2, offset=offset)
        assert page.count == 5
        if not page.vaults:
            break
        found += [it.name for it in page.vaults]
        offset += 2
    assert (set(found), len(found)) == (names, 5)


def test_removing_a_disk_removes_its_backups(sdk):
    disk = sdk.disk()
    vault = sdk.vault("shrinking", [disk])
    _, (backup,) = sdk.checkpoint(vault.id)
    body = {"resource_ids": [disk["id"]]}
    sdk.remove_vault_resource(vault_id=vault.id, body=body)
    sdk.gone("show_backup", "BackupService.6200", backup_id=backup.id)
    wait_for(
        "the disk to leave the vault",
        lambda: not sdk.show_vault(vault_id=vault.id).vault.resources,
    )


def test_a_locked_vault_keeps_what_it_holds(sdk):
    """Each way out that a client has is refused by the code that tells why."""
    disk, other = sdk.disk(), sdk.vault("other")
    bound = policy(sdk, "locked", max_backups=1)
    vault = sdk.vault("locked", [disk], locked=True, backup_policy_id=bound.id)
    _, (backup,) = sdk.checkpoint(vault.id, retention_duration_days=30)
    it = {"vault_id": vault.id}
    unlock = {"vault": {"locked": False}}
    assert sdk.refused("update_vault", **it, body=unlock) == (400, "BackupService.6110")
    assert sdk.refused("delete_backup", backup_id=backup.id) == (400, "BackupService.6220")
    assert sdk.refused("delete_vault", **it) == (400, "BackupService.6111")
    off = {"policy_id": bound.id}
    assert sdk.refused("disassociate_vault_policy", **it, body=off) == (400, "BackupService.6110")
    out = {"resource_ids": [disk["id"]]}
    assert sdk.refused("remove_vault_resource", **it, body=out)[0] == 400
    move = {"destination_vault_id": other.id, **out}
    assert sdk.refused("migrate_vault_resource", **it, body=move)[0] == 400
    # The volume door is no way out either.
    for answer in (
        sdk.http("DELETE", f"backups/{backup.id}"),
        sdk.http("POST", f"backups/{backup.id}/action", json={"os-force_delete": {}}),
    ):
        assert 400 <= answer.status_code < 500, answer.text
    now = sdk.show_backup(backup_id=backup.id).backup
    assert (now.status, now.expired_at) == ("available", backup.expired_at)
    # A date may be moved away, and not nearer.
    for day, affected in (("2199-01-01", 1), ("2198-01-01", 0)):
        body = {"expect_expiration_date": day, "time_zone": "UTC+00:00"}
        assert sdk.update_expiration_time(**it, body=body).affected_backups_count == affected
    assert sdk.show_backup(backup_id=backup.id).backup.expired_at.year == 2199


def test_the_environment_is_enough(sdk, admin, monkeypatch):
    access, secret = keys(admin)
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", access)
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", secret)
    monkeypatch.setenv("HUAWEICLOUD_SDK_PROJECT_ID", sdk.project_id)
    client = CbrClient.new_builder().with_endpoint(sdk.endpoint).build()
    assert sdk.call("list_vault", client=client).count == sdk.list_vault().count
