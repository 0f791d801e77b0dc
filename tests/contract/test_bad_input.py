"""What no client sends, and what no operator wants: broken requests, a lost store, a full disk.

Every refusal is a Cinder fault with exactly one key, and the process lives on.
"""

import contextlib
import os
import socket
import subprocess
import uuid

import pytest
import requests

from disks import scribble, write_random
from strongroom import GIB, Server, same_bytes

FAULTS = {
    400: "badRequest",
    401: "error",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    406: "computeFault",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
}
NOWHERE = "00000000-0000-4000-8000-000000000000"
MIB = 1 << 20


@pytest.fixture(scope="module")
def volume(server, http):
    made = http.create_volume(1, name="victim")["id"]
    scribble(server.volume_file(made), seed=80, blocks=50)
    return made


@pytest.fixture(scope="module")
def backup(http, volume):
    return http.create_backup(volume, name="victim")["id"]


@pytest.fixture(autouse=True)
def the_process_lives_on(server):
    """After each test the process that served it still runs."""
    process = server.process
    yield
    assert server.process is process and server.is_alive


def assert_fault(answer, status, *fragments):
    """The answer is a fault of this status whose message holds every fragment."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:500]}"
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert list(body) == [FAULTS[status]], body
    fault = body[FAULTS[status]]
    assert fault["code"] == status
    for fragment in fragments:
        assert fragment in fault["message"], fault
    for secret in ("panicked", "src/", "sqlx", "SELECT", "database is locked"):
        assert secret not in answer.text


def create(http, body, **options):
    return http("POST", "backups", json=body, **options)


@pytest.mark.parametrize(
    ("data", "fragment"),
    [
        (b"", "None is not of type 'object'"),
        (b"{", "Malformed request body"),
        (b"nonsense", "Malformed request body"),
        (b"\xff\xfe\x00", "Malformed request body"),
        (b'{"backup":' + b"[" * 20_000, "Malformed request body"),
        (b"[]", ""),
        (b"7", ""),
        (b"null", ""),
        (b'{"backup":null}', ""),
        (b'{"backup":[]}', ""),
        (b'{"backup":{}}', "'volume_id' is a required property"),
        (b"{}", "'backup' is a required property"),
        (b'{"restore":{}}', "'backup' is a required property"),
    ],
)
def test_malformed_bodies(http, data, fragment):
    headers = {"Content-Type": "application/json"}
    assert_fault(http("POST", "backups", data=data, headers=headers), 400, fragment)


@pytest.mark.parametrize(
    "extra",
    [
        {"volume_id": "no-uuid"},
        {"volume_id": 7},
        {"volume_id": None},
        {"volume_id": ["x"]},
        {"volume_id": ""},
        {"name": "x" * 256},
        {"name": 7},
        {"name": {"a": "b"}},
        {"description": "x" * 256},
        {"description": []},
        {"container": "x" * 256},
        {"incremental": "perhaps"},
        {"incremental": 2},
        {"force": "maybe"},
        {"force": {}},
        {"snapshot_id": "no-uuid"},
        {"metadata": "text"},
        {"metadata": {"k": 1}},
        {"metadata": {"k": None}},
        {"metadata": {"": "v"}},
        {"metadata": {"k" * 256: "v"}},
        {"metadata": {"k": "v" * 256}},
        {"metadata": {"k/ä": "v"}},
        {"availability_zone": "x" * 256},
        {"colour": "blue"},
    ],
    ids=str,
)
def test_bad_fields_of_a_new_backup(http, volume, extra):
    before = http.ok("GET", "backups?with_count=true&limit=1")["count"]
    answer = create(http, {"backup": {"volume_id": volume, **extra}})
    assert_fault(answer, 400)
    assert http.ok("GET", "backups?with_count=true&limit=1")["count"] == before
    assert http.show("volumes", volume)["status"] == "available"


def test_what_older_microversions_do_not_know(http, volume):
    with_metadata = {"backup": {"volume_id": volume, "metadata": {}}}
    assert_fault(create(http, with_metadata, version="3.42"), 400, "metadata")
    with_zone = {"backup": {"volume_id": volume, "availability_zone": "nova"}}
    assert_fault(create(http, with_zone, version="3.50"), 400, "availability_zone")


def test_missing_and_foreign_ids(http, volume, backup):
    assert_fault(create(http, {"backup": {"volume_id": NOWHERE}}), 404, f"Volume {NOWHERE}")
    body = {"backup": {"volume_id": volume, "snapshot_id": NOWHERE}}
    assert_fault(create(http, body), 404, f"Snapshot {NOWHERE}")
    body = {"restore": {"volume_id": NOWHERE}}
    assert_fault(http("POST", f"backups/{backup}/restore", json=body), 404, f"Volume {NOWHERE}")
    for id in (NOWHERE, "victim", "no-uuid", "%00", "..%2f..%2fetc", "x" * 3000, "ä", "'--"):
        for method, suffix in (("GET", ""), ("DELETE", ""), ("GET", "/export_record")):
            answer = http(method, f"backups/{id}{suffix}")
            assert_fault(answer, 404)


def test_ids_in_any_spelling(http, volume, backup):
    assert http("GET", f"backups/{backup.upper()}").status_code in (200, 404)
    body = {"backup": {"volume_id": volume.replace("-", "").upper(), "name": "spelled"}}
    made = create(http, body)
    assert made.status_code == 202, made.text
    shown = http.wait("backups", made.json()["backup"]["id"])
    assert shown["volume_id"] == volume
    http.delete("backups", shown["id"])


@pytest.mark.parametrize(
    ("query", "fragment"),
    [
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("offset=x", "offset"),
        ("offset=-1", "offset"),
        ("offset=2147483648", "offset"),
        ("sort=colour", "Invalid sort key"),
        ("sort=name:up", "Unknown sort direction"),
        ("sort_key=colour", "Invalid sort key"),
        ("sort_key=name&sort_dir=up", "Unknown sort direction"),
        ("sort=name&sort_key=name", "deprecated"),
        ("with_count=perhaps", "not a boolean"),
        ("all_tenants=perhaps", "boolean"),
    ],
)
@pytest.mark.parametrize("collection", ["backups", "backups/detail"])
def test_bad_queries(http, backup, collection, query, fragment):
    assert_fault(http("GET", f"{collection}?{query}"), 400, fragment)


def test_odd_queries_that_are_fine(http, backup):
    for query in (
        "limit=0",
        "limit=1000000",
        "limit=99999999999999999999",
        "offset=2147483647",
        "status=no-such-status",
        "name=%27%3B%20DROP%20TABLE%20backups%3B--",
        "name~=%25",
        "name~=_",
        "name=&name=x",
        "with_count=True&limit=1",
    ):
        assert http("GET", f"backups?{query}").status_code == 200, query
    assert http.ok("GET", "backups?name~=%25")["backups"] == [], "a wildcard is text"
    assert_fault(http("GET", f"backups?marker={NOWHERE}"), 404, f"Backup {NOWHERE}")
    assert_fault(http("GET", "backups?marker=victim"), 404)


def test_an_unknown_filter(http, server, backup, admin):
    admin.openstack("user", "create", "plain", "--password", "plain-password")
    admin.openstack("role", "add", "--project", "admin", "--user", "plain", "member")
    plain = admin.other_user("plain", "plain-password", "admin").http
    assert_fault(plain("GET", "backups?colour=blue"), 400, "Invalid filters", "colour")
    assert plain("GET", "backups?colour=blue", version="3.30").status_code == 200
    assert plain("GET", "backups?all_tenants=1").status_code == 200
    assert http.ok("GET", "backups?colour=blue")["backups"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"restore": None},
        {"restore": {"volume_id": "no-uuid"}},
        {"restore": {"volume_id": 7}},
        {"restore": {"name": "x" * 256}},
        {"restore": {"colour": "blue"}},
    ],
    ids=str,
)
def test_bad_restores(http, backup, body):
    assert_fault(http("POST", f"backups/{backup}/restore", json=body), 400)
    assert http.show("backups", backup)["status"] == "available"


@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        ({}, "Malformed request body"),
        ({"os-force_delete": None, "os-reset_status": {}}, "Malformed request body"),
        ({"os-dance": None}, "There is no such action: os-dance"),
        ({"os-reset_status": {}}, "status"),
        ({"os-reset_status": None}, ""),
        ({"os-reset_status": {"status": "creating"}}, "creating"),
        ({"os-reset_status": {"status": "error", "colour": "blue"}}, "colour"),
    ],
    ids=str,
)
def test_bad_actions(http, backup, body, fragment):
    assert_fault(http("POST", f"backups/{backup}/action", json=body), 400, fragment)


def test_wrong_states(http, volume, backup):
    reset = {"os-reset_status": {"status": "error"}}
    assert http("POST", f"backups/{backup}/action", json=reset).status_code == 202
    restore = http("POST", f"backups/{backup}/restore", json={"restore": {}})
    assert_fault(restore, 400, "Invalid backup: Backup status must be available")
    export = http("GET", f"backups/{backup}/export_record")
    assert_fault(export, 400, "Backup status must be available and not error")
    body = {"volume": {"size": 1, "backup_id": backup}}
    assert_fault(http("POST", "volumes", json=body), 400)
    reset = {"os-reset_status": {"status": "available"}}
    assert http("POST", f"backups/{backup}/action", json=reset).status_code == 202

    for status in ("error", "deleting", "backing-up"):
        change = {"os-reset_status": {"status": status}}
        assert http("POST", f"volumes/{volume}/action", json=change).status_code == 202
        answer = create(http, {"backup": {"volume_id": volume, "force": True}})
        assert_fault(
            answer, 400,
            "Invalid volume: Volume to be backed up must be available or in-use",
            f'"{status}"',
        )  # fmt: skip
        answer = http("POST", f"backups/{backup}/restore", json={"restore": {"volume_id": volume}})
        assert_fault(answer, 400, "Volume to be restored to must be available")
    change = {"os-reset_status": {"status": "available"}}
    assert http("POST", f"volumes/{volume}/action", json=change).status_code == 202


def test_content_types(http, volume):
    body = f'{{"backup":{{"volume_id":"{volume}"}}}}'
    for sent in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
        answer = http("POST", "backups", data=body, headers={"Content-Type": sent})
        assert_fault(answer, 415, "Unsupported Content-Type")
    without = http("POST", "backups", data=body.encode(), headers={"Content-Type": None})
    assert_fault(without, 400)
    vendor = {"Content-Type": "application/vnd.openstack.volume+json"}
    made = http("POST", "backups", data=body, headers=vendor)
    assert made.status_code == 202, made.text
    http.wait("backups", made.json()["backup"]["id"])


def test_a_body_that_is_too_large(http, volume):
    body = b'{"backup":{"volume_id":"%s","name":"%s"}}' % (volume.encode(), b"x" * (64 * MIB))
    headers = {"Content-Type": "application/json"}
    try:
        answer = http("POST", "backups", data=body, headers=headers)
    except requests.ConnectionError:
        pass  # it hung up in the middle, which is a refusal too
    else:
        assert answer.status_code in (400, 413), answer.text
    assert http("GET", "backups").status_code == 200


def test_headers_without_sense(http):
    assert http("GET", "backups", headers={"X-Auth-Token": "x" * 7000}).status_code == 401
    strange = {"OpenStack-API-Version": "compute 2.1"}
    answer = http("GET", "backups", version=None, headers=strange)
    assert answer.headers["OpenStack-API-Version"] == "volume 3.0"
    both = {"OpenStack-API-Version": "compute 2.1, volume 3.45"}
    answer = http("GET", "backups", version=None, headers=both)
    assert answer.headers["OpenStack-API-Version"] == "volume 3.45"
    for broken in ("volume", "volume 3", "volume 3.45.1", "volume -1.0"):
        answer = http("GET", "backups", version=None, headers={"OpenStack-API-Version": broken})
        assert_fault(answer, 400)


def test_paths_and_methods_that_are_not_there(http, backup):
    for method, path in (
        ("GET", "nothing"),
        ("PATCH", f"backups/{backup}"),
        ("PUT", "backups"),
        ("DELETE", "backups"),
        ("POST", f"backups/{backup}/dance"),
    ):
        assert_fault(http(method, path), 404)
    # A first segment that no route knows may be the name of a project.
    for path in ("/v9/x/backups", "/v3/nothing", "/nothing/at/all/here"):
        assert http("GET", path).status_code in (400, 404), path
    for path in ("backups/", "backups.json", "/v3//" + http.project_id + "/backups"):
        assert http("GET", path).status_code in (200, 404), path
    head = http("HEAD", f"backups/{backup}")
    assert head.status_code in (200, 204) and not head.content


def test_a_project_free_url_and_the_alias_without_version(http, backup):
    assert http.ok("GET", f"/v3/backups/{backup}", version="3.67")["backup"]["id"] == backup
    assert http.ok("GET", f"/{http.project_id}/backups/{backup}", version=None)
    assert_fault(http("GET", f"/v3/{uuid.uuid4().hex}/backups"), 400, "Malformed request url")


def test_credentials_without_sense(http):
    url = f"{http.identity_url}/auth/tokens"
    for body in (
        None,
        {},
        {"auth": {}},
        {"auth": {"identity": {"methods": []}}},
        {"auth": {"identity": {"methods": ["password"], "password": {}}}},
        {"auth": {"identity": {"methods": ["dance"]}}},
        {"auth": {"identity": {"methods": ["token"], "token": {"id": "forged"}}}},
    ):
        answer = http("POST", url, json=body, token=None, version=None)
        assert answer.status_code in (400, 401), (body, answer.text)
        assert "error" in answer.json()


def test_raw_bytes_that_are_no_http(server, http):
    host, port = server.addresses["volume"].split(":")
    for garbage in (b"\x00" * 100, b"GET\r\n\r\n", b"\x16\x03\x01" + b"x" * 500, b""):
        line = socket.create_connection((host, int(port)), timeout=10)
        with line, contextlib.suppress(OSError):
            line.sendall(garbage)
            line.shutdown(socket.SHUT_WR)
            while line.recv(4096):
                pass
    assert http("GET", "backups").status_code == 200


def test_a_store_that_vanishes_and_comes_back(server, http, volume, backup):
    away = server.data / "store-away"
    write_random(server.volume_file(volume), seed=81, size_bytes=8 * MIB)
    server.store.rename(away)
    try:
        made = http.create_backup(volume, is_waited=False, name="into the void")
        failed = http.wait("backups", made["id"], "error", timeout=120)
        assert failed["fail_reason"], failed
        http.wait("volumes", volume)
    finally:
        if server.store.exists():
            # It may have made a folder anew, but nothing may have been taken for stored in it.
            server.store.rename(server.data / "store-made-meanwhile")
        away.rename(server.store)
    again = http.create_backup(volume, name="back again")["id"]
    target = http.create_volume(1)["id"]
    http.restore(again, target)
    assert same_bytes(server.volume_file(target), server.volume_file(volume))
    http.restore(backup, target)
    http.delete("backups", made["id"])
    server.store_cli("verify")


def test_a_volume_file_that_vanishes(server, http):
    doomed = http.create_volume(1, name="doomed")["id"]
    server.volume_file(doomed).unlink()
    made = http.create_backup(doomed, is_waited=False)
    failed = http.wait("backups", made["id"], "error")
    assert failed["fail_reason"], failed
    http.delete("backups", made["id"])
    http.ok("DELETE", f"volumes/{doomed}")
    http.wait_gone("volumes", doomed)


@pytest.mark.skipif(os.geteuid() != 0, reason="SKIPPED LOUDLY: only root can mount a small disk")
def test_a_full_disk(tmp_path):
    """The store lies on a disk of 64 MiB: what does not fit fails with a reason, all else works."""
    server = Server(tmp_path / "server")
    server.store.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", server.store],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"SKIPPED LOUDLY: no mount in this container: {mounted.stderr}")
    try:
        server.start()
        http = server.admin.http
        http.lift_quotas()
        volume = http.create_volume(1)["id"]
        file = server.volume_file(volume)
        write_random(file, seed=90, size_bytes=8 * MIB)
        small = http.create_backup(volume, name="fits")["id"]
        write_random(file, seed=91, size_bytes=200 * MIB)
        large = http.create_backup(volume, is_waited=False, name="does not fit")["id"]
        failed = http.wait("backups", large, "error")
        assert failed["fail_reason"]
        http.wait("volumes", volume)
        target = http.create_volume(1)["id"]
        http.restore(small, target)
        http.delete("backups", large)
        server.store_cli("verify")

        os.truncate(file, 0)
        os.truncate(file, GIB)
        write_random(file, seed=92, size_bytes=8 * MIB)
        # The server collects garbage at leisure; an operator who needs room now does it by hand.
        for _ in range(3):
            server.store_cli("gc")
        again = http.create_backup(volume, name="fits again")["id"]
        for backup in (small, again):
            http.restore(backup, target)
        assert same_bytes(server.volume_file(target), file)
        server.store_cli("verify")
    finally:
        server.kill()
        subprocess.run(["umount", "-l", server.store], check=True)
