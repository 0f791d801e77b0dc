"""The pages of docs/guide, run as they are written.

The block marked `start` is not run by the shell: the server that it starts is started here, on
ports of its own, with the options that the page gives.
"""

import re
import shlex

import pytest

from strongroom import ROOT, Server, client, run

PAGES = sorted((ROOT / "docs" / "guide").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)( \w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "--- end of a block ---"


def test_there_are_pages():
    assert PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(page, tmp_path):
    blocks = [(kind, mark.strip(), text) for kind, mark, text in BLOCK.findall(page.read_text())]
    begun = [text for kind, mark, text in blocks if kind == "sh" and mark == "start"]
    assert len(begun) == 1, "a page starts one server"
    steps, expected = [], []
    for kind, mark, text in blocks:
        if kind == "sh" and mark != "start":
            steps.append(text)
            expected.append("")
        elif kind == "text":
            expected[-1] = text
    script = "set -eu\n" + "".join(f"{step}\necho '{MARK}'\n" for step in steps)
    server = Server(tmp_path)
    try:
        server.start(*options(begun[0], tmp_path))
        printed = run(
            ["bash", "-c", f"cd {shlex.quote(str(tmp_path))}\n{script}"],
            env=environment(server),
            timeout=400,
        )
    finally:
        server.kill()
    shown = printed.split(f"{MARK}\n")[:-1]
    assert len(shown) == len(steps)
    for step, said, wanted in zip(steps, shown, expected, strict=True):
        assert said == wanted, step


def options(block, home):
    """What the page gives to `strongroom up`, but for the directory, which `Server` chooses."""
    words = shlex.split(block.strip().removesuffix("&"))
    assert words[:4] == ["strongroom", "up", "--data", "data"], block
    return [word if word.startswith("--") else home / word for word in words[4:]]


def environment(server):
    """The environment of somebody who has installed the clients, and nothing else."""
    commands = client("openstack").parent
    return {"PATH": f"{commands}:/usr/bin:/bin", "HOME": str(server.home), "LANG": "C.UTF-8"}
