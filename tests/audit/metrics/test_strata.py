"""Stratified samples of sources: who is drawn, and what a sample says of all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from taxcheck.audit.metrics.bootstrap import mean_interval
from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.ranking import rank
from taxcheck.audit.metrics.strata import Drawn, draw
from taxcheck.geometry.space import Space
from tests.oracles.ranking import negatives_before

SIZE, SEEDS = 200, 40


def simple(edges: np.ndarray, size: int, rng: np.random.Generator) -> Drawn:
    """The sample that was drawn before: all sources alike."""
    chosen = np.sort(rng.choice(len(edges), size, replace=False))
    return Drawn(chosen, np.zeros(size, int), np.array([len(edges)]), float(edges.sum()))


class Tangled:
    """2,001 nodes on 100 lines below one root; 6 leaves hang on a second line as well.

    A table of the lines alone: those 6 lie at their first parent, far from all that is above them
    on the other line. Rows lie on rays of the plane from radius 8 on, where rays are far apart.
    """

    lines, levels, tangled = 100, 20, 6

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        n = 1 + self.lines * self.levels
        line, level = np.divmod(np.arange(n - 1), self.levels)
        above = {
            1 + k: {0, *range(1 + k - level[k], 1 + k)} for k in range(n - 1)
        }  # line by line, from the root outwards
        leaves = 1 + rng.choice(self.lines, self.tangled, replace=False) * self.levels
        for leaf in leaves + self.levels - 1:
            other = 1 + int(rng.integers(self.lines)) * self.levels
            above[int(leaf)] |= set(range(other, other + self.levels - 1))
        pairs = [(d, a) for d, ups in above.items() for a in ups if a != d]
        self.positives = Lists.from_pairs(*np.array(pairs).T, n)
        self.depth = level + 1  # of the sources, which are all but the root
        angle = 2 * np.pi * (line + 0.5) / self.lines
        rays = np.column_stack([np.cos(angle), np.sin(angle)])
        points = np.vstack([np.zeros(2), rays * (8.0 + level)[:, None]])
        self.space = Space.of(points, "tangent")


@pytest.fixture(scope="module")
def tangled():
    return Tangled()


@pytest.fixture(scope="module")
def ranking(tangled):
    return rank(tangled.space, tangled.positives)


def covered(ranking, sample) -> tuple[int, list[float]]:
    """In how many of 40 samples the interval has the mean rank of all, and what each estimates."""
    edges, found, inside = ranking.edges, [], 0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        drawn = sample(rng)
        at = np.searchsorted(ranking.sources, drawn.sources)
        own = mean_interval(
            ranking.rank_sum[at], rng, edges=edges[at].astype(float), drawn=drawn, resamples=300
        )
        inside += own.low <= ranking.mean_rank <= own.high
        found.append(own.value)
    return inside, found


def test_a_heavy_tail_is_in_the_interval_where_it_was_not(tangled, ranking):
    """All sources are ranked, which gives the exact value: 6 leaves carry most of the excess."""
    exact = ranking.mean_rank
    alone = tangled.positives.lengths > tangled.depth
    excess = ranking.rank_sum - ranking.edges
    assert np.count_nonzero(alone) == tangled.tangled
    assert excess[alone].sum() > 0.5 * excess.sum(), "0.3 % of the nodes"
    edges = ranking.edges

    def sound(rng):
        return draw(ranking.sources, edges, SIZE, rng, tangled.depth)

    def before(rng):
        drawn = simple(edges, SIZE, rng)
        return replace(drawn, sources=ranking.sources[drawn.sources])

    now, estimates = covered(ranking, sound)
    then, old = covered(ranking, before)
    assert now >= 0.9 * SEEDS, (now, then)
    assert then <= 0.75 * SEEDS, (now, then)
    assert np.std(estimates) < np.std(old) / 3
    assert np.mean(estimates) == pytest.approx(exact, rel=0.05), "unbiased"


def test_the_estimate_is_unbiased_over_all_samples_that_there_are():
    """Of 5 sources in strata of 3 and 2, one and one are drawn: 6 samples, equally likely."""
    values, edges = np.array([2.0, 5.0, 11.0, 40.0, 90.0]), np.array([1, 2, 4, 8, 16])
    stratum = np.array([0, 0, 0, 1, 1])
    means, over_edges = [], []
    for a in range(3):
        for b in (3, 4):
            at = np.array([a, b])
            drawn = Drawn(at, stratum[at], np.array([3, 2]), float(edges.sum()))
            means.append(drawn.mean(values[at]))
            over_edges.append(drawn.mean(values[at], edges[at]))
    assert np.mean(means) == pytest.approx(values.mean())
    assert np.mean(over_edges) == pytest.approx(values.sum() / edges.sum())


def test_a_table_without_fault_has_mean_rank_1_on_every_sample():
    edges = np.arange(1, 400)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        drawn = draw(np.arange(399), edges, 100, rng, edges // 2)
        at = drawn.sources
        got = mean_interval(
            edges[at].astype(float), rng, edges=edges[at].astype(float), drawn=drawn
        )
        assert (got.value, got.low, got.high) == (1, 1, 1)


@pytest.mark.parametrize("size", [1, 7, 60, 250, 998])
def test_so_many_are_drawn_and_together_they_stand_for_all(size):
    rng = np.random.default_rng(size)
    depth = rng.integers(1, 20, 1_000)
    edges = depth + np.where(rng.random(1_000) < 0.05, rng.integers(1, 200, 1_000), 0)
    drawn = draw(np.arange(1_000) * 2, edges, size, rng, depth)
    assert len(drawn.sources) == len(set(drawn.sources.tolist())) == size
    assert (np.diff(drawn.sources) > 0).all()
    assert drawn.weights.sum() == pytest.approx(1_000)
    assert (drawn.total, drawn.edges) == (1_000, edges.sum())
    several = edges > depth
    share = np.count_nonzero(several[drawn.sources // 2]) / np.count_nonzero(several)
    assert share > min(0.5, 2 * size / 1_000) or size < 60, "5 % of the nodes have several lines"
    part = drawn.some(drawn.thinned(size // 2 + 1, rng))
    assert len(part.sources) == size // 2 + 1
    assert part.weights.sum() == pytest.approx(1_000)


def test_quantiles_count_each_source_for_those_it_stands_for():
    """Ranks 1, 1 of a source that stands for 9, rank 50 of one that stands for 1: 18 against 1."""
    drawn = Drawn(np.array([0, 1]), np.array([0, 1]), np.array([9, 1]), 19.0)
    ranks, owner = np.array([1.0, 1.0, 50.0]), np.array([0, 0, 1])
    assert drawn.quantiles(ranks, owner, (0.5, 0.94, 0.99)) == [1, 1, 50]
    assert np.isnan(drawn.quantiles(np.empty(0), np.empty(0, int), (0.5,))).all()


def test_repeated_pairs_make_the_edges_an_estimate():
    drawn = Drawn(np.array([0, 1]), np.zeros(2, int), np.array([4]), 12.0)
    assert drawn.counted(np.array([3, 3]), np.array([3, 3])) is drawn
    assert drawn.counted(np.array([3, 3]), np.array([2, 3])).edges == 10


def test_ranks_are_those_of_every_edge_by_the_definition(tangled, ranking):
    worst = np.argsort(ranking.rank_sum / ranking.edges)[-5:]
    part = rank(tangled.space, lists := tangled.positives.some(np.sort(worst)))
    want = []
    for k, source in enumerate(lists.sources):
        targets = lists.targets[lists.starts[k] : lists.starts[k + 1]].tolist()
        _, less, equal, _ = negatives_before(tangled.space, int(source), targets, set(), False)
        want += [1 + a + b for a, b in zip(less, equal, strict=True)]
    assert part.ranks.tolist() == want
    assert part.rank_sum.tolist() == np.bincount(part.owner, part.ranks).tolist()
