"""Named corruptions: a sound dataset goes in, a damaged one and exactly what is found come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from taxcheck.selftest.corruptions.frame import DatasetFrame

# (outcome, count); count None where the rule is skipped, or where it only describes.
Verdict = tuple[str, int | None]
SKIPPED: Verdict = ("skipped", None)


@dataclass(frozen=True)
class Corrupted:
    """The damaged dataset, and every rule whose verdict is not that of the sound one.

    ``leads`` are the failures and warnings that the report leads with, where the others have to
    be folded under them; None leaves it at this: what leads is among the corruption's own rules.
    ``observed`` are values that a rule records beside its count.
    """

    frame: DatasetFrame
    expected: Mapping[str, Verdict] = field(default_factory=dict)
    leads: frozenset[str] | None = None
    observed: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


Corrupt = Callable[[DatasetFrame, np.random.Generator], Corrupted]


@dataclass(frozen=True)
class Corruption:
    """A corruption, the rules that it is about, and the sound dataset that it starts from."""

    name: str
    rules: tuple[str, ...]
    base: str
    corrupt: Corrupt


CORRUPTIONS: dict[str, Corruption] = {}


def corruption(*rules: str, base: str = "tree") -> Callable[[Corrupt], Corrupt]:
    """Enter a function into the library under its own name."""

    def enter(function: Corrupt) -> Corrupt:
        name = function.__name__
        if name in CORRUPTIONS:
            raise ValueError(f"two corruptions are called {name}")
        CORRUPTIONS[name] = Corruption(name, rules, base, function)
        return function

    return enter
