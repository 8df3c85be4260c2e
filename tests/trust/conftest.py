"""Small disks that go with the process that mounted them."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_NEW_MOUNTS = 0x20000  # CLONE_NEWNS of unshare(2)


@pytest.fixture(scope="session", autouse=True)
def own_mounts() -> bool:
    """Whether what this process and its children mount is theirs, so that nothing outlives them.

    Before any cage, which sees the mounts of the process that began it.
    """
    if os.geteuid() or ctypes.CDLL(None).unshare(_NEW_MOUNTS):
        return False
    command = ["mount", "--make-rprivate", "/"]
    return not subprocess.run(command, capture_output=True).returncode


@pytest.fixture
def small(tmp_path: Path, own_mounts: bool) -> Iterator[Callable[[int], Path]]:
    """Mounts a file system of so many bytes, in the place of the one before."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = False

    def mount(size: int) -> Path:
        nonlocal mounted
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
        if not own_mounts or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("only root can mount a small file system")
        mounted = True
        return place

    yield mount
    if mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)
