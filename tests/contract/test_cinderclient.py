"""The `cinder` command and its library, unmodified, on the disks of one project."""

import base64
import json
import uuid

import pytest
from cinderclient import exceptions

from disks import copy, scribble
from strongroom import properties, same_bytes, table


@pytest.fixture(scope="module")
def volume(server, http):
    """A volume of 1 GiB with bytes all over it."""
    made = http.create_volume(1, name="cinders")
    scribble(server.volume_file(made["id"]), seed=30, blocks=300)
    return made["id"]


@pytest.fixture(scope="module")
def backups(admin, http, volume):
    """Three backups, made by the command: `c-1`, `c-2`, `c-3`, in that order."""
    ids = []
    for number in (1, 2, 3):
        asked = ["--incremental"] if number > 1 else []
        made = properties(admin.cinder("backup-create", "cinders", "--name", f"c-{number}", *asked))
        http.wait("backups", made["id"])
        ids.append(made["id"])
    return ids


def restored_equals(server, http, volume_id, original):
    """Whether a restored volume, once at rest, holds the bytes of another."""
    http.wait("volumes", volume_id)
    return same_bytes(server.volume_file(volume_id), server.volume_file(original))


def listed(admin, *args):
    return [row["Name"] for row in table(admin.cinder("backup-list", *args))]


def test_backup_show(backups, admin, volume):
    shown = properties(admin.cinder("backup-show", "c-1"))
    assert shown["id"] == backups[0]
    assert shown["volume_id"] == volume
    assert shown["status"] == "available"
    assert shown["is_incremental"] == "False"
    assert properties(admin.cinder("backup-show", backups[1]))["is_incremental"] == "True"


def test_backup_list(backups, admin):
    assert set(listed(admin)) >= {"c-1", "c-2", "c-3"}
    assert listed(admin, "--sort", "name:asc", "--limit", "2") == ["c-1", "c-2"]
    assert listed(admin, "--sort", "name:desc", "--limit", "1") == ["c-3"]
    marked = listed(admin, "--sort", "created_at:asc", "--marker", backups[0])
    assert marked[:2] == ["c-2", "c-3"]
    assert listed(admin, "--name", "c-2") == ["c-2"]


def test_backup_list_filters(backups, admin, volume):
    assert listed(admin, "--filters", "name~=C-", f"volume_id={volume}", "--sort", "name:asc") == [
        "c-1",
        "c-2",
        "c-3",
    ]
    assert listed(admin, "--filters", "name~=-3") == ["c-3"]
    assert listed(admin, "--filters", "name=c-") == []


def test_backup_list_with_count(backups, admin):
    printed = admin.cinder("backup-list", "--with-count", "--limit", "1", "--name", "c-2")
    assert len(table(printed)) == 1
    assert "Backup in total: 1" in printed


def test_backup_restore_onto_a_volume(backups, server, admin, http, volume):
    target = http.create_volume(1, name="onto")["id"]
    printed = properties(admin.cinder("backup-restore", "c-3", "--volume", "onto"))
    assert printed["volume_id"] == target
    assert restored_equals(server, http, target, volume)


def test_backup_restore_makes_a_volume(backups, server, admin, http, volume):
    printed = properties(admin.cinder("backup-restore", backups[0]))
    assert printed["volume_name"] == f"restore_backup_{backups[0]}"
    assert restored_equals(server, http, printed["volume_id"], volume)
    made = http.show("volumes", printed["volume_id"])
    assert made["name"] == f"restore_backup_{backups[0]}"

    printed = properties(admin.cinder("backup-restore", backups[1], "--name", "named"))
    assert printed["volume_name"] == "named"
    assert restored_equals(server, http, printed["volume_id"], volume)


def test_backup_update(backups, admin, http):
    admin.cinder(
        "backup-update", "c-2", "--name", "c-2", "--description", "second", "--metadata", "k=v"
    )
    shown = http.show("backups", backups[1])
    assert (shown["name"], shown["description"]) == ("c-2", "second")
    assert shown["metadata"] == {"k": "v"}


def test_backup_reset_state(backups, admin, http):
    admin.cinder("backup-reset-state", "--state", "error", "c-1")
    assert http.show("backups", backups[0])["status"] == "error"
    admin.cinder("backup-reset-state", "--state", "available", "c-1")
    assert http.show("backups", backups[0])["status"] == "available"


def exported(admin, backup):
    """The record of a backup, as the command prints it: its service and what it decodes to."""
    printed = properties(admin.cinder("backup-export", backup))
    return printed["backup_service"], json.loads(base64.b64decode(printed["backup_url"]))


def imported(admin, service, record):
    """The id under which a record was imported."""
    url = base64.b64encode(json.dumps(record).encode()).decode()
    return properties(admin.cinder("backup-import", service, url))["id"]


def test_backup_export(backups, admin, http, volume):
    service, record = exported(admin, backups[0])
    assert service.startswith("cinder.backup.drivers")
    assert record["id"] == backups[0]
    assert record["volume_id"] == volume
    assert record["size"] == 1
    assert record["display_name"] == "c-1"
    assert record["project_id"] == http.project_id
    assert record["created_at"].endswith("Z")


def test_two_records_of_the_same_bytes(server, admin, http, volume):
    original = http.create_backup(volume, name="original")["id"]
    service, record = exported(admin, original)
    twin = str(uuid.uuid4())
    assert imported(admin, service, {**record, "id": twin, "display_name": "twin"}) == twin
    assert http.wait("backups", twin)["name"] == "twin"

    http.delete("backups", original)
    target = http.create_volume(1)["id"]
    http.restore(twin, target)
    assert restored_equals(server, http, target, volume), "the twin lost its bytes"

    assert imported(admin, service, record) == original, "the record itself comes back"
    http.wait("backups", original)
    http.delete("backups", twin)
    http.restore(original, target)
    assert restored_equals(server, http, target, volume), "the original lost its bytes"
    http.delete("backups", original)


def test_import_of_a_backup_that_exists(backups, admin):
    service, record = exported(admin, backups[0])
    url = base64.b64encode(json.dumps(record).encode()).decode()
    said = admin.cinder("backup-import", service, url, expect=1)
    assert "Backup already exists in database" in said


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("%%%", "Can't decode backup record"),
        (base64.b64encode(b"no json").decode(), "Can't parse backup record"),
        (base64.b64encode(b"{}").decode(), "missing an id"),
        (
            base64.b64encode(json.dumps({"id": str(uuid.uuid4())}).encode()).decode(),
            "missing size attribute",
        ),
    ],
    ids=["no base64", "no JSON", "no id", "no size"],
)
def test_import_of_a_bad_record(admin, url, message):
    said = admin.cinder("backup-import", "cinder.backup.drivers.vbs", url, expect=1)
    assert message in said


def test_import_of_a_record_whose_bytes_are_nowhere(admin, http, backups):
    service, record = exported(admin, backups[0])
    stranger = {**record, "id": str(uuid.uuid4())}
    for field in ("backupurl", "data_id"):
        stranger.get("driver_info", {}).pop(field, None)
    stranger["service_metadata"] = json.dumps({"backupurl": str(uuid.uuid4())})
    stranger["driver_info"] = {}
    made = imported(admin, service, stranger)
    shown = http.wait("backups", made, "error")
    assert shown["fail_reason"]
    http.delete("backups", made)


def test_a_volume_from_a_backup(backups, server, admin, http, volume):
    made = properties(admin.cinder("create", "--backup-id", backups[2], "--name", "from-backup"))
    assert restored_equals(server, http, made["id"], volume)

    larger = properties(admin.cinder("create", "2", "--backup-id", backups[2]))
    assert http.wait("volumes", larger["id"])["size"] == 2


def test_backup_of_a_snapshot(server, admin, http, volume, tmp_path):
    made = http.create_volume(1, name="snapped")["id"]
    scribble(server.volume_file(made), seed=31, blocks=200)
    frozen = copy(server.volume_file(made), tmp_path / "frozen.raw")
    snapshot = properties(admin.cinder("snapshot-create", "--name", "s-1", "snapped"))
    http.wait("snapshots", snapshot["id"])
    scribble(server.volume_file(made), seed=32, blocks=50)

    backup = properties(
        admin.cinder("backup-create", "snapped", "--snapshot-id", snapshot["id"], "--name", "s-b")
    )
    shown = http.wait("backups", backup["id"])
    assert shown["snapshot_id"] == snapshot["id"]
    assert http.show("volumes", made)["status"] == "available"
    target = http.create_volume(1)["id"]
    http.restore(backup["id"], target)
    assert same_bytes(server.volume_file(target), frozen)

    said = admin.cinder("backup-create", volume, "--snapshot-id", snapshot["id"], expect=1)
    assert "does not match with snapshot.volume_id" in said


def test_backup_delete(admin, http, volume):
    names = ["d-1", "d-2"]
    ids = [http.create_backup(volume, name=name)["id"] for name in names]
    admin.cinder("backup-delete", *names)
    for id in ids:
        http.wait_gone("backups", id)
    forced = http.create_backup(volume, name="d-3")["id"]
    admin.cinder("backup-delete", "--force", "d-3")
    http.wait_gone("backups", forced)
    said = admin.cinder("backup-delete", "d-3", expect=1)
    assert "No volumebackup with a name or ID of 'd-3' exists" in said


def test_absolute_limits(backups, admin):
    rows = {row["Name"]: row["Value"] for row in table(admin.cinder("absolute-limits"))}
    assert int(rows["totalBackupsUsed"]) >= 3
    assert int(rows["totalBackupGigabytesUsed"]) >= 3
    assert rows["maxTotalBackups"] == "-1"


def test_extensions_and_filters(admin):
    aliases = {row["Alias"] for row in table(admin.cinder("list-extensions"))}
    assert "backups" in aliases
    filters = {row["Resource"]: row["Filters"] for row in table(admin.cinder("list-filters"))}
    assert "name" in filters["backup"] and "volume_id" in filters["backup"]


def test_quotas(admin, http):
    project = http.project_id
    admin.cinder("quota-update", project, "--backups", "77", "--backup-gigabytes", "777")
    shown = properties(admin.cinder("quota-show", project))
    assert (shown["backups"], shown["backup_gigabytes"]) == ("77", "777")
    usage = table(admin.cinder("quota-usage", project))
    assert {row["Type"]: row["Limit"] for row in usage}["backups"] == "77"
    defaults = properties(admin.cinder("quota-defaults", project))
    admin.cinder("quota-delete", project)
    shown = properties(admin.cinder("quota-show", project))
    assert shown["backups"] == defaults["backups"] != "77"
    http.lift_quotas()


def test_versions(admin):
    printed = admin.cinder("version-list")
    assert "3.71" in printed and "3.0" in printed


def test_an_old_microversion_knows_no_update(admin, backups):
    said = admin.cinder(
        "--os-volume-api-version", "3.8", "backup-update", "c-1", "--name", "x", expect=2
    )
    assert "backup-update" in said


def test_library_negotiates(admin, backups):
    old = admin.cinderclient("3.0")
    assert {backup.id for backup in old.backups.list()} >= set(backups)
    assert not hasattr(old.backups.get(backups[0]), "metadata")
    new = admin.cinderclient("3.64")
    assert new.backups.get(backups[0]).metadata == {}
    assert new.backups.get(backups[0]).user_id


def test_library_pages_and_counts(admin, backups):
    cinder = admin.cinderclient()
    page, total = cinder.backups.list(search_opts={"with_count": True}, limit=2)
    everything = cinder.backups.list(limit=None)
    assert len(page) == 2 and total == len(everything)
    assert len({backup.id for backup in everything}) == total


def test_library_says_what_is_wrong(admin, volume):
    cinder = admin.cinderclient()
    with pytest.raises(exceptions.NotFound, match="could not be found"):
        cinder.backups.get(str(uuid.uuid4()))
    with pytest.raises(exceptions.NotFound, match="Volume .* could not be found"):
        cinder.backups.create(str(uuid.uuid4()))
    with pytest.raises(exceptions.BadRequest, match="Invalid sort key"):
        cinder.backups._list("/backups?sort=colour", "backups")
