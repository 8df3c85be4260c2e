"""A process that watches itself while it reads hostile files: what Python says that it did.

``python -m tests.trust.watch JOBS`` runs jobs, each a command of taxcheck or, as the control, a
careless ``pickle.loads``; it prints what each of them did, a line of JSON a job. Around every job
it opens a path that does not exist, so that a trace of its system calls can be cut into jobs.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import shutil
import sys
import tempfile
from pathlib import Path

MARK = "/nonexistent/trust-"
MODULE = "trust_canary"  # must never be imported
_ALARMING = (
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.kill", "os.putenv",
    "os.symlink", "os.link", "os.chown", "subprocess", "socket", "ctypes", "marshal.loads",
    "pickle.find_class", "webbrowser", "sys.set", "sys._getframe", "pty", "urllib", "ftplib",
    "smtplib", "code.__new__", "function.__new__", "http", "poplib", "telnetlib", "shutil.copy",
    "shutil.move",
)  # fmt: skip
_OF_RANK = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.truncate",
            "shutil.rmtree", "tempfile")  # fmt: skip
# geopandas is not installed; pandera asks for it, whenever it is first imported.
_EXPECTED = {"taxcheck", "taxcheck_rules", "taxcheck_reports", "numpy", "pyarrow", "encodings",
             "pandas", "scipy", "rich", "click", "jinja2", "pandera", "h5py",
             "geopandas"}  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """What the audit hook saw since it was last asked; within ``own`` files may be written."""

    def __init__(self, own: str) -> None:
        self._own, self._seen, self.on = own, list[str](), False
        sys.addaudithook(self._hook)

    def take(self) -> list[str]:
        seen, self._seen = sorted(set(self._seen)), []
        return seen

    def _hook(self, event: str, given: tuple[object, ...]) -> None:
        if not self.on:
            return
        if event.startswith(_ALARMING):
            self._say(event, given)
        elif event == "exec" or (event == "compile" and given[1] != "<unknown>"):
            self._say(event, given)  # ast.literal_eval parses, and never runs, its "<unknown>"
        elif event == "import":
            if str(given[0]).partition(".")[0] not in _EXPECTED:
                self._say(event, given[:1])
        elif event.startswith(_OF_RANK):
            if not self._inside(*(given[:1] or ("",)), given[-1]):
                self._say(event, given)
        elif event == "open":
            flags = given[2] if isinstance(given[2], int) else 0
            written = flags & _WRITES and not isinstance(given[0], int)
            if written and given[0] != os.devnull and not self._inside(given[0]):
                self._say(event, given)

    def _inside(self, path: object, folder: object = -1) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        at = f"/proc/self/fd/{folder}"
        start = os.readlink(at) if isinstance(folder, int) and folder >= 0 else os.getcwd()  # noqa: PTH109, PTH115
        whole = os.path.normpath(os.path.join(start, os.fsdecode(path)))  # noqa: PTH118
        return whole.startswith(self._own)

    def _say(self, event: str, given: tuple[object, ...]) -> None:
        self._seen.append(f"{event} {given!r}"[:200])


def _careless(path: str) -> None:
    with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
        pickle.loads(Path(path).read_bytes())
    with contextlib.suppress(ChildProcessError):  # what it started has left its mark, or has not
        while True:
            os.waitpid(-1, 0)


def _command(arguments: list[str]) -> tuple[int | str, str]:
    from taxcheck.cli import main

    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(told):
            main(arguments)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0, told.getvalue()
    except BaseException as error:
        return type(error).__name__, str(error)
    return 0, told.getvalue()


def _mark(words: str) -> None:
    with contextlib.suppress(OSError):
        os.close(os.open(MARK + words, os.O_RDONLY))


def _empty(folder: str) -> None:
    shutil.rmtree(folder)
    os.mkdir(folder)  # noqa: PTH102


def main() -> None:
    jobs = json.loads(Path(sys.argv[1]).read_text())
    own = os.path.join(os.getcwd(), "own")  # noqa: PTH118, PTH109
    os.makedirs(own, exist_ok=True)  # noqa: PTH103
    tempfile.tempdir = own
    watch = Watch(own)
    # What is imported late, is imported now: by each command with each kind of file once.
    kinds = {tuple(Path(word).suffix or word for word in job): job for job in jobs["jobs"]}
    for job in () if jobs["careless"] else kinds.values():
        _command(job)
        _empty(own)
    assert MODULE not in sys.modules
    known = set(os.listdir())  # noqa: PTH208
    for number, job in enumerate(jobs["jobs"]):
        sys.modules.pop(MODULE, None)
        _mark(f"begin-{number}")
        watch.on = True
        if jobs["careless"]:
            _careless(job[-1])
            code: int | str = 0
            error = ""
        else:
            code, error = _command(job)
        watch.on = False
        _mark(f"end-{number}")
        new = sorted(set(os.listdir()) - known)  # noqa: PTH208
        for name in new:
            os.rmdir(name) if os.path.isdir(name) else os.unlink(name)  # noqa: PTH106, PTH108, PTH112
        said = {"code": code, "error": error, "events": watch.take(), "new": new}
        print(json.dumps(said), flush=True)
        _empty(own)


if __name__ == "__main__":
    main()
