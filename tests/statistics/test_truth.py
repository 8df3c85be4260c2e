"""The hierarchy that a taxonomy holds among the mapped nodes, on six taxa by hand."""

from __future__ import annotations

import numpy as np

from taxcheck.statistics.truth import Truth
from tests.statistics.small_taxonomy import ids, small_taxonomy

# 1 > 10 > 100 > 1000 and 10 > 101; idx 0 is 1000, 1 is 10, 2 is 101, 3 unknown, 4 unmapped
TAXA = {1: 1, 10: 1, 100: 10, 101: 10, 1000: 100}
NAMES = {10: "Canis", 1000: "Canis lupus"}
TRUTH = Truth.of(small_taxonomy(TAXA, ranks={10: "genus"}, names=NAMES), ids(1000, 10, 101, 77, -1))


def test_the_parent_is_the_nearest_mapped_ancestor():
    assert TRUTH.parent.tolist() == [1, -1, 1, -1, -1]
    assert TRUTH.depth.tolist() == [1, 0, 1, 0, 0]
    assert TRUTH.below.tolist() == [0, 2, 0, 0, 0]


def test_which_pairs_it_holds():
    a, d = np.array([1, 1, 0, 3]), np.array([0, 2, 1, 1])
    assert TRUTH.holds(a, d).tolist() == [True, True, False, False]


def test_clades_and_sums_along_chains():
    assert np.flatnonzero(TRUTH.clade(1)).tolist() == [0, 1, 2]
    marked = np.array([True, False, False, True, False])
    assert TRUTH.inside(marked).tolist() == [1, 1, 0, 1, 0]
    assert TRUTH.along(np.array([5, 7, 0, 1, 0])).tolist() == [12, 7, 7, 1, 0]


def test_names_and_ranks():
    assert [TRUTH.name(k) for k in range(4)] == ["Canis lupus", "Canis", None, None]
    assert [TRUTH.rank_names[k] if k >= 0 else None for k in TRUTH.rank] == [
        "no rank",
        "genus",
        "no rank",
        None,
        None,
    ]
