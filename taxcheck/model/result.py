"""What became of one rule, and what a cause explains: the parts that a report is made of."""

from __future__ import annotations

from collections.abc import Mapping
from math import isinf
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct
from msgspec.structs import force_setattr

from taxcheck.model.change import REGRESSIONS, Change
from taxcheck.model.finding import Finding, Observed, Outcome, Sample, Scalar, Severity
from taxcheck.model.rule import Document, Repair, Rule
from taxcheck.model.statistics import Count, Number
from taxcheck.model.waiver import Waiver

_OF_RULE = ("document", "place", "pictures", "judges", "repair", "beyond_repair", "fatal")
_TOLD = ("message", "count", "total", "observed", "samples", "impact", "fix")  # of a finding

if TYPE_CHECKING:
    Limit = float
else:  # JSON has no infinity
    Limit = int | float | Literal["inf", "-inf"]


class Infinite(float):
    """An infinite threshold, which is written as "inf" or "-inf"."""


class Explained(Struct, frozen=True):
    """How many of a finding's offenders something accounts for."""

    rule: str  # id of the finding
    count: Count
    of: Count


class FoundCause(Struct, frozen=True, kw_only=True):
    """What happened to the data, as far as the data bears it out."""

    name: str
    certainty: Literal["certain", "likely"]
    outcome: Outcome  # the worst of what it explains
    message: str  # in one sentence, with the parameters
    parameters: Mapping[str, Scalar] = {}
    explains: tuple[Explained, ...] = ()  # what it accounts for most wholly first
    share: Number = None  # rows and nodes that it explains, of the data that they touch, 0 to 1
    impact: str | None = None  # what it does to a training run
    fix: str | None = None  # what to do; code stands between backticks
    repair: str | None = None  # how `taxcheck fix` undoes it
    why_not: str | None = None  # why it cannot, and what would decide
    guess: bool = False  # nothing but how the numbers lie tells so
    change: Change | None = None  # since the baseline; null where it was not compared with one
    document: Document = Document("", "", "", "", "")

    @property
    def label(self) -> str:
        """What it is called in a list of causes and findings."""
        return self.name

    @property
    def told(self) -> str:
        """The message, and in brackets how much of which finding it accounts for."""
        said = ", ".join(f"{e.rule} {e.count:,} of {e.of:,}" for e in self.explains[:3])
        return f"{self.message} (explains {said})" if said else self.message


class RuleResult(Struct, frozen=True, kw_only=True):
    """What became of one rule, with all that is shown of it; counts are null unless it ran."""

    id: str
    name: str  # the defect
    family: str = ""  # the letters of the id: MAP, PAIR, TREE ...
    outcome: Outcome
    severity: Severity  # of the finding where there is one, else the rule's own
    message: str  # what was observed; where the rule was skipped or broke, why
    count: Count | None = None
    total: Count | None = None
    share: Number = None  # the count as a part of the total, 0 to 1
    observed: Mapping[str, Observed] = {}  # for passes too
    threshold: Mapping[str, Limit] = {}  # as the policy has it; "inf" is one without a limit
    samples: tuple[Sample, ...] = ()
    impact: str | None = None  # what it does to a training run
    fix: str | None = None  # what to do; code stands between backticks
    caused_by: tuple[str, ...] = ()  # names of causes, ids of findings, that explain it
    follows: tuple[Explained, ...] = ()  # how many of its offenders belong to other findings
    reason: str | None = None  # of a skip, or of an error
    waiver: Waiver | None = None  # where it is waived
    change: Change | None = None  # since the baseline; null where it was not compared with one
    document: Document = Document("", "", "", "", "")
    place: tuple[str, ...] = ()  # roles of the inputs that it points to, the nearest first
    pictures: tuple[str, ...] = ()  # that show it
    judges: str | None = None  # the picture whose values it judges
    repair: tuple[Repair, ...] = ()  # what `taxcheck fix` can do about it
    beyond_repair: tuple[str, str] | None = None  # why nothing can be done, and what to give
    fatal: bool = False  # no further training mends it

    def __post_init__(self) -> None:
        force_setattr(self, "family", self.id.rstrip("0123456789"))
        if self.count is not None:
            force_setattr(self, "share", self.count / self.total if self.total else 0.0)
        infinite = {k: Infinite(v) for k, v in self.threshold.items() if isinf(float(v))}
        if infinite:
            force_setattr(self, "threshold", {**self.threshold, **infinite})

    @property
    def label(self) -> str:
        """What it is called in a list of causes and findings."""
        return f"{self.id} {self.name}"

    @property
    def judged(self) -> bool:
        """Whether the rule ran to its end."""
        return self.count is not None

    @property
    def found(self) -> bool:
        """Whether the rule saw what it looks for; what is waived was seen as well."""
        return self.judged and self.outcome is not Outcome.PASS

    @property
    def counts(self) -> bool:
        """Whether a finding decides the verdict: with a baseline, what is new or worse."""
        return self.change is None or self.change in REGRESSIONS


def result_of(
    rule: Rule,
    outcome: Outcome,
    finding: Finding | None = None,
    threshold: Mapping[str, float] | None = None,
    reason: str | None = None,
) -> RuleResult:
    """What became of a rule: its finding, or the reason why there is none."""
    told: dict[str, Any] = {"message": reason or ""}
    if finding is not None:
        told = {name: getattr(finding, name) for name in _TOLD}
    return RuleResult(
        id=rule.id,
        name=rule.name,
        outcome=outcome,
        severity=(finding.severity if finding and finding.found else None) or rule.severity,
        threshold=threshold or {},
        reason=reason,
        **{name: getattr(rule, name) for name in _OF_RULE},
        **told,
    )
