"""Running rules: in the order of their ids, skipped with a reason, failures isolated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from taxcheck.config import Policy
from taxcheck.report import RuleResult
from taxcheck.rule import Outcome, Rule, Skip

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Stands where an input is missing; rules that need it are skipped for this reason."""

    reason: str


_NOTHING = Unavailable("not in this run")


def known(value: Value | Unavailable) -> Value | None:
    """The value, or None where it is unavailable."""
    return None if isinstance(value, Unavailable) else value


def run_rules(
    rules: Iterable[Rule], inputs: Mapping[str, object], policy: Policy
) -> tuple[RuleResult, ...]:
    """Judge every rule on the inputs that its parameters name, then say what explains what.

    ``inputs`` maps parameter names to values, or to Unavailable.
    """
    results = [_run(rule, inputs, policy) for rule in rules]
    found = {r.rule.id for r in results if r.outcome in (Outcome.FAIL, Outcome.WARN)}
    return tuple(
        replace(r, caused_by=tuple(c for c in r.rule.caused_by if c in found))
        if r.outcome in (Outcome.FAIL, Outcome.WARN, Outcome.INFO)
        else r
        for r in results
    )


def _run(rule: Rule, inputs: Mapping[str, object], policy: Policy) -> RuleResult:
    own = policy.of(rule)
    thresholds = policy.thresholds(rule)
    if not own.enabled:
        return RuleResult(rule, Outcome.SKIPPED, reason="disabled by the policy")
    given = dict(inputs) | {"threshold": thresholds, "dataset": policy.dataset}
    for name in rule.needs:
        value = given.get(name, Unavailable(f"no {name.replace('_', ' ')} in this run"))
        if isinstance(value, Unavailable):
            return RuleResult(rule, Outcome.SKIPPED, threshold=thresholds, reason=value.reason)
    wanted = {n: v for n in rule.wants if not isinstance(v := given.get(n, _NOTHING), Unavailable)}
    try:
        finding = rule.function(**{name: given[name] for name in rule.needs}, **wanted)
    except Skip as skip:
        return RuleResult(rule, Outcome.SKIPPED, threshold=thresholds, reason=str(skip))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return RuleResult(rule, Outcome.ERROR, threshold=thresholds, reason=reason)
    if not finding.found:
        return RuleResult(rule, Outcome.PASS, finding, thresholds)
    severity = own.severity or finding.severity or rule.severity
    return RuleResult(
        rule, Outcome(severity.value), replace(finding, severity=severity), thresholds
    )
