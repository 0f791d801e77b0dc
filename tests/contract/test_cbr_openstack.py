"""OTC's `openstack cbr …` commands and SDK, unmodified, on vaults, policies and checkpoints."""

import json
from types import SimpleNamespace

import pytest

from disks import copy, scribble
from huawei import DISK, SERVER, add_server, stranger
from shells import Shell
from strongroom import same_bytes, wait_for

NOBODY = "00000000-0000-4000-8000-000000000000"
PATTERN = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=14,16;BYMINUTE=00"
VAULT = ["--consistent-level", "crash_consistent", "--object-type"]


@pytest.fixture(scope="module")
def admin(server):
    shell = Shell(server.admin)
    yield shell
    shell.end()


@pytest.fixture
def receivers(server):
    """A user of another project."""
    shell = Shell(stranger(server.admin, "takers"))
    yield shell
    shell.end()


@pytest.fixture(scope="module")
def cbr(admin):
    """The SDK's proxy of the service."""
    return proxy(admin)


def proxy(cloud):
    from otcextensions import sdk

    connection = cloud.sdk()
    sdk.register_otc_extensions(connection)
    return connection.cbr


@pytest.fixture
def disk(http, server):
    """A disk with bytes on it."""
    made = http.create_volume(1, name="disk")["id"]
    scribble(server.volume_file(made), seed=5, blocks=200)
    return made


def vault(admin, name, *options, kind="disk", size=40):
    every = [*VAULT, kind, "--size", str(size)]
    return admin.openstack_json("cbr", "vault", "create", name, *every, *options)


def resource(id, kind=DISK):
    return ["--resource", f"id={id},type={kind}"]


def policy(admin, name, *options):
    return admin.openstack_json("cbr", "policy", "create", name, "--pattern", PATTERN, *options)


def checkpoint(admin, cbr, vault_id, *options):
    """Backs a vault up and waits with the SDK; gives the checkpoint and its backups' ids."""
    wish = ["cbr", "checkpoint", "create", "--vault-id", vault_id, *options]
    made = admin.openstack_json(*wish)
    cbr.wait_for_checkpoint(cbr.get_checkpoint(made["id"]), interval=0.05, wait=60)
    rows = admin.openstack_json("cbr", "backup", "list", "--checkpoint-id", made["id"])
    return made, [row["id"] for row in rows]


def test_a_vault_is_made_changed_and_removed(admin, disk):
    options = ["--description", "for the tests", "--tag", "team=red", "--bind-rule", "backup=yes"]
    made = vault(admin, "made", *options, *resource(disk))
    assert (made["status"], made["size"], made["spec_code"]) == (
        *("available", 40, "vault.backup.volume.normal"),
    )
    assert (made["resource_id_1"], made["resource_type_1"]) == (disk, DISK)
    assert made["tags"] == "value=red, key=team"
    assert made["bind_rules"] == "value=yes, key=backup"
    shown = admin.openstack_json("cbr", "vault", "show", "made")
    assert shown == made
    change = ["--name", "changed", "--size", "50", "--threshold", "70", "--auto-expand", "1"]
    changed = admin.openstack_json("cbr", "vault", "update", made["ID"], *change)
    assert (changed["name"], changed["size"], changed["auto_expand"]) == ("changed", 50, True)
    kept = admin.openstack_json("cbr", "vault", "update", "changed", "--name", "again")
    assert (kept["size"], kept["bind_rules"]) == (50, "value=yes, key=backup")
    admin.openstack("cbr", "vault", "delete", "again")
    wait_for(
        "the vault to be gone",
        lambda: "again" not in {row["name"] for row in listed(admin)},
        interval=0.2,
    )


def listed(admin, *options):
    return admin.openstack_json("cbr", "vault", "list", *options)


def test_vaults_are_listed_by_what_is_asked(admin):
    disks, servers = vault(admin, "of-disks"), vault(admin, "of-servers", kind="server")
    names = {row["name"] for row in listed(admin, "--object-type", "server")}
    assert "of-servers" in names
    assert "of-disks" not in names
    (row,) = listed(admin, "--id", disks["ID"])
    assert row["name"] == "of-disks"
    rows = listed(admin, "--name", "of-", "--limit", "1", "--cloud-type", "public")
    assert {row["ID"] for row in rows} == {disks["ID"], servers["ID"]}
    assert listed(admin, "--status", "frozen", "--protect-type", "backup") == []


def test_resources_come_and_go(admin, disk):
    made = vault(admin, "busy")
    rows = admin.openstack_json("cbr", "vault", "associate", "busy", *resource(disk))
    assert rows == {"resource_1": disk}
    assert admin.openstack_json("cbr", "vault", "show", made["ID"])["resource_id_1"] == disk
    admin.openstack("cbr", "vault", "dissociate", "busy", "--resource", disk)
    assert "resource_id_1" not in admin.openstack_json("cbr", "vault", "show", "busy")


def test_a_policy_is_made_and_bound(admin):
    rules = ["--max-backups", "5", "--week-backups", "2", "--timezone", "UTC+01:00", "--disable"]
    made = policy(admin, "nightly", *rules)
    assert (made["enabled"], made["operation_type"], made["max_backups"]) == (False, "backup", 5)
    assert (made["retention_duration_days"], made["week_backups"]) == (-1, 2)
    assert made["schedule_pattern_1"] == PATTERN
    rows = admin.openstack_json("cbr", "policy", "list", "--operation-type", "backup")
    assert made["ID"] in {row["ID"] for row in rows}
    held = vault(admin, "bound", "--backup-policy", made["ID"])
    bound = admin.openstack_json("cbr", "vault", "bind", "bound", made["ID"])
    assert (bound["vault_id"], bound["policy_id"]) == (held["ID"], made["ID"])
    (row,) = admin.openstack_json("cbr", "policy", "list", "--vault-id", held["ID"])
    assert row["name"] == "nightly"
    (row,) = listed(admin, "--policy-id", made["ID"])
    assert row["ID"] == held["ID"]
    admin.openstack("cbr", "vault", "unbind", "bound", made["ID"])
    assert admin.openstack_json("cbr", "policy", "list", "--vault-id", held["ID"]) == []


def test_a_policy_is_changed_and_removed_by_the_sdk(admin, cbr):
    """These three commands of the plugin fail before they send anything: `find_policy` is given a
    `policy_id` that it does not know. Its SDK does what they would."""
    made = policy(admin, "changing", "--retention-duration-days", "30")
    said = admin.openstack("cbr", "policy", "show", made["ID"], expect=1)
    assert "unexpected keyword argument 'policy_id'" in said
    found = cbr.find_policy("changing", ignore_missing=False)
    assert found.id == made["ID"]
    changed = cbr.update_policy(found.id, name="changed")
    assert (changed.name, changed.enabled) == ("changed", True)
    assert changed.operation_definition.retention_duration_days == 30
    assert changed.trigger.properties.pattern == [PATTERN]
    cbr.delete_policy(found.id, ignore_missing=False)
    assert cbr.find_policy("changed") is None


def test_a_disk_is_backed_up_restored_and_released(admin, cbr, server, disk, tmp_path):
    held = vault(admin, "keeping", *resource(disk))
    before = copy(server.volume_file(disk), tmp_path / "before")
    details = ["--resource-details", f"id={disk} type={DISK} name=disk"]
    made, (backup,) = checkpoint(admin, cbr, held["ID"], "--backup-name", "by-hand", *details)
    assert (made["backup_name"], made["vault_name"]) == ("by-hand", "keeping")
    shown = admin.openstack_json("cbr", "checkpoint", "show", made["id"])
    assert (shown["status"], shown["vault_id"]) == ("available", held["ID"])
    shown = admin.openstack_json("cbr", "backup", "show", "by-hand")
    assert (shown["id"], shown["status"], shown["resource_id"]) == (backup, "available", disk)
    query = ["--resource-id", disk, "--status", "available", "--limit", "1"]
    rows = admin.openstack_json("cbr", "backup", "list", "--vault-id", held["ID"], *query)
    assert [row["id"] for row in rows] == [backup]

    scribble(server.volume_file(disk), seed=6, blocks=200)
    admin.openstack("cbr", "backup", "restore", backup, "--volume-id", disk)
    wait_for("the restore", lambda: ended(admin, cbr, "restore"), interval=0.1)
    assert same_bytes(before, server.volume_file(disk))

    admin.openstack("cbr", "backup", "delete", backup)
    wait_for("the backup to be gone", lambda: cbr.find_backup(backup) is None)
    said = admin.openstack("cbr", "backup", "show", backup, expect=1)
    assert backup in said
    with pytest.raises(Exception, match="BackupService.6217"):
        cbr.get_checkpoint(made["id"])


def ended(admin, cbr, kind):
    """The tasks of a kind, once none is running; as the command shows them."""
    tasks = admin.openstack_json("cbr", "task", "list")
    mine = [row for row in tasks if row["operation_type"] == kind]
    return mine if mine and all(row["ended_at"] for row in mine) else None


def test_a_server_is_backed_up_and_restored(admin, cbr, http, server, disk, tmp_path):
    host = add_server(server, "app-2", [disk])
    held = vault(admin, "hosts", *resource(host["id"], SERVER), kind="server")
    before = copy(server.volume_file(disk), tmp_path / "before")
    _, (backup,) = checkpoint(admin, cbr, held["ID"], "--no-incremental")
    shown = admin.openstack_json("cbr", "backup", "show", backup)
    child = shown["child_backup_1"]
    scribble(server.volume_file(disk), seed=6, blocks=200)
    maps = ["--mappings", f"volume_id={disk} backup_id={child}", "--power-on"]
    admin.openstack("cbr", "backup", "restore", backup, "--server-id", host["id"], *maps)
    tasks = wait_for("the restore", lambda: ended(admin, cbr, "restore"), interval=0.1)
    shown = admin.openstack_json("cbr", "task", "show", tasks[0]["id"])
    assert (shown["error_code"], shown["operation_type"]) == ("", "restore")
    assert same_bytes(before, server.volume_file(disk))


def test_tasks_page_until_a_page_is_empty(admin, cbr, disk):
    held = vault(admin, "paged", *resource(disk))
    for _ in range(2):
        checkpoint(admin, cbr, held["ID"])
    every = [task.id for task in cbr.tasks(vault_id=held["ID"])]
    paged = [task.id for task in cbr.tasks(vault_id=held["ID"], limit=1)]
    assert paged == every
    assert len(every) == 2


def member_command(name, client, *words):
    """Runs a command of the plugin that it has and does not register."""
    from otcextensions.osclient.cbr.v3 import member

    manager = SimpleNamespace(cbr=client)
    command = getattr(member, name)(SimpleNamespace(client_manager=manager), None)
    return command.take_action(command.get_parser("cbr").parse_args(list(words)))


def test_a_backup_is_shared_once(admin, cbr, receivers, disk):
    held = vault(admin, "sharing", *resource(disk))
    _, (backup,) = checkpoint(admin, cbr, held["ID"], "--backup-name", "to-share")
    theirs, project = proxy(receivers), receivers.http.project_id
    columns, rows = member_command("AddMembers", cbr, "to-share", "--members", project)
    (made,) = (dict(zip(columns, row, strict=True)) for row in rows)
    assert (made["status"], made["dest_project_id"]) == ("pending", project)
    # Its SDK does not look at the refusal, by whose code one knows that the member is there.
    _, rows = member_command("AddMembers", cbr, backup, "--members", project)
    assert [tuple(row) for row in rows] == [tuple(made.values())]
    answer = cbr.post(f"/backups/{backup}/members", json={"members": [project]})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BackupService.6703")
    columns, rows = member_command("ListMembers", cbr, backup, "--limit", "1")
    assert [dict(zip(columns, row, strict=True))["id"] for row in rows] == [made["id"]]
    columns, row = member_command("ShowMember", cbr, backup, project)
    assert dict(zip(columns, row, strict=True)) == made

    taken = receivers.openstack_json(
        "cbr", "vault", "create", "takers", *VAULT, "disk", "--size=20"
    )
    wish = [backup, project, "--status", "accepted", "--vault-id", taken["ID"]]
    columns, row = member_command("UpdateMember", theirs, *wish)
    assert dict(zip(columns, row, strict=True))["status"] == "accepted"
    rows = receivers.openstack_json("cbr", "backup", "list", "--own-type", "shared")
    assert [(row["id"], row["vault_id"]) for row in rows] == [(backup, taken["ID"])]
    member_command("DeleteMember", cbr, backup, project)
    assert receivers.openstack_json("cbr", "backup", "list", "--own-type", "shared") == []
    assert list(cbr.members(backup)) == []


def test_what_is_not_there_is_said_to_be_missing(admin, cbr):
    from openstack import exceptions

    said = admin.openstack("cbr", "vault", "show", "no-such-vault", expect=1)
    assert "no-such-vault" in said
    with pytest.raises(exceptions.NotFoundException, match="BackupService.6105"):
        cbr.delete_vault(NOBODY, ignore_missing=False)
    cbr.delete_vault(NOBODY)
    with pytest.raises(exceptions.NotFoundException, match="BackupService.6500"):
        cbr.get_task(NOBODY)
    said = admin.openstack(
        *("cbr", "vault", "create", "small", *VAULT, "disk", "--size", "3"), expect=1
    )
    assert "BackupService.6101" in said


def test_the_catalogue_names_the_service(admin):
    rows = admin.openstack_json("catalog", "list")
    (row,) = [row for row in rows if row["Type"] == "cbr"]
    assert admin.http.project_id in json.dumps(row["Endpoints"])
