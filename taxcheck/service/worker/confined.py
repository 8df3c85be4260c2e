"""What the process of a job may read and write: its kernel refuses it everything else.

Paths are looked at when a job is asked for and made ready (``store/places.py``). Between that and
the moment at which the command opens them, whoever may write in an allowed folder could put a link
in the place of a file: what it leads to is then refused as well.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taxcheck.service.store.store import Store

_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/nix/store", "/sys",
           "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys")  # fmt: skip
# Of /etc what programs start with; the rest may hold a password.
_SETTINGS = ("alternatives", "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime",
             "mime.types", "nsswitch.conf", "passwd", "timezone")  # fmt: skip
_GROUPS = ("rules", "causes", "readers", "renderers", "pages")


def readable(store: Store, folder: Path) -> tuple[str, ...]:
    """Python and its packages, folders that jobs may read, and uploads linked in ``folder``."""
    named = [*_SYSTEM, *(f"/etc/{name}" for name in _SETTINGS)]
    named += [os.path.realpath(prefix) for prefix in store.settings.prefixes]
    named += [os.path.realpath(path) for path in folder.rglob("*") if path.is_symlink()]
    return tuple(dict.fromkeys((*named, *_python(os.path.realpath(store.settings.data)))))


def writable(folder: Path) -> tuple[str, ...]:
    """The job's own folder, and devices such as /dev/null."""
    return (os.path.realpath(folder), "/dev")


def _python(data: str) -> Iterator[str]:
    """Where interpreter and packages are; of a folder that holds the data, packages alone."""
    folders = (sys.prefix, sys.exec_prefix, sys.base_prefix)
    for path in (*folders, *sys.path):
        if path and not Path(data).is_relative_to(os.path.realpath(path)):
            yield os.path.realpath(path)
    points = (one for group in _GROUPS for one in entry_points(group=f"taxcheck.{group}"))
    for name in sorted({"taxcheck", *(one.module.partition(".")[0] for one in points)}):
        spec = find_spec(name)
        for path in (spec.submodule_search_locations or [spec.origin or ""]) if spec else ():
            yield os.path.realpath(path)
