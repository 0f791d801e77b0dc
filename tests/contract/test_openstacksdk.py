"""openstacksdk, unmodified: the cloud layer, the proxy, and plain requests through its session."""

import re
import uuid

import pytest
from openstack import exceptions

from disks import scribble
from strongroom import BUSY, same_bytes, wait_for

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}")
NATIVE = {
    "id", "name", "links", "status", "description", "availability_zone", "volume_id",
    "fail_reason", "size", "object_count", "container", "created_at", "updated_at",
    "data_timestamp", "snapshot_id", "has_dependent_backups", "is_incremental",
}  # fmt: skip


@pytest.fixture(scope="module")
def cloud(admin):
    """A connection as any program would open one."""
    with admin.sdk() as connection:
        yield connection


@pytest.fixture(scope="module")
def volume(server, cloud):
    """A volume with bytes all over it."""
    made = cloud.create_volume(size=1, name="sdk", wait=True, timeout=60)
    scribble(server.volume_file(made.id), seed=40, blocks=300)
    return made


@pytest.fixture(scope="module")
def backup(cloud, volume):
    """A backup made and waited for by the cloud layer."""
    return cloud.create_volume_backup(
        volume.id, name="first", description="by the cloud layer", wait=True, timeout=60
    )


def test_create_and_wait(backup, volume):
    assert backup.status == "available"
    assert backup.name == "first"
    assert backup.volume_id == volume.id
    assert backup.is_incremental is False


def test_find_by_name_and_id(cloud, backup):
    assert cloud.get_volume_backup("first").id == backup.id
    assert cloud.get_volume_backup(backup.id).name == "first"
    assert cloud.get_volume_backup("second") is None
    assert cloud.block_storage.find_backup("first").id == backup.id


def test_pages_of_a_generator(cloud, volume, backup):
    made = {
        cloud.create_volume_backup(volume.id, name=f"page-{n}", wait=True, incremental=True).id
        for n in range(4)
    }
    pages = [b.id for b in cloud.block_storage.backups(limit=2)]
    assert set(pages) >= made | {backup.id}
    assert len(pages) == len(set(pages))
    assert [b.id for b in cloud.block_storage.backups(details=False, limit=1)] == pages
    sorted_names = [b.name for b in cloud.block_storage.backups(sort="name:asc", limit=3)]
    assert sorted_names == sorted(sorted_names)
    for id in made:
        cloud.delete_volume_backup(id, wait=True, timeout=60)
    assert not made & {b.id for b in cloud.list_volume_backups()}


def test_metadata(cloud, backup):
    proxy = cloud.block_storage
    proxy.set_backup_metadata(backup, keeper="olga", tier="gold")
    assert proxy.get_backup(backup.id).metadata == {"keeper": "olga", "tier": "gold"}
    proxy.delete_backup_metadata(backup, keys=["tier"])
    assert proxy.get_backup_metadata(backup).metadata == {"keeper": "olga"}
    proxy.delete_backup_metadata(backup)
    assert proxy.get_backup(backup.id).metadata == {}


def test_update(cloud, backup):
    changed = cloud.block_storage.update_backup(backup, name="renamed", description=None)
    assert changed.name == "renamed"
    assert cloud.block_storage.get_backup(backup.id).description is None
    cloud.block_storage.update_backup(backup, name="first")


def test_restore_onto_a_new_volume(server, cloud, backup, volume):
    cloud.block_storage.restore_backup(backup, name="sdk-restored")
    restored = wait_for("the volume", lambda: cloud.get_volume("sdk-restored"))
    cloud.block_storage.wait_for_status(restored, "available", wait=60)
    assert same_bytes(server.volume_file(restored.id), server.volume_file(volume.id))


def test_restore_onto_an_existing_volume(server, cloud, http, backup, volume):
    target = cloud.create_volume(size=1, name="target", wait=True, timeout=60)
    scribble(server.volume_file(target.id), seed=41, blocks=300)
    cloud.block_storage.restore_backup(backup, volume=target.id)
    # wait_for_status would look at its own copy, which says `available` since before the restore.
    http.wait("volumes", target.id)
    http.wait("backups", backup.id)
    assert same_bytes(server.volume_file(target.id), server.volume_file(volume.id))


def test_export(cloud, backup):
    record = cloud.block_storage.export_backup(backup)["backup-record"]
    assert set(record) == {"backup_service", "backup_url"}


def test_reset_and_force_delete(cloud, volume):
    made = cloud.create_volume_backup(volume.id, name="doomed", wait=True, timeout=60)
    cloud.block_storage.reset_backup_status(made, "error")
    assert cloud.block_storage.get_backup(made.id).status == "error"
    cloud.delete_volume_backup("doomed", force=True, wait=True, timeout=60)
    assert cloud.get_volume_backup(made.id) is None


def test_limits_and_extensions(cloud, backup):
    limits = cloud.block_storage.get_limits().absolute
    assert limits.total_backups_used >= 1
    assert limits.total_backup_gigabytes_used >= 1
    assert "backups" in {extension.alias for extension in cloud.block_storage.extensions()}


def test_errors_are_of_the_right_class(cloud, backup):
    nowhere = str(uuid.uuid4())
    with pytest.raises(exceptions.NotFoundException, match=f"Backup {nowhere} could not be found"):
        cloud.block_storage.get_backup(nowhere)
    with pytest.raises(exceptions.NotFoundException, match=f"Volume {nowhere} could not be found"):
        cloud.block_storage.create_backup(volume_id=nowhere)
    with pytest.raises(exceptions.BadRequestException):
        cloud.block_storage.create_backup(volume_id="no-uuid")


def test_a_life_cycle_as_a_conformance_suite_runs_it(cloud):
    """Create, wait, back up, wait, restore, wait; then nothing may be left behind."""
    prefix = f"conformance-{uuid.uuid4().hex[:8]}"
    volume = cloud.block_storage.create_volume(name=f"{prefix}-volume", size=1)
    cloud.block_storage.wait_for_status(volume, "available", wait=60)
    backup = cloud.block_storage.create_backup(volume_id=volume.id, name=f"{prefix}-backup")
    cloud.block_storage.wait_for_status(backup, "available", wait=60)
    restored_name = f"{prefix}-restored"
    cloud.block_storage.restore_backup(backup, name=restored_name)
    restored = wait_for("the volume", lambda: cloud.get_volume(restored_name))
    cloud.block_storage.wait_for_status(restored, "available", wait=60)

    for found in cloud.block_storage.backups():
        if found.name.startswith(prefix):
            cloud.block_storage.wait_for_status(found, "available", wait=60)
            cloud.block_storage.delete_backup(found.id)
            cloud.block_storage.wait_for_delete(found, wait=60)
    for found in cloud.block_storage.volumes():
        if found.name.startswith(prefix):
            cloud.block_storage.delete_volume(found.id)
            cloud.block_storage.wait_for_delete(found, wait=60)
    assert not [b for b in cloud.block_storage.backups() if b.name.startswith(prefix)]
    assert not [v for v in cloud.block_storage.volumes() if v.name.startswith(prefix)]


def test_statuses_are_set_before_the_answer(server, cloud, http):
    """Waiters poll for `available`; a status that turns busy only later fools them."""
    volume = cloud.create_volume(size=1, name="waiters", wait=True, timeout=60)
    scribble(server.volume_file(volume.id), seed=42, blocks=2000)
    made = http.create_backup(volume.id, is_waited=False)
    seen = http.show("volumes", volume.id)["status"], http.show("backups", made["id"])["status"]
    assert seen in {("backing-up", "creating"), ("available", "available")}
    http.wait("backups", made["id"])
    http.wait("volumes", volume.id)

    body = {"restore": {"volume_id": volume.id}}
    http.ok("POST", f"backups/{made['id']}/restore", json=body)
    seen = http.show("volumes", volume.id)["status"], http.show("backups", made["id"])["status"]
    at_once = {"available", "restoring-backup"}, {"available", "restoring"}
    assert seen[0] in at_once[0] and seen[1] in at_once[1]
    http.wait_at_rest()
    assert BUSY["backups"].isdisjoint({http.show("backups", made["id"])["status"]})

    http.ok("DELETE", f"backups/{made['id']}")
    gone = http("GET", f"backups/{made['id']}")
    assert gone.status_code == 404 or gone.json()["backup"]["status"] == "deleting"


def get(cloud, path, version=None, service="volumev2"):
    headers = {"OpenStack-API-Version": f"volume {version}"} if version else {}
    return cloud.session.get(
        path, endpoint_filter={"service_type": service}, headers=headers, raise_exc=False
    )


def test_version_2(cloud, backup, http):
    answer = get(cloud, f"/backups/{backup.id}")
    assert answer.status_code == 200
    assert "OpenStack-API-Version" not in answer.headers
    shown = answer.json()["backup"]
    assert set(shown) == NATIVE | {"os-bak-tenant-attr:tenant_id", "service_metadata"}
    assert shown["os-bak-tenant-attr:tenant_id"] == http.project_id
    assert isinstance(shown["service_metadata"], str)
    assert f"/v2/{http.project_id}/backups/{backup.id}" in shown["links"][0]["href"]
    assert get(cloud, "/backups/detail").json()["backups"][0]["service_metadata"]


def test_version_3_shows_what_the_microversion_knows(http, backup):
    def keys(version):
        return set(http.ok("GET", f"backups/{backup.id}", version=version)["backup"])

    project = {"os-backup-project-attr:project_id"}
    assert keys(None) == keys("3.0") == keys("3.42") == NATIVE | project
    assert keys("3.43") == keys("3.55") == NATIVE | project | {"metadata"}
    with_user = NATIVE | project | {"metadata", "user_id"}
    assert keys("3.56") == with_user
    assert keys("3.71") - with_user <= {"encryption_key_id"}


def test_an_object_has_the_types_that_clients_decode(http, backup):
    shown = http.show("backups", backup.id)
    for field in ("created_at", "updated_at", "data_timestamp"):
        assert TIMESTAMP.fullmatch(shown[field]), (field, shown[field])
    assert type(shown["object_count"]) is int
    assert type(shown["size"]) is int
    assert type(shown["is_incremental"]) is bool
    assert type(shown["has_dependent_backups"]) is bool
    self_link, bookmark = shown["links"]
    assert set(self_link) == set(bookmark) == {"rel", "href"}
    assert self_link["rel"] == "self" and bookmark["rel"] == "bookmark"
    assert http("GET", self_link["href"]).json()["backup"]["id"] == backup.id
    assert http("GET", bookmark["href"]).json()["backup"]["id"] == backup.id


def test_headers_of_a_negotiated_answer(http, backup):
    answer = http("GET", "backups", version="3.45")
    assert answer.headers["OpenStack-API-Version"] == "volume 3.45"
    assert "OpenStack-API-Version" in answer.headers["Vary"]
    assert re.fullmatch(r"req-[0-9a-f-]{36}", answer.headers["x-openstack-request-id"])
    assert answer.headers["x-compute-request-id"] == answer.headers["x-openstack-request-id"]
    assert answer.headers["Content-Type"] == "application/json"
    latest = http("GET", "backups", version="latest")
    assert latest.headers["OpenStack-API-Version"] == "volume 3.71"
    assert http("GET", "backups", version=None).headers["OpenStack-API-Version"] == "volume 3.0"
    fault = http("GET", f"backups/{uuid.uuid4()}", version="3.9")
    assert fault.headers["OpenStack-API-Version"] == "volume 3.9"


def test_what_no_version_knows_is_refused(http, backup):
    answer = http("GET", "backups", version="3.99")
    assert answer.status_code == 406
    assert answer.json()["computeFault"]["code"] == 406
    for malformed in ("3.x", "three", "3"):
        answer = http("GET", "backups", version=malformed)
        assert answer.status_code == 400, malformed
        assert "Must be of format MajorNum.MinorNum" in answer.json()["badRequest"]["message"]


def test_operations_start_with_their_microversion(http, backup):
    body = {"backup": {"name": "first"}}
    assert http("PUT", f"backups/{backup.id}", json=body, version="3.8").status_code == 404
    assert http("PUT", f"backups/{backup.id}", json=body, version="3.9").status_code == 200
    with_metadata = {"backup": {"metadata": {"a": "b"}}}
    old = http("PUT", f"backups/{backup.id}", json=with_metadata, version="3.42")
    assert old.status_code == 400
    assert http("GET", "backups?with_count=true", version="3.44").status_code in (200, 400)
    assert http.ok("GET", "backups?with_count=true", version="3.45")["count"] >= 1
    assert "count" not in http.ok("GET", "backups", version="3.45")


def test_discovery_needs_no_token(http):
    root = http("GET", "/", token=None, allow_redirects=False)
    assert root.status_code == 300
    assert "Location" not in root.headers
    versions = root.json()["versions"]
    assert [entry["id"] for entry in versions] == ["v2.0", "v3.0"]
    for path, id in (("/v2/", "v2.0"), ("/v3/", "v3.0")):
        answer = http("GET", path, token=None)
        assert answer.status_code == 200
        (entry,) = answer.json()["versions"]
        assert entry["id"] == id
        assert set(entry) == {
            "id", "status", "version", "min_version", "updated", "media-types", "links"
        }  # fmt: skip
        links = {link["rel"]: link["href"] for link in entry["links"]}
        assert links["self"] == f"{http.root_url}{path}"
    assert answer.json()["versions"][0]["version"] == "3.71"


def test_links_follow_the_proxy_that_was_used(http, backup):
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "inner:1, backup.example"}
    (entry,) = http("GET", "/v3/", headers=proxied).json()["versions"]
    links = {link["rel"]: link["href"] for link in entry["links"]}
    assert links["self"] == "https://backup.example/v3/"
    shown = http("GET", f"backups/{backup.id}", headers=proxied).json()["backup"]
    assert shown["links"][0]["href"].startswith("https://backup.example/v3/")
