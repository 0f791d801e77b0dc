"""Fixtures: one server for each file of tests, and one real file system for all of them."""

import pytest

from disks import copy_real_files, make_file_system
from strongroom import GIB, Server, binary, running

LIVE = []


@pytest.fixture(scope="session", autouse=True)
def the_binary():
    """Fails every test, loudly, when there is no binary to test."""
    return binary()


@pytest.fixture(scope="module")
def server(tmp_path_factory, request):
    """A server of this file's own, with no quota in the way."""
    home = tmp_path_factory.mktemp(request.module.__name__)
    with running(home) as started:
        LIVE.append(started)
        yield started
        LIVE.remove(started)


@pytest.fixture
def fresh_server(tmp_path):
    """A server of this test's own, for tests that harm it."""
    with running(tmp_path / "server") as started:
        LIVE.append(started)
        yield started
        LIVE.remove(started)


@pytest.fixture(scope="module")
def admin(server):
    """The user that the first start made."""
    return server.admin


@pytest.fixture(scope="module")
def http(admin):
    """Plain HTTP as that user."""
    return admin.http


@pytest.fixture(scope="session")
def real_disk(tmp_path_factory):
    """A disk of 1 GiB: an ext4 file system with thousands of real files. Copy it before writing."""
    home = tmp_path_factory.mktemp("disk")
    tree = home / "tree"
    count = copy_real_files(tree, most_bytes=600 << 20, most_files=25_000)
    assert count > 500, f"only {count} files found to make a disk of"
    image = home / "disk.raw"
    make_file_system(image, tree, GIB)
    return image


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the end of the servers' logs with every failure."""
    report = yield
    if report.failed:
        for server in LIVE:
            if isinstance(server, Server):
                report.sections.append((f"log of {server.home.name}", server.tail()))
    return report
