"""The frozen values that rules judge: what is known about the data once it has been read.

Arrays are read-only and indexed by idx unless said otherwise. Every count is exact. Rows that are
invalid, out of range, self pairs or duplicates are counted in their own defect and left out of
everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from taxcheck.rule import Defect

IntArray = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]  # where n is many and values stay below 2**31
BoolArray = npt.NDArray[np.bool_]


class Kind(StrEnum):
    """The shape of the hierarchy, and so the path by which its closure is proved."""

    TREE = "tree"
    DAG = "dag"
    DAMAGED_TREE = "damaged tree"


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


@dataclass(frozen=True, slots=True)
class MappingStatistics:
    """The mapping table, identifier -> idx. ``derived`` means: made from the pairs' own labels."""

    rows: int
    nodes: int  # distinct valid idx
    n_nodes: int  # max valid idx + 1: rows that an embedding table needs
    derived: bool
    identifiers: Identifiers
    mapped: BoolArray  # (n_nodes,)
    row_of: IntArray  # (n_nodes,) source row of the idx, -1 where unmapped
    invalid: Defect  # MAP001; detail: rows by reason
    duplicate_identifiers: Defect  # MAP002; count: identifiers with more than one idx
    duplicate_idx: Defect  # MAP003; count: idx with more than one identifier
    holes: int  # MAP004; idx in 0..max that no row maps
    hole_ranges: tuple[tuple[int, int], ...]  # the first ten, (first, last) inclusive
    identifier_density: float  # distinct integer identifiers / (max + 1); 0 for strings
    identifier_minimum: int | None
    idx_density: float  # nodes / n_nodes
    oversized: int  # rows with idx beyond 8 x rows + 1024 that count as taxids used as idx (MAP007)
    max_idx: int  # the largest valid idx, oversized ones included; -1 where there is none


@dataclass(frozen=True, slots=True)
class DepthStatistics:
    """depth_diff over the pairs: the distance from the ancestor down to the descendant."""

    depths: IntArray  # distinct depths, ascending
    counts: IntArray  # pairs at each
    mean: float
    median: float
    maximum: int
    mismatch: Defect  # PAIR008; detail: "below_one", "differs_from_columns"
    judged_columns: tuple[str, ...]  # which of ancestor_depth, descendant_depth the file has
    inconsistent: Defect | None  # TREE006: nodes with two depths in the file; None: no such column
    backwards: int  # pairs whose descendant_depth < ancestor_depth (0 where not in the file)

    def share(self, lowest: int, highest: int | None = None) -> float:
        """Part of the pairs with lowest <= depth_diff <= highest, 0 to 1."""
        inside = self.depths >= lowest
        if highest is not None:
            inside &= self.depths <= highest
        total = int(self.counts.sum())
        return float(self.counts[inside].sum() / total) if total else 0.0


@dataclass(frozen=True, slots=True)
class PairStatistics:
    """The training pairs (ancestor, descendant) as a whole, and the role of every node."""

    rows: int  # rows in the file
    valid: int  # rows left after MAP/PAIR001, 002 and 005
    table_size: int  # max idx in valid pairs + 1
    as_ancestor: IntArray  # (n,) pairs in which the idx is the ancestor; n >= n_nodes
    as_descendant: IntArray  # (n,)
    only_descendant: int
    only_ancestor: int
    both: int
    never: int  # mapped nodes in no valid pair
    invalid: Defect  # PAIR001; detail: rows by reason
    out_of_range: Defect  # PAIR002
    self_pairs: Defect  # PAIR005
    depth: DepthStatistics | None  # None: the file has no depth_diff
    taxid_disagreement: Defect | None  # PAIR010; None: the file has no taxid columns
    never_samples: tuple[int, ...]  # the first idx in no pair
    has_weights: bool  # a weights column is in the file


@dataclass(frozen=True, slots=True)
class HierarchyStatistics:
    """The graph of the depth-1 pairs (or, without depth_diff, of the transitive reduction).

    Training and held-out pairs together make it, so that a split does not look like a gap.
    """

    kind: Kind
    kind_reason: str
    edges_from: str  # "depth_diff" | "transitive reduction" | "declared edges"
    nodes: int  # nodes that are in some pair
    edges: int  # distinct depth-1 pairs
    leaves: int  # nodes in some pair that have no child
    cycles: Defect  # TREE001; count: nodes in cycles; samples: one cycle, in order
    several_parents: Defect  # TREE002; total: nodes with a parent
    roots: (
        Defect  # TREE003; count: nodes with no parent, total: nodes; samples: largest trees first
    )
    components: int  # weakly connected
    component_sizes: tuple[int, ...]  # the ten largest, descending
    missing_parent: Defect  # TREE007; total: nodes that are a descendant in some pair
    max_depth: int  # largest shortest distance from a root
    reversed_is_tree: (
        bool  # with parents and children exchanged it is a forest; as it is, it is not
    )
    closure_depths: IntArray | None  # [k] pairs that the complete closure has at distance k
    false_negative_risk: float | None  # PAIR013; see statistics.hierarchy for the formula
    root_idx: IntArray  # TREE003; every idx in some pair that has no parent, ascending


@dataclass(frozen=True, slots=True)
class ClosureStatistics:
    """The proof: every pair against the closure of the depth-1 pairs. All counts are exact."""

    path: str  # how it was proved, for people: "Euler tour of the forest" ...
    expected: int  # pairs in the complete closure
    distinct: int  # distinct (ancestor, descendant) among the training pairs
    duplicates: Defect  # PAIR006; count: rows beyond the first of their key
    reversed: Defect  # PAIR007; count: unordered {a, d} present in both directions
    missing: Defect  # TREE004; total: expected; neither in training nor held out
    missing_by_depth: IntArray  # [k] missing pairs at distance k
    false: Defect  # TREE005; detail: "ancestry", "distance"
    unproven: int  # pairs above a broken chain: neither proved nor contradicted


@dataclass(frozen=True, slots=True)
class TaxonomyStatistics:
    """The mapping and the pairs held against a given taxonomy."""

    source: str
    date: str  # of the dump, ISO, or "unknown"
    taxa: int
    unknown: Defect  # MAP006; detail: "absent", "merged", "deleted"; total: mapped nodes
    noise: Defect | None  # MAP008; detail: nodes by kind of noise; None: no names
    parent_outside: Defect  # MAP009; mapped nodes whose parent is not mapped
    closing_adds: int  # nodes that closing the mapping upwards would add
    rank_inversion: Defect | None  # TREE008; total: edges between ranked taxa; None: no ranks
    disagreement: Defect | None  # TREE009; pairs whose ancestry the taxonomy lacks; None: no pairs
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
