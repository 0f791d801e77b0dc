"""The openstack command for tests that type it often: one process for each user, not for each line.

Loading the command takes longer than most of what it does. Here a process of its own loads it once
and then runs line after line; it keeps what it has learned of its user, so that there is one
process for each.
"""

import json
import subprocess
import sys

# Run by python with the lines on its standard input, each a JSON list of arguments.
LOOP = """
import contextlib, io, json, sys
from openstackclient.shell import OpenStackShell
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = OpenStackShell().run(json.loads(line))
        except SystemExit as ended:
            code = ended.code
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


class Shell:
    """A user of the openstack command. Everything else is the user's of whom this is a shell."""

    def __init__(self, cloud):
        self.cloud = cloud
        self._process = None

    def __getattr__(self, name):
        return getattr(self.cloud, name)

    def openstack(self, *args, expect=0):
        """Runs the command; gives what it printed, of a failure on both channels."""
        process = self._started()
        process.stdin.write(json.dumps(["--os-cloud", self.name, *map(str, args)]) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        assert line, f"openstack {args}: the shell is gone"
        code, out, err = json.loads(line)
        assert code == expect, f"openstack {' '.join(args)}\n{code}, not {expect}\n{out}{err}"
        return out if expect == 0 else out + err

    def openstack_json(self, *args):
        """Runs the command and reads its JSON."""
        return json.loads(self.openstack(*args, "-f", "json"))

    def end(self):
        """Ends the process."""
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait(timeout=30)
            self._process.stdout.close()

    def _started(self):
        if self._process is None:
            env = {**self._environment(), "OS_CLIENT_CONFIG_FILE": str(self.clouds)}
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                [sys.executable, "-c", LOOP], stdin=pipe, stdout=pipe, text=True, env=env
            )
        return self._process
