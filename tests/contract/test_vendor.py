"""What Terraform's providers and the Go and Java SDKs send to the vendor's half, call by call."""

import uuid

import pytest

from disks import copy, scribble
from strongroom import same_bytes, wait_for


class Vendor:
    """The paths that those clients build: version 2, but version 1 for jobs."""

    def __init__(self, http):
        self.http = http
        self.base = http.urls["vbsv2"]
        # T-02: the first `v2` in the whole address becomes `v1`.
        self.jobs = self.base.replace("v2", "v1", 1)

    def __call__(self, method, path, expect=200, **options):
        answer = self.http(method, f"{self.base}/{path}", version=None, **options)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def job(self, id):
        answer = self.http("GET", f"{self.jobs}/jobs/{id}", version=None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def finished(self, id, status="SUCCESS"):
        def probe():
            job = self.job(id)
            return job if job["status"] in ("SUCCESS", "FAIL") else None

        ended = wait_for(f"job {id} to end", probe)
        assert ended["status"] == status, ended
        return ended


@pytest.fixture(scope="module")
def vendor(http):
    return Vendor(http)


@pytest.fixture
def disk(http, server):
    volume = http.create_volume(1, name="disk")["id"]
    scribble(server.volume_file(volume), seed=7, blocks=200)
    return volume


def back_up(vendor, volume, **more):
    body = {"backup": {"volume_id": volume, "name": "tf-backup", **more}}
    return vendor("POST", "cloudbackups", json=body)["job_id"]


def test_t33_a_backup_as_terraform_makes_it(vendor, http, disk):
    ended = vendor.finished(back_up(vendor, disk, description="by hand"))
    # T-33: the job says SUCCESS and the backup is available at that very moment, in every view.
    id = ended["entities"]["backup_id"]
    assert http.show("backups", id)["status"] == "available"
    assert vendor("GET", f"backups/{id}")["backup"]["status"] == "available"
    assert ended["job_type"] == "bksCreateBackup"
    assert ended["entities"]["volume_id"] == disk
    assert all(isinstance(value, str) for value in ended["entities"].values())
    assert (ended["error_code"], ended["fail_reason"]) == (None, None)
    for version in ("v1", "v2", "v3"):
        url = vendor.base.replace("v2", version, 1)
        assert http("GET", f"{url}/jobs/{ended['job_id']}", version=None).json() == ended
    # T-35: the volume is at rest again.
    assert http.show("volumes", disk)["status"] == "available"
    vendor("DELETE", f"backups/{id}", expect=202)
    http.wait_gone("backups", id)


def test_a_backup_is_restored_and_removed_by_jobs(vendor, http, server, disk, tmp_path):
    before = tmp_path / "before.raw"
    server_file = server.volume_file(disk)
    copy(server_file, before)
    id = vendor.finished(back_up(vendor, disk))["entities"]["backup_id"]
    scribble(server_file, seed=8, blocks=200)
    assert not same_bytes(before, server_file)
    body = {"restore": {"volume_id": disk}}
    job = vendor("POST", f"cloudbackups/{id}/restore", json=body)["job_id"]
    ended = vendor.finished(job)
    assert (ended["job_type"], ended["entities"]["backup_id"]) == ("bksRestoreBackup", id)
    assert same_bytes(before, server_file)
    # T-27: no body and no content type.
    ended = vendor.finished(vendor("POST", f"cloudbackups/{id}")["job_id"])
    assert (ended["job_type"], ended["entities"]["backup_id"]) == ("bksDeleteBackup", id)
    assert http("GET", f"backups/{id}").status_code == 404


def test_t36_a_disk_in_use_needs_no_force(vendor, http, disk):
    http.ok("POST", f"volumes/{disk}/action", json={"os-attach": {"mountpoint": "/dev/vdb"}})
    vendor.finished(back_up(vendor, disk))
    assert http.show("volumes", disk)["status"] == "in-use"


def test_a_full_backup_can_be_asked_for(vendor, http, disk):
    vendor.finished(back_up(vendor, disk))
    full = back_up(vendor, disk, extend_param={"FullBackup": "true"})
    id = vendor.finished(full)["entities"]["backup_id"]
    metadata = vendor("GET", f"backups/{id}")["backup"]["service_metadata"]
    assert '"Type":0' in metadata.replace(" ", "")


def test_figures_of_use_agree_everywhere(vendor, http, disk):
    vendor.finished(back_up(vendor, disk))
    quota = {row["type"]: row for row in vendor("GET", "cloudbackups/quota")["quotas"]["resources"]}
    limits = http.ok("GET", "limits")["limits"]["absolute"]
    assert quota["backups"]["used"] == limits["totalBackupsUsed"]
    assert quota["backup_gigabytes"]["used"] == limits["totalBackupGigabytesUsed"]
    assert quota["backups"]["quota"] == limits["maxTotalBackups"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "auto-made"}, "VolumeBackup.0005"),
        ({"name": "a<b"}, "VolumeBackup.0004"),
        ({"name": "x" * 10_000}, "VolumeBackup.0003"),
        ({"name": ""}, "VolumeBackup.0007"),
        ({"volume_id": ""}, "VolumeBackup.0010"),
        ({"volume_id": "vol1"}, "VolumeBackup.0011"),
        ({"description": "<b>"}, "VolumeBackup.0006"),
        ({"tags": [{"key": "k" * 37, "value": "v"}]}, "VolumeBackup.0049"),
    ],
)
def test_bad_wishes_are_refused_by_their_code(vendor, disk, change, code):
    body = {"backup": {"volume_id": disk, "name": "fine", **change}}
    answer = vendor("POST", "cloudbackups", expect=400, json=body)
    assert answer["error"]["code"] == code
    assert answer["error"]["message"]


def test_an_unknown_disk_and_an_unknown_job(vendor):
    nobody = str(uuid.uuid4())
    body = {"backup": {"volume_id": nobody, "name": "fine"}}
    answer = vendor("POST", "cloudbackups", expect=404, json=body)
    assert answer["error"]["code"] == "VolumeBackup.0021"
    assert vendor("GET", f"jobs/{uuid.uuid4().hex}", expect=404)["error"]["code"] == "common.0011"


def test_t32_a_share_as_terraform_makes_it(vendor, http, admin, server, disk):
    admin.openstack("project", "create", "receivers")
    admin.openstack("user", "create", "rita", "--password", "for the tests")
    admin.openstack("role", "add", "--project", "receivers", "--user", "rita", "member")
    rita = admin.other_user("rita", "for the tests", "receivers").http
    theirs = Vendor(rita)
    id = vendor.finished(back_up(vendor, disk))["entities"]["backup_id"]
    assert rita("GET", f"backups/{id}").status_code == 404

    body = {"shared": {"backup_id": id, "to_project_ids": [rita.project_id]}}
    (made,) = vendor("POST", "os-vendor-backup-sharing", json=body)["shared"]
    assert made["deleted"] is None
    # T-32: it is listed at once.
    (found,) = vendor("GET", f"os-vendor-backup-sharing/detail?backup_id={id}")["shared"]
    assert found["id"] == made["id"]
    (seen,) = theirs("GET", "os-vendor-backup-sharing/detail?share_to_me=true")["shared"]
    assert seen["backup"]["id"] == id
    assert "CMKID" not in (seen["backup"]["service_metadata"] or "")
    assert theirs("GET", "backups/detail")["backups"] == []

    copy = rita.create_volume(1, backup_id=id)["id"]
    assert same_bytes(server.volume_file(disk), server.volume_file(copy))
    restore = {"restore": {"volume_id": copy}}
    assert rita("POST", f"backups/{id}/restore", json=restore).status_code == 404
    assert rita("DELETE", f"backups/{id}").status_code == 404

    # T-24, T-25: exactly 200, and nothing in it.
    vendor("DELETE", f"os-vendor-backup-sharing/{id}?is_backup_id=true")
    assert theirs("GET", "os-vendor-backup-sharing/detail?share_to_me=true")["shared"] == []
    again = rita("POST", "volumes", json={"volume": {"size": 1, "backup_id": id}})
    assert again.status_code == 404
    assert same_bytes(server.volume_file(disk), server.volume_file(copy))


def test_t34_a_policy_as_terraform_makes_it(vendor, disk):
    wish = {
        "backup_policy_name": "tf-policy",
        "scheduled_policy": {
            "start_time": "12:00",
            "week_frequency": ["SUN", "WED"],
            "rentention_day": 10,
            "remain_first_backup_of_curMonth": "Y",
            "status": "ON",
        },
        "tags": [{"key": "team", "value": "red"}],
    }
    id = vendor("POST", "backuppolicy", json=wish)["backup_policy_id"]
    listed = vendor("GET", "backuppolicy")["backup_policies"]
    (policy,) = [row for row in listed if row["backup_policy_id"] == id]
    schedule = policy["scheduled_policy"]
    assert schedule["week_frequency"] == ["SUN", "WED"]
    assert schedule["rentention_day"] == 10
    assert "frequency" not in schedule
    assert "rentention_num" not in schedule
    assert vendor("GET", f"backuppolicy/{id}/tags")["tags"] == [{"key": "team", "value": "red"}]

    bind = {"backup_policy_id": id, "resources": [{"resource_id": disk, "resource_type": "volume"}]}
    bound = vendor("POST", "backuppolicyresources", json=bind)
    assert [item["resource_id"] for item in bound["success_resources"]] == [disk]
    assert bound["fail_resources"] == []

    change = {"scheduled_policy": {"frequency": 3, "rentention_num": 4}}
    assert vendor("PUT", f"backuppolicy/{id}", json=change)["backup_policy_id"] == id
    listed = vendor("GET", "backuppolicy")["backup_policies"]
    (policy,) = [row for row in listed if row["backup_policy_id"] == id]
    schedule = policy["scheduled_policy"]
    assert (schedule["frequency"], schedule["rentention_num"]) == (3, 4)
    assert "week_frequency" not in schedule
    assert "rentention_day" not in schedule
    assert schedule["status"] == "ON"

    action = {"action": "update", "tags": [{"key": "team", "value": "blue"}]}
    vendor("POST", f"backuppolicy/{id}/tags/action", expect=204, json=action)
    vendor("POST", f"backuppolicy/{id}/tags/action", expect=204, json={"action": "delete"})
    search = {"action": "filter", "tags": [{"key": "team", "values": ["blue"]}], "limit": "10"}
    found = vendor("POST", "backuppolicy/resource_instances/action", json=search)
    assert (found["total_count"], found["resources"][0]["resource_id"]) == (1, id)

    vendor("POST", f"backuppolicy/{id}/action", expect=204)
    tasks = wait_for(
        "the policy's task",
        lambda: vendor("GET", f"backuppolicy/{id}/backuptasks?status=EXECUTE_SUCCESS")["tasks"],
    )
    assert tasks[0]["resource_id"] == disk
    vendor.finished(tasks[0]["vbs_job_id"])

    vendor("DELETE", f"backuppolicy/{id}", expect=204)
    assert vendor("GET", f"backuppolicy/{id}/tags", expect=404)["error"]["code"]


def test_a_disk_that_vanishes_does_not_stop_its_policy(vendor, http, disk):
    wish = {
        "backup_policy_name": "orphans",
        "scheduled_policy": {
            "start_time": "12:00",
            "frequency": 1,
            "rentention_num": 2,
            "status": "OFF",
        },
    }
    id = vendor("POST", "backuppolicy", json=wish)["backup_policy_id"]
    other = http.create_volume(1, name="vanishing")["id"]
    both = [{"resource_id": one, "resource_type": "volume"} for one in (disk, other)]
    vendor("POST", "backuppolicyresources", json={"backup_policy_id": id, "resources": both})
    http.delete("volumes", other)
    vendor("POST", f"backuppolicy/{id}/action", expect=204)

    def ended():
        tasks = vendor("GET", f"backuppolicy/{id}/backuptasks")["tasks"]
        return {it["resource_id"]: it for it in tasks if it["status"] not in ("WAITING", "RUNNING")}

    tasks = wait_for("both tasks to end", lambda: ended() if len(ended()) == 2 else None)
    assert tasks[disk]["status"] == "EXECUTE_SUCCESS"
    assert tasks[other]["status"] in ("SKIP", "EXECUTE_FAIL")
    assert tasks[other]["code"]
    assert tasks[other]["message"]
    vendor("DELETE", f"backuppolicy/{id}", expect=204)
