"""What a repair will do, and what no repair can: plain values, known before anything is written."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from taxcheck.config import Dataset
from taxcheck.report import Report, RuleResult
from taxcheck.rule import Outcome

RULES_OF_DATA = ("MAP", "PAIR", "TREE")


@dataclass(frozen=True, slots=True)
class Step:
    """One repair: what is done, to how many rows, and why nothing true is lost by it."""

    rules: tuple[str, ...]  # whose findings it answers; none for what the user wished
    what: str
    rows: int
    safe: str


@dataclass(frozen=True, slots=True)
class Lacking:
    """What cannot be repaired from what was given, and what to give."""

    rule: str
    why: str
    give: str
    blocking: bool  # the gate would fail for it, so nothing is written


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked for beyond repair: how draws are spread over depths."""

    oversample: float | None = None  # a parent-child pair weighs this much more
    target_share: float | None = None  # ... or as much as gives them this share of all draws
    cap_depth: int | None = None  # pairs farther apart are left out
    materialize: bool = False  # rows are repeated, for engines that know no weights

    @property
    def any(self) -> bool:
        """Whether anything is asked for."""
        return self != Wishes()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that ``plan.json`` holds."""

    steps: tuple[Step, ...]
    lacking: tuple[Lacking, ...]
    dataset: Dataset = field(default_factory=Dataset)  # the intent that will be declared
    nodes: tuple[int, int] = (0, 0)  # before, after
    pairs: tuple[int, int] = (0, 0)
    kept: int = 0  # pairs that stand before and after
    held_out: tuple[int, int] | None = None  # rows before, pairs after; None: none were given

    @property
    def possible(self) -> bool:
        """Whether what is left after the repair passes the gate."""
        return not any(one.blocking for one in self.lacking)

    def record(self) -> dict[str, object]:
        """The plan as plain values."""
        before, after = (
            {"nodes": n, "pairs": p} | ({} if h is None else {"held-out pairs": h})
            for n, p, h in zip(self.nodes, self.pairs, self.held_out or (None, None), strict=True)
        )
        return {
            "repairs": [asdict(step) for step in self.steps],
            "not repaired": [asdict(one) for one in self.lacking],
            "before": before,
            "after": after,
            "pairs that stay": self.kept,
            "dataset": asdict(self.dataset),
        }


class Findings:
    """The failures and warnings of a report, by rule id."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._found = {
            r.rule.id: r for r in report.results if r.outcome in (Outcome.FAIL, Outcome.WARN)
        }

    def __contains__(self, rule: str) -> bool:
        return rule in self._found

    def __getitem__(self, rule: str) -> RuleResult:
        return self._found[rule]

    @property
    def ids(self) -> tuple[str, ...]:
        """All of them, in the order of the catalogue."""
        return tuple(self._found)

    @property
    def failed(self) -> int:
        """How many rules failed."""
        return sum(r.outcome is Outcome.FAIL for r in self._found.values())

    def among(self, *rules: str) -> tuple[str, ...]:
        """Those of ``rules`` that were found."""
        return tuple(rule for rule in rules if rule in self._found)

    def count(self, rule: str) -> int:
        """What a rule counted; 0 where it found nothing."""
        result = self._found.get(rule)
        return result.finding.count if result is not None and result.finding else 0

    def blocks(self, rule: str) -> bool:
        """Whether the gate fails for this rule."""
        return rule in self and self[rule].outcome is Outcome.FAIL

    def would_fail(self, rule: str) -> bool:
        """Whether the gate fails where this rule finds something that it does not find yet."""
        soft = (Outcome.WARN, Outcome.INFO, Outcome.WAIVED)
        return not any(r.rule.id == rule and r.outcome in soft for r in self.report.results)

    def lacking(self, rule: str, why: str, give: str) -> Lacking:
        """What cannot be repaired: it blocks where the rule is a failure."""
        return Lacking(rule, why, give, self.blocks(rule))
