"""The Report: one complete, read-only value from which every renderer draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from taxcheck.model.change import Baseline, RuleChange
from taxcheck.model.finding import Outcome
from taxcheck.model.leading import Group, grouped, left_of
from taxcheck.model.pictures import AuditPictures, Pictures
from taxcheck.model.reading import Reading
from taxcheck.model.result import FoundCause, RuleResult
from taxcheck.model.series import Series
from taxcheck.model.statistics import Count, Statistics
from taxcheck.model.waiver import WaiverStatus

SCHEMA_VERSION = "2.0"
_RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}  # the worst first


class Tool(Struct, frozen=True):
    """What wrote the report."""

    version: str
    name: Literal["taxcheck"] = "taxcheck"


class InputPart(Struct, frozen=True):
    """One file of an input that is of several."""

    path: str
    bytes: Count
    rows: Count
    fingerprint: str  # "blake3:<hex>"


class InputSummary(Struct, frozen=True):
    """One input as it was understood: what was read, and what was inferred."""

    role: str  # "mapping", "pairs", "held-out", "taxonomy", "checkpoint" or "initial table"
    path: str
    format: str  # "parquet", "tsv", "csv, gzip", "taxdump" ...
    bytes: Count
    rows: Count
    fingerprint: str  # "blake3:<hex>"; of several files, over name, size and digest of all
    columns: Mapping[str, str] = {}  # role of the column -> its name
    notes: tuple[str, ...] = ()  # what was inferred, one sentence each
    reading: Reading | None = None  # of a table of rows: how it was read
    files: tuple[InputPart, ...] = ()  # of an input of several, in the order in which it is read


class PolicySummary(Struct, frozen=True):
    """The policy, where it is not the usual one."""

    source: str | None = None  # its file
    differences: Mapping[str, str] = {}  # setting -> its value


class Report(Struct, frozen=True, kw_only=True):
    """The outcome of one command.

    ``verdict``, ``exit_code`` and ``headline`` follow from the rest whenever a report is made or
    read, so that they cannot contradict it.
    """

    schema_version: Annotated[str, Meta(pattern=r"^2\.[0-9]+$")] = SCHEMA_VERSION
    verdict: Outcome = Outcome.SKIPPED  # "pass", "warn", "fail", "error"; "skipped": nothing judged
    # 0 pass or warn, 1 a rule failed, 3 nothing evaluated or a table not read, 4 a rule broke
    exit_code: int = 3
    headline: str = ""  # one sentence with the number that matters
    tool: Tool
    title: str
    created: str  # ISO 8601, UTC
    command: str
    inputs: tuple[InputSummary, ...]
    results: tuple[RuleResult, ...]  # in the order of their ids
    causes: tuple[FoundCause, ...] = ()  # in the order that leads
    broken_causes: tuple[str, ...] = ()  # why some were not asked, a sentence each
    statistics: Statistics
    pictures: Pictures = Pictures()  # of the data
    audit: AuditPictures | None = None  # pictures of a trained table, where one was audited
    series: Series | None = None  # where tables of one run were judged; the report is the last's
    policy: PolicySummary = PolicySummary()
    fail_on: Outcome = Outcome.FAIL
    rests_on: tuple[str, ...] = ()  # of repaired data: what makes it true, as far as that is known
    proof: str | None = None  # which path proved the closure, and of what it is a proof
    # Whether a taxonomy was held against the pairs; null where a report does not say, as old ones.
    against_taxonomy: bool | None = None
    waivers: tuple[WaiverStatus, ...] = ()  # of the policy; expired and stale ones fail
    baseline: Baseline | None = None  # what the run was held against
    seed: int = 0
    packages: Mapping[str, str] = {}  # name -> version
    timings: Mapping[str, float] | None = None  # seconds by stage; null where reproducible
    cached: bool = False  # kept from an earlier run on equal inputs, on the day of ``created``

    def __post_init__(self) -> None:
        force_setattr(self, "verdict", self._verdict())
        force_setattr(self, "exit_code", self._exit_code())
        force_setattr(self, "headline", self._headline())

    @property
    def version(self) -> str:
        """The taxcheck that wrote it."""
        return self.tool.version

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

    def lost(self, outcome: Outcome) -> tuple[RuleChange, ...]:
        """Findings of the baseline that ended so, and are no longer judged."""
        rules = self.baseline.lost if self.baseline else ()
        return tuple(rule for rule in rules if rule.lost == outcome)

    def _verdict(self) -> Outcome:
        """ERROR, FAIL, WARN or PASS; SKIPPED where no rule could be evaluated.

        A waiver that has expired or waives nothing fails; against a baseline only what is new,
        worse or no longer judged does, and what remains warns.
        """
        if self.count(Outcome.ERROR):
            return Outcome.ERROR
        beside = self.failing_waivers or self._regressed or self.lost(Outcome.FAIL)
        if self.decided_by(Outcome.FAIL) or beside:
            return Outcome.FAIL
        if self.count(Outcome.FAIL) or self.count(Outcome.WARN) or self.lost(Outcome.WARN):
            return Outcome.WARN
        evaluated = sum(self.count(o) for o in (Outcome.PASS, Outcome.INFO, Outcome.WAIVED))
        return Outcome.PASS if evaluated else Outcome.SKIPPED

    def _exit_code(self) -> int:
        if self.verdict is Outcome.ERROR:
            return 4
        if self.verdict is Outcome.SKIPPED:
            return 3
        warned = self.decided_by(Outcome.WARN) or bool(self.lost(Outcome.WARN))
        failed = int(self.verdict is Outcome.FAIL or (self.fail_on is Outcome.WARN and warned))
        unread = self.series is not None and bool(self.series.unread)
        return 3 if unread and not failed else failed

    @property
    def by_outcome(self) -> tuple[RuleResult, ...]:
        """Results with the worst outcome first, then by id."""
        return tuple(sorted(self.results, key=lambda r: _RANK[r.outcome]))

    @property
    def by_cause(self) -> tuple[Group, ...]:
        """Failures and warnings below what leads to them: causes, then findings without one."""
        return grouped(self.by_outcome, self.causes)

    def left(self, result: RuleResult) -> int:
        """How many of a finding's offenders no cause explains."""
        return left_of(result, self.causes)

    def _headline(self) -> str:
        if said := self._by_exception:
            return said
        for group in self.by_cause:
            if group.counting or not group.findings:
                return group.headline
        if self.verdict is Outcome.ERROR:
            broken = [r for r in self.results if r.outcome is Outcome.ERROR]
            return f"{broken[0].id} broke: {broken[0].reason}"
        if self.verdict is Outcome.SKIPPED:
            return "Nothing could be evaluated."
        skipped = self.count(Outcome.SKIPPED)
        if skipped > len(self.results) // 2:
            judged = len(self.results) - skipped
            return f"Nothing is wrong as far as {judged} of {len(self.results)} rules could judge."
        return self._sound

    @property
    def _sound(self) -> str:
        """What is sound; pairs that no taxonomy was held against are so in themselves only."""
        roles = {source.role for source in self.inputs}
        alone = self.against_taxonomy is False
        if "checkpoint" not in roles:
            return f"The data is sound{' in itself' if alone else ''}."
        if "pairs" not in roles:
            return "The table is sound."
        if alone:
            return "The table is sound, and its data in itself."
        return "The table and its data are sound."

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
        if lost := (*self.lost(Outcome.FAIL), *self.lost(Outcome.WARN)):
            return lost[0].told_lost
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
