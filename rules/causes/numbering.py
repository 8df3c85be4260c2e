"""Causes in which idx were counted otherwise in the pairs than in the mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, ranges, within
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.result import RuleResult
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.joins import Joins
from taxcheck.statistics.numbering import Numbering, matched
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.values import MappingStatistics, TaxonomyStatistics

from .orders import FEWEST, NEARLY, Renumbered, by_table, told_by

_MOST_RUNS = 6  # places where rows were lost or added; of more it is another build
_FOLLOWED = 10_000  # runs, beyond which nothing is a place
_NOISE = 3  # idx in a row that differ alone from those around them are no run
_COVERED = 0.9  # of the mapped idx are used, where only their range tells
_WIDEST = 0.9  # of the idx; of more no range was renumbered, but all of them
_IDENTIFIERS = "identifiers beside the idx of the pairs (ancestor_taxid, descendant_taxid)"
_EITHER = (
    "`taxonomy`, or the mapping with which the pairs were built: the idx may be right, and the "
    "identifiers beside them looked up in a table whose rows were others"
)
_IN_RANGE = "then all idx of the pairs are in the mapping, and all of the mapping in the pairs"


@dataclass(frozen=True, slots=True)
class Run:
    """Idx that differ from those of the mapping by one number."""

    first: int
    last: int
    higher: int  # in the pairs
    idx: int = 0  # how many are known; 0 for an end that is taken for that of the mapping


def runs_of(numbering: Numbering, used: IntArray, mapping: MappingStatistics) -> tuple[Run, ...]:
    """The runs of one difference; none where there are too many to be places of lost rows.

    Where nothing tells what the first and the last idx that are used stand for, they are taken for
    the first and the last that are mapped.
    """
    idx, higher = numbering.differences()
    every = len(idx)
    if every < FEWEST:
        return ()
    runs = _collapsed(idx, higher)
    if len(runs) > _MOST_RUNS:
        lone = [run for run in runs if run.idx < _NOISE]
        if not lone:
            return ()
        starts, ends = (np.array([getattr(run, end) for run in lone]) for end in ("first", "last"))
        within_ = np.searchsorted(starts, idx, side="right") - 1
        kept = (within_ < 0) | (idx > ends[np.maximum(within_, 0)])
        if np.count_nonzero(kept) < NEARLY * every:
            return ()
        runs = _collapsed(idx[kept], higher[kept])
    first, last = np.flatnonzero(mapping.mapped)[[0, -1]]
    before, after = int(used[0] - first), int(used[-1] - last)
    if used[0] < idx[0] and before != runs[0].higher:
        runs = [Run(int(used[0]), int(used[0]) - 1, before), *runs]
    if used[-1] > idx[-1] and after != runs[-1].higher:
        runs = [*runs, Run(int(used[-1]) + 1, int(used[-1]), after)]
    return tuple(runs) if len(runs) <= _MOST_RUNS and any(r.higher for r in runs) else ()


def _collapsed(idx: IntArray, higher: IntArray) -> list[Run]:
    starts = np.flatnonzero(np.r_[True, higher[1:] != higher[:-1]])
    ends = np.r_[starts[1:], len(idx)]
    return [
        Run(int(idx[a]), int(idx[b - 1]), int(higher[a]), int(b - a))
        for a, b in zip(starts[:_FOLLOWED], ends[:_FOLLOWED], strict=True)
    ]


def by_range(used: IntArray, mapping: MappingStatistics) -> int:
    """By how much all idx that are used are higher than those that are mapped; 0 for not at all.

    The first and the last of both, and nearly all between them, have to be the same up to that
    number.
    """
    mapped = np.flatnonzero(mapping.mapped)
    if not _COVERED * len(mapped) <= len(used) <= len(mapped) or len(used) < FEWEST:
        return 0
    higher = int(used[0] - mapped[0])
    same = used[-1] - mapped[-1] == higher and within(mapped, used - higher).all()
    return higher if same else 0


def _shift(
    numbering: Numbering | None, used: IntArray, mapping: MappingStatistics
) -> tuple[int, str]:
    """(how much higher all idx of the pairs are, 0 for not; what tells so)."""
    if not len(used):
        return 0, ""
    if numbering is None:
        return by_range(used, mapping), _IN_RANGE
    runs = runs_of(numbering, used, mapping)
    return (runs[0].higher if len(runs) == 1 else 0), told_by(numbering)


def _from_one(shift: int, used: IntArray, mapping: MappingStatistics) -> bool:
    """Whether one side counts from 0 and the other from 1, up to its number of nodes."""
    if not len(used):
        return False
    first = int(np.argmax(mapping.mapped))
    if shift == 1:
        return first == 0 and int(used[-1]) == mapping.n_nodes
    return shift == -1 and first == 1 and int(used[0]) == 0


def _undecided(numbering: Numbering | None, taxonomy: TaxonomyStatistics | None) -> str | None:
    """What would decide which of two numberings is the right one; None where it is known.

    Any numbering keeps a hierarchy whole: identifiers alone do not say which side was moved.
    """
    if numbering is None:
        return _only_range(taxonomy)
    return _EITHER if numbering.told_by == "identifiers" and taxonomy is None else None


def _only_range(taxonomy: TaxonomyStatistics | None) -> str:
    """What would decide, beside the taxonomy that may be given."""
    other = ", or a taxonomy" if taxonomy is None else ""
    return f"{_IDENTIFIERS}{other}: nothing but the range of the idx tells so"


def _moved(shift: int, why: str) -> Mend:
    return Mend(
        what=f"move the idx of the pairs {'down' if shift > 0 else 'up'} by {abs(shift):,}",
        why=why,
        renumbered=lambda old: np.maximum(old - shift, -1),
    )


def _side(shift: int) -> str:
    return f"{abs(shift):,} {'higher' if shift > 0 else 'lower'}"


@cause()
def shifted_idx(
    used: IntArray,
    mapping: MappingStatistics,
    numbering: Numbering | None = None,
    taxonomy: TaxonomyStatistics | None = None,
) -> Explanation | None:
    """All idx of the pairs differ from those of the mapping by one number.

    Identifiers beside the idx tell it, or a taxonomy in which the pairs are true only once the
    number is taken away, or the range of the idx: those that are used are those that are mapped, up
    to one number.

    Why it matters:
    Every vector is trained under the name of its neighbour in the file. The geometry is right, so
    that the loss falls and nothing is seen until somebody looks a taxon up.

    How to fix:
    Number the pairs by the identifiers that stand beside them, or take the difference away:

        pairs["ancestor_idx"] -= 1
        pairs["descendant_idx"] -= 1

    ``taxcheck fix`` does that. Mostly a header was counted, or a padding row was put first on one
    side alone.

    Known exceptions:
    Without identifiers in the pairs and without a taxonomy a shift shows only where it leaves the
    range of the mapping.

    References:
    - pandas.Series.map: https://pandas.pydata.org/docs/reference/api/pandas.Series.map.html
    """
    shift, why = _shift(numbering, used, mapping)
    if not shift or not len(used) or _from_one(shift, used, mapping):
        return None
    undecided = _undecided(numbering, taxonomy)
    return Explanation(
        message=f"idx in the pairs are {_side(shift)} than in the mapping",
        parameters={"shift": shift},
        free=1,
        mend=_moved(shift, why),
        guess=undecided is not None,
        why_not=undecided,
    )


@cause()
def one_based_idx(
    used: IntArray,
    mapping: MappingStatistics,
    found: Mapping[str, RuleResult],
    numbering: Numbering | None = None,
    taxonomy: TaxonomyStatistics | None = None,
) -> Explanation | None:
    """Idx were counted from 1 in the pairs, in the mapping, or in both.

    An embedding table of n rows has the rows 0 to n - 1. Counted from 1, the last idx is n and no
    node has 0.

    Why it matters:
    Where only one side counts from 1, every vector is trained under its neighbour's name, and the
    last idx is in no table. Where both do, row 0 of the table stands for no taxon.

    How to fix:
    Take 1 away where the numbers are made; R, Julia, MATLAB and SQL's row_number() count from 1:

        pairs[["ancestor_idx", "descendant_idx"]] -= 1

    ``taxcheck fix`` does that.

    Known exceptions:
    A row that is kept for padding on purpose is the first of its table and belongs in the mapping.

    References:
    - torch.nn.Embedding, rows 0 to num_embeddings - 1:
      https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """
    shift, why = _shift(numbering, used, mapping)
    if shift:
        if not _from_one(shift, used, mapping):
            return None
        one, other = ("pairs", "mapping") if shift > 0 else ("mapping", "pairs")
        undecided = _undecided(numbering, taxonomy)
        return Explanation(
            message=f"idx count from 1 in the {one} and from 0 in the {other}",
            explains={"index_hole": True} if shift < 0 and mapping.holes == 1 else {},
            parameters={"counted from 1": one},
            free=0,
            mend=_moved(shift, why),
            guess=undecided is not None,
            why_not=undecided,
        )
    both = "index_hole" in found and mapping.holes == 1 and not mapping.mapped[0]
    both = both and "invalid_mapping_row" not in found  # a row that is not read may have idx 0
    if not both or numbering is not None or not len(used) or used[0] < 1:
        return None
    return Explanation(
        message=f"idx count from 1 in mapping and pairs: 1 to {mapping.nodes:,}",
        explains={"index_hole": True},
        parameters={"counted from 1": "mapping and pairs"},
        free=0,
        fix="``taxcheck fix ... --out fixed/`` numbers mapping and pairs from 0",
    )


def rotation(numbering: Numbering, used: IntArray, mapping: MappingStatistics) -> int:
    """By how much all idx are higher modulo the number of nodes; 0 where they are not."""
    n = mapping.n_nodes
    idx, higher = numbering.differences()
    if len(idx) < FEWEST or not numbering.moved.any():
        return 0
    by, counts = np.unique(higher % n, return_counts=True)
    shift = int(by[np.argmax(counts)])
    around = len(np.unique(higher[higher % n == shift]))
    whole = len(used) == n and used[0] == 0 and used[-1] == n - 1
    return shift if counts.max() >= NEARLY * len(idx) and (around == 2 or whole) else 0


@cause()
def rotated_idx(
    numbering: Numbering, used: IntArray, mapping: MappingStatistics
) -> Explanation | None:
    """All idx of the pairs are shifted around the end: by one number, modulo the number of nodes.

    Why it matters:
    Every vector is trained under another taxon's name. All idx are in range and all nodes are
    covered, so that nothing but identifiers or a taxonomy shows it.

    How to fix:
    Undo the rotation, where the numbers were made by ``np.roll`` or by ``% n``:

        pairs["ancestor_idx"] = (pairs["ancestor_idx"] - shift) % n
        pairs["descendant_idx"] = (pairs["descendant_idx"] - shift) % n

    ``taxcheck fix ... --taxonomy taxdump/`` does that.

    Known exceptions:
    Without identifiers in the pairs and without a taxonomy nothing shows it. Identifiers alone do
    not say which was turned, the idx or they themselves, looked up in a table that is rows off.

    References:
    - numpy.roll: https://numpy.org/doc/stable/reference/generated/numpy.roll.html
    """
    n, shift = mapping.n_nodes, rotation(numbering, used, mapping)
    if not shift:
        return None
    near = shift if 2 * shift <= n else shift - n
    return Explanation(
        message=f"idx in the pairs are {_side(near)} than in the mapping, and go around at {n:,}",
        parameters={"shift": near, "modulo": n},
        free=1,
        mend=Mend(
            what=f"turn the idx of the pairs {'back' if near > 0 else 'on'} by {abs(near):,} "
            f"modulo {n:,}",
            why=told_by(numbering),
            renumbered=lambda old: np.where(old >= 0, (old - shift) % n, old),
        ),
    )


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
        guess=(undecided := _undecided(numbering, taxonomy)) is not None,
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
        f"{_side(step.higher) if step.higher else 'the same'} from idx {step.first:,} on"
        for step in steps
    ]
    first = f"{_side(higher)} at first, " if higher else ""
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


@cause()
def permuted_range(
    numbering: Numbering,
    mapping: MappingStatistics,
    kin: IntArray | None = None,
    graph: Graph | None = None,
) -> Explanation | None:
    """The idx of a range were given to its taxa in another order.

    All taxa that stand at another idx in the pairs than in the mapping have theirs within one
    range, and together they have the same idx. Each taxon has one idx throughout.

    Why it matters:
    The vectors of the range are trained under each other's names, and nothing in the geometry shows
    it.

    How to fix:
    Number the pairs again by identifier:

        index_of = dict(zip(mapping["taxid"], mapping["idx"]))
        pairs["ancestor_idx"] = pairs["ancestor_taxid"].map(index_of)

    ``taxcheck fix ... --taxonomy taxdump/`` does that. A part of the mapping was probably sorted,
    or built again, alone.

    Known exceptions:
    Identifiers alone do not say which of the two was moved, they or the idx. Where all idx are
    permuted no range is, and nothing tells that from two builds. Siblings without children are told
    apart by identifiers only; their pairs are the same either way.

    References:
    - Aho, Hopcroft and Ullman 1974, The Design and Analysis of Computer Algorithms, on isomorphic
      trees
    """
    if numbering.told_by == "taxonomy":
        if graph is None or kin is None or graph.forest is None:
            return None
        old, new = matched(graph.forest, graph.present, kin, mapping.mapped, _WIDEST)
    else:
        moved = numbering.moved
        old, new = numbering.idx[moved], numbering.meant[moved]
    if len(old) < 3 or not np.array_equal(old, np.sort(new)):
        return None
    first, last = int(old[0]), int(old[-1])
    if last - first >= _WIDEST * mapping.n_nodes or 2 * len(old) < last - first:
        return None
    return Explanation(
        message=f"the idx {first:,} to {last:,} are given to their taxa in another order in the "
        "pairs than in the mapping",
        parameters={"first idx": first, "last idx": last, "moved": len(old)},
        free=len(old),
        mend=Mend(
            what=f"give the idx {first:,} to {last:,} of the pairs to the taxa of the mapping",
            why=told_by(numbering),
            renumbered=by_table(old, new, otherwise=None),
        ),
    )
