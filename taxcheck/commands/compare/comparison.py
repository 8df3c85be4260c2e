"""A comparison of two runs: one complete, read-only value from which its renderers draw."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from taxcheck.model.change import REGRESSIONS, CauseChange, Change, RuleChange, ScoreChange
from taxcheck.model.report import InputSummary, Tool

SCHEMA_VERSION = "2.0"
Number = int | float | str | bool | None


class Direction(StrEnum):
    """What the second run is beside the first."""

    BETTER = "better"
    WORSE = "worse"
    MIXED = "mixed"
    UNJUDGED = "no longer judged"  # a finding, or everything: which mends nothing
    UNCHANGED = "unchanged"
    DIFFERENT = "different datasets"  # of which neither is better


class Run(Struct, frozen=True):
    """One of the two reports, as it introduces itself."""

    path: str
    title: str
    created: str  # ISO 8601; empty in a reproducible report
    version: str
    verdict: str
    headline: str
    inputs: tuple[InputSummary, ...]


class NumberChange(Struct, frozen=True):
    """One statistic in both runs; None where a run lacks it."""

    section: str
    name: str
    before: Number
    after: Number

    @property
    def difference(self) -> float | None:
        """After less before, where both are numbers."""
        values = (self.before, self.after)
        if any(isinstance(v, bool | str) or v is None for v in values):
            return None
        return float(self.after or 0) - float(self.before or 0)


class Part(Struct, frozen=True):
    """One part of a whole in both runs, as counts; None where a run cannot tell."""

    label: str
    before: int | None
    after: int | None


class BeforeAfter(Struct, frozen=True):
    """What the pictures show: nodes in pairs, the depth of pairs, how far out rows lie."""

    coverage: tuple[Part, ...] = ()  # nodes of the mapping: in pairs in both roles, ..., in none
    rows: tuple[Part, ...] = ()  # rows that the nodes need, rows of a table sized from the pairs
    depths: tuple[tuple[str, float | None, float | None], ...] = ()  # shares at 1, 2-5, >5
    radii: tuple[tuple[int, float | None, float | None], ...] = ()  # percentiles, hyperbolic


class Listed(Struct, frozen=True):
    """So many nodes, and the first of them as (identifier, name, what changed)."""

    count: int
    first: tuple[tuple[str, str, str], ...] = ()


class Drift(Struct, frozen=True):
    """One taxonomy at two times: its nodes by identifier, its pairs by both of theirs."""

    nodes: tuple[int, int]
    pairs: tuple[int, int]  # distinct
    added: Listed
    removed: Listed
    moved: Listed  # from some parents to others
    attached: Listed  # had no parent, and has one
    detached: Listed  # had a parent, and has none
    renamed: Listed | None  # None: no names were given on both sides
    renumbered: int  # nodes of both with another idx
    pairs_added: int
    pairs_removed: int
    notes: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """One sentence on what changed in the data."""
        kinds = {
            "added": self.added.count,
            "removed": self.removed.count,
            "moved": self.moved.count,
            "attached": self.attached.count,
            "detached": self.detached.count,
            "renamed": self.renamed.count if self.renamed else 0,
            "renumbered": self.renumbered,
        }
        said = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)
        pairs = self.pairs_added + self.pairs_removed
        if not said and not pairs:
            return "The data is the same."
        return f"Nodes: {said or 'none changed'}; {pairs:,} pairs came or went."


class Comparison(Struct, frozen=True, kw_only=True):
    """Two runs beside each other; ``direction``, ``exit_code`` and ``headline`` follow from it."""

    schema_version: str = SCHEMA_VERSION
    direction: Direction = Direction.UNCHANGED
    exit_code: int = 0  # 1: something is new, worse or no longer judged; 3: different datasets
    headline: str = ""  # one sentence with the numbers that matter
    tool: Tool
    created: str  # ISO 8601, UTC
    command: str = ""
    tolerance: float  # by which part of its earlier value something may differ and be the same
    different: bool = False  # two datasets, and not one at two times
    before: Run
    after: Run
    notes: tuple[str, ...] = ()  # what weakens the comparison
    rules: tuple[RuleChange, ...]
    causes: tuple[CauseChange, ...] = ()
    scores: tuple[ScoreChange, ...]
    numbers: tuple[NumberChange, ...]  # every statistic
    pictures: BeforeAfter
    drift: Drift | None = None  # null where the data was not compared

    def __post_init__(self) -> None:
        force_setattr(self, "direction", self._direction())
        failed = self.regressed or bool(self.lost) or not self.judged
        force_setattr(self, "exit_code", 3 if self.different else int(failed))
        force_setattr(self, "headline", self._headline())

    @property
    def version(self) -> str:
        """The taxcheck that compared."""
        return self.tool.version

    def of(self, *changes: Change) -> tuple[RuleChange, ...]:
        """The rules that changed so."""
        return tuple(rule for rule in self.rules if rule.change in changes)

    @property
    def lost(self) -> tuple[RuleChange, ...]:
        """Findings that are no longer judged, which does not mend them."""
        return tuple(rule for rule in self.rules if rule.lost)

    @property
    def judged(self) -> bool:
        """Whether the second run judged anything."""
        return any(rule.after and rule.after.count is not None for rule in self.rules)

    @property
    def regressed(self) -> bool:
        """Whether a finding or a score is new or worse."""
        return bool(self.of(*REGRESSIONS)) or any(s.change in REGRESSIONS for s in self.scores)

    @property
    def improved(self) -> bool:
        """Whether a finding is fixed or better, or a score better."""
        return bool(self.of(Change.FIXED, Change.BETTER)) or any(
            score.change is Change.BETTER for score in self.scores
        )

    def _direction(self) -> Direction:
        """Better, worse, both, neither, or not to be told."""
        if self.different:
            return Direction.DIFFERENT
        if not self.judged:
            return Direction.UNJUDGED
        if self.regressed:
            return Direction.MIXED if self.improved else Direction.WORSE
        if self.improved:
            return Direction.MIXED if self.lost else Direction.BETTER
        return Direction.UNJUDGED if self.lost or not self.judged else Direction.UNCHANGED

    def _headline(self) -> str:
        if self.different:
            return "These are different datasets: neither run is better or worse than the other."
        kinds = (Change.NEW, Change.WORSE, Change.FIXED, Change.BETTER, Change.WAIVED)
        said = [f"{len(found)} {kind.value}" for kind in kinds if (found := self.of(kind))]
        said += [f"{len(self.lost)} no longer judged"] if self.lost else []
        left = sum(
            r.after is not None and r.after.outcome in ("fail", "warn")
            for r in self.of(Change.UNCHANGED)
        )
        said += [f"{left} unchanged"] if left else []
        text = f"Findings: {', '.join(said)}." if said else "No finding in either run."
        text = text if self.judged else f"The second run judged nothing. {text}"
        worse, better = (
            [s for s in self.scores if s.change is kind] for kind in (Change.WORSE, Change.BETTER)
        )
        if worse or better:
            parts = [f"{len(worse)} worse"] if worse else []
            parts += [f"{len(better)} better"] if better else []
            text += f" Scores: {', '.join(parts)} of {len(self.scores)}."
        return f"{text} {self.drift.headline}" if self.drift else text


def comparison_schema() -> dict[str, Any]:
    """The JSON Schema of `taxcheck compare --json`."""
    from taxcheck.model.schema import json_schema  # a comparison does not need it

    return json_schema(Comparison, "comparison", SCHEMA_VERSION)
