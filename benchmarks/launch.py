"""Commands started from a small process, so that their peak memory is their own.

Linux counts what a parent held when it started a child towards the child's peak; a benchmark that
has read a gigabyte would report that for every command it measures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def _compiling() -> dict[str, str]:
    """The environment, in which a command's modules are compiled once and not in each run."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def main() -> None:
    """Run the command that standard input describes; print its time, exit code and peak memory."""
    request = json.load(sys.stdin)
    start = time.perf_counter()
    process = subprocess.Popen(
        request["arguments"], stdout=subprocess.DEVNULL, env={**_compiling(), **request["env"]}
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    told = {
        "seconds": seconds,
        "processor": usage.ru_utime + usage.ru_stime,
        "code": code,
        "memory": usage.ru_maxrss * 1024,
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
