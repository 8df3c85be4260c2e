"""Parents, siblings, clades, classes."""

import numpy as np
import pytest
from scipy import special

from taxcheck.audit.metrics.clades import as_normal, clade_spread, huber
from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.ranking import rank
from taxcheck.audit.metrics.retrieval import kin, sibling_retrieval
from taxcheck.audit.metrics.separation import class_separation, groups_of, successors_separation
from taxcheck.geometry import tangent
from taxcheck.geometry.space import Space


def family(parent):
    """Parents, and all kin, of every node that has a parent."""
    n = len(parent)
    nodes = np.flatnonzero(parent >= 0)
    parents = Lists.from_pairs(nodes, parent[nodes], n)
    pairs = []
    for d in nodes:
        a = parent[d]
        while a >= 0:
            pairs.append((a, d))
            a = parent[a]
    a, d = np.array(pairs).T
    up = Lists.from_pairs(d, a, n, among=parents.sources)
    return parents, kin(up, Lists.from_pairs(a, d, n, among=parents.sources))


def test_kin_are_no_candidates():
    """A path 0-1-2-3 and a stranger 4, on a line at 0, 1, 2, 3 and 2.5.

    Node 3's parent (2, at distance 1) loses to the stranger (.5) alone: rank 2. Node 2's parent
    (1, at 1) loses to the stranger (.5), not to its child: rank 2. Node 1: rank 1.
    """
    space = Space.of(np.array([[0.0], [1.0], [2.0], [3.0], [2.5]]), "euclidean")
    parents, relatives = family(np.array([-1, 0, 1, 2, -1]))
    got = rank(space, parents, left_out=relatives)
    assert got.best_rank.tolist() == [1, 2, 2]
    assert got.any_at(1) == pytest.approx(1 / 3)


def test_any_parent_will_do():
    """Node 3 has parents 0 and 1 at distances 3 and 1, a stranger at 2: the best rank is 1."""
    space = Space.of(np.array([[3.0], [1.0], [2.0], [0.0]]), "euclidean")
    parents = Lists.from_pairs(np.array([3, 3]), np.array([0, 1]), 4)
    got = rank(space, parents, left_out=parents)
    assert got.best_rank.tolist() == [1]
    assert got.hits[1].sum() == 1


def two_families(gap):
    """Two families of 20 under a root; members within 1 of their parent, families ``gap`` apart."""
    rng = np.random.default_rng(0)
    parent = np.r_[-1, 0, 0, np.repeat([1, 2], 20)]
    depth = np.r_[0, 1, 1, np.full(40, 2)]
    at = np.r_[0, -gap, gap, np.repeat([-gap, gap], 20) + rng.uniform(-1, 1, 40)]
    nodes = np.arange(1, 43)
    return Lists.from_pairs(nodes, parent[1:], 43), depth, at[:, None]


def test_siblings_against_strangers_of_their_depth():
    parents, depth, at = two_families(gap=5.0)
    near = sibling_retrieval(
        Space.of(at, "euclidean"), parents, depth, np.random.default_rng(0), sources=30
    )
    assert near.auc.value == 1
    # Nodes 1 and 2 are siblings of each other and have no stranger; 30 of the 42 were tried.
    assert set(near.sources) <= set(range(3, 43))
    parents, depth, at = two_families(gap=0.0)
    none = sibling_retrieval(Space.of(at, "euclidean"), parents, depth, np.random.default_rng(0))
    assert none.auc.low < 0.5 < none.auc.high
    lost = sibling_retrieval(
        Space.of(np.full((43, 1), np.nan), "euclidean"), parents, depth, np.random.default_rng(0)
    )
    assert lost.auc.value == 0


def test_a_half_sibling_is_no_stranger():
    """Nodes 2, 3, 4 at one depth: 2 and 3 share parent 0, 3 and 4 share parent 1."""
    parents = Lists.from_pairs(np.array([2, 3, 3, 4]), np.array([0, 0, 1, 1]), 5)
    space = Space.of(np.arange(5.0)[:, None], "euclidean")
    got = sibling_retrieval(space, parents, np.array([0, 0, 1, 1, 1]), np.random.default_rng(0))
    assert got.sources.tolist() == [2, 4]  # everyone is a sibling of 3
    assert got.auc.value == 1  # 3 is nearer to 2 than 4 is


def test_no_siblings_no_score():
    parents = Lists.from_pairs(np.array([1]), np.array([0]), 2)
    got = sibling_retrieval(
        Space.of(np.zeros((2, 1)), "ball"), parents, np.array([0, 1]), np.random.default_rng(0)
    )
    assert np.isnan(got.auc.value)


def test_the_scattered_clade_is_named():
    """40 clades of 30 within radius 1 of their top, the last one five times as wide."""
    rng = np.random.default_rng(0)
    tops = rng.normal(size=(40, 4)) * 20
    members = np.repeat(tops, 30, axis=0) + rng.normal(size=(1200, 4))
    members[-30:] += 4 * (members[-30:] - tops[39])
    table = np.r_[tops, members]
    depth = np.r_[rng.integers(1, 5, 40), np.zeros(1200, int)]
    depth[40:] = np.repeat(depth[:40], 30) + 1
    begin = np.arange(40) * 30
    args = (np.arange(40), begin, begin + 30, np.arange(40, 1240), depth)
    got = clade_spread(Space.of(table, "euclidean"), *args, np.random.default_rng(1))
    assert np.flatnonzero(got.z > 3.5).tolist() == [39]
    assert got.spread[39] / got.expected[39] == pytest.approx(5, rel=0.3)
    table[40:70] = np.nan
    lost = clade_spread(Space.of(table, "euclidean"), *args, np.random.default_rng(1))
    assert np.isnan(lost.z[0])
    assert np.flatnonzero(lost.z > 3.5).tolist() == [39]


def test_a_clade_is_held_against_those_like_it():
    """Stars of 20 points on circles: 30 of radius 1, at depth 1 six of 3, at depth 9 one of 30.

    Six alike have what the others predict wrongly; the last one is like none. One of the six is
    one point.
    """
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    circle = np.c_[np.cos(turn), np.sin(turn)]
    radius = np.r_[np.tile([1.0, 1.01, 0.99], 10), np.full(6, 3.0), 30.0]
    table = np.concatenate([radius[:, None, None] * circle]).reshape(-1, 2)
    depth = np.full(37 * 20, 4)
    first = np.arange(37) * 20
    depth[first], depth[30 * 20 : 36 * 20], depth[36 * 20 :] = 3, 2, 10
    depth[first[30:36]], depth[first[36]] = 1, 9

    def judged(table):
        space, rng = Space.of(table, "euclidean"), np.random.default_rng(0)
        return clade_spread(space, first, first, first + 20, np.arange(740), depth, rng).z

    sound = judged(table)
    assert np.isnan(sound[36])
    assert np.abs(sound[:36]).max() < 3
    table[600:620] = table[600]
    assert np.flatnonzero(judged(table) < -10).tolist() == [30]


@pytest.mark.parametrize("free", [6, 10, 300])
def test_students_t_as_the_normal_deviate_of_its_probability(free):
    t = np.array([0.0, 1.0, -3.0, 12.0, -30.0])
    got = as_normal(t, free)
    size = -special.ndtri(special.stdtr(free, -np.abs(t)))
    assert got == pytest.approx(np.copysign(size, t), abs=0.1)
    assert np.isfinite(as_normal(np.array([1e9]), free)).all()


def test_huber_does_not_follow_the_outliers():
    rng = np.random.default_rng(0)
    x = np.c_[np.ones(200), np.arange(200.0)]
    y = 1 + 2 * x[:, 1] + rng.normal(size=200)
    y[::20] += 1000
    assert huber(x, y) == pytest.approx([1, 2], abs=0.5)
    assert huber(x, 1 + 2 * x[:, 1]) == pytest.approx([1, 2])


def test_groups_small_or_unlabelled_are_none():
    labels = np.r_[np.full(12, 7), np.full(9, 3), np.full(300, 5), np.full(50, -1)]
    groups = groups_of(labels, np.random.default_rng(0))
    assert [len(g) for g in groups] == [100, 12]  # labels 5 and 7
    assert (labels[groups[0]] == 5).all()


def test_separation_by_hand():
    """Three points of 10 rows each at 0, 1 and 3, half of each moved by .1 and -.1 sideways.

    Within: 25 + 25 ordered pairs of 90 at .2 each way: 50 x .2 / 90 = 1/9 on every group. Between
    0 and 1: half of the pairs at 1, half at sqrt(1.04).
    """
    side = np.tile([0.1, -0.1], 15)
    x = np.c_[np.repeat([0.0, 1, 3], 10), side]
    labels = np.repeat([4, 5, 6], 10)
    got = class_separation(Space.of(x, "euclidean"), labels, np.random.default_rng(0))
    between = [(g + np.sqrt(g * g + 0.04)) / 2 for g in (1, 3, 2)]
    assert got.ratio.value == pytest.approx(9 * np.mean(between))
    assert got.ratio.low <= got.ratio.value <= got.ratio.high
    assert got.sampled == 30
    # Members stay in order: step k of 9 has 10 - k pairs, at .2 where k is odd.
    odd = sum(10 - k for k in range(1, 10, 2))
    ratio = successors_separation(Space.of(x, "euclidean"), labels, np.random.default_rng(0))
    assert ratio == pytest.approx(np.mean(between) / (0.2 * odd / 45), rel=0.02)


@pytest.mark.parametrize("geometry", ["ball", "tangent", "lorentz", "euclidean"])
@pytest.mark.parametrize("workers", [1, 3])
def test_separation_is_that_of_all_pairs_one_by_one(geometry, workers):
    rng = np.random.default_rng(4)
    z = rng.normal(size=(300, 3)) * rng.exponential(2, (300, 1))
    z[100:130] = z[:30]  # exact duplicates, in their own class and in others
    rows = {"ball": tangent.to_ball, "lorentz": tangent.to_lorentz}.get(geometry, np.asarray)(z)
    rows[::37] = np.nan
    space = Space.of(rows, geometry)
    labels = rng.integers(0, 6, 300)
    got = class_separation(space, labels, np.random.default_rng(0), workers=workers)
    within, between = [], []
    members = [np.flatnonzero((labels == k) & space.sound) for k in range(6)]
    for i, own in enumerate(members):
        pairs = space.distance(own[:, None], own)[~np.eye(len(own), dtype=bool)]
        within.append(pairs.mean())
        between.extend(space.distance(own[:, None], m).mean() for m in members[i + 1 :])
    assert got.ratio.value == pytest.approx(np.mean(between) / np.mean(within), rel=1e-12)
    assert got.sampled == sum(map(len, members))


@pytest.mark.parametrize("geometry", ["tangent", "euclidean"])
def test_spread_is_the_mean_of_all_pairs(geometry):
    rng = np.random.default_rng(1)
    z = rng.normal(size=(200, 3))
    z[5:9], z[11] = z[5], np.nan
    space = Space.of(z, geometry)
    begin, end = np.arange(0, 200, 20), np.arange(20, 201, 20)
    depth = np.zeros(200, int)
    args = (begin, begin, end, np.arange(200), depth, np.random.default_rng(0))
    got = clade_spread(space, *args).spread
    for k, (a, b) in enumerate(zip(begin, end, strict=True)):
        rows = np.arange(a, b)[space.sound[a:b]]
        u, v = np.triu_indices(len(rows), 1)
        assert got[k] == pytest.approx(space.distance(rows[u], rows[v]).mean(), rel=1e-12)


def test_separation_of_nothing_and_of_noise():
    rng = np.random.default_rng(0)
    space = Space.of(rng.normal(size=(600, 3)), "tangent")
    noise = class_separation(space, rng.integers(0, 6, 600), rng)
    assert noise.ratio.low < 1 < noise.ratio.high
    one = class_separation(space, np.zeros(600, int), rng)
    assert np.isnan(one.ratio.value)
    assert np.isnan(successors_separation(space, np.zeros(600, int), rng))
