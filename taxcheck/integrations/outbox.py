"""Runs that wait to be pushed: whole files in a folder of the user, which nobody else may read.

A run lies here before it is sent and until it is taken, so that nothing that ends the process loses
it. Its name tells its place in the order, its service and its id. The token is never here.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from blake3 import blake3

from taxcheck.files import unwritten, whole_file
from taxcheck.integrations.origin import Origin

RUNS = 500  # that wait at most, and bytes of them: then the oldest give way
BYTES = 256 << 20
REFUSED = 50  # that a service will not take, and that are kept to look at
_STALE = 3600.0  # seconds, after which a file that nobody finished was left by the dead
_POLL = 0.02  # seconds between two tries to get the lock


class Parcel(msgspec.Struct, frozen=True):
    """A run as it is pushed: what is said of it, and its report as JSON in one line."""

    id: str
    to: str
    project: str
    dataset: str
    origin: Origin
    report: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Outbox:
    """The folder; made when the first run comes."""

    folder: Path

    @classmethod
    def of_user(cls) -> Outbox:
        """In ``$XDG_STATE_HOME``, or where that is by default."""
        state = os.environ.get("XDG_STATE_HOME", "")
        base = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
        return cls(base / "taxcheck" / "outbox")

    def put(self, parcel: Parcel) -> tuple[Path, int]:
        """Keep a run, which may be there already; its file, and how many older ones gave way.

        Raises OutputError where it cannot be kept.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._refused(parcel.id).unlink(missing_ok=True)
            waiting = self.waiting()
            name = f"{_tag(parcel.to)}-{parcel.id}.run"
            for path in waiting:
                if path.name.endswith(f"-{name}"):
                    return path, 0
            content = msgspec.json.encode(parcel)
            dropped = _make_room(waiting, len(content))
            newest = int(waiting[-1].name.split("-")[0]) if waiting else 0
            path = self.folder / f"{max(time.time_ns(), newest + 1):020}-{name}"
            with whole_file(path, mode=0o600) as partial:
                partial.write_bytes(content)
        except (OSError, RuntimeError) as error:  # RuntimeError: there is no home
            raise unwritten(self.folder, error) from None
        return path, dropped

    def waiting(self, to: str | None = None) -> list[Path]:
        """The runs that wait, for one service or all; the first to be sent first."""
        tag = _tag(to) if to else "[0-9a-f]{16}"
        name = re.compile(rf"[0-9]{{20}}-{tag}-[0-9a-f]+\.run")
        try:
            return sorted(path for path in self.folder.iterdir() if name.fullmatch(path.name))
        except FileNotFoundError:
            return []

    def refuse(self, path: Path, parcel: Parcel | None) -> Path:
        """Have a run wait no longer; where its report is kept, for a person to look at."""
        folder = self.folder / "refused"
        folder.mkdir(mode=0o700, exist_ok=True)
        kept = self._refused(parcel.id) if parcel else folder / path.name
        with whole_file(kept, mode=0o600) as partial:
            partial.write_bytes(bytes(parcel.report) if parcel else path.read_bytes())
        path.unlink(missing_ok=True)
        by_age = sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime_ns)
        for old in by_age[:-REFUSED]:
            old.unlink(missing_ok=True)
        return kept

    def refused(self, id: str) -> Path | None:
        """Where the report of a run is that was refused; None where it was not."""
        path = self._refused(id)
        return path if path.is_file() else None

    def _refused(self, id: str) -> Path:
        return self.folder / "refused" / f"{id}.json"

    @contextlib.contextmanager
    def locked(self, patience: float) -> Iterator[bool]:
        """Whether this process alone sends, until the block ends; waits so many seconds for it."""
        try:
            lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            yield True  # what is pushed twice is one run
            return
        try:
            held = _hold(lock, time.monotonic() + patience)
            if held:
                self._sweep()
            yield held
        finally:
            os.close(lock)

    def note_away(self, to: str, why: str) -> None:
        """Tell those who wait for the lock that this service does not answer just now."""
        with contextlib.suppress(OSError):
            (self.folder / f".away-{_tag(to)}").write_text(why, encoding="utf-8")

    def away_since(self, to: str, moment: int) -> str | None:
        """Why the service did not answer at or after a moment (ns); None where nobody tried."""
        note = self.folder / f".away-{_tag(to)}"
        try:
            return note.read_text(encoding="utf-8") if note.stat().st_mtime_ns >= moment else None
        except OSError:
            return None

    def _sweep(self) -> None:
        with contextlib.suppress(OSError):
            for path in self.folder.glob(".*.partial"):
                if time.time() - path.stat().st_mtime > _STALE:
                    path.unlink(missing_ok=True)


def parcel_at(path: Path) -> Parcel | None:
    """The run in a file; None where another process took it meanwhile.

    Raises ValueError where it is none.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Parcel)
    except FileNotFoundError:
        return None


def _tag(to: str) -> str:
    return blake3(to.encode()).hexdigest(8)


def _make_room(waiting: list[Path], size: int) -> int:
    """Remove the oldest runs until one of this size fits; how many that were."""
    sizes = [_size(path) for path in waiting]
    dropped = 0
    while waiting[dropped:] and (
        len(waiting) - dropped >= RUNS or sum(sizes[dropped:]) + size > BYTES
    ):
        waiting[dropped].unlink(missing_ok=True)
        dropped += 1
    return dropped


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # it was sent meanwhile
        return 0


def _hold(lock: int, until: float) -> bool:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_POLL)
        except OSError:
            return True  # a file system without locks
