"""Held-out pairs against training pairs, by hand."""

from __future__ import annotations

import pytest

from taxcheck.model.finding import Defect, Sample
from taxcheck.statistics.hierarchy.edges import present_in
from taxcheck.statistics.hierarchy.held_out import held_out_statistics
from tests.statistics.pair_tables import Heard, pair_batch, pair_table, proved
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


def there(training):
    return present_in([training.state])


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def found(heard):
    training, held = (pair_table(7, pair_batch(rows)) for rows in (TRAINING, HELD_OUT))
    proof, _ = proved(training)
    return held_out_statistics(
        9, held.spool, proof, proof.closure, present_in([training.state]), heard
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
    training = pair_table(4, pair_batch([(0, 2, 1), (2, 1, 1), (3, 1, 1)]))
    held = pair_table(4, pair_batch([(0, 1, 2)]))
    proof, _ = proved(training)
    assert proof.closure.find(ids(0), ids(1))[0].tolist() == [0]
    found = held_out_statistics(
        1, held.spool, proof, proof.closure, present_in([training.state]), None
    )
    assert (found.implied.count, found.exact.count) == (1, 0)


def test_a_pair_whose_both_directions_were_trained_on_is_exact():
    rows = [(0, 1, 1), (1, 0, 1)]
    training, held = pair_table(2, pair_batch(rows)), pair_table(2, pair_batch(rows[:1]))
    proof, _ = proved(training)
    found = held_out_statistics(
        1, held.spool, proof, proof.closure, present_in([training.state]), None
    )
    assert (found.exact.count, found.reversed.count, found.implied.count) == (1, 0, 0)


def test_what_chains_contradict_is_false_and_what_they_lack_is_not():
    """3 is 3 below 0 and not 2; 4 is under another root, so that 1 is not above it."""
    rows = [*TRAINING, (7, 4, 1), (0, 7, 1)]
    held = [(0, 3, 2), (1, 4, 1), (5, 6, 1), (1, 3, 2), (1, 3, 2), (0, 1, 2), (3, 0, 1)]
    training, asked = (pair_table(8, pair_batch(part)) for part in (rows, held))
    proof, _ = proved(training)
    found = held_out_statistics(7, asked.spool, proof, proof.closure, there(training), None)
    assert found.false.detail == {"distance": 1, "ancestry": 2}
    assert found.repeated == 1
