"""The frozen values that rules judge: what is known about the data once it has been read.

Arrays are read-only and indexed by idx unless said otherwise. Every count is exact. Rows that are
invalid, out of range, self pairs or duplicates are counted in their own defect and left out of
everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.model.arrays import BoolArray, IntArray, Whole
from taxcheck.model.finding import Defect
from taxcheck.model.places import Files


class Kind(StrEnum):
    """The shape of the hierarchy, and so the path by which its closure is proved."""

    TREE = "tree"
    DAG = "dag"
    DAMAGED_TREE = "damaged tree"
    UNKNOWN = "tree or DAG"  # damage hides which


@dataclass(frozen=True, slots=True)
class Beyond:
    """Pairs that the edges do not hold, though the descendant's chain is intact.

    Neither a lost parent nor a cycle explains them: edges of a DAG were lost, or they are wrong.
    """

    pairs: int = 0  # distinct, training and held out
    closed: int = 0  # of them, transitively closed with the others, as true pairs are
    several_parents: int = 0  # nodes with several parents, were all of them true


@dataclass(frozen=True, slots=True)
class Identifiers:
    """The identifier of every idx: integers (NCBI taxids) or strings (CHEBI:18357)."""

    integers: IntArray | None  # (n_nodes,), -1 where unmapped
    strings: npt.NDArray[np.object_] | None  # (n_nodes,), None where unmapped

    def of(self, idx: int) -> int | str | None:
        """The identifier of one idx; None where there is none."""
        if self.integers is not None:
            value = int(self.integers[idx]) if 0 <= idx < len(self.integers) else -1
            return None if value < 0 else value
        if self.strings is not None and 0 <= idx < len(self.strings):
            text = self.strings[idx]
            return None if text is None else str(text)
        return None

    def column(self, idx: IntArray) -> pa.Array:
        """The identifiers of some idx, (k,): int64, or strings."""
        if self.integers is not None:
            return pa.array(self.integers[idx])
        assert self.strings is not None
        return pa.array(self.strings[idx], pa.string())


@dataclass(frozen=True, slots=True)
class MappingStatistics:
    """The mapping table, identifier -> idx. ``derived`` means: made from the pairs' own labels."""

    rows: int
    nodes: int  # distinct valid idx
    n_nodes: int  # max valid idx + 1: rows that an embedding table needs
    derived: bool
    identifiers: Identifiers
    mapped: BoolArray  # (n_nodes,)
    row_of: Whole  # (n_nodes,) source row of the idx, -1 where unmapped
    invalid: Defect  # detail: rows by reason
    duplicate_identifiers: Defect  # count: identifiers with more than one idx
    duplicate_idx: Defect  # count: idx with more than one identifier
    lookalikes: Defect  # detail: by kind of difference; total: distinct identifiers
    holes: int  # idx in 0..max that no row maps
    hole_ranges: tuple[tuple[int, int], ...]  # the first ten, (first, last) inclusive
    identifier_density: float  # distinct integer identifiers / (max + 1); 0 for strings
    identifier_minimum: int | None
    idx_density: float  # nodes / n_nodes
    oversized: int  # rows with idx beyond 8 x rows + 1024 that count as taxids used as idx
    max_idx: int  # the largest valid idx, oversized ones included; -1 where there is none
    files: Files | None = None  # of a table of several: where its rows stand


@dataclass(frozen=True, slots=True)
class DepthStatistics:
    """depth_diff over the pairs: the distance from the ancestor down to the descendant."""

    depths: IntArray  # distinct depths, ascending
    counts: IntArray  # pairs at each
    mean: float
    median: float
    maximum: int
    mismatch: Defect  # detail: "below_one", "differs_from_columns"
    judged_columns: tuple[str, ...]  # which of ancestor_depth, descendant_depth the file has
    inconsistent: Defect | None  # nodes with two depths in the file; None: no such column
    backwards: int  # pairs whose descendant_depth < ancestor_depth (0 where not in the file)

    def share(self, lowest: int, highest: int | None = None) -> float:
        """Part of the pairs with lowest <= depth_diff <= highest, 0 to 1."""
        inside = self.depths >= lowest
        if highest is not None:
            inside &= self.depths <= highest
        total = int(self.counts.sum())
        return float(self.counts[inside].sum() / total) if total else 0.0


@dataclass(frozen=True, slots=True)
class WeightStatistics:
    """The weights of the valid pairs."""

    unusable: Defect  # detail: by reason; total: valid pairs
    positive: int  # above 0
    undrawn: Defect  # nodes of the valid pairs, of which none weighs more than 0


@dataclass(frozen=True, slots=True)
class LabelStatistics:
    """The labels of pairs that hold them in place of idx."""

    distinct: int  # of the training pairs; where a mapping is given, those that it lacks
    lookalikes: Defect  # detail: by kind of difference; total: the distinct ones


@dataclass(frozen=True, slots=True)
class PairStatistics:
    """The training pairs (ancestor, descendant) as a whole, and the role of every node."""

    rows: int  # rows in the file
    valid: int  # rows that are no invalid, out-of-range or self pair
    table_size: int  # max idx in valid pairs + 1
    as_ancestor: Whole  # (n,) pairs in which the idx is the ancestor; n >= n_nodes
    as_descendant: Whole  # (n,)
    only_descendant: int
    only_ancestor: int
    both: int
    never: int  # mapped nodes in no valid pair
    invalid: Defect  # detail: rows by reason
    out_of_range: Defect
    self_pairs: Defect
    depth: DepthStatistics | None  # None: the file has no depth_diff
    taxid_disagreement: Defect | None  # None: the file has no taxid columns
    never_samples: tuple[int, ...]  # the first idx in no pair
    weights: WeightStatistics | None  # None: the file has no weights column
    labels: LabelStatistics | None  # None: the pairs hold idx


@dataclass(frozen=True, slots=True)
class HierarchyStatistics:
    """The graph of the depth-1 pairs (or, without depth_diff, of the transitive reduction).

    Training and held-out pairs together make it, so that a split does not look like a gap.
    """

    kind: Kind
    kind_reason: str
    edges_from: str  # "depth_diff" | "transitive reduction" | "declared edges"
    flat: bool  # all distances are 1 though pairs follow from others: a closure without distances
    beyond: Beyond
    nodes: int  # nodes that are in some pair
    edges: int  # distinct depth-1 pairs
    leaves: int  # nodes in some pair that have no child
    cycles: Defect  # count: nodes in cycles; samples: one cycle, in order
    several_parents: Defect  # total: nodes with a parent
    roots: Defect  # count: nodes with no parent, total: nodes; samples: largest trees first
    components: int  # weakly connected
    component_sizes: tuple[int, ...]  # the ten largest, descending
    missing_parent: Defect  # total: nodes that are a descendant in some pair
    max_depth: int  # largest shortest distance from a root
    reversed_is_tree: (
        bool  # with parents and children exchanged it is a forest; as it is, it is not
    )
    closure_depths: IntArray | None  # [k] pairs that the complete closure has at distance k
    false_negative_risk: float | None  # see statistics.hierarchy for the formula
    root_idx: IntArray  # every idx in some pair that has no parent, ascending


@dataclass(frozen=True, slots=True)
class ClosureStatistics:
    """The proof: every pair against the closure of the depth-1 pairs. All counts are exact."""

    path: str  # how it was proved, for people: "Euler tour of the forest" ...
    expected: int  # pairs that the depth-1 pairs imply, those on cycles left out
    distinct: int  # distinct (ancestor, descendant) among the training pairs
    duplicates: Defect  # count: rows beyond the first of their key
    reversed: Defect  # count: unordered {a, d} present in both directions
    missing: Defect  # total: expected; neither in training nor held out
    missing_by_depth: IntArray  # [k] missing pairs at distance k
    false: Defect  # detail: "ancestry", "distance"
    unproven: Defect  # neither proved nor contradicted; detail: "broken_chain", "cycle",
    # "beyond_bound" (more pairs are implied than can be held), "beyond_edges" (in a DAG an edge
    # may be lost), "shorter_way" (at a shorter distance, by an edge that may be lost)
    open: Mapping[str, int]  # nodes with ancestors that are not known, by the first three reasons
    needs: int = 0  # bytes of memory with which nothing would be beyond the bound; 0: nothing is


@dataclass(frozen=True, slots=True)
class TaxonomyStatistics:
    """The mapping and the pairs held against a given taxonomy."""

    source: str
    version: str  # a day, or what else tells one dump from another
    taxa: int
    unknown: Defect  # detail: "absent", "merged", "deleted"; total: mapped nodes
    noise: Defect | None  # detail: nodes by kind of noise; None: no names
    parent_outside: Defect  # mapped nodes whose parent is not mapped
    closing_adds: int  # nodes that closing the mapping upwards would add
    rank_inversion: Defect | None  # total: edges between ranked taxa; None: no ranks
    disagreement: Defect | None  # pairs whose ancestry the taxonomy lacks; None: no pairs
    missing: int  # pairs among mapped nodes that the taxonomy holds and the file lacks


@dataclass(frozen=True, slots=True)
class HeldOutStatistics:
    """The held-out pairs against the training pairs."""

    rows: int
    valid: int
    exact: Defect  # held-out pairs that are training pairs
    reversed: Defect  # held-out pairs that are training pairs the other way round
    implied: Defect  # held-out pairs that follow from the training pairs' own depth-1 edges
    only_held_out: Defect  # nodes in held-out pairs and in no training pair
    # held-out pairs that chains contradict, "ancestry" and "distance", or the taxonomy, "taxonomy"
    false: Defect
    lonely: Defect  # neither implied nor false, and what they imply is in no part
    repeated: int  # held-out rows whose pair another one has
