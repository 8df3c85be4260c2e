"""Hidden folders to work in, of which a process that is killed leaves none for longer than a run.

Whoever works in one holds a lock on the folder itself (flock), which the kernel lets go of however
the process ends. A folder that nobody holds was left by the dead, and the next run at the same
place removes it. Where a file system knows no locks nothing is removed.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_RANDOM = r"[a-z0-9_]{8}"  # what mkdtemp appends


@contextmanager
def hidden_folder(place: Path, doing: str) -> Iterator[Path]:
    """A new folder ``.NAME.DOING-…`` beside ``place``, which goes when the block ends.

    Whoever moves it to another name keeps it. Raises OSError where it cannot be made.
    """
    # Its own name may be as long as names can be, which this one must not exceed.
    prefix, parent = f".{place.name[:40]}.{doing}-", place.absolute().parent
    _remove_abandoned(parent, prefix)
    folder, held = _locked(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _locked(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        # Another run may take it for abandoned between any two of these lines, and then it is gone.
        with suppress(FileNotFoundError):
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            with suppress(OSError):
                fcntl.flock(held, fcntl.LOCK_EX)
            if folder.exists():
                return folder, held
            os.close(held)


def _remove_abandoned(parent: Path, prefix: str) -> None:
    with suppress(OSError):
        for path in parent.iterdir():
            if re.fullmatch(re.escape(prefix) + _RANDOM, path.name):
                _remove_if_free(path)


def _remove_if_free(path: Path) -> None:
    with suppress(OSError):  # it is held, is no folder, is another user's, or went meanwhile
        found = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(found)
