import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.engine.dataset import training_data
from taxcheck.engine.related import blocks, is_ancestor

Pairs = set[tuple[int, int]]


def closure(pairs: Pairs) -> Pairs:
    known = set(pairs)
    while more := {(a, d) for a, m in known for k, d in known if m == k} - known:
        known |= more
    return {(a, d) for a, d in known if a != d}


def asked(pairs: Pairs, n: int, distances: list[int] | None = None) -> Pairs:
    """All pairs that the related of the training data affirms."""
    ordered = sorted(pairs)
    a, d = np.array([p[0] for p in ordered], int), np.array([p[1] for p in ordered], int)
    steps = None if distances is None else np.array(distances, int)
    related = training_data(a, d, steps, n).related
    every = np.arange(n)
    above = is_ancestor(related, every[:, None], every[None, :])
    assert above.shape == (n, n)
    return {(int(x), int(y)) for x, y in zip(*np.nonzero(above), strict=True)}


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12))
def test_a_tree_given_by_its_edges(choices: list[int]) -> None:
    pairs = {(choice % (v + 1), v + 1) for v, choice in enumerate(choices)}
    n = len(choices) + 3
    assert asked(pairs, n, [1] * len(pairs)) == closure(pairs)
    assert asked(closure(pairs), n) == closure(pairs)


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25))
def test_a_dag_given_by_its_edges(drawn: Pairs) -> None:
    pairs = {(min(p), max(p)) for p in drawn if p[0] != p[1]}
    assert asked(pairs, 10, [1] * len(pairs)) == closure(pairs)
    assert asked(closure(pairs), 10) == closure(pairs)


@given(
    st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=15),
    st.lists(st.integers(-2, 4), min_size=15, max_size=15),
)
def test_damaged_pairs_are_affirmed_and_nothing_beyond_their_closure(
    drawn: Pairs, distances: list[int]
) -> None:
    pairs = {p for p in drawn if p[0] != p[1]}
    affirmed = asked(pairs, 8, distances[: len(pairs)])
    assert pairs <= affirmed <= closure(pairs)


def test_a_chain_with_its_middle_edge_missing() -> None:
    # 0 - 1 - 2 - 3, without the pair (1, 2): 2 hangs from 0, its nearest ancestor
    pairs, distances = {(0, 1), (0, 2), (0, 3), (1, 3), (2, 3)}, [1, 2, 3, 2, 1]
    assert asked(pairs, 4, distances) == pairs


@pytest.mark.parametrize("shape", ["tree", "dag"])
def test_arguments_broadcast(shape: str) -> None:
    extra = [] if shape == "tree" else [(3, 1)]
    a, d = np.array([(0, 1), (0, 2), *extra]).T
    related = training_data(a, d, np.ones(len(a), int), 4).related
    assert (len(related.entry) > 0) == (shape == "tree")
    above = is_ancestor(related, np.array([0, 1, 2]), np.array([[1], [2]]))
    assert above.tolist() == [[True, False, False], [True, False, False]]
    assert not is_ancestor(related, np.empty(0, int), np.empty(0, int)).size


def test_blocks_cover_all_nodes_once() -> None:
    starts = np.array([0, 3, 3, 10, 11, 12, 12])
    assert list(blocks(starts, 4)) == [(0, 2), (2, 3), (3, 6)]
    assert list(blocks(np.array([0]), 4)) == []
