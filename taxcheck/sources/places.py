"""Where files lie: a disk, or a file system behind an address (s3, gs, hf, http)."""

from __future__ import annotations

import glob
import os
import stat
from pathlib import Path
from typing import Protocol

from taxcheck.model.errors import InputError, one_line
from taxcheck.model.paths import is_address, is_folder, is_there


class Place(Protocol):
    """A path somewhere, of a file, of a folder, or a pattern of them; its separator is ``/``."""

    path: str  # as its file system has it
    shown: str  # as one would type it

    @property
    def whole(self) -> str:
        """The one name that the place has, however it was typed."""

    def at(self, path: str) -> Place:
        """Another path of the same file system."""

    def exists(self) -> bool:
        """Whether there is anything of this very name."""

    def is_folder(self) -> bool:
        """Whether it is a folder."""

    def find(self) -> list[str]:
        """The paths of all files in the folder and below."""

    def matches(self) -> list[str]:
        """The paths that match the pattern."""

    def read(self) -> bytes:
        """A small file, whole."""


def place_of(path: str) -> Place:
    """The place that a path or an address names."""
    if is_address(path):
        from taxcheck.sources.remote import RemotePlace  # a gate on local files does not need it

        return RemotePlace(path)
    return LocalPlace(path)


class LocalPlace:
    """A path on this machine. Errors of its file system are InputError, in one line."""

    def __init__(self, path: str) -> None:
        self.path = self.shown = path

    @property
    def whole(self) -> str:
        """The absolute path, links followed."""
        return os.path.realpath(self.path)

    def at(self, path: str) -> LocalPlace:
        """Another path on this machine."""
        return LocalPlace(path)

    def exists(self) -> bool:
        """Whether there is anything of this very name."""
        return is_there(self.path)

    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return is_folder(self.path)

    def find(self) -> list[str]:
        """The paths of all files in the folder and below, by links as well, each folder once."""
        found, seen = [], {self.whole}
        for folder, inner, names in os.walk(self.path, onerror=self._refuse, followlinks=True):
            found += [f"{folder.rstrip('/')}/{name}" for name in names]
            real = {name: os.path.realpath(f"{folder}/{name}") for name in inner}
            inner[:] = [name for name in inner if real[name] not in seen]
            seen.update(real.values())
        for path in found:
            _refuse_pipe(path)
        return found

    def matches(self) -> list[str]:
        """The paths that match the pattern, ``**`` for any folders."""
        return glob.glob(self.path, recursive=True)  # noqa: PTH207 - keeps paths as they were typed

    def read(self) -> bytes:
        """A small file, whole."""
        try:
            return Path(self.path).read_bytes()
        except OSError as error:
            raise InputError(f"{self.shown}: cannot be read ({one_line(error)})") from None

    def _refuse(self, error: OSError) -> None:
        raise InputError(
            f"{error.filename or self.shown}: cannot be listed ({error.strerror}); make the folder "
            "readable"
        )


def _refuse_pipe(path: str) -> None:
    """InputError where a file of a folder is none: whoever opened it might wait for ever."""
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return  # told when it is opened
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: is no plain file; take it out of the folder, or give it alone")
