"""Results for reports built by hand."""

from collections.abc import Mapping

from msgspec.structs import replace

from taxcheck.model.finding import Finding, Outcome, Severity
from taxcheck.model.result import RuleResult, result_of

from .catalogue import rule


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
    severity = Severity(outcome.value) if found else None
    made = result_of(
        rule(id, caused_by),
        outcome,
        None if broken else Finding(found, message, severity, **finding),  # type: ignore[arg-type]
        threshold,
        message if broken else None,
    )
    return replace(made, caused_by=caused_by)
