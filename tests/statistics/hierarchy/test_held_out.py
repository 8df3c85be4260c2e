"""Held-out pairs against training pairs, by hand."""

from __future__ import annotations

import pytest

from taxcheck.config import Dataset
from taxcheck.rule import Defect, Sample
from taxcheck.statistics.hierarchy.closure import closure_of
from taxcheck.statistics.hierarchy.edges import graph_of, present_in
from taxcheck.statistics.hierarchy.held_out import held_out_statistics
from taxcheck.statistics.hierarchy.proof import prove
from tests.statistics.pair_tables import Heard, pair_batch, pair_state
from tests.statistics.small_taxonomy import ids

# 0 > 1 > 2 > 3, with 0 > 2 stated too; 0 > 3 and 1 > 3 are not
TRAINING = [(0, 1, 1), (1, 2, 1), (2, 3, 1), (0, 2, 2)]
HELD_OUT = [
    (0, 1, 1),  # a training pair
    (2, 1, 1),  # the other way round
    (0, 3, 3),  # follows from the training pairs
    (1, 3, 2),  # follows
    (4, 5, 1),  # of neither node training tells
    (5, 3, 1),
]


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def found(heard):
    training, held = (pair_state(7, pair_batch(rows)) for rows in (TRAINING, HELD_OUT))
    graph, _ = graph_of([training], Dataset())
    closure = closure_of(graph)
    proof = prove(training.spool, None, graph, closure, training.as_descendant > 0, 1, None)
    return held_out_statistics(
        9, held.spool, proof.training, closure, present_in([training]), heard
    )


def leak(row, ancestor, descendant, distance):
    values = {"ancestor_idx": ancestor, "descendant_idx": descendant, "depth_diff": distance}
    return Sample(values, row=row, node=descendant, table="held-out")


def test_a_training_pair_leaked_as_it_is_or_turned(found):
    assert (found.rows, found.valid) == (9, 6)
    assert found.exact == Defect(1, 6, (leak(1, 0, 1, 1),), {"exact": 1})
    assert found.reversed == Defect(1, 6, (leak(2, 2, 1, 1),), {"reversed": 1})


def test_what_follows_from_training_pairs_is_implied_and_no_leak(found):
    samples = (leak(3, 0, 3, 3), leak(4, 1, 3, 2))
    assert found.implied == Defect(2, 6, samples, {"implied": 2})


def test_nodes_that_only_held_out_pairs_have(found):
    samples = tuple(Sample({"idx": k}, node=k) for k in (4, 5))
    assert found.only_held_out == Defect(2, 6, samples)


def test_the_sink_hears_of_leaks_and_not_of_what_is_implied(found, heard):
    assert found.exact.count
    assert [(name, columns["row"], columns["reason"]) for name, columns in heard.calls] == [
        ("split_leak", [1], ["exact"]),
        ("split_leak", [2], ["reversed"]),
    ]


def test_in_a_dag_the_very_first_pair_of_the_closure_may_be_implied():
    # 0 > 2 > 1 and 3 > 1: the closure's first pair is 0 > 1
    training = pair_state(4, pair_batch([(0, 2, 1), (2, 1, 1), (3, 1, 1)]))
    held = pair_state(4, pair_batch([(0, 1, 2)]))
    graph, _ = graph_of([training], Dataset())
    closure = closure_of(graph)
    assert closure.find(ids(0), ids(1))[0].tolist() == [0]
    proof = prove(training.spool, None, graph, closure, training.as_descendant > 0, 1, None)
    found = held_out_statistics(
        1, held.spool, proof.training, closure, present_in([training]), None
    )
    assert (found.implied.count, found.exact.count) == (1, 0)


def test_a_pair_whose_both_directions_were_trained_on_is_exact():
    rows = [(0, 1, 1), (1, 0, 1)]
    training, held = pair_state(2, pair_batch(rows)), pair_state(2, pair_batch(rows[:1]))
    graph, _ = graph_of([training], Dataset())
    closure = closure_of(graph)
    proof = prove(training.spool, None, graph, closure, training.as_descendant > 0, 1, None)
    found = held_out_statistics(
        1, held.spool, proof.training, closure, present_in([training]), None
    )
    assert (found.exact.count, found.reversed.count, found.implied.count) == (1, 0, 0)
