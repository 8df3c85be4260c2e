"""What the processes of one run are to each other: one alone, or several by ``torchrun``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Protocol, TypeVar

from taxcheck.errors import TaxcheckError

T = TypeVar("T")


class LostError(TaxcheckError):
    """Another process of the run ended before its time; its own line says why."""


class Peers(Protocol):
    """What the loop asks of the processes of a run; all of them must ask the same."""

    @property
    def writes(self) -> bool:
        """Whether this process writes files, measures and shows: the first does."""

    def share(self, value: T) -> T:
        """What the first process gives, on all of them."""

    def agree(self, seconds: float, signal: int) -> tuple[float, int]:
        """The seconds of the first process, and the signal that any of them got; 0: none."""


@dataclass(frozen=True, slots=True)
class Alone:
    """A run in one process, which is of one mind with itself."""

    @property
    def writes(self) -> bool:
        """It does."""
        return True

    def share(self, value: T) -> T:
        """The same value."""
        return value

    def agree(self, seconds: float, signal: int) -> tuple[float, int]:
        """The same numbers."""
        return seconds, signal


def placed() -> tuple[int, int]:
    """The rank of this process and how many there are, as ``torchrun`` tells it; else (0, 1)."""
    rank, world = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if rank is None or world is None or not (rank + world).isdecimal() or int(world) < 2:
        return 0, 1
    return int(rank), int(world)
