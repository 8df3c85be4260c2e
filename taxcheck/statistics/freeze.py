"""Closing the pairs' state: what the rules see, once duplicates are known and taken out."""

from __future__ import annotations

import numpy as np

from taxcheck.rule import Defect
from taxcheck.statistics.depths import BELOW_ONE, DIFFERS, SHORTER, DepthState
from taxcheck.statistics.hierarchy.sweep import Repeats
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.samples import SAMPLES, Sink, node_samples
from taxcheck.statistics.values import (
    DepthStatistics,
    IntArray,
    Kind,
    PairStatistics,
)


def pair_statistics(
    state: PairState,
    kind: Kind | None,
    repeats: Repeats | None,
    has_weights: bool,
    sink: Sink | None,
) -> PairStatistics:
    """Freeze the state; ``kind`` None means that no hierarchy could be judged."""
    as_ancestor, as_descendant = state.as_ancestor, state.as_descendant
    if repeats is not None:
        as_ancestor = as_ancestor - repeats.as_ancestor
        as_descendant = as_descendant - repeats.as_descendant
    above, below = as_ancestor > 0, as_descendant > 0
    used = np.flatnonzero(above | below)
    never = np.flatnonzero(state.nodes.mapped & ~above & ~below)
    if sink:
        sink("coverage_gap", {"idx": never})
    valid = len(state.spool)
    disagreement = state.disagreement
    return PairStatistics(
        rows=state.rows,
        valid=valid,
        table_size=int(used[-1]) + 1 if len(used) else 0,
        as_ancestor=as_ancestor,
        as_descendant=as_descendant,
        only_descendant=int(np.count_nonzero(below & ~above)),
        only_ancestor=int(np.count_nonzero(above & ~below)),
        both=int(np.count_nonzero(above & below)),
        never=len(never),
        invalid=state.invalid.freeze(state.rows),
        out_of_range=state.out_of_range.freeze(state.rows - state.invalid.count),
        self_pairs=state.self_pairs.freeze(valid + state.self_pairs.count),
        depth=_depth_statistics(state.depth, kind, repeats) if state.depth else None,
        taxid_disagreement=None if disagreement is None else disagreement.freeze(valid),
        never_samples=tuple(int(idx) for idx in never[:SAMPLES]),
        has_weights=has_weights,
    )


def _depth_statistics(
    state: DepthState, kind: Kind | None, repeats: Repeats | None
) -> DepthStatistics:
    histogram, taken = state.histogram, {BELOW_ONE: 0, DIFFERS: 0, SHORTER: 0}
    if repeats is not None:
        histogram = histogram.merge(repeats.depths.negated())
        taken = repeats.flagged
    depths, counts = histogram.freeze()
    total = int(counts.sum())
    # In a DAG depths by shortest path may differ by less than a pair's own shortest distance.
    wrong, flag = (state.shorter, SHORTER) if kind is Kind.DAG else (state.differs, DIFFERS)
    both = state.below_one.merge(wrong).freeze(total)
    detail = {
        "below_one": state.below_one.count - taken[BELOW_ONE],
        "differs_from_columns": wrong.count - taken[flag],
    }
    inconsistent = None
    if state.node_depths is not None:
        nodes = state.node_depths.inconsistent
        inconsistent = Defect(
            len(nodes),
            state.node_depths.stated,
            node_samples(
                nodes,
                lowest=state.node_depths.lowest[nodes],
                highest=state.node_depths.highest[nodes],
            ),
        )
    return DepthStatistics(
        depths=depths,
        counts=counts,
        mean=float((depths * counts).sum() / total) if total else 0.0,
        median=_median(depths, counts),
        maximum=int(depths[-1]) if len(depths) else 0,
        mismatch=Defect(sum(detail.values()), total, both.samples, detail),
        judged_columns=tuple(sorted(state.judged)),
        inconsistent=inconsistent,
        backwards=state.backwards,
    )


def _median(values: IntArray, counts: IntArray) -> float:
    """The median of a histogram: the mean of the two middle values."""
    total = int(counts.sum())
    if not total:
        return 0.0
    upto = np.cumsum(counts)
    low, high = np.searchsorted(upto, [(total - 1) // 2, total // 2], side="right")
    return float(values[low] + values[high]) / 2
