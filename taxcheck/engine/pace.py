"""How fast a run goes: what it has spent, what its next step and its end will take."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pace:
    """Seconds of one process. Its first step also loads or compiles, and foretells nothing."""

    before: float = 0.0  # spent by the runs that this one continues
    step: float = 0.0  # of the last step but the first
    rate: float | None = None  # of each of its pairs
    end: float = 0.0  # of an evaluation and of all files
    promised: float = 0.0  # ``ahead`` of the first process, on all of them
    _steps: int = 0
    _began: float = field(default_factory=lambda: time.perf_counter())

    @property
    def spent(self) -> float:
        """Since the training began, files and evaluations included."""
        return self.before + time.perf_counter() - self._began

    @property
    def ahead(self) -> float:
        """What one more step and the end would take."""
        return self.step + self.end

    def stepped(self, seconds: float, pairs: int) -> bool:
        """Note a step; whether it is the first that tells how long the run will take."""
        self._steps += 1
        if self._steps > 1:
            self.step, self.rate = seconds, seconds / max(pairs, 1)
        return self._steps == 2

    @contextlib.contextmanager
    def ending(self) -> Iterator[None]:
        """What happens in the block happens at the end again, and the files twice."""
        began = time.perf_counter()
        yield
        self.end = 2 * (time.perf_counter() - began)
