"""Numbers at the inner nodes of a tree: support values, or what the nodes are called.

Newick has one place for both. Support is repeated, has decimals, or stays within 0..100; names are
distinct, and beyond that, or they count the nodes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

from taxcheck.model.errors import UsageError

INNER_LABELS = ("names", "support")
_DECIMAL = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_SUPPORT = re.compile(rf"{_DECIMAL}(?:/{_DECIMAL})*")
_WHOLE = re.compile(r"0|[1-9]\d{0,14}")
_NAMED = re.compile(rf"{_DECIMAL}:(.+)", re.S)  # as GTDB writes it: '100.0:g__Bacillus'
_CODE = re.compile(r"\w+(?:\.\w+){2,}\.?-?")  # such as 1.1.1 of enzymes, beside which 1.1 is a name
_ANNOTATION = re.compile(r"\[.*\]", re.S)  # as ASTRAL quotes them
_REPLICATES = 10_000  # more of a bootstrap, nobody makes


@dataclass(frozen=True, slots=True)
class Inner:
    """The name of every inner node, None where it has none; and what was decided about numbers."""

    names: list[str | None]
    numbers: int = 0
    meant: str = ""  # "names" or "support"
    why: str = ""
    guessed: bool = False  # whether whole numbers alone told it

    def note(self) -> str:
        """What was read as what, and how to say otherwise; "" where there was no number."""
        if not self.numbers:
            return ""
        other = "names" if self.meant == "support" else "support"
        are = f"numbers at inner nodes are read as {self.meant}"
        if self.meant == "support":
            are += ", not as names"
        return f"{self.numbers:,} {are}: {self.why}; `inner_labels` {other} says otherwise"


def told_apart(
    labels: Sequence[str],
    quoted: Set[int],
    leaves: Sequence[str],
    asked: str | None,
    shown: str,
) -> Inner:
    """Names of inner nodes from their labels, the root's first; ``quoted`` are places in them.

    Raises UsageError where numbers could be either and ``asked`` does not say which.
    """
    split = [_NAMED.fullmatch(label) for label in labels]
    names: list[str | None] = [
        found[1] if found else None if _ANNOTATION.fullmatch(label) else label or None
        for label, found in zip(labels, split, strict=True)
    ]
    at = [k for k, name in enumerate(names) if name and not split[k] and _SUPPORT.fullmatch(name)]
    if not at:
        return Inner(names)
    numbers, numbered = [labels[k] for k in at], set(at)
    others = [name for k, name in enumerate(names) if k and name and k not in numbered]
    evidence = _Numbers(numbers, 0 in at, not quoted.isdisjoint(at), others, leaves)
    decided = (asked, "as it was asked", False) if asked else evidence.meaning(any(split))
    if decided is None:
        raise UsageError(
            f"{shown}: {len(at):,} inner nodes have numbers ({', '.join(numbers[:3])} …) which "
            "could be support values or names; say which with `inner_labels`, support or names"
        )
    if decided[0] == "support":
        for k in at:
            names[k] = None
    return Inner(names, len(at), *decided)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Numbers at inner nodes, and what is around them."""

    numbers: Sequence[str]
    at_root: bool
    quoted: bool
    others: Sequence[str]  # names of inner nodes below the root that are no numbers
    leaves: Sequence[str]

    def meaning(self, joined: bool) -> tuple[str, str, bool] | None:
        """Names or support, why, and whether that is a guess; None where it cannot be told.

        ``joined``: other inner labels are a number and a name.
        """
        if joined:
            return "support", "others are written as support:name", False
        if all(map(_WHOLE.fullmatch, self.numbers)):
            return None if (whole := self._whole()) is None else (*whole, True)
        if any(map(_CODE.fullmatch, self.others)):
            return "names", "others are dotted codes", False
        return "support", "they are no whole numbers", False

    def _whole(self) -> tuple[str, str] | None:
        values = [int(number) for number in self.numbers]
        highest, distinct = max(values), len(set(values)) == len(values)
        numbered = all(map(_WHOLE.fullmatch, self.leaves))
        if highest > _REPLICATES:
            return "names", f"some are beyond {_REPLICATES:,}"
        if not distinct:
            return "support", "some are there more than once"
        if numbered and not set(self.leaves).isdisjoint(self.numbers):
            return ("support", "leaves have the same numbers") if highest <= 100 else None
        if self._counted(values, numbered):
            return "names", "they count the nodes"
        if highest > 100:
            if numbered or self.at_root or self.others or highest > 1_000:
                return "names", "they are distinct, and some are beyond 100"
            return None
        if numbered or (self.others and not self.quoted):
            return None
        if self.quoted:
            return "names", "they are distinct and in quotes"
        return "support", "all are within 0 to 100"

    def _counted(self, values: Sequence[int], numbered: bool) -> bool:
        """Whether the numbers, with those of the leaves where they are any, are 1, 2, 3 ..."""
        together = sorted([*values, *(map(int, self.leaves) if numbered else ())])
        first = together[0]
        least = 2 if first == 1 else 3  # 0 and 1 may be support
        run = together == list(range(first, first + len(together)))
        return run and first in (0, 1) and len(together) >= least
