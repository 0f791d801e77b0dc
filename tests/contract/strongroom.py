"""What the contract tests stand on: a running binary, and the ways to speak with it.

`Server` starts, stops, kills and restarts the real binary on a folder of its own. `Cloud` is one
user of it: it runs the unmodified `openstack` and `cinder` commands, opens openstacksdk and
cinderclient, and has `http` for what no client would send. Nothing is faked, and nothing sleeps
for a guessed time: `wait_for` polls with a deadline and says what it was waiting for.
"""

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import requests
import yaml

ROOT = Path(__file__).resolve().parents[2]
GIB = 1 << 30
NEWEST = "3.71"
# The statuses in which a job owns a backup or a volume. Nothing may stay in one for ever.
BUSY = {
    "backups": {"creating", "restoring", "deleting"},
    "volumes": {"creating", "backing-up", "restoring-backup", "deleting"},
    "snapshots": {"creating", "backing-up", "deleting"},
}


def binary():
    """The binary under test; its absence is a failure, never a reason to skip."""
    default = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "strongroom"
    path = Path(os.environ.get("STRONGROOM_BIN", default))
    assert path.is_file(), f"{path} is missing: build it, or set STRONGROOM_BIN"
    return path


def wait_for(what, probe, timeout=60, interval=0.05, details=lambda: ""):
    """Calls `probe` until it gives something true, and gives that back.

    Fails with `what`, the last answer and `details()` when `timeout` seconds have passed.
    """
    deadline = time.monotonic() + timeout
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(
                f"waited {timeout} s for {what}; last answer: {answer!r}{details()}"
            )
        time.sleep(interval)


def same_bytes(left, right):
    """Whether two files hold the same bytes. Where both have a hole, both read as zeros."""
    with open(left, "rb") as one, open(right, "rb") as other:
        size = os.fstat(one.fileno()).st_size
        if size != os.fstat(other.fileno()).st_size:
            return False
        return all(
            os.pread(one.fileno(), length, offset) == os.pread(other.fileno(), length, offset)
            for file in (one, other)
            for offset, length in data_pieces(file, size)
        )


def data_pieces(file, size, most=4 << 20):
    """The parts of a file that are no holes, as (offset, length), none longer than `most`."""
    end = 0
    while end < size:
        try:
            start = os.lseek(file.fileno(), end, os.SEEK_DATA)
        except OSError as past_the_last:
            assert past_the_last.errno == errno.ENXIO
            return
        end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
        for offset in range(start, end, most):
            yield offset, min(most, end - offset)


def run(command, env=None, expect=0, timeout=180):
    """Runs a command to its end and gives its output; any exit code but `expect` is a failure.

    When a failure is expected, what it printed on both channels comes back, for people read both.
    """
    command = [str(part) for part in command]
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == expect, (
        f"{' '.join(command)}\nended with {done.returncode}, not {expect}\n"
        f"--- stdout\n{done.stdout}--- stderr\n{done.stderr}"
    )
    return done.stdout if expect == 0 else done.stdout + done.stderr


def table(text):
    """The rows of a table as the cinder command prints it, each a dict by column."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    assert rows, f"no table in {text!r}"
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def properties(text):
    """A two-column table of the cinder command as one dict."""
    return {row["Property"]: row["Value"] for row in table(text)}


class Server:
    """The binary, running `up` on a folder of its own and on ports that nobody else has."""

    def __init__(self, home):
        self.home = Path(home)
        self.data = self.home / "data"
        self.log = self.home / "strongroom.log"
        self.addresses = dict.fromkeys(["identity", "volume", "cbr", "compute"], "127.0.0.1:0")
        self.process = None
        self.printed = []
        self._reader = None
        self._admin = None

    def start(self, *options, timeout=60):
        """Starts it, with further options of `up`, and returns when it has printed `ready`.

        From the second start on it gets the ports of the first, so that its users' settings hold.
        """
        assert self.process is None, "it runs already"
        self.home.mkdir(parents=True, exist_ok=True)
        command = [binary(), "up", "--data", self.data]
        for name, address in self.addresses.items():
            command += [f"--{name}", address]
        command += options
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment(),
            )
        self.printed = []
        ready = threading.Event()
        self._reader = threading.Thread(
            target=self._read, args=(self.process, self.printed, ready), daemon=True
        )
        self._reader.start()
        wait_for(
            "the line `ready`",
            lambda: ready.is_set() or self.process.poll() is not None,
            timeout,
            interval=0.01,
            details=self._said,
        )
        assert ready.is_set(), f"it ended with {self.process.poll()} before ready{self._said()}"
        self._note_addresses()
        return self

    def stop(self):
        """Asks it to end, as init would, and gives its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self):
        """Ends it as a power cut would."""
        return self._end(signal.SIGKILL)

    def restart(self):
        """Starts it again after a kill or a stop."""
        return self.start()

    @property
    def is_alive(self):
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def store(self):
        """The folder of the store."""
        return self.data / "store"

    @property
    def key(self):
        """The file of the master key."""
        return self.data / "master.key"

    @property
    def admin(self):
        """The user that the first start made."""
        if self._admin is None:
            clouds = self.data / "clouds.yaml"
            auth = yaml.safe_load(clouds.read_text())["clouds"]["strongroom"]["auth"]
            self._admin = Cloud(self.home, clouds, "strongroom", auth, openrc=self.data / "openrc")
        return self._admin

    def volume_file(self, volume_id):
        """The file that holds a volume's bytes."""
        return self.data / "volumes" / f"{volume_id}.raw"

    def fill(self, volume_id, image):
        """Puts an image's bytes onto a volume, whose size stays what it is."""
        target = self.volume_file(volume_id)
        size = target.stat().st_size
        assert Path(image).stat().st_size <= size, "the image does not fit"
        run(["cp", "--sparse=always", image, target])
        os.truncate(target, size)

    def store_cli(self, verb, *args, expect=0, is_json=True, **options):
        """Runs `strongroom store VERB` on this server's store."""
        return store(
            verb, *args, store=self.store, key=self.key, expect=expect, is_json=is_json, **options
        )

    def tail(self, lines=60):
        """The end of what it logged."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _environment(self):
        keep = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
        return {**keep, "HOME": str(self.home)}

    @staticmethod
    def _read(process, printed, ready):
        for line in process.stdout:
            printed.append(line)
            if line.strip() == "ready":
                ready.set()

    def _said(self):
        return f"\n--- stdout\n{''.join(self.printed)}--- stderr\n{self.tail()}"

    def _note_addresses(self):
        self.addresses["identity"] = urlsplit(self.admin.auth["auth_url"]).netloc
        self.addresses["volume"] = urlsplit(self.admin.http.volume_url).netloc
        self.addresses["cbr"] = urlsplit(self.admin.http.urls["cbr"]).netloc
        self.addresses["compute"] = urlsplit(self.admin.http.urls["compute"]).netloc

    def _end(self, sign):
        process, self.process = self.process, None
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(sign)
        try:
            return process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("it did not end within 30 s") from None
        finally:
            self._reader.join(timeout=10)
            process.stdout.close()


def store(verb, *args, store, key, expect=0, is_json=True, timeout=180):
    """Runs `strongroom store VERB`; gives what its `--json` says, or the text when it must fail."""
    command = [binary(), "store", verb, "--store", store, "--key", key]
    command += ["--json"] if is_json else []
    printed = run([*command, *args], expect=expect, timeout=timeout)
    return json.loads(printed) if is_json and expect == 0 else printed


class Cloud:
    """One user in one project, and every client in its hands."""

    def __init__(self, home, clouds, name, auth, openrc=None):
        self.home = Path(home)
        self.clouds = Path(clouds)
        self.name = name
        self.auth = auth
        self.openrc = openrc
        self._http = None

    @property
    def http(self):
        """Plain HTTP with this user's token."""
        if self._http is None:
            self._http = Http(self.auth)
        return self._http

    def other_user(self, username, password, project):
        """The same service in the hands of another user, with a clouds.yaml of its own."""
        auth = {
            **{k: v for k, v in self.auth.items() if not k.startswith("project_")},
            "username": username,
            "password": password,
            "project_name": project,
            "project_domain_name": "Default",
            "user_domain_name": "Default",
        }
        clouds = self.home / f"clouds-{username}.yaml"
        settings = yaml.safe_load(self.clouds.read_text())["clouds"][self.name]
        clouds.write_text(yaml.safe_dump({"clouds": {username: {**settings, "auth": auth}}}))
        return Cloud(self.home, clouds, username, auth)

    def openstack(self, *args, expect=0):
        """Runs the openstack command."""
        env = {**self._environment(), "OS_CLIENT_CONFIG_FILE": str(self.clouds)}
        return run([client("openstack"), "--os-cloud", self.name, *args], env=env, expect=expect)

    def openstack_json(self, *args):
        """Runs the openstack command and reads its JSON."""
        return json.loads(self.openstack(*args, "-f", "json"))

    def cinder(self, *args, expect=0):
        """Runs the cinder command, which knows no clouds.yaml, with the exports of openrc."""
        return run([client("cinder"), *args], env=self._openrc(), expect=expect)

    def sdk(self):
        """A connection of openstacksdk."""
        import openstack  # late: it costs half a second

        config = openstack.config.OpenStackConfig(
            config_files=[str(self.clouds)], load_envvars=False
        )
        return openstack.connection.Connection(config=config.get_one(cloud=self.name))

    def cinderclient(self, version=NEWEST):
        """cinderclient as a library, at a microversion."""
        from cinderclient import client as cinder

        return cinder.Client(version, session=self.sdk().session)

    def _environment(self):
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        return {**kept, "HOME": str(self.home), "LANG": "C.UTF-8"}

    def _openrc(self):
        if self.openrc is None:
            exports = {f"OS_{name.upper()}": value for name, value in self.auth.items()}
            return {**self._environment(), **exports, "OS_IDENTITY_API_VERSION": "3"}
        shown = run(
            ["bash", "-c", 'set -eu; . "$1"; env -0', "bash", self.openrc],
            env=self._environment(),
        )
        return dict(pair.split("=", 1) for pair in shown.split("\0") if pair)


def client(name):
    """The path of a command of the environment that runs these tests."""
    path = Path(sys.executable).parent / name
    assert path.is_file(), f"{path} is missing: scripts/test installs it"
    return path


class Http:
    """Requests with a token, relative to a project's endpoint, for what no client would send."""

    def __init__(self, auth):
        self.auth = auth
        self.identity_url = auth["auth_url"].rstrip("/").removesuffix("/v3") + "/v3"
        self.session = requests.Session()
        self.renew()

    def renew(self):
        """Asks for a new token."""
        answer = self.session.post(
            f"{self.identity_url}/auth/tokens", json=self._credentials(), timeout=30
        )
        assert answer.status_code == 201, answer.text
        token = answer.json()["token"]
        self.token = answer.headers["X-Subject-Token"]
        self.project_id = token["project"]["id"]
        self.user_id = token["user"]["id"]
        self.urls = {
            service["type"]: endpoint["url"].rstrip("/")
            for service in token["catalog"]
            for endpoint in service["endpoints"]
            if endpoint["interface"] == "public"
        }
        self.volume_url = self.urls["volumev3"]
        self.root_url = self.volume_url.split("/v3/")[0]

    def __call__(self, method, path, *, version=NEWEST, token=True, headers=None, **options):
        """One request. `path` is relative to `/v3/PROJECT`, or absolute on the volume endpoint.

        `version` None sends no microversion; `token` may be another token, or None for none.
        """
        sent = dict(headers or {})
        if version is not None:
            sent.setdefault("OpenStack-API-Version", f"volume {version}")
        if token:
            sent.setdefault("X-Auth-Token", self.token if token is True else token)
        url = self.root_url + path if path.startswith("/") else f"{self.volume_url}/{path}"
        if path.startswith("http"):
            url = path
        return self.session.request(method, url, headers=sent, timeout=60, **options)

    def ok(self, method, path, **options):
        """One request that must succeed; gives its JSON, or None when there is no body."""
        answer = self(method, path, **options)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def create_volume(self, size=1, **fields):
        """Makes a volume and waits for it."""
        made = self.ok("POST", "volumes", json={"volume": {"size": size, **fields}})["volume"]
        return self.wait("volumes", made["id"])

    def create_backup(self, volume_id, is_waited=True, **fields):
        """Makes a backup and waits for it."""
        body = {"backup": {"volume_id": volume_id, **fields}}
        made = self.ok("POST", "backups", json=body)["backup"]
        return self.wait("backups", made["id"]) if is_waited else made

    def restore(self, backup_id, volume_id):
        """Restores a backup onto a volume and waits until both are at rest."""
        body = {"restore": {"volume_id": volume_id}}
        self.ok("POST", f"backups/{backup_id}/restore", json=body)
        self.wait("volumes", volume_id)
        return self.wait("backups", backup_id)

    def delete(self, collection, id):
        """Deletes something and waits until it is gone."""
        self.ok("DELETE", f"{collection}/{id}")
        self.wait_gone(collection, id)

    def show(self, collection, id):
        """One volume, snapshot or backup."""
        return self.ok("GET", f"{collection}/{id}")[collection.removesuffix("s")]

    def wait(self, collection, id, status="available", timeout=120):
        """Waits for a status; an error on the way is a failure at once, with its reason."""

        def probe():
            thing = self.show(collection, id)
            is_failed = thing["status"].startswith("error") and not status.startswith("error")
            assert not is_failed, f"{collection} {id}: {thing}"
            return thing if thing["status"] == status else None

        return wait_for(f"{collection} {id} to be {status}", probe, timeout)

    def wait_gone(self, collection, id, timeout=60):
        """Waits until something answers 404."""
        wait_for(
            f"{collection} {id} to be gone",
            lambda: self("GET", f"{collection}/{id}").status_code == 404,
            timeout,
        )

    def wait_at_rest(self, timeout=60):
        """Waits until no job owns a backup, a volume or a snapshot of the project."""

        def busy():
            return [
                (collection, thing["id"], thing["status"])
                for collection, statuses in BUSY.items()
                for thing in self.ok("GET", f"{collection}/detail")[collection]
                if thing["status"] in statuses
            ]

        wait_for(
            "everything to be at rest",
            lambda: not busy(),
            timeout,
            interval=0.1,
            details=lambda: f"; still busy: {busy()}",
        )

    def lift_quotas(self):
        """Removes every limit of the project; for admins."""
        names = ["backups", "backup_gigabytes", "volumes", "gigabytes", "snapshots"]
        limits = dict.fromkeys(names, -1)
        self.ok("PUT", f"os-quota-sets/{self.project_id}", json={"quota_set": limits})

    def _credentials(self):
        auth = self.auth
        domain = auth.get("user_domain_name", "Default")
        project = (
            {"id": auth["project_id"]}
            if "project_id" in auth
            else {"name": auth["project_name"], "domain": {"name": domain}}
        )
        user = {
            "name": auth["username"],
            "password": auth["password"],
            "domain": {"name": domain},
        }
        identity = {"methods": ["password"], "password": {"user": user}}
        return {"auth": {"identity": identity, "scope": {"project": project}}}


@contextlib.contextmanager
def running(home):
    """A started server, ended and removed with its data at the end."""
    server = Server(home)
    try:
        server.start()
        server.admin.http.lift_quotas()
        yield server
    finally:
        server.kill()
        if not os.environ.get("STRONGROOM_KEEP"):
            shutil.rmtree(server.data, ignore_errors=True)
