"""Leaving out taxa of no settled identity, by the marks that MAP008 counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from taxcheck.build.hierarchy import Dropped, Hierarchy, distinct_edges
from taxcheck.errors import UsageError
from taxcheck.statistics.taxonomy import NOISE
from taxcheck.statistics.values import IntArray


def clean(hierarchy: Hierarchy) -> Hierarchy:
    """Drop taxa whose name bears a mark of noise; what hung below them hangs from their parents.

    Roots stay. A sound taxon that loses all its children stays as a leaf.
    """
    if hierarchy.names is None:
        raise UsageError(f"--clean reads names, and {hierarchy.origin.path} has none; leave it out")
    kind = noise_kinds(hierarchy)
    kind[hierarchy.graph.roots] = -1
    noisy = kind >= 0
    if not noisy.any():
        return replace(hierarchy, notes=(*hierarchy.notes, "--clean: no taxon is named as noise"))
    parents, children, moved = _reparented(hierarchy, noisy)
    told = []
    for number, (mark, _) in enumerate(NOISE):
        nodes = np.flatnonzero(kind == number)
        if len(nodes):
            told.append(
                Dropped("taxa", len(nodes), f"named as noise: {mark}", hierarchy.labels(nodes))
            )
    if len(moved):
        told.append(
            Dropped(
                "taxa re-parented",
                len(moved),
                "their parent was named as noise, so they hang from the nearest one that is not",
                hierarchy.labels(moved),
            )
        )
    return hierarchy.with_edges(parents, children).select(~noisy, *told)


def noise_kinds(hierarchy: Hierarchy) -> npt.NDArray[np.int8]:
    """(n,) the first kind of noise, by its place in MAP008's list, that a name bears, or -1."""
    kind: npt.NDArray[np.int8] = np.full(hierarchy.n, -1, dtype=np.int8)
    for number, (_, pattern) in reversed(list(enumerate(NOISE))):
        found = pc.fill_null(pc.match_substring_regex(hierarchy.names, pattern), False)
        kind[found.to_numpy(zero_copy_only=False)] = number
    return kind


def _reparented(
    hierarchy: Hierarchy, noisy: npt.NDArray[np.bool_]
) -> tuple[IntArray, IntArray, IntArray]:
    """Edges in which every noisy parent is replaced by its own parents; and who was moved."""
    above = hierarchy.graph.parents_of
    parents, children = hierarchy.parents, hierarchy.children
    kept = ~noisy[children]
    parents, children = parents[kept], children[kept]
    moved = children[noisy[parents]]
    while (bad := noisy[parents]).any():
        at, higher = above.expand(parents[bad])
        parents = np.concatenate([parents[~bad], higher])
        children = np.concatenate([children[~bad], children[bad][at]])
        parents, children = distinct_edges(parents, children, hierarchy.n)
    return parents, children, np.unique(moved)
