"""A table given as taxonomy: names, ranks, and ancestry where its parents are the mapping's."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxcheck.cli import main
from taxcheck.model.errors import InputError
from taxcheck.model.finding import Outcome
from taxcheck.model.report import Report
from taxcheck.run.gather import gather
from taxcheck.run.judge import judge
from taxcheck.run.request import Request
from taxcheck.sources.taxonomies.beside import open_beside
from taxcheck.sources.taxonomies.name_table import NameTable

# 9 over 5 and 7; 5 over 3. The pair (7, 3) is false, and the self pair points to 3.
MAPPING = "taxid,idx\n9,0\n5,1\n7,2\n3,3\n"
TRUE = "ancestor_idx,descendant_idx,depth_diff\n0,1,1\n0,2,1\n1,3,1\n0,3,2\n"
NAMES = "taxid,name,rank\n9,Animals,kingdom\n5,Worms,phylum\n3,A worm,species\n"
TREE = "id,parent_id,name\n3,5,A worm\n5,9,Worms\n7,9,Birds\n9,0,Animals\n"
ANCESTRY = ("MAP006", "MAP009", "TREE009")


def report_of(folder: Path, table: str | Path, pairs: str = TRUE, mapping: str = MAPPING) -> Report:
    for name, text in (("mapping.csv", mapping), ("pairs.csv", pairs), ("table.csv", table)):
        if isinstance(text, str):
            (folder / name).write_text(text)
    request = Request(
        mapping=str(folder / "mapping.csv"),
        pairs=str(folder / "pairs.csv"),
        taxonomy=str(folder / "table.csv" if isinstance(table, str) else table),
    )
    with gather(request) as data:
        return judge(data)


def outcomes(report: Report, rules: tuple[str, ...] = ANCESTRY) -> dict[str, Outcome]:
    return {one.id: one.outcome for one in report.results if one.id in rules}


def read(report: Report) -> tuple[str, str]:
    """The notes of the table, and its guesses, each as one text."""
    (table,) = (one for one in report.inputs if one.role == "taxonomy")
    assert table.reading is not None
    return "\n".join(table.notes), "\n".join(table.reading.guesses)


def test_names_alone_name_the_samples_and_skip_what_asks_for_ancestry(tmp_path: Path) -> None:
    report = report_of(tmp_path, NAMES, TRUE + "3,3,1\n")
    assert set(outcomes(report).values()) == {Outcome.SKIPPED}
    (self_pair,) = (one for one in report.results if one.name == "self_pair")
    assert (self_pair.samples[0].taxid, self_pair.samples[0].name) == (3, "A worm")
    (skipped,) = (one for one in report.results if one.id == "TREE009")
    assert "the table given as taxonomy states no ancestry" in skipped.message
    notes, guesses = read(report)
    assert "taxid is 'taxid', name is 'name', rank is 'rank'" in notes
    assert "of the 4 identifiers of the mapping it has 3 and lacks 1; 3 have a name" in notes
    assert not guesses


def test_a_table_that_matches_nothing_is_told_by_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report_of(tmp_path, "100,Foo\n101,Bar\n")
    options = ["--mapping", "mapping.csv", "--pairs", "pairs.csv", "--taxonomy", "table.csv"]
    paths = [str(tmp_path / one) if one.endswith(".csv") else one for one in options]
    with pytest.raises(SystemExit) as ended:
        main(["run", *paths])
    told = " ".join(capsys.readouterr().out.split())
    assert "Columns without names are taken as taxid, name." in told
    assert "None of its 2 identifiers is one of the 4 of the mapping, so it names nothing" in told
    assert not ended.value.code


def test_parents_are_ancestry_where_the_mapping_is_of_the_same_identifiers(tmp_path: Path) -> None:
    assert outcomes(report_of(tmp_path, TREE)) == dict.fromkeys(ANCESTRY, Outcome.PASS)
    wrong = TRUE.replace("1,3,1", "2,3,1")  # (9, 3) stays; of the tree, (5, 3) is missing
    report = report_of(tmp_path, TREE, wrong)
    (denied,) = (one for one in report.results if one.id == "TREE009")
    assert (denied.outcome, denied.count) == (Outcome.FAIL, 2)


def test_parents_of_other_identifiers_are_not_used(tmp_path: Path) -> None:
    report = report_of(tmp_path, TREE, mapping=MAPPING.replace("7,2", "70,2"))
    assert set(outcomes(report).values()) == {Outcome.SKIPPED}
    assert "Its parents are not used: it lacks 1 of the 4 identifiers" in read(report)[1]


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("id,parent,name\n9,5,a\n5,9,b\n7,9,c\n3,5,d\n", "its parents form a cycle"),
        ("id,parent,name\n9,,a\n5,9,b\n7,8,c\n3,5,d\n", "1 parent in it"),
        ("id,parent,name\n9,,a\n5,9,b\n7,9,c\n3,5,d\n3,7,d\n", "stand in several rows"),
        ("id,parent,name\n9,,a\n5,a,b\n7,a,c\n3,b,d\n", "its parents are no whole numbers"),
    ],
)
def test_parents_that_are_no_tree_are_told_and_not_used(
    tmp_path: Path, table: str, why: str
) -> None:
    report = report_of(tmp_path, table)
    assert set(outcomes(report).values()) == {Outcome.SKIPPED}
    assert why in read(report)[1]


@pytest.mark.parametrize("of", ["folder", "file"])
def test_what_was_built_is_ancestry(tmp_path: Path, of: str) -> None:
    (tmp_path / "edges.csv").write_text("child,parent\n5,9\n7,9\n3,5\n")
    built = tmp_path / "built"
    main(["build", str(tmp_path / "edges.csv"), "--out", str(built)])
    report = report_of(tmp_path, built if of == "folder" else built / "nodes.parquet")
    assert outcomes(report) == dict.fromkeys(ANCESTRY, Outcome.PASS)


def test_several_parents_in_what_was_built_give_names_alone(tmp_path: Path) -> None:
    nodes = {
        "idx": pa.array([0, 1, 2, 3], pa.int32()),
        "identifier": [9, 5, 7, 3],
        "name": ["a", "b", "c", "d"],
        "rank": pa.nulls(4, pa.string()),
        "parents": pa.array([[], [0], [0], [1, 2]], pa.list_(pa.int32())),
    }
    pq.write_table(pa.table(nodes), tmp_path / "nodes.parquet")
    report = report_of(tmp_path, tmp_path / "nodes.parquet")
    assert set(outcomes(report).values()) == {Outcome.SKIPPED}
    assert "1 node has several parents" in read(report)[1]


def test_identifiers_that_are_texts_have_names_too(tmp_path: Path) -> None:
    mapping = "label,idx\nGO:9,0\nGO:5,1\nGO:7,2\nGO:3,3\n"
    table = "term;label\nGO:3;third\nGO:9;ninth\n"
    report = report_of(tmp_path, table, TRUE + "3,3,1\n", mapping)
    (self_pair,) = (one for one in report.results if one.name == "self_pair")
    assert (self_pair.samples[0].taxid, self_pair.samples[0].name) == ("GO:3", "third")


def test_a_table_in_an_archive_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "names.zip", "w") as archive:
        archive.writestr("names.csv", NAMES)
    table = open_beside(str(tmp_path / "names.zip"))
    assert isinstance(table, NameTable)
    assert (table.name_of(5), table.rank_of(5), table.name_of(6)) == ("Worms", "phylum", None)


def test_tables_without_names_are_refused(tmp_path: Path) -> None:
    for text in (TRUE, "1,2,Foo\n2,2,Bar\n", "1,a,b,c\n"):
        (tmp_path / "table.csv").write_text(text)
        with pytest.raises(InputError, match="as `taxonomy`"):
            open_beside(str(tmp_path / "table.csv"))
