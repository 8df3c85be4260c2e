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


def test_the_place_of_a_node_is_told_by_the_values_of_the_audit(tree, capsys):
    """Rows are random: about half of all others stand before a parent, and who is told."""
    depth = np.bincount(tree.pairs[:, 1], minlength=tree.n)
    level = np.bincount(depth).argmax()
    node = int(np.flatnonzero(depth == level + 1)[0])
    parent = tree.pairs[(tree.pairs[:, 1] == node) & (tree.pairs[:, 2] == 1), 0][0]
    found = lines(tree, tree.taxids[node], capsys)
    place = starting(found, "place")
    before = int(place.split()[0])
    peers = np.count_nonzero(depth == level) - 1
    assert place == (
        f"{before} of 256 strangers as deep stand before its parent {tree.taxids[parent]} "
        f"(of {peers} compared)"
    )
    who = starting(found, "before it").split(", ")
    assert [str(name) in map(str, tree.taxids[depth == level]) for name in who[:9]] == [True] * 9
    more = int(who[10].split()[1]) if len(who) > 10 else 0
    assert len(who[:10]) + more == round(before / 256 * peers)
    assert starting(found, "usual").startswith("among ")
    assert starting(found, "judged").startswith("as good as random: a random row has")


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


def test_a_row_that_is_no_pair_is_a_finding_of_the_idx_that_it_has(tmp_path, capsys):
    """Its cells are text, and its other idx is none."""
    mapping, pairs, table = (tmp_path / name for name in ("m.tsv", "p.tsv", "t.npy"))
    mapping.write_text("taxid\tidx\n7586\t0\n7583\t1\n10228\t2\n33208\t3\n")
    pairs.write_text(
        "ancestor_idx\tdescendant_idx\tdepth_diff\n3\t0\t1\n3\t1\t1\n3\t2\t1\n1\t-1\t1\n"
    )
    np.save(table, np.array([[0.1, 0.2], [0.2, 0.1], [0.3, 0.3], [0.0, 0.1]]))
    told = {}
    for node in (7583, 7586):
        main(["why", str(node), "--embeddings", str(table), "--geometry", "ball",
              "--mapping", str(mapping), "--pairs", str(pairs)])  # fmt: skip
        lines = capsys.readouterr().out.splitlines()
        told[node] = [line.split()[1].strip(":") for line in lines if line.startswith("  PAIR")]
    assert "invalid_pair_row" in told[7583]
    assert "invalid_pair_row" not in told[7586]


@pytest.fixture
def damaged(tmp_path, capsys):
    """Ask for a node of a mapping of 4 sound rows and some that are given."""
    pairs, table = tmp_path / "p.tsv", tmp_path / "t.npy"
    pairs.write_text("ancestor_idx\tdescendant_idx\tdepth_diff\n0\t1\t1\n0\t2\t1\n0\t3\t1\n")
    np.save(table, np.random.default_rng(0).uniform(-0.3, 0.3, (5, 2)))

    def ask(node, added):
        mapping = tmp_path / "m.tsv"
        mapping.write_text("taxid\tidx\n100\t0\n101\t1\n102\t2\n103\t3\n" + added)
        main(["why", node, "--embeddings", str(table), "--geometry", "ball",
              "--mapping", str(mapping), "--pairs", str(pairs)])  # fmt: skip
        found = capsys.readouterr().out.splitlines()
        at = found.index("findings") if "findings" in found else len(found)
        return found, {line.split()[0] for line in found[at + 1 :]}

    return ask


def test_a_second_identifier_of_an_idx_stands_in_its_own_row(damaged):
    found, findings = damaged("111", "111\t3\n")
    assert found[0] == "111: idx 3, row 6 of the mapping"
    assert starting(found, "pairs") == "1 as descendant, 0 as ancestor"
    assert "MAP003" in findings


def test_an_identifier_with_two_idx_is_told_with_both(damaged):
    found, findings = damaged("103", "103\t4\n")
    assert found[0] == "103: idx 3, row 5 of the mapping; idx 4, row 6 of the mapping"
    first, second = found.index("as idx 3"), found.index("as idx 4")
    assert starting(found[first:second], "pairs") == "1 as descendant, 0 as ancestor"
    assert starting(found[second:], "pairs") == "0 as descendant, 0 as ancestor"
    assert {"MAP002", "PAIR003"} <= findings


@pytest.mark.parametrize(
    ("node", "row", "reason"),
    [("bad", "bad\t1", "taxid is no integer, where the others are"),
     ("104", "104\tx", "idx is no whole number"),
     ("104", "104\t-1", "idx is negative"),
     ("104", "104\t9999999", "idx is far beyond the number of rows")],
)  # fmt: skip
def test_a_row_that_was_not_taken_is_told_with_its_reason(damaged, node, row, reason):
    sound = "".join(f"{k}\t4\n" for k in range(200, 320)) if "999" in row else ""
    found, findings = damaged(node, f"{row}\n{sound}")
    assert found[0] == f"{node}: row 6 of the mapping, which was not taken: {reason}"
    assert findings == {"MAP001"}
    assert len(found) == 3


def test_a_row_that_was_not_taken_stands_beside_one_that_was(damaged):
    found, findings = damaged("103", "103\tx\n")
    assert found[0].startswith("103: idx 3, row 5 of the mapping; row 6 of the mapping, which was")
    assert "MAP001" in findings
    assert "MAP001" not in damaged("102", "103\tx\n")[1]
    assert "MAP001" not in damaged("101", "bad\t1\n")[1]
