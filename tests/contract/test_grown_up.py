"""The whole server on PostgreSQL and an S3 store, alone and as two nodes.

Everything else is tested on the defaults; here is what changes with them: what the store and the
catalogue hold, and that nothing is lost or stuck when one of them goes away. Nodes run on a clock
that is put ahead after a crash, so that nobody waits for the lease of a dead node.
"""

import os
import shutil
import threading
from types import SimpleNamespace

import pytest
import requests

from disks import copy, scribble, write_random
from outside import S3, Postgres
from strongroom import Server, binary, properties, run, same_bytes, store, wait_for

MIB = 1 << 20
STORE = f"s3://{S3.BUCKET}/under/a/prefix"


class Node(Server):
    """A server on the shared database, store and folder of volumes."""

    def __init__(self, home, database, first=None):
        super().__init__(home)
        self.ahead = (first or self).home / "ahead"
        self.first = first
        self.minutes = 0
        # One job at once, so that two jobs that are under way prove two nodes.
        self.options = ["--database", database.url, "--store", STORE, "--workers", "1"]
        self.options += ["--clock-ahead", self.ahead]

    def start(self, *options, timeout=60):
        """Starts it on what is shared. A second node gets the key and the password of the first."""
        if self.first and not self.data.exists():
            self.data.mkdir(parents=True)
            (self.data / "volumes").symlink_to(self.first.data / "volumes")
            shutil.copy(self.first.data / "openrc", self.data / "openrc")
        if self.first:
            options = (*options, "--key", self.first.key)
        return super().start(*self.options, *options, timeout=timeout)

    def skip_leases(self):
        """Puts the clock ahead, so that whatever a dead node had claimed is free."""
        self.minutes += 1
        partial = self.ahead.with_suffix(".new")
        partial.write_text(f"{self.minutes}m")
        partial.rename(self.ahead)

    def store_cli(self, verb, *args, **options):
        """Runs `strongroom store VERB` on the store in S3."""
        return store(verb, *args, store=STORE, key=self.key, **options)


@pytest.fixture(scope="module")
def database():
    """A PostgreSQL of this file's own."""
    started = Postgres()
    yield started
    started.end()


@pytest.fixture(scope="module")
def s3():
    """An S3 service of this file's own, which every process started here finds."""
    started = S3()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in started.environment.items():
            patch.setenv(name, value)
        yield started
    started.stop()


@pytest.fixture(scope="module")
def node(tmp_path_factory, database, s3):
    """The first node."""
    started = Node(tmp_path_factory.mktemp("grown") / "first", database)
    started.home.mkdir()
    try:
        started.start()
        started.admin.http.lift_quotas()
        yield started
    finally:
        started.kill()
        shutil.rmtree(started.data, ignore_errors=True)


@pytest.fixture(scope="module")
def http(node):
    """Plain HTTP as the first node's admin."""
    return node.admin.http


@pytest.fixture
def second(node, database):
    """A second node, which does not run yet."""
    made = Node(node.home.parent / "second", database, first=node)
    yield made
    made.kill()
    shutil.rmtree(made.home, ignore_errors=True)


@pytest.fixture(scope="module")
def baseline(node, http, tmp_path_factory):
    """A backup from quiet times, its bytes, and a volume to restore it to."""
    volume = http.create_volume(1, name="baseline")["id"]
    write_random(node.volume_file(volume), seed=80, size_bytes=8 * MIB, offset=100 * MIB)
    image = copy(node.volume_file(volume), tmp_path_factory.mktemp("baseline") / "image.raw")
    backup = http.create_backup(volume, name="baseline")["id"]
    target = http.create_volume(1, name="target")["id"]
    return SimpleNamespace(volume=volume, image=image, backup=backup, target=target)


@pytest.fixture
def busy(node, http):
    """A volume with new bytes, for a backup to be disturbed."""
    volume = http.create_volume(1, name="busy")["id"]
    write_random(node.volume_file(volume), seed=81, size_bytes=8 * MIB)
    yield volume
    http.wait_at_rest()
    for backup in http.ok("GET", f"backups?volume_id={volume}")["backups"]:
        http.delete("backups", backup["id"])
    http.delete("volumes", volume)


def assert_restores(node, backup, target, image):
    """A backup restores byte for byte, onto a volume that holds something else."""
    scribble(node.volume_file(target), seed=82, blocks=50)
    node.admin.http.restore(backup, target)
    assert same_bytes(node.volume_file(target), image)


def test_the_whole_way_with_the_clients(node, database, s3, tmp_path):
    admin, http = node.admin, node.admin.http
    volume = http.create_volume(1, name="disk")["id"]
    write_random(node.volume_file(volume), seed=83, size_bytes=16 * MIB, offset=7 * MIB)
    first = copy(node.volume_file(volume), tmp_path / "first.raw")
    made = admin.openstack_json("volume", "backup", "create", "--name", "full", "disk")
    full = http.wait("backups", made["id"])["id"]
    scribble(node.volume_file(volume), seed=84, blocks=100)
    made = properties(admin.cinder("backup-create", "--incremental", "--name", "more", "disk"))
    more = http.wait("backups", made["id"])["id"]

    rows = admin.openstack_json("volume", "backup", "list")
    assert {row["Name"]: row["Status"] for row in rows} == {
        "full": "available",
        "more": "available",
    }
    with admin.sdk() as cloud:
        proxy = cloud.block_storage
        assert proxy.find_backup("full").is_incremental is False
        assert proxy.get_backup(more).is_incremental is True
        proxy.restore_backup(more, name="again")
        again = proxy.find_volume("again").id
        http.wait("volumes", again)
        http.wait("backups", more)
        assert same_bytes(node.volume_file(again), node.volume_file(volume))

    assert not (node.data / "catalog.db").exists() and not node.store.exists()
    assert {row[0] for row in database.rows("SELECT id FROM backup")} == {full, more}
    names = s3.names()
    assert names and all(name.startswith("under/a/prefix/") for name in names)
    assert {found["id"] for found in node.store_cli("ls")["backups"]} == {full, more}

    with admin.sdk() as cloud:
        cloud.block_storage.delete_backup(more)
    http.wait_gone("backups", more)
    assert [found["id"] for found in node.store_cli("ls")["backups"]] == [full]
    node.store_cli("gc")
    node.store_cli("verify")
    assert_restores(node, full, again, first)
    out = tmp_path / "out.raw"
    node.store_cli("restore", "--id", full, out)
    assert same_bytes(out, first)
    http.delete("backups", full)
    for id in (volume, again):
        http.delete("volumes", id)


def test_a_kill_in_the_midst_of_a_backup(node, http, s3, baseline, busy):
    with s3.held():
        made = http.create_backup(busy, is_waited=False, name="cut")["id"]
        s3.wait_for_upload()
        node.kill()
    node.start()
    http.renew()
    assert http.show("backups", made)["status"] == "creating"
    node.skip_leases()
    http.wait_at_rest()
    assert http.show("backups", made)["status"] == "available"
    assert http.show("volumes", busy)["status"] == "available"
    assert_restores(node, made, baseline.target, node.volume_file(busy))
    assert_restores(node, baseline.backup, baseline.target, baseline.image)
    node.store_cli("verify")


def test_a_store_that_is_gone_during_a_backup(node, http, s3, baseline, busy):
    with s3.held():
        made = http.create_backup(busy, is_waited=False, name="nowhere")["id"]
        s3.wait_for_upload()
        s3.stop()
    try:
        shown = http.wait("backups", made, status="error")
        assert "could not" in shown["fail_reason"], shown
        assert http.wait("volumes", busy)["status"] == "available"
        assert "could not" in node.store_cli("ls", expect=1)
    finally:
        s3.start()
    assert_restores(node, baseline.backup, baseline.target, baseline.image)
    after = http.create_backup(busy, name="after")["id"]
    assert_restores(node, after, baseline.target, node.volume_file(busy))
    node.store_cli("verify")


def test_a_store_that_is_back_in_time(node, http, s3, baseline, busy):
    """Uploads that fail once are tried again, and nobody notices."""
    with s3.held():
        made = http.create_backup(busy, is_waited=False, name="bumpy")["id"]
        s3.wait_for_upload()
    http.wait("backups", made)
    assert_restores(node, made, baseline.target, node.volume_file(busy))


def test_postgresql_restarts_under_load(node, http, database, baseline):
    answers, over = [], threading.Event()

    def ask():
        session = requests.Session()
        headers = {"X-Auth-Token": http.token}
        while not over.is_set():
            body = {"volume": {"size": 1, "name": "load"}}
            url = f"{http.volume_url}/volumes"
            answers.append(session.post(url, json=body, headers=headers, timeout=60))

    def count(code):
        return sum(answer.status_code == code for answer in answers)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        wait_for("twenty volumes", lambda: count(202) >= 20)
        database.stop()
        wait_for("a refusal", lambda: count(503) > 0)
        database.start()
        before = count(202)
        wait_for("ten more volumes", lambda: count(202) >= before + 10)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    strange = {answer.status_code: answer.text for answer in answers}
    assert strange.keys() <= {202, 503}, strange
    assert "postgres" not in strange[503].lower(), "an inner detail was told"
    node.skip_leases()
    http.wait_at_rest()
    accepted = {answer.json()["volume"]["id"] for answer in answers if answer.status_code == 202}
    listed = {found["id"]: found["status"] for found in http.ok("GET", "volumes/detail")["volumes"]}
    assert accepted <= listed.keys(), "an acknowledged volume is gone"
    assert {listed[id] for id in accepted} == {"available"}
    assert_restores(node, baseline.backup, baseline.target, baseline.image)
    for id in accepted:
        http.ok("DELETE", f"volumes/{id}")
    for id in accepted:
        http.wait_gone("volumes", id)


def test_postgresql_restarts_during_a_backup(node, http, database, s3, baseline, busy):
    with s3.held():
        made = http.create_backup(busy, is_waited=False, name="through")["id"]
        s3.wait_for_upload()
        database.stop()
        database.start()
    node.skip_leases()
    http.wait("backups", made)
    http.wait_at_rest()
    assert_restores(node, made, baseline.target, node.volume_file(busy))


def test_two_nodes_share_the_work(node, http, second, database, s3, baseline, busy):
    second.start()
    other = second.admin.http
    assert other.project_id == http.project_id
    assert other.show("backups", baseline.backup)["name"] == "baseline"
    assert other("GET", "backups", token=http.token).status_code == 200, "a token of the first"
    with s3.held():
        mine = http.create_backup(busy, is_waited=False, name="mine")["id"]
        theirs = other.create_backup(baseline.volume, is_waited=False, name="theirs")["id"]
        workers = "SELECT DISTINCT worker FROM job WHERE state = 'running'"
        wait_for("both nodes to work", lambda: len(database.rows(workers)) == 2)
        s3.wait_for_upload()
    other.wait("backups", mine)
    http.wait("backups", theirs)
    assert_restores(second, mine, baseline.target, node.volume_file(busy))
    assert_restores(node, theirs, baseline.target, baseline.image)
    http.delete("backups", theirs)
    node.store_cli("gc")
    node.store_cli("verify")


def test_a_node_takes_over_from_one_that_died(node, http, second, s3, baseline, busy):
    with s3.held():
        made = http.create_backup(busy, is_waited=False, name="heir")["id"]
        s3.wait_for_upload()
        second.start()
        node.kill()
    try:
        other = second.admin.http
        assert other.show("backups", made)["status"] == "creating"
        node.skip_leases()
        other.wait("backups", made)
        assert_restores(second, made, baseline.target, node.volume_file(busy))
        assert_restores(second, baseline.backup, baseline.target, baseline.image)
    finally:
        node.start()
    http.renew()


def test_a_database_that_does_not_exist(node, database, tmp_path):
    url = database.url.replace("/strongroom?", "/nowhere?").replace("@", ":pass-word@")
    command = [binary(), "up", "--data", tmp_path / "data", "--database", url]
    command += ["--store", STORE, "--key", node.key]
    command += ["--identity", "127.0.0.1:0", "--volume", "127.0.0.1:0", "--cbr", "127.0.0.1:0"]
    said = run([*command, "--compute", "127.0.0.1:0"], expect=1)
    assert "cannot open the catalogue" in said and "nowhere" in said
    assert "pass-word" not in said


def test_a_bucket_that_does_not_exist(node, database, tmp_path):
    command = [binary(), "up", "--data", tmp_path / "data", "--database", database.url]
    command += ["--identity", "127.0.0.1:0", "--volume", "127.0.0.1:0", "--cbr", "127.0.0.1:0"]
    command += ["--compute", "127.0.0.1:0"]
    said = run([*command, "--store", "s3://not-here"], expect=1)
    assert "not-here" in said
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in said
