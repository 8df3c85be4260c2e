"""A folder of entries: written whole, read by whoever comes, the oldest gone first.

An entry is a digest of its key and its report, then the report as JSON; nothing in it can be run.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

from blake3 import blake3

from taxcheck.files import unwritten, whole_file
from taxcheck.model.errors import NoReportError
from taxcheck.model.report import Report
from taxcheck.model.written import report_from_json, report_to_json

MOST = 100  # entries
_LARGEST = 1 << 28  # bytes of an entry
_SUFFIX = ".result"
_MAGIC = b"taxcheck result 2\n"
_DIGEST = 32  # bytes
_PARTIAL = re.compile(r"\..+\.partial")
_ABANDONED = 3600.0  # seconds after which what was being written has no writer any more
# Backups and synchronisers leave a folder with this tag out: bford.info/cachedir
_TAG = """Signature: 8a477f597d28d172789f06886806bc55
# Results that taxcheck keeps; whatever is here can be removed at any time.
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

    Several processes may do so at once. Raises OutputError where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritten(folder, error) from None
    tag = {"CACHEDIR.TAG": _TAG.encode(), ".gitignore": b"*\n"}
    missing = {name: text for name, text in tag.items() if not (folder / name).exists()}
    for name, written in {**missing, f"{key}{_SUFFIX}": content}.items():
        with whole_file(folder / name) as partial:
            partial.write_bytes(written)
    _tidy(folder, most)


def _tidy(folder: Path, most: int) -> None:
    used: list[tuple[float, Path]] = []
    for path in folder.iterdir():
        with suppress(OSError):  # another process may have removed it
            time_used = path.stat().st_mtime
            if path.suffix == _SUFFIX:
                used.append((time_used, path))
            elif _PARTIAL.fullmatch(path.name) and time_used < time.time() - _ABANDONED:
                path.unlink()
    for _, path in sorted(used)[: max(len(used) - most, 0)]:
        with suppress(OSError):
            path.unlink()


def to_bytes(key: str, report: Report) -> bytes:
    """The entry of a report."""
    body = report_to_json(report)
    return _MAGIC + _digest(key, body) + body


def from_bytes(key: str, content: bytes) -> Report | None:
    """The report of an entry; None where it is not that of this key, whole."""
    head, body = content[: len(_MAGIC) + _DIGEST], content[len(_MAGIC) + _DIGEST :]
    if head != _MAGIC + _digest(key, body):
        return None
    try:
        return report_from_json(body)
    except NoReportError:
        return None


def _digest(key: str, body: bytes) -> bytes:
    return blake3(key.encode() + b"\n" + body).digest()
