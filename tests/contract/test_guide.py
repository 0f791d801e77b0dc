"""The pages of docs/guide, run as they are written.

The shell that runs a page starts its servers too, from the blocks marked `start`. What the tests
add is little: every port is replaced by a free one, wherever the page names it, and the shell goes
on when the server has printed `ready`, as a reader would.
"""

import contextlib
import os
import random
import re
import shlex
import signal
import socket
import subprocess

import pytest

from strongroom import ROOT, binary, client

PAGES = sorted((ROOT / "docs" / "guide").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)( \w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)")
MARK = "--- end of a block ---"
# Where `up` listens unless it is told otherwise.
DEFAULTS = {"identity": "5000", "volume": "8776", "cbr": "8799", "compute": "8774"}
# Below the ports that clients get for their connections.
FREE_PORTS = range(20000, 32000)


def test_there_are_pages():
    assert PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(page, tmp_path):
    blocks = [
        (kind, mark == " start", text) for kind, mark, text in BLOCK.findall(page.read_text())
    ]
    assert any(is_start for _, is_start, _ in blocks), "a page starts a server"
    steps, expected = [], []
    ports = FreePorts()
    for kind, is_start, text in blocks:
        if kind == "sh":
            steps.append(ports.instead(started(text, len(steps)) if is_start else text))
            expected.append("")
        elif kind == "text":
            expected[-1] = text
    script = "set -eu\n" + "".join(f"{step}\necho '{MARK}'\n" for step in steps)
    shown = printed(script, tmp_path).split(f"{MARK}\n")[:-1]
    assert len(shown) == len(steps)
    for step, said, wanted in zip(steps, shown, expected, strict=True):
        assert said == wanted, step


class FreePorts:
    """Ports that nobody listens on, each in the place of one that a page names."""

    def __init__(self):
        self.chosen = {}

    def instead(self, text):
        """The text with other ports."""
        return ADDRESS.sub(lambda found: f"127.0.0.1:{self.of(found.group(1))}", text)

    def of(self, port):
        """The one in the place of `port`."""
        while port not in self.chosen:
            free = random.choice(FREE_PORTS)
            with socket.socket() as probe:
                if free not in self.chosen.values() and probe.connect_ex(("127.0.0.1", free)):
                    self.chosen[port] = free
        return self.chosen[port]


def started(block, number):
    """A block that starts a server, until the server is ready; every address is named."""
    command, ampersand, rest = block.partition("&")
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:3] == ["strongroom", "up", "--data"], block
    assert ampersand, block
    for name, port in DEFAULTS.items():
        if f"--{name}" not in words:
            words += [f"--{name}", f"127.0.0.1:{port}"]
    log = f"up-{number}"
    return (
        f"{shlex.join(words)} > {log}.out 2> {log}.log &{rest}"
        f"until grep -qx ready {log}.out; do kill -0 $!; sleep 0.05; done\n"
    )


def printed(script, home):
    """Runs a script and gives what it printed; its servers end with it, however it ends."""
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=home,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            # The servers hold neither of the two pipes.
            out, err = shell.communicate(timeout=400)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    logs = "".join(
        f"--- {log.name}\n{''.join(log.read_text().splitlines(keepends=True)[-30:])}"
        for log in sorted(home.glob("up-*.log"))
    )
    assert shell.returncode == 0, f"--- stdout\n{out}--- stderr\n{err}{logs}"
    return out


def environment(home):
    """The environment of somebody who has installed the clients and Strongroom."""
    commands = f"{client('openstack').parent}:{binary().parent}"
    return {"PATH": f"{commands}:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
