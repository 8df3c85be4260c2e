"""Results and their order, for reports built by hand."""

from collections.abc import Mapping

from taxcheck.report import RuleResult
from taxcheck.rule import Finding, Outcome

from .catalogue import CATALOGUE, rule


def result(
    id: str,
    outcome: Outcome,
    message: str,
    *,
    caused_by: tuple[str, ...] = (),
    threshold: Mapping[str, float] | None = None,
    **finding: object,
) -> RuleResult:
    broken = outcome in (Outcome.SKIPPED, Outcome.ERROR)
    found = outcome in (Outcome.FAIL, Outcome.WARN, Outcome.INFO)
    return RuleResult(
        rule=rule(id, caused_by),
        outcome=outcome,
        finding=None if broken else Finding(found, message, **finding),  # type: ignore[arg-type]
        threshold=threshold or {},
        caused_by=caused_by,
        reason=message if broken else None,
    )


def complete(
    given: list[RuleResult],
    skipped: Mapping[str, str],
    total: int,
    catalogue: Mapping[str, tuple[str, str]] = CATALOGUE,
) -> tuple:
    """The given results, the skipped ones, and a pass for every other rule."""
    known = {r.rule.id: r for r in given}
    for id, (name, _) in catalogue.items():
        if id in skipped:
            known[id] = result(id, Outcome.SKIPPED, skipped[id])
        elif id not in known:
            said = f"0 of {total:,} rows show {name.replace('_', ' ')}."
            known[id] = result(id, Outcome.PASS, said, total=total, observed={"rows": 0})
    return tuple(known[id] for id in catalogue)
