"""The `openstack` command, unmodified: one disk of real files through its whole life.

The disk is a real file system; every restored volume is compared with the image as it was when it
was backed up, by `cmp`, by qemu-img and by e2fsck.
"""

from types import SimpleNamespace

import pytest

from disks import check_file_system, copy, use_disk
from strongroom import run, same_bytes


@pytest.fixture(scope="module")
def saved(server, admin, http, real_disk, tmp_path_factory):
    """A volume, a full backup of it, a day of use, and an increment: ids and images of both."""
    home = tmp_path_factory.mktemp("saved")
    volume = admin.openstack_json("volume", "create", "--size", "1", "files")
    http.wait("volumes", volume["id"])

    before = copy(real_disk, home / "before.raw")
    server.fill(volume["id"], before)
    full = admin.openstack_json(
        "volume", "backup", "create", "files", "--name", "full", "--description", "the first"
    )
    http.wait("backups", full["id"])

    after = copy(before, home / "after.raw")
    use_disk(after, seed=1)
    server.fill(volume["id"], after)
    increment = admin.openstack_json(
        "volume", "backup", "create", "files", "--name", "increment", "--incremental"
    )
    http.wait("backups", increment["id"])
    return SimpleNamespace(
        volume=volume["id"],
        full=full["id"],
        increment=increment["id"],
        before=before,
        after=after,
    )


def listed(admin, *args):
    """The ids that `volume backup list` prints, in its order."""
    return [row["ID"] for row in admin.openstack_json("volume", "backup", "list", *args)]


def test_create_prints_what_was_made(saved, admin):
    shown = admin.openstack_json("volume", "backup", "show", saved.full)
    assert shown["name"] == "full"
    assert shown["description"] == "the first"
    assert shown["volume_id"] == saved.volume
    assert shown["status"] == "available"
    assert shown["size"] == 1
    assert shown["is_incremental"] is False
    assert shown["fail_reason"] is None
    assert shown["created_at"].count(".") == 1 and not shown["created_at"].endswith("Z")


def test_an_increment_says_so(saved, admin):
    shown = admin.openstack_json("volume", "backup", "show", "increment")
    assert shown["id"] == saved.increment
    assert shown["is_incremental"] is True
    assert shown["has_dependent_backups"] is False


def test_the_volume_is_available_again(saved, http):
    assert http.show("volumes", saved.volume)["status"] == "available"


def test_list_shows_newest_first(saved, admin):
    ids = listed(admin)
    assert ids.index(saved.increment) < ids.index(saved.full)
    rows = admin.openstack_json("volume", "backup", "list", "--long", "--volume", "files")
    assert {row["ID"] for row in rows} >= {saved.full, saved.increment}
    assert {row["Volume"] for row in rows} == {saved.volume}
    assert {row["Size"] for row in rows} == {1}


def test_list_filters(saved, admin):
    assert listed(admin, "--name", "full") == [saved.full]
    assert listed(admin, "--name", "ful") == []
    assert listed(admin, "--status", "error") == []
    assert set(listed(admin, "--status", "available")) >= {saved.full, saved.increment}


def test_list_pages(saved, admin):
    # The client takes --limit for the size of a page and fetches all pages; --max-items ends it.
    everything = listed(admin)
    assert listed(admin, "--limit", "1") == everything
    assert listed(admin, "--max-items", "1") == everything[:1]
    assert (
        listed(admin, "--marker", saved.increment)
        == everything[everything.index(saved.increment) + 1 :]
    )


def test_restore_onto_a_new_volume(saved, server, admin, http):
    restored = admin.openstack_json("volume", "backup", "restore", "full", "restored-full")
    assert restored["volume_name"] == "restored-full"
    http.wait("volumes", restored["volume_id"])
    http.wait("backups", saved.full)
    file = server.volume_file(restored["volume_id"])
    assert same_bytes(file, saved.before)
    check_file_system(file)
    admin.openstack("volume", "delete", "restored-full")
    http.wait_gone("volumes", restored["volume_id"])
    assert not file.exists()


def test_restore_of_the_increment_onto_an_existing_volume(saved, server, admin, http):
    target = http.create_volume(2, name="larger")
    admin.openstack("volume", "backup", "restore", "--force", saved.increment, target["id"])
    after = http.wait("volumes", target["id"])
    assert after["size"] == 2, "a larger volume keeps its size"
    assert after["name"] == "larger"
    file = server.volume_file(target["id"])
    run(["cmp", "--bytes", str(1 << 30), file, saved.after])
    # qemu-img takes what lies beyond the smaller image for equal only if it is zeros.
    run(["qemu-img", "compare", "-f", "raw", "-F", "raw", file, saved.after])


def test_restore_overwrites_what_was_there(saved, server, admin, http):
    target = http.create_volume(1, name="dirty")
    server.fill(target["id"], saved.after)
    admin.openstack("volume", "backup", "restore", "--force", "full", "dirty")
    http.wait("volumes", target["id"])
    http.wait("backups", saved.full)
    assert same_bytes(server.volume_file(target["id"]), saved.before)


def test_restore_without_force_spares_an_existing_volume(saved, admin):
    said = admin.openstack("volume", "backup", "restore", "full", "files", expect=1)
    assert "already exists" in said


def test_restore_onto_a_volume_that_is_too_small(saved, admin, http):
    large = http.create_volume(2, name="two")
    backup = http.create_backup(large["id"], name="of-two")
    small = http.create_volume(1, name="one")
    said = admin.openstack(
        "volume", "backup", "restore", "--force", backup["id"], small["id"], expect=1
    )
    assert "volume size 1 is too small to restore backup of size 2" in said
    assert http.show("volumes", small["id"])["status"] == "available"
    assert http.show("backups", backup["id"])["status"] == "available"


def test_set_name_description_and_properties(saved, admin, http):
    backup = http.create_backup(saved.volume, name="to-change")
    admin.openstack(
        "volume", "backup", "set", "to-change",
        "--name", "changed", "--description", "ärger & <ruhe>",
        "--property", "tier=gold", "--property", "owner=olga",
    )  # fmt: skip
    shown = admin.openstack_json("volume", "backup", "show", backup["id"])
    assert shown["name"] == "changed"
    assert shown["description"] == "ärger & <ruhe>"
    assert shown["metadata"] == {"tier": "gold", "owner": "olga"}

    admin.openstack("volume", "backup", "set", "changed", "--property", "tier=silver")
    assert http.show("backups", backup["id"])["metadata"] == {"tier": "silver", "owner": "olga"}

    # The client deletes the properties that were not named. The server does what it is asked.
    admin.openstack("volume", "backup", "unset", "changed", "--property", "tier")
    assert http.show("backups", backup["id"])["metadata"] == {"tier": "silver"}

    admin.openstack("volume", "backup", "set", "changed", "--no-property")
    assert http.show("backups", backup["id"])["metadata"] == {}
    admin.openstack("volume", "backup", "delete", "changed")
    http.wait_gone("backups", backup["id"])


def test_set_state(saved, admin, http):
    backup = http.create_backup(saved.volume, name="stateful")
    admin.openstack("volume", "backup", "set", "--state", "error", "stateful")
    assert http.show("backups", backup["id"])["status"] == "error"
    said = admin.openstack("volume", "backup", "restore", "stateful", "never-made", expect=1)
    assert "Backup status must be available" in said
    admin.openstack("volume", "backup", "set", "--state", "available", "stateful")
    assert http.show("backups", backup["id"])["status"] == "available"
    http.delete("backups", backup["id"])


def test_record_export(saved, admin):
    record = admin.openstack_json("volume", "backup", "record", "export", "full")
    assert record["backup_service"].startswith("cinder.backup.drivers")
    assert len(record["backup_url"]) > 100


def test_record_import_is_broken_in_the_client(saved, admin):
    # openstacksdk 4.22 posts to export_record; the answer must be a clean refusal.
    said = admin.openstack(
        "volume", "backup", "record", "import", "cinder.backup.drivers.vbs", "e30=", expect=1
    )
    assert "404" in said or "400" in said


def test_an_increment_outlives_its_full_backup(server, admin, http, real_disk, tmp_path):
    volume = http.create_volume(1, name="chain")
    images = []
    for day in range(3):
        image = copy(images[-1] if images else real_disk, tmp_path / f"{day}.raw")
        use_disk(image, seed=10 + day)
        images.append(image)
        server.fill(volume["id"], image)
        asked = ["--incremental"] if day else []
        made = admin.openstack_json(
            "volume", "backup", "create", "chain", "--name", f"day-{day}", *asked
        )
        http.wait("backups", made["id"])

    for day in (0, 2):
        admin.openstack("volume", "backup", "delete", f"day-{day}")
    for name in listed(admin, "--volume", "chain"):
        shown = http.show("backups", name)
        if shown["status"] == "deleting":
            http.wait_gone("backups", name)
    assert [http.show("backups", id)["name"] for id in listed(admin, "--volume", "chain")] == [
        "day-1"
    ]

    restored = admin.openstack_json("volume", "backup", "restore", "day-1", "chain-day-1")
    http.wait("volumes", restored["volume_id"])
    assert same_bytes(server.volume_file(restored["volume_id"]), images[1])


def test_delete_by_force(saved, admin, http):
    backup = http.create_backup(saved.volume, name="unwanted")
    admin.openstack("volume", "backup", "delete", "--force", "unwanted")
    http.wait_gone("backups", backup["id"])


def test_delete_of_what_is_missing(admin):
    said = admin.openstack("volume", "backup", "delete", "nowhere", expect=1)
    assert "No Backup found for nowhere" in said
    assert "1 of 1 backups failed to delete" in said


def test_backup_of_a_missing_volume(admin):
    said = admin.openstack("volume", "backup", "create", "nowhere", expect=1)
    assert "No Volume found for nowhere" in said


def test_a_volume_in_use_needs_force_and_stays_in_use(admin, http):
    volume = http.create_volume(1, name="busy")
    admin.openstack("volume", "set", "--state", "in-use", "busy")
    said = admin.openstack("volume", "backup", "create", "busy", expect=1)
    assert "Backing up an in-use volume must use the force flag" in said
    made = admin.openstack_json("volume", "backup", "create", "--force", "busy")
    http.wait("backups", made["id"])
    http.wait("volumes", volume["id"], "in-use")
    admin.openstack("volume", "set", "--state", "available", "busy")


def test_backup_of_a_snapshot(server, admin, http, real_disk, tmp_path):
    volume = http.create_volume(1, name="moving")
    before = copy(real_disk, tmp_path / "before.raw")
    use_disk(before, seed=20)
    server.fill(volume["id"], before)
    snapshot = admin.openstack_json("volume", "snapshot", "create", "--volume", "moving", "frozen")
    http.wait("snapshots", snapshot["id"])
    use_disk(server.volume_file(volume["id"]), seed=21)

    made = admin.openstack_json(
        "volume", "backup", "create", "moving", "--snapshot", "frozen", "--name", "of-frozen"
    )
    http.wait("backups", made["id"])
    shown = admin.openstack_json("volume", "backup", "show", "of-frozen")
    assert shown["snapshot_id"] == snapshot["id"]
    restored = admin.openstack_json("volume", "backup", "restore", "of-frozen", "thawed")
    http.wait("volumes", restored["volume_id"])
    assert same_bytes(server.volume_file(restored["volume_id"]), before)


def test_quotas(saved, admin, http):
    project = http.project_id
    shown = quotas(admin)
    assert shown["backups"] == -1

    admin.openstack("quota", "set", "--backups", "100", "--backup-gigabytes", "2000", project)
    shown = quotas(admin)
    assert (shown["backups"], shown["backup-gigabytes"]) == (100, 2000)

    used = http.ok("GET", "limits")["limits"]["absolute"]["totalBackupsUsed"]
    assert used >= 2
    admin.openstack("quota", "set", "--backups", str(used), project)
    said = admin.openstack("volume", "backup", "create", "files", expect=1)
    assert "BackupLimitExceeded" in said and f"({used})" in said
    assert http.show("volumes", saved.volume)["status"] == "available"

    said = admin.openstack("quota", "set", "--backups", "1", project, expect=1)
    assert "must be equal or greater than existing resources" in said
    admin.openstack("quota", "set", "--backups", "-1", "--backup-gigabytes", "-1", project)


def quotas(admin):
    """The limits of the volume service, by the names that the command prints."""
    rows = admin.openstack_json("quota", "show", "--volume")
    return {row["Resource"]: row["Limit"] for row in rows}


def test_catalog_and_token(admin, http):
    names = {row["Type"] for row in admin.openstack_json("catalog", "list")}
    assert {"identity", "block-storage", "volumev3", "volumev2"} <= names
    issued = admin.openstack_json("token", "issue")
    assert issued["project_id"] == http.project_id
