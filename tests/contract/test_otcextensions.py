"""OTC's plugin of the openstack command, and its SDK, unmodified, on the vendor's half."""

import pytest

from strongroom import wait_for


@pytest.fixture(scope="module")
def vbs(admin):
    """The SDK's proxy of the volume backup service."""
    from otcextensions import sdk

    connection = admin.sdk()
    sdk.register_otc_extensions(connection)
    return connection.volume_backup


@pytest.fixture
def policy(admin):
    """A policy that is off, made by the command; gone at the end."""
    made = create(admin, "nightly")
    yield made["id"]
    if made["id"] in {row["id"] for row in listed(admin)}:
        admin.openstack("vbs", "policy", "delete", made["id"])


def create(admin, name, *options):
    every = ["--start_time", "02:00,14:00", "--frequency", "2", "--rentention_num", "5"]
    return admin.openstack_json("vbs", "policy", "create", name, *every, *options)


def listed(admin):
    return admin.openstack_json("vbs", "policy", "list")


def shown(admin, id):
    return next(row for row in listed(admin) if row["id"] == id)


def schedule(row):
    """What the service said of a schedule; the SDK adds members of its own that are null."""
    return {key: value for key, value in row["scheduled_policy"].items() if value is not None}


def test_t07_the_plugin_finds_the_endpoint_without_discovery(admin):
    assert listed(admin) == []


def test_a_policy_is_made_and_listed(admin):
    made = create(admin, "tagged", "--enable", "--tag", "team=red", "--tag", "tier=gold")
    row = shown(admin, made["id"])
    assert (row["name"], row["policy_resource_count"]) == ("tagged", 0)
    assert schedule(row) == {
        "start_time": "02:00,14:00",
        "frequency": 2,
        "rentention_num": 5,
        "remain_first_backup_of_curMonth": "N",
        "status": "ON",
    }
    assert {tag["key"]: tag["value"] for tag in row["tags"]} == {"team": "red", "tier": "gold"}
    admin.openstack("vbs", "policy", "delete", made["id"])
    assert made["id"] not in {row["id"] for row in listed(admin)}


def test_t28_an_update_carries_the_id_and_only_what_changes(admin, policy):
    admin.openstack("vbs", "policy", "update", policy, "--name", "weekly")
    assert shown(admin, policy)["name"] == "weekly"
    admin.openstack("vbs", "policy", "update", policy, "--status", "true", "--frequency", "7")
    row = shown(admin, policy)
    assert row["name"] == "weekly"
    assert schedule(row) == {
        "start_time": "02:00,14:00",
        "frequency": 7,
        "rentention_num": 5,
        "remain_first_backup_of_curMonth": "N",
        "status": "ON",
    }


def test_disks_are_linked_and_released(admin, http, policy):
    one, two = (http.create_volume(1, name=name)["id"] for name in ("one", "two"))
    admin.openstack("vbs", "policy", "link", "--volume", one, "--volume", two, policy)
    assert shown(admin, policy)["policy_resource_count"] == 2
    admin.openstack("vbs", "policy", "unlink", "--volume", one, policy)
    assert shown(admin, policy)["policy_resource_count"] == 1


def test_t27_a_policy_without_disks_is_executed_all_the_same(admin, policy):
    admin.openstack("vbs", "policy", "execute", policy)
    assert shown(admin, policy)["policy_resource_count"] == 0


def test_an_executed_policy_backs_its_disks_up(admin, http, policy):
    volume = http.create_volume(1, name="executed")["id"]
    admin.openstack("vbs", "policy", "link", "--volume", volume, policy)
    admin.openstack("vbs", "policy", "execute", policy)

    def available():
        rows = http.ok("GET", f"backups/detail?volume_id={volume}")["backups"]
        return [row for row in rows if row["status"] == "available"]

    (backup,) = wait_for("the policy's backup", available)
    assert backup["name"].startswith("autobk_")
    assert http.show("volumes", volume)["status"] == "available"


def test_what_is_unknown_is_refused_with_a_sentence(admin):
    nobody = "00000000-0000-4000-8000-000000000000"
    said = admin.openstack("vbs", "policy", "delete", nobody, expect=1)
    assert f"Policy {nobody} could not be found." in said


def test_bad_hours_are_refused(admin):
    said = admin.openstack(
        *("vbs", "policy", "create", "odd", "--start_time", "02:30"),
        *("--frequency", "1", "--rentention_num", "3"),
        expect=1,
    )
    assert "'start_time' must be 1 to 24 different whole hours of UTC" in said


def test_t29_the_sdk_tells_failures_by_their_code(vbs, http, policy):
    volume = http.create_volume(1, name="linked")["id"]
    nobody = "00000000-0000-4000-8000-000000000000"
    done = vbs.link_resources_to_policy(policy, [volume, nobody])
    assert [item.resource_id for item in done.success_resources] == [volume]
    assert [item.resource_id for item in done.fail_resources] == [nobody]
    assert done.fail_resources[0].code
    assert done.fail_resources[0].message
    again = vbs.link_resources_to_policy(policy, [volume])
    assert [item.resource_id for item in again.success_resources] == [volume]
    released = vbs.unlink_resources_of_policy(policy, [volume, nobody])
    assert [item.resource_id for item in released.success_resources] == [volume]
    assert [item.resource_id for item in released.fail_resources] == [nobody]


def test_the_sdk_switches_a_policy_on_and_off(vbs, policy):
    def status():
        found = next(it for it in vbs.backup_policies() if it.id == policy)
        return found.scheduled_policy.status

    assert status() == "OFF"
    vbs.enable_policy(policy)
    assert status() == "ON"
    vbs.disable_policy(policy)
    assert status() == "OFF"
    vbs.execute_policy(policy)


def test_the_sdk_refuses_to_delete_what_is_not_there(vbs):
    from openstack import exceptions

    nobody = "00000000-0000-4000-8000-000000000000"
    vbs.delete_backup_policy(nobody)
    with pytest.raises(exceptions.NotFoundException):
        vbs.delete_backup_policy(nobody, ignore_missing=False)
