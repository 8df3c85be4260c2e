from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.engine.dataset import TrainingData, training_data
from taxcheck.model.arrays import bounded
from taxcheck.model.errors import InputError
from tests.engine.tiny import from_tables

FIXTURES = Path(__file__).parents[2] / "fixtures"
Edges = list[tuple[int, int]]


def of(rows: list[tuple[int, int, int]], n: int, **kwargs: object) -> TrainingData:
    """Training data from (ancestor, descendant, distance)."""
    a, d, steps = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return training_data(a, d, steps, n, **kwargs)  # type: ignore[arg-type]


def test_pairs_are_grouped_with_what_belongs_to_them() -> None:
    rows = [(2, 3, 1), (0, 1, 1), (0, 3, 3), (1, 2, 1), (1, 3, 2), (0, 2, 2)]
    data = of(rows, 5, weights=np.array([23, 1, 3, 12, 13, 2], float))
    assert data.starts.tolist() == [0, 0, 1, 3, 6, 6]
    assert data.ancestors.tolist() == [0, 0, 1, 0, 1, 2]
    assert data.distances.tolist() == [1, 2, 1, 3, 2, 1]
    assert data.weights is not None
    assert data.weights.tolist() == [1, 2, 12, 3, 13, 23]
    assert data.depth.tolist() == [0, 1, 2, 3, 0]
    assert data.parent.tolist() == [-1, 0, 1, 2, -1]
    assert (data.ancestors.dtype, data.distances.dtype) == (np.int32, np.int16)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 40))),
    st.booleans(),
    st.booleans(),
)
def test_nothing_but_self_pairs_is_lost(
    rows: list[tuple[int, int, int]], in_order: bool, weighted: bool
) -> None:
    rows = sorted(rows, key=lambda r: r[1]) if in_order else rows
    weights = np.arange(len(rows), dtype=float) if weighted else None
    data = of(rows, 10, weights=weights)
    d = np.repeat(np.arange(10), np.diff(data.starts))
    w = np.zeros(data.pairs) if data.weights is None else data.weights
    found = zip(data.ancestors, d, data.distances, w, strict=True)
    given = [(*r, k if weighted else 0) for k, r in enumerate(rows) if r[0] != r[1]]
    assert sorted(map(tuple, found)) == sorted(given)
    for v in range(10):
        own = data.ancestors[data.starts[v] : data.starts[v + 1]]
        assert (np.diff(own) >= 0).all()
    inner = data.parent >= 0
    assert (data.depth[data.parent[inner]] < data.depth[inner]).all()
    assert (data.depth[~inner] == 0).all()


def longest(edges: Edges, v: int) -> int:
    return max((1 + longest(edges, a) for a, d in edges if d == v), default=0)


@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=14))
def test_depth_is_the_longest_way_and_the_parent_the_deepest(drawn: set[tuple[int, int]]) -> None:
    edges = sorted({(min(p), max(p)) for p in drawn if p[0] != p[1]})
    data = of([(a, d, 1) for a, d in edges], 8)
    assert data.depth.tolist() == [longest(edges, v) for v in range(8)]
    for v in range(8):
        parents = [a for a, d in edges if d == v]
        deepest = max(parents, key=lambda a: (longest(edges, a), -a), default=-1)
        assert data.parent[v] == deepest


def test_without_distances_the_edges_are_the_reduction() -> None:
    # a diamond 0 - {1, 2} - 3 - 4 with its whole closure, one pair given twice
    pairs = [(0, 1), (0, 2), (0, 3), (1, 3), (2, 3), (0, 4), (1, 4), (2, 4), (3, 4), (3, 4)]
    a, d = np.array(pairs).T
    data = training_data(a, d, None, 5)
    assert data.depth.tolist() == [0, 1, 1, 2, 3]
    assert data.parent.tolist() == [-1, 0, 0, 1, 3]
    assert data.distances.tolist() == [1] * 10
    assert data.ancestors[data.starts[4] :].tolist() == [0, 1, 2, 3, 3]


def test_a_cycle_and_what_hangs_below_it_have_depth_0() -> None:
    data = of([(0, 1, 1), (2, 3, 1), (3, 2, 1), (3, 4, 1), (4, 5, 1)], 6)
    assert data.depth.tolist() == [0, 1, 0, 0, 0, 0]
    assert data.parent.tolist() == [-1, 0, -1, -1, -1, -1]


def test_a_node_without_its_parent_hangs_from_its_nearest_ancestor() -> None:
    # 0 - 1 - 2 - 3 - 4: node 3 lacks the pair with 2
    data = of([(0, 1, 1), (1, 2, 1), (0, 2, 2), (0, 3, 3), (1, 3, 2), (3, 4, 1)], 5)
    assert data.parent.tolist() == [-1, 0, 1, 1, 3]
    assert data.depth.tolist() == [0, 1, 2, 3, 4]


def test_distances_that_cannot_be_are_clipped() -> None:
    data = of([(0, 1, -4), (0, 2, 10**6), (1, 2, 1)], 3)
    assert data.distances.tolist() == [1, 32767, 1]


def test_no_pairs_at_all() -> None:
    data = of([], 4)
    assert (data.pairs, data.depth.tolist(), data.parent.tolist()) == (0, [0] * 4, [-1] * 4)


@pytest.mark.parametrize(
    ("a", "d", "kwargs", "message"),
    [
        ([0, 1], [1], {}, "differ in length"),
        ([0], [5], {}, "idx of the descendants is outside the table's 5 rows"),
        ([-1], [0], {}, "idx of the ancestors"),
        ([0], [1], {"weights": np.array([np.nan])}, "weights"),
    ],
)
def test_what_is_refused(
    a: list[int], d: list[int], kwargs: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        training_data(np.array(a), np.array(d), None, 5, **kwargs)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["healthy", "uberon"])
def test_real_tables_arrive_whole(name: str) -> None:
    mapping, pairs = (str(FIXTURES / name / f) for f in ("mapping.tsv", "pairs.parquet"))
    data = from_tables(mapping, pairs)
    table = pq.read_table(pairs)
    a, d = (table[c].to_numpy() for c in ("ancestor_idx", "descendant_idx"))
    steps = table["depth_diff"].to_numpy()
    order = np.lexsort((a, d))
    assert (data.ancestors == a[order]).all()
    assert (data.distances == steps[order]).all()
    assert (np.repeat(np.arange(data.n_nodes), np.diff(data.starts)) == d[order]).all()
    assert data.ancestry.is_above(a, d).all()
    assert not data.ancestry.is_above(d, a).any()
    assert (len(data.ancestry.entry) > 0) == (name == "healthy")
    if name == "healthy":  # in a tree, a node has as many ancestors as it is deep
        assert (data.depth == np.diff(data.starts)).all()


@pytest.mark.parametrize("name", ["healthy", "uberon"])
def test_a_closure_without_distances_gives_the_same_hierarchy(name: str) -> None:
    mapping, pairs = (str(FIXTURES / name / f) for f in ("mapping.tsv", "pairs.parquet"))
    data = from_tables(mapping, pairs)
    d = np.repeat(np.arange(data.n_nodes), np.diff(data.starts))
    bare = training_data(data.ancestors, d, None, data.n_nodes)
    assert (bare.depth == data.depth).all()
    assert (bare.parent == data.parent).all()


def test_the_table_is_sized_by_the_mapping_or_by_the_pairs(tmp_path: Path) -> None:
    mapping, pairs = tmp_path / "mapping.tsv", tmp_path / "pairs.csv"
    mapping.write_text("taxid\tidx\n10\t0\n20\t1\n30\t2\n40\t3\n")
    pairs.write_text("ancestor_idx,descendant_idx,depth_diff\n0,1,1\n1,2,1\n0,2,2\n")
    assert from_tables(str(mapping), str(pairs)).n_nodes == 4
    assert from_tables(str(mapping), str(pairs), "pairs").n_nodes == 3


def test_weights_keep_to_their_pairs_when_rows_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("id1,id2,weight\nb,a,3\na,a,9\nc,b,0.5\nc,a,2\n")  # id1 is the descendant
    data = from_tables(None, str(path))
    assert data.weights is not None
    by_pair = {
        (int(a), v): float(w)
        for v in range(3)
        for a, w in zip(
            data.ancestors[data.starts[v] : data.starts[v + 1]],
            data.weights[data.starts[v] : data.starts[v + 1]],
            strict=True,
        )
    }
    assert sorted(by_pair.values()) == [0.5, 2, 3]
    root, middle, leaf = np.argsort(data.depth).tolist()
    assert by_pair == {(root, middle): 3, (middle, leaf): 0.5, (root, leaf): 2}


def test_a_weight_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    columns = {"ancestor_idx": [0, 1], "descendant_idx": [1, 2], "weight": [1.0, -1.0]}
    pq.write_table(pa.table(columns), path)
    with pytest.raises(InputError, match="weight"):
        from_tables(None, str(path))


Pairs = set[tuple[int, int]]


def closure(pairs: Pairs) -> Pairs:
    known = set(pairs)
    while more := {(a, d) for a, m in known for k, d in known if m == k} - known:
        known |= more
    return {(a, d) for a, d in known if a != d}


def asked(pairs: Pairs, n: int, distances: list[int] | None = None) -> Pairs:
    """All pairs that the ancestry of the training data affirms."""
    ordered = sorted(pairs)
    a, d = np.array([p[0] for p in ordered], int), np.array([p[1] for p in ordered], int)
    steps = None if distances is None else np.array(distances, int)
    ancestry = training_data(a, d, steps, n).ancestry
    every = np.arange(n)
    above = ancestry.is_above(every[:, None], every[None, :])
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
    apart = {(a, d) for a, d in affirmed if a != d}  # on a cycle a node is above itself
    assert pairs <= apart <= closure(pairs)


def test_a_chain_with_its_middle_edge_missing() -> None:
    # 0 - 1 - 2 - 3, without the pair (1, 2): 2 hangs from 0, its nearest ancestor
    pairs, distances = {(0, 1), (0, 2), (0, 3), (1, 3), (2, 3)}, [1, 2, 3, 2, 1]
    assert asked(pairs, 4, distances) == pairs


@pytest.mark.parametrize("shape", ["tree", "dag"])
def test_arguments_broadcast(shape: str) -> None:
    extra = [] if shape == "tree" else [(3, 1)]
    a, d = np.array([(0, 1), (0, 2), *extra]).T
    ancestry = training_data(a, d, np.ones(len(a), int), 4).ancestry
    assert (len(ancestry.entry) > 0) == (shape == "tree")
    above = ancestry.is_above(np.array([0, 1, 2]), np.array([[1], [2]]))
    assert above.tolist() == [[True, False, False], [True, False, False]]
    assert not ancestry.is_above(np.empty(0, int), np.empty(0, int)).size


def test_blocks_cover_all_nodes_once() -> None:
    owned = np.array([3, 0, 7, 1, 1, 0])
    assert list(bounded(owned, 4)) == [slice(0, 2), slice(2, 6)]
    assert list(bounded(owned[:0], 4)) == []
