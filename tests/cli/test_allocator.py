"""Memory that a batch frees serves the next one, and is not asked of the system again."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys

import pytest

from taxcheck.cli import allocator

THREADS, COLUMNS, BYTES = 2, 8, 1 << 21

BATCHES = """
import resource, sys, threading
import numpy as np
from taxcheck.cli.allocator import keep_freed
number, columns, size = map(int, sys.argv[1:])
keep_freed()
def read():
    for _ in range(60):
        batch = [np.ones(size, np.uint8) for _ in range(columns)]
threads = [threading.Thread(target=read) for _ in range(number)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
[t.start() for t in threads]
[t.join() for t in threads]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library is not told")
def test_freed_memory_serves_the_next_batch() -> None:
    """A thread holds two batches at once, and in sixty asks for no more than these."""
    given = map(str, (THREADS, COLUMNS, BYTES))
    done = subprocess.run([sys.executable, "-c", BATCHES, *given], capture_output=True, check=True)
    held = 2 * THREADS * COLUMNS * BYTES / resource.getpagesize()
    assert int(done.stdout) < 1.2 * held


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda _: object())
    allocator.keep_freed()
