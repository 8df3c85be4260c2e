"""What a repair will do, and what no repair can: plain values, known before anything is written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field

from taxcheck.model.finding import Outcome
from taxcheck.model.report import Report
from taxcheck.model.rule import Repair
from taxcheck.policy.model import Dataset


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
class RepairPlan:
    """Everything that ``plan.json`` holds."""

    steps: tuple[Step, ...]
    lacking: tuple[Lacking, ...]
    dataset: Dataset = field(default_factory=Dataset)  # the intent that will be declared
    nodes: tuple[int, int] = (0, 0)  # before, after
    pairs: tuple[int, int] = (0, 0)
    kept: int = 0  # pairs that stand before and after
    held_out: tuple[int, int] | None = None  # rows before, pairs after; None: none were given
    rests_on: tuple[str, ...] = ()  # what makes the result true, as far as that is known

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
            "rests on": self.rests_on,
        }


class Findings:
    """The failures and warnings of a report, by what a repair can do about them."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._found = {r.id: r for r in report.results if r.outcome in (Outcome.FAIL, Outcome.WARN)}

    def __contains__(self, repair: Repair) -> bool:
        return bool(self.among(repair))

    @property
    def failed(self) -> int:
        """How many rules failed."""
        return sum(r.outcome is Outcome.FAIL for r in self._found.values())

    @property
    def repairable(self) -> bool:
        """Whether anything was found that a repair can do something about."""
        return any(r.repair for r in self._found.values())

    def has(self, rules: Collection[str]) -> bool:
        """Whether one of these rules found something."""
        return not self._found.keys().isdisjoint(rules)

    def rules(self, repair: Repair) -> tuple[str, ...]:
        """The rules that a repair answers, whether they found something or not."""
        return tuple(r.id for r in self.report.results if repair in r.repair)

    def among(self, *repairs: Repair) -> tuple[str, ...]:
        """Those that found what these repairs answer, each once."""
        rules = (rule for repair in repairs for rule in self.rules(repair) if rule in self._found)
        return tuple(dict.fromkeys(rules))

    def count(self, repair: Repair) -> int:
        """What the rules of a repair counted; 0 where they found nothing."""
        return sum(self._found[rule].count or 0 for rule in self.among(repair))

    def blocks(self, repair: Repair) -> bool:
        """Whether the gate fails for what this repair answers."""
        return any(self._found[rule].outcome is Outcome.FAIL for rule in self.among(repair))

    def would_fail(self, repair: Repair) -> bool:
        """Whether the gate fails where a rule finds something that it does not find yet."""
        soft = (Outcome.WARN, Outcome.INFO, Outcome.WAIVED)
        return not any(repair in r.repair and r.outcome in soft for r in self.report.results)

    def lacking(self, repair: Repair, why: str, give: str, blocking: bool | None = None) -> Lacking:
        """What cannot be repaired; unless it is said, it blocks where the gate fails for it."""
        rules = self.among(repair) or self.rules(repair)
        return Lacking(rules[0], why, give, self.blocks(repair) if blocking is None else blocking)

    def step(self, repair: Repair, what: str, rows: int, safe: str) -> Step:
        """A step that answers what the rules of one repair found."""
        return Step(self.among(repair), what, rows, safe)

    def beyond_repair(self) -> tuple[Lacking, ...]:
        """Findings that no other data would mend, unless something else explains them."""
        return tuple(
            Lacking(id, *result.beyond_repair, result.outcome is Outcome.FAIL)
            for id, result in self._found.items()
            if result.beyond_repair and not result.caused_by
        )
