"""Which pairs are taken for edges, and the reduction where no distance says so."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.model.errors import InputError
from taxcheck.policy.model import Dataset
from taxcheck.statistics.hierarchy import edges as module
from taxcheck.statistics.hierarchy.closure import closure_of
from taxcheck.statistics.hierarchy.edges import edges_of, present_in, transitive_reduction
from tests.oracles import closure as oracle
from tests.statistics.pair_tables import graph, pair_batch, pair_table
from tests.statistics.small_taxonomy import ids

CHAIN = [(0, 1, 1), (0, 2, 2), (1, 2, 1)]


def edges(graph):
    return list(zip(graph.parents.tolist(), graph.children.tolist(), strict=True))


def without_distances(rows):
    return [row[:2] for row in rows]


def test_pairs_at_distance_one_are_the_edges():
    found = edges_of([pair_table(5, pair_batch(CHAIN))], Dataset())
    drawn, source = found.graph, found.source
    assert (edges(drawn), source) == ([(0, 1), (1, 2)], "depth_diff")
    assert drawn.present.tolist() == [True, True, True, False, False]


def test_held_out_pairs_give_edges_and_nodes_too():
    training = pair_table(5, pair_batch(CHAIN))
    held_out = pair_table(5, pair_batch([(1, 4, 1), (2, 4, 2)]))
    drawn = edges_of([training, held_out], Dataset()).graph
    assert edges(drawn) == [(0, 1), (1, 2), (1, 4)]
    assert present_in([training.state, held_out.state]).tolist() == [True, True, True, False, True]


def test_one_pair_is_enough_for_a_node_to_be_there():
    assert present_in([pair_table(4, pair_batch([(2, 0, 1)])).state]).tolist() == [
        True,
        False,
        True,
        False,
    ]


def test_edges_come_in_the_order_of_the_source_whatever_batch_was_first():
    late, early = pair_batch([(0, 3, 1), (2, 4, 1)], first=9), pair_batch([(0, 1, 1), (0, 2, 1)])
    drawn = edges_of([pair_table(5, late, early)], Dataset()).graph
    assert edges(drawn) == [(0, 1), (0, 2), (0, 3), (2, 4)]


def test_declared_edges_are_all_pairs_whatever_their_distance():
    rows = [(0, 1, 1), (0, 2, 2), (1, 2, 7)]
    found = edges_of([pair_table(3, pair_batch(rows))], Dataset(pairs="edges"))
    drawn, source = found.graph, found.source
    assert (edges(drawn), source) == ([(0, 1), (0, 2), (1, 2)], "declared edges")


@pytest.mark.parametrize("dataset", [Dataset(), Dataset(pairs="edges")])
def test_without_any_pair_there_is_no_edge(dataset):
    for batch in (pair_batch([(1, 1)], names=()), pair_batch([(1, 1, 1)])):
        drawn = edges_of([pair_table(2, batch)], dataset).graph
        assert edges(drawn) == []
        assert not drawn.present.any()
        assert drawn.parents.dtype == np.int64


def test_without_distances_the_pairs_are_reduced():
    training = pair_table(4, pair_batch(without_distances(CHAIN), names=()))
    held_out = pair_table(4, pair_batch([(2, 3), (1, 3), (0, 3), (0, 3)], names=()))
    found = edges_of([training, held_out], Dataset())
    drawn, source = found.graph, found.source
    assert (edges(drawn), source) == ([(0, 1), (1, 2), (2, 3)], "transitive reduction")


CLOSURES = {
    "forest": {(0, 1), (0, 2), (1, 2), (3, 4)},
    "diamond": {(0, 1), (0, 2), (0, 3), (1, 3), (2, 3)},
    "damaged tree": {(0, 1), (0, 2), (1, 3), (0, 3), (2, 3), (3, 4), (1, 4)},
    "shortcut that is no closure": {(0, 1), (1, 2), (2, 3), (0, 3)},
    "cycle": {(0, 1), (1, 0), (0, 2), (1, 2), (2, 3), (0, 3), (1, 3)},
    "two direct ancestors beside none": {(0, 1), (0, 2), (1, 3), (2, 3), (0, 4), (5, 4)},
    # as many ancestors as in a chain, and still none
    "no chain": {(0, 1), (0, 2), (3, 2), (1, 4), (2, 4), (5, 4)},
    "two roads of several steps": {(0, k) for k in range(1, 6)} | {(1, 5), (2, 5), (3, 5), (4, 5)},
}


@pytest.mark.parametrize("products", [20_000_000, 3, 1])
@pytest.mark.parametrize("name", CLOSURES)
def test_the_reduction_is_the_naive_one_in_blocks_of_any_size(monkeypatch, name, products):
    monkeypatch.setattr(module, "_PRODUCTS", products)
    pairs = sorted(CLOSURES[name])
    ancestor, descendant = (ids(*(pair[k] for pair in pairs)) for k in (0, 1))
    parents, children = transitive_reduction(ancestor, descendant, np.ones(6, dtype=bool))
    found = list(zip(parents.tolist(), children.tolist(), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == oracle.reduction(set(pairs))


def test_a_shortcut_past_missing_pairs_is_no_edge_either():
    """0 > 3 by way of 1 and 2, though neither 0 > 2 nor 1 > 3 is there."""
    rows = [(0, 1), (1, 2), (2, 3), (0, 3)]
    found = edges_of([pair_table(4, pair_batch(rows, names=()))], Dataset())
    assert edges(found.graph) == [(0, 1), (1, 2), (2, 3)]
    assert found.closure.expected == 6


@pytest.mark.parametrize("compared", [1 << 21, 1])
def test_shortcuts_are_left_out_and_edges_on_cycles_stay(monkeypatch, compared):
    monkeypatch.setattr(module, "_COMPARED", compared)
    # 0 > 1 > 2 > 3 with 0 > 3 and 1 > 3; 4 > 5 > 4, below 0, with 0 > 5
    drawn = graph(6, (0, 1), (1, 2), (2, 3), (0, 3), (1, 3), (0, 4), (4, 5), (5, 4), (0, 5))
    found = module.without_shortcuts(drawn, closure_of(drawn))
    assert edges(found) == [(0, 1), (1, 2), (2, 3), (0, 4), (5, 4), (0, 5), (4, 5)]
    assert module.without_shortcuts(found, closure_of(found)) is found


def test_pairs_without_distances_that_do_not_fit_are_one_line(monkeypatch):
    monkeypatch.setattr(module, "_ROW_BYTES", 10**8)
    monkeypatch.setattr(module, "_WAITING", 2)
    tree = [(0, 1), (1, 2), (0, 2)]
    assert edges_of([pair_table(4, pair_batch(tree, names=()))], Dataset(), 1).closure.expected == 3
    told = (
        "5 pairs without distances, which are not the closure of a tree: finding their edges takes "
        "500MB; give `memory` 500MB, or pairs with depth_diff"
    )
    parts = [pair_batch(some, (), 9 * k) for k, some in enumerate(([*tree, (0, 1)], [(3, 2)]))]
    table = pair_table(4, *parts)
    with pytest.raises(InputError, match=told):
        edges_of([table], Dataset(), 399_999_999)
    found = edges_of([table], Dataset(), 400_000_000)  # the pair that is there twice takes nothing
    assert edges(found.graph) == [(0, 1), (1, 2), (3, 2)]
