"""The split: nothing held out is implied by training, by brute force; nothing else is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.commands.build.pairs import closure_batches
from taxcheck.commands.build.split import Split, _longest, choose
from taxcheck.model.errors import InputError
from taxcheck.statistics.hierarchy.graph import Graph


def rows_held_out(split: Split) -> int:
    return sum(held.num_rows for _, held in split.batches())


def graph_of(edges, n):
    parents, children = np.array(sorted(edges), dtype=np.int64).reshape(-1, 2).T
    return Graph.from_edges(parents, children, np.ones(n, dtype=bool))


def parts(split):
    found = [set(), set()]
    for batches in split.batches():
        for part, batch in zip(found, batches, strict=True):
            rows = batch.to_pylist()
            part |= {(r["ancestor_idx"], r["descendant_idx"]) for r in rows}
    return found


def reachable(pairs):
    """All pairs that chains of pairs imply."""
    whole = set(pairs)
    while True:
        more = {(a, d) for a, b in whole for c, d in whole if b == c} - whole
        if not more:
            return whole
        whole |= more


def closure(graph):
    return {
        (r["ancestor_idx"], r["descendant_idx"])
        for batch in closure_batches(graph)
        for r in batch.to_pylist()
    }


@st.composite
def dags(draw):
    n = draw(st.integers(4, 14))
    edges = set()
    for child in range(1, n):
        above = draw(
            st.sets(st.integers(0, child - 1), min_size=1, max_size=draw(st.integers(1, 3)))
        )
        edges |= {(parent, child) for parent in above}
    return graph_of(edges, n)


@given(dags(), st.data())
def test_no_chain_of_training_pairs_implies_a_held_out_one(graph, data):
    is_parent = np.bincount(graph.parents, minlength=graph.n) > 0
    may = (graph.parent_counts[graph.parents] > 0) & is_parent[graph.children]
    cut = np.array([bool(m) and data.draw(st.booleans()) for m in may])
    training, held_out = parts(Split(graph, None, cut))
    assert training | held_out == closure(graph)
    assert not training & held_out
    assert not reachable(training) & held_out
    roots = set(np.flatnonzero(graph.parent_counts == 0).tolist())
    leaves = set(np.flatnonzero(~is_parent).tolist())
    edges = set(zip(graph.parents.tolist(), graph.children.tolist(), strict=True))
    assert not any(a in roots or d in leaves for a, d in held_out & edges)
    assert {x for pair in training for x in pair} == set(range(graph.n))
    assert rows_held_out(Split(graph, None, cut)) == len(held_out)


@given(dags(), st.integers(1, 3), st.data())
def test_the_same_up_to_a_distance(graph, cap, data):
    cut = np.array([data.draw(st.booleans()) for _ in graph.parents])
    training, held_out = parts(Split(graph, cap, cut))
    whole, kept_out = parts(Split(graph, None, cut))
    near = {
        (r["ancestor_idx"], r["descendant_idx"])
        for batch in closure_batches(graph, cap)
        for r in batch.to_pylist()
    }
    assert (training, held_out) == (whole & near, kept_out & near)


@given(dags(), st.sampled_from([None, 2, 3]), st.integers(0, 40), st.randoms())
def test_as_many_edges_are_cut_as_the_budget_allows(graph, cap, budget, random):
    order = random.sample(range(len(graph.parents)), len(graph.parents))
    chosen = _longest(graph, cap, np.array(order), budget).tolist()

    def held_out(edges):
        return rows_held_out(Split(graph, cap, np.isin(np.arange(len(order)), edges)))

    assert chosen == order[: len(chosen)]
    assert held_out(chosen) <= budget
    assert len(chosen) == len(order) or held_out(order[: len(chosen) + 1]) > budget


def test_by_hand():
    r"""0 > 1 > 2 > {3, 4 > 5}: the only edges that may be cut are (1, 2) and (2, 4)."""
    graph = graph_of({(0, 1), (1, 2), (2, 3), (2, 4), (4, 5)}, 6)
    edge = list(zip(graph.parents.tolist(), graph.children.tolist(), strict=True))
    training, held_out = parts(Split(graph, None, np.array([e == (1, 2) for e in edge])))
    assert held_out == {(1, 2), (1, 3), (1, 4), (1, 5)}
    assert len(training) == 1 + 2 + 3 + 3 + 4 - 4
    training, held_out = parts(Split(graph, None, np.array([e == (2, 4) for e in edge])))
    assert held_out == {(2, 4), (2, 5)}


def test_the_share_the_seed_and_the_gate(make):
    share = {}
    for seed in (1, 2):
        data = make("fixtures/healthy/taxdump", root="7586", split=0.1, seed=seed)
        again = make("fixtures/healthy/taxdump", root="7586", split=0.1, seed=seed)
        assert data.held_out == again.held_out
        assert len(data.held_out) + len(data.pairs) == 61_168
        share[seed] = len(data.held_out) / 61_168
        assert {x for pair in data.pairs for x in pair} == set(data.ids)
        assert data.manifest["split"]["seed"] == seed
    assert all(0.095 <= one <= 0.1 for one in share.values())


def test_the_gate_sees_no_leak(tmp_path):
    from taxcheck.commands.build.dataset import BuildRequest, build

    source = "fixtures/healthy/taxdump"
    built = build(BuildRequest(source=source, out=tmp_path / "d", root="7586", split=0.1))
    (leak,) = [r for r in built.report.results if r.id == "PAIR012"]
    assert leak.outcome == "pass"
    assert leak.observed["implied"] == 0
    assert leak.observed["nodes only held out"] == 0


def test_nothing_to_hold_out():
    with pytest.raises(InputError, match="nothing can be held out"):
        choose(graph_of({(0, 1), (0, 2)}, 3), None, 0.5, 0)
