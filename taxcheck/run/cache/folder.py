"""A folder of entries: written whole, read by whoever comes, the oldest gone first.

An entry is a seal over its key and its report, then the report as JSON; nothing in it can be run.
"""

from __future__ import annotations

import hmac
import os
import re
import stat
import time
from contextlib import suppress
from pathlib import Path

from taxcheck.files import unwritten, whole_file
from taxcheck.model.errors import NoReportError
from taxcheck.model.report import Report
from taxcheck.model.written import report_from_json, report_to_json
from taxcheck.run.cache.trust import SEAL, Trust

MOST = 100  # entries
_LARGEST = 1 << 28  # bytes of an entry
_SUFFIX = ".result"
_MAGIC = b"taxcheck result 3\n"
_PARTIAL = re.compile(r"\..+\.partial")
_ABANDONED = 3600.0  # seconds after which what was being written has no writer any more
# Backups and synchronisers leave a folder with this tag out: bford.info/cachedir
_TAG = """Signature: 8a477f597d28d172789f06886806bc55
# Results that taxcheck keeps; whatever is here can be removed at any time.
"""


def look_up(folder: Path, key: str, trust: Trust) -> bytes | None:
    """The entry of a key, which counts as used from now on; None where there is none.

    DistrustError where there is one that anybody may have written.
    """
    path = folder / f"{key}{_SUFFIX}"
    try:
        # a pipe without a writer is not waited for
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
                return None
            trust.expect_writer(found)
            content = file.read()
    except OSError:
        return None
    with suppress(OSError):  # somebody else's folder may be read all the same
        os.utime(path)
    return content


def keep(folder: Path, key: str, content: bytes, most: int = MOST) -> None:
    """Write an entry, whole or not at all, and let the least recently used go beyond ``most``.

    Several processes may do so at once. Whoever may read the folder may read the entry, and its
    owner alone may write it. Raises OutputError where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mode = 0o600 | folder.stat().st_mode & 0o444
    except OSError as error:
        raise unwritten(folder, error) from None
    tag = {"CACHEDIR.TAG": _TAG.encode(), ".gitignore": b"*\n"}
    missing = {name: text for name, text in tag.items() if not (folder / name).exists()}
    for name, written in {**missing, f"{key}{_SUFFIX}": content}.items():
        with whole_file(folder / name, mode=mode) as partial:
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


def to_bytes(key: str, report: Report, trust: Trust) -> bytes:
    """The entry of a report."""
    body = report_to_json(report)
    return _MAGIC + trust.seal(key, body) + body


def from_bytes(key: str, content: bytes, trust: Trust) -> Report | None:
    """The report of an entry; None where it is not that of this key, whole, under this seal."""
    head, body = content[: len(_MAGIC) + SEAL], content[len(_MAGIC) + SEAL :]
    if not hmac.compare_digest(head, _MAGIC + trust.seal(key, body)):
        return None
    try:
        return report_from_json(body)
    except NoReportError:
        return None
