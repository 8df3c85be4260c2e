"""Timing of calls and of whole commands, in one run, so that ratios hold on a noisy machine."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Timed:
    """Seconds of several runs, and the largest resident memory in bytes (0: not measured)."""

    seconds: tuple[float, ...]
    memory: int = 0

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        low, high = min(self.seconds), max(self.seconds)
        return f"{self.median:.2f} s ({low:.2f} to {high:.2f})"


def call(function: Callable[[], object], runs: int = 3, warmup: int = 1) -> Timed:
    """Time a function in this process."""
    seconds = []
    for k in range(warmup + runs):
        start = time.perf_counter()
        function()
        if k >= warmup:
            seconds.append(time.perf_counter() - start)
    return Timed(tuple(seconds))


def command(
    arguments: Sequence[str],
    runs: int = 3,
    warmup: int = 1,
    env: Mapping[str, str] | None = None,
    expect: int = 0,
) -> Timed:
    """Time a whole command, and take its peak memory from the operating system."""
    seconds, memory = [], 0
    request = json.dumps({"arguments": list(arguments), "env": dict(env or {})})
    for k in range(warmup + runs):
        launched = subprocess.run(
            [sys.executable, "-m", "benchmarks.launch"],
            input=request,
            capture_output=True,
            text=True,
            check=True,
        )
        result = json.loads(launched.stdout)
        if result["code"] != expect:
            raise SystemExit(
                f"{' '.join(arguments)}: exit code {result['code']}, expected {expect}\n"
                f"{launched.stderr}"
            )
        if k >= warmup:
            seconds.append(result["seconds"])
            memory = max(memory, result["memory"])
    return Timed(tuple(seconds), memory)
