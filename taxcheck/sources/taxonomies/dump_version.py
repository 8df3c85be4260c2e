"""Which version of a taxonomy a dump is: as it is named, as a file in it says, or by its content.

Never by the time of a file, which of a checkout or of a copy is that of the checkout or the copy.
"""

from __future__ import annotations

import re
from pathlib import Path

from taxcheck.model.arrays import IntArray
from taxcheck.model.errors import InputError, one_line

FILE = "version.txt"  # beside nodes.dmp; its first line is the version
_LONGEST = 60  # characters of a version
_DAY = re.compile(r"(?<!\d)(?:19|20)\d\d([-_]?)(?:0\d|1[0-2])\1(?:[0-2]\d|3[01])(?!\d)")


def named_day(name: str) -> str | None:
    """The ISO date in the name of a file or folder: of 2024-09-07, 2024_09_07 or 20240907."""
    found = _DAY.search(name)
    if found is None:
        return None
    digits = re.sub(r"\D", "", found.group())
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def stated_version(folder: Path) -> str | None:
    """What the version file of a dump says; None where there is none. InputError, one line."""
    path = folder / FILE
    try:
        if not path.is_file():
            return None
        with path.open(encoding="utf-8", errors="replace") as file:
            return one_line(file.readline(1000), _LONGEST) or None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def version_of(folder: Path, *taxids: IntArray) -> tuple[str, str]:
    """A dump's version, and a note of what tells it; ``taxids`` are those that it knows, by kind.

    Where nothing says it, it is the largest taxid, which in NCBI's is the newest.
    """
    if (said := stated_version(folder)) is not None:
        return said, f"version {said} by its {FILE}"
    if (day := named_day(folder.name)) is not None:
        return day, f"dated {day} by the folder's name"
    largest = max(int(some.max()) for some in taxids if len(some))
    return f"largest taxid {largest:,}", f"nothing tells its date; its largest taxid is {largest:,}"
