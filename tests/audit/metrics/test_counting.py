from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxcheck.audit.metrics import counting
from taxcheck.audit.metrics.counting import Question, Tiling, answers, count_nearer
from taxcheck.audit.metrics.lists import Lists
from taxcheck.geometry import tangent
from taxcheck.geometry.space import Space
from tests.oracles import ranking as naive
from tests.oracles import readings as apart_from_each_other
from tests.run.executors.scattered import Scattered

SMALL = Tiling(candidates=5, sources=2)
BY = st.sampled_from([{"workers": 1}, {"workers": 2}, {"executor": Scattered(2, seed=0)}])


@st.composite
def tables(draw):
    """Points on axes at few radii: many exact ties, duplicates, the origin; some rows NaN."""
    n = draw(st.integers(2, 14))
    geometry = draw(st.sampled_from(["tangent", "euclidean", "ball", "lorentz"]))
    rows = [
        draw(st.sampled_from([-1.0, 1.0])) * draw(st.sampled_from([0.0, 0.5, 1.0, 12.0, 60.0]))
        * np.eye(3)[draw(st.integers(0, 2))]
        for _ in range(n)
    ]  # fmt: skip
    for k in draw(st.lists(st.integers(0, n - 1), max_size=2)):
        rows[k] = np.array([np.nan, 0, 0])
    pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=1))
    left_out = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))))
    table = np.array(rows)
    if geometry in ("ball", "lorentz"):
        table = getattr(tangent, f"to_{geometry}")(table)
    return Space.of(table, geometry), pairs, left_out


@pytest.mark.long
@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(tables(), st.booleans(), BY)
def test_counts_are_those_of_the_exact_formula(table, keep_self, by):
    space, pairs, left_out = table
    sources, targets = np.array(pairs).T
    positives = Lists.from_pairs(sources, targets, space.n)
    out = np.array(left_out, dtype=int).reshape(-1, 2)
    lists = Lists.from_pairs(out[:, 0], out[:, 1], space.n, among=positives.sources)
    with mock.patch.object(counting, "_SHARD", 1):
        counts = count_nearer(space, positives, lists, keep_self=keep_self, tiling=SMALL, **by)
    for k, source in enumerate(positives.sources):
        span = slice(positives.starts[k], positives.starts[k + 1])
        own = positives.targets[span].tolist()
        hidden = {t for s, t in left_out if s == source and t != s}
        _, less, equal, total = naive.negatives_before(space, source, own, hidden, keep_self)
        assert counts.less[span].tolist() == less
        assert counts.equal[span].tolist() == equal
        assert counts.negatives[k] == total


@pytest.mark.long
@given(tables(), st.randoms(use_true_random=False), BY)
def test_readings_that_share_a_pass_count_as_tables_of_their_own(table, random, by):
    """As stored, dealt anew, with the source kept, other lists; of all rows and of some alone."""
    space, pairs, left_out = table
    n = space.n
    sources, targets = np.array(pairs).T
    positives = Lists.from_pairs(sources, targets, n)
    others = Lists.from_pairs(targets, sources, n)
    out = np.array(left_out, dtype=int).reshape(-1, 2)
    hidden = Lists.from_pairs(out[:, 0], out[:, 1], n, among=positives.sources)
    dealt = np.array(random.sample(range(n), n))
    some = np.array([random.random() < 0.6 for _ in range(n)])
    asked = [
        Question(positives, hidden),
        Question(positives, hidden, row_of=dealt),
        Question(positives, keep_self=True),
        Question(others),
    ]
    with mock.patch.object(counting, "_SHARD", 1):
        found = answers(space, asked, some, tiling=SMALL, **by)
    for question, answer in zip(asked, found, strict=True):
        lists = apart_from_each_other.as_dict(question.positives)
        removed = {} if question.left_out is None else {
            s: set(t) for s, t in apart_from_each_other.as_dict(question.left_out).items()
        }  # fmt: skip
        want = apart_from_each_other.counted(
            space, lists, removed, question.keep_self, question.row_of
        )
        assert told(question.positives, answer.whole) == want
        if question.row_of is None:
            kept, edges, left = question.positives.among(some)
            rows = np.where(some, np.arange(n), -1)
            want = apart_from_each_other.counted(space, lists, removed, question.keep_self, rows)
            assert told(kept, answer.apart.at(edges, left)) == want


def told(lists, counts):
    """(source, positive) -> (negatives nearer, tied, all)."""
    owner = lists.owner
    edges = zip(lists.sources[owner].tolist(), lists.targets.tolist(), strict=True)
    of = zip(
        counts.less.tolist(), counts.equal.tolist(), counts.negatives[owner].tolist(), strict=True
    )
    return dict(zip(edges, of, strict=True))


@pytest.mark.parametrize("geometry", ["ball", "euclidean"])
def test_near_ties_at_the_clip_are_told_apart_as_by_the_formula(geometry):
    """70,000 rows in several blocks, crowded at norm 1 - 1e-5, neighbours 1e-13 to 1e-6 apart.

    The matrix product alone errs by more than such gaps, and float32 keys by far more.
    """
    rng = np.random.default_rng(0)
    n = 70_000
    x = rng.normal(size=(500, 3))[rng.integers(0, 500, n)]
    x += rng.normal(size=x.shape) * 10.0 ** rng.uniform(-13, -6, (n, 1))
    x[rng.random(n) < 0.1] = x[0]
    x *= (1 - 1e-5) / np.linalg.norm(x, axis=1, keepdims=True)
    space = Space.of(x.astype(np.float32) if geometry == "ball" else x, geometry)
    sources = rng.choice(n, 40, replace=False)
    targets = rng.integers(0, n, (40, 12))
    targets[:, :4] = np.flatnonzero((x == x[0]).all(axis=1))[:4]
    positives = Lists.from_pairs(np.repeat(sources, 12), targets.ravel(), n)
    counts = count_nearer(space, positives)
    for k, source in enumerate(positives.sources):
        span = slice(positives.starts[k], positives.starts[k + 1])
        own = positives.targets[span]
        row = space.separation(np.array([source]), np.arange(n))
        negative = np.ones(n, dtype=bool)
        negative[own] = negative[source] = False
        rest = np.sort(row[negative])
        less = rest.searchsorted(row[own])
        assert counts.less[span].tolist() == less.tolist()
        assert counts.equal[span].tolist() == (rest.searchsorted(row[own], "right") - less).tolist()


@pytest.mark.parametrize("dim", [1, 64, 300])
def test_any_dimension_in_any_tiling(dim):
    rng = np.random.default_rng(dim)
    space = Space.of(rng.normal(size=(2500, dim)) / np.sqrt(dim), "tangent")
    pairs = rng.integers(0, 2500, size=(2, 400))
    positives = Lists.from_pairs(*pairs, 2500)
    got = count_nearer(space, positives)
    other = count_nearer(space, positives, workers=1, tiling=Tiling(candidates=333, sources=7))
    assert (got.less == other.less).all()
    for edge in range(0, len(positives.targets), 40):
        source = positives.sources[positives.owner[edge]]
        row = space.separation(np.array([source]), np.arange(2500))
        own = positives.targets[positives.owner == positives.owner[edge]]
        row[np.r_[own[own != positives.targets[edge]], source]] = np.inf
        assert got.less[edge] == (row < row[positives.targets[edge]]).sum()
