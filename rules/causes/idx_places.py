"""The cause in which the idx differ from a place on, where the mapping lost rows or gained some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, ranges
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.joins import Joins
from taxcheck.statistics.numbering import Numbering
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.values import MappingStatistics, TaxonomyStatistics

from .idx_runs import Run, runs_of, side
from .renumbering import Renumbered, told_by, what_decides


@cause()
def shifted_from(
    numbering: Numbering,
    used: IntArray,
    mapping: MappingStatistics,
    joins: Mapping[str, Joins],
    symptoms: Symptoms,
    kin: IntArray | None = None,
    graph: Graph | None = None,
    taxonomy: TaxonomyStatistics | None = None,
) -> Explanation | None:
    """From an idx on, those of the pairs differ from those of the mapping by a number.

    A row of the mapping was lost or added there after the pairs were built, and the rest of it
    numbered anew. There may be a few such places.

    Why it matters:
    All vectors from there on are trained under another taxon's name. Every idx but the last is in
    range, so that leaving out the pairs that are not leaves thousands that are false.

    How to fix:
    Give the mapping with which the pairs were built, or number the pairs again by identifier:

        index_of = dict(zip(mapping["taxid"], mapping["idx"]))
        pairs["ancestor_idx"] = pairs["ancestor_taxid"].map(index_of)

    ``taxcheck fix`` moves the idx, and leaves out the pairs of a taxon whose row was lost.

    Known exceptions:
    Without identifiers in the pairs and without a taxonomy nothing shows the place: then it is
    known only that both are of different builds.

    References:
    - pandas.DataFrame.reset_index, the usual way to number rows anew:
      https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.reset_index.html
    """
    runs = runs_of(numbering, used, mapping)
    if len(runs) < 2 or _far(runs, mapping):
        return None
    steps = [
        Step(at, max(gained, 0), after.higher)
        for before, after in pairwise(runs)
        for at, gained in (
            (_place(before, after, numbering, runs, kin, graph), after.higher - before.higher),
        )
        # else the last rows are lost, and nothing is shifted
        if at + gained <= used[-1]
    ]
    if not steps:
        return None
    lost = ranges(np.array([s.at for s in steps]), np.array([s.lost for s in steps]))
    leaving = f", and leave out the pairs of {plural(len(lost), 'taxon', 'taxa')} that it lost"
    return Explanation(
        message=_places(runs[0].higher, steps),
        explains=_of_lost(joins, symptoms, lost),
        parameters={
            "from idx": ", ".join(str(step.first) for step in steps),
            "shift": ", ".join(str(step.higher) for step in steps),
        },
        free=2 * len(steps),
        mend=Mend(
            what="move the idx of the pairs to those of the mapping from where they begin to "
            f"differ{leaving if len(lost) else ''}",
            why=told_by(numbering),
            renumbered=stepwise(runs[0].higher, steps),
        ),
        guess=(undecided := what_decides(numbering, taxonomy)) is not None,
        why_not=undecided,
    )


@dataclass(frozen=True, slots=True)
class Step:
    """A place where the mapping lost rows, or gained some."""

    at: int  # the first idx of the pairs that is no more as before
    lost: int  # idx from there on that stand for nobody
    higher: int  # from then on, in the pairs

    @property
    def first(self) -> int:
        """The first idx that is shifted."""
        return self.at + self.lost


def stepwise(higher: int, steps: list[Step]) -> Renumbered:
    """What takes idx to those of the mapping: ``higher`` before the first step, -1 for nobody."""
    starts = np.array([at for step in steps for at in (step.at, step.first)])
    by = np.array([higher, *(k for step in steps for k in (step.higher, step.higher))])
    nobody = np.array([False, *(k for step in steps for k in (step.lost > 0, False))])

    def renumbered(idx: IntArray) -> IntArray:
        at = np.searchsorted(starts, idx, side="right")
        return np.where(nobody[at], -1, idx - by[at])

    return renumbered


def _far(runs: tuple[Run, ...], mapping: MappingStatistics) -> bool:
    """Whether more rows would be lost or added than there are."""
    return max(abs(b.higher - a.higher) for a, b in pairwise(runs)) >= mapping.n_nodes


def _places(higher: int, steps: list[Step]) -> str:
    parts = [
        f"{side(step.higher) if step.higher else 'the same'} from idx {step.first:,} on"
        for step in steps
    ]
    first = f"{side(higher)} at first, " if higher else ""
    lost, now = sum(step.lost for step in steps), steps[-1].higher
    gained = lost - (now - higher)
    what = [f"lost {plural(lost, 'row')}"] if lost else []
    what += [f"gained {plural(gained, 'row')}"] if gained else []
    return (
        f"idx in the pairs are {first}{', then '.join(parts)} compared with the mapping, "
        f"which {' and '.join(what)} there"
    )


def _of_lost(
    joins: Mapping[str, Joins], symptoms: Symptoms, lost: IntArray
) -> dict[str, BoolArray | bool]:
    """Rows of taxa whose own row of the mapping was lost: putting it back makes them sound."""
    explained: dict[str, BoolArray | bool] = {}
    denied = symptoms.get("disagrees_with_taxonomy")
    if denied is not None and len(lost):
        explained[denied.defect] = np.logical_or.reduce(
            [np.isin(column, lost) for column in denied.nodes]
        )
    for name in ("taxid_disagreement", "index_out_of_range"):
        if name in joins and len(lost):
            ends = joins[name].ends
            explained[name] = np.logical_or.reduce(
                [np.isin(end.idx, lost) & (end.meant < 0) for end in ends]
            )
    return explained


def _place(
    before: Run,
    after: Run,
    numbering: Numbering,
    runs: tuple[Run, ...],
    kin: IntArray | None,
    graph: Graph | None,
) -> int:
    """Where between two runs the difference changes.

    Where a taxonomy tells, it is where most edges are the taxonomy's.
    """
    low, high = before.last + 1, after.first  # the change lies in low..high
    if numbering.told_by == "identifiers" or kin is None or graph is None:
        return low
    if high <= low:
        return low
    n = len(kin)
    u, v = graph.parents, graph.children
    touched = ((u >= low) & (u < high)) | ((v >= low) & (v < high))
    u, v = u[touched], v[touched]
    u_in, v_in = (u >= low) & (u < high), (v >= low) & (v < high)
    firsts = np.array([run.first for run in runs[1:]])
    by = np.array([run.higher for run in runs])

    def agrees(higher: int) -> BoolArray:
        def moved(idx: IntArray, own: BoolArray) -> IntArray:
            return idx - np.where(own, higher, by[np.searchsorted(firsts, idx, side="right")])

        a, d = moved(u, u_in), moved(v, v_in)
        return np.asarray((a >= 0) & (kin[np.clip(d, 0, n - 1)] == a) & (d >= 0) & (d < n))

    size = high - low
    last = np.maximum(np.where(u_in, u, low), np.where(v_in, v, low)) - low
    first = np.minimum(np.where(u_in, u, high), np.where(v_in, v, high)) - low
    # edges wholly before the place are as before, those wholly after it as after
    up_to = np.cumsum(np.bincount(last, agrees(before.higher), size))
    since = np.cumsum(np.bincount(first, agrees(after.higher), size)[::-1])[::-1]
    gained = max(after.higher - before.higher, 0)
    place = np.arange(max(size - gained, 0) + 1)
    score = np.r_[0, up_to][place] + np.r_[since, 0][np.minimum(place + gained, size)]
    return low + int(np.argmax(score))
