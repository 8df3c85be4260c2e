from pathlib import Path

import numpy as np
import pytest

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.dataset import from_tables, training_data
from taxcheck.engine.draws import Draws
from taxcheck.engine.negatives import draw, negatives
from taxcheck.engine.related import is_ancestor
from taxcheck.engine.values import TrainingData, Work

FIXTURES = Path(__file__).parents[2] / "fixtures"


def forked() -> TrainingData:
    """0 - {1, 2}, 1 - {3, 4}, 2 - 5, whole closure; node 6 is in no pair."""
    rows = [(0, 1), (0, 2), (0, 3), (1, 3), (0, 4), (1, 4), (0, 5), (2, 5)]
    a, d = np.array(rows).T
    return training_data(a, d, np.array([1, 1, 2, 1, 2, 1, 2, 1]), 7)


def every_source(data: TrainingData, times: int) -> Work:
    sources = np.repeat(np.flatnonzero(np.diff(data.starts)), times).astype(np.int32)
    nothing = np.empty(0, np.int32)
    return Work(sources, np.zeros(len(sources) + 1, int), nothing, np.empty(0, np.float32))


def allowed(drawn: np.ndarray, sources: np.ndarray, source: int) -> set[int]:
    return set(np.unique(drawn[sources == source]).tolist())


def test_shares_become_counts() -> None:
    found = negatives(forked(), TrainConfig(negatives=10, degree_share=0.3, hard_share=0.2))
    assert (found.uniform, found.degree, found.hard) == (5, 3, 2)
    found = negatives(forked(), TrainConfig(negatives=3, degree_share=0.5, hard_share=0.5))
    assert (found.uniform, found.degree, found.hard) == (0, 2, 1)


def test_pools_hold_the_nodes_in_some_pair() -> None:
    found = negatives(forked(), TrainConfig())
    assert found.pool.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.by_depth.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.depth_starts.tolist() == [0, 1, 3, 6]


def test_what_each_kind_can_draw_by_hand() -> None:
    data, work = forked(), every_source(forked(), 200)
    config = TrainConfig(negatives=3, degree_share=1 / 3, hard_share=1 / 3)
    drawn = draw(negatives(data, config), data, work, np.random.default_rng(0))
    assert drawn.shape == (1000, 3)
    assert drawn.dtype == np.int32
    uniform, degree, hard = drawn.T
    assert allowed(uniform, work.sources, 3) == {-1, 2, 4, 5}
    assert allowed(uniform, work.sources, 1) == {-1, 2, 3, 4, 5}  # descendants may be drawn
    assert allowed(degree, work.sources, 3) == {-1, 2}  # ancestors in the pairs: 0, 1, 2
    assert allowed(hard, work.sources, 3) == {-1, 4, 5}
    assert allowed(hard, work.sources, 1) == {-1, 2}


def test_for_an_ancestor_none_is_below_it_and_hard_ones_are_as_deep_as_the_descendant() -> None:
    data = forked()
    work = Work(
        np.ones(500, np.int32),  # the ancestor 1 of the descendant 3, again and again
        np.arange(501),
        np.full(500, 3, np.int32),
        np.ones(500, np.float32),
    )
    config = TrainConfig(negatives=2, hard_share=0.5, grouping="pairs", anchor="ancestor")
    uniform, hard = draw(negatives(data, config), data, work, np.random.default_rng(0)).T
    below = set(np.flatnonzero(is_ancestor(data.related, np.full(6, 1), np.arange(6))).tolist())
    assert set(uniform.tolist()) == {-1} | {2, 3, 4, 5} - below
    assert set(hard.tolist()) == {-1} | {3, 4, 5} - below


def test_degree_draws_follow_how_often_a_node_is_an_ancestor() -> None:
    data, work = forked(), every_source(forked(), 20_000)
    config = TrainConfig(negatives=1, degree_share=1.0)
    drawn = draw(negatives(data, config), data, work, np.random.default_rng(0))[:, 0]
    # of eight pairs, 0 is the ancestor in five, 1 in two, 2 in one; 5 is below 0 and 2
    found = np.mean(drawn[work.sources == 5] == 1)
    assert found == pytest.approx(2 / 8, abs=0.015)
    assert np.mean(drawn[work.sources == 3] == 2) == pytest.approx(1 / 8, abs=0.012)


@pytest.mark.parametrize("name", ["healthy", "uberon"])
def test_no_negative_is_the_source_or_above_it(name: str) -> None:
    folder = FIXTURES / name
    data = from_tables(str(folder / "mapping.tsv"), str(folder / "pairs.parquet"))
    config = TrainConfig(negatives=20, degree_share=0.2, hard_share=0.4)
    work = next(Draws(data, config).epoch(0, 20_000))
    drawn = draw(negatives(data, config), data, work, np.random.default_rng(1))
    above = {
        int(s): {int(s), *data.ancestors[data.starts[s] : data.starts[s + 1]].tolist()}
        for s in work.sources
    }
    for source, row in zip(work.sources.tolist(), drawn.tolist(), strict=True):
        assert not above[source] & set(row)
    hard, sources = drawn[:, -8:], np.broadcast_to(work.sources[:, None], (len(drawn), 8))
    kept = hard >= 0
    assert (data.depth[hard[kept]] == data.depth[sources[kept]]).all()
    assert not is_ancestor(data.related, sources[kept], hard[kept]).any()
    assert (drawn >= 0).mean() > 0.7


def test_pairs_beyond_a_cap_are_no_negatives() -> None:
    a, d = np.array([(0, 1), (1, 2), (2, 3), (0, 4)]).T  # edges only: 0 and 1 are above 3
    data = training_data(a, d, np.ones(4, int), 5)
    work = every_source(data, 100)
    found = draw(negatives(data, TrainConfig(negatives=4)), data, work, np.random.default_rng(0))
    assert allowed(found, work.sources, 3) == {-1, 4}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (TrainConfig(hard_share=0.5), "hard_share"),
        (TrainConfig(hard_share=0.6, degree_share=0.6), "more than 1"),
    ],
)
def test_a_chain_has_no_hard_negatives(config: TrainConfig, message: str) -> None:
    a, d = np.array([(0, 1), (1, 2)]).T
    data = training_data(a, d, np.ones(2, int), 3)
    with pytest.raises(ValueError, match=message):
        negatives(data, config)


def test_nothing_to_draw_from() -> None:
    nothing = training_data(np.empty(0, int), np.empty(0, int), None, 3)
    with pytest.raises(ValueError, match="negatives: 0 nodes"):
        negatives(nothing, TrainConfig())
