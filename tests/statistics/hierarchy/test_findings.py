"""What the proof shows: reasons, samples, and what the sink hears."""

from __future__ import annotations

import pytest

from taxcheck.model.finding import Defect, Sample
from taxcheck.policy.model import Dataset
from taxcheck.statistics.hierarchy import closure as closures
from taxcheck.statistics.hierarchy import slots
from taxcheck.statistics.hierarchy.sweep import Sweep
from taxcheck.statistics.symptoms import Symptoms
from tests.statistics import pair_tables
from tests.statistics.pair_tables import Heard, pair_batch, pair_table


def proved(rows, n, sink=None, held_out=None, names=("depth_diff",), edges_from=None, kind="auto"):
    """The proof of rows; ``edges_from`` gives the graph where it is not theirs."""
    table = pair_table(n, pair_batch(rows, names))
    others = pair_table(n, pair_batch(held_out)) if held_out else None
    source = pair_table(n, pair_batch(edges_from)) if edges_from else None
    return pair_tables.proved(table, others, Dataset(kind=kind), sink, edges=source)[0]


def pair(row, ancestor, descendant, distance):
    values = {"ancestor_idx": ancestor, "descendant_idx": descendant, "depth_diff": distance}
    return Sample(values, row=row, node=descendant, table="pairs")


# 0 > 1 > 2 > 3 and 0 > 4
CHAIN = [(0, 1, 1), (1, 2, 1), (2, 3, 1), (0, 4, 1)]
DEEP = [(0, 2, 2), (1, 3, 2), (0, 3, 3)]


def test_a_sound_closure_needs_no_second_look():
    heard = Heard()
    proof = proved(CHAIN + DEEP, 5, heard)
    found = proof.statistics
    assert (found.expected, found.distinct, found.unproven.count) == (7, 7, 0)
    nothing = Defect(0, 7)
    assert [found.duplicates, found.reversed, found.missing, found.false] == [nothing] * 4
    assert (found.missing_by_depth.tolist(), proof.repeats, heard.calls) == ([0] * 4, None, [])
    assert found.path.startswith("tree: ")


def test_missing_pairs_are_shown_with_their_distance():
    heard = Heard()
    found = proved(CHAIN, 5, heard).statistics
    missing = [(0, 2, 2), (0, 3, 3), (1, 3, 2)]
    values = [
        dict(zip(("ancestor_idx", "descendant_idx", "distance"), m, strict=True)) for m in missing
    ]
    assert found.missing.count == 3
    assert found.missing.total == 7
    assert sorted(found.missing.samples, key=lambda s: sorted(s.values.items())) == [
        Sample(v, node=v["descendant_idx"]) for v in values
    ]
    assert found.missing_by_depth.tolist() == [0, 0, 2, 1]
    ((name, columns),) = heard.calls
    assert name == "missing_ancestor_pair"
    rows = zip(*(columns[key] for key in values[0]), strict=True)
    assert sorted(rows) == missing


def test_twenty_missing_pairs_are_shown_and_all_of_them_told(monkeypatch):
    monkeypatch.setattr(slots, "_WINDOW", 16)
    heard = Heard()
    chain = [(k, k + 1, 1) for k in range(12)]
    found = proved(chain, 13, heard).statistics
    assert (found.missing.count, len(found.missing.samples)) == (78 - 12, 20)
    told = [row for _, columns in heard.calls for row in zip(*columns.values(), strict=True)]
    assert sorted(told) == [(a, d, d - a) for a in range(13) for d in range(a + 2, 13)]


def test_false_pairs_are_told_apart_by_what_is_wrong():
    heard = Heard()
    rows = [*CHAIN, *DEEP[:2], (0, 3, 2), (4, 3, 2), (3, 4, 5)]
    found = proved(rows, 5, heard, kind="tree").statistics
    assert found.false.detail == {"ancestry": 2, "distance": 1}
    assert found.false.samples == (pair(7, 0, 3, 2), pair(8, 4, 3, 2), pair(9, 3, 4, 5))
    # 3 > 4 and 4 > 3 are each other's reverse, so the rows are looked at again
    assert (found.reversed.count, found.reversed.total) == (1, 9)
    assert found.reversed.samples == (pair(8, 4, 3, 2), pair(9, 3, 4, 5))
    assert [(name, c["row"], c.get("reason")) for name, c in heard.calls] == [
        ("reversed_pair", [8, 9], None),
        ("false_ancestor_pair", [8, 9], ["ancestry"] * 2),
        ("false_ancestor_pair", [7], ["distance"]),
    ]


@pytest.mark.parametrize(
    ("row", "false", "unproven"),
    [
        ((4, 7, 3), 0, 2),  # above the chain's end: it may be
        ((4, 7, 2), 1, 1),  # there the chain has 5
        ((7, 5, 3), 1, 1),  # would close a cycle
    ],
)
def test_a_broken_chain_of_a_tree_contradicts_within_its_reach(row, false, unproven):
    # 5 > 6 > 7 hangs from nothing, though of 5 it is said that 0 is three levels above
    rows = [*CHAIN, *DEEP, (0, 5, 3), (5, 6, 1), (6, 7, 1), (5, 7, 2), row]
    found = proved(rows, 8).statistics
    assert (found.false.count, found.unproven.count) == (false, unproven)


@pytest.mark.parametrize(
    ("distance", "false", "unproven"), [(3, 1, 0), (2, 0, 0), (1, 0, 0), (0, 1, 0), (-1, 1, 0)]
)
def test_in_an_intact_dag_any_other_distance_is_false(distance, false, unproven):
    # 0 > 1, 2 > 3; distance 1 makes an edge of it
    rows = [(0, 1, 1), (0, 2, 1), (1, 3, 1), (2, 3, 1), (0, 3, distance)]
    found = proved(rows, 4).statistics
    assert (found.false.count, found.unproven.count) == (false, unproven)


@pytest.mark.parametrize(
    ("distance", "false", "unproven"), [(4, 1, 0), (3, 0, 0), (2, 0, 1), (0, 1, 0), (-1, 1, 0)]
)
def test_in_a_broken_dag_a_shorter_way_is_unproven_and_a_longer_one_false(
    distance, false, unproven
):
    # 0 > 1, 2 > 3 > 4; 5 > 4, and of 5 it is said that 6 lies two levels above: its chain is broken
    rows = [(0, 1, 1), (0, 2, 1), (1, 3, 1), (2, 3, 1), (3, 4, 1), (5, 4, 1), (6, 5, 2)]
    whole = [*rows, (0, 3, 2), (1, 4, 2), (2, 4, 2), (0, 4, distance)]
    found = proved(whole, 7).statistics
    assert (found.false.count, found.unproven.count) == (false, 1 + unproven)


def test_without_distances_only_ancestry_is_judged():
    names = ()
    tree = proved([(0, 1), (0, 2), (2, 0)], 3, names=names, edges_from=[(0, 1, 1), (0, 2, 1)])
    assert tree.statistics.false.detail == {"ancestry": 1}
    assert "depth_diff" not in tree.statistics.false.samples[0].values
    # 3 and 4 are another tree: above its root 0 may well be
    other = [(0, 1, 1), (0, 2, 1), (3, 4, 1)]
    apart = proved([(0, 1), (0, 2), (3, 4), (0, 4)], 5, names=names, edges_from=other)
    assert (apart.statistics.false.count, apart.statistics.unproven.count) == (0, 1)
    # in a DAG, where 5 is a descendant without a parent
    dag = [(0, 1, 1), (0, 2, 1), (1, 3, 1), (2, 3, 1), (5, 6, 1)]
    pairs = [*(row[:2] for row in dag), (0, 3), (0, 5), (0, 6), (1, 2)]
    found = proved([*pairs, (3, 1)], 7, names=names, edges_from=dag).statistics
    assert (found.false.detail, found.unproven.count) == ({"ancestry": 1}, 3)
    assert found.unproven.detail == {"beyond_edges": 1, "broken_chain": 2}


def test_duplicates_are_every_row_but_the_first():
    heard = Heard()
    rows = [CHAIN[0], *CHAIN, (4, 2, 5), DEEP[0], (4, 2, 5), DEEP[0], DEEP[0]]
    proof = proved(rows, 5, heard)
    found = proof.statistics
    assert (found.duplicates.count, found.duplicates.total, found.distinct) == (4, 10, 6)
    assert [s.row for s in found.duplicates.samples] == [2, 8, 9, 10]
    assert found.duplicates.samples[1] == pair(8, 4, 2, 5)
    assert found.false.samples == (pair(6, 4, 2, 5),)
    assert proof.repeats.as_ancestor.tolist() == [3, 0, 0, 0, 1]
    assert proof.repeats.as_descendant.tolist() == [0, 1, 3, 0, 0]
    assert heard.calls[0][0] == "duplicate_pair"
    assert heard.calls[0][1]["row"] == [2, 8, 9, 10]


def test_both_directions_of_an_edge_are_reversed_pairs():
    found = proved([(0, 1, 1), (1, 0, 1), (1, 2, 1)], 3).statistics
    assert (found.reversed.count, found.reversed.total) == (1, 3)
    assert found.reversed.samples == (pair(1, 0, 1, 1), pair(2, 1, 0, 1))
    assert found.path.startswith("tree: ")
    assert (found.unproven.count, found.unproven.detail) == (2, {"cycle": 2})
    assert found.open == {"cycle": 3}


def test_held_out_pairs_are_neither_judged_nor_counted():
    heard = Heard()
    found = proved(CHAIN, 5, heard, held_out=[*DEEP, (3, 0, 1), DEEP[0]]).statistics
    assert (found.distinct, found.duplicates.count, found.false.total) == (4, 0, 4)


def test_pairs_of_nodes_beyond_the_bound_are_unproven(monkeypatch):
    monkeypatch.setattr(closures, "usual_memory", lambda: 0)
    # 0 > 1, 2 > 3 and 0, 3 > 4: held is all above 3, and the parents of 4
    heard = Heard()
    rows = [(0, 1, 1), (0, 2, 1), (1, 3, 1), (2, 3, 1), (3, 4, 1), (0, 3, 2), (0, 4, 1), (2, 4, 2)]
    found = proved([*rows, rows[-1]], 5, heard).statistics
    assert (found.expected, found.missing.count, found.duplicates.count) == (7, 0, 1)
    assert (found.unproven.count, found.unproven.detail) == (1, {"beyond_bound": 1})
    assert [sample.row for sample in found.unproven.samples] == [8]
    assert (found.false.count, found.open) == (0, {"beyond_bound": 1})
    assert found.needs > 0
    assert heard.calls[-1] == (
        "false_ancestor_pair.unproven",
        {
            "row": [8],
            "ancestor_idx": [2],
            "descendant_idx": [4],
            "depth_diff": [2],
            "reason": ["beyond_bound"],
        },
    )


def test_only_rows_of_suspect_descendants_are_looked_at_again(monkeypatch):
    visited = []
    visit = Sweep.visit
    monkeypatch.setattr(
        Sweep, "visit", lambda s, batch: visited.extend(batch.rows.tolist()) or visit(s, batch)
    )
    # node 3 has a row twice, node 4 a false one; of 1 and 2 nothing is wrong
    found = proved([*CHAIN, (0, 2, 2), (0, 3, 3), (1, 3, 2), (0, 3, 3), (2, 4, 7)], 5).statistics
    assert (found.duplicates.count, found.false.count) == (1, 1)
    assert found.duplicates.samples[0].row == 8
    below = {3: [3, 6, 7, 8], 4: [4, 9]}
    assert sorted(visited) == sorted(below[3] + below[4])


def test_more_missing_pairs_than_are_kept_are_counted_and_not_made():
    n = 2_000
    chain = [(k, k + 1, 1) for k in range(n - 1)] + [(0, 2, 2)]
    kept = Symptoms(most=1_000_000)
    found = proved(chain, n, kept).statistics
    assert found.missing.count == found.expected - n == n * (n - 1) // 2 - n
    assert found.missing_by_depth.tolist() == [0, 0, n - 3, *range(n - 3, 0, -1)]
    assert kept.overfull == {"missing_ancestor_pair"}
    assert "missing_ancestor_pair" not in kept
    heard = []
    proved(chain, n, Symptoms(heard.append, most=1_000_000))
    assert sum(map(len, heard)) == found.missing.count  # whoever listens hears of all of them
