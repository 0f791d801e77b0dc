"""Every method of the vendor's SDK, once each, with a useful request and its answer decoded.

The rows are in sdk_vault_rows.py and sdk_backup_rows.py. A method that the SDK has and the table
has not is a failure, and so is the reverse. Longer stories are in test_cbr_sdk.py.
"""

from types import SimpleNamespace

import pytest
from huaweicloudsdkcbr.v1 import CbrClient
from huaweicloudsdkcore.auth.credentials import GlobalCredentials

from huawei import Sdk, add_server, keys, stranger

pytest.register_assert_rewrite("sdk_rows", "sdk_vault_rows", "sdk_backup_rows")

import sdk_backup_rows  # noqa: E402, F401
import sdk_vault_rows  # noqa: E402, F401
from sdk_rows import METHODS, policy_of  # noqa: E402


@pytest.fixture(scope="module")
def world(admin, server):
    """Something of every kind, to be looked at and not to be changed."""
    sdk = Sdk(admin)
    disks = [sdk.disk(f"disk-{number}") for number in range(4)]
    host = add_server(server, "web-1", [disks[2]["id"], disks[3]["id"]], "--network", "10.0.0.7")
    policy = policy_of(sdk, "nightly")
    vault = sdk.vault("disks", disks[:1], tags=[{"key": "env", "value": "prod"}])
    sdk.associate_vault_policy(vault_id=vault.id, body={"policy_id": policy.id})
    hosts = sdk.vault("hosts", [host], object_type="server")
    _, (backup,) = sdk.checkpoint(vault.id, name="of-a-disk")
    checkpoint, (host_backup,) = sdk.checkpoint(hosts.id, name="of-a-server")
    return SimpleNamespace(
        sdk=sdk,
        friend=Sdk(stranger(admin, "friends")),
        whole=Sdk(admin, GlobalCredentials(*keys(admin), admin_domain(sdk))),
        disk=disks[0],
        spare=disks[1],
        host=host,
        policy=policy,
        vault=vault,
        hosts=hosts,
        backup=backup,
        checkpoint=checkpoint,
        host_backup=host_backup,
        region=admin.http.ok("GET", f"{sdk.identity}/v3/auth/catalog", version=None)["catalog"][0][
            "endpoints"
        ][0]["region"],
    )


def admin_domain(sdk):
    return sdk.http.ok("GET", f"{sdk.identity}/v3/auth/domains", version=None)["domains"][0]["id"]


def test_the_table_has_every_method():
    every = {
        name
        for name, value in vars(CbrClient).items()
        if callable(value) and not name.startswith("_") and not name.endswith("_invoker")
    }
    assert every - {"new_builder", "call_api"} == set(METHODS)
    assert len(METHODS) == 74


@pytest.mark.parametrize("method", METHODS)
def test_a_method(method, world):
    METHODS[method](world)
