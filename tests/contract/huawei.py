"""The vendor's own Python SDK, unmodified, and what holds its answers against its own types.

`Sdk` is one user of it in one project. A request is given as plain data, made into the SDK's
types, sent by the SDK's method and decoded by the SDK; every value that came back must be of the
type that the SDK declares for it, for the SDK itself lets a wrong one pass.
"""

import importlib
import re
from datetime import date, datetime

from huaweicloudsdkcbr.v1 import CbrClient
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.client import ClientBuilder
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from strongroom import binary, run, wait_for

MODEL = importlib.import_module("huaweicloudsdkcbr.v1.model")
PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float)}
PLAIN |= {"datetime": datetime, "date": date, "object": object}
SERVER, DISK = "OS::Nova::Server", "OS::Cinder::Volume"


def typed(kind, value):
    """Plain data as the SDK's type of that name; a key that the SDK does not know is an error."""
    inner = re.fullmatch(r"list\[(\w+)\]", kind)
    if inner and value is not None:
        return [typed(inner.group(1), item) for item in value]
    shape = getattr(MODEL, kind, None)
    if shape is None or not isinstance(value, dict):
        return value
    names = {wire: name for name, wire in shape.attribute_map.items()}
    return shape(
        **{names[key]: typed(shape.openapi_types[names[key]], item) for key, item in value.items()}
    )


def misfits(kind, value, at="answer"):
    """The places in a decoded answer whose value is not of the declared type. Null fits all."""
    inner = re.fullmatch(r"list\[(\w+)\]|dict\(str, (\w+)\)", kind)
    if value is None:
        return []
    if inner:
        is_list = kind.startswith("list")
        if not isinstance(value, list if is_list else dict):
            return [f"{at}: {value!r} is no {kind}"]
        items = enumerate(value) if is_list else value.items()
        item_kind = inner.group(1) or inner.group(2)
        return [bad for key, item in items for bad in misfits(item_kind, item, f"{at}[{key!r}]")]
    if kind in PLAIN:
        is_number = isinstance(value, bool) and kind in ("int", "float")
        fits = isinstance(value, PLAIN[kind]) and not is_number
        return [] if fits else [f"{at}: {value!r} is no {kind}"]
    shape = getattr(MODEL, kind)
    if not isinstance(value, shape):
        return [f"{at}: {value!r} is no {kind}"]
    return [
        bad
        for name, inner_kind in shape.openapi_types.items()
        for bad in misfits(inner_kind, getattr(value, name), f"{at}.{name}")
    ]


def word(method):
    """What the SDK's types of a method are called."""
    return "".join(part.title() for part in method.split("_"))


def exports(openrc):
    """What a user's openrc exports."""
    pairs = re.findall(r"^export (\w+)=(.*)$", openrc.read_text(), re.MULTILINE)
    return {name: value.strip("'\"") for name, value in pairs}


def origin(url):
    """An address without its path."""
    return "/".join(url.split("/")[:3])


class Sdk:
    """One user of the SDK in one project: `sdk.show_vault(vault_id=…)` and so on."""

    def __init__(self, cloud, credentials=None):
        self.cloud = cloud
        self.http = cloud.http
        self.endpoint = origin(cloud.http.urls["cbr"])
        self.identity = origin(cloud.http.identity_url)
        self.project_id = cloud.http.project_id
        self.client = self.built(credentials or BasicCredentials(*keys(cloud), self.project_id))

    def built(self, credentials):
        """A client that asks nobody for its address."""
        # `CbrClient.new_builder()` knows keys of a project only.
        builder = ClientBuilder(CbrClient, type(credentials).__name__)
        return builder.with_credentials(credentials).with_endpoint(self.endpoint).build()

    def __getattr__(self, method):
        return lambda **fields: self.call(method, **fields)

    def call(self, method, client=None, **fields):
        """Calls a method of the SDK and gives its decoded answer."""
        request = typed(f"{word(method)}Request", fields)
        answer = getattr(client or self.client, method)(request)
        bad = misfits(f"{word(method)}Response", answer)
        assert not bad, f"{method}: {bad}"
        return answer

    def refused(self, method, client=None, **fields):
        """Calls a method that must be refused; gives the status and the code."""
        request = typed(f"{word(method)}Request", fields)
        try:
            answer = getattr(client or self.client, method)(request)
        except ClientRequestException as refusal:
            assert refusal.error_msg, refusal
            assert refusal.request_id, refusal
            return refusal.status_code, refusal.error_code
        raise AssertionError(f"{method} was not refused: {answer}")

    def vault(self, name="vault", resources=(), **more):
        """Makes a vault; `size`, `object_type` and so on go to its billing."""
        billing = {"consistent_level": "crash_consistent", "object_type": "disk"}
        billing |= {"protect_type": "backup", "size": 100}
        billing |= {key: more.pop(key) for key in list(more) if key in BILLING}
        wish = {"name": name, "billing": billing, "resources": list(resources), **more}
        return self.create_vault(body={"vault": wish}).vault

    def checkpoint(self, vault_id, **parameters):
        """Backs a vault up, and waits as Terraform does; gives the checkpoint and its backups."""
        wish = {"vault_id": vault_id, "parameters": parameters}
        made = self.create_checkpoint(body={"checkpoint": wish}).checkpoint

        def ended():
            now = self.show_checkpoint(checkpoint_id=made.id).checkpoint
            assert now.status in ("protecting", "available"), now
            return now if now.status == "available" else None

        done = wait_for(f"checkpoint {made.id}", ended, timeout=120)
        assert done.vault.resources
        assert {it.protect_status for it in done.vault.resources} == {"available"}
        return done, self.list_backups(checkpoint_id=made.id).backups

    def restored(self, backup_id, **restore):
        """Restores, and polls the operation log whose id the answer gives, as Terraform does."""
        path = f"{self.endpoint}/v3/{self.project_id}/backups/{backup_id}/restore"
        answer = self.http("POST", path, version=None, json={"restore": restore})
        assert answer.status_code == 202, answer.text
        return self.finished(answer.json()["job_id"])

    def finished(self, log_id, status="success"):
        """Waits for the end of an operation."""

        def ended():
            log = self.show_op_log(operation_log_id=log_id).operation_log
            return None if log.status in ("waiting", "running") else log

        log = wait_for(f"operation {log_id}", ended, timeout=120)
        assert log.status == status, log
        return log

    def gone(self, method, code, **fields):
        """Waits until something answers 404, and never anything but it or itself."""

        def is_gone():
            try:
                self.call(method, **fields)
            except ClientRequestException as refusal:
                assert (refusal.status_code, refusal.error_code) == (404, code), refusal
                return True
            return False

        wait_for(f"{method} {fields} to answer 404", is_gone)

    def disk(self, name="disk", size=1):
        """Makes a disk, and gives it as a vault's resource."""
        made = self.http.create_volume(size, name=name)
        return {"id": made["id"], "type": DISK, "name": name}


BILLING = set(MODEL.BillingCreate.attribute_map)


def keys(cloud):
    """The first user's permanent keys, from its openrc, or new ones of another user."""
    if cloud.openrc is not None:
        found = exports(cloud.openrc)
        return found["OS_ACCESS_KEY"], found["OS_SECRET_KEY"]
    wish = {"credential": {"user_id": cloud.http.user_id, "description": "of the tests"}}
    url = f"{origin(cloud.http.identity_url)}/v3.0/OS-CREDENTIAL/credentials"
    made = cloud.http.ok("POST", url, version=None, json=wish)["credential"]
    return made["access"], made["secret"]


def add_server(server, name, disks, *options):
    """Puts a server into the inventory, and gives it as a vault's resource."""
    command = [binary(), "server", "add", "--data", server.data, "--json", "--name", name]
    for disk in disks:
        command += ["--disk", disk]
    shown = run([*command, *options])
    return {"id": re.search(r'"id":\s*"([^"]+)"', shown).group(1), "type": SERVER, "name": name}


def stranger(admin, name):
    """A user in another project, where it is a member."""
    http, identity = admin.http, admin.http.identity_url
    wish = {"project": {"name": name}}
    project = http.ok("POST", f"{identity}/projects", version=None, json=wish)["project"]["id"]
    wish = {"user": {"name": f"user-{name}", "password": "for the tests"}}
    user = http.ok("POST", f"{identity}/users", version=None, json=wish)["user"]["id"]
    roles = http.ok("GET", f"{identity}/roles?name=member", version=None)["roles"]
    (role,) = [it["id"] for it in roles if it["name"] == "member"]
    http.ok("PUT", f"{identity}/projects/{project}/users/{user}/roles/{role}", version=None)
    return admin.other_user(f"user-{name}", "for the tests", name)
