"""A rule is a document: a pure function of statistics whose docstring explains the defect.

The docstring has a first line (what the defect is), then sections headed ``Why it matters:``,
``How to fix:``, ``Known exceptions:`` and ``References:``. The same text is shown by
``taxcheck explain``, by the documentation and by the HTML report.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Scalar = int | float | str | bool | None
Observed = Scalar | list[Scalar] | dict[str, Scalar]


class Severity(StrEnum):
    """How much a finding weighs; ``info`` never colours the verdict."""

    INFO = "info"
    WARN = "warn"
    FAIL = "fail"


class Outcome(StrEnum):
    """What became of one rule; ``error`` means that the rule itself broke.

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
class Sample:
    """One offending row or node, bounded and deterministic.

    ``row`` is the line (text files, header counted) or record number (binary files), from 1, of
    the input whose role is ``table``; ``values`` are the offending cells by column name; ``node``
    is the idx to look up, from which ``taxid``, ``name`` and ``lineage`` are filled where they are
    known.
    """

    values: Mapping[str, Scalar]
    row: int | None = None
    node: int | None = None
    taxid: Scalar = None
    name: str | None = None
    lineage: str | None = None
    table: str | None = None  # "mapping" | "pairs" | "held-out"


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
    line to change. Observed values are recorded for passes too.
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

    @property
    def share(self) -> float:
        """Part of the total, 0 to 1."""
        return self.count / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number the policy may change, with the real dataset that justifies its default."""

    default: float
    meaning: str
    calibrated_on: str


@dataclass(frozen=True, slots=True)
class Document:
    """A rule's docstring, taken apart into its sections."""

    summary: str
    why: str
    fix: str
    exceptions: str
    references: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the registry holds it.

    ``needs`` are the function's parameters without a default, ``wants`` those with one: what it
    can do without.
    """

    id: str
    name: str
    severity: Severity
    function: Callable[..., Finding]
    needs: tuple[str, ...]
    wants: tuple[str, ...]
    thresholds: Mapping[str, Threshold]
    caused_by: tuple[str, ...]
    document: Document

    @property
    def family(self) -> str:
        """The letters of the id: MAP, PAIR, TREE ..."""
        return self.id.rstrip("0123456789")


_SECTIONS = {
    "Why it matters:": "why",
    "How to fix:": "fix",
    "Known exceptions:": "exceptions",
    "References:": "references",
}


def parse_document(docstring: str) -> Document:
    """Take a rule's docstring apart; ValueError names the section that is missing or empty."""
    texts: dict[str, list[str]] = {"summary": [], **{key: [] for key in _SECTIONS.values()}}
    current = "summary"
    for line in inspect.cleandoc(docstring).splitlines():
        if line.strip() in _SECTIONS:
            current = _SECTIONS[line.strip()]
        else:
            texts[current].append(line)
    parts = {
        key: re.sub(r"\n{3,}", "\n\n", textwrap.dedent("\n".join(lines))).strip("\n")
        for key, lines in texts.items()
    }
    for key, text in parts.items():
        if not text:
            raise ValueError(f"a rule's docstring lacks its section {key!r}")
    return Document(**parts)


def rule(
    id: str,
    severity: Severity | str,
    *,
    thresholds: Mapping[str, Threshold] | None = None,
    caused_by: tuple[str, ...] = (),
) -> Callable[[Callable[..., Finding]], Rule]:
    """Make a rule of a function; its name is the defect, its docstring the document.

    ``caused_by`` lists the rules whose findings explain this one, most fundamental first.
    """

    def decorate(function: Callable[..., Finding]) -> Rule:
        parameters = inspect.signature(function).parameters
        wants = tuple(n for n, p in parameters.items() if p.default is not inspect.Parameter.empty)
        return Rule(
            id=id,
            name=function.__name__,
            severity=Severity(severity),
            function=function,
            needs=tuple(name for name in parameters if name not in wants),
            wants=wants,
            thresholds=dict(thresholds or {}),
            caused_by=caused_by,
            document=parse_document(function.__doc__ or ""),
        )

    return decorate
