"""What stands beside rules: the smallest data with a defect, and corruptions of sound datasets.

The module of a plugin has them as ``CASES``. A corruption takes a dataset and a seeded generator,
and gives the damaged dataset with the verdict of every rule that must differ from the sound one's.
Counts are worked out by plain reasoning on the small data; nothing of the product takes part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from taxcheck.commands.selftest.folder import Folder
from taxcheck.commands.selftest.frame import DatasetFrame
from taxcheck.model.errors import BrokenError
from taxcheck.run.registry import rule_modules


class About:
    """A count in which chance has a part: it equals every number from ``least`` to ``most``."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __eq__(self, other: object) -> bool:
        if isinstance(other, About):
            return (self.least, self.most) == (other.least, other.most)
        return isinstance(other, int) and self.least <= other <= self.most

    def __hash__(self) -> int:
        return hash((self.least, self.most))

    def __format__(self, spec: str) -> str:
        return f"{self.least:{spec}} to {self.most:{spec}}"

    def __repr__(self) -> str:
        return f"About({self.least}, {self.most})"


Count = int | About
# (outcome, count); count None where the rule is skipped, or where it only describes.
Verdict = tuple[str, Count | None]
Explains = Mapping[str, tuple[Count, Count]]  # id of a rule -> (offenders explained, of its count)
SKIPPED: Verdict = ("skipped", None)


@dataclass(frozen=True)
class Corrupted:
    """The damaged dataset, and every rule whose verdict is not that of the sound one.

    ``leads`` are the failures and warnings that the report leads with, where the others have to
    be folded under them; None leaves it at this: what leads is among the corruption's own rules.
    ``observed`` are values that a rule records beside its count. ``causes`` are all that may be
    named, the one that leads first, each with how many it explains of which rule's count.
    """

    frame: DatasetFrame
    expected: Mapping[str, Verdict] = field(default_factory=dict)
    leads: Set[str] | None = None
    observed: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    causes: Mapping[str, Explains] = field(default_factory=dict)


Corrupt = Callable[[DatasetFrame, np.random.Generator], Corrupted]
Change = Callable[[Folder], Folder | None]
Base = Callable[[], DatasetFrame]


@dataclass(frozen=True)
class Corruption:
    """A corruption, the rules that it is about, and the sound dataset that it starts from."""

    name: str
    rules: tuple[str, ...]  # none: it is no defect, and nothing may be found
    base: str
    corrupt: Corrupt


@dataclass(frozen=True)
class Case:
    """The smallest data that is sound for a rule, and what makes it bad; counts by hand."""

    rule: str
    outcome: str
    count: Count
    why: str
    change: Change  # changes the sound folder, or returns another one
    ok: Callable[[], Folder]
    ok_count: int

    def bad(self) -> Folder:
        """The data that has the defect."""
        folder = self.ok()
        return self.change(folder) or folder

    def write(self, folder: Path) -> None:
        """Both, as ``ok`` and ``bad`` in a folder."""
        self.ok().write(folder / "ok")
        self.bad().write(folder / "bad")


@dataclass
class Cases:
    """All that stands beside the rules of a plugin; its decorators enter functions."""

    of_rule: dict[str, Case] = field(default_factory=dict)
    corruptions: dict[str, Corruption] = field(default_factory=dict)
    bases: dict[str, Base] = field(default_factory=dict)

    def bad(
        self,
        rule: str,
        outcome: str,
        count: Count,
        why: str,
        *,
        ok: Callable[[], Folder] = Folder,
        ok_count: int = 0,
    ) -> Callable[[Change], Change]:
        """Enter what makes the ``ok`` folder bad, and what the rule then says and counts."""

        def enter(change: Change) -> Change:
            self.of_rule[rule] = Case(rule, outcome, count, why, change, ok, ok_count)
            return change

        return enter

    def corruption(self, *rules: str, base: str = "tree") -> Callable[[Corrupt], Corrupt]:
        """Enter a corruption of a base under the name of its function."""

        def enter(function: Corrupt) -> Corrupt:
            name = function.__name__
            _enter(self.corruptions, {name: Corruption(name, rules, base, function)})
            return function

        return enter

    def base(self, name: str) -> Callable[[Base], Base]:
        """Enter a sound dataset; whoever takes it must not change its frames in place."""

        def enter(function: Base) -> Base:
            _enter(self.bases, {name: cache(function)})
            return function

        return enter


def _enter(mine: dict[str, Any], new: Mapping[str, Any]) -> None:
    if both := mine.keys() & new.keys():
        raise BrokenError(f"two cases, corruptions or bases are called {min(both)}")
    mine.update(new)


@cache
def load_cases() -> Cases:
    """Those of all installed rules; BrokenError where two have one name."""
    every = Cases()
    for module in rule_modules():
        for kind, entered in vars(getattr(module, "CASES", Cases())).items():
            _enter(getattr(every, kind), entered)
    return every
