"""A folder of entries: written whole, read by whoever comes, the oldest gone first."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

MOST = 100  # entries
_LARGEST = 1 << 28  # bytes of an entry
_SUFFIX = ".result"
_ABANDONED = 3600.0  # seconds after which what was being written has no writer any more
# Backups and synchronisers leave a folder with this tag out: bford.info/cachedir
_TAG = """Signature: 8a477f597d28d172789f06886806bc55
# Results of taxcheck, kept by --cache; whatever is here can be removed at any time.
"""


def look_up(folder: Path, key: str) -> bytes | None:
    """The entry of a key, which counts as used from now on; None where there is none."""
    path = folder / f"{key}{_SUFFIX}"
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    with suppress(OSError):  # somebody else's folder may be read all the same
        os.utime(path)
    return content


def keep(folder: Path, key: str, content: bytes, most: int = MOST) -> None:
    """Write an entry, whole or not at all, and let the least recently used go beyond ``most``.

    Several processes may do so at once. Raises OSError where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("CACHEDIR.TAG", _TAG), (".gitignore", "*\n")):
        if not (folder / name).exists():
            _write(folder / name, text.encode())
    _write(folder / f"{key}{_SUFFIX}", content)
    _tidy(folder, most)


def _write(path: Path, content: bytes) -> None:
    handle, partial = tempfile.mkstemp(prefix=".partial-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _tidy(folder: Path, most: int) -> None:
    used: list[tuple[float, Path]] = []
    for path in folder.iterdir():
        with suppress(OSError):  # another process may have removed it
            time_used = path.stat().st_mtime
            if path.suffix == _SUFFIX:
                used.append((time_used, path))
            elif path.name.startswith(".partial-") and time_used < time.time() - _ABANDONED:
                path.unlink()
    for _, path in sorted(used)[: max(len(used) - most, 0)]:
        with suppress(OSError):
            path.unlink()
