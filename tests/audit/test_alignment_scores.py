"""A sample of nodes scored under every way of joining rows, held to plain counting."""

from __future__ import annotations

import time

import numpy as np
import pytest

from taxcheck.audit.alignment import align
from taxcheck.audit.alignment_scores import score_alignments
from taxcheck.audit.candidates import Way
from taxcheck.commands.selftest.table import laid_out
from taxcheck.sources.checkpoints.row_names import Meaning, RowNames
from taxcheck.statistics.hierarchy.graph import Graph
from tests.audit.one_table import checkpoint
from tests.rules import builders
from tests.rules.audit import judge

PARENTS = [-1, *[0] * 5, *(1 + k // 4 for k in range(20)), *(6 + k // 4 for k in range(80))]
N = len(PARENTS)
TABLE = laid_out(PARENTS, 6)
TAXIDS = np.random.default_rng(2).choice(np.arange(900, 30_000), N, replace=False)
TAXIDS[[10, 20]] = [7, 8]  # as low as an idx
MAPPING = builders.mapping(TAXIDS)


def graph() -> Graph:
    children = np.arange(1, N)
    return Graph.from_edges(np.array(PARENTS[1:]), children, np.ones(N, dtype=bool))


def average_precision() -> float:
    """MAP of all ancestors among all other nodes, one source after the other."""
    x = TABLE.astype(np.float64)
    room = 1 - (x**2).sum(axis=1)
    scores = []
    for source in range(1, N):
        above, at = set(), PARENTS[source]
        while at >= 0:
            above.add(at)
            at = PARENTS[at]
        apart = np.arccosh(1 + 2 * ((x - x[source]) ** 2).sum(axis=1) / (room * room[source]))
        order = [node for node in np.argsort(apart) if node != source]
        places = [k for k, node in enumerate(order, 1) if node in above]
        scores.append(np.mean([hit / place for hit, place in enumerate(places, 1)]))
    return float(np.mean(scores))


def scored(vectors, names=None, meaning=Meaning.IDENTIFIERS):
    made = checkpoint(vectors, None if names is None else list(map(int, names)))
    if names is not None and meaning is not Meaning.IDENTIFIERS:
        from dataclasses import replace

        made = replace(made, names=(RowNames("order", made.names[0].values, meaning),))
    return score_alignments(align(made, MAPPING), MAPPING, graph(), seed=0)


def test_a_sound_table_has_no_better_way(monkeypatch):
    monkeypatch.setattr("taxcheck.audit.alignment_scores._SOURCES", N)
    found = scored(TABLE)
    assert found.better is None
    assert (found.sources, found.pool) == (N - 1, N)
    assert found.used.map == pytest.approx(average_precision(), abs=1e-9)
    assert found.others[0].map < found.used.map - 0.1
    assert found.chance < 0.3
    assert found.defect.count == 0


TEXT = np.argsort(TAXIDS.astype(str))


@pytest.mark.parametrize(
    ("vectors", "way", "name"),
    [
        (np.vstack([np.zeros((1, 6)), TABLE]), Way.SHIFT, "a shift by one (row k + 1 is idx k)"),
        (TABLE[::-1], Way.ORDER, "its rows reversed"),
        (TABLE[TEXT], Way.ORDER, "the order of identifiers as text"),
        (TABLE[np.argsort(TAXIDS)], Way.ORDER, "the order of identifiers as numbers"),
        (TABLE.T, Way.TRANSPOSED, "transposition"),
    ],
)
def test_the_right_way_is_found(vectors, way, name):
    found = scored(np.ascontiguousarray(vectors))
    assert (found.better.way, found.better.name) == (way, name)
    assert found.better.map > 0.5 > found.used.map
    assert found.defect.count > N - 5


def test_an_order_that_is_not_tried_is_told(monkeypatch):
    assert scored(TABLE[TEXT]).untried == ()
    monkeypatch.setattr("taxcheck.audit.candidates._SORTED", N - 1)
    found = scored(TABLE[TEXT])
    assert found.better is None
    (told,) = found.untried
    assert told == f"the order of identifiers as text, beyond {N - 1:,} identifiers"
    result = judge("TRAIN010", alignment=found)
    assert result.outcome == "pass"
    assert result.message.endswith(f"; not tried: {told}")


def test_labels_that_are_idx():
    dealt = np.random.default_rng(3).permutation(N)
    found = scored(TABLE[dealt], dealt)  # a few taxids are below n
    assert (found.better.way, found.better.ask) == (Way.IDX, "labels:idx")


@pytest.mark.parametrize("table", ["noise", "one point", "rows dealt anew"])
def test_chance_is_no_better_way(table):
    rng = np.random.default_rng(4)
    for _ in range(10):
        made = {
            "noise": rng.normal(0, 0.01, TABLE.shape),
            "one point": np.full(TABLE.shape, 0.1),
            "rows dealt anew": rng.permutation(TABLE),
        }[table]
        assert scored(made).better is None


@pytest.mark.slow
def test_a_large_table_takes_well_under_a_second():
    n = 100_000
    parents = (np.arange(1, n) - 1) // 8
    tree = Graph.from_edges(parents, np.arange(1, n), np.ones(n, dtype=bool))
    mapping = builders.mapping(np.random.default_rng(0).permutation(n) + 1_000_000)
    table = align(checkpoint(np.random.default_rng(1).normal(0, 0.1, (n, 10))), mapping)
    begun = time.process_time()
    score_alignments(table, mapping, tree, seed=0)
    assert time.process_time() - begun < 2
