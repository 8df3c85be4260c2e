"""The process of a job: started with limits, listened to, and ended whole."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Event

import msgspec

from taxcheck.service.store.jobs import LOG_BYTES, Beat, Progress
from taxcheck.service.worker import child

# What a child gets of our environment: no password of a database, no token, no cache.
_PASSED = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TZ")
_TICK = 0.1  # seconds; so late a stop is noticed at most
_MARGIN = 60  # seconds after its time in which it ends itself, where nobody else does
_CHUNK = 1 << 16


class Ending(StrEnum):
    """Why a process ended."""

    ITSELF = "it came to its end"
    TIME = "it took too long"
    CANCELLED = "somebody wanted it to stop"
    LOST = "the job is no longer this worker's"
    STOPPING = "the worker stops"


_OBEYED = {Beat.GO_ON: Ending.ITSELF, Beat.CANCEL: Ending.CANCELLED, Beat.LOST: Ending.LOST}


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a process: bytes of address space, seconds by the clock, how far it stands back, files.

    What is neither ``readable`` nor ``writable`` its kernel refuses, and the network too; nothing
    is refused where ``readable`` is empty.
    """

    memory: int
    seconds: int
    niceness: int
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended; ``code`` is its exit code, or a signal as a negative number."""

    how: Ending
    code: int
    log: str
    errors: str  # the end of standard error alone


class Tail:
    """The last bytes of what is written, as text."""

    def __init__(self, most: int = LOG_BYTES) -> None:
        self._most = most
        self._held = bytearray()

    def add(self, part: bytes) -> None:
        """Write more."""
        self._held += part
        if len(self._held) > 2 * self._most:
            del self._held[: -self._most - 1]  # one more than is shown tells that some is gone

    def text(self) -> str:
        """At most so many bytes of UTF-8; where some are gone, from the beginning of a line."""
        end = bytes(self._held[-self._most :])
        if len(self._held) > self._most:
            end = end.partition(b"\n")[2] or end
        shown = end.decode("utf-8", "replace").replace("\x00", "\ufffd")
        return shown.encode()[-self._most :].decode("utf-8", "ignore")


def attend(
    command: Sequence[str],
    folder: Path,
    limits: Limits,
    tell: Callable[[Progress | None, str | None], Beat],
    stopping: Event,
    every: float,
) -> Ended:
    """Run a command in a folder to its end, or until it has to be ended.

    ``tell`` gets progress and log ``every`` so many seconds, None for what is as it was, and its
    answer is obeyed. When this returns, every process of the command's group has been killed.
    """
    process = _Process(command, folder, limits)
    how = Ending.ITSELF
    try:
        due, last = time.monotonic() + every, time.monotonic() + limits.seconds
        while how is Ending.ITSELF and not process.has_ended():
            process.hear(_TICK)
            if stopping.is_set():
                how = Ending.STOPPING
            elif time.monotonic() >= last:
                how = Ending.TIME
            elif time.monotonic() >= due:
                how = _OBEYED[tell(*process.news())]
                due = time.monotonic() + every
    finally:
        code = process.end()
    return Ended(how, code, process.log.text(), process.errors.text())


class _Process:
    """A process and what it says: on standard output, on standard error, of its progress."""

    def __init__(self, command: Sequence[str], folder: Path, limits: Limits) -> None:
        self.log, self.errors, self._told = Tail(), Tail(_CHUNK), Tail(4096)
        self._news: tuple[str, str] = ("", "")
        progress, told = os.pipe()
        bounds = (limits.memory, limits.seconds + _MARGIN, limits.niceness, os.getpid(),
                  *limits.readable, "--", *limits.writable, "--")  # fmt: skip
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", child.__file__, *map(str, bounds), *command],
                cwd=folder,
                env=_environment(folder, told),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(told,),
                start_new_session=True,
                bufsize=0,
            )
        except BaseException:
            os.close(progress)
            raise
        finally:
            os.close(told)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._streams = (self._process.stdout, self._process.stderr, os.fdopen(progress, "rb", 0))
        kept = ((self.log,), (self.log, self.errors), (self._told,))
        self._selector = selectors.DefaultSelector()
        for stream, tails in zip(self._streams, kept, strict=True):
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ, tails)

    def has_ended(self) -> bool:
        """Whether it has; until it is waited for, its number is given to no other process."""
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, options) is not None

    def hear(self, seconds: float) -> bool:
        """Wait for so long at most, and take what is said; whether there was any."""
        if not self._selector.get_map():
            time.sleep(seconds)
            return False
        ready = self._selector.select(seconds)
        for key, _ in ready:
            part = os.read(key.fd, _CHUNK)
            if not part:
                self._selector.unregister(key.fileobj)
            for tail in key.data:
                tail.add(part)
        return bool(ready)

    def news(self) -> tuple[Progress | None, str | None]:
        """Progress and log, where they are not what they were when this was asked before."""
        told, log = self._told.text().rpartition("\n")[0].rpartition("\n")[2], self.log.text()
        before, self._news = self._news, (told, log)
        progress = None
        if told != before[0]:
            with suppress(msgspec.MsgspecError):
                progress = msgspec.json.decode(told, type=Progress)
        return progress, None if log == before[1] else log

    def end(self) -> int:
        """Kill what is left of the group, and take what was said to the last."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        while self.hear(0):
            pass
        self._selector.close()
        for stream in self._streams:
            stream.close()
        return code


def _environment(folder: Path, told: int) -> dict[str, str]:
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {**passed, "TMPDIR": str(folder), "TAXCHECK_PROGRESS": str(told), "NO_COLOR": "1"}
