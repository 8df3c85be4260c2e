"""Identifiers that contradict the idx beside them.

Any numbering keeps a hierarchy whole, so that pairs which are sound by their idx and by their
identifiers say nothing of which of the two is right: identifiers may have been looked up in a table
that is one row off, or the pairs numbered by another mapping. Identifiers are right where pairs
that are numbered by them are sound, and by their idx were not. Identifiers that were torn from
their rows show themselves: one idx then has many.
"""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np

from taxcheck.commands.fix.plan import Findings, Lacking, Step
from taxcheck.commands.fix.proven import judged_by_taxonomy, numbered_anew
from taxcheck.model.arrays import distinct
from taxcheck.model.cause import Mend
from taxcheck.model.rule import Repair
from taxcheck.model.vocabulary import plural
from taxcheck.run.clues import Clues
from taxcheck.run.gather import Gathered
from taxcheck.run.replay import redone
from taxcheck.run.trial import attempt
from taxcheck.statistics.joins import Joins

_NUMBERED = 1.1  # identifiers of an idx, on average, up to which it is a numbering
# what any other numbering changes, and what a mapping that was cut brings about
_BY_NUMBER = ("taxid_disagreement", "coverage_gap", "index_out_of_range")
_WHAT = "number rows by the identifiers beside them"
_WHY = "the mapping gives each identifier its idx, and the idx that stood there to another"
_GIVE = (
    "`taxonomy`, or the ones that are right alone: with `pair_columns` name the columns of idx or "
    "those of identifiers, and leave out the others"
)


def settle(
    data: Gathered, findings: Findings, resources: ExitStack
) -> tuple[Gathered, tuple[Step, ...], tuple[Lacking, ...]]:
    """The data with idx that are those of their identifiers, the step, and what cannot be settled.

    With a taxonomy of this data there is nothing to settle: it says what is true.
    """
    joins = Clues(data, {}).joins
    found = joins.get("taxid_disagreement")
    if found is None or judged_by_taxonomy(data) or Repair.LABELS not in findings:
        return data, (), ()
    mend, rows = _mend(data, found), len(found.ancestor.idx)
    unknown = sum(int(np.count_nonzero(end.wrong & (end.meant < 0))) for end in found.ends)
    numbered = _numbered(found)
    moved = numbered_anew(found, data)  # then no pair is sounder than it was
    if not unknown and not moved and _sound(mend, data, joins, numbered=numbered):
        step = findings.step(Repair.LABELS, _WHAT, rows, _WHY)
        return redone(data, mend, joins, resources), (step,), ()
    if not numbered and not _hierarchy(findings):
        return data, (), ()  # torn from their rows, while the hierarchy is whole
    those = plural(rows, "pair")
    why = f"in {those} the identifiers contradict the idx, and nothing says which are right"
    if unknown:
        why += f"; {unknown:,} of them are not in the mapping"
    return data, (), (findings.lacking(Repair.LABELS, why, _GIVE, True),)


def _mend(data: Gathered, joins: Joins) -> Mend:
    rows = data.symptoms["taxid_disagreement"].rows
    assert rows is not None
    a, d = (np.where(end.meant >= 0, end.meant, end.idx) for end in joins.ends)
    return Mend(_WHAT, _WHY, rows=rows, given=(rows, a, d))


def _numbered(joins: Joins) -> bool:
    """Whether each idx that is contradicted stands beside one identifier only, mostly."""
    idx, meant = (np.concatenate([getattr(e, c)[e.wrong] for e in joins.ends])
                  for c in ("idx", "meant"))  # fmt: skip
    width = int(meant.max(initial=0)) + 3
    several = len(distinct(idx * width + meant + 2))
    return several <= _NUMBERED * len(distinct(idx))


def _sound(mend: Mend, data: Gathered, joins: dict[str, Joins], *, numbered: bool) -> bool:
    """Whether pairs that take the idx of their identifiers lose defects, and get none.

    Where those idx are no numbering, they must have no other defect either.
    """
    trial = attempt(mend, data, joins)
    gone = any(mask.any() for name, mask in trial.explained.items() if name not in _BY_NUMBER)
    whole = all(mask.all() for mask in trial.explained.values())
    return not trial.worse and gone and (numbered or whole)


def _hierarchy(findings: Findings) -> bool:
    """Whether the hierarchy of the idx is broken as well."""
    return bool(
        findings.among(
            Repair.FALSE_PAIRS, Repair.MISSING_PAIRS, Repair.PARENTS, Repair.CYCLES,
            Repair.SEVERAL_PARENTS, Repair.UNRELATED,
        )
    )  # fmt: skip
