"""A comparison of two runs: one complete, read-only value from which its renderers draw."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from taxcheck.changes import REGRESSIONS, Change, RuleChange, ScoreChange

Number = int | float | str | bool | None


class Direction(StrEnum):
    """What the second run is beside the first."""

    BETTER = "better"
    WORSE = "worse"
    MIXED = "mixed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Run:
    """One of the two reports, as it introduces itself."""

    path: str
    title: str
    created: str  # ISO 8601; empty in a reproducible report
    version: str
    verdict: str
    headline: str
    inputs: tuple[tuple[str, str, int, str], ...]  # (role, path, rows, fingerprint)


@dataclass(frozen=True, slots=True)
class NumberChange:
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


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a whole in both runs, as counts; None where a run cannot tell."""

    label: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """What the pictures show: the questions that the incident's diagnosis asked."""

    coverage: tuple[Part, ...] = ()  # nodes of the mapping: in pairs in both roles, ..., in none
    rows: tuple[Part, ...] = ()  # rows that the nodes need, rows of a table sized from the pairs
    depths: tuple[tuple[str, float | None, float | None], ...] = ()  # shares at 1, 2-5, >5
    norms: tuple[tuple[int, float | None, float | None], ...] = ()  # percentiles


@dataclass(frozen=True, slots=True)
class Listed:
    """So many nodes, and the first of them as (identifier, name, what changed)."""

    count: int
    first: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
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


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs beside each other."""

    before: Run
    after: Run
    tolerance: float
    rules: tuple[RuleChange, ...]
    scores: tuple[ScoreChange, ...]
    numbers: tuple[NumberChange, ...]
    pictures: BeforeAfter
    version: str
    created: str
    command: str = ""
    notes: tuple[str, ...] = ()  # what weakens the comparison
    drift: Drift | None = None

    def of(self, *changes: Change) -> tuple[RuleChange, ...]:
        """The rules that changed so."""
        return tuple(rule for rule in self.rules if rule.change in changes)

    @property
    def lost(self) -> tuple[RuleChange, ...]:
        """Findings that are no longer judged, which does not mend them."""
        return tuple(
            rule
            for rule in self.of(Change.LOST)
            if rule.before is not None and rule.before.outcome in ("fail", "warn")
        )

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

    @property
    def direction(self) -> Direction:
        """Better, worse, both, or neither."""
        if self.regressed:
            return Direction.MIXED if self.improved else Direction.WORSE
        if self.improved:
            return Direction.MIXED if self.lost else Direction.BETTER
        return Direction.UNCHANGED

    @property
    def exit_code(self) -> int:
        """1 where something is new or worse, else 0."""
        return int(self.regressed)

    @property
    def headline(self) -> str:
        """One sentence with the numbers that matter."""
        kinds = (Change.NEW, Change.WORSE, Change.FIXED, Change.BETTER, Change.WAIVED)
        said = [f"{len(found)} {kind.value}" for kind in kinds if (found := self.of(kind))]
        said += [f"{len(self.lost)} no longer judged"] if self.lost else []
        left = sum(
            r.after is not None and r.after.outcome in ("fail", "warn")
            for r in self.of(Change.UNCHANGED)
        )
        said += [f"{left} unchanged"] if left else []
        text = f"Findings: {', '.join(said)}." if said else "No finding in either run."
        worse, better = (
            [s for s in self.scores if s.change is kind] for kind in (Change.WORSE, Change.BETTER)
        )
        if worse or better:
            parts = [f"{len(worse)} worse"] if worse else []
            parts += [f"{len(better)} better"] if better else []
            text += f" Scores: {', '.join(parts)} of {len(self.scores)}."
        return f"{text} {self.drift.headline}" if self.drift else text
