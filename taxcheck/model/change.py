"""What changed between two runs, as values: of rules, of scores, and against a baseline."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from taxcheck.model.vocabulary import number


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


class Side(Struct, frozen=True):
    """A rule in one of the two runs."""

    outcome: str
    count: int | None
    total: int | None
    share: float | None
    message: str


class RuleChange(Struct, frozen=True):
    """One rule in both runs; a side is None where the run had no such rule."""

    id: str
    name: str
    change: Change
    before: Side | None
    after: Side | None

    @property
    def lost(self) -> str:
        """The outcome of a finding ("fail" or "warn") that is no longer judged, else empty."""
        was = self.before.outcome if self.before else ""
        return was if self.change is Change.LOST and was in ("fail", "warn") else ""

    @property
    def told_lost(self) -> str:
        """One sentence on a finding that is no longer judged."""
        was = "failed" if self.lost == "fail" else "warned"
        why = f": {self.after.message}" if self.after and self.after.message else ""
        return f"{self.id} {self.name} {was} before and is no longer judged{why.rstrip('.')}."


class CauseChange(Struct, frozen=True):
    """One cause in both runs: how many offenders it explains, None where it is not named."""

    name: str
    change: Change
    before: int | None
    after: int | None

    @property
    def told(self) -> str:
        """One sentence on it."""
        if self.after is None:
            return f"{self.name} is gone; it explained {self.before or 0:,} offenders."
        if self.before is None:
            return f"{self.name} is a new cause; it explains {self.after:,} offenders."
        more = self.after - self.before
        said = f"{abs(more):,} {'more' if more > 0 else 'fewer'}" if more else "as many"
        return f"{self.name} is the same cause as last time, {said} offenders."


class ScoreChange(Struct, frozen=True):
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


class Baseline(Struct, frozen=True):
    """What a run was held against; where it was not compared, everything counts as new."""

    path: str
    state: BaselineState
    tolerance: float  # by which part of its earlier value something may be worse
    reasons: tuple[str, ...] = ()  # why it was not compared
    created: str = ""
    rules: tuple[RuleChange, ...] = ()
    scores: tuple[ScoreChange, ...] = ()
    causes: tuple[CauseChange, ...] = ()

    @property
    def compared(self) -> bool:
        """Whether only what is new or worse counts."""
        return self.state is BaselineState.COMPARED

    @property
    def worse_scores(self) -> tuple[ScoreChange, ...]:
        """Scores that fell by more than the tolerance."""
        return tuple(score for score in self.scores if score.change in REGRESSIONS)

    @property
    def lost(self) -> tuple[RuleChange, ...]:
        """Findings that are no longer judged, which does not mend them; compared or not."""
        return tuple(rule for rule in self.rules if rule.lost)

    def of(self, change: Change) -> tuple[RuleChange, ...]:
        """The rules that changed so."""
        return tuple(rule for rule in self.rules if rule.change is change)

    @property
    def summary(self) -> str:
        """One sentence for every renderer."""
        if not self.compared:
            why = "; ".join(self.reasons)
            said = f"Baseline {self.path}: {self.state.value} ({why}). Everything counts as new"
            return f"{said}; {len(self.lost)} no longer judged." if self.lost else f"{said}."
        kinds = (Change.NEW, Change.WORSE, Change.UNCHANGED, Change.BETTER, Change.FIXED)
        counts = {kind: len(self.of(kind)) for kind in kinds}
        counts[Change.UNCHANGED] = sum(  # what only passes is unchanged too
            r.after is not None and r.after.outcome in ("warn", "fail")
            for r in self.of(Change.UNCHANGED)
        )
        counts[Change.LOST] = len(self.lost)
        said = ", ".join(f"{count} {kind.value}" for kind, count in counts.items() if count)
        scores = self.worse_scores
        fell = f"; {len(scores)} of {len(self.scores)} scores worse" if scores else ""
        return (
            f"Against the baseline {self.path} ({self.created[:10] or 'undated'}), tolerance "
            f"{number(self.tolerance * 100)} %: findings {said or 'none, as before'}{fell}."
        )
