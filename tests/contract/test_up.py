"""`strongroom up`: the first minute of somebody who has just built it."""

import os
import stat
import subprocess

import pytest
import yaml

from strongroom import Server, binary, run


def mode(path):
    """The permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_it_says_where_it_listens(server):
    printed = "".join(server.printed)
    assert server.addresses["identity"] in printed
    assert server.addresses["volume"] in printed
    assert server.addresses["compute"] in printed
    assert server.printed[-1] == "ready\n"


def test_secrets_are_for_the_owner_only(server):
    for name in ("master.key", "clouds.yaml", "openrc"):
        assert mode(server.data / name) == 0o600, name


def test_settings_name_what_scripts_need(server, admin):
    auth = yaml.safe_load((server.data / "clouds.yaml").read_text())["clouds"]["strongroom"]["auth"]
    assert auth["username"] == "admin"
    assert auth["project_name"] == "admin"
    assert len(auth["password"]) >= 16
    exports = run(["bash", "-c", f"set -eu; . {server.data}/openrc; env"], env={"PATH": "/bin"})
    exports = dict(line.split("=", 1) for line in exports.splitlines() if line.startswith("OS_"))
    assert exports["OS_PROJECT_ID"] == admin.http.project_id
    assert exports["OS_PASSWORD"] == auth["password"]
    assert exports["OS_AUTH_URL"] == auth["auth_url"]
    assert len(exports["OS_ACCESS_KEY"]) == 20
    assert len(exports["OS_SECRET_KEY"]) == 40
    assert exports["OS_SECRET_KEY"] not in server.log.read_text()


def test_no_secret_is_logged(server, admin):
    said = "".join(server.printed) + server.log.read_text()
    assert admin.auth["password"] not in server.log.read_text()
    assert admin.http.token not in said
    assert server.key.read_text().strip() not in said


def test_a_second_process_on_the_same_data_is_refused(server):
    said = run(
        [binary(), "up", "--data", server.data]
        + ["--identity", "127.0.0.1:0", "--volume", "127.0.0.1:0", "--cbr", "127.0.0.1:0"]
        + ["--compute", "127.0.0.1:0"],
        expect=1,
    )
    assert "in use by another process" in said
    assert server.is_alive
    assert server.admin.http("GET", "backups").status_code == 200


def test_a_port_that_is_taken(server, tmp_path):
    taken = server.addresses["volume"]
    said = run(
        [binary(), "up", "--data", tmp_path / "other"]
        + ["--identity", "127.0.0.1:0", "--cbr", "127.0.0.1:0", "--compute", "127.0.0.1:0"]
        + ["--volume", taken],
        expect=1,
    )
    assert taken in said
    assert "--volume" in said


def test_a_data_path_that_is_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("not a folder")
    said = run([binary(), "up", "--data", path], expect=1)
    assert str(path) in said
    assert path.read_text() == "not a folder"


def test_a_lost_master_key_is_not_replaced(fresh_server):
    http = fresh_server.admin.http
    http.create_backup(http.create_volume(1)["id"])
    fresh_server.kill()
    fresh_server.key.rename(fresh_server.key.with_suffix(".away"))
    with pytest.raises(AssertionError, match="master.key"):
        fresh_server.start()
    assert not fresh_server.key.exists()
    fresh_server.process = None
    fresh_server.key.with_suffix(".away").rename(fresh_server.key)
    fresh_server.start()


def test_strict_cinder(tmp_path):
    server = Server(tmp_path / "strict")
    try:
        server.start("--strict-cinder")
        http = server.admin.http
        volume = http.create_volume(1)["id"]
        body = {"backup": {"volume_id": volume, "incremental": True}}
        answer = http("POST", "backups", json=body)
        assert answer.status_code == 400
        message = answer.json()["badRequest"]["message"]
        assert message == "Invalid backup: No backups available to do an incremental backup."
        http.create_backup(volume)
        assert http.create_backup(volume, incremental=True)["is_incremental"] is True
    finally:
        server.kill()


def test_the_demonstration_leaves_a_service_that_works(tmp_path):
    server = Server(tmp_path / "demo")
    try:
        server.start("--demo", timeout=240)
        printed = "".join(server.printed)
        assert printed.count("every byte is equal") == 2
        rows = server.admin.openstack_json("volume", "backup", "list")
        assert {row["Name"]: row["Status"] for row in rows} == {
            "demo-full": "available",
            "demo-increment": "available",
        }
        made = server.admin.openstack_json(
            "volume", "backup", "create", "--incremental", "--name", "mine", "demo-disk"
        )
        server.admin.http.wait("backups", made["id"])
    finally:
        server.kill()


def test_help_and_version():
    assert "store" in run([binary(), "--help"])
    assert run([binary(), "--version"]).startswith("strongroom ")
    said = run([binary(), "dance"], expect=2)
    assert "dance" in said


def test_output_into_a_closed_pipe_is_no_crash(tmp_path):
    store = tmp_path / "store"
    image = tmp_path / "image.raw"
    image.write_bytes(os.urandom(4096))
    place = ["--store", store, "--key", tmp_path / "key"]
    run([binary(), "store", "backup", *place, "--name", "x", image])
    command = f"{binary()} store ls --store {store} --key {tmp_path / 'key'} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "panicked" not in done.stderr
