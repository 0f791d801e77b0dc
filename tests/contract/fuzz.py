"""Requests that no client would send, and what may come back.

schemathesis reads the committed OpenAPI document and makes up requests, some that fit it and some
that do not. Every one of them is sent several times, with ids that exist, ids of another project's
things, and values that have broken servers before. What comes back is held against the document.

Every choice comes from a seed, which is the name of the operation. Only the ids that the server
makes up differ from run to run.
"""

import base64
import http.client
import json
import random
import re
import shlex
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlencode

import hypothesis
import hypothesis.configuration
import jsonschema_rs
import schemathesis
from schemathesis.core import NOT_SET
from schemathesis.generation import GenerationMode

from strongroom import ROOT

# It keeps notes of its own, which are nothing for the repository's root.
hypothesis.configuration.set_hypothesis_home_dir(ROOT / "target" / "hypothesis")

DOCUMENT = ROOT / "docs" / "api" / "volume.openapi.json"
METHODS = ["get", "post", "put", "delete"]
VERSIONS = ["3.71"] * 6 + ["3.0", "3.9", "3.31", "3.45", "3.64", "latest", None]
LONG = "x" * 10_000
NASTY = [LONG, "<", ">", "<b>x</b>", "", " ", "\0", "..", "../../etc/passwd", "%00", "ü\U0001f512"]
NASTY += ["' OR 1=1 --", "${7*7}", "None", "null", "-1", "a" * 37, "\u202e", "auto_x"]
VERBS = ["PATCH", "OPTIONS", "TRACE", "BREW", "get"]
# Where the id of what a name in a path or a body means is taken from.
KINDS = {
    "volume_id": "volumes",
    "source_volid": "volumes",
    "resource_id": "volumes",
    "snapshot_id": "snapshots",
    "backup_id": "backups",
    "policy_id": "policies",
    "backup_policy_id": "policies",
    "share_id": "shares",
    "job_id": "jobs",
    "target": "projects",
    "to_project_ids": "projects",
    "project_id": "projects",
    "class": "classes",
    "alias": "aliases",
    "key": "keys",
    "type_id": "types",
    "backup_service": "services",
    "backup_url": "records",
}
# What is always there.
FIXED = {
    "services": ["cinder.backup.drivers.vbs"],
    "classes": ["default"],
    "aliases": ["backups", "os-quota-sets"],
    "keys": ["k"],
    "types": ["00000000-0000-4000-8000-000000000001"],
}
# Whatever nothing describes is refused with one of these.
NOWHERE = {400, 401, 404, 406, 413, 415}


class Contract:
    """The document: its operations, and what each of them may answer."""

    def __init__(self, document=DOCUMENT):
        self.document = json.loads(document.read_text())
        self._validators = {}
        loaded = schemathesis.openapi.from_dict(self.document)
        self.operations = [found.ok() for found in loaded.get_all_operations()]

    def validator(self, schema):
        """The compiled form of a schema of the document."""
        text = json.dumps(schema)
        if text not in self._validators:
            whole = {"allOf": [schema], "components": self.document["components"]}
            self._validators[text] = jsonschema_rs.Draft202012Validator(whole)
        return self._validators[text]

    def objection(self, operation, answer, is_head):
        """What is wrong with an answer of an operation, or None."""
        described = self.document["paths"][operation.path][operation.method]["responses"]
        if str(answer.status) not in described:
            return "this status is not documented"
        response = self._resolve(described[str(answer.status)])
        for name, header in response["headers"].items():
            value = answer.headers.get(name)
            schema = self._resolve(header)["schema"]
            if value is None or not self.validator(schema).is_valid(value):
                return f"the header {name} is {value!r}"
        content = response.get("content")
        if content is None or is_head:
            return "there is a body" if answer.body else None
        return self.misfit(content["application/json"]["schema"], answer)

    def misfit(self, schema, answer):
        """How a body differs from a schema, or None."""
        if answer.headers.get("content-type") != "application/json":
            return f"its type is {answer.headers.get('content-type')}"
        try:
            body = json.loads(answer.body)
        except ValueError as why:
            return f"it is no JSON: {why}"
        wrong = next(self.validator(schema).iter_errors(body), None)
        return wrong and f"{wrong.message} at {wrong.instance_path}"

    def fault(self, answer, nowhere=frozenset(NOWHERE)):
        """What is wrong with the answer to what nothing describes, or None."""
        if answer.status not in nowhere:
            return "nothing describes this request, and it was not refused"
        envelopes = [
            response["content"]["application/json"]["schema"]
            for response in self.document["components"]["responses"].values()
        ]
        return self.misfit({"anyOf": envelopes}, answer)

    def _resolve(self, value):
        if "$ref" not in value:
            return value
        found = self.document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return found


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Wire:
    """One connection, over which anything can be sent."""

    def __init__(self, address):
        self.address = address
        self._connection = http.client.HTTPConnection(address, timeout=60)

    def send(self, method, path, headers, body):
        """Sends a request; again if the server had closed the idle connection."""
        for is_last in (False, True):
            try:
                self._connection.request(method, path, body, headers)
                answer = self._connection.getresponse()
                return Answer(answer.status, answer.headers, answer.read())
            except (ConnectionError, http.client.BadStatusLine):
                self._connection.close()
                if is_last:
                    raise
        raise AssertionError("the last try returns or raises")

    def curl(self, method, path, headers, body):
        """The same request for a person to repeat."""
        words = ["curl", "-i", "-X", method, f"http://{self.address}{path}"]
        words += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
        if body is not None:
            shown = body if len(body) < 4000 else body[:4000] + b"..."
            words += ["--data-binary", shown.decode(errors="backslashreplace")]
        return shlex.join(words)


class Gone(Exception):
    """What was there is not any more."""


@dataclass
class Project:
    """A project in which there is something to find, and the tokens that work in it."""

    address: str
    id: str
    member: str
    admin: str
    cloud: str
    cloud_project: str
    friend: str
    things: dict = field(default_factory=dict)

    def call(self, method, path, body=None, token=None, status=(200, 202), root="v3"):
        """A request that must succeed."""
        headers = {"X-Auth-Token": token or self.member, "Content-Type": "application/json"}
        headers["OpenStack-API-Version"] = "volume 3.71"
        project = self.cloud_project if token == self.cloud else self.id
        sent = None if body is None else json.dumps(body).encode()
        if not hasattr(self, "_wire"):
            self._wire = Wire(self.address)
        answer = self._wire.send(method, f"/{root}/{project}/{path}", headers, sent)
        if answer.status == 404 and 404 not in status:
            raise Gone(f"{method} {path}: {answer.body}")
        assert answer.status in status, f"{method} {path}: {answer.status} {answer.body}"
        return json.loads(answer.body) if answer.body else None

    def refresh(self):
        """Makes sure that there is something of every kind, and that quotas leave room for more.

        A job of an earlier request may still take something away meanwhile: then from the start.
        """
        for _ in range(5):
            try:
                self._fill()
                return
            except Gone as gone:
                last = gone
        raise last

    def _fill(self):
        room = dict.fromkeys(["volumes", "snapshots", "backups", "backup_gigabytes"], -1)
        limits = {**room, "gigabytes": -1, "per_volume_gigabytes": 2}
        path = f"os-quota-sets/{self.id}"
        self.call("PUT", path, {"quota_set": limits}, token=self.cloud)
        volumes = self._at_least("volumes", 3, {"volume": {"size": 1}})
        sources = [{"volume_id": volume} for volume in volumes]
        self._at_least("snapshots", 2, *({"snapshot": source} for source in sources))
        self._at_least("backups", 3, *({"backup": source} for source in sources))
        self.things["projects"] = [self.id]
        self.things.update(FIXED)
        self._vendor()

    def _at_least(self, collection, count, *bodies):
        """Ids of what is available; makes more, of each body in turn, until there are enough.

        What is refused because its source is busy is asked for again.
        """
        query = f"{collection}/detail?status=available&limit=10&sort=created_at:desc"
        deadline = time.monotonic() + 120
        asked, missing = 0, None
        while True:
            found = self.call("GET", query)[collection]
            missing = count - len(found) if missing is None else missing
            if len(found) >= count:
                break
            assert time.monotonic() < deadline, f"waited 120 s for {count} {collection}"
            if asked < missing:
                made = self.call("POST", collection, bodies[asked % len(bodies)], status=(202, 400))
                asked += "badRequest" not in made
            time.sleep(0.02)
        self.things[collection] = [thing["id"] for thing in found]
        return self.things[collection]

    def _vendor(self):
        """Whatever the vendor's operations are about."""
        self._pairs()
        self._policies()
        self.things["records"] = self._records(self.things["backups"][0], 10)
        share = {"backup_id": self.things["backups"][0], "to_project_ids": [self.friend]}
        path = "os-vendor-backup-sharing"
        made = self.call("POST", path, {"shared": share}, root="v2")["shared"]
        self.things["shares"] = [one["id"] for one in made]
        backup = {"volume_id": self.things["volumes"][-1], "name": "by-job"}
        path = "cloudbackups"
        # Refused while another request's job works on this volume.
        job = self.call("POST", path, {"backup": backup}, root="v2", status=(200, 400, 404))
        started = [job["job_id"]] if "job_id" in job else []
        self.things["jobs"] = started + self.things.get("jobs", [])

    def _policies(self):
        """Two policies with a tag and no disks, of few enough that more can be made."""
        found = self.call("GET", "backuppolicy", root="v2")["backup_policies"]
        for policy in found[8:]:
            path = f"backuppolicy/{policy['backup_policy_id']}"
            self.call("DELETE", path, root="v2", status=(204,))
        schedule = {"start_time": "12:00", "frequency": 1, "rentention_num": 2, "status": "OFF"}
        body = {"backup_policy_name": "p", "scheduled_policy": schedule}
        body["tags"] = [{"key": "k", "value": "v"}]
        made = [self.call("POST", "backuppolicy", body, root="v2") for _ in range(2)]
        ids = [policy["backup_policy_id"] for policy in made + found[:2]]
        for policy in ids:
            tag = {"tag": {"key": "k", "value": "v"}}
            self.call("POST", f"backuppolicy/{policy}/tags", tag, root="v2", status=(204,))
        self.things["policies"] = ids

    def _records(self, backup, count):
        """A backup's exported record under ids that nothing has."""
        found = self.call("GET", f"backups/{backup}/export_record", token=self.admin)
        record = json.loads(base64.b64decode(found["backup-record"]["backup_url"]))
        records = [{**record, "id": str(uuid.uuid4())} for _ in range(count)]
        return [base64.b64encode(json.dumps(one).encode()).decode() for one in records]

    def _pairs(self):
        """One pair on everything that may have some, so that its key can be found."""
        for collection in ("volumes", "snapshots", "backups"):
            for thing in self.things[collection][:4]:
                self.call("POST", f"{collection}/{thing}/metadata", {"metadata": {"k": "v"}})
        for backup in self.things["backups"][:4]:
            self.call("POST", f"os-vendor-tags/backups/{backup}", {"tags": {"k": "v"}})


def leaves(value, path=()):
    """The places in a JSON value where there is a text."""
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
    if isinstance(value, list):
        return [leaf for at, item in enumerate(value) for leaf in leaves(item, (*path, at))]
    return [path] if isinstance(value, str) and path else []


def replaced(value, path, new):
    """The same JSON value with another one at a place."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


class Fuzzer:
    """Sends made-up requests to one project, and notes what should not have come back."""

    document = DOCUMENT
    kinds = KINDS
    nowhere = frozenset(NOWHERE)

    def __init__(self, project, stranger):
        self.contract = Contract(self.document)
        self.project = project
        self.stranger = stranger
        self.wire = Wire(project.address)
        self.statuses = Counter()
        self.succeeded = Counter()
        self.failures = []
        self.random = None
        self.token = None

    def run(self, operations, cases, variants):
        """Sends `variants` forms of each of `cases` requests for each of these operations."""
        for operation in self.contract.operations:
            if operation.label in operations:
                self.random = random.Random(operation.label)
                self._fuzz(operation, cases, variants)

    def _fuzz(self, operation, cases, variants):
        self.project.refresh()
        since_refresh = 0
        for case in made_up(operation, cases):
            for _ in range(variants):
                since_refresh += 1
                if since_refresh > (25 if operation.method != "get" else 500):
                    self.project.refresh()
                    since_refresh = 0
                self._send(operation, case)
        self._verb(operation)

    def _send(self, operation, case):
        method = operation.method.upper()
        self.token = self._any_token()
        is_head = method == "GET" and self._chance(0.03)
        path, headers = self._path(operation, case), self._headers(operation, case)
        body = self._body(case, path)
        if body is not None:
            kinds = ["application/json"] * 40 + ["text/plain", "application/xml", ""]
            headers["Content-Type"] = self.random.choice(kinds)
        self._judge(operation, "HEAD" if is_head else method, path, headers, body)

    def _verb(self, operation):
        """A verb that there is none of."""
        verb = self.random.choice(VERBS)
        path = operation.path.replace("{project_id}", self.project.id)
        path = re.sub("[{}]", "", path)
        self._judge(None, verb, path, {"X-Auth-Token": self.project.member}, None)

    def _judge(self, operation, method, path, headers, body):
        answer = self.wire.send(method, path, headers, body)
        self.statuses[answer.status] += 1
        is_head = method == "HEAD"
        if operation is None:
            why = self.contract.fault(answer, self.nowhere)
        else:
            why = self.contract.objection(operation, answer, is_head)
            if answer.status < 400:
                self.succeeded[operation.label] += 1
        is_import = operation is not None and operation.path.endswith("import_record")
        if answer.status >= 500 and not (answer.status == 503 and is_import):
            why = "it failed"
        if why:
            shown = answer.body[:2000].decode(errors="replace")
            curl = self.wire.curl(method, path, headers, body)
            name = operation.label if operation else "nothing"
            self.failures.append(f"{name}: {why}\n  {curl}\n  {answer.status} {shown}")

    def _path(self, operation, case):
        def fill(match):
            name = match.group(1)
            made_up = (case.path_parameters or {}).get(name, "x")
            if name == "project_id":
                return self._own_project()
            return self._id(name) or quote(str(made_up), safe="%")

        path = re.sub(r"\{(\w+)\}", fill, operation.path)
        # Made-up queries have nearly every parameter, and one bad value hides the others.
        pairs = [pair for pair in (case.query or {}).items() if self._chance(0.5)]
        query = {name: self._query(name, value) for name, value in pairs}
        if self._chance(0.05):
            query[self.random.choice(["limit", "sort", "name~", "x", "marker"])] = self._nasty()
        return f"{path}?{urlencode(query, errors='replace')}" if query else path

    def _any_token(self):
        project = self.project
        tokens = [project.member, project.admin, project.cloud, "none", None]
        return self.random.choices(tokens, [70, 20, 10, 1, 1])[0]

    def _own_project(self):
        if self.token == self.project.cloud:
            return self.project.cloud_project
        return self.project.id if self._chance(0.98) else self.stranger["project"]

    def _id(self, name):
        """Mostly the id of something that exists, for a path; None for a made-up one."""
        draw = self.random.random()
        kind = self.kinds.get(name)
        if draw < 0.75 and self.project.things.get(kind):
            return self.random.choice(self.project.things[kind])
        if draw < 0.82 and self.stranger["things"].get(kind):
            return self.random.choice(self.stranger["things"][kind])
        return quote(self._nasty() or "x", safe="") if draw < 0.9 else None

    def _query(self, name, value):
        kind = "backups" if name == "marker" else self.kinds.get(name)
        if self.project.things.get(kind) and self._chance(0.6):
            return self.random.choice(self.project.things[kind])
        return value if isinstance(value, str) else json.dumps(value)

    def _headers(self, operation, case):
        headers = {} if self.token is None else {"X-Auth-Token": self.token}
        if operation.path.startswith("/v3/"):
            version = self.random.choice(VERSIONS)
            if version:
                headers["OpenStack-API-Version"] = f"volume {version}"
            wish = str((case.headers or {}).get("OpenStack-API-Version", ""))
            if self._chance(0.1) and re.fullmatch(r"[ -~]+", wish):
                headers["OpenStack-API-Version"] = wish.strip()
        return headers

    def _body(self, case, path):
        if case.body is NOT_SET:
            return None
        if isinstance(case.body, bytes):
            return case.body
        body = self._with_ids(self._with_key(case.body, path))
        texts = leaves(body)
        if texts and self._chance(0.15):
            body = replaced(body, self.random.choice(texts), self._nasty())
        sent = json.dumps(body, default=str).encode()
        return sent[: self.random.randrange(len(sent) + 1)] if self._chance(0.02) else sent

    def _with_key(self, body, path):
        """Mostly under the key of the path, where a body has one pair."""
        for noun in ("meta", "tag"):
            pairs = body.get(noun) if isinstance(body, dict) else None
            is_pair = isinstance(pairs, dict) and len(pairs) == 1
            if is_pair and not path.endswith("/tags") and self._chance(0.8):
                key = unquote(path.rsplit("/", 1)[-1])
                return {**body, noun: {key: next(iter(pairs.values()))}}
        return body

    def _with_ids(self, value, name=None):
        if isinstance(value, dict):
            return {key: self._with_ids(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._with_ids(item, name) for item in value]
        things = self.project.things.get(self.kinds.get(name))
        if things and isinstance(value, str) and self._chance(0.8):
            return self.random.choice(things)
        return value

    def _nasty(self):
        return self.random.choice(NASTY)

    def _chance(self, probability):
        return self.random.random() < probability


def made_up(operation, count):
    """Requests for an operation: two thirds that fit the document, and a third that do not."""
    found = []
    for mode, share in ((GenerationMode.POSITIVE, 2), (GenerationMode.NEGATIVE, 1)):
        wanted = count * share // 3

        @hypothesis.seed(1)
        @hypothesis.settings(
            max_examples=wanted,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def note(case):
            found.append(case)

        try:
            note()
        except hypothesis.errors.Unsatisfiable:
            # Nothing can be sent to this operation that does not fit it.
            continue
    # Of an operation with few forms each comes several times.
    return [found[at % len(found)] for at in range(count)]


def fuzz(project, stranger, operations, cases, variants, fuzzer=Fuzzer):
    """What one process does. Gives the statuses, what succeeded, and the failures."""
    fuzzer = fuzzer(project, stranger)
    fuzzer.run(set(operations), cases, variants)
    return fuzzer.statuses, fuzzer.succeeded, fuzzer.failures
