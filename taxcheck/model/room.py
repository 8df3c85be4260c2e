"""What is left of the memory of a run for those who ask what went wrong."""

from __future__ import annotations

from dataclasses import dataclass

from taxcheck.model.memory import size_text, usual_memory

# What a run holds by the time that causes are asked, by `python -m benchmarks.scale --only bytes`.
BASE, NODE_BYTES, PAIR_BYTES = 50_000_000, 130, 0.125
SPOOLED, SPOOL = 9, 720 << 20  # bytes of a pair that is kept, as long as all are in memory


class Unasked(Exception):  # noqa: N818 - an outcome, not an error
    """Raised by a cause that was not tested on this data; the text is why, as a clause."""


def held_bytes(nodes: int, pairs: int) -> int:
    """About what so many nodes and pairs take while a run proves them."""
    return int(NODE_BYTES * nodes + PAIR_BYTES * pairs) + min(SPOOLED * pairs, SPOOL)


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that a run may take, and what its nodes and pairs take of them."""

    given: int
    held: int

    @classmethod
    def of(cls, memory: int | None, nodes: int, pairs: int) -> Room:
        """Beside a run that may take ``memory``; None is half of what the machine has."""
        return cls(usual_memory() if memory is None else memory, BASE + held_bytes(nodes, pairs))

    def ask(self, needed: int, what: str) -> None:
        """Unasked where so many bytes more are not there, with the memory that would do."""
        if self.held + needed > self.given:
            raise Unasked(
                f"{what} takes {size_text(needed)}; give `memory` {size_text(self.held + needed)}"
            )

    def look(self, rows: int, each: int, most: int) -> None:
        """Unasked where so many rows, of so many bytes each, are not to be looked at together."""
        if rows > most:
            raise Unasked(f"no more than {most:,} pairs are looked at together")
        self.ask(rows * each, f"looking at {rows:,} pairs together")
