"""Rows of one range of nodes that are gone from a file whose rows stand in the order of nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from taxcheck.model.arrays import BoolArray
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import MappingStatistics, PairStatistics

from .called import called
from .lost import MISSING, follows, lost_pairs
from .ordered import Ordered, starts_of

_FEWEST = 20  # nodes in a row without rows
_OTHERS = 0.05  # so many more may have none elsewhere: roots, for one
_USED = 5  # of the nodes, as ancestors of others: else they are new, and in no pair
_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class Block:
    """Nodes one after the other that lost the rows in which they are the descendant."""

    nodes: BoolArray  # (n,)
    edge: BoolArray  # (n,) the groups before and after, which may have lost some
    where: str  # completes "the file of pairs ..."
    ends: bool  # they stood last


def lost_block(
    ordered: Ordered, pairs: PairStatistics, mapping: MappingStatistics, truth: Truth | None
) -> Block | None:
    """The range of nodes without rows; None where there is none, or others lack theirs too.

    The groups of rows have to stand in the order of the idx, and the mapping has to be a file:
    labels are numbered as they come, so that none is ever left out.
    """
    if ordered.groups is None or ordered.groups[0] != "descendant" or mapping.derived:
        return None
    heads = ordered.descendant[starts_of(ordered.descendant)]
    steps = np.diff(heads)
    upwards = bool((steps > 0).all())
    if not upwards and not (steps < 0).all():
        return None
    there = ordered.groups[1] >= 0
    mapped = np.flatnonzero(mapping.mapped[: ordered.n])
    if truth is not None:  # a root, or a taxon that it does not know, has no rows to lose
        mapped = mapped[truth.depth[mapped] > 0]
    first, last = _longest(~there[mapped])
    count = last - first
    others = int(np.count_nonzero(~there[mapped])) - count
    if count < _FEWEST or others > _OTHERS * count:
        return None
    gone = mapped[first:last]
    if np.count_nonzero(pairs.as_ancestor[gone]) < _USED:
        return None
    nodes, edge = np.zeros((2, ordered.n), dtype=bool)
    nodes[gone] = True
    beside = [mapped[k] for k in (first - 1, last) if 0 <= k < len(mapped)]
    edge[beside] = True
    begins, ends = first == 0, last == len(mapped)
    if not upwards:
        begins, ends = ends, begins
    named = " to ".join(called(mapping, int(gone[k]), truth) for k in ((0, -1) if upwards
                                                                       else (-1, 0)))  # fmt: skip
    what = f"those of the descendants {named}, {count:,} nodes"
    if ends:
        return Block(nodes, edge, f"lost its last rows, {what}", True)
    if begins:
        return Block(nodes, edge, f"lost its first rows, {what}", False)
    return Block(nodes, edge, f"lost a block of rows, {what}", False)


def _longest(marked: BoolArray) -> tuple[int, int]:
    """First position, and the one after the last, of the longest run; (0, 0) for none."""
    bounds = np.flatnonzero(np.diff(np.r_[False, marked, False]))
    starts, ends = bounds[::2], bounds[1::2]
    if not len(starts):
        return 0, 0
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])


def explained_by(
    block: Block, symptoms: Symptoms, kept: KeptPairs, truth: Truth | None
) -> Mapping[str, BoolArray | bool] | None:
    """What would be sound with the rows of a block; None where most is missing elsewhere."""
    own = block.nodes | block.edge
    if truth is not None and (found := lost_pairs(symptoms)) is not None:
        chosen = own[found[1]]
        return follows(truth, symptoms, chosen) if chosen.any() else None
    below = _below(own, kept)
    explains: dict[str, BoolArray | bool] = {}
    for name, place, mask in (
        ("coverage_gap", 0, own),
        ("missing_parent", 0, own),
        ("several_roots", 0, own),
        ("missing_ancestor_pair", 1, own | below),
        ("several_parents", 0, own | below),
        ("false_ancestor_pair", 1, own | below),
        ("false_ancestor_pair.unproven", 1, own | below),
        (MISSING, 1, own),
    ):
        if name in symptoms:
            explains[name] = mask[symptoms[name].nodes[place]]
    gap = explains.get("coverage_gap")
    if isinstance(gap, np.ndarray) and np.count_nonzero(~gap) <= 1:
        gap[:] = True  # a root all of whose children lost their rows has no pair left
    missing = explains.get("missing_ancestor_pair")
    if isinstance(missing, np.ndarray) and np.count_nonzero(missing) < _SHARE * len(missing):
        return None
    return explains


def _below(own: BoolArray, kept: KeptPairs) -> BoolArray:
    """Nodes that have one of some nodes, (n,), above them: their chains go through it."""
    below = np.zeros(len(own), dtype=bool)
    for batch in kept.batches():
        below[batch.descendant[own[batch.ancestor]]] = True
    return below
