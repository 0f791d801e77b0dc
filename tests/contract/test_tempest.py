"""OpenStack's own suite, tempest and Cinder's plugin for it, unmodified, against the binary.

It runs twice, each time a fixed list of modules. First tempest makes a project and users of its own
for every class. Then it gets accounts that were made before, in the project of the administrator:
the role of an administrator of tempest's making would end with a project of tempest's making.

What is known not to pass is named with its reason, and so is what tempest skips by itself: a test
that begins to be skipped is a failure here.
"""

import os
import re
import subprocess
from dataclasses import dataclass, field

import pytest
import yaml

from strongroom import client, run

VOLUME = r"tempest\.api\.volume\."
PLUGIN = r"cinder_tempest_plugin\.api\.volume\."
IDENTITY = r"tempest\.api\.identity\.v3\."

WITH_ACCOUNTS_OF_ITS_OWN = [
    VOLUME + r"test_availability_zone\.",
    VOLUME + r"test_extensions\.",
    VOLUME + r"test_snapshot_metadata\.",
    VOLUME + r"test_versions\.",
    VOLUME + r"test_volume_absolute_limits\.",
    VOLUME + r"test_volume_delete_cascade\.",
    VOLUME + r"test_volume_metadata\.",
    VOLUME + r"test_volumes_backup\.VolumesBackupsV39Test\.",
    VOLUME + r"test_volumes_clone(_negative)?\.",
    VOLUME + r"test_volumes_extend\.VolumesExtendTest\.",
    VOLUME + r"test_volumes_list\.",
    VOLUME + r"test_volumes_snapshots_(list|negative)\.",
    PLUGIN + r"test_multiple_volume_from_resource\.",
    PLUGIN + r"test_volume_(backup|dependency|unicode)\.",
    IDENTITY + r"test_(api_discovery|catalog|projects|tokens|users)\.",
]

WITH_ACCOUNTS_MADE_BEFORE = [
    VOLUME + r"test_volumes_actions\.",
    VOLUME + r"test_volumes_backup\.VolumesBackupsTest\.",
    VOLUME + r"test_volumes_(get|negative)\.",
    VOLUME + r"test_volumes_snapshots\.",
    VOLUME + r"admin\.test_snapshots_actions\.",
    VOLUME + r"admin\.test_volumes_(actions|backup|list)\.",
    VOLUME + r"admin\.test_volume_(quotas|quotas_negative|snapshot_quotas_negative)\.",
    VOLUME + r"admin\.test_volume_quota_classes\.",
]

# What is not run, and why it would fail.
LEFT_OUT = {
    r"[\[,]image[\],]": "makes an image",
    r"VolumesExtendTest\.test_volume_extend\[": "starts from an image",
    r"test_volume_backup\.VolumesBackupsTest\.test_incremental_backup\[": "starts from an image",
    r"VolumesActionsTest\.test_volume_readonly_update": "no volume is read-only here",
    r"VolumesSummaryTest": "volumes/summary is not served",
    r"test_catalog_standardization\[": "wants every service of OpenStack",
    r"test_create_volume_with_nonexistent_volume_type": "any volume type is taken for the only one",
    r"test_get_volume_without_passing_volume_id": "volumes/ with a slash is the list",
    r"SnapshotsActionsTest\.test_update_snapshot_status": "no driver reports progress",
    r"VolumeQuotaClassesTest\.test_update_default_quota": "makes a volume type",
    r"test_quota_usage_after_volume_transfer": "volumes change no hands",
    r"test_volume_list_param_tenant": "wants the administrator in another project",
}

CONFIGURATION = """
[DEFAULT]
log_dir = {home}/workspace/logs
log_file = tempest.log
[oslo_concurrency]
lock_path = {home}/workspace/tempest_lock
[auth]
{accounts}
create_isolated_networks = false
[identity]
uri_v3 = {identity_url}
auth_version = v3
[identity-feature-enabled]
api_v2 = false
[service_available]
cinder = true
nova = false
swift = false
neutron = {pretends}
glance = {pretends}
[enforce_scope]
# Wherever a test only reads, a user who may only read does it.
cinder = true
[volume]
build_interval = 0
min_microversion = 3.0
max_microversion = latest
[volume-feature-enabled]
api_extensions = backups
[compute]
# What counts where the section of volumes says zero.
build_interval = 0
"""

LINE = re.compile(r"^\{\d+\} (.+?)(?: \[[\d.]+s\])? \.\.\. (ok|SKIPPED|FAILED)(?:: (.*))?$", re.M)


# What tempest skips by itself, and why.
NO_SERVERS = "Skipped because the compute service is not available"
SKIPPED_WITH_ACCOUNTS_OF_ITS_OWN = {
    "setUpClass (identity.v3.test_users.IdentityV3UsersTest)": "Security compliance not available.",
    "setUpClass (volume.test_multiple_volume_from_resource.CreateVolumesFromImageTest)": (
        "Glance service is disabled"
    ),
}
SKIPPED_WITH_ACCOUNTS_MADE_BEFORE = dict.fromkeys(
    [
        "volume.admin.test_volumes_actions.VolumesActionsTest.test_force_detach_volume",
        "volume.test_volumes_actions.VolumesActionsTest.test_attach_detach_volume_to_instance",
        "volume.test_volumes_actions.VolumesActionsTest.test_get_volume_attachment",
        "volume.test_volumes_backup.VolumesBackupsTest.test_backup_create_attached_volume",
        "volume.test_volumes_backup.VolumesBackupsTest.test_volume_backup_incremental",
        "volume.test_volumes_negative.VolumesNegativeTest"
        ".test_attach_volumes_with_nonexistent_volume_id",
        "volume.test_volumes_snapshots.VolumesSnapshotTestJSON"
        ".test_snapshot_create_delete_with_volume_in_use",
        "volume.test_volumes_snapshots.VolumesSnapshotTestJSON"
        ".test_snapshot_create_offline_delete_online",
    ],
    NO_SERVERS,
)


@dataclass
class Outcome:
    """What became of the tests, by their names; and what tempest said of those that failed."""

    said: str
    passed: set = field(default_factory=set)
    skipped: dict = field(default_factory=dict)
    failed: set = field(default_factory=set)


def run_tempest(home, modules, **settings):
    """Runs the tests of some modules one after the other, in a workspace of their own."""
    # It starts programs by their names, as in an environment that was activated.
    path = f"{client('tempest').parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "HOME": str(home), "PATH": path}
    workspace = home / "workspace"
    run([client("tempest"), "init", workspace], env=env)
    (workspace / "etc" / "tempest.conf").write_text(CONFIGURATION.format(home=home, **settings))
    included, excluded = home / "included", home / "excluded"
    included.write_text("".join(f"^{module}\n" for module in modules))
    excluded.write_text("".join(f"{test}\n" for test in LEFT_OUT))
    lists = ["--include-list", included, "--exclude-list", excluded]
    done = subprocess.run(
        [client("tempest"), "run", "--serial", *lists],
        cwd=workspace,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    outcome = Outcome(done.stdout[-20_000:] + done.stderr[-5_000:])
    for name, verdict, reason in LINE.findall(done.stdout):
        short = re.sub(r"(cinder_)?tempest(_plugin)?\.api\.", "", name)
        if verdict == "ok":
            outcome.passed.add(short)
        elif verdict == "SKIPPED":
            outcome.skipped[short] = reason
        else:
            outcome.failed.add(short)
    assert not outcome.failed, f"{sorted(outcome.failed)}\n{outcome.said}"
    assert done.returncode == 0, outcome.said
    return outcome


@pytest.fixture(scope="module")
def accounts(tmp_path_factory, server, http):
    """The administrator, and a member and a reader of its project, as a file of tempest's."""
    identity = http.identity_url
    roles = http.ok("GET", f"{identity}/roles", version=None)["roles"]
    roles = {role["name"]: role["id"] for role in roles}
    place = {
        "project_name": server.admin.auth["project_name"],
        "project_domain_name": "Default",
        "user_domain_name": "Default",
    }
    known = {name: server.admin.auth[name] for name in ("username", "password")}
    accounts = [{**place, **known, "roles": ["admin"]}]
    for role in ("member", "reader"):
        user = {"name": f"tempest-{role}", "password": f"the {role}'s secret"}
        made = http.ok("POST", f"{identity}/users", json={"user": user}, version=None)["user"]
        grant = f"projects/{http.project_id}/users/{made['id']}/roles/{roles[role]}"
        http.ok("PUT", f"{identity}/{grant}", version=None)
        known = {"username": user["name"], "password": user["password"]}
        accounts.append({**place, **known, "roles": [role]})
    path = tmp_path_factory.mktemp("accounts") / "accounts.yaml"
    path.write_text(yaml.safe_dump(accounts))
    return path


def test_with_accounts_of_its_own(tmp_path, server, http):
    auth = server.admin.auth
    made = f"""
admin_username = {auth["username"]}
admin_password = {auth["password"]}
admin_project_name = {auth["project_name"]}
admin_domain_name = Default"""
    outcome = run_tempest(
        tmp_path,
        WITH_ACCOUNTS_OF_ITS_OWN,
        identity_url=http.identity_url,
        accounts=made,
        pretends="false",
    )
    assert outcome.skipped == SKIPPED_WITH_ACCOUNTS_OF_ITS_OWN
    assert len(outcome.passed) >= 73, sorted(outcome.passed)


def test_with_accounts_made_before(tmp_path, accounts, http):
    # There is neither a network nor an image service. But whole classes are skipped without the
    # one or fail to begin without the other, although only some of their tests speak to it, and
    # those are skipped for want of servers, or left out.
    outcome = run_tempest(
        tmp_path,
        WITH_ACCOUNTS_MADE_BEFORE,
        identity_url=http.identity_url,
        accounts=f"use_dynamic_credentials = false\ntest_accounts_file = {accounts}",
        pretends="true",
    )
    assert outcome.skipped == SKIPPED_WITH_ACCOUNTS_MADE_BEFORE
    assert len(outcome.passed) >= 60, sorted(outcome.passed)
