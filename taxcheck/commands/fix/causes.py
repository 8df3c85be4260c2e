"""Causes that can be undone: one after the other, each on the data that the one before left.

They are undone in the order in which the report leads with them, and after each the data is
diagnosed anew, so that no cause is undone that another one's undoing has already explained. One
that only identifiers beside the idx tell of is left: see ``identifiers.py``.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from taxcheck.commands.fix.plan import Findings, Step
from taxcheck.commands.fix.proven import judged_by_taxonomy, proves_idx_wrong
from taxcheck.model.cause import Mend
from taxcheck.model.report import Report
from taxcheck.model.result import FoundCause
from taxcheck.model.rule import Repair
from taxcheck.run.clues import Clues
from taxcheck.run.gather import Gathered
from taxcheck.run.judge import judged
from taxcheck.run.replay import redone

_MOST = 8  # causes at once


@dataclass(frozen=True, slots=True)
class Undone:
    """The data without its causes, the reports before and after, and a step for each."""

    data: Gathered
    before: Report
    report: Report
    steps: tuple[Step, ...]
    moved: bool  # idx of the pairs are others than they were


def undo(data: Gathered, resources: ExitStack) -> Undone:
    """Undo what can be; the pairs as they then are last as long as ``resources``."""
    report, mends = judged(data)
    before, steps, moved = report, [], False
    for _ in range(_MOST):
        findings = Findings(report)
        cause = next(
            (one for one in report.causes if _undoable(one, mends.get(one.name), findings, data)),
            None,
        )
        if cause is None or data.intake is None:
            break
        mend = mends[cause.name]
        moved |= _moves(mend) and data.intake.naming.labelled is None
        data = redone(data, mend, Clues(data, {}).joins, resources)
        steps.append(_step(cause, mend.what, mend.why))
        report, mends = judged(data)
    return Undone(data, before, report, tuple(steps), moved)


def _undoable(cause: FoundCause, mend: Mend | None, findings: Findings, data: Gathered) -> bool:
    """Whether enough bears a cause out: no idx is written anew for the sake of a few rows.

    Nor because identifiers alone say so, which may be what is wrong.
    """
    if mend is None:
        return False
    if cause.certainty != "certain" and (_moves(mend) or mend.agreeing is not None):
        return False
    rules = {one.rule for one in cause.explains}
    if not _moves(mend) or rules.isdisjoint(findings.among(Repair.LABELS)):
        return True
    # pairs that are renumbered throughout are as sound as before, but for rows that were left out
    throughout = mend.renumbered is not None and mend.rows is None
    return judged_by_taxonomy(data) or (not throughout and proves_idx_wrong(findings, rules))


def _moves(mend: Mend) -> bool:
    return mend.renumbered is not None or mend.given is not None


def _step(cause: FoundCause, what: str, why: str) -> Step:
    rules = tuple(one.rule for one in cause.explains)
    rows = max((one.count for one in cause.explains), default=0)
    return Step(rules, what, rows, f"{cause.message}; {why}")
