"""What every finding owes to its reader; ``judge`` holds it for each result of every test."""

from __future__ import annotations

from taxcheck.report import RuleResult

# What they find may be meant: they say what to declare, and nothing of a training run.
WITHOUT_IMPACT = {"MAP006", "MAP009", "TREE002", "TREE003", "TREE008"}


def hold(result: RuleResult) -> RuleResult:
    finding = result.finding
    if finding is None:
        return result
    assert finding.message
    assert finding.observed
    assert len(finding.samples) <= 20
    if result.outcome in ("fail", "warn"):
        assert finding.found
        assert finding.fix
        nothing_false = result.rule.id in ("TREE005", "PAIR006") and not finding.count
        assert finding.impact or nothing_false or result.rule.id in WITHOUT_IMPACT
    if result.outcome == "info" and result.rule.id != "PAIR012":
        assert finding.fix
    if result.outcome == "pass":
        assert not finding.found
        assert (finding.impact, finding.fix, finding.severity) == (None, None, None)
    return result
