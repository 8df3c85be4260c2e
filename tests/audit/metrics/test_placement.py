"""The place of single rows: planted noise is counted and named, sound tables are silent."""

from __future__ import annotations

import pickle
from contextlib import contextmanager

import numpy as np
import pytest

from taxcheck.audit.metrics import standing
from taxcheck.audit.metrics.kinship import CHILD, RELATIONS, SIBLING, relatives_of
from taxcheck.audit.metrics.placement import mixture, place, together
from taxcheck.audit.metrics.standing import Pools, shares_before, strangers_before
from taxcheck.geometry.space import Space
from taxcheck.statistics.hierarchy.graph import Graph


def tree(counts, rng):
    """Parents (n,) of a tree whose levels have so many nodes, each dealt to the level above."""
    parents, above = [-1], np.array([0])
    for count in counts:
        own = np.r_[above, rng.choice(above, count - len(above))]
        here = len(parents) + np.arange(count)
        parents += own.tolist()
        above = here
    return np.array(parents)


def graph_of(parents):
    child = np.flatnonzero(parents >= 0)
    return Graph.from_edges(parents[child], child, np.ones(len(parents), dtype=bool))


def laid(parents, rng, dim=8):
    """Each node a step of 2 from its parent, in a direction of its own: (n, dim) tangent rows."""
    rows = np.zeros((len(parents), dim))
    for node in range(1, len(parents)):
        turn = rng.standard_normal(dim)
        step = turn / np.linalg.norm(turn)
        rows[node] = rows[parents[node]] + step * 2.0 / (
            1 + 0.5 * np.linalg.norm(rows[parents[node]])
        )
    return rows


@pytest.fixture(scope="module")
def sound():
    rng = np.random.default_rng(3)
    parents = tree((12, 60, 240, 900), rng)
    return graph_of(parents), laid(parents, rng)


def at_random(rows, share, rng):
    """The rows with a share of them in random directions, at their lengths; and which."""
    planted = np.sort(rng.choice(np.arange(1, len(rows)), round(share * len(rows)), replace=False))
    changed = rows.copy()
    turn = rng.standard_normal((len(planted), rows.shape[1]))
    lengths = np.linalg.norm(rows[planted], axis=1, keepdims=True)
    changed[planted] = turn / np.linalg.norm(turn, axis=1, keepdims=True) * lengths
    return changed, planted


def judged(graph, rows, geometry="euclidean", **options):
    found = place(Space.of(rows, geometry), graph, np.random.default_rng(0), workers=1, **options)
    return found, mixture(found.p)


@pytest.mark.parametrize("geometry", ["euclidean", "tangent"])
def test_a_sound_table_has_none(sound, geometry):
    found, mixed = judged(*sound, geometry)
    assert mixed.share < 0.005
    assert mixed.judged > 0.95 * len(found.nodes)


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_planted_noise_is_counted_and_named(sound, share):
    graph, rows = sound
    noisy, planted = at_random(rows, share, np.random.default_rng(1))
    found, mixed = judged(graph, noisy)
    count = mixed.share * mixed.judged
    assert count == pytest.approx(len(planted), rel=0.2)  # of 61 and 242 nodes
    assert mixed.low * mixed.judged < len(planted) * 1.05
    named = found.nodes[found.p > mixed.cut]
    assert len(named) == pytest.approx(count, abs=1)
    assert np.isin(named, planted).mean() > 0.85


def test_a_table_of_random_rows_is_all_noise(sound):
    graph, rows = sound
    noise = np.random.default_rng(0).standard_normal(rows.shape)
    assert judged(graph, noise)[1].share > 0.95
    assert judged(graph, np.zeros_like(rows))[1].share > 0.95  # all in one point


def test_small_and_flat_hierarchies_are_not_judged():
    star = np.r_[-1, np.zeros(400, dtype=int)]
    rng = np.random.default_rng(0)
    found, mixed = judged(graph_of(star), rng.standard_normal((401, 3)))
    assert (mixed.judged, np.isnan(mixed.share)) == (0, True)
    assert np.isnan(found.p).all()
    chain = np.arange(-1, 60)
    assert judged(graph_of(chain), rng.standard_normal((61, 3)))[1].judged == 0


def test_rows_that_are_no_points_are_not_judged_and_harm_nobody(sound):
    graph, rows = sound
    broken = rows.copy()
    lost = np.arange(100, 160)
    broken[lost] = np.nan
    found, mixed = judged(graph, broken)
    assert np.isnan(found.p[np.isin(found.nodes, lost)]).all()
    assert mixed.share < 0.01
    nothing = judged(graph, np.full_like(rows, np.nan))[1]
    assert nothing.judged == 0


def test_a_row_is_not_misplaced_with_its_parent(sound):
    graph, rows = sound
    inner = np.flatnonzero(graph.depths == 3)[:20]
    noisy = rows.copy()
    noisy[inner] = np.random.default_rng(2).permutation(rows[inner]) * -1
    found, _ = judged(graph, noisy)
    families = np.isin(found.nodes, graph.children[np.isin(graph.parents, inner)])
    parent = graph.parents_of.targets[graph.parents_of.starts[found.nodes[families]]]
    several = graph.children_of.counts[parent] > 2
    assert np.mean(found.p[families][several] < 0.1) > 0.95


def naive(space, graph, pools, row, relation, edge):
    """One share by its definition, one candidate after the other."""
    relative, family = relation.relative[edge], relation.family[edge]
    parent = {int(c): int(p) for p, c in zip(graph.parents, graph.children, strict=True)}
    own = space.separation(row, relative) / pools.usual[relative]
    before = strangers = 0.0
    for stranger in pools.nodes[graph.depths[relative]]:
        kin = family >= 0 and parent.get(int(stranger)) == family
        if stranger in (row, relative) or kin:
            continue
        strangers += 1
        apart = space.separation(row, stranger) / pools.usual[stranger]
        before += 1.0 if apart < own else 0.5 if apart == own else 0.0
    return before / strangers if strangers >= standing.LEAST else np.nan


def test_shares_are_those_of_the_definition(sound):
    graph, rows = sound
    space, rng = Space.of(rows, "tangent"), np.random.default_rng(0)
    parent = np.full(graph.n, -1)
    parent[graph.children] = graph.parents
    pools = Pools.drawn(space, graph.depths, parent, rng)
    nodes = np.sort(rng.choice(graph.n, 10, replace=False))
    relations = relatives_of(graph, nodes, rng)
    found = shares_before(space, pools, nodes, relations, workers=1)
    for kind, relation in enumerate(relations):
        for k, node in enumerate(nodes):
            edges = np.flatnonzero(relation.owner == k)
            told = [naive(space, graph, pools, node, relation, edge) for edge in edges]
            want = np.nanmin(told) if len(told) and not np.isnan(told).all() else np.nan
            np.testing.assert_allclose(found[k, kind], want, err_msg=RELATIONS[kind])


class Elsewhere:
    """An executor whose tasks go through pickle, as those of other processes do."""

    keeps = False

    @contextmanager
    def publish(self, value):
        yield type("Shared", (), {"value": pickle.loads(pickle.dumps(value))})()

    def map(self, function, items):
        return map(function, pickle.loads(pickle.dumps(list(items))))


def test_other_processes_find_the_same(sound, monkeypatch):
    here, _ = judged(*sound)
    monkeypatch.setattr(standing, "_SHARD", 3)
    there, _ = judged(*sound, executor=Elsewhere())
    np.testing.assert_array_equal(here.p, there.p)


def test_relatives_are_who_they_are_said_to_be(sound):
    graph, _ = sound
    nodes = np.flatnonzero(graph.present)
    parent = np.full(graph.n, -1)
    parent[graph.children] = graph.parents
    kinds = relatives_of(graph, nodes, np.random.default_rng(0))
    above = nodes
    for kind in kinds[:SIBLING]:
        above = np.where(above >= 0, parent[above], -1)
        np.testing.assert_array_equal(kind.relative, above[above >= 0])
    sibling, child = kinds[SIBLING], kinds[CHILD]
    assert (parent[sibling.relative] == parent[nodes[sibling.owner]]).all()
    assert (sibling.relative != nodes[sibling.owner]).all()
    assert (parent[child.relative] == nodes[child.owner]).all()


def test_the_flat_part_of_p_values():
    rng = np.random.default_rng(0)
    p = np.r_[rng.uniform(0, 1, 200), rng.uniform(0, 0.02, 800), np.full(50, np.nan)]
    found = mixture(p)
    assert found.judged == 1_000
    assert found.low < 0.2 < found.high
    assert found.share == pytest.approx(0.2, abs=0.02)
    both = together([found, mixture(np.full(1_000, 0.001))])
    assert (both.judged, both.share) == (2_000, pytest.approx(found.share / 2))
    assert mixture(p, sampled=True).low < found.low


def test_who_stands_before_a_parent_is_as_many_as_the_share_says(sound):
    graph, rows = sound
    rows, planted = at_random(rows, 0.1, np.random.default_rng(5))
    space = Space.of(rows, "tangent")
    found = place(space, graph, np.random.default_rng(0))
    for node in [*planted[:20].tolist(), *range(100, 120)]:
        (parent,) = graph.parents_of.expand(np.array([node]))[1].tolist()
        who, share, strangers = strangers_before(space, found.pools, node, parent)
        own = found.shares[np.searchsorted(found.nodes, node), 0]
        assert share == own or (np.isnan(share) and np.isnan(own))
        if not np.isnan(share):
            assert len(who) == round(share * strangers)
            assert set(graph.depths[who]) <= {graph.depths[parent]}
            assert not {node, parent} & {*who.tolist()}
