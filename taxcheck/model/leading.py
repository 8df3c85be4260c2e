"""What leads: causes first, then findings that none explains, each above what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from taxcheck.model.finding import Outcome
from taxcheck.model.result import FoundCause, RuleResult

_REST = 0.01  # of a finding that may be left where causes account for it
_RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}  # the worst first


class Group(NamedTuple):
    """What leads, and the findings that it accounts for, the most wholly explained first."""

    lead: FoundCause | RuleResult
    findings: tuple[RuleResult, ...]

    @property
    def counting(self) -> tuple[RuleResult, ...]:
        """The findings that decide a verdict, the leading one among them."""
        own = (self.lead,) if isinstance(self.lead, RuleResult) else ()
        return tuple(result for result in (*own, *self.findings) if result.counts)

    @property
    def headline(self) -> str:
        """What a report says first where this leads."""
        if isinstance(self.lead, FoundCause):
            return self.lead.impact or _sentence(self.lead.message)
        said = next((result.impact for result in self.counting if result.impact), None)
        return said or _sentence(self.counting[0].message)

    @property
    def weight(self) -> tuple[int, float, str]:
        """By severity, then by the share of the data that a finding touches, the worst first."""
        assert isinstance(self.lead, RuleResult)
        worst = min(_RANK[result.outcome] for result in (self.lead, *self.findings))
        return worst, -(self.lead.share or 0.0), self.lead.id


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}" + "." * (not message.endswith("."))


def left_of(result: RuleResult, causes: Iterable[FoundCause]) -> int:
    """How many of a finding's offenders no cause explains."""
    explained = sum(e.count for cause in causes for e in cause.explains if e.rule == result.id)
    return max((result.count or 0) - explained, 0)


def grouped(results: Sequence[RuleResult], causes: Sequence[FoundCause]) -> tuple[Group, ...]:
    """Failures and warnings below what leads to them.

    Causes stand as they are told. A finding that causes account for stands below the one that
    explains most of it; one of which more than a hundredth is left stands for itself, as do those
    without a cause, by severity and then by the share of the data that they touch.
    """
    found = [r for r in results if r.outcome in (Outcome.FAIL, Outcome.WARN)]
    above = _above(found, causes)

    def root(name: str) -> str:
        seen = {name}
        while name in above and above[name] not in seen:
            name = above[name]
            seen.add(name)
        return name

    roots = {result.id: root(result.id) for result in found}

    def below(lead: str, order: Sequence[str] = ()) -> tuple[RuleResult, ...]:
        members = [r for r in found if roots[r.id] == lead and lead not in (r.id, r.name)]
        members.sort(key=lambda r: order.index(r.id) if r.id in order else len(order))
        return tuple(members)

    led = [
        Group(c, below(c.name, [e.rule for e in c.explains]))
        for c in causes
        if c.outcome in (Outcome.FAIL, Outcome.WARN)
    ]
    alone = [Group(r, below(r.id)) for r in found if roots[r.id] == r.id]
    return (*led, *sorted(alone, key=lambda group: group.weight))


def _above(found: Iterable[RuleResult], causes: Sequence[FoundCause]) -> dict[str, str]:
    """The cause, by name, or the finding, by id, below which each finding stands."""
    found = tuple(found)
    causes = [cause for cause in causes if cause.outcome is not Outcome.WAIVED]
    ids = {result.id for result in found}  # what is waived leads nothing
    above: dict[str, str] = {}
    for result in found:
        explained = {c.name: e.count for c in causes for e in c.explains if e.rule == result.id}
        findings = [id for id in result.caused_by if id in ids]
        if explained and left_of(result, causes) <= _REST * (result.count or 0):
            above[result.id] = max(explained, key=lambda name: explained[name])
        elif findings and not explained:
            above[result.id] = findings[0]
    return above
