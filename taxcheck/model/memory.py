"""How much memory a run may take, and how sizes are written."""

from __future__ import annotations

import os
import re
from pathlib import Path

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_USUAL = 1 << 33  # where the system does not say what it has
LEAST = 10**8  # that a run can be given


def usual_memory() -> int:
    """Half of what the machine, or the container, has."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return _USUAL
    for limit in _LIMITS:
        try:
            whole = min(whole, int(Path(limit).read_text()))
        except (OSError, ValueError):
            continue
    return max(whole // 2, LEAST)


def read_size(text: str) -> int:
    """Bytes, of a size such as 8GB, 500 MB or 2GiB; ValueError, one line, for another text."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?\s*", text, re.IGNORECASE)
    if found is None:
        raise ValueError(f"{text!r} is no size: write one such as 8GB or 500MB")
    unit = _UNITS[found[2].upper()]
    if found[3]:
        unit = 1024 ** (len(str(unit)) // 3)
    size = int(float(found[1]) * unit)
    if size < LEAST:
        raise ValueError(f"{text}: a run takes at least {size_text(LEAST)}")
    return size


def size_text(size: int) -> str:
    """A size as it is written, rounded up: 8GB."""
    for unit, letter in ((10**12, "T"), (10**9, "G"), (10**6, "M")):
        if size >= unit:
            return f"{-(-size // unit)}{letter}B"
    return "1MB"
