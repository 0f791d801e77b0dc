"""Two regions, each a process: copies arrive whole whoever is killed, and outlive the first.

The kills are SIGKILLs in the midst of the copying, of either end in turn. What is asked of the
copies is asked after the first region has gone for good.
"""

import json
import shutil
import time
import uuid

import pytest

from disks import copy, write_random
from huawei import Sdk, add_server
from strongroom import Server, same_bytes, wait_for

MIB = 1 << 20
SECRET = "a secret of two regions, long enough"
KILLS = 6


class Region(Server):
    """A server that is one of several regions; it is started with the same options every time."""

    def __init__(self, home, name):
        super().__init__(home)
        self.name = name
        self.peers = self.home / "peers.json"

    def start(self, *options, timeout=60):
        known = ["--peers", self.peers] if self.peers.exists() else []
        return super().start("--region", self.name, *known, *options, timeout=timeout)

    def knows(self, *others, secret=SECRET):
        """Names the other regions, and starts with them."""
        entries = [
            {"region": it.name, "endpoint": f"http://{it.addresses['cbr']}", "secret": secret}
            for it in others
        ]
        self.stop()
        self.peers.write_text(json.dumps(entries))
        self.start()


@pytest.fixture
def regions(tmp_path):
    """Two regions that know each other."""
    both = [Region(tmp_path / name, name) for name in ("r1", "r2")]
    try:
        for region in both:
            region.start()
            region.admin.http.lift_quotas()
        both[0].knows(both[1])
        both[1].knows(both[0])
        yield both
    finally:
        for region in both:
            region.kill()
            shutil.rmtree(region.data, ignore_errors=True)


@pytest.fixture
def log_of_both(regions, request):
    """Shows the ends of both logs with a failure."""
    yield
    for region in regions:
        print(f"--- {region.name}\n{region.tail(30)}")


def filled(region, sdk, name, seed, size=48 * MIB):
    """A disk with bytes that do not compress."""
    disk = sdk.disk(name)
    write_random(region.volume_file(disk["id"]), seed=seed, size_bytes=size, offset=seed * MIB)
    return disk


def copies_vault(sdk, kind):
    """A vault that takes copies."""
    return sdk.vault("copies", object_type=kind, protect_type="replication")


def to_region(name, sdk, vault):
    return {
        "destination_region": name,
        "destination_project_id": sdk.project_id,
        "destination_vault_id": vault.id,
    }


def record(sdk, backup_id):
    """The one replication record of a backup."""
    (found,) = sdk.show_backup(backup_id=backup_id).backup.replication_records
    return found


def copied(sdk, backup_id, timeout=180):
    """Waits until a copy has arrived; gives its record."""

    def ended():
        found = record(sdk, backup_id)
        assert found.status in ("waiting_replicate", "replicating", "success"), found
        return found if found.status == "success" else None

    return wait_for(f"the copy of {backup_id}", ended, timeout, interval=0.2)


def test_copies_arrive_whole_and_outlive_their_region(regions, log_of_both, tmp_path):
    first, second = regions
    here, there = Sdk(first.admin), Sdk(second.admin)
    disks = [filled(first, here, name, seed) for seed, name in enumerate(("root", "data", "solo"))]
    before = {
        disk["id"]: copy(first.volume_file(disk["id"]), tmp_path / disk["id"]) for disk in disks
    }
    host = add_server(first, "web-1", [disk["id"] for disk in disks[:2]])
    hosts = here.vault("hosts", [host], object_type="server")
    solo = here.vault("solo", [disks[2]])
    _, (of_host,) = here.checkpoint(hosts.id)
    _, (of_disk,) = here.checkpoint(solo.id)
    (region,) = here.show_replication_capabilities().regions
    assert (region.name, region.replication_destinations) == ("r1", ["r2"])

    vaults = {kind: copies_vault(there, kind) for kind in ("server", "disk")}
    wish = {"vault_id": hosts.id, **to_region("r2", there, vaults["server"])}
    answer = here.copy_checkpoint(body={"replicate": wish}).replication
    assert [one.backup_id for one in answer.backups] == [of_host.id]
    wish = {"name": "carried-over", **to_region("r2", there, vaults["disk"])}
    answer = here.copy_backup(backup_id=of_disk.id, body={"replicate": wish}).replication
    assert (answer.source_region, answer.destination_region) == ("r1", "r2")
    again = here.refused("copy_backup", backup_id=of_disk.id, body={"replicate": wish})
    assert again == (400, "BackupService.1009")

    cuts = 0
    for number in range(KILLS):
        time.sleep(0.15 * (number + 1))  # the point of the cut, not a wait for something
        states = {record(here, one.id).status for one in (of_host, of_disk)}
        cuts += states != {"success"}
        victim = (second, first)[number % 2]
        victim.kill()
        victim.restart()
    assert cuts >= 3, "the copying was over too early to be cut"

    for source in (of_host, of_disk):
        ours = copied(here, source.id)
        theirs = record(there, ours.destination_backup_id)
        assert ours.id == theirs.id
        for name in ("source_backup_id", "source_checkpoint_id", "source_region", "status"):
            assert getattr(ours, name) == getattr(theirs, name), name
        assert ours.destination_vault_id == theirs.destination_vault_id
        logs = here.list_op_logs(operation_type="replication").operation_logs
        (log,) = [it for it in logs if it.extra_info.replication.source_backup_id == source.id]
        here.finished(log.id)
        arrived = there.show_backup(backup_id=ours.destination_backup_id).backup
        assert (arrived.status, arrived.image_type) == ("available", "replication")
        assert arrived.resource_id == source.resource_id

    # The first region is gone, with everything that it had.
    first.kill()
    shutil.rmtree(first.data)
    (solo_copy,) = there.list_backups(vault_id=vaults["disk"].id).backups
    assert solo_copy.name == "carried-over"
    target = there.disk("restored")["id"]
    there.restored(solo_copy.id, volume_id=target)
    assert same_bytes(before[disks[2]["id"]], second.volume_file(target))

    (host_copy,) = there.list_backups(vault_id=vaults["server"].id).backups
    host_copy = there.show_backup(backup_id=host_copy.id).backup
    server_of = json.loads(there.show_metadata(backup_id=host_copy.id).server)["server"]
    assert server_of["id"] == host["id"]
    targets = {child.resource_id: there.disk("new")["id"] for child in host_copy.children}
    # The system's disk first.
    order = sorted(host_copy.children, key=lambda child: not child.extend_info.bootable)
    new = add_server(second, "web-2", [targets[child.resource_id] for child in order])
    maps = [
        {"backup_id": child.id, "volume_id": targets[child.resource_id]}
        for child in host_copy.children
    ]
    there.restored(host_copy.id, server_id=new["id"], mappings=maps)
    for disk, made in targets.items():
        assert same_bytes(before[disk], second.volume_file(made))
    second.store_cli("verify")


def test_what_cannot_be_copied_is_refused(regions, log_of_both):
    first, second = regions
    here, there = Sdk(first.admin), Sdk(second.admin)
    vault = here.vault("solo", [here.disk()])
    _, (backup,) = here.checkpoint(vault.id)
    takes, other = copies_vault(there, "disk"), copies_vault(there, "server")
    plain = there.vault("plain")
    missing = uuid.uuid4()
    fit = to_region("r2", there, takes)
    for wish, code in (
        ({**fit, "destination_region": "r1"}, "1005"),
        ({**fit, "destination_region": "r3"}, "1005"),
        ({**fit, "destination_vault_id": str(missing)}, "6120"),
        ({**fit, "destination_vault_id": plain.id}, "6119"),
        ({**fit, "destination_vault_id": other.id}, "6119"),
    ):
        refusal = here.refused("copy_backup", backup_id=backup.id, body={"replicate": wish})
        assert refusal == (400, f"BackupService.{code}"), wish
    assert here.show_backup(backup_id=backup.id).backup.replication_records == []

    # A region that cannot prove itself takes nothing and is told nothing.
    first.knows(second, secret=SECRET[::-1])
    status, _ = refused_somehow(here, backup.id, fit)
    assert status in (400, 403, 503)
    assert there.list_backups(vault_id=takes.id).backups == []
    first.knows(second)
    here.copy_backup(backup_id=backup.id, body={"replicate": fit})
    copied(here, backup.id)

    # Copies' vaults take nothing else.
    body = {"checkpoint": {"vault_id": takes.id, "parameters": {}}}
    assert there.refused("create_checkpoint", body=body) == (400, "BackupService.6124")


def refused_somehow(sdk, backup_id, wish):
    """The status and code of a refusal, which may be the server's fault."""
    path = f"{sdk.endpoint}/v3/{sdk.project_id}/backups/{backup_id}/replicate"
    answer = sdk.http("POST", path, version=None, json={"replicate": wish})
    assert answer.status_code >= 400, answer.text
    return answer.status_code, answer.json()["error_code"]


def test_a_region_that_comes_back_takes_what_was_begun(regions, log_of_both):
    """The other end is away when the copying begins, and for a while."""
    first, second = regions
    here, there = Sdk(first.admin), Sdk(second.admin)
    vault = here.vault("solo", [filled(first, here, "solo", seed=9)])
    _, (backup,) = here.checkpoint(vault.id)
    takes = copies_vault(there, "disk")
    wish = to_region("r2", there, takes)
    here.copy_backup(backup_id=backup.id, body={"replicate": wish})
    second.kill()
    state = record(here, backup.id).status
    assert state in ("waiting_replicate", "replicating", "success")
    second.restart()
    ours = copied(here, backup.id)
    assert there.show_backup(backup_id=ours.destination_backup_id).backup.status == "available"
