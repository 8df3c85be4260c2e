"""Scores of one table against its hierarchy: samples, nulls, trained rows alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from taxcheck.audit import scores
from taxcheck.audit.alignment import align
from taxcheck.audit.clades import by_depth, nested_clades
from taxcheck.audit.scores import Subject, score_hierarchy
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.spool import PairSpool
from taxcheck.statistics.values import Identifiers
from tests.audit.one_table import checkpoint

LEVELS = 7
N = 2**LEVELS - 1  # node k has the parent (k - 1) // 2
PARENT = (np.arange(N) - 1) // 2
DEPTH = np.floor(np.log2(np.arange(N) + 1)).astype(np.int64)


def pairs():
    """The closure of the binary tree: ancestor, descendant, distance."""
    found = []
    for node in range(1, N):
        above, distance = node, 0
        while above > 0:
            above, distance = (above - 1) // 2, distance + 1
            found.append((above, node, distance))
    return np.array(found).T


def placed():
    """A disk layout: every node in the middle of its own sector, further out at each level."""
    place = np.arange(N) - (2**DEPTH - 1)
    angle = 2 * np.pi * (place + 0.5) / 2**DEPTH
    norm = np.tanh(DEPTH * 1.1 / 2)
    return np.column_stack([np.cos(angle), np.sin(angle)]) * norm[:, None]


@pytest.fixture(scope="module")
def subject():
    ancestor, descendant, distance = pairs()
    spool = PairSpool(has_depth=True)
    spool.append(np.arange(len(ancestor)), ancestor, descendant, distance)
    graph = Graph.from_edges(PARENT[1:], np.arange(1, N), np.ones(N, dtype=bool))
    table = align(checkpoint(placed()), None)
    yield Subject(
        table=table,
        space=table.space(),
        graph=graph,
        spool=spool,
        followers=np.bincount(ancestor, minlength=N),
        above=np.bincount(descendant, minlength=N),
        trained=np.ones(N, dtype=bool),
        clades=by_depth(graph, Identifiers(np.arange(N), None)),
        seed=0,
        workers=1,
        nested=nested_clades(graph, Identifiers(np.arange(N), None)),
    )
    spool.close()


@pytest.fixture(scope="module")
def found(subject):
    return score_hierarchy(subject)


def naive_map(space, rows):
    """Mean over descendants of the average precision of their ancestors, among some rows."""
    values = []
    for source in rows[rows > 0]:
        others = rows[rows != source]
        above, labels = int(source), np.zeros(N, dtype=bool)
        while above > 0:
            above = (above - 1) // 2
            labels[above] = True
        if labels[others].any():
            apart = space.distance(np.array([source]), others)
            values.append(average_precision_score(labels[others], -apart))
    return float(np.mean(values))


def test_every_source_of_a_small_tree_is_scored(found, subject):
    assert (found.map.sources, found.map.total) == (N - 1, N - 1)
    assert found.map.value == pytest.approx(naive_map(subject.space, np.arange(N)), abs=1e-12)
    flat = subject.table.space("euclidean")
    assert found.map.euclidean == pytest.approx(naive_map(flat, np.arange(N)), abs=1e-12)
    assert found.map.trained_only is None, "there is no row without training"
    assert found.map.low < found.map.value < found.map.high


def test_the_nulls_stand_beside_each_score(found):
    names = {"depth-aware init", "shuffled within depth", "collapsed table", "popularity"}
    for score in (found.map, found.mean_rank, found.parent_hits[1], *found.hits.values()):
        assert set(score.nulls) == names
    assert found.map.beats_every_null
    assert found.parent_hits[5].beats_every_null
    for null in found.map.nulls.values():
        assert null.margin_low < found.map.value - null.value
    # In a collapsed table all ties stand at the end of one block: the precision is positives / 126.
    collapsed = np.mean(DEPTH[1:] / (N - 1))
    assert found.map.nulls["collapsed table"].value == pytest.approx(collapsed)
    assert not found.mean_rank.higher_is_better
    assert found.mean_rank.percentiles.keys() == {50, 99}
    assert 1 <= found.mean_rank.percentiles[50] <= found.mean_rank.percentiles[99]


def test_radii_that_follow_the_depth(found):
    # The layout ties radii where depths are tied, but for rounding, which decides between both.
    ties = 2.0 ** np.arange(LEVELS)
    ceiling = np.sqrt(1 - np.sum(ties**3 - ties) / (N**3 - N))
    assert found.spearman.ceiling == pytest.approx(ceiling)
    assert ceiling - 1e-9 <= found.spearman.value <= 1
    assert found.spearman_recentred == pytest.approx(found.spearman.value, abs=0.03)
    assert found.monotone_edges.value == 1
    assert found.monotone_by_depth == tuple((k, 2**k, 1.0) for k in range(1, LEVELS))
    assert found.root == (0, 0.0, 0)
    assert [band[0] for band in found.radius_by_depth] == list(range(LEVELS))
    assert [band[3] for band in found.radius_by_depth] == pytest.approx(
        [1.1 * k for k in range(LEVELS)]
    )
    assert found.saturated_levels is None, "no clip is known"


def test_trained_rows_alone(subject):
    trained = np.random.default_rng(0).random(N) < 0.7
    trained[0] = True
    got = score_hierarchy(replace(subject, trained=trained))
    expected = naive_map(subject.space, np.flatnonzero(trained))
    assert got.map.trained_only == pytest.approx(expected, abs=1e-12)
    assert got.map.value == pytest.approx(naive_map(subject.space, np.arange(N)), abs=1e-12)
    assert got.mean_rank.trained_only < got.mean_rank.value, "fewer candidates"
    nobody = score_hierarchy(replace(subject, trained=np.arange(N) == 0))
    assert nobody.map.trained_only is None


def test_the_spread_is_that_of_nested_clades_with_their_untrained_rows(subject, found):
    # Subtrees of 63, 31 and 15 nodes: those of 7 are too small, and none is like the root.
    assert sorted(clade.size for clade in found.clades) == [15] * 8 + [31] * 4 + [63] * 2
    assert found.spread_level == "subtrees of 10 nodes or more"
    assert found.clade_level == "subtrees at depth 2"
    trained = np.ones(N, dtype=bool)
    trained[[7, 15, 16]] = False  # below 3, below 1, below 0
    got = score_hierarchy(replace(subject, trained=trained))
    share = {clade.idx: clade.never_trained for clade in got.clades if clade.never_trained}
    assert share == pytest.approx({7: 3 / 15, 3: 3 / 31, 1: 3 / 63})


def test_rows_beyond_the_nodes_are_no_candidates_in_any_reading(subject, found):
    """Ten rows in the middle of everything, which no node has."""
    crowd = np.r_[placed(), np.full((10, 2), 1e-3)]
    table = align(checkpoint(crowd), None)
    got = score_hierarchy(replace(subject, table=table, space=table.space().first(N)))
    assert table.n == N + 10
    assert got.map == found.map


def test_the_seed_decides_and_nothing_else(subject, found):
    assert score_hierarchy(subject) == found
    assert score_hierarchy(replace(subject, workers=2)) == found
    assert score_hierarchy(replace(subject, seed=1)) != found


def test_a_large_table_holds_its_nulls_against_fewer_sources(subject, found, monkeypatch):
    monkeypatch.setattr(scores, "LARGE", 10)
    monkeypatch.setattr(scores, "FEWER", 40)
    got = score_hierarchy(subject)
    assert got.map.value == pytest.approx(found.map.value, abs=1e-12)
    assert (got.map.sources, got.parent_hits[1].sources) == (N - 1, 40)
    assert got.map.low < got.map.value < got.map.high
    assert got.map.high - got.map.low == pytest.approx(found.map.high - found.map.low, rel=0.15)
    assert set(got.map.nulls) == set(found.map.nulls)
    assert got.map.nulls["popularity"].value != found.map.nulls["popularity"].value
    assert got.map.beats_every_null
    for score in (got.map, got.mean_rank, *got.hits.values()):
        assert (score.sources, score.compared) == (N - 1, 40)
        assert "on 40 of the sources" in score.protocol
    assert got.parent_hits[1].compared is None, "all 40 that were scored"
    assert {score.compared for score in (found.map, found.siblings, found.spearman)} == {None}


def test_every_row_is_counted_once_by_how_often_it_is_near_another(found):
    hubs = found.hubs
    assert (hubs.k, hubs.sampled) == (10, N)
    assert sum(rows for _, rows in hubs.occurrences) == N
    assert sum(times * rows for times, rows in hubs.occurrences) == 10 * N
    assert hubs.greatest[1] == hubs.occurrences[-1][0]


def test_without_an_edge_there_is_nothing_to_score():
    n = 5
    spool = PairSpool(has_depth=True)
    graph = Graph.from_edges(np.empty(0, int), np.empty(0, int), np.ones(n, dtype=bool))
    table = align(checkpoint(np.random.default_rng(0).random((n, 2)) / 2), None)
    got = score_hierarchy(
        Subject(
            table,
            table.space(),
            graph,
            spool,
            np.zeros(n, dtype=np.int64),
            np.zeros(n, dtype=np.int64),
            np.ones(n, dtype=bool),
            None,
            0,
            1,
        )
    )
    spool.close()
    assert (got.map, got.mean_rank, got.monotone_edges, got.siblings, got.separation) == (None,) * 5
    assert (got.hits, got.parent_hits, got.clades) == ({}, {}, ())
