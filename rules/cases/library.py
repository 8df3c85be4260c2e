"""Where all cases of these rules are entered, and how they state what a rule is to say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from taxcheck.commands.selftest.cases import Cases, Count, Explains, Verdict

CASES = Cases()
bad, base, corruption = CASES.bad, CASES.base, CASES.corruption


def _verdicts(outcome: str, **counts: Count) -> dict[str, Verdict]:
    return {rule: (outcome, count) for rule, count in counts.items()}


# fail(MAP001=2, PAIR002=7): those rules fail, with these counts.
fail, warn, info = (partial(_verdicts, outcome) for outcome in ("fail", "warn", "info"))


def wholly(verdicts: Mapping[str, Verdict], *but: str) -> Explains:
    """That a cause explains all that fails or warns, without some rules."""
    return {
        rule: (count, count)
        for rule, (outcome, count) in verdicts.items()
        if outcome in ("fail", "warn") and count is not None and rule not in but
    }
