"""Two versions of one small taxonomy: what came, went, moved, was renamed or numbered anew."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from taxcheck.commands.compare.compare import Asked, compare, read_report
from taxcheck.commands.compare.comparison import Drift
from taxcheck.commands.compare.drift import drift, read_side, snapshot
from taxcheck.model.errors import InputError
from taxcheck.model.report import RenderOptions
from taxcheck.run.check import check
from taxcheck.run.registry import load_renderers
from taxcheck.run.request import Request

Parents = dict[object, object]

# 1 is the root; 2 and 3 below it; 4 and 5 below 2; 6 below 3
OLD: Parents = {1: None, 2: 1, 3: 1, 4: 2, 5: 2, 6: 3}
# 5 moved from 2 to 3, 6 is gone, 7 came below 4
NEW: Parents = {1: None, 2: 1, 3: 1, 4: 2, 5: 3, 7: 4}


def closure(parents: Parents) -> Iterable[tuple[object, object, int]]:
    for node in parents:
        above, distance = parents[node], 1
        while above is not None:
            yield above, node, distance
            above, distance = parents[above], distance + 1


def write(folder: Path, parents: Parents, order: Iterable[object] | None = None) -> Path:
    """mapping.tsv and pairs.tsv; idx in the given order of identifiers."""
    folder.mkdir()
    idx = {node: at for at, node in enumerate(order or parents)}
    lines = [f"{node}\t{at}" for node, at in idx.items()]
    (folder / "mapping.tsv").write_text("identifier\tidx\n" + "\n".join(lines) + "\n")
    lines = [f"{idx[a]}\t{idx[d]}\t{k}" for a, d, k in closure(parents)]
    head = "ancestor\tdescendant\tdepth_diff\n"
    (folder / "pairs.tsv").write_text(head + "\n".join(lines) + "\n")
    return folder


def names(folder: Path, called: dict[int, str]) -> None:
    dump = folder / "taxdump"
    dump.mkdir()
    nodes = "".join(f"{t}\t|\t1\t|\tno rank\t|\n" for t in called)
    (dump / "nodes.dmp").write_text(nodes)
    text = "".join(f"{t}\t|\t{n}\t|\t\t|\tscientific name\t|\n" for t, n in called.items())
    (dump / "names.dmp").write_text(text)


def request(folder: Path) -> Request:
    dump = folder / "taxdump"
    return Request(
        mapping=str(folder / "mapping.tsv"),
        pairs=str(folder / "pairs.tsv"),
        taxonomy=str(dump) if dump.exists() else None,
    )


def between(old: Path, new: Path) -> Drift:
    return drift(snapshot(request(old)), snapshot(request(new)))


def test_nodes_that_came_went_and_moved(tmp_path):
    found = between(write(tmp_path / "a", OLD), write(tmp_path / "b", NEW))
    assert found.nodes == (6, 6)
    assert [(found.added.count, *found.added.first)] == [(1, ("7", "", ""))]
    assert [(found.removed.count, *found.removed.first)] == [(1, ("6", "", ""))]
    assert [(found.moved.count, *found.moved.first)] == [(1, ("5", "", "2 → 3"))]
    assert found.renamed is None
    # pairs of the old: 2 and 3 one each, 4, 5 and 6 two each; of the new: 7 has three
    assert found.pairs == (8, 9)
    # gone: 5-2, 6-3, 6-1; come: 5-3, 7-4, 7-2, 7-1
    assert (found.pairs_removed, found.pairs_added) == (3, 4)


def test_a_first_parent_attaches_and_a_lost_one_detaches(tmp_path):
    """2 comes below 1 and 3 leaves it; 4 changes from 2 to 3, which alone is a move."""
    old: Parents = {1: None, 2: None, 3: 1, 4: 2, 5: 3}
    new: Parents = {1: None, 2: 1, 3: None, 4: 3, 5: 3}
    found = between(write(tmp_path / "a", old), write(tmp_path / "b", new))
    assert (found.moved.count, found.moved.first) == (1, (("4", "", "2 → 3"),))
    assert (found.attached.count, found.attached.first) == (1, (("2", "", "to 1"),))
    assert (found.detached.count, found.detached.first) == (1, (("3", "", "from 1"),))
    assert found.headline.startswith("Nodes: 1 moved, 1 attached, 1 detached;")


def test_the_order_of_the_numbering_is_told_and_changes_nothing_else(tmp_path):
    found = between(write(tmp_path / "a", OLD), write(tmp_path / "b", OLD, [2, 1, 3, 4, 5, 6]))
    assert found.renumbered == 2
    assert (found.added.count, found.removed.count, found.moved.count) == (0, 0, 0)
    assert (found.pairs_added, found.pairs_removed) == (0, 0)
    assert found.headline == "Nodes: 2 renumbered; 0 pairs came or went."


def test_the_same_data(tmp_path):
    found = between(write(tmp_path / "a", OLD), write(tmp_path / "b", OLD))
    assert found.headline == "The data is the same."


def test_names_that_changed(tmp_path):
    old, new = write(tmp_path / "a", OLD), write(tmp_path / "b", NEW)
    names(old, {1: "root", 2: "Canis", 5: "Vulpes"})
    names(new, {1: "root", 2: "Lupus", 5: "Vulpes", 3: "Felis"})
    found = between(old, new)
    assert found.renamed is not None
    assert found.renamed.first == (("2", "Lupus", "was Canis"),)
    assert found.moved.first == (("5", "Vulpes", "2 Lupus → 3 Felis"),)


def test_identifiers_of_text_and_several_parents(tmp_path):
    """A node that gains a second parent has moved; text identifiers are compared as text."""
    old, new = write(tmp_path / "a", {"r": None, "x": "r", "y": "r", "z": "x"}), tmp_path / "b"
    write(new, {"r": None, "x": "r", "y": "r", "z": "x"})
    with (new / "pairs.tsv").open("a") as file:
        file.write("2\t3\t1\n")
    found = between(old, new)
    assert found.moved.first == (("z", "", "x → x, y"),)


def report(folder: Path) -> str:
    text = load_renderers()["json"](check(request(folder)), RenderOptions())
    (folder / "report.json").write_text(text)
    return str(folder / "report.json")


def test_the_data_that_the_reports_name_or_a_folder_holds(tmp_path):
    old, new = write(tmp_path / "a", OLD), write(tmp_path / "b", NEW)
    before, after = report(old), report(new)
    named = compare(Asked(before, after, data=True)).drift
    moved = (tmp_path / "c").absolute()
    new.rename(moved)
    lying = compare(Asked(before, str(moved / "report.json"), after_data=moved)).drift
    assert named is not None
    assert named == lying


def test_files_that_have_changed_since_are_said(tmp_path):
    old = write(tmp_path / "a", OLD)
    before = report(old)
    with (old / "pairs.tsv").open("a") as file:
        file.write("0\t1\t1\n")
    _, notes = read_side(before, read_report(before), None)
    assert notes == (f"{old / 'pairs.tsv'} has changed since {before} was written.",)


@pytest.mark.parametrize(
    ("extra", "said"),
    [("pairs.csv", "which of pairs.csv, pairs.tsv are the pairs"), (None, "is no folder")],
)
def test_a_folder_that_does_not_tell(tmp_path, extra, said):
    old = write(tmp_path / "a", OLD)
    before, folder = report(old), old if extra else tmp_path / "none"
    if extra:
        (old / extra).write_text("")
    with pytest.raises(InputError, match=said):
        compare(Asked(before, before, before_data=folder))
