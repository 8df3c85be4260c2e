"""A PostgreSQL of the tests' own, on a free port of this machine alone."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

_OWNER = "postgres"  # initdb refuses root
# Debian keeps the programs of each version in a folder of its own, which is on nobody's PATH.
_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_PATH = os.pathsep.join((os.environ.get("PATH", ""), *map(str, _FOLDERS)))


def missing() -> str:
    """Why there can be none; empty where there can."""
    if not (_program("initdb") and _program("pg_ctl")):
        return "initdb and pg_ctl of PostgreSQL are not installed"
    if os.geteuid() == 0 and _OWNER not in {user.pw_name for user in pwd.getpwall()}:
        return f"there is no user {_OWNER}, and initdb refuses root"
    return ""


def _program(name: str) -> str | None:
    return shutil.which(name, path=_PATH)


class Cluster:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.names = 0
        self._as = {"user": _OWNER, "group": _OWNER} if os.geteuid() == 0 else {}
        self._call("initdb", "--auth=trust", f"--username={_OWNER}", "--no-sync", "-E", "UTF8")
        self.start()

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
            " -c fsync=off -c max_connections=200"
        )
        self._call("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._call("pg_ctl", "-w", "-m", "immediate", "stop")

    def new(self) -> str:
        """The URL of an empty database."""
        self.names += 1
        name = f"taxcheck_{os.getpid()}_{self.names}"
        at = f"postgresql://{_OWNER}@127.0.0.1:{self.port}"
        with psycopg.connect(f"{at}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"{at}/{name}"

    def _call(self, program: str, *arguments: str) -> None:
        command = [_program(program), "-D", str(self.folder / "data"), *arguments]
        with (self.folder / f"{program}.out").open("wb") as out:
            subprocess.run(command, check=True, stdout=out, stderr=out, cwd="/", **self._as)


@contextmanager
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="taxcheck-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _OWNER, _OWNER)
    made = None
    try:
        made = Cluster(folder)
        yield made
    finally:
        if made is not None:
            made.stop()
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
