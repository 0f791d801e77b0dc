"""What a server that has grown up stands on: PostgreSQL, and an S3 service.

`Postgres` is the real one, in a temporary folder and on a Unix socket. `S3` is moto's server, on a
port of its own: it keeps objects in memory, also while nobody can reach it, and honours
`If-None-Match: *`. Both can fail at a chosen point, so that no test guesses a moment.
"""

import contextlib
import logging
import os
import subprocess
import tempfile
import threading
from pathlib import Path

import boto3
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from strongroom import run

NOBODY = 65534  # PostgreSQL refuses to run as root
# Run by `sh -c` with the folder of the data as $0 and that of the programs as $1. When these tests
# end, in whichever way, its input ends, upon which it stops the server and removes the folder.
GUARD = """
cd "$0" || exit 1
trap '' INT HUP TERM
"$1/initdb" --pgdata=data --username=strongroom --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
    --no-sync --no-instructions > log 2>&1 &&
"$1/pg_ctl" --pgdata=data --wait --silent --log=log start \
    -o "-k '$0' -c listen_addresses='' -c fsync=off" >> log 2>&1 < /dev/null &&
"$1/createdb" --host="$0" --username=strongroom strongroom >> log 2>&1 &&
echo ready
read -r _
"$1/pg_ctl" --pgdata=data --wait --silent --mode=immediate stop >> log 2>&1
cd / && rm -rf "$0"
"""


class Postgres:
    """A private PostgreSQL with one empty database, until `end`."""

    def __init__(self):
        self.programs = postgres_programs()
        # Not below pytest's folder: the path of a Unix socket has 107 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="strongroom-pg-"))
        self.url = f"postgres://strongroom@localhost/strongroom?host={self.folder}"
        self.owner = {}
        if os.getuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
            self.owner = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        self.guard = subprocess.Popen(
            ["sh", "-c", GUARD, self.folder, self.programs],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **self.owner,
        )
        if self.guard.stdout.readline() != "ready\n":
            log = self.folder / "log"
            said = log.read_text() if log.exists() else "nothing"
            self.end()
            raise AssertionError(f"PostgreSQL did not start: {said}")

    def stop(self):
        """Ends it at once, as the crash of its machine would; every connection breaks."""
        self._control("stop", "--mode=immediate")

    def start(self):
        """Starts it again, on the same data."""
        options = f"-k '{self.folder}' -c listen_addresses='' -c fsync=off"
        self._control("start", f"--log={self.folder}/log", "-o", options)

    def rows(self, query):
        """What a query gives, each row as a list of texts."""
        command = [self.programs / "psql", "--no-psqlrc", "--tuples-only", "--no-align"]
        command += [f"--host={self.folder}", "--username=strongroom", "--command", query]
        return [line.split("|") for line in run([*command, "strongroom"]).splitlines()]

    def end(self):
        """Stops it and removes its data."""
        self.guard.stdin.close()
        self.guard.wait(timeout=60)
        self.guard.stdout.close()

    def _control(self, verb, *options):
        command = [self.programs / "pg_ctl", "--pgdata=data", "--wait", "--silent", verb, *options]
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            # Not pipes: the server that it starts would hold them open.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
            **self.owner,
        )
        assert done.returncode == 0, (self.folder / "log").read_text()


def postgres_programs():
    """The folder of the newest PostgreSQL where distributions put it."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(versions, key=lambda path: int(path.parts[-3]), reverse=True)
    elsewhere = [Path(folder) / "initdb" for folder in ("/usr/local/pgsql/bin", "/usr/local/bin")]
    for initdb in [*newest, *elsewhere, Path("/usr/bin/initdb")]:
        if initdb.is_file() and (initdb.parent / "pg_ctl").is_file():
            return initdb.parent
    raise AssertionError("PostgreSQL is missing: scripts/test installs it")


class S3:
    """An S3 service with one bucket, until `stop`."""

    BUCKET = "strongroom-backups"

    def __init__(self):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._service = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Condition()
        self._is_held = False
        self._waiting = 0
        self._port = 0
        self._server = self._thread = None
        self.start()
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_ACCESS_KEY_ID": "an-id",
            "AWS_SECRET_ACCESS_KEY": "a-secret",
            "AWS_REGION": "us-east-1",
            # The default is patient for a minute; a test need not be.
            "AWS_MAX_ATTEMPTS": "2",
        }
        self.client = boto3.client(
            "s3",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )
        self.client.create_bucket(Bucket=self.BUCKET)

    def start(self):
        """Listens, from the second time on at the same port."""
        self._server = make_server(
            "127.0.0.1", self._port, self._answer, threaded=True, request_handler=MotoRequestHandler
        )
        self._port = self._server.port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.daemon = True
        self._thread.start()

    def stop(self):
        """Is gone: nobody can connect, and every upload that was held back fails."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @contextlib.contextmanager
    def held(self):
        """Holds uploads back; at the end, those that were held fail, and later ones pass."""
        with self._lock:
            self._is_held = True
        try:
            yield
        finally:
            with self._lock:
                self._is_held = False
                self._lock.notify_all()

    def wait_for_upload(self):
        """Waits until an upload is being held back."""
        with self._lock:
            came = self._lock.wait_for(lambda: self._waiting > 0, timeout=60)
        assert came, "nothing was uploaded within 60 s"

    def names(self, prefix=""):
        """The names of all objects."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.BUCKET, Prefix=prefix
        )
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def _answer(self, environ, start_response):
        if environ["REQUEST_METHOD"] == "PUT" and self._was_held():
            return Response("gone", status=503)(environ, start_response)
        return self._service(environ, start_response)

    def _was_held(self):
        with self._lock:
            if not self._is_held:
                return False
            self._waiting += 1
            self._lock.notify_all()
            self._lock.wait_for(lambda: not self._is_held, timeout=120)
            self._waiting -= 1
            return True
