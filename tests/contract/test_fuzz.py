"""Tens of thousands of made-up requests: none fails, and every answer is a documented one."""

import multiprocessing
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import pytest

from fuzz import Contract, Project, fuzz

LEAST = 20_000
WORKERS = 2
CASES = 30


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


@pytest.mark.timeout(1200)
def test_no_request_fails_and_every_answer_is_documented(admin, server):
    """Several processes, each with a project of its own, share the operations between them."""
    projects = [make_project(admin, number) for number in range(WORKERS)]
    strangers = [
        {"project": project.id, "things": project.things} for project in projects[1:] + projects[:1]
    ]
    labels = [operation.label for operation in Contract().operations]
    variants = -(-LEAST // (len(labels) * CASES))
    statuses, succeeded, failures = Counter(), Counter(), []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        running = [
            pool.submit(fuzz, project, stranger, labels[at::WORKERS], CASES, variants)
            for at, (project, stranger) in enumerate(zip(projects, strangers, strict=True))
        ]
        for done in running:
            its_statuses, its_succeeded, its_failures = done.result()
            statuses += its_statuses
            succeeded += its_succeeded
            failures += its_failures
    print(f"{statuses.total()} requests for {len(labels)} operations")
    print("statuses:", dict(sorted(statuses.items())))
    assert not failures, f"{len(failures)} failures, the first:\n" + "\n".join(failures[:20])
    assert statuses.total() >= LEAST
    unheard = sorted(set(labels) - set(succeeded))
    assert not unheard, f"operations that never succeeded: {unheard}"
    assert server.is_alive
