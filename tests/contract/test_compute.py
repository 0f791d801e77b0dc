"""The compute door and the command that keeps the inventory, with the clients that read them."""

import json
from types import SimpleNamespace

import pytest

from strongroom import binary, run

MISSING = "00000000-0000-4000-8000-000000000000"


def server_cli(server, verb, *args, expect=0):
    """Runs `strongroom server VERB` on a server's data; gives its JSON, or what it said."""
    command = [binary(), "server", verb, "--data", server.data, "--json", *args]
    printed = run(command, env={"PATH": "/bin"}, expect=expect)
    return json.loads(printed) if expect == 0 else printed


@pytest.fixture(scope="module")
def kept(server, admin, http):
    """A server of two disks, added by the command while the service runs, and a free volume."""
    system, data, free = (
        http.create_volume(name=name)["id"] for name in ("system", "data", "free")
    )
    made = server_cli(
        server,
        "add",
        *["--name", "web", "--disk", system, "--disk", data, "--tag", "role=web"],
        *["--flavor", "s2.small.1", "--network", "10.0.0.5", "--floating-ip", "203.0.113.9"],
    )
    return SimpleNamespace(id=made["id"], made=made, system=system, data=data, free=free)


def test_the_project_is_that_of_openrc(kept, http):
    assert kept.made["project_id"] == http.project_id


def test_the_command_shows_what_it_keeps(kept, server):
    assert server_cli(server, "show", "web") == kept.made
    assert server_cli(server, "show", kept.id) == kept.made
    listed = server_cli(server, "list")
    assert [item["id"] for item in listed["servers"]] == [kept.id]
    assert listed["broken"] == []


def test_the_command_refuses_what_makes_no_sense(kept, server):
    add = ["add", "--name", "other", "--disk"]
    assert "is missing" in server_cli(server, *add, MISSING, expect=1)
    taken = server_cli(server, *add, kept.system, expect=1)
    assert f"volume {kept.system} is a disk of server {kept.id}" in taken
    assert "is there twice" in server_cli(server, *add, kept.free, "--disk", kept.free, expect=1)
    server_cli(server, "add", "--name", "other", "--id", kept.id, expect=1)
    server_cli(server, "show", "nobody", expect=1)
    server_cli(server, "remove", MISSING, expect=1)
    assert len(server_cli(server, "list")["servers"]) == 1


def test_openstack_server_list(kept, admin):
    (row,) = admin.openstack_json("server", "list")
    assert (row["ID"], row["Name"], row["Status"]) == (kept.id, "web", "ACTIVE")
    assert row["Flavor"] == "s2.small.1"
    (addresses,) = row["Networks"].values()
    assert addresses == ["10.0.0.5", "203.0.113.9"]
    (row,) = admin.openstack_json("server", "list", "--long", "--name", "^web$")
    assert row["ID"] == kept.id
    assert admin.openstack_json("server", "list", "--name", "db") == []
    assert admin.openstack_json("server", "list", "--status", "SHUTOFF") == []


def test_openstack_server_show(kept, admin):
    for named in ("web", kept.id):
        shown = admin.openstack_json("server", "show", named)
        assert shown["id"] == kept.id
        assert [disk["id"] for disk in shown["volumes_attached"]] == [kept.system, kept.data]
        assert shown["tags"] == ["role=web"]
    said = admin.openstack("server", "show", "nobody", expect=1)
    assert "No Server found for nobody" in said


def test_openstack_shows_disks_and_flavors(kept, admin):
    disks = admin.openstack_json("server", "volume", "list", "web")
    assert [(disk["Device"], disk["Volume ID"]) for disk in disks] == [
        ("/dev/vda", kept.system),
        ("/dev/vdb", kept.data),
    ]
    (flavor,) = admin.openstack_json("flavor", "list")
    assert (flavor["ID"], flavor["RAM"], flavor["VCPUs"]) == ("s2.small.1", 2048, 1)
    assert admin.openstack_json("flavor", "show", "s2.small.1")["name"] == "s2.small.1"


def test_a_volume_is_listed_as_attached(kept, admin, http):
    listed = {row["ID"]: row for row in admin.openstack_json("volume", "list")}
    (attachment,) = listed[kept.system]["Attached to"]
    assert (attachment["server_id"], attachment["device"]) == (kept.id, "/dev/vda")
    assert listed[kept.free]["Attached to"] == []
    assert http.show("volumes", kept.system)["status"] == "available"


def test_openstacksdk_reads_servers(kept, admin):
    compute = admin.sdk().compute
    (found,) = compute.servers()
    assert (found.id, found.name) == (kept.id, "web")
    assert compute.find_server("web").id == kept.id
    assert [port.port_id for port in compute.server_interfaces(found)]
    assert [item.volume_id for item in compute.volume_attachments(found)] == [
        kept.system,
        kept.data,
    ]
    assert compute.find_server("nobody") is None


def test_openstacksdk_walks_pages(server, kept, admin):
    names = [f"page-{at}" for at in range(5)]
    for name in names:
        server_cli(server, "add", "--name", name)
    found = list(admin.sdk().compute.servers(limit=2, name="page-"))
    assert [item.name for item in found] == names[::-1]
    for name in names:
        server_cli(server, "remove", name)


def test_a_change_of_the_files_is_seen_at_once(server, kept, admin, http):
    made = server_cli(server, "add", "--name", "brief", "--disk", kept.free)
    url = f"{http.urls['compute']}/servers/{made['id']}"
    assert http("GET", url, version=None).status_code == 200
    path = server.data / "servers" / f"{made['id']}.json"
    path.write_text("{")
    assert http("GET", url, version=None).status_code == 404
    listed = server_cli(server, "list")
    assert len(listed["broken"]) == 1 and made["id"] in listed["broken"][0]
    assert [row["Name"] for row in admin.openstack_json("server", "list")] == ["web"]
    server_cli(server, "remove", made["id"])
    assert not path.exists()
    assert http.show("volumes", kept.free)["attachments"] == []


def test_nothing_is_changed_through_the_door(kept, admin, http):
    base = http.urls["compute"]
    answer = http("POST", f"{base}/servers", json={"server": {"name": "new"}}, version=None)
    assert answer.status_code == 405
    assert answer.json()["badMethod"]["code"] == 405
    answer = http("DELETE", f"{base}/servers/{kept.id}", version=None)
    assert answer.status_code == 405
    said = admin.openstack("server", "stop", "web", expect=1)
    assert "404" in said
