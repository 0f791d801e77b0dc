"""The table of test_cbr_sdk_methods.py, and what several of its rows make.

A row is a function of the world that the test made: it is named after the one method of the SDK
that it is about.
"""

import uuid

METHODS = {}
WEEKLY = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=14;BYMINUTE=00"
SCHEDULE = {"properties": {"pattern": [WEEKLY]}}


def row(check):
    """Puts a row into the table."""
    METHODS[check.__name__] = check
    return check


def policy_of(sdk, name, **definition):
    wish = {"name": name, "operation_type": "backup", "enabled": True, "trigger": SCHEDULE}
    wish["operation_definition"] = definition or {"max_backups": 5}
    return sdk.create_policy(body={"policy": wish}).policy


def agent_of(sdk):
    wish = {"agent_id": str(uuid.uuid4()), "host_ip": "10.0.0.9", "host_name": "files-1"}
    wish |= {"host_os": "Linux", "agent_type": "native", "agent_version": "1.2.3"}
    return sdk.register_agent(body={"agent": wish}).agent


def rule_of(sdk, name):
    wish = {"name": name, "operation_type": "backup", "policy_name": f"of-{name}"}
    wish |= {"policy_enabled": False, "policy_trigger": SCHEDULE, "description": "for everyone"}
    wish["policy_operation_definition"] = {"max_backups": 3}
    return sdk.create_organization_policy(body={"policy": wish}).policy


def shared(world):
    """A backup of its own, shared with the friends."""
    vault = world.sdk.vault("shared", [world.sdk.disk("shared")])
    _, (backup,) = world.sdk.checkpoint(vault.id)
    body = {"members": [world.friend.project_id]}
    (member,) = world.sdk.add_member(backup_id=backup.id, body=body).members
    return backup, member
