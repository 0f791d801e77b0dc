"""The same for the CBR door: what there is to find in a project, and how its requests differ."""

import json
import time
import uuid
from dataclasses import dataclass, field

from fuzz import NOWHERE, Fuzzer, Project, Wire
from huawei import DISK, SERVER
from strongroom import ROOT

CBR = ROOT / "docs" / "api" / "cbr.openapi.json"
PATTERNS = [
    "FREQ=DAILY;INTERVAL=1;BYHOUR=3;BYMINUTE=00",
    "FREQ=WEEKLY;BYDAY=MO;BYHOUR=05;BYMINUTE=30",
]
# Where what a name in a path or a body means is taken from.
KINDS = {
    "vault_id": "vaults",
    "destination_vault_id": "vaults",
    "vault_ids": "vaults",
    "policy_id": "policies",
    "backup_policy_id": "policies",
    "add_policy_ids": "policies",
    "backup_id": "backups",
    "parent_id": "backups",
    "checkpoint_id": "checkpoints",
    "operation_log_id": "logs",
    "member_id": "projects",
    "members": "receivers",
    "dest_project_id": "projects",
    "source_project_id": "projects",
    "external_project_id": "projects",
    "destination_project_id": "projects",
    "project_id": "projects",
    "id": "disks",
    "volume_id": "disks",
    "resources": "disks",
    "resource_id": "disks",
    "resource_ids": "disks",
    "instance_id": "disks",
    "type": "types",
    "server_id": "servers",
    "agent_id": "agents",
    "organization_policy_id": "rules",
    "key": "keys",
    "protectable_type": "protectables",
    "feature_key": "features",
    "order_id": "orders",
    "resourceId": "vaults",
    "domain_name": "domains",
    "api_version": "versions",
    "pattern": "patterns",
    "timezone": "zones",
    "time_zone": "zones",
    "expect_expiration_date": "dates",
    "start_time": "times",
    "end_time": "times",
    "agent_version": "agent_versions",
    "add_path": "paths",
    "remove_path": "paths",
    "destination_region": "regions",
    "region_id": "regions",
}
# Where the same name means something else.
ELSEWHERE = {"/orders/": {"resource_id": "vaults"}, "/agent/check": {"resource_id": "servers"}}
# What is always there.
FIXED = {
    "keys": ["k"],
    "types": [DISK] * 3 + [SERVER],
    "protectables": ["disk", "server"],
    "features": ["replication.enable", "replication.source_region"],
    "orders": ["CS0000000000000001"],
    "domains": ["Default"],
    "versions": ["v3", "cbr"],
    "patterns": PATTERNS,
    "zones": ["UTC+08:00", "UTC-03:30"],
    "dates": ["2199-12-31"],
    "times": ["2020-01-01T00:00:00Z", "2199-01-01T00:00:00Z"],
    "agent_versions": ["1.2.3"],
    "paths": ["/srv", "C:\\data"],
    "regions": ["RegionOne", "nowhere"],
}
TERMS = {"consistent_level": "crash_consistent", "object_type": "disk", "protect_type": "backup"}
PREPAID = {"charging_mode": "pre_paid", "period_type": "month", "period_num": 1}
SPEC = "vault.backup.volume.normal"
RULE = {"name": "r", "operation_type": "backup", "policy_name": "p", "policy_enabled": False}
RULE |= {"policy_operation_definition": {"max_backups": 3}}
RULE["policy_trigger"] = {"properties": {"pattern": ["x"]}}
# Bodies that hardly anyone makes up: they are sent now and then, with the ids of what there is.
PLAUSIBLE = {
    "/vaults": {"vault": {"name": "v", "billing": {**TERMS, "size": 100}, "resources": []}},
    "/vaults/order": {"vault": {"name": "v", "billing": {**TERMS, **PREPAID, "size": 100}}},
    "/vaults/batch-update": {"vault": {"threshold": 80, "smn_notify": True}},
    "/vaults/{vault_id}/dissociatepolicy": {"policy_id": "x"},
    "/vault/{vault_id}/tags/action": {"action": "create", "tags": [{"key": "k", "value": "v"}]},
    "/backups/{backup_id}/members": {"members": ["x"]},
    "/backups/{backup_id}/members/{member_id}": {"status": "rejected"},
    "/backups/{backup_id}/restore": {"restore": {"volume_id": "x"}},
    "/organization-policies": {"policy": RULE},
    "/orders/change": {
        "resource_id": "x",
        "product_info": {
            "product_id": "p",
            "resource_size": 200,
            "resource_size_measure_id": 17,
            "resource_spec_code": SPEC,
        },
    },
    "/orders/{order_id}": {
        "resourceId": "x",
        "productInfo": {
            "productId": "p",
            "resourceSize": 200,
            "resourceSizeMeasureId": 17,
            "resourceSpecCode": SPEC,
        },
    },
}
PLAUSIBLE["/vaults/order"]["vault"]["resources"] = []
# There is neither another region nor another site here.
IMPOSSIBLE = {"/backups/{backup_id}/replicate", "/checkpoints/replicate"}
IMPOSSIBLE |= {"/backups/sync", "/checkpoints/sync"}
# The backup and the project in its path must both be those of one offer, which chance may miss;
# test_cbr_sdk.py takes and declines offers.
SELDOM = {"PUT /v3/{project_id}/backups/{backup_id}/members/{member_id}"}
TOKENS = ("id", "member", "admin", "cloud", "cloud_project")


@dataclass
class CbrProject:
    """A project with vaults, and the tokens that work in it."""

    volumes: Project
    address: str
    servers: list
    things: dict = field(default_factory=dict)

    def __getattr__(self, name):
        if name not in TOKENS:
            raise AttributeError(name)
        return getattr(self.volumes, name)

    def call(self, method, path, body=None, token=None, status=(200,)):
        """A request that must get one of these statuses."""
        token = token or self.member
        project = self.cloud_project if token == self.cloud else self.id
        headers = {"X-Auth-Token": token, "Content-Type": "application/json"}
        if not hasattr(self, "_wire"):
            self._wire = Wire(self.address)
        sent = None if body is None else json.dumps(body).encode()
        answer = self._wire.send(method, f"/v3/{project}/{path}", headers, sent)
        assert answer.status in status, f"{method} {path}: {answer.status} {answer.body}"
        return json.loads(answer.body) if answer.body else None

    def refresh(self):
        """Makes sure that there is something of every kind, and not too much of any."""
        self.things.update(FIXED, servers=self.servers)
        self.things["projects"] = [self.id] * 3 + [self.cloud_project]
        self._rules()
        self._policies()
        vaults = self._vaults()
        backups = self._backups(vaults)
        self.things["vaults"] = [vault["id"] for vault in vaults]
        self.things["checkpoints"] = [backup["checkpoint_id"] for backup in backups]
        self.things["backups"] = [backup["id"] for backup in backups] + self._received() * 6
        logs = self.call("GET", "operation-logs?limit=10")["operation_logs"]
        self.things["logs"] = [log["id"] for log in logs]
        self.things["agents"] = [self._agent() for _ in range(2)]
        for vault in vaults[:3]:
            tag = {"tag": {"key": "k", "value": "v"}}
            self.call("POST", f"vault/{vault['id']}/tags", tag, status=(204, 400, 404))
            body = {"policy_id": self.things["policies"][0]}
            path = f"vaults/{vault['id']}/associatepolicy"
            self.call("POST", path, body, status=(200, 400, 404))
        for backup in backups:
            # Refused if it is shared already, or being deleted.
            body = {"members": [self.cloud_project]}
            self.call("POST", f"backups/{backup['id']}/members", body, status=(200, 400, 404))

    def _vaults(self):
        """Vaults of disks that have room, each with a disk of its own; and few others."""
        found = self.call("GET", "vaults?status=available&protect_type=backup")["vaults"]
        usable = [
            vault
            for vault in found
            if vault["billing"]["object_type"] == "disk" and not vault["locked"]
        ]
        for vault in found[20:]:
            if vault not in usable[:6]:
                self.call("DELETE", f"vaults/{vault['id']}", status=(204, 400, 404))
        while len(usable) < 4:
            usable.append(self._vault({"object_type": "disk"}, []))
        usable = usable[:6]
        self.things["disks"] = []
        for vault in usable:
            if not vault["resources"]:
                path = f"vaults/{vault['id']}/addresources"
                body = {"resources": [{"id": self._disk(), "type": DISK}]}
                self.call("POST", path, body, status=(200, 400, 404))
                self.things["disks"].append(body["resources"][0]["id"])
            self.things["disks"] += [held["id"] for held in vault["resources"][:2]]
        # One that is in no vault yet.
        self.things["disks"] += [self._disk()] * 2
        return usable

    def _vault(self, billing, resources):
        terms = {"consistent_level": "crash_consistent", "protect_type": "backup", "size": 100}
        wish = {"name": "fuzzed", "billing": terms | billing, "resources": resources}
        return self.call("POST", "vaults", {"vault": wish})["vault"]

    def _disk(self):
        """A new disk."""
        made = self.volumes.call("POST", "volumes", {"volume": {"size": 1}})["volume"]["id"]
        self._settle(
            lambda: self.volumes.call("GET", f"volumes/{made}")["volume"]["status"] == "available"
        )
        return made

    def _backups(self, vaults):
        """Backups at rest; new checkpoints until there are enough."""
        found = []

        def enough():
            query = "backups?status=available&limit=6&resource_type=OS::Cinder::Volume"
            found[:] = self.call("GET", query)["backups"]
            return len(found) >= 3

        if not enough():
            for vault in vaults:
                body = {"checkpoint": {"vault_id": vault["id"], "parameters": {}}}
                self.call("POST", "checkpoints", body, status=(200, 400, 404))
            self._settle(enough)
        return found

    def _received(self):
        """A backup that another project shares with this one."""
        query = "backups?status=available&limit=1&sort=created_at:asc"
        theirs = self.call("GET", query, token=self.cloud)["backups"]
        for backup in theirs:
            body = {"members": [self.id]}
            path = f"backups/{backup['id']}/members"
            self.call("POST", path, body, token=self.cloud, status=(200, 400, 404))
        return [backup["id"] for backup in theirs]

    def _policies(self):
        """Two policies that are off, of few enough that more can be made."""
        found = self.call("GET", "policies")["policies"]
        # Those of the domain go with it.
        found = [policy for policy in found if policy["policy_type"] == "custom_policy"]
        for policy in found[8:]:
            self.call("DELETE", f"policies/{policy['id']}", status=(204, 404))
        wish = {"name": "p", "operation_type": "backup", "enabled": False}
        wish |= {"trigger": {"properties": {"pattern": PATTERNS}}, "operation_definition": {}}
        made = [self.call("POST", "policies", {"policy": wish})["policy"] for _ in range(2)]
        self.things["policies"] = [policy["id"] for policy in made]

    def _rules(self):
        """One policy for the whole domain, of few."""
        query = "organization-policies?operation_type=backup"
        for kind in ("backup", "replication"):
            path = f"organization-policies?operation_type={kind}"
            for rule in self.call("GET", path, token=self.cloud)["policies"][2:]:
                path_of_one = f"organization-policies/{rule['id']}"
                self.call("DELETE", path_of_one, token=self.cloud, status=(204, 404))
        rules = self.call("GET", query, token=self.cloud)["policies"]
        if not rules:
            wish = {"name": "r", "operation_type": "backup", "policy_name": "p"}
            wish |= {"policy_enabled": False, "policy_operation_definition": {}}
            wish["policy_trigger"] = {"properties": {"pattern": PATTERNS[:1]}}
            body = {"policy": wish}
            made = self.call("POST", "organization-policies", body, token=self.cloud)
            rules = [made["policy"]]
        self.things["rules"] = [rule["id"] for rule in rules]

    def _agent(self):
        """An agent with a path, under an id that it chooses."""
        wish = {"agent_id": str(uuid.uuid4()), "host_ip": "10.0.0.9", "host_name": "files"}
        wish |= {"host_os": "Linux", "agent_type": "native", "agent_version": "1.2.3"}
        agent = self.call("POST", "agents", {"agent": wish})["agent"]["agent_id"]
        self.call("POST", f"agents/{agent}/add-path", {"add_path": ["/srv"]})
        return agent

    @staticmethod
    def _settle(probe):
        deadline = time.monotonic() + 120
        while not probe():
            assert time.monotonic() < deadline, "waited 120 s"
            time.sleep(0.02)


class CbrFuzzer(Fuzzer):
    """Speaks with the CBR door."""

    document = CBR
    kinds = KINDS
    nowhere = frozenset(NOWHERE | {405})

    def __init__(self, project, stranger):
        super().__init__(project, stranger)
        project.things["receivers"] = [stranger["project"]]
        self.plausible = None

    def _fuzz(self, operation, cases, variants):
        tail = operation.path.removeprefix("/v3/{project_id}")
        self.plausible = PLAUSIBLE.get(tail) if operation.method != "get" else None
        changed = [kinds for part, kinds in ELSEWHERE.items() if part in operation.path]
        self.kinds = KINDS | (changed[0] if changed else {})
        super()._fuzz(operation, cases, variants)

    def _body(self, case, path):
        if self.plausible is not None and self._chance(0.35):
            return json.dumps(self._with_ids(self.plausible)).encode()
        return super()._body(case, path)

    def _headers(self, operation, case):
        headers = {} if self.token is None else {"X-Auth-Token": self.token}
        if self._chance(0.05):
            language = self.random.choice(["X-Language", "X-Project-Id", "X-Domain-Id"])
            headers[language] = self.random.choice([self.project.id, "en-us", "zh-cn"])
        return headers


def is_possible(label):
    """Whether an operation can be expected to succeed by chance where there is one region."""
    return label not in SELDOM and not any(label.endswith(path) for path in IMPOSSIBLE)
