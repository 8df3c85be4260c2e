"""What every finding owes to its reader; ``judge`` holds it for each result of every test."""

from __future__ import annotations

from taxcheck.model.result import RuleResult

# What they find may be meant: they say what to declare, and nothing of a training run.
WITHOUT_IMPACT = {"MAP006", "MAP009", "TREE002", "TREE003", "TREE008"}


def hold(result: RuleResult) -> RuleResult:
    if not result.judged:
        return result
    assert result.message
    assert result.observed
    assert len(result.samples) <= 20
    if result.outcome in ("fail", "warn"):
        assert result.found
        assert result.fix
        nothing_false = result.id in ("TREE005", "PAIR006") and not result.count
        assert result.impact or nothing_false or result.id in WITHOUT_IMPACT
    if result.outcome == "info" and result.id != "PAIR012":
        assert result.fix
    if result.outcome == "pass":
        assert not result.found
        assert (result.impact, result.fix) == (None, None)
    return result
