"""What one rule observed: outcomes, exact counts with bounded samples, findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

Value = TypeVar("Value")
Scalar = int | float | str | bool | None
Observed = Scalar | list[Scalar] | dict[str, Scalar]


class Severity(StrEnum):
    """How much a finding weighs; ``info`` never colours the verdict."""

    INFO = "info"
    WARN = "warn"
    FAIL = "fail"


class Outcome(StrEnum):
    """What became of one rule, the worst first; ``error`` means that the rule itself broke.

    ``waived`` is a failure or a warning that the policy waives: seen, and not counted.
    """

    ERROR = "error"
    FAIL = "fail"
    WARN = "warn"
    WAIVED = "waived"
    INFO = "info"
    PASS = "pass"
    SKIPPED = "skipped"


class Skip(Exception):  # noqa: N818 - an outcome, not an error
    """Raised by a rule that cannot be judged on this data; the text is the reason shown."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Stands where an input is missing; rules that need it are skipped for this reason."""

    reason: str


def known(value: Value | Unavailable) -> Value | None:
    """The value, or None where it is unavailable."""
    return None if isinstance(value, Unavailable) else value


class Sample(Struct, frozen=True, rename={"node": "idx"}):
    """One offending row or node, bounded and deterministic."""

    values: Mapping[str, Scalar]  # the offending cells by column name; table_row counts from 0
    row: int | None = None  # line (text, header counted) or record (binary) of the table, from 1
    node: int | None = None  # by which taxid, name and lineage are looked up
    taxid: Scalar = None
    name: str | None = None
    lineage: str | None = None
    table: str | None = None  # "mapping" | "pairs" | "held-out"
    file: str | None = None  # of a table of several files: the one that the row is in


@dataclass(frozen=True, slots=True)
class Defect:
    """Everything that shares one defect: an exact count, its total, a bounded sample."""

    count: int
    total: int
    samples: tuple[Sample, ...] = ()
    detail: Mapping[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Part of the total, 0 to 1; 0 where there is nothing to count."""
        return self.count / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule observed; ``found`` False means that the rule passed.

    ``severity`` None takes the rule's own; a rule whose weight depends on what it saw sets it.
    ``message`` states the observation with numbers and their total. ``impact`` says in one
    sentence what it does to a training run (the report leads with it). ``fix`` is a command or a
    line to change. Observed values are recorded for passes too; severity, samples, impact and fix
    may always be given, and a pass has none.
    """

    found: bool
    message: str
    severity: Severity | None = None
    count: int = 0
    total: int = 0
    observed: Mapping[str, Observed] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()
    impact: str | None = None
    fix: str | None = None

    def __post_init__(self) -> None:
        """Drop from a pass what only a defect has."""
        if not self.found:
            for name in ("severity", "impact", "fix"):
                object.__setattr__(self, name, None)
            object.__setattr__(self, "samples", ())

    @property
    def share(self) -> float:
        """Part of the total, 0 to 1."""
        return self.count / self.total if self.total else 0.0
