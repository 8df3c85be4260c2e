from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.dataset import TrainingData, training_data
from taxcheck.engine.sampling import (
    Chunk,
    Sampler,
    balance_shares,
    draw_negatives,
    negatives_of,
    stage_draws,
)
from tests.engine.tiny import from_tables

UBERON = Path(__file__).parents[2] / "fixtures/uberon"
SETTINGS = st.fixed_dictionaries(
    {
        "balance": st.sampled_from(["none", "balanced", "oversample", "temperature"]),
        "source_weight": st.sampled_from(["pairs", "sources"]),
        "depth_weight": st.sampled_from([0.0, 0.5]),
        "depth_cap": st.sampled_from([0, 3]),
        "curriculum": st.sampled_from([(), ((1, 1, 2), (3, 2, 8))]),
    }
)


def chain(length: int, weights: list[float] | None = None) -> TrainingData:
    """0 - 1 - ... - length - 1 with its whole closure."""
    rows = [(a, d) for d in range(length) for a in range(d)]
    a, d = np.array(rows).T
    return training_data(
        a, d, d - a, length, weights=None if weights is None else np.array(weights)
    )


@pytest.fixture(scope="module")
def uberon() -> TrainingData:
    return from_tables(str(UBERON / "mapping.tsv"), str(UBERON / "pairs.parquet"))


def rows(works: list[Chunk]) -> list[tuple[int, int, float]]:
    """(source, positive, weight) in the order drawn."""
    return [
        (int(source), int(work.positives[at]), float(work.weights[at]))
        for work in works
        for k, source in enumerate(work.sources)
        for at in range(work.starts[k], work.starts[k + 1])
    ]


def drawn(data: TrainingData, epoch: int = 0, chunk: int = 1 << 17, **settings: object) -> list:
    config = TrainConfig(**{"source_weight": "pairs"} | settings)  # type: ignore[arg-type]
    return rows(list(Sampler(data, config).epoch(epoch, chunk)))


@pytest.mark.parametrize("grouping", ["sources", "pairs"])
@pytest.mark.parametrize("source_weight", ["sources", "pairs"])
def test_the_shares_that_are_told_are_those_of_an_epoch(grouping: str, source_weight: str) -> None:
    settings = {"balance": "balanced", "depth_weight": 0.5, "depth_cap": 5}
    settings |= {"grouping": grouping, "source_weight": source_weight}
    config, data = TrainConfig(**settings), chain(9)  # type: ignore[arg-type]
    shares = Sampler(data, config).shares(0)
    epochs = range(300 if grouping == "pairs" else 1)  # drawn, or each pair once
    found = [row for epoch in epochs for row in drawn(data, epoch, **settings)]
    distance, weight = np.array([(source - positive, w) for source, positive, w in found]).T
    for told, counted in zip(
        shares,
        (np.bincount(distance.astype(int)), np.bincount(distance.astype(int), weight)),
        strict=True,
    ):
        assert told.sum() == pytest.approx(1)
        close = pytest.approx(counted / counted.sum(), abs=0.015 if grouping == "pairs" else 1e-6)
        assert told[: len(counted)] == close


def test_a_stage_of_the_curriculum_is_told_in_a_line() -> None:
    config = TrainConfig(curriculum=((2, 1, 2), (5, 1, 5)), source_weight="pairs")
    told = [str(stage) for stage in stage_draws(Sampler(chain(8), config), 9)]
    assert told == [  # of 28 pairs 7 - k + 1 are at distance k
        "epoch 1 to 2: 13 pairs drawn, 53.8 % at distance 1, 46.2 % at 2 to 5, 0 % beyond",
        "epoch 3 to 5: 25 pairs drawn, 28.0 % at distance 1, 72.0 % at 2 to 5, 0 % beyond",
        "epoch 6 to 9: 28 pairs drawn, 25.0 % at distance 1, 64.3 % at 2 to 5, 10.7 % beyond",
    ]


@pytest.mark.parametrize(
    ("settings", "shares"),
    [
        ({"balance": "none"}, [0, 0.4, 0.2, 0.2, 0, 0, 0.15, 0.05]),
        ({"balance": "balanced"}, [0, 1 / 3, 1 / 6, 1 / 6, 0, 0, 0.25, 1 / 12]),
        ({"balance": "oversample", "depth1_factor": 6.0},
         [0, 0.8, 1 / 15, 1 / 15, 0, 0, 0.05, 1 / 60]),
        ({"balance": "temperature", "balance_temperature": 2.0},
         np.sqrt([0, 8, 4, 4, 0, 0, 3, 1]) / np.sqrt([8, 4, 4, 3, 1]).sum()),
    ],
)  # fmt: skip
def test_shares_of_the_distances(settings: dict[str, object], shares: list[float]) -> None:
    counts = np.array([0, 8, 4, 4, 0, 0, 3, 1])
    config = TrainConfig(**{"source_weight": "pairs"} | settings)  # type: ignore[arg-type]
    assert balance_shares(counts, config) == pytest.approx(np.array(shares))


def test_ranges_that_do_not_occur_get_no_share() -> None:
    shares = balance_shares(np.array([0, 1, 0, 3]), TrainConfig(balance="balanced"))
    assert shares == pytest.approx([0, 0.5, 0, 0.5])


@given(st.integers(2, 9), st.integers(0, 4), st.integers(1, 40), SETTINGS)
def test_an_epoch_takes_each_admitted_pair_once_and_their_weights_average_1(
    length: int, epoch: int, chunk: int, settings: dict[str, object]
) -> None:
    least, largest = 1, settings["depth_cap"] or length
    if settings["curriculum"] and epoch < 3:
        stage = (1, 2) if epoch == 0 else (2, 8)
        least, largest = stage[0], min(stage[1], int(str(largest)))
    expected = {
        (d, a) for d in range(length) for a in range(d) if least <= d - a <= int(str(largest))
    }
    if not expected:
        with pytest.raises(ValueError, match="curriculum"):
            drawn(chain(length), epoch, chunk, **settings)
        return
    found = drawn(chain(length), epoch, chunk, **settings)
    assert len(found) == len(expected)
    assert {(source, positive) for source, positive, _ in found} == expected
    assert np.mean([weight for *_, weight in found]) == pytest.approx(1, rel=1e-5)
    assert found == drawn(chain(length), epoch, 1 << 17, **settings)


def test_balanced_weights_by_hand() -> None:
    # a chain of 8: distances 1..7 have 7, 6, 5, 4, 3, 2, 1 pairs; ranges of 7, 18 and 3 of 28
    expected = {1: 28 / 3 / 7, 2: 28 / 3 / 18, 5: 28 / 3 / 18, 6: 28 / 3 / 3, 7: 28 / 3 / 3}
    found = {d - a: weight for d, a, weight in drawn(chain(8), balance="balanced")}
    assert {k: found[k] for k in expected} == pytest.approx(expected)


def test_depth_weight_and_the_pairs_own_weights_multiply() -> None:
    # pairs (0,1), (0,2), (1,2) at distances 1, 2, 1 with weights 1, 4, 2
    found = {(d, a): w for d, a, w in drawn(chain(3, [1, 4, 2]), depth_weight=1.0)}
    assert found == pytest.approx({(1, 0): 0.6, (2, 0): 1.2, (2, 1): 1.2})


def test_source_weight_gives_every_source_the_same_sum() -> None:
    found = drawn(chain(4), source_weight="sources", balance="oversample", depth1_factor=3.0)
    sums = [sum(w for d, _, w in found if d == source) for source in (1, 2, 3)]
    assert sums == pytest.approx([2, 2, 2])
    assert {(d, a): w for d, a, w in found}[2, 1] == pytest.approx(1.5)


def test_a_source_whose_pairs_all_weigh_0_stays_at_0() -> None:
    found = drawn(chain(3, [0, 4, 2]), source_weight="sources")
    assert {(d, a): w for d, a, w in found} == pytest.approx({(1, 0): 0, (2, 0): 2, (2, 1): 1})
    with pytest.raises(ValueError, match="weights"):
        drawn(chain(3, [0, 0, 0]))


@pytest.mark.parametrize("grouping", ["sources", "pairs"])
def test_seed_and_epoch_alone_decide(uberon: TrainingData, grouping: str) -> None:
    settings = {"grouping": grouping, "balance": "temperature", "depth_cap": 2}
    draws = Sampler(uberon, TrainConfig(**{"source_weight": "pairs"} | settings))  # type: ignore[arg-type]
    first = next(w.sources for w in draws.epoch(0, 1024))
    third = rows(list(draws.epoch(2, 1024)))
    assert third == drawn(uberon, 2, 999, **settings)
    assert third != drawn(uberon, 2, seed=1, **settings)
    assert first[:50].tolist() != [s for s, *_ in third[:50]]
    assert len(third) == draws.pairs(2) == np.count_nonzero(uberon.distances <= 2)


def test_chunks_have_about_the_size_asked_for_and_cut_no_source(uberon: TrainingData) -> None:
    works = list(Sampler(uberon, TrainConfig()).epoch(0, 1024))
    largest = int(np.diff(uberon.starts).max())
    sizes = [len(work.positives) for work in works]
    assert max(sizes) < 1024 + largest
    assert min(sizes[:-1]) > 1024 - largest
    sources = np.concatenate([work.sources for work in works])
    assert sorted(sources) == np.flatnonzero(np.diff(uberon.starts)).tolist()
    for work in works[:3]:
        assert (np.diff(work.starts) == np.diff(uberon.starts)[work.sources]).all()


@pytest.mark.parametrize(
    ("settings", "shares"),
    [
        ({"balance": "none"}, [7 / 28, 18 / 28, 3 / 28]),
        ({"balance": "balanced"}, [1 / 3, 1 / 3, 1 / 3]),
        ({"balance": "balanced", "depth_cap": 3}, [1 / 2, 1 / 2, 0]),
    ],
)
def test_pairs_are_drawn_by_the_balance(settings: dict[str, object], shares: list[float]) -> None:
    data, counts, total = chain(8), np.zeros((8, 8)), 0
    draws = Sampler(data, TrainConfig(grouping="pairs", source_weight="pairs", **settings))  # type: ignore[arg-type]
    for epoch in range(400):
        for work in draws.epoch(epoch, 1024):
            assert work.starts.tolist() == list(range(draws.pairs(epoch) + 1))
            assert (work.weights == 1).all()
            np.add.at(counts, (work.positives, work.sources), 1)
            total += len(work.sources)
    distance = np.arange(8)[None, :] - np.arange(8)[:, None]
    ranges = [distance == 1, (distance > 1) & (distance <= 5), distance > 5]
    noise = 4 * np.sqrt(0.25 / total)
    assert [counts[part].sum() / total for part in ranges] == pytest.approx(shares, abs=noise)
    assert counts[distance < 1].sum() == 0
    ones = counts[distance == 1]  # equally likely among themselves
    assert ones == pytest.approx(np.full(7, ones.mean()), abs=5 * np.sqrt(ones.mean()))


def test_the_weights_of_drawn_pairs_average_1(uberon: TrainingData) -> None:
    settings = {"grouping": "pairs", "balance": "balanced", "depth_weight": 1.0}
    for source_weight in ("pairs", "sources"):
        found = drawn(uberon, source_weight=source_weight, **settings)
        assert np.mean([w for *_, w in found]) == pytest.approx(1, abs=0.02)


def test_no_pairs_to_draw() -> None:
    nothing = training_data(np.empty(0, int), np.empty(0, int), None, 3)
    with pytest.raises(ValueError, match="there are no pairs at all"):
        drawn(nothing)


FIXTURES = Path(__file__).parents[2] / "fixtures"


def forked() -> TrainingData:
    """0 - {1, 2}, 1 - {3, 4}, 2 - 5, whole closure; node 6 is in no pair."""
    rows = [(0, 1), (0, 2), (0, 3), (1, 3), (0, 4), (1, 4), (0, 5), (2, 5)]
    a, d = np.array(rows).T
    return training_data(a, d, np.array([1, 1, 2, 1, 2, 1, 2, 1]), 7)


def every_source(data: TrainingData, times: int) -> Chunk:
    sources = np.repeat(np.flatnonzero(np.diff(data.starts)), times).astype(np.int32)
    nothing = np.empty(0, np.int32)
    return Chunk(sources, np.zeros(len(sources) + 1, int), nothing, np.empty(0, np.float32))


def allowed(drawn: np.ndarray, sources: np.ndarray, source: int) -> set[int]:
    return set(np.unique(drawn[sources == source]).tolist())


def test_shares_become_counts() -> None:
    found = negatives_of(forked(), TrainConfig(negatives=10, degree_share=0.3, hard_share=0.2))
    assert (found.uniform, found.degree, found.hard) == (5, 3, 2)
    found = negatives_of(forked(), TrainConfig(negatives=3, degree_share=0.5, hard_share=0.5))
    assert (found.uniform, found.degree, found.hard) == (0, 2, 1)


def test_pools_hold_the_nodes_in_some_pair() -> None:
    found = negatives_of(forked(), TrainConfig())
    assert found.pool.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.by_depth.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.depth_starts.tolist() == [0, 1, 3, 6]


def test_what_each_kind_can_draw_by_hand() -> None:
    data, work = forked(), every_source(forked(), 200)
    config = TrainConfig(negatives=3, degree_share=1 / 3, hard_share=1 / 3)
    drawn = draw_negatives(negatives_of(data, config), data, work, np.random.default_rng(0))
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
    work = Chunk(
        np.ones(500, np.int32),  # the ancestor 1 of the descendant 3, again and again
        np.arange(501),
        np.full(500, 3, np.int32),
        np.ones(500, np.float32),
    )
    config = TrainConfig(negatives=2, hard_share=0.5, grouping="pairs", anchor="ancestor")
    uniform, hard = draw_negatives(
        negatives_of(data, config), data, work, np.random.default_rng(0)
    ).T
    below = set(np.flatnonzero(data.ancestry.is_above(np.full(6, 1), np.arange(6))).tolist())
    assert set(uniform.tolist()) == {-1} | {2, 3, 4, 5} - below
    assert set(hard.tolist()) == {-1} | {3, 4, 5} - below


def test_degree_draws_follow_how_often_a_node_is_an_ancestor() -> None:
    data, work = forked(), every_source(forked(), 20_000)
    config = TrainConfig(negatives=1, degree_share=1.0)
    drawn = draw_negatives(negatives_of(data, config), data, work, np.random.default_rng(0))[:, 0]
    # of eight pairs, 0 is the ancestor in five, 1 in two, 2 in one; 5 is below 0 and 2
    found = np.mean(drawn[work.sources == 5] == 1)
    assert found == pytest.approx(2 / 8, abs=0.015)
    assert np.mean(drawn[work.sources == 3] == 2) == pytest.approx(1 / 8, abs=0.012)


@pytest.mark.parametrize("name", ["healthy", "uberon"])
def test_no_negative_is_the_source_or_above_it(name: str) -> None:
    folder = FIXTURES / name
    data = from_tables(str(folder / "mapping.tsv"), str(folder / "pairs.parquet"))
    config = TrainConfig(negatives=20, degree_share=0.2, hard_share=0.4)
    work = next(Sampler(data, config).epoch(0, 20_000))
    drawn = draw_negatives(negatives_of(data, config), data, work, np.random.default_rng(1))
    above = {
        int(s): {int(s), *data.ancestors[data.starts[s] : data.starts[s + 1]].tolist()}
        for s in work.sources
    }
    for source, row in zip(work.sources.tolist(), drawn.tolist(), strict=True):
        assert not above[source] & set(row)
    hard, sources = drawn[:, -8:], np.broadcast_to(work.sources[:, None], (len(drawn), 8))
    kept = hard >= 0
    assert (data.depth[hard[kept]] == data.depth[sources[kept]]).all()
    assert not data.ancestry.is_above(sources[kept], hard[kept]).any()
    assert (drawn >= 0).mean() > 0.7


def test_pairs_beyond_a_cap_are_no_negatives() -> None:
    a, d = np.array([(0, 1), (1, 2), (2, 3), (0, 4)]).T  # edges only: 0 and 1 are above 3
    data = training_data(a, d, np.ones(4, int), 5)
    work = every_source(data, 100)
    found = draw_negatives(
        negatives_of(data, TrainConfig(negatives=4)), data, work, np.random.default_rng(0)
    )
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
        negatives_of(data, config)


def test_nothing_to_draw_from() -> None:
    nothing = training_data(np.empty(0, int), np.empty(0, int), None, 3)
    with pytest.raises(ValueError, match="negatives: 0 nodes"):
        negatives_of(nothing, TrainConfig())
