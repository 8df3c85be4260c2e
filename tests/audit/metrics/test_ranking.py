import numpy as np
import pytest
from gensim.models.poincare import ReconstructionEvaluation
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.ranking import Protocol, TieRule, positives_of, rank
from taxcheck.geometry.space import Space
from tests.oracles import ranking as naive

pytestmark = pytest.mark.long


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=7))
def test_average_precision_by_definition_under_every_tie_rule(items):
    """A source at 0 and candidates on a line at 1..4; permutations give the mean rule."""
    if not any(label for _, label in items):
        items = [*items, (1, True)]
    keys, labels = [float(k) for k, _ in items], [label for _, label in items]
    space = Space.of(np.array([[0.0]] + [[k + 1.0] for k in keys]), "euclidean")
    targets = np.flatnonzero(labels) + 1
    positives = Lists.from_pairs(np.zeros_like(targets), targets, space.n)
    for ties in TieRule:
        got = rank(space, positives, ties=ties).average_precision
        assert got == pytest.approx([naive.average_precision(keys, labels, ties)], abs=1e-12)


@pytest.mark.parametrize("geometry", ["ball", "tangent", "euclidean", "lorentz"])
@pytest.mark.parametrize("scale", [1e-4, 0.1, 3.0])
def test_equals_sklearn_and_the_published_evaluation(geometry, scale):
    rng = np.random.default_rng(5)
    n = 150
    z = rng.normal(size=(n, 4)) * scale
    z[100:130] = z[:30]  # exact duplicates
    rows = {"ball": np.tanh(z / 4) / 2, "lorentz": np.c_[np.sqrt(1 + (z**2).sum(1)), z]}
    space = Space.of(rows.get(geometry, z), geometry)
    everyone = np.arange(n)
    distances = space.distance(everyone[:, None], everyone[None, :])
    pairs = np.unique(rng.integers(0, n, size=(450, 2)), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    positives = positives_of(pairs[:, 1], pairs[:, 0], n)
    got = rank(space, positives)
    for k, source in list(enumerate(positives.sources))[::4]:  # the mean below is of all
        labels = np.zeros(n)
        labels[positives.targets[positives.starts[k] : positives.starts[k + 1]]] = 1
        keep = everyone != source
        want = average_precision_score(labels[keep], -distances[source][keep])
        assert got.average_precision[k] == pytest.approx(want, abs=1e-9)
    adjacency = {int(s): pairs[pairs[:, 0] == s, 1].tolist() for s in np.unique(pairs[:, 0])}
    mean_rank, mean_ap = naive.facebook_reconstruction(distances, adjacency)
    assert got.map == pytest.approx(mean_ap, abs=1e-9)
    optimistic = rank(space, positives, ties=TieRule.OPTIMISTIC).mean_rank
    assert optimistic <= mean_rank <= got.mean_rank  # argsort breaks ties by idx


def test_a_rotated_table_ranks_the_same():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 5)) * 2
    rotation, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    positives = Lists.from_pairs(*rng.integers(0, 400, size=(2, 900)), 400)
    one, other = (rank(Space.of(x, "tangent"), positives) for x in (z, z @ rotation))
    assert (one.rank_sum == other.rank_sum).all()
    assert one.map == pytest.approx(other.map, abs=1e-12)


def test_gensim_protocol_is_gensims():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(60, 3))
    z[30:40] = z[:10]
    space = Space.of(z, "tangent")
    pairs = np.unique(rng.integers(0, 60, size=(150, 2)), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    positives = positives_of(pairs[:, 1], pairs[:, 0], 60)
    got = rank(space, positives, protocol=Protocol.GENSIM)
    ranks, scores = [], []
    for source in positives.sources:
        row = space.separation(np.array([source]), np.arange(60))
        own = pairs[pairs[:, 0] == source, 1].tolist()
        r, ap = ReconstructionEvaluation.get_positive_relation_ranks_and_avg_prec(row, own)
        ranks += r
        scores.append(ap)
    assert got.map == pytest.approx(np.mean(scores), abs=1e-12)
    assert got.mean_rank == pytest.approx(np.mean(ranks), abs=1e-12)


def chain_pairs(n):
    """0 above 1 above 2 ...: (ancestor, descendant) of the closure."""
    return np.array([(a, d) for d in range(n) for a in range(d)]).T


def test_golden_chain_on_a_line():
    """A chain at 0, 1, 2, 3: node 1's parent ties with its child, node 2's grandparent is alone.

    Source 1: positive 0 at 1; negatives 2 at 1 and 3 at 2: block of two, precision 1/2, rank 2.
    Source 2: positives 1 at 1, 0 at 2; negative 3 at 1: 1/2, then 2/3; ranks 2, 2. AP = 7/12.
    Source 3: positives 2, 1, 0 in order, no negatives: AP 1, ranks 1, 1, 1.
    MAP = (1/2 + 7/12 + 1)/3 = 25/36; mean rank = (2 + 2 + 2 + 1 + 1 + 1)/6 = 3/2.
    Optimistic: source 1: 1; source 2: 1 and then 2/3, ranks 1, 2: AP 5/6; MAP = 17/18,
    mean rank = (1 + 1 + 2 + 3)/6 = 7/6.
    """
    space = Space.of(np.arange(4.0)[:, None], "euclidean")
    positives = positives_of(*chain_pairs(4), 4)
    assert positives.sources.tolist() == [1, 2, 3]  # the root is no source
    got = rank(space, positives)
    assert got.map == pytest.approx(25 / 36)
    assert got.mean_rank == pytest.approx(3 / 2)
    assert got.hits[1].sum() == 3
    best = rank(space, positives, ties=TieRule.OPTIMISTIC)
    assert best.map == pytest.approx(17 / 18)
    assert best.mean_rank == pytest.approx(7 / 6)
    assert best.any_at(1) == 1


def test_collapsed_table_scores_by_its_tie_rule():
    """All rows equal, 3 of 10 candidates positive.

    sklearn: 3/10 for each. optimistic 1. pessimistic 1/8, 2/9, 3/10 after 7 negatives.
    """
    space = Space.of(np.ones((11, 2)) * 0.3, "ball")
    positives = Lists.from_pairs(np.zeros(3, int), np.array([1, 2, 3]), 11)
    scores = {t: rank(space, positives, ties=t) for t in TieRule}
    assert scores[TieRule.SKLEARN].map == pytest.approx(0.3)
    assert scores[TieRule.OPTIMISTIC].map == 1
    assert scores[TieRule.PESSIMISTIC].map == pytest.approx((1 / 8 + 2 / 9 + 3 / 10) / 3)
    assert scores[TieRule.MEAN].mean_rank == 1 + 7 / 2
    assert rank(space, positives, protocol=Protocol.GENSIM).map == 1


@pytest.mark.parametrize("ties", list(TieRule))
def test_a_table_of_nan_scores_the_worst_possible(ties):
    """6 candidates, 2 positives behind 4 negatives: AP = (1/5 + 2/6)/2, ranks 5 and 5."""
    space = Space.of(np.full((7, 3), np.nan), "ball")
    positives = Lists.from_pairs(np.zeros(2, int), np.array([1, 2]), 7)
    got = rank(space, positives, ties=ties)
    assert got.map == pytest.approx((1 / 5 + 2 / 6) / 2)
    assert got.mean_rank == 5
    assert got.hits[1].sum() == 0


@pytest.mark.parametrize("row", [[np.nan, 0], [np.inf, 0], [0.8, 0.7], [-np.inf, np.nan]])
def test_a_row_that_is_no_point_never_ranks_well(row):
    space = Space.of(np.array([[0, 0], [0.1, 0], row, [0.2, 0]]), "ball")
    as_candidate = rank(space, Lists.from_pairs(np.array([0]), np.array([3]), 4))
    assert as_candidate.mean_rank == 2  # row 1 alone is nearer
    as_positive = rank(space, Lists.from_pairs(np.array([0]), np.array([2]), 4))
    assert as_positive.mean_rank == 3
    as_source = rank(space, Lists.from_pairs(np.array([2]), np.array([0]), 4))
    assert as_source.mean_rank == 3


def test_edges_protocol_ranks_neighbours_both_ways():
    """The star 0-1, 0-2 on a line at 0, 1, -1: every neighbour is nearest; 0 has both."""
    space = Space.of(np.array([[0.0], [1.0], [-1.0]]), "euclidean")
    positives = positives_of(np.array([0, 0]), np.array([1, 2]), 3, Protocol.EDGES)
    assert positives.sources.tolist() == [0, 1, 2]
    got = rank(space, positives, protocol=Protocol.EDGES)
    assert (got.map, got.mean_rank) == (1, 1)


def test_positives_count_once_and_self_pairs_not_at_all():
    positives = Lists.from_pairs(np.array([2, 0, 0, 0]), np.array([1, 0, 2, 2]), 3)
    assert (positives.sources.tolist(), positives.targets.tolist()) == ([0, 2], [2, 1])
    with pytest.raises(ValueError, match="0 to 2"):
        Lists.from_pairs(np.array([0]), np.array([3]), 3)


def test_a_sample_of_sources_keeps_all_candidates():
    rng = np.random.default_rng(0)
    space = Space.of(rng.normal(size=(50, 3)), "tangent")
    positives = positives_of(*chain_pairs(50), 50)
    whole = rank(space, positives)
    part = positives.sample(10, np.random.default_rng(1))
    again = positives.sample(10, np.random.default_rng(1))
    assert part.sources.tolist() == again.sources.tolist()
    got = rank(space, part)
    at = np.searchsorted(whole.sources, part.sources)
    assert got.average_precision == pytest.approx(whole.average_precision[at], abs=0)


def test_lists_among_some_rows_alone():
    rows = np.zeros(40, dtype=bool)
    rows[[30, 2, 3, 17, 5]] = True
    lists, edges, sources = positives_of(*chain_pairs(40), 40).among(rows)
    assert lists.sources.tolist() == [3, 5, 17, 30], "nothing that is kept lies above 2"
    assert lists.targets.tolist() == [2, 2, 3, 2, 3, 5, 2, 3, 5, 17]
    whole = positives_of(*chain_pairs(40), 40)
    assert whole.sources[sources].tolist() == lists.sources.tolist()
    assert whole.targets[edges].tolist() == lists.targets.tolist()
    assert whole.sources[whole.owner[edges]].tolist() == lists.sources[lists.owner].tolist()


def test_no_positives_no_score():
    empty = Lists.from_pairs(np.empty(0, int), np.empty(0, int), 3)
    got = rank(Space.of(np.zeros((3, 2)), "ball"), empty)
    assert np.isnan([got.map, got.mean_rank, got.any_at(1)]).all()
