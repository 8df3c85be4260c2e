"""What changed between two runs, as values: of rules, of scores, and against a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Change(StrEnum):
    """What became of a rule or a score from one run to another."""

    NEW = "new"
    WORSE = "worse"
    BETTER = "better"
    FIXED = "fixed"
    WAIVED = "waived"
    UNCHANGED = "unchanged"
    DIFFERS = "differs"  # neither better nor worse: what only describes, or cannot be compared
    LOST = "no longer judged"
    GAINED = "now judged"


REGRESSIONS = frozenset({Change.NEW, Change.WORSE})


@dataclass(frozen=True, slots=True)
class Side:
    """A rule in one of the two runs."""

    outcome: str
    count: int | None
    total: int | None
    share: float | None
    message: str


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One rule in both runs; a side is None where the run had no such rule."""

    id: str
    name: str
    change: Change
    before: Side | None
    after: Side | None


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """One score of quality in both runs, each with its interval."""

    label: str
    change: Change
    before: float | None
    after: float | None
    before_interval: tuple[float, float] | None
    after_interval: tuple[float, float] | None
    higher_is_better: bool = True
    note: str = ""  # where the two cannot be compared, or their intervals overlap


class BaselineState(StrEnum):
    """Whether a run could be held against its baseline."""

    COMPARED = "compared"
    MISSING = "no baseline"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a run was held against; where it was not compared, everything counts as new."""

    path: str
    state: BaselineState
    tolerance: float  # by which part of its earlier value something may be worse
    reasons: tuple[str, ...] = ()  # why it was not compared
    created: str = ""
    rules: tuple[RuleChange, ...] = ()
    scores: tuple[ScoreChange, ...] = ()

    @property
    def compared(self) -> bool:
        """Whether only what is new or worse counts."""
        return self.state is BaselineState.COMPARED

    @property
    def worse_scores(self) -> tuple[ScoreChange, ...]:
        """Scores that fell by more than the tolerance."""
        return tuple(score for score in self.scores if score.change in REGRESSIONS)

    def of(self, change: Change) -> tuple[RuleChange, ...]:
        """The rules that changed so."""
        return tuple(rule for rule in self.rules if rule.change is change)

    @property
    def summary(self) -> str:
        """One sentence for every renderer."""
        if not self.compared:
            why = "; ".join(self.reasons)
            return f"Baseline {self.path}: {self.state.value} ({why}). Everything counts as new."
        kinds = (Change.NEW, Change.WORSE, Change.UNCHANGED, Change.BETTER, Change.FIXED)
        found = {"warn", "fail"}
        counts = {
            kind: sum(
                any(side is not None and side.outcome in found for side in (r.before, r.after))
                for r in self.of(kind)
            )
            for kind in kinds
        }
        said = ", ".join(f"{count} {kind.value}" for kind, count in counts.items() if count)
        scores = self.worse_scores
        fell = f"; {len(scores)} of {len(self.scores)} scores worse" if scores else ""
        return (
            f"Against the baseline {self.path} ({self.created[:10] or 'undated'}), tolerance "
            f"{self.tolerance:.2%}: findings {said or 'none, as before'}{fell}."
        )
