"""The wall between projects, and the roles inside one, as real users meet them."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from disks import copy, scribble
from strongroom import same_bytes

ROLES = ("reader", "member", "admin")


@pytest.fixture(scope="module")
def users(admin, server):
    """Two projects, `red` and `blue`, each with a reader, a member and an admin."""
    projects = ("red", "blue")
    passwords = {f"{project}-{role}": uuid.uuid4().hex for project in projects for role in ROLES}

    def create_user(name):
        project, role = name.split("-")
        admin.openstack("user", "create", name, "--password", passwords[name])
        admin.openstack("role", "add", "--project", project, "--user", name, role)
        return name, admin.other_user(name, passwords[name], project)

    for project in projects:
        admin.openstack("project", "create", project, "--description", f"the {project} one")
    with ThreadPoolExecutor(2) as pool:
        return dict(pool.map(create_user, passwords))


@pytest.fixture(scope="module")
def red(users, server):
    """What the member of `red` owns: a volume and a backup of it."""
    http = users["red-member"].http
    volume = http.create_volume(1, name="red-volume")
    scribble(server.volume_file(volume["id"]), seed=50, blocks=100)
    backup = http.create_backup(volume["id"], name="red-backup", metadata={"secret": "sauce"})
    return SimpleNamespace(volume=volume["id"], backup=backup["id"], http=http)


def test_identity_lists_what_was_made(admin, users):
    projects = {row["Name"] for row in admin.openstack_json("project", "list")}
    assert {"admin", "red", "blue"} <= projects
    names = {row["Name"] for row in admin.openstack_json("user", "list")}
    assert names >= set(users)
    assigned = admin.openstack_json("role", "assignment", "list", "--names", "--project", "red")
    assert {(row["Role"], row["User"].split("@")[0]) for row in assigned} == {
        (role, f"red-{role}") for role in ROLES
    }


def test_a_project_sees_its_own(red, users):
    for role in ROLES:
        rows = users[f"red-{role}"].openstack_json("volume", "backup", "list")
        assert [row["Name"] for row in rows] == ["red-backup"]


@pytest.mark.parametrize("role", ["blue-reader", "blue-member"])
def test_another_project_sees_nothing(red, users, role):
    assert users[role].openstack_json("volume", "backup", "list") == []
    said = users[role].openstack("volume", "backup", "show", "red-backup", expect=1)
    assert "No Backup found for red-backup" in said
    http = users[role].http
    for path in (
        "backups?all_tenants=1",
        "backups/detail?all_tenants=True",
        f"backups/detail?volume_id={red.volume}",
        "backups/detail?name=red-backup",
    ):
        assert http.ok("GET", path)["backups"] == [], path
    assert http.ok("GET", "volumes/detail?all_tenants=1")["volumes"] == []
    assert http.ok("GET", "backups?with_count=True&all_tenants=1")["count"] == 0


def refusals(red, http):
    """Every way to reach for another's things, as (what, answer)."""
    own = http.create_volume(1, name="own")["id"]
    backup, volume = red.backup, red.volume
    tries = {
        "show": ("GET", f"backups/{backup}", None),
        "update": ("PUT", f"backups/{backup}", {"backup": {"name": "mine"}}),
        "delete": ("DELETE", f"backups/{backup}", None),
        "restore onto an own volume": (
            "POST", f"backups/{backup}/restore", {"restore": {"volume_id": own}}
        ),
        "restore onto a new volume": (
            "POST", f"backups/{backup}/restore", {"restore": {"name": "x"}}
        ),
        "read metadata": ("GET", f"backups/{backup}/metadata", None),
        "write metadata": ("POST", f"backups/{backup}/metadata", {"metadata": {"a": "b"}}),
        "a volume from it": ("POST", "volumes", {"volume": {"size": 1, "backup_id": backup}}),
        "back up the volume": ("POST", "backups", {"backup": {"volume_id": volume}}),
        "show the volume": ("GET", f"volumes/{volume}", None),
        "delete the volume": ("DELETE", f"volumes/{volume}", None),
        "a marker": ("GET", f"backups?marker={backup}", None),
    }  # fmt: skip
    for what, (method, path, body) in tries.items():
        yield what, http(method, path, json=body)


def test_another_projects_id_is_a_missing_one(red, users):
    for what, answer in refusals(red, users["blue-member"].http):
        assert answer.status_code == 404, (what, answer.text)
        said = next(iter(answer.json().values()))["message"]
        assert "could not be found" in said, what
        assert "sauce" not in answer.text and "red" not in said.replace(red.backup, ""), what


def test_an_own_backup_is_not_restored_over_anothers_volume(red, users, server, tmp_path):
    http = users["blue-member"].http
    own = http.create_volume(1, name="blue-volume")["id"]
    backup = http.create_backup(own)["id"]
    before = copy(server.volume_file(red.volume), tmp_path / "before.raw")
    answer = http("POST", f"backups/{backup}/restore", json={"restore": {"volume_id": red.volume}})
    assert answer.status_code == 404
    http.wait_at_rest()
    assert same_bytes(server.volume_file(red.volume), before)


def test_what_was_reached_for_is_untouched(red):
    shown = red.http.show("backups", red.backup)
    assert (shown["name"], shown["status"]) == ("red-backup", "available")
    assert shown["metadata"] == {"secret": "sauce"}
    assert red.http.show("volumes", red.volume)["status"] == "available"


def test_an_admin_of_one_project_does_not_own_the_other_by_url(red, users):
    http = users["blue-admin"].http
    answer = http("GET", f"/v3/{red.http.project_id}/backups")
    assert answer.status_code == 400
    assert answer.json() == {"badRequest": {"code": 400, "message": "Malformed request url"}}


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_a_wrong_project_in_the_url_is_400(red, users, version):
    answer = users["blue-member"].http("GET", f"/{version}/{red.http.project_id}/backups")
    assert answer.status_code == 400
    assert "Malformed request url" in answer.text


def test_an_admin_sees_all_projects_when_asked(red, admin):
    rows = admin.openstack_json("volume", "backup", "list", "--all-projects")
    assert "red-backup" in {row["Name"] for row in rows}
    assert "red-backup" not in {
        row["Name"] for row in admin.openstack_json("volume", "backup", "list")
    }
    rows = admin.openstack_json("volume", "backup", "list", "--project", "red")
    assert [row["Name"] for row in rows] == ["red-backup"]


def test_a_reader_reads_and_nothing_else(red, users):
    http = users["red-reader"].http
    assert http.show("backups", red.backup)["name"] == "red-backup"
    tries = [
        ("POST", "backups", {"backup": {"volume_id": red.volume}}, "backup:create"),
        ("PUT", f"backups/{red.backup}", {"backup": {"name": "x"}}, "backup:update"),
        ("DELETE", f"backups/{red.backup}", None, "backup:delete"),
        ("POST", f"backups/{red.backup}/restore", {"restore": {}}, "backup:restore"),
        ("POST", "volumes", {"volume": {"size": 1}}, "volume"),
    ]
    for method, path, body, rule in tries:
        answer = http(method, path, json=body)
        assert answer.status_code == 403, (path, answer.text)
        message = answer.json()["forbidden"]["message"]
        assert message.startswith("Policy doesn't allow") and rule in message, message
    said = users["red-reader"].openstack("volume", "backup", "create", "red-volume", expect=1)
    assert "Policy doesn't allow backup:create to be performed" in said


def test_a_member_is_no_admin(red, users):
    http = users["red-member"].http
    record = users["red-admin"].http.ok("GET", f"backups/{red.backup}/export_record")
    record = record["backup-record"]
    action = f"backups/{red.backup}/action"
    tries = [
        ("GET", f"backups/{red.backup}/export_record", None),
        ("POST", "backups/import_record", {"backup-record": record}),
        ("POST", action, {"os-force_delete": None}),
        ("POST", action, {"os-reset_status": {"status": "error"}}),
        ("PUT", f"os-quota-sets/{http.project_id}", {"quota_set": {"backups": 1000}}),
    ]
    for method, path, body in tries:
        answer = http(method, path, json=body)
        assert answer.status_code == 403, (method, path, answer.text)
    said = users["red-member"].openstack("user", "list", expect=1)
    assert "403" in said
    said = users["red-member"].openstack("project", "create", "green", expect=1)
    assert "403" in said


def test_one_projects_quota_is_not_the_others(red, users, admin):
    blue = users["blue-member"].http
    used = blue.ok("GET", "limits")["limits"]["absolute"]["totalBackupsUsed"]
    admin.openstack("quota", "set", "--backups", str(used), "blue")
    volume = blue.create_volume(1)["id"]
    answer = blue("POST", "backups", json={"backup": {"volume_id": volume}})
    assert answer.status_code == 413, answer.text
    assert answer.json()["overLimit"]["message"].startswith("BackupLimitExceeded")
    assert answer.headers["Retry-After"] == "0"
    made = red.http.create_backup(red.volume, name="within")["id"]
    red.http.delete("backups", made)


def test_no_token_and_a_forged_one(red, users):
    http = users["red-member"].http
    forged = http.token[:-4] + ("AAAA" if http.token[-4:] != "AAAA" else "BBBB")
    for token in (None, "", "nonsense", forged, http.token[:-1], "x" * 5000):
        answer = http("GET", "backups", token=token)
        assert answer.status_code == 401, (token, answer.text)
        assert answer.headers["WWW-Authenticate"].startswith("Keystone uri=")
        assert answer.json()["error"]["code"] == 401


def test_a_token_of_another_place_is_worthless(users):
    http = users["red-member"].http
    assert http("GET", "backups", token="gAAAAABl" + "A" * 180).status_code == 401


def test_a_client_asks_for_a_new_token_when_its_own_ends(users, red):
    with users["red-member"].sdk() as cloud:
        assert cloud.block_storage.get_backup(red.backup).name == "red-backup"
        first = cloud.session.get_token()
        ended = red.http(
            "DELETE",
            f"{red.http.identity_url}/auth/tokens",
            version=None,
            token=first,
            headers={"X-Subject-Token": first},
        )
        assert ended.status_code == 204, ended.text
        assert red.http("GET", "backups", token=first).status_code == 401
        assert cloud.block_storage.get_backup(red.backup).name == "red-backup"
        assert cloud.session.get_token() != first


def test_a_role_that_was_taken_ends_the_access(admin, users, red):
    admin.openstack("user", "create", "guest", "--password", "guest-password")
    admin.openstack("role", "add", "--project", "red", "--user", "guest", "reader")
    guest = admin.other_user("guest", "guest-password", "red")
    assert guest.http.show("backups", red.backup)["name"] == "red-backup"
    admin.openstack("role", "remove", "--project", "red", "--user", "guest", "reader")
    assert guest.http("GET", "backups").status_code == 401
    assert "401" in guest.openstack("volume", "backup", "list", expect=1)


def test_a_wrong_password_says_nothing_else(admin):
    for user, password in (("admin", "wrong"), ("nobody", "wrong")):
        stranger = admin.other_user(user, password, "admin")
        said = stranger.openstack("token", "issue", expect=1)
        assert "requires authentication" in said and "401" in said
        assert "could not be found" not in said
