"""Held-out pairs, scored apart: filtered, exact, and never those that were trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from taxcheck.audit.alignment import align
from taxcheck.audit.held_out import score_held_out, unseen
from taxcheck.audit.scores import Subject, score_hierarchy
from taxcheck.model.finding import Unavailable
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.spool import PairSpool
from tests.audit.one_table import checkpoint
from tests.audit.test_scores import PARENT, N, pairs, placed

LEAKED = 7  # held-out pairs that stay in training


def spooled(rows: np.ndarray) -> PairSpool:
    spool = PairSpool(has_depth=True)
    spool.append(np.arange(rows.shape[1]), *rows)
    return spool


@pytest.fixture(scope="module")
def split():
    """A fifth of the pairs at distance 2 and more is held out, and a few are in both parts."""
    every = pairs()
    rng = np.random.default_rng(1)
    held = (every[2] > 1) & (rng.random(every.shape[1]) < 0.2)
    held[np.flatnonzero(every[2] > 1)[0]] = True
    leaked = np.flatnonzero(held)[:LEAKED]
    training = every[:, np.sort(np.r_[np.flatnonzero(~held), leaked])]
    return training, every[:, held]


@pytest.fixture(scope="module")
def subject(split):
    training, held = split
    spools = spooled(training), spooled(held)
    table = align(checkpoint(placed()), None)
    yield Subject(
        table=table,
        space=table.space(),
        graph=Graph.from_edges(PARENT[1:], np.arange(1, N), np.ones(N, dtype=bool)),
        spool=spools[0],
        followers=np.bincount(training[0], minlength=N),
        above=np.bincount(training[1], minlength=N),
        trained=np.ones(N, dtype=bool),
        clades=None,
        seed=0,
        workers=1,
        held_out=spools[1],
    )
    for spool in spools:
        spool.close()


def naive(space, asked: np.ndarray, known: np.ndarray) -> tuple[float, float]:
    """MAP and mean rank of pairs asked for, where what is known is no candidate."""
    precisions, ranks = [], []
    for source in np.unique(asked[1]):
        own, others = asked[0, asked[1] == source], known[0, known[1] == source]
        labels = np.zeros(N, dtype=bool)
        labels[own] = True
        candidates = np.ones(N, dtype=bool)
        candidates[others] = candidates[source] = False
        candidates[own] = True
        apart = space.separation(np.array([source]), np.arange(N))
        precisions.append(average_precision_score(labels[candidates], -apart[candidates]))
        wrong = apart[candidates & ~labels]
        ranks += [1 + int(np.count_nonzero(wrong <= apart[a])) for a in own]
    return float(np.mean(precisions)), float(np.mean(ranks))


def test_held_out_pairs_are_ranked_without_what_training_states(subject, split):
    training, held = split
    fresh = held[:, LEAKED:]
    found = score_held_out(subject, None)
    precision, mean_rank = naive(subject.space, fresh, training)
    assert found.map.value == pytest.approx(precision, abs=1e-12)
    assert found.mean_rank.value == pytest.approx(mean_rank, abs=1e-12)
    assert (found.pairs, found.in_training, found.untrained) == (fresh.shape[1], LEAKED, 0)
    assert found.map.sources == found.map.total == len(np.unique(fresh[1]))
    assert found.map.beats_every_null
    assert "popularity" in found.map.nulls
    unfiltered, _ = naive(subject.space, fresh, training[:, :0])
    assert unfiltered < precision - 0.1, "what the filter is for"


def test_training_pairs_are_ranked_without_what_is_held_out(subject, split):
    training, held = split
    found = score_hierarchy(subject).map
    precision, _ = naive(subject.space, training, held)
    assert found.value == pytest.approx(precision, abs=1e-12)
    assert "without those in held-out pairs" in found.protocol
    alone = score_hierarchy(replace(subject, held_out=None)).map
    assert alone.value < precision
    assert "held-out" not in alone.protocol


def test_rows_that_were_not_trained_are_counted(subject, split):
    fresh = split[1][:, LEAKED:]
    trained = np.ones(N, dtype=bool)
    trained[fresh[1, 0]] = False
    found = score_held_out(replace(subject, trained=trained), None)
    assert found.untrained == int((~trained[fresh[:2]]).any(axis=0).sum()) > 0
    assert found.map.trained_only is not None


def test_where_there_is_nothing_to_score_it_says_why(subject, split):
    without = score_held_out(replace(subject, held_out=None), None)
    assert without == Unavailable("no held-out pairs given")
    same = spooled(split[0][:, :20])
    found = score_held_out(replace(subject, held_out=same), None)
    same.close()
    assert found == Unavailable("training has every held-out pair")


def test_unseen_pairs_count_once(subject, split):
    twice = spooled(np.hstack([split[1], split[1]]))
    keys, seen = unseen(twice, subject.spool, N)
    twice.close()
    fresh = split[1][:, LEAKED:]
    assert keys.tolist() == sorted((fresh[1] * N + fresh[0]).tolist())
    assert seen == LEAKED


def test_the_seed_decides_and_nothing_else(subject):
    assert score_held_out(subject, None) == score_held_out(replace(subject, workers=2), None)
