"""Memory that a batch frees serves the next one, and is not asked of the system again."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told")

BATCHES = """
import resource, sys, threading
import numpy as np
from taxcheck.cli.allocator import keep_freed
if sys.argv[1] == "kept":
    keep_freed()
def read():
    for _ in range(60):
        columns = [np.ones(1 << 18) for _ in range(8)]
threads = [threading.Thread(target=read) for _ in range(2)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
[t.start() for t in threads]
[t.join() for t in threads]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", BATCHES, how], capture_output=True, check=True)
    return int(done.stdout)


def test_freed_memory_is_kept() -> None:
    assert 4 * faults("kept") < faults("as usual")
