"""Binning statistics into the values that a report draws: bounded, whatever the data's size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from taxcheck.model.arrays import BoolArray, IntArray, distinct, doubling, in_ranges
from taxcheck.model.pictures import Bar, Draws, Pictures
from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import (
    DepthStatistics,
    HierarchyStatistics,
    MappingStatistics,
    PairStatistics,
)

_FloatArray = NDArray[np.float64]
_BINS = 200
_DEPTHS = 200


def draw(
    mapping: MappingStatistics,
    pairs: PairStatistics | None,
    tree: HierarchyStatistics | None,
    dataset: Dataset,
) -> Pictures:
    """All pictures that this data allows."""
    n = mapping.n_nodes
    if pairs is None:
        unused = np.zeros(n, dtype=bool)
        return Pictures(id_axis=_id_axis(mapping.mapped, unused), n_nodes=n)
    degree = (pairs.as_ancestor + pairs.as_descendant)[:n]
    cut, axis = _taxid_axis(mapping, degree > 0)
    depth = pairs.depth
    return Pictures(
        roles=(
            Bar("both roles", pairs.both),
            Bar("only descendant", pairs.only_descendant),
            Bar("only ancestor", pairs.only_ancestor),
            Bar("in no pair", pairs.never),
        ),
        depths=None if depth is None else _histogram(depth.depths, depth.counts),
        closure_depths=None
        if depth is None or tree is None or tree.closure_depths is None
        else _histogram(np.arange(len(tree.closure_depths))[1:], tree.closure_depths[1:]),
        draws=None if depth is None else draws(depth, dataset),
        # idx that no file has are no axis for anybody
        id_axis=None if mapping.derived else _id_axis(mapping.mapped, degree > 0),
        taxid_cut=cut,
        taxid_axis=axis,
        table_size=pairs.table_size,
        n_nodes=n,
        pairs_per_node=_pairs_per_node(degree[mapping.mapped]),
    )


def draws(depth: DepthStatistics, dataset: Dataset) -> tuple[Draws, ...] | None:
    """What each way of drawing gives the three ranges; None where no pair has a depth.

    Pairs may weigh the same, each depth that occurs, or each of the ranges that occur.
    """
    if not depth.counts.sum():
        return None
    present = (depth.counts > 0).astype(np.float64)
    by_depth = in_ranges(depth.depths, present)
    held = (by_depth > 0).astype(np.float64)
    uniform, balanced = (dataset.sampler == sampler for sampler in ("uniform", "balanced"))
    return (
        _draws("uniform over pairs", in_ranges(depth.depths, depth.counts), uniform),
        _draws("balanced over depths", by_depth, False),
        _draws("balanced over ranges", held, balanced),
    )


def _draws(label: str, weights: _FloatArray, declared: bool) -> Draws:
    near, middle, far = (float(share) for share in weights / weights.sum())
    return Draws(label, (near, middle, far), declared)


def _histogram(depths: IntArray, counts: IntArray) -> tuple[tuple[int, int], ...]:
    """The first ``_DEPTHS`` depths; all deeper ones are added to the last."""
    pairs = [(int(d), int(c)) for d, c in zip(depths[:_DEPTHS], counts[:_DEPTHS], strict=True)]
    if len(depths) > _DEPTHS:
        pairs[-1] = (pairs[-1][0], pairs[-1][1] + int(counts[_DEPTHS:].sum()))
    return tuple(pairs)


def _bins(n: int) -> IntArray:
    return distinct(np.linspace(0, n, min(_BINS, n) + 1).astype(np.int64))


def _shares(marks: BoolArray) -> list[float]:
    edges = _bins(len(marks))
    if len(edges) < 2:
        return []
    return list(np.add.reduceat(marks.astype(np.float64), edges[:-1]) / np.diff(edges))


def _id_axis(mapped: BoolArray, used: BoolArray) -> tuple[tuple[float, float, float], ...]:
    return tuple(
        zip(_shares(mapped & used), _shares(mapped & ~used), _shares(~mapped), strict=True)
    )


def _taxid_axis(
    mapping: MappingStatistics, used: BoolArray
) -> tuple[tuple[float, float, float, float] | None, tuple[float, ...] | None]:
    """Coverage along the taxids, and where taxid = n_nodes cuts it."""
    integers = mapping.identifiers.integers
    if integers is None or mapping.derived or not mapping.nodes:
        return None, None
    idx = np.flatnonzero(mapping.mapped)
    ordered = idx[np.argsort(integers[idx], kind="stable")]
    covered = used[ordered]
    cut = int(np.searchsorted(integers[ordered], mapping.n_nodes))
    if not 0 < cut < len(ordered):
        return None, tuple(_shares(covered))
    below, above = float(covered[:cut].mean()), float(covered[cut:].mean())
    return (cut / len(ordered), mapping.n_nodes, below, above), tuple(_shares(covered))


def _pairs_per_node(degree: IntArray) -> tuple[tuple[int, int, int], ...]:
    """Nodes by the number of their pairs: 0, then doubling ranges."""
    ordered = np.sort(degree)
    return tuple(
        (low, high, int(np.searchsorted(ordered, high, "right") - np.searchsorted(ordered, low)))
        for low, high in doubling(int(degree.max(initial=0)))
    )
