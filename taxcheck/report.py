"""The Report: one complete, read-only value from which every renderer draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from taxcheck.audit_bins import AuditPictures
from taxcheck.rule import Finding, Observed, Outcome, Rule

SCHEMA_VERSION = "1.2"
_RANK = {
    Outcome.ERROR: 0,
    Outcome.FAIL: 1,
    Outcome.WARN: 2,
    Outcome.INFO: 3,
    Outcome.PASS: 4,
    Outcome.SKIPPED: 5,
}


@dataclass(frozen=True, slots=True)
class InputSummary:
    """One input as it was understood: what was read, and what was inferred."""

    role: str  # "mapping" | "pairs" | "held-out" | "taxonomy" | "policy"
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
    threshold: Mapping[str, float] = field(default_factory=dict)
    caused_by: tuple[str, ...] = ()  # ids of the findings in this report that explain it
    reason: str | None = None  # of a skip, or of an error

    @property
    def message(self) -> str:
        """What was observed, or why nothing was."""
        return self.finding.message if self.finding else (self.reason or "")

    @property
    def observed(self) -> Mapping[str, Observed]:
        """The observed values, empty where the rule did not run."""
        return self.finding.observed if self.finding else {}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar or segment of a picture, already counted."""

    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Draws:
    """What one way of drawing training pairs yields: parts of the draws, which sum to 1."""

    label: str
    shares: tuple[float, float, float]  # at depth 1, at depth 2 to 5, deeper
    declared: bool = False  # the policy says that training draws so


@dataclass(frozen=True, slots=True)
class Pictures:
    """Binned values for the report's pictures; None where there is nothing to draw."""

    roles: tuple[Bar, ...] | None = None  # both, only descendant, only ancestor, never
    depths: tuple[tuple[int, int], ...] | None = None  # (depth_diff, pairs)
    closure_depths: tuple[tuple[int, int], ...] | None = None  # what the complete closure has
    draws: tuple[Draws, ...] | None = None
    id_axis: tuple[tuple[float, float, float], ...] | None = None
    # ^ bins along idx: shares (mapped and in pairs, mapped and in none, hole), each 0 to 1
    taxid_cut: tuple[float, float, float, float] | None = None
    # ^ (taxid = n_nodes as a share of the taxid-ordered axis, its taxid, share covered below it,
    #    share covered from it on); shares are 0 to 1
    taxid_axis: tuple[float, ...] | None = None  # bins of nodes in taxid order: share covered
    table_size: int | None = None
    n_nodes: int | None = None
    pairs_per_node: tuple[tuple[int, int, int], ...] | None = None  # (lowest, highest, nodes)


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one command. ``statistics`` and ``timings`` are JSON-ready."""

    title: str
    version: str
    created: str  # ISO 8601, UTC
    command: str
    inputs: tuple[InputSummary, ...]
    results: tuple[RuleResult, ...]  # in the order of their ids
    statistics: Mapping[str, object]
    pictures: Pictures = Pictures()
    policy_source: str | None = None
    policy_differences: Mapping[str, str] = field(default_factory=dict)
    proof: str | None = None  # which path proved the closure, and of what it is a proof
    timings: Mapping[str, float] | None = None  # seconds by stage; None where reproducible
    packages: Mapping[str, str] = field(default_factory=dict)  # name -> version
    fail_on: Outcome = Outcome.FAIL
    audit: AuditPictures | None = None  # where an embedding table was audited

    def count(self, outcome: Outcome) -> int:
        """How many rules ended so."""
        return sum(result.outcome is outcome for result in self.results)

    @property
    def verdict(self) -> Outcome:
        """ERROR, FAIL, WARN or PASS; SKIPPED where no rule could be evaluated."""
        for outcome in (Outcome.ERROR, Outcome.FAIL, Outcome.WARN):
            if self.count(outcome):
                return outcome
        evaluated = self.count(Outcome.PASS) + self.count(Outcome.INFO)
        return Outcome.PASS if evaluated else Outcome.SKIPPED

    @property
    def exit_code(self) -> int:
        """0 pass or warn, 1 a rule failed, 3 nothing evaluated, 4 a rule broke."""
        if self.verdict is Outcome.ERROR:
            return 4
        if self.verdict is Outcome.SKIPPED:
            return 3
        failing = {Outcome.FAIL} | ({Outcome.WARN} if self.fail_on is Outcome.WARN else set())
        return int(self.verdict in failing)

    @property
    def by_outcome(self) -> tuple[RuleResult, ...]:
        """Results with the worst outcome first, then by id."""
        return tuple(sorted(self.results, key=lambda r: _RANK[r.outcome]))

    @property
    def causes(self) -> tuple[tuple[RuleResult, tuple[RuleResult, ...]], ...]:
        """Failures and warnings as (cause, consequences), the widest-reaching cause first."""
        found = [r for r in self.by_outcome if r.outcome in (Outcome.FAIL, Outcome.WARN)]
        above = {r.rule.id: r.caused_by[0] for r in found if r.caused_by}

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
        for cause, consequences in self.causes:
            for result in (cause, *consequences):
                if result.finding and result.finding.impact:
                    return result.finding.impact
            return cause.message
        if self.verdict is Outcome.ERROR:
            broken = [r for r in self.results if r.outcome is Outcome.ERROR]
            return f"{broken[0].rule.id} broke: {broken[0].reason}"
        if self.verdict is Outcome.SKIPPED:
            return "Nothing could be evaluated."
        skipped = self.count(Outcome.SKIPPED)
        if skipped > len(self.results) // 2:
            judged = len(self.results) - skipped
            return f"Nothing is wrong as far as {judged} of {len(self.results)} rules could judge."
        return "The data is sound."


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
