"""What Terraform's providers and the Go SDK send to the CBR service, call by call.

`Terraform` polls as the provider of the vendor does, `Gopher` as gophertelekomcloud's tests do: it
signs in the older form and is strict about status codes. `test_cbr_sdk.py` has the Python SDK.
"""

import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import pytest
import requests

from disks import scribble
from huawei import DISK, SERVER, Sdk, add_server, keys, origin, stranger
from strongroom import wait_for

ALGORITHM = "SDK-HMAC-SHA256"
WEEKLY = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=14;BYMINUTE=00"


class Caller:
    """Requests to `{endpoint}/v3/{project}`, each with the statuses that its client accepts."""

    def __init__(self, cloud):
        self.project = cloud.http.project_id
        self.base = f"{origin(cloud.http.urls['cbr'])}/v3/{self.project}"
        self.cloud = cloud

    def __call__(self, method, path, accept=(200,), body=None):
        answer = self.send(method, f"{self.base}/{path}", body)
        shown = f"{method} {path}: {answer.status_code} {answer.text}"
        assert answer.status_code in accept, shown
        assert answer.headers["X-Request-Id"].startswith("req-")
        if answer.status_code == 204:
            assert answer.content == b""
        elif answer.status_code >= 400:
            assert set(answer.json()) == {"error_code", "error_msg"}, shown
        return answer.json() if answer.content else None

    def send(self, method, url, body):
        """With a token, and as Go does with a type on every request."""
        sent = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", "X-Auth-Token": self.cloud.http.token}
        return requests.request(method, url, data=sent, headers=headers, timeout=60)

    def refused(self, method, path, status, body=None):
        """A request that is refused; gives the code."""
        return self(method, path, accept=(status,), body=body)["error_code"]

    def polled(self, path, key, target, pending, failed=()):
        """Polls until the state is a target's; a state that nobody named is a failure."""

        def probe():
            answer = self.send("GET", f"{self.base}/{path}", None)
            if answer.status_code == 404:
                state = "DELETED"
            else:
                assert answer.status_code == 200, answer.text
                state = key(answer.json())
            assert state in (*target, *pending), f"{path}: {state}"
            assert state not in failed
            return state if state in target else None

        return wait_for(f"{path} to be {target}", probe, timeout=90)

    def vault(self, name, resources=(), kind="disk", size=100, **more):
        billing = {"cloud_type": "public", "consistent_level": "crash_consistent", "size": size}
        billing |= {"object_type": kind, "protect_type": "backup", **more.pop("billing", {})}
        wish = {"name": name, "billing": billing, "resources": list(resources), **more}
        return self("POST", "vaults", body={"vault": wish})["vault"]


class Signed(Caller):
    """The same with keys, signed in the form of the older Go SDK."""

    def __init__(self, cloud):
        super().__init__(cloud)
        self.access, self.secret = keys(cloud)

    def send(self, method, url, body):
        sent = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers |= {"User-Agent": "gopher/1"}
        headers["Authorization"] = self.signature(method, url, sent, headers)
        # These are added after signing.
        headers["X-Project-Id"] = self.project
        return requests.request(method, url, data=sent, headers=headers, timeout=60)

    def signature(self, method, url, body, headers, at=None):
        """The header `Authorization`; sets `X-Sdk-Date` and `Host`."""
        parts = urlsplit(url)
        moment = (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        headers |= {"X-Sdk-Date": moment, "Host": parts.netloc}
        low = {name.lower(): value for name, value in headers.items()}
        names = ";".join(sorted(low))
        path = "/".join(quote(part, safe="-_.~") for part in parts.path.split("/")).rstrip("/")
        pairs = sorted(pair.split("=", 1) for pair in parts.query.split("&") if pair)
        seen = {}
        for name, value in pairs:
            seen.setdefault(name, value)
        query = "&".join(f"{name}={value}" for name, value in sorted(seen.items()))
        payload = body
        if method == "POST" and not body:
            # Of a POST without a body the query counts as the body.
            payload, query = query.encode(), ""
        lines = [method, f"{path}/", query]
        lines += ["".join(f"{name}:{low[name].strip()}\n" for name in sorted(low)), names]
        lines.append(hashlib.sha256(payload).hexdigest())
        scope = f"{moment[:8]}///sdk_request"
        whole = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        key = ("SDK" + self.secret).encode()
        for word in (moment[:8], "", "", "sdk_request"):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        said = "\n".join([ALGORITHM, moment, scope, whole]).encode()
        proof = hmac.new(key, said, hashlib.sha256).hexdigest()
        credential = f"{ALGORITHM} Credential={self.access}/{scope}"
        return f"{credential}, SignedHeaders={names}, Signature={proof}"


@pytest.fixture(scope="module")
def terraform(admin):
    return Caller(admin)


@pytest.fixture(scope="module")
def gopher(admin):
    return Signed(admin)


@pytest.fixture
def disk(http, server):
    made = http.create_volume(1, name="disk")["id"]
    scribble(server.volume_file(made), seed=3, blocks=100)
    return made


def of_disk(disk):
    return {"id": disk, "type": DISK}


# The vendor's provider


def test_a_vault_as_terraform_makes_changes_and_destroys_it(terraform, disk, http):
    bare = {"extra_info": {}, **of_disk(disk)}
    tags = [{"key": "foo", "value": "bar"}]
    billing = {"charging_mode": "post_paid", "is_auto_pay": False, "period_num": 0}
    vault = terraform.vault("tf", [bare], size=10, tags=tags, billing=billing, bind_rules={})
    path = f"vaults/{vault['id']}"
    shown = terraform("GET", path)["vault"]
    assert shown == vault
    assert isinstance(shown["billing"]["used"], int)
    assert shown["bind_rules"] == {}
    # It reads the bindings by the policies of the vault.
    assert terraform("GET", f"policies?vault_id={vault['id']}")["policies"] == []
    change = {"name": "tf-2", "billing": {"size": 12}, "auto_expand": True, "smn_notify": False}
    terraform("PUT", path, body={"vault": change})
    other = http.create_volume(1)["id"]
    terraform("POST", f"{path}/addresources", body={"resources": [of_disk(other)]})
    terraform("POST", f"{path}/removeresources", body={"resource_ids": [disk]})
    new, old = [{"key": "a", "value": "b"}], [{"key": "foo"}]
    action = f"vault/{vault['id']}/tags/action"
    terraform("POST", action, accept=(204,), body={"action": "delete", "tags": old})
    terraform("POST", action, accept=(204,), body={"action": "create", "tags": new})
    shown = terraform("GET", path)["vault"]
    assert [one["id"] for one in shown["resources"]] == [other]
    assert (shown["name"], shown["billing"]["size"], shown["tags"]) == ("tf-2", 12, new)
    terraform("DELETE", path, accept=(200, 202, 204))
    terraform.polled(
        path, lambda it: it["vault"]["billing"]["status"], ["DELETED"], ["available", "deleting"]
    )


def test_a_checkpoint_as_terraform_makes_and_destroys_it(terraform, http):
    disks = [of_disk(http.create_volume(1, name=name)["id"]) for name in ("one", "two")]
    vault = terraform.vault("tf", disks)
    parameters = {"auto_trigger": False, "name": "tf-point", "description": "by terraform"}
    parameters |= {"incremental": False, "resource_details": disks}
    body = {"checkpoint": {"vault_id": vault["id"], "parameters": parameters}}
    made = terraform("POST", "checkpoints", body=body)["checkpoint"]
    path = f"checkpoints/{made['id']}"
    status = ["available"], ["protecting", "waiting_protect"]
    terraform.polled(path, lambda it: it["checkpoint"]["status"], *status)
    shown = terraform("GET", path)["checkpoint"]
    assert shown["vault"]["resources"]
    for resource in shown["vault"]["resources"]:
        assert resource["protect_status"] == "available"
        assert resource["extra_info"] is None
        for name in ("resource_size", "backup_size", "backup_count"):
            assert isinstance(resource[name], str)
            int(resource[name])
    backups = terraform("GET", f"backups?checkpoint_id={made['id']}")["backups"]
    assert {one["resource_id"] for one in backups} == {one["id"] for one in disks}
    for backup in backups:
        terraform("DELETE", f"backups/{backup['id']}", accept=(204,))
    terraform.polled(
        path,
        lambda it: it["checkpoint"]["status"],
        ["DELETED"],
        ["available", "deleting"],
        failed=["deleted"],
    )
    assert terraform.refused("GET", path, 404) == "BackupService.6217"


def test_a_restore_as_terraform_waits_for_it(terraform, server, disk, http):
    host = add_server(server, "tf-host", [disk])
    vault = terraform.vault("tf", [host], kind="server")
    backup = point(terraform, vault)
    wish = {"server_id": host["id"], "power_on": False}
    answer = terraform("POST", f"backups/{backup}/restore", accept=(202,), body={"restore": wish})
    path = f"operation-logs/{answer['job_id']}"
    state = ["success"], ["waiting", "running"]
    terraform.polled(path, lambda it: it["operation_log"]["status"], *state)
    log = terraform("GET", path)["operation_log"]
    assert (log["operation_type"], log["extra_info"]["common"]["progress"]) == ("restore", 100)
    assert log["ended_at"]
    assert http.show("volumes", disk)["status"] in ("available", "in-use")


def point(caller, vault, **parameters):
    """Backs a vault up and waits; gives the id of its one backup."""
    body = {"checkpoint": {"vault_id": vault["id"], "parameters": parameters}}
    made = caller("POST", "checkpoints", body=body)["checkpoint"]
    path = f"checkpoints/{made['id']}"
    status = lambda it: it["checkpoint"]["status"]  # noqa: E731
    caller.polled(path, status, ["available"], ["protecting"])
    (backup,) = caller("GET", f"backups?checkpoint_id={made['id']}")["backups"]
    return backup["id"]


def test_a_policy_as_terraform_writes_and_reads_it(terraform):
    rules = {"max_backups": -1, "retention_duration_days": 20, "day_backups": 0}
    rules |= {"week_backups": 0, "month_backups": 0, "year_backups": 0, "timezone": "UTC+08:00"}
    rules |= {"full_backup_interval": -1}
    wish = {"name": "tf", "operation_type": "backup", "enabled": True}
    wish |= {"operation_definition": rules, "trigger": {"properties": {"pattern": [WEEKLY]}}}
    made = terraform("POST", "policies", body={"policy": wish})["policy"]
    path = f"policies/{made['id']}"
    assert terraform("GET", path)["policy"] == made
    assert made["operation_definition"] == rules
    assert made["trigger"]["properties"]["pattern"] == [WEEKLY]
    daily = "FREQ=DAILY;INTERVAL=5;BYHOUR=06;BYMINUTE=00"
    change = {"name": "tf-2", "enabled": False}
    change |= {"operation_definition": {"max_backups": 20, "retention_duration_days": -1}}
    change["trigger"] = {"properties": {"pattern": [daily]}}
    terraform("PUT", path, body={"policy": change})
    shown = terraform("GET", path)["policy"]
    assert shown["trigger"]["properties"]["pattern"] == [daily]
    assert shown["operation_definition"] == change["operation_definition"]
    terraform("DELETE", path, accept=(204,))
    assert terraform.refused("GET", path, 404) == "BackupService.6000"


def test_a_share_and_its_accepter(terraform, admin, disk):
    theirs = Caller(stranger(admin, "accepters"))
    backup = point(terraform, terraform.vault("tf", [of_disk(disk)]))
    path = f"backups/{backup}/members"
    assert terraform("GET", path) == {"members": [], "count": 0}
    terraform("POST", path, body={"members": [theirs.project]})
    (member,) = terraform("GET", path)["members"]
    assert (member["dest_project_id"], member["status"]) == (theirs.project, "pending")
    vault = theirs.vault("accepter")
    mine = f"{path}/{theirs.project}"
    theirs("PUT", mine, body={"status": "accepted", "vault_id": vault["id"]})
    seen = theirs("GET", f"backups/{backup}")["backup"]
    assert (seen["project_id"], seen["vault_id"]) == (terraform.project, vault["id"])
    theirs("PUT", mine, body={"status": "rejected"})
    terraform("DELETE", mine, accept=(204,))
    assert terraform("GET", path)["members"] == []


def test_data_sources_read_until_a_page_is_empty(terraform, http):
    """The provider asks for pages by offset; openstacksdk by marker. Both end, and both see all."""
    disks = [of_disk(http.create_volume(1)["id"]) for _ in range(3)]
    vault = terraform.vault("paged", disks)
    point_of_many(terraform, vault)
    for path, key in (
        (f"backups?vault_id={vault['id']}", "backups"),
        (f"operation-logs?vault_id={vault['id']}", "operation_logs"),
        ("vaults?protect_type=backup", "vaults"),
        ("policies?operation_type=backup", "policies"),
        ("protectables/disk/instances?status=available", "instances"),
    ):
        whole = [one["id"] for one in terraform("GET", path)[key]]
        assert paged(terraform, path, key, lambda ids: f"offset={len(ids)}") == whole
        assert paged(terraform, path, key, marker) == whole


def marker(ids):
    return f"marker={ids[-1]}" if ids else ""


def paged(caller, path, key, following):
    """All ids of a list, two at a time."""
    found = []
    while True:
        page = caller("GET", f"{path}&limit=2&{following(found)}")
        assert not {"links", "next", f"{key}_links"} & set(page)
        if not page[key]:
            return found
        assert len(page[key]) <= 2
        found += [one["id"] for one in page[key]]
        assert len(found) < 1000


def point_of_many(caller, vault):
    body = {"checkpoint": {"vault_id": vault["id"], "parameters": {}}}
    made = caller("POST", "checkpoints", body=body)["checkpoint"]
    path = f"checkpoints/{made['id']}"
    caller.polled(path, lambda it: it["checkpoint"]["status"], ["available"], ["protecting"])


def test_metadata_holds_documents_as_texts(terraform, server, disk):
    host = add_server(server, "meta", [disk], "--network", "10.1.0.9", "--floating-ip", "8.8.4.4")
    backup = point(terraform, terraform.vault("tf", [host], kind="server"))
    shown = terraform("GET", f"backups/{backup}/metadata")
    for name in ("backups", "server", "interface", "flavor"):
        assert isinstance(json.loads(shown[name]), dict)
    for name in ("volumes", "ports", "floatingips"):
        assert [set(json.loads(one)) for one in shown[name]] == [{name.removesuffix("s")}] or (
            name == "floatingips" and set(json.loads(shown[name][0])) == {"floatingips"}
        )
    assert json.loads(shown["backups"])["children"] == []


# gophertelekomcloud and OTC's provider


def test_gopher_gets_the_very_vault_that_it_made(gopher, disk):
    wish = {"backup_policy_id": None, "description": "gopher", "auto_bind": False}
    wish |= {"enterprise_project_id": "0", "bind_rules": {"tags": []}, "tags": []}
    billing = {"period_type": "month", "period_num": 1, "charging_mode": "post_paid"}
    vault = gopher.vault("gopher", [of_disk(disk)], billing=billing, **wish)
    assert gopher("GET", f"vaults/{vault['id']}")["vault"] == vault
    (listed,) = gopher("GET", f"vaults?name=gopher&id={vault['id']}")["vaults"]
    assert listed == vault
    change = {"vault": {"name": "gopher-2"}}
    assert gopher("PUT", f"vaults/{vault['id']}", body=change)["vault"]["name"] == "gopher-2"
    # Strings and numbers are where Go's structs have them.
    assert isinstance(vault["enterprise_project_id"], str)
    assert isinstance(vault["resources"][0]["extra_info"], dict)


def test_a_policy_of_otcs_provider_is_bound_twice(gopher):
    rules = {"day_backups": 0, "week_backups": 0, "month_backups": 0, "year_backups": 0}
    rules |= {"max_backups": 0, "retention_duration_days": 5, "timezone": "UTC+03:00"}
    wish = {"name": "tfo", "operation_type": "backup", "operation_definition": rules}
    wish["trigger"] = {"properties": {"pattern": [WEEKLY]}}
    policy = gopher("POST", "policies", body={"policy": wish})["policy"]
    assert policy["operation_definition"] == rules
    vault = gopher.vault("tfo", backup_policy_id=policy["id"])
    path = f"vaults/{vault['id']}/associatepolicy"
    body = {"policy_id": policy["id"]}
    for _ in range(2):
        bound = gopher("POST", path, body=body)["associate_policy"]
        assert (bound["vault_id"], bound["policy_id"]) == (vault["id"], policy["id"])
    (seen,) = gopher("GET", f"policies?vault_id={vault['id']}")["policies"]
    assert [one["vault_id"] for one in seen["associated_vaults"]] == [vault["id"]]
    # The provider removes the policy while it is bound.
    gopher("DELETE", f"policies/{policy['id']}", accept=(202, 204))
    assert gopher("GET", f"policies?vault_id={vault['id']}")["policies"] == []


def test_a_vault_that_is_deleted_twice_is_refused_once_more(gopher, server, disk):
    """The published clean-up scripts look for this very code."""
    vault = gopher.vault("twice", [of_disk(disk)])
    # So much that its removal takes a while.
    for seed in range(3):
        scribble(server.volume_file(disk), seed=seed, blocks=2000)
        point(gopher, vault)
    gopher("DELETE", f"vaults/{vault['id']}", accept=(202, 204))
    again = gopher.send("DELETE", f"{gopher.base}/vaults/{vault['id']}", None)
    assert (again.status_code, again.json()["error_code"]) in (
        (400, "BackupService.6203"),
        (404, "BackupService.6105"),
    )
    path = f"vaults/{vault['id']}"
    status = lambda it: it["vault"]["billing"]["status"]  # noqa: E731
    gopher.polled(path, status, ["DELETED"], ["deleting"])


def test_replicate_is_wrapped_twice(gopher, server, disk):
    host = add_server(server, "gopher-host", [disk])
    vault = gopher.vault("gopher", [host], kind="server")
    to = {"vault_id": vault["id"], "destination_vault_id": str(uuid.uuid4())}
    to |= {"destination_region": "nowhere", "destination_project_id": gopher.project}
    for body in ({"checkpoint": {"replicate": to}}, {"replicate": to}):
        code = gopher.refused("POST", "checkpoints/replicate", 400, body=body)
        assert code == "BackupService.1005"


def test_gopher_shares_a_disk_and_deletes_it(gopher, admin, disk):
    theirs = Signed(stranger(admin, "gophers"))
    backup = point(gopher, gopher.vault("gopher", [of_disk(disk)]))
    body = {"members": [theirs.project]}
    (made,) = gopher("POST", f"backups/{backup}/members", body=body)["members"]
    assert made["status"] == "pending"
    assert gopher.refused("POST", f"backups/{backup}/members", 400, body=body) == (
        "BackupService.6703"
    )
    vault = theirs.vault("gopher")
    mine = f"backups/{backup}/members/{theirs.project}"
    accepted = {"status": "accepted", "vault_id": vault["id"]}
    assert theirs("PUT", mine, body=accepted)["member"]["vault_id"] == vault["id"]
    assert gopher("GET", mine)["member"]["status"] == "accepted"
    gopher("DELETE", mine, accept=(204,))
    gopher("DELETE", f"backups/{backup}", accept=(202, 204))
    status = lambda it: it["backup"]["status"]  # noqa: E731
    gopher.polled(f"backups/{backup}", status, ["DELETED"], ["deleting", "available"])


def test_tags_as_both_providers_write_them(gopher, terraform):
    vault = gopher.vault("tags", tags=[{"key": "a", "value": "b"}])
    query = {"action": "filter", "tags": [{"key": "a", "values": ["b"]}], "limit": 10}
    found = gopher("POST", "vault/resource_instances/action", body=query)
    assert isinstance(found["resources"][0]["resource_detail"], dict)
    every = terraform("GET", "vault/tags")["tags"]
    assert all(isinstance(tag["values"], list) for tag in every)
    (tag,) = gopher("GET", f"vault/{vault['id']}/tags")["tags"]
    assert tag == {"key": "a", "value": "b"}


# Signatures


def test_what_a_provider_asks_identity_is_signed_in_the_older_form_too(gopher, admin):
    identity = origin(admin.http.identity_url)
    for path, key in (
        ("/v3/auth/catalog", "catalog"),
        ("/v3/auth/domains", "domains"),
        (f"/v3/projects?name={admin.auth.get('project_name', 'x')}", "projects"),
    ):
        answer = gopher.send("GET", identity + path, None)
        assert answer.status_code == 200, answer.text
        assert key in answer.json()


@pytest.mark.parametrize("spoil", ["body", "query", "secret", "date", "nothing"])
def test_a_signature_holds_for_what_was_signed(gopher, spoil):
    url = f"{gopher.base}/backups?limit=5&sort=name%3Adesc"
    headers = {"Content-Type": "application/json", "User-Agent": "gopher/1"}
    at = datetime(2020, 1, 1, tzinfo=UTC) if spoil == "date" else None
    headers["Authorization"] = gopher.signature("GET", url, b"", headers, at)
    if spoil == "secret":
        headers["Authorization"] = headers["Authorization"][:-4] + "0000"
    if spoil == "query":
        url = url.replace("limit=5", "limit=6")
    sent = b"{}" if spoil == "body" else None
    answer = requests.request("GET", url, headers=headers, data=sent, timeout=60)
    if spoil == "nothing":
        assert answer.status_code == 200, answer.text
    else:
        assert answer.status_code == 401
        assert answer.json()["error_code"] == "APIGW.0301"
        assert "unauthorized" not in answer.json()


def test_a_post_without_a_body_signs_its_query(gopher):
    answer = gopher.send("POST", f"{gopher.base}/vaults?a=b", None)
    # It is proved, and refused for what it lacks.
    assert answer.status_code == 400, answer.text
    assert answer.json()["error_code"] == "BackupService.9900"


def test_the_two_forms_see_the_same(gopher, terraform, admin):
    new = Sdk(admin).list_vault(limit=1000)
    assert gopher("GET", "vaults?limit=1000")["count"] == new.count
    assert terraform("GET", "vaults?limit=1000")["count"] == new.count


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "vaults/a-name", 404, "BackupService.6105"),
        ("GET", "policies/a-name", 404, "BackupService.6000"),
        ("GET", "backups/a-name", 404, "BackupService.6200"),
        ("GET", "checkpoints/a-name", 404, "BackupService.6217"),
        ("GET", "operation-logs/a-name", 404, "BackupService.6500"),
        ("GET", "no-such-thing", 404, "APIGW.0101"),
        ("PATCH", "vaults", 405, None),
        ("GET", "vaults?limit=x", 400, "BackupService.9900"),
        ("GET", "vaults?offset=99999", 200, None),
    ],
)
def test_names_and_nonsense_get_their_own_answers(terraform, method, path, status, code):
    answer = terraform.send(method, f"{terraform.base}/{path}", None)
    assert answer.status_code == status, answer.text
    if code:
        assert answer.json()["error_code"] == code


def test_another_projects_path_is_forbidden(terraform, gopher):
    elsewhere = terraform.base.rsplit("/", 1)[0] + "/" + uuid.uuid4().hex
    for caller in (terraform, gopher):
        answer = caller.send("GET", f"{elsewhere}/vaults", None)
        assert answer.status_code in (401, 403), answer.text


def test_a_server_of_two_disks_is_one_row(terraform, server, http):
    disks = [http.create_volume(1)["id"] for _ in range(2)]
    host = add_server(server, "rows", disks)
    vault = terraform.vault("rows", [host], kind="server")
    backup = point(terraform, vault)
    shown = terraform("GET", f"backups/{backup}")["backup"]
    assert len(shown["children"]) == 2
    (row,) = terraform("GET", f"backups?vault_id={vault['id']}&resource_type={SERVER}")["backups"]
    assert (row["id"], row["children"]) == (backup, [])
