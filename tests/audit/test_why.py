"""`taxcheck why`: everything about one node, and one line for an identifier that is none."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.cli import main
from tests.audit.tables import subtree


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The last 40 nodes of the mapping are in no pair, and the table lacks the last ten."""
    folder = tmp_path_factory.mktemp("why")
    tree = subtree(folder, 150)
    tree.first_idle, tree.rows = tree.n, tree.n + 30
    extra = "".join(f"{900_000_000 + k}\t{tree.n + k}\n" for k in range(40))
    tree.mapping.write_text(tree.mapping.read_text() + extra)
    rng = np.random.default_rng(0)
    np.save(folder / "table.npy", rng.uniform(-0.3, 0.3, (tree.rows, 4)))
    tree.table = folder / "table.npy"
    return tree


def lines(tree, node, capsys):
    main(["why", str(node), "--embeddings", str(tree.table), "--geometry", "ball",
          *map(str, tree.data)])  # fmt: skip
    return capsys.readouterr().out.splitlines()


def starting(found, word):
    (line,) = [line for line in found if line.startswith(word)]
    return line[len(word) :].strip()


def test_a_node_that_was_trained(tree, capsys):
    node = int(np.bincount(tree.pairs[:, 1]).argmax())  # the deepest one
    mine = tree.pairs[tree.pairs[:, 1] == node]
    parent = mine[mine[:, 2] == 1, 0][0]
    found = lines(tree, tree.taxids[node], capsys)
    assert found[0] == f"{tree.taxids[node]}: idx {node}, row {node + 2} of the mapping"
    below = int((tree.pairs[:, 0] == node).sum())
    assert starting(found, "pairs") == f"{len(mine)} as descendant, {below} as ancestor"
    children = int(((tree.pairs[:, 0] == node) & (tree.pairs[:, 2] == 1)).sum())
    assert starting(found, "hierarchy") == (
        f"depth {len(mine)}, parent {tree.taxids[parent]}, {children} children"
    )
    assert starting(found, "training") == "nothing says that it was not trained"
    table = np.load(tree.table)
    radius = 2 * np.arctanh(np.linalg.norm(table[node]))
    assert starting(found, "radius").startswith(f"{radius:.3f}, beyond ")
    apart = ((table - table[node]) ** 2).sum(axis=1)
    norm = 1 - (table**2).sum(axis=1)
    distance = np.arccosh(1 + 2 * apart / norm / norm[node])
    expected = np.argsort(distance)[1:11]
    at = found.index("nearest") + 1
    shown = [line.split()[:2] for line in found[at : at + 10]]
    assert [float(value) for value, _ in shown] == pytest.approx(distance[expected], abs=1e-3)
    names = [str(tree.taxids[k]) if k < tree.n else str(900_000_000 + k - tree.n) for k in expected]
    assert [name for _, name in shown] == names


@pytest.mark.parametrize(
    ("k", "evidence", "explanation"),
    [
        (0, "in no pair", "in no pair"),
        (29, "in no pair", "in no pair"),  # far beyond the twenty samples of a finding
        (39, "no row in the table", "beyond the table"),
    ],
)
def test_a_node_without_training_is_told_why(tree, capsys, k, evidence, explanation):
    found = lines(tree, 900_000_000 + k, capsys)
    expected = f"never trained: {evidence}; explained by: {explanation}"
    assert starting(found, "training") == expected
    assert any("EMB006 never_trained" in line for line in found)
    assert any("PAIR003 coverage_gap" in line for line in found)
    if k == 39:
        assert starting(found, "row") == f"none: the table has {tree.rows} rows"


def test_a_neighbour_that_is_no_point_is_none(tree, capsys, tmp_path):
    table = np.full((tree.n, 2), np.nan)
    table[:3] = [[0.0, 0.1], [0.2, 0.0], [0.3, 0.3]]
    np.save(tmp_path / "nan.npy", table)
    kept, tree.table = tree.table, tmp_path / "nan.npy"
    try:
        found = lines(tree, tree.taxids[1], capsys)
        assert len([line for line in found if line.startswith("    ")]) == 2
        assert starting(lines(tree, tree.taxids[5], capsys), "radius").startswith("none")
    finally:
        tree.table = kept


@pytest.mark.parametrize("node", ["123456789012345678901234567890", "7", "Asterias", "²", "-1"])
def test_an_unknown_identifier_is_one_line(tree, capsys, node):
    with pytest.raises(SystemExit) as done:
        main(["why", "--embeddings", str(tree.table), "--geometry", "ball",
              *map(str, tree.data), "--", node])  # fmt: skip
    assert done.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == f"taxcheck: {node}: the mapping has no such identifier\n"
