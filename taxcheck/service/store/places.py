"""Which file a job means, and whether it may read it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from taxcheck.model.paths import INSIDE, split_part
from taxcheck.service.store.errors import RefusedError
from taxcheck.service.store.uploads import complete_file

if TYPE_CHECKING:
    from taxcheck.service.store.store import Store

UPLOAD = "upload:"
_MOST_ENTRIES = 1000  # of a folder that a job reads


@dataclass(frozen=True, slots=True)
class Place:
    """A file or a folder, all links followed; ``upload`` is how the client called an upload.

    ``part`` is what is meant inside of the file; it names nothing on the disk.
    """

    path: Path
    upload: str | None = None
    part: str = ""

    def typed(self, path: str) -> str:
        """What to type where the file is called ``path``."""
        return f"{path}{INSIDE}{self.part}" if self.part else path


def place(store: Store, project: str, named: str) -> Place:
    """What ``upload:ID`` or an absolute path names, for a job of this project; ``::PART`` of it.

    RefusedError where a path leads out of the folders that the administrator allowed, by links or
    by dots, where there is nothing, or where an upload is of another project or not complete.
    """
    if named.startswith(UPLOAD):
        id, _, part = named.removeprefix(UPLOAD).partition(INSIDE)
        found = complete_file(store, project, id)
        return Place(found.path.absolute(), found.name, part)
    if not named.startswith("/"):
        raise RefusedError(f"{named!r}: is neither {UPLOAD} and an id nor an absolute path")
    file, part = split_part(named)
    path = _allowed(store.settings.prefixes, _own(store), file)
    if part and INSIDE in str(path):  # it would be taken apart there
        raise RefusedError(f"{named!r}: leads to a file with {INSIDE} in its name, of no part")
    return Place(path, part=part)


def _own(store: Store) -> tuple[Path, ...]:
    """Where the server keeps what is its own, which an allowed folder may lie around."""
    data, reports = store.settings.data, store.settings.reports
    folders = (data, reports) if reports and "://" not in reports else (data,)
    return tuple(Path(os.path.realpath(folder)) for folder in folders)


def _allowed(prefixes: tuple[Path, ...], own: tuple[Path, ...], named: str) -> Path:
    """The resolved path; what lies outside is refused in the same words, there or not."""
    roots = tuple(Path(os.path.realpath(prefix)) for prefix in prefixes)
    try:
        path = Path(os.path.realpath(named))
    except (OSError, ValueError):  # too long, or no text that a file system has
        raise RefusedError(f"{named[:80]!r}: is no path") from None
    within = any(path.is_relative_to(root) for root in roots)
    if not within or any(path.is_relative_to(one) or one.is_relative_to(path) for one in own):
        raise RefusedError(f"{named!r}: is in none of the folders that this server lets jobs read")
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            _hold_in(path, roots, named)
        elif not stat.S_ISREG(mode):
            raise RefusedError(f"{named!r}: is neither a file nor a folder")
    except OSError as error:
        raise RefusedError(f"{named!r}: cannot be read: {error.strerror}") from None
    return path


def _hold_in(folder: Path, roots: tuple[Path, ...], named: str) -> None:
    """Refuse a folder with a link that leads out, or with more than a source can have."""
    waiting, seen = [folder], 0
    while waiting:
        for entry in os.scandir(waiting.pop()):
            seen += 1
            if seen > _MOST_ENTRIES:
                raise RefusedError(f"{named!r}: holds more than {_MOST_ENTRIES:,} files")
            if entry.is_symlink():
                led = Path(os.path.realpath(entry.path))
                if not any(led.is_relative_to(root) for root in roots):
                    raise RefusedError(f"{named!r}: {entry.name} in it leads out of the folder")
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
