"""Tens of thousands of made-up requests: none fails, and every answer is a documented one."""

import multiprocessing
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import pytest

from fuzz import Contract, Fuzzer, Project, fuzz
from fuzz_cbr import CbrFuzzer, CbrProject, is_possible
from huawei import Sdk, add_server

LEAST = 20_000
WORKERS = 2
CASES = 30
CBR_VARIANTS = 3


def make_project(admin, number):
    """A project with a user who is a member there; the first administrator is one there too."""
    identity = f"{admin.http.identity_url}"
    name = f"fuzz-{number}"
    project = admin.http.ok("POST", f"{identity}/projects", json={"project": {"name": name}})
    project = project["project"]["id"]
    password = "correct horse"
    body = {"user": {"name": name, "password": password}}
    user = admin.http.ok("POST", f"{identity}/users", json=body)["user"]["id"]
    roles = admin.http.ok("GET", f"{identity}/roles")["roles"]
    roles = {role["name"]: role["id"] for role in roles}
    for who, role in ((user, "member"), (admin.http.user_id, "admin")):
        admin.http.ok("PUT", f"{identity}/projects/{project}/users/{who}/roles/{roles[role]}")
    by_password = {"user": {"id": user, "password": password}}
    made = Project(
        address=admin.http.root_url.removeprefix("http://"),
        id=project,
        member=token(admin, {"methods": ["password"], "password": by_password}, project),
        admin=token(admin, {"methods": ["token"], "token": {"id": admin.http.token}}, project),
        cloud=admin.http.token,
        cloud_project=admin.http.project_id,
        friend=admin.http.project_id,
    )
    made.refresh()
    return made


def token(admin, identity, project):
    """A token for a project."""
    body = {"auth": {"identity": identity, "scope": {"project": {"id": project}}}}
    url = f"{admin.http.identity_url}/auth/tokens"
    answer = admin.http("POST", url, token=False, version=None, json=body)
    assert answer.status_code == 201, answer.text
    return answer.headers["X-Subject-Token"]


def make_cbr_project(admin, server, number):
    """The same with vaults, and a server of two disks."""
    volumes = make_project(admin, f"cbr-{number}")
    disks = volumes.things["volumes"][:2]
    host = add_server(server, f"host-{number}", disks, "--project", volumes.id)
    address = admin.http.urls["cbr"].removeprefix("http://").split("/")[0]
    made = CbrProject(volumes, address, [host["id"]])
    made.refresh()
    return made


def share_something(admin):
    """A backup of the first administrator's, to be shared with every project."""
    sdk = Sdk(admin)
    sdk.checkpoint(sdk.vault("given", [sdk.disk("given")]).id, name="given")


@pytest.mark.timeout(1200)
def test_no_request_fails_and_every_answer_is_documented(admin, server):
    """Several processes, each with projects of its own, share the operations between them."""
    share_something(admin)
    doors = [
        (Fuzzer, [make_project(admin, number) for number in range(WORKERS)]),
        (CbrFuzzer, [make_cbr_project(admin, server, number) for number in range(WORKERS)]),
    ]
    labels = {
        fuzzer: [operation.label for operation in Contract(fuzzer.document).operations]
        for fuzzer, _ in doors
    }
    count = sum(len(known) for known in labels.values())
    variants = {Fuzzer: -(-LEAST // (len(labels[Fuzzer]) * CASES)), CbrFuzzer: CBR_VARIANTS}
    statuses, succeeded, failures = Counter(), set(), []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        running = []
        for fuzzer, projects in doors:
            strangers = [
                {"project": project.id, "things": project.things}
                for project in projects[1:] + projects[:1]
            ]
            for at, (project, stranger) in enumerate(zip(projects, strangers, strict=True)):
                mine = labels[fuzzer][at::WORKERS]
                work = pool.submit(
                    *(fuzz, project, stranger, mine, CASES, variants[fuzzer], fuzzer)
                )
                running.append((fuzzer, work))
        for fuzzer, done in running:
            its_statuses, its_succeeded, its_failures = done.result()
            statuses += its_statuses
            succeeded |= {(fuzzer, label) for label in its_succeeded}
            failures += its_failures
    print(f"{statuses.total()} requests for {count} operations")
    print("statuses:", dict(sorted(statuses.items())))
    # The first of each kind.
    shown = {failure.splitlines()[0]: failure for failure in reversed(failures)}
    listed = "\n".join(list(shown.values())[:20])
    assert not failures, f"{len(failures)} failures of {len(shown)} kinds:\n{listed}"
    assert statuses.total() >= LEAST
    unheard = [
        label
        for fuzzer, known in labels.items()
        for label in sorted(known)
        if (fuzzer, label) not in succeeded and is_possible(label)
    ]
    assert not unheard, f"operations that never succeeded: {unheard}"
    assert server.is_alive
