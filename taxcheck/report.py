"""The Report: one complete, read-only value from which every renderer draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from taxcheck.audit_bins import AuditPictures
from taxcheck.changes import REGRESSIONS, Baseline, Change
from taxcheck.data_bins import Pictures
from taxcheck.rule import Finding, Observed, Outcome, Rule
from taxcheck.waivers import Waiver, WaiverStatus

SCHEMA_VERSION = "1.4"
_RANK = {
    Outcome.ERROR: 0,
    Outcome.FAIL: 1,
    Outcome.WARN: 2,
    Outcome.WAIVED: 3,
    Outcome.INFO: 4,
    Outcome.PASS: 5,
    Outcome.SKIPPED: 6,
}


@dataclass(frozen=True, slots=True)
class InputSummary:
    """One input as it was understood: what was read, and what was inferred."""

    role: str  # "mapping" | "pairs" | "held-out" | "taxonomy" | "checkpoint" | "initial table"
    path: str
    format: str  # "parquet", "tsv", "csv, gzip", "taxdump" ...
    bytes: int
    rows: int
    fingerprint: str  # "blake3:<hex>"
    columns: Mapping[str, str] = field(default_factory=dict)  # role of the column -> its name
    notes: tuple[str, ...] = ()  # what was inferred, one sentence each


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What became of one rule. ``finding`` is None where it was skipped or broke."""

    rule: Rule
    outcome: Outcome
    finding: Finding | None = None
    threshold: Mapping[str, int | float] = field(default_factory=dict)  # as the policy has it
    caused_by: tuple[str, ...] = ()  # ids of the findings in this report that explain it
    reason: str | None = None  # of a skip, or of an error
    waiver: Waiver | None = None  # where the outcome is WAIVED
    change: Change | None = None  # since the baseline, where there is one to compare with

    @property
    def counts(self) -> bool:
        """Whether a finding decides the verdict: with a baseline, what is new or worse."""
        return self.change is None or self.change in REGRESSIONS

    @property
    def message(self) -> str:
        """What was observed, or why nothing was."""
        return self.finding.message if self.finding else (self.reason or "")

    @property
    def observed(self) -> Mapping[str, Observed]:
        """The observed values, empty where the rule did not run."""
        return self.finding.observed if self.finding else {}


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one command. ``statistics`` and ``timings`` are JSON-ready."""

    title: str
    version: str
    created: str  # ISO 8601, UTC
    command: str
    inputs: tuple[InputSummary, ...]
    results: tuple[RuleResult, ...]  # in the order of their ids
    statistics: Mapping[str, Any]
    pictures: Pictures = field(default_factory=Pictures)
    policy_source: str | None = None
    policy_differences: Mapping[str, str] = field(default_factory=dict)
    proof: str | None = None  # which path proved the closure, and of what it is a proof
    timings: Mapping[str, float] | None = None  # seconds by stage; None where reproducible
    packages: Mapping[str, str] = field(default_factory=dict)  # name -> version
    fail_on: Outcome = Outcome.FAIL
    audit: AuditPictures | None = None  # where an embedding table was audited
    waivers: tuple[WaiverStatus, ...] = ()  # what became of every waiver of the policy
    baseline: Baseline | None = None  # what the run was held against
    cached: bool = False  # kept from an earlier run on equal inputs, on the day that it was created

    def count(self, outcome: Outcome) -> int:
        """How many rules ended so."""
        return sum(result.outcome is outcome for result in self.results)

    @property
    def failing_waivers(self) -> tuple[WaiverStatus, ...]:
        """Waivers that have expired, or have nothing left to waive."""
        return tuple(status for status in self.waivers if status.fails)

    def decided_by(self, outcome: Outcome) -> bool:
        """Whether a rule that ended so counts towards the verdict."""
        return any(result.outcome is outcome and result.counts for result in self.results)

    @property
    def _regressed(self) -> bool:
        return self.baseline is not None and bool(self.baseline.worse_scores)

    @property
    def verdict(self) -> Outcome:
        """ERROR, FAIL, WARN or PASS; SKIPPED where no rule could be evaluated.

        A waiver that has expired or waives nothing fails; against a baseline only what is new or
        worse does, and what remains warns.
        """
        if self.count(Outcome.ERROR):
            return Outcome.ERROR
        if self.decided_by(Outcome.FAIL) or self.failing_waivers or self._regressed:
            return Outcome.FAIL
        if self.count(Outcome.FAIL) or self.count(Outcome.WARN):
            return Outcome.WARN
        evaluated = sum(self.count(o) for o in (Outcome.PASS, Outcome.INFO, Outcome.WAIVED))
        return Outcome.PASS if evaluated else Outcome.SKIPPED

    @property
    def exit_code(self) -> int:
        """0 pass or warn, 1 a rule failed, 3 nothing evaluated, 4 a rule broke."""
        if self.verdict is Outcome.ERROR:
            return 4
        if self.verdict is Outcome.SKIPPED:
            return 3
        strict = self.fail_on is Outcome.WARN and self.decided_by(Outcome.WARN)
        return int(self.verdict is Outcome.FAIL or strict)

    @property
    def by_outcome(self) -> tuple[RuleResult, ...]:
        """Results with the worst outcome first, then by id."""
        return tuple(sorted(self.results, key=lambda r: _RANK[r.outcome]))

    @property
    def causes(self) -> tuple[tuple[RuleResult, tuple[RuleResult, ...]], ...]:
        """Failures and warnings as (cause, consequences), the widest-reaching cause first."""
        found = [r for r in self.by_outcome if r.outcome in (Outcome.FAIL, Outcome.WARN)]
        ids = {r.rule.id for r in found}  # a cause that is waived leads nothing
        above = {r.rule.id: c for r in found for c in r.caused_by[::-1] if c in ids}

        def root(rule: str) -> str:
            while rule in above:
                rule = above[rule]
            return rule

        groups = [
            (cause, tuple(r for r in found if r is not cause and root(r.rule.id) == cause.rule.id))
            for cause in found
            if cause.rule.id not in above
        ]

        def weight(group: tuple[RuleResult, tuple[RuleResult, ...]]) -> tuple[int, int, str]:
            cause, consequences = group
            worst = min(_RANK[result.outcome] for result in (cause, *consequences))
            return worst, -len(consequences), cause.rule.id

        return tuple(sorted(groups, key=weight))

    @property
    def headline(self) -> str:
        """One sentence with the number that matters."""
        if said := self._by_exception:
            return said
        for cause, consequences in self.causes:
            for result in (cause, *consequences):
                if result.finding and result.finding.impact and result.counts:
                    return result.finding.impact
            if any(result.counts for result in (cause, *consequences)):
                return next(r for r in (cause, *consequences) if r.counts).message
        if self.verdict is Outcome.ERROR:
            broken = [r for r in self.results if r.outcome is Outcome.ERROR]
            return f"{broken[0].rule.id} broke: {broken[0].reason}"
        if self.verdict is Outcome.SKIPPED:
            return "Nothing could be evaluated."
        skipped = self.count(Outcome.SKIPPED)
        if skipped > len(self.results) // 2:
            judged = len(self.results) - skipped
            return f"Nothing is wrong as far as {judged} of {len(self.results)} rules could judge."
        if "checkpoint" not in (roles := {source.role for source in self.inputs}):
            return "The data is sound."
        return "The table and its data are sound." if "pairs" in roles else "The table is sound."

    @property
    def _by_exception(self) -> str:
        """The headline where waivers or a baseline decide, and no finding of this run does."""
        if self.count(Outcome.ERROR) or any(
            self.decided_by(outcome) for outcome in (Outcome.FAIL, Outcome.WARN)
        ):
            return ""
        if self.failing_waivers:
            return self.failing_waivers[0].message
        if self.baseline is not None and self._regressed:
            score = self.baseline.worse_scores[0]
            return f"{score.label} is worse than before: {score.before:.4g} then {score.after:.4g}."
        left = self.count(Outcome.FAIL) + self.count(Outcome.WARN)
        if left:
            return (
                f"Nothing is new or worse than in the baseline; {left} known "
                f"finding{'s remain' if left > 1 else ' remains'}."
            )
        if waived := self.count(Outcome.WAIVED):
            return f"Nothing is wrong beyond {waived} waived finding{'s' if waived > 1 else ''}."
        return ""


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How a report is to be shown; a renderer may ignore what does not apply to it."""

    color: bool = False
    width: int = 100  # characters
    verbose: bool = False  # list every rule, not only what was found


class Renderer(Protocol):
    """A pure function from a report to text; found through ``taxcheck.renderers``."""

    def __call__(self, report: Report, options: RenderOptions) -> str:
        """The whole output, ending with a newline."""
        ...
