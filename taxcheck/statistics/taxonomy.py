"""The mapping and the pairs held against a given taxonomy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.finding import Defect
from taxcheck.sources.taxonomies.taxonomy import Taxonomy, find
from taxcheck.statistics.ancestry import Ancestry, PairRows
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.offenders import SAMPLES, Sink, defect_of, node_samples, of_nodes
from taxcheck.statistics.ranks import inversions
from taxcheck.statistics.values import TaxonomyStatistics

# Marks of an unsettled identity, in the order in which a name with several is counted. Calibrated
# on NCBI: Mammalia 31 %, Mollusca 46 %, Echinodermata 54 %, all of life 55 %.
NOISE: tuple[tuple[str, str], ...] = (
    ("unclassified", r"(?i)\bunclassified\b"),
    ("environmental", r"(?i)\benvironmental\b"),
    ("uncultured", r"(?i)\buncultured\b"),
    ("unidentified", r"(?i)\bunidentified\b"),
    ("aff.", r"\baff\."),
    ("cf.", r"\bcf\."),
    ("sp.", r"\bsp\."),
)


@dataclass(frozen=True, slots=True)
class Successors:
    """What merged taxids have become in a taxonomy of some day."""

    version: str
    _old: IntArray  # ascending
    _new: IntArray

    @classmethod
    def in_(cls, taxonomy: Taxonomy) -> Successors:
        """Those that a taxonomy lists."""
        return cls(taxonomy.version, taxonomy.merged_from, taxonomy.merged_to)

    def __bool__(self) -> bool:
        return len(self._old) > 0

    def has(self, taxids: IntArray) -> BoolArray:
        """Which taxids have one, (k,)."""
        return np.asarray(find(self._old, taxids) >= 0)

    def of(self, taxids: IntArray) -> IntArray:
        """The successor of each taxid, (k,), or itself."""
        at = find(self._old, taxids)
        return np.where(at >= 0, self._new[np.maximum(at, 0)], taxids)


def ancestry_of(taxonomy: Taxonomy, identifiers: IntArray) -> Ancestry:
    """The closure of a taxonomy among nodes whose taxids are given, (n,); -1 where one has none."""
    position = np.where(identifiers >= 0, taxonomy.positions(identifiers), -1)
    return Ancestry(Forest.from_parents(taxonomy.parents), position)


def taxonomy_statistics(
    taxonomy: Taxonomy,
    identifiers: IntArray,
    pairs: Iterable[PairRows] | None = None,
    edges: tuple[IntArray, IntArray] | None = None,
    *,
    held_out: Iterable[PairRows] | None = None,
    sink: Sink | None = None,
    complete: bool = True,
    ancestry: Ancestry | None = None,
) -> TaxonomyStatistics:
    """Everything that a taxonomy tells about the mapped taxids and about the pairs.

    ``identifiers`` (n_nodes,) is the taxid of every idx, -1 where unmapped. ``pairs`` are batches
    of (rows, ancestor idx, descendant idx), idx within 0..n_nodes-1; a pair that comes twice counts
    as present once. ``held_out`` pairs fill gaps and are not judged. ``edges`` are (parents,
    children) by idx, as the depth-1 pairs have them; without any, the taxonomy's own edges between
    mapped taxa are judged by rank. Where the pairs are meant to be ``complete`` the sink is told
    of those that they lack. Nodes that the taxonomy does not know, merged and deleted ones
    among them, are counted in ``unknown`` and left out of everything else. ``ancestry`` is what
    ``ancestry_of`` gives, where it is there already.
    """
    mapped = identifiers >= 0
    ancestry = ancestry_of(taxonomy, identifiers) if ancestry is None else ancestry
    forest, position = ancestry.forest, ancestry.position
    outside, closing_adds = _closure(taxonomy, identifiers, position, forest, ancestry.weight, sink)
    disagreement, missing = None, 0
    if pairs is not None:
        lacking = sink if complete else None
        disagreement, missing = ancestry.judge(pairs, held_out, sink, lacking)
    if edges is None:
        edges = _own_edges(taxonomy, position)
    return TaxonomyStatistics(
        source=taxonomy.source,
        version=taxonomy.version,
        taxa=len(taxonomy.taxids),
        unknown=_unknown(taxonomy, identifiers, mapped & (position < 0), mapped, sink),
        noise=_noise(taxonomy.names, identifiers, position, sink),
        parent_outside=outside,
        closing_adds=closing_adds,
        rank_inversion=inversions(taxonomy, position, edges, sink),
        disagreement=disagreement,
        missing=missing,
    )


def _unknown(
    taxonomy: Taxonomy,
    identifiers: IntArray,
    unknown: BoolArray,
    mapped: BoolArray,
    sink: Sink | None,
) -> Defect:
    nodes = np.flatnonzero(unknown)
    taxids = identifiers[nodes]
    merged = taxonomy.is_merged(taxids)
    deleted = taxonomy.is_deleted(taxids) & ~merged
    status = np.where(deleted, "deleted", "absent").astype(object)
    for k in np.flatnonzero(merged[:SAMPLES]):
        status[k] = f"merged into {taxonomy.successor(int(taxids[k]))}"
    if sink:
        sink(of_nodes("unknown_taxid", nodes, taxid=taxids))
    count = {
        "absent": len(nodes) - int(merged.sum() + deleted.sum()),
        "merged": int(merged.sum()),
        "deleted": int(deleted.sum()),
    }
    return Defect(
        count=len(nodes),
        total=int(np.count_nonzero(mapped)),
        samples=node_samples(nodes, taxid=taxids, status=status),
        detail={kind: found for kind, found in count.items() if found},
    )


def noise_kinds(names: pa.Array) -> npt.NDArray[np.int8]:
    """(n,) the first kind of noise, by its place in ``NOISE``, that a name bears, or -1."""
    kind: npt.NDArray[np.int8] = np.full(len(names), -1, dtype=np.int8)
    for number, (_, pattern) in reversed(list(enumerate(NOISE))):
        found = pc.fill_null(pc.match_substring_regex(names, pattern), False)
        kind[found.to_numpy(zero_copy_only=False)] = number
    return kind


def _noise(
    names: pa.Array | None, identifiers: IntArray, position: IntArray, sink: Sink | None
) -> Defect | None:
    """Nodes whose name bears a mark of an unsettled identity; each counts under one kind."""
    if names is None:
        return None
    nodes = np.flatnonzero(position >= 0)
    own = names.take(pa.array(position[nodes]))
    kind = noise_kinds(own)
    noisy = np.flatnonzero(kind >= 0)
    counts = np.bincount(kind[noisy], minlength=len(NOISE))
    if sink:
        sink(of_nodes("noise_taxon", nodes[noisy], taxid=identifiers[nodes[noisy]]))
    first = noisy[:SAMPLES]
    return Defect(
        count=len(noisy),
        total=len(nodes),
        samples=node_samples(
            nodes[first],
            taxid=identifiers[nodes[first]],
            name=np.array(own.take(pa.array(first)).to_pylist(), dtype=object),
        ),
        detail={NOISE[k][0]: int(count) for k, count in enumerate(counts) if count},
    )


def _closure(
    taxonomy: Taxonomy,
    identifiers: IntArray,
    position: IntArray,
    forest: Forest,
    weight: IntArray,
    sink: Sink | None,
) -> tuple[Defect, int]:
    """Nodes whose parent is not mapped, and how many taxa closing the mapping upwards adds.

    Closing ends at the lowest taxon above all mapped ones: a whole clade is closed as it is, though
    its root has a parent.
    """
    known = np.flatnonzero(position >= 0)
    parent = taxonomy.parents[position[known]]
    lost = (parent >= 0) & (weight[parent] == 0)
    nodes = known[lost]
    cells = {"taxid": identifiers[nodes], "parent_taxid": taxonomy.taxids[parent[lost]]}
    outside = defect_of(of_nodes("not_ancestor_closed", nodes, **cells), len(known), sink)
    # Mapped nodes at or below every taxon: a subtree is one stretch of the depth-first walk.
    walk = np.zeros(len(weight) + 1, dtype=np.int64)
    walk[forest.entry + 1] = weight
    before = np.cumsum(walk)
    inside = before[forest.entry + forest.size] - before[forest.entry]
    absent_above = (inside > 0) & (weight == 0)
    common = inside == len(known)  # the chain from a root down to the lowest common taxon
    if len(known) and common.any():
        lowest = forest.depth[common].max()
        absent_above &= ~(common & (forest.depth < lowest))
    return outside, int(np.count_nonzero(absent_above))


def _own_edges(taxonomy: Taxonomy, position: IntArray) -> tuple[IntArray, IntArray]:
    """The taxonomy's edges between mapped taxa, as (parents, children) by idx."""
    idx_at = np.full(len(taxonomy.taxids), -1, dtype=np.int64)
    known = np.flatnonzero(position >= 0)
    idx_at[position[known]] = known
    parent = taxonomy.parents[position[known]]
    above = np.where(parent >= 0, idx_at[parent], -1)
    return above[above >= 0], known[above >= 0]
