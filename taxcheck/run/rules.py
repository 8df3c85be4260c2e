"""Running rules: in the order of their ids, skipped with a reason, failures isolated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from msgspec import structs

from taxcheck.model.finding import Finding, Outcome, Severity, Skip, Unavailable
from taxcheck.model.result import RuleResult, result_of
from taxcheck.model.rule import Rule
from taxcheck.model.written import plain_observed, settled
from taxcheck.policy.model import Policy

_NOTHING = Unavailable("not in this run")


def run_rules(
    rules: Iterable[Rule], inputs: Mapping[str, object], policy: Policy
) -> tuple[RuleResult, ...]:
    """Judge every rule on the inputs that its parameters name, then say what explains what.

    ``inputs`` maps parameter names to values, or to Unavailable.
    """
    results = [(rule, _run(rule, inputs, policy)) for rule in rules]
    found = {r.id for _, r in results if r.outcome in (Outcome.FAIL, Outcome.WARN)}
    return tuple(
        structs.replace(r, caused_by=tuple(c for c in rule.caused_by if c in found))
        if r.outcome in (Outcome.FAIL, Outcome.WARN, Outcome.INFO)
        else r
        for rule, r in results
    )


def _run(rule: Rule, inputs: Mapping[str, object], policy: Policy) -> RuleResult:
    own = policy.of(rule)
    thresholds = policy.thresholds(rule)
    if not own.enabled:
        return result_of(rule, Outcome.SKIPPED, reason="disabled by the policy")
    given = dict(inputs) | {"threshold": thresholds, "dataset": policy.dataset}
    for name in rule.needs:
        value = given.get(name, Unavailable(f"no {name.replace('_', ' ')} in this run"))
        if isinstance(value, Unavailable):
            return result_of(rule, Outcome.SKIPPED, threshold=thresholds, reason=value.reason)
    wanted = {n: v for n in rule.wants if not isinstance(v := given.get(n, _NOTHING), Unavailable)}
    try:
        finding = rule.function(**{name: given[name] for name in rule.needs}, **wanted)
        return _judged(rule, finding, own.severity, thresholds)
    except Skip as skip:
        return result_of(rule, Outcome.SKIPPED, threshold=thresholds, reason=str(skip))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return result_of(rule, Outcome.ERROR, threshold=thresholds, reason=reason)


def _judged(
    rule: Rule, finding: Finding, severity: Severity | None, thresholds: Mapping[str, float]
) -> RuleResult:
    """The result of a finding; an error where it holds what no report can."""
    finding = replace(finding, observed=plain_observed(finding.observed))
    outcome = Outcome.PASS
    if finding.found:
        severity = severity or finding.severity or rule.severity
        outcome, finding = Outcome(severity.value), replace(finding, severity=severity)
    return settled(result_of(rule, outcome, finding, thresholds))
