"""Sudden death: the process is killed at many points of every kind of work, and started again.

Each kill is a SIGKILL after a delay that is spread over the time that the same work took when
nobody disturbed it. After every restart, within a minute: nothing is busy, what was answered with
202 is done or says why not, and a backup made long before restores byte for byte. The machine
itself stays up, so what the kernel holds in memory is kept: that is not tested here.
"""

import json
import threading
import time
from types import SimpleNamespace

import pytest
import requests

from disks import copy, scribble, write_random
from strongroom import same_bytes, wait_for

POINTS = 12
MIB = 1 << 20


def spread(duration, points=POINTS):
    """Delays from nothing to a little more than `duration` seconds, more of them early."""
    return [duration * 1.15 * (n / (points - 1)) ** 1.5 for n in range(points)]


def timed(action):
    """How many seconds something takes."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


@pytest.fixture(scope="module")
def baseline(server, http, tmp_path_factory):
    """A backup from quiet times, its bytes, and a volume to restore it to."""
    volume = http.create_volume(1, name="baseline")["id"]
    write_random(server.volume_file(volume), seed=60, size_bytes=32 * MIB, offset=100 * MIB)
    image = copy(server.volume_file(volume), tmp_path_factory.mktemp("baseline") / "image.raw")
    backup = http.create_backup(volume, name="baseline")["id"]
    probe = http.create_volume(1, name="probe")["id"]
    return SimpleNamespace(volume=volume, image=image, backup=backup, probe=probe)


def cut_and_restart(server, http, delay):
    """Kills the process after `delay` seconds, starts it, and waits until all work has ended."""
    time.sleep(delay)  # the point of the cut, not a wait for something
    server.kill()
    server.restart()
    http.renew()
    http.wait_at_rest(timeout=60)


def assert_baseline(server, http, baseline):
    """The backup from quiet times still restores byte for byte."""
    scribble(server.volume_file(baseline.probe), seed=61, blocks=50)
    http.restore(baseline.backup, baseline.probe)
    assert same_bytes(server.volume_file(baseline.probe), baseline.image)


def assert_store_is_whole(server):
    """`store verify` finds nothing wrong."""
    server.store_cli("verify")


def test_backups_cut_at_many_points(server, http, baseline, tmp_path):
    volume = http.create_volume(1, name="cut")["id"]
    file = server.volume_file(volume)
    target = http.create_volume(1, name="cut-target")["id"]

    def new_bytes(seed):
        write_random(file, seed=seed, size_bytes=160 * MIB)
        write_random(file, seed=seed, size_bytes=MIB, offset=900 * MIB)

    new_bytes(seed=1000)
    duration = timed(lambda: http.create_backup(volume, name="undisturbed"))
    outcomes = []
    for number, delay in enumerate(spread(duration)):
        status = "in-use" if number % 2 else "available"
        new_bytes(seed=1001 + number)
        set_volume_status(http, volume, status)
        before = copy(file, tmp_path / "before.raw")
        made = http.create_backup(volume, is_waited=False, name=f"cut-{number}", force=True)
        cut_and_restart(server, http, delay)

        assert http.show("volumes", volume)["status"] == status
        assert same_bytes(file, before), "the source was written to"
        shown = http.show("backups", made["id"])
        outcomes.append(shown["status"])
        assert shown["status"] in ("available", "error"), shown
        if shown["status"] == "error":
            assert shown["fail_reason"], shown
        else:
            http.restore(made["id"], target)
            assert same_bytes(server.volume_file(target), before)
        assert_baseline(server, http, baseline)
    assert "available" in outcomes, outcomes

    assert_store_is_whole(server)
    set_volume_status(http, volume, "available")
    for shown in http.ok("GET", "backups/detail?status=error")["backups"]:
        http.delete("backups", shown["id"])
    after = http.create_backup(volume, name="after")["id"]
    http.restore(after, target)
    assert same_bytes(server.volume_file(target), file)
    clean_up(http, [volume, target])


def test_restores_cut_at_many_points(server, http, baseline):
    volume = http.create_volume(1, name="source")["id"]
    write_random(server.volume_file(volume), seed=2000, size_bytes=160 * MIB)
    backup = http.create_backup(volume, name="to-restore")["id"]
    target = http.create_volume(1, name="target")["id"]
    duration = timed(lambda: http.restore(backup, target))

    outcomes = []
    for number, delay in enumerate(spread(duration)):
        if number % 3 == 2:
            body = {"restore": {"name": f"restored-{number}"}}
        else:
            scribble(server.volume_file(target), seed=2001 + number, blocks=500)
            body = {"restore": {"volume_id": target}}
        asked = http.ok("POST", f"backups/{backup}/restore", json=body)["restore"]
        cut_and_restart(server, http, delay)

        assert http.show("backups", backup)["status"] == "available"
        written = http.show("volumes", asked["volume_id"])
        outcomes.append(written["status"])
        assert written["status"] in ("available", "error_restoring", "error"), written
        if written["status"] == "available":
            assert same_bytes(server.volume_file(written["id"]), server.volume_file(volume)), (
                "a restore that was cut left a volume available with other bytes"
            )
        else:
            set_volume_status(http, written["id"], "available")
        if written["id"] != target:
            http.delete("volumes", written["id"])
        assert_baseline(server, http, baseline)
    assert "available" in outcomes, outcomes
    http.restore(backup, target)
    assert same_bytes(server.volume_file(target), server.volume_file(volume))
    assert_store_is_whole(server)
    clean_up(http, [volume, target])


def test_deletions_cut_at_many_points(server, http, baseline):
    volume = http.create_volume(1, name="shared")["id"]
    target = http.create_volume(1, name="shared-target")["id"]
    write_random(server.volume_file(volume), seed=3000, size_bytes=48 * MIB)
    spare = http.create_backup(volume)["id"]
    duration = timed(lambda: http.delete("backups", spare))

    for number, delay in enumerate(spread(max(duration, 0.05))):
        write_random(server.volume_file(volume), seed=3001 + number, size_bytes=8 * MIB)
        doomed = http.create_backup(volume, name=f"doomed-{number}")["id"]
        heir = http.create_backup(volume, name=f"heir-{number}", incremental=True)["id"]
        http.ok("DELETE", f"backups/{doomed}")
        cut_and_restart(server, http, delay)

        assert http("GET", f"backups/{doomed}").status_code == 404, "202 was a promise"
        http.restore(heir, target)
        assert same_bytes(server.volume_file(target), server.volume_file(volume))
        assert_baseline(server, http, baseline)
        http.delete("backups", heir)
    assert_store_is_whole(server)
    clean_up(http, [volume, target])


def test_volumes_and_snapshots_cut(server, http, baseline):
    """Work on volumes themselves: made, made of a backup, frozen, deleted."""
    bodies = [
        ("volumes", {"volume": {"size": 1, "name": "empty"}}),
        ("volumes", {"volume": {"size": 1, "backup_id": baseline.backup}}),
        ("volumes", {"volume": {"size": 1, "source_volid": baseline.volume}}),
        ("snapshots", {"snapshot": {"volume_id": baseline.volume, "name": "frozen"}}),
    ]
    for delay in (0.0, 0.01, 0.05):
        made = []
        for collection, body in bodies:
            answer = http.ok("POST", collection, json=body)[collection.removesuffix("s")]
            made.append((collection, answer["id"]))
        cut_and_restart(server, http, delay)
        for (collection, id), (_, body) in zip(made, bodies, strict=True):
            shown = http.show(collection, id)
            assert shown["status"] in ("available", "error"), shown
            has_bytes = {"backup_id", "source_volid"} & set(body.get("volume", {}))
            if shown["status"] == "available" and has_bytes:
                assert same_bytes(server.volume_file(id), baseline.image), body
        for collection, id in reversed(made):
            http.ok("DELETE", f"{collection}/{id}")
        cut_and_restart(server, http, delay)
        for collection, id in made:
            assert http("GET", f"{collection}/{id}").status_code == 404, (collection, id)
        assert_baseline(server, http, baseline)


def test_a_cut_in_a_flood_of_requests(server, http, baseline):
    """What was answered is there afterwards; what was not is there wholly or not at all."""
    volume = http.create_volume(1, name="flood")["id"]
    write_random(server.volume_file(volume), seed=4000, size_bytes=4 * MIB)
    snapshot = http.ok("POST", "snapshots", json={"snapshot": {"volume_id": volume}})["snapshot"]
    http.wait("snapshots", snapshot["id"])
    answered, over = [], threading.Event()

    def ask():
        number = 0
        while not over.is_set():
            body = {"volume": {"size": 1, "name": f"flood-{number}"}}
            try:
                answer = http("POST", "volumes", json=body)
            except requests.RequestException:
                return
            if answer.status_code == 202:
                answered.append(answer.json()["volume"]["id"])
            number += 1

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for("forty answers", lambda: len(answered) >= 40, timeout=60)
    server.kill()
    over.set()
    for thread in threads:
        thread.join()
    server.restart()
    http.renew()
    http.wait_at_rest(timeout=60)
    listed = {shown["id"]: shown for shown in http.ok("GET", "volumes/detail")["volumes"]}
    missing = [id for id in answered if id not in listed]
    assert not missing, f"{len(missing)} of {len(answered)} acknowledged volumes are gone"
    for id in answered:
        assert listed[id]["status"] == "available"
        assert server.volume_file(id).stat().st_size == 1 << 30
    assert_baseline(server, http, baseline)
    http.delete("snapshots", snapshot["id"])
    clean_up(http, answered)


def test_a_polite_end_in_the_midst_of_work(server, http, baseline):
    volume = http.create_volume(1, name="polite")["id"]
    write_random(server.volume_file(volume), seed=5000, size_bytes=200 * MIB)
    made = http.create_backup(volume, is_waited=False)
    assert server.stop() == 0
    server.restart()
    http.renew()
    http.wait_at_rest(timeout=60)
    shown = http.show("backups", made["id"])
    assert shown["status"] == "available" or shown["fail_reason"], shown
    assert http.show("volumes", volume)["status"] == "available"
    assert_baseline(server, http, baseline)


def test_settings_survive_a_restart(server, http):
    clouds = (server.data / "clouds.yaml").read_text()
    openrc = (server.data / "openrc").read_text()
    server.stop()
    server.restart()
    assert (server.data / "clouds.yaml").read_text() == clouds
    assert (server.data / "openrc").read_text() == openrc
    http.renew()
    assert http.ok("GET", "limits")["limits"]["absolute"]["maxTotalBackups"] == -1


def set_volume_status(http, volume, status):
    """Sets a volume's status by hand, as an attachment or an operator would."""
    http.ok("POST", f"volumes/{volume}/action", json={"os-reset_status": {"status": status}})
    return http.wait("volumes", volume, status)


def clean_up(http, volumes):
    """Deletes volumes, so that later tests list few."""
    for volume in volumes:
        http.ok("DELETE", f"volumes/{volume}")
    for volume in volumes:
        http.wait_gone("volumes", volume)


def test_progress_is_measured(server, http):
    """While a backup runs, its progress never falls, and at the end it is 100."""
    volume = http.create_volume(1, name="progress")["id"]
    write_random(server.volume_file(volume), seed=6000, size_bytes=300 * MIB)
    made = http.create_backup(volume, is_waited=False)
    path = f"/v2/{http.project_id}/backups/{made['id']}"
    seen = []

    def is_done():
        shown = http.ok("GET", path, version=None)["backup"]
        seen.append(int(json.loads(shown["service_metadata"]).get("progress", 0)))
        return shown["status"] == "available"

    wait_for("the backup", is_done, timeout=120, interval=0.01)
    assert seen == sorted(seen) and seen[-1] == 100, seen
