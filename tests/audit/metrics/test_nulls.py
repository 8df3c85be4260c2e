import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxcheck.audit.metrics import nulls
from taxcheck.audit.metrics.bootstrap import beats_nulls, mean_interval
from taxcheck.audit.metrics.counting import count_nearer
from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.ranking import positives_of, score
from taxcheck.geometry.space import Space


def beats(comparison):
    return all(null.better.low > 0 for null in comparison.nulls.values())


@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(st.data())
def test_popularity_counts_are_those_of_a_line_table(data):
    """Scores are popularity; on a line every source at 0 sees row r at -score: the same order."""
    n = data.draw(st.integers(2, 12))
    scores = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)))
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    pairs = np.array(data.draw(st.lists(pair, min_size=1)))
    out = np.array(data.draw(st.lists(pair)), dtype=int).reshape(-1, 2)
    positives = Lists.from_pairs(pairs[:, 0], pairs[:, 1], n)
    left_out = Lists.from_pairs(out[:, 0], out[:, 1], n, among=positives.sources)
    got = nulls.popular(scores, positives, left_out)
    for k, source in enumerate(positives.sources):
        span = slice(positives.starts[k], positives.starts[k + 1])
        own = set(positives.targets[span].tolist())
        hidden = {t for s, t in out.tolist() if s == source} | own | {int(source)}
        rest = [scores[v] for v in range(n) if v not in hidden]
        for edge, target in enumerate(positives.targets[span], start=span.start):
            assert got.less[edge] == sum(x > scores[target] for x in rest)
            assert got.equal[edge] == sum(x == scores[target] for x in rest)
        assert got.negatives[k] == len(rest)


def test_collapsed_counts_are_those_of_a_collapsed_table():
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 20, size=(40, 2))
    positives = Lists.from_pairs(pairs[:, 0], pairs[:, 1], 20)
    table = count_nearer(Space.of(np.full((20, 2), 0.1), "ball"), positives)
    null = nulls.collapsed(positives)
    assert (null.less == table.less).all()
    assert (null.equal == table.equal).all()
    assert score(null, positives).map == pytest.approx(score(table, positives).map)


def test_labels_move_within_their_depth_alone():
    depth = np.array([0, 1, 1, 2, 1, 2, 2, -1])
    drawn = [nulls.permutation_within_depth(depth, np.random.default_rng(s)) for s in range(50)]
    for order in drawn:
        assert (depth[order] == depth).all()
        assert sorted(order) == list(range(8))
    assert len({tuple(o) for o in drawn}) > 20  # of 3! 3! = 36


def test_depth_aware_init_knows_depth_and_nothing_else():
    depth = np.array([0, 1, 2, 4])
    space = nulls.depth_aware_init(depth, 3, np.random.default_rng(0))
    assert np.tanh(space.radii / 2) == pytest.approx([0.05, 0.25, 0.45, 0.85])
    assert np.linalg.norm(space.coordinates, axis=1) == pytest.approx(1)
    own = nulls.depth_aware_init(depth, 3, np.random.default_rng(1))
    assert (own.radii == space.radii).all()
    assert not np.allclose(own.coordinates, space.coordinates)


def test_interval_of_a_mean_is_the_normal_one():
    """400 values of deviation 1: the standard error is .05, so the interval is +- .098."""
    values = np.random.default_rng(0).normal(size=400)
    values = (values - values.mean()) / values.std()
    got = mean_interval(values, np.random.default_rng(1))
    assert got.value == pytest.approx(0, abs=1e-12)
    assert (got.low, got.high) == pytest.approx((-0.098, 0.098), abs=0.012)


def test_the_comparison_is_paired():
    """Sources differ by far more than the score from its null: only pairing sees the .01."""
    rng = np.random.default_rng(0)
    base = rng.random(300)
    got = beats_nulls(base + 0.01, {"a": base, "b": base + 0.02}, np.random.default_rng(1))
    assert got.nulls["a"].better.low == pytest.approx(0.01)
    assert got.nulls["b"].better.high == pytest.approx(-0.01)
    assert not beats(got)
    assert got.score.low < base.mean() < got.score.high
    again = beats_nulls(base + 0.01, {"a": base}, np.random.default_rng(1))
    assert again.score == got.score
    assert beats(again)


def test_mean_rank_is_weighted_by_edges_and_lower_is_better():
    """Rank sums 2, 9 over 1, 3 edges: 11/4; the null's 4, 12: 16/4. Better by 5/4."""
    got = beats_nulls(
        np.array([2.0, 9.0]),
        {"null": np.array([4.0, 12.0])},
        np.random.default_rng(0),
        edges=np.array([1.0, 3.0]),
        higher_is_better=False,
    )
    assert got.score.value == 11 / 4
    assert got.nulls["null"].value == 4
    assert got.nulls["null"].better.value == 5 / 4


def test_nothing_to_compare_beats_nothing():
    got = beats_nulls(np.array([np.nan]), {"null": np.array([0.0])}, np.random.default_rng(0))
    assert np.isnan(got.score.value)
    assert not beats(got)


def test_a_good_tree_beats_its_nulls_and_an_untrained_table_does_not():
    """A binary tree of 127 nodes laid out by angle in the disk, after Sarkar 2011, radius 1.2 k."""
    n = 127
    depth = np.log2(np.arange(1, n + 1)).astype(int)
    parent = (np.arange(n) + 1) // 2 - 1
    angle = 2 * np.pi * (np.arange(1, n + 1) - 2.0**depth + 0.5) / 2.0**depth
    z = 1.2 * depth[:, None] * np.c_[np.cos(angle), np.sin(angle)]
    pairs = [(a, d) for d in range(n) for a in _above(parent, d)]
    positives = positives_of(*np.array(pairs).T, n)
    descendants = np.bincount([a for a, _ in pairs], minlength=n)
    rng = np.random.default_rng(0)

    def beside(space):
        dealt = nulls.permutation_within_depth(depth, rng)
        tables = {
            "init": count_nearer(nulls.depth_aware_init(depth, 2, rng), positives),
            "shuffled": count_nearer(space.take(dealt), positives),
            "collapsed": nulls.collapsed(positives),
            "popularity": nulls.popular(descendants, positives),
        }
        scores = {k: score(c, positives).average_precision for k, c in tables.items()}
        own = score(count_nearer(space, positives), positives).average_precision
        return beats_nulls(own, scores, rng)

    assert beats(beside(Space.of(z, "tangent")))
    assert not beats(beside(nulls.depth_aware_init(depth, 2, rng)))


def _above(parent, node):
    while (node := parent[node]) >= 0:
        yield node
