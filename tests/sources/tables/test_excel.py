"""A sheet of a workbook is a table whose rows are numbered as Excel numbers them."""

from __future__ import annotations

import datetime as dt
import io
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources.tables.opening import open_mapping, open_pairs
from taxcheck.sources.taxonomies.opening import read_source

PAIRS = [["ancestor", "descendant"], [0, 1], [0.0, 2.0], [1, 2]]


def book(path: Path, hidden: tuple[str, ...] = (), **sheets: list[list[object]]) -> str:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, cells in sheets.items():
        sheet = made.create_sheet(name)
        for row in cells:
            sheet.append(row)
        if name in hidden:
            sheet.sheet_state = "hidden"
    made.save(path)
    return str(path)


def edited(path: str, change: Callable[[str], str], name: str = "xl/worksheets/sheet1.xml") -> str:
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members[name] = change(members[name].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return path


def rows(source) -> list[tuple[object, ...]]:
    found = []
    for batch in source.batches():
        columns = [c.cast(pa.string()).to_pylist() for c in batch.columns.values()]
        found += zip(range(batch.first_row, batch.first_row + batch.rows), *columns, strict=True)
    return found


def test_the_one_sheet_is_taken_and_told(tmp_path: Path) -> None:
    path = book(tmp_path / "b.xlsx", ("old",), empty=[], pairs=PAIRS, old=[["a", "b"], [3, 4]])
    source = open_pairs(path)
    assert rows(source) == [(2, "0", "1"), (3, "0", "2"), (4, "1", "2")]
    assert source.table.format == "excel"
    assert source.table.notes == (
        "Read from pairs, the only one in an Excel workbook.",
        "Hidden sheets are not read: old.",
    )
    assert source.summary().bytes == Path(path).stat().st_size


def test_of_several_sheets_one_is_named(tmp_path: Path) -> None:
    mapping = [["taxid", "idx"], ["Canis lupus", 0], [9606.0, 1]]
    path = book(tmp_path / "b.xlsx", pairs=PAIRS, mapping=mapping)
    with pytest.raises(InputError, match="of 2: pairs, mapping; name the one") as told:
        open_pairs(path)
    assert "pairs begins with ancestor, descendant; mapping begins with taxid" in str(told.value)
    assert len(rows(open_pairs(f"{path}::pairs"))) == 3
    assert rows(open_mapping(f"{path}::mapping")) == [(2, "Canis lupus", "0"), (3, "9606", "1")]


def test_a_table_that_begins_further_down_with_blank_and_long_rows(tmp_path: Path) -> None:
    cells: list[list[object]] = [["A title"], [], [None, "parent", "child"], [None, "a", 'the "b"']]
    cells += [[None, None, None], [None, "a", "c", "d"], [None, "x,y\nz", "e"], ["!", "f", "g"]]
    source = open_pairs(book(tmp_path / "b.xlsx", s=[*cells, [], []]), mapping_given=False)
    assert rows(source) == [
        (4, "a", 'the "b"', None),
        (5, "", "", None),
        (6, "a\tc\td", None, "3 fields instead of 2"),
        (7, "x,y z", "e", None),
        (8, "f", "g", None),
    ]
    assert source.table.notes[1:] == (
        "In sheet s 1 cell holds line ends or tabs, read as blanks, the first is B7.",
        "2 lines with at most one cell before the table skipped.",
    )
    assert source.table.guesses == (
        "In sheet s 1 cell holds something left of the table, which is not read, the first is A8.",
    )


def test_dates_are_told_where_they_stand(tmp_path: Path) -> None:
    cells = [["parent", "child"], ["a", dt.date(2024, 3, 1)], ["a", dt.datetime(2024, 9, 2, 0, 0)]]
    source = open_pairs(book(tmp_path / "b.xlsx", s=cells), mapping_given=False)
    assert rows(source) == [(2, "a", "2024-03-01"), (3, "a", "2024-09-02")]
    (guess,) = source.reading().guesses
    assert guess == (
        "In sheet s 2 cells hold a date or time, the first is B2; Excel makes dates of names such "
        "as MARCH1 and SEPT2."
    )


def test_a_build_of_a_sheet_tells_its_dates_as_a_guess(tmp_path: Path) -> None:
    date = dt.date(2024, 3, 1)
    tables = {
        "edge list": [["child", "parent"], ["b", "a"], [date, "a"], ["c", "b"]],
        "lineage table": [["family", "genus"], ["a", "b"], ["a", date]],
        "table of codes": [["code", "name"], ["1", "a"], ["1.1", "b"], ["1.1.1", date],
                           ["1.2", "d"], ["2", "e"], ["2.1", "f"]],
    }  # fmt: skip
    for kind, cells in tables.items():
        built = read_source(book(tmp_path / "b.xlsx", s=cells))
        assert built.origin.kind == kind
        assert any("1 cell holds a date or time" in guess for guess in built.guesses)
        assert "Read from s, the only one in an Excel workbook." in built.notes


def test_a_formula_is_its_stored_value_or_refused(tmp_path: Path) -> None:
    cells = [["ancestor", "descendant"], [0, "=A2+1"], [0, 2]]
    path = book(tmp_path / "b.xlsx", s=cells)
    with pytest.raises(InputError, match="sheet 's', cell B2: is a formula whose value is not"):
        open_pairs(path)
    edited(path, lambda xml: re.sub(r"</f><v\s*/>|</f><v></v>", "</f><v>1</v>", xml))
    assert rows(open_pairs(path)) == [(2, "0", "1"), (3, "0", "2")]


def test_numbers_are_exact(tmp_path: Path) -> None:
    cells = [["taxid", "idx"], [2**53 - 1, 0], ["9007199254740993", 1], [1.5, 2], [True, 3]]
    expected = ["9007199254740991", "9007199254740993", "1.5", "TRUE"]
    found = rows(open_mapping(book(tmp_path / "b.xlsx", s=cells)))
    assert [label for _, label, _ in found] == expected


def test_edges_in_a_workbook_are_a_taxonomy(tmp_path: Path) -> None:
    edges: list[list[object]] = [["child", "parent"], ["b", "a"], ["c", "b"]]
    path = book(tmp_path / "b.xlsx", e=edges, f=edges)
    assert read_source(f"{path}::e").identifiers.to_pylist() == ["a", "b", "c"]


def test_a_workbook_in_an_archive(tmp_path: Path) -> None:
    path = book(tmp_path / "b.xlsx", pairs=PAIRS, more=PAIRS)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(path, "b.xlsx")
    assert len(rows(open_pairs(f"{tmp_path}/all.zip::b.xlsx::more"))) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda xml: xml[:-40], "is an Excel workbook that cannot be read"),
        (lambda xml: xml.replace('r="4"', 'r="9999999999"'), "rows beyond those of a sheet"),
        (lambda xml: '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">'
         '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;">'
         '<!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;">'
         '<!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;"><!ENTITY h "&g;&g;&g;&g;&g;&g;&g;">]>'
         + xml.replace("<v>1</v>", "<v>&h;&h;&h;&h;&h;</v>", 1), "Excel workbook"),
    ],
)  # fmt: skip
def test_a_hostile_workbook_is_one_line(
    tmp_path: Path, change: Callable[[str], str], said: str
) -> None:
    path = edited(book(tmp_path / "b.xlsx", pairs=PAIRS), change)
    with pytest.raises(InputError, match=said) as told:
        rows(open_pairs(path))
    assert str(told.value).isprintable()


def test_without_its_extra_it_is_named(tmp_path: Path, monkeypatch) -> None:
    path = book(tmp_path / "b.xlsx", pairs=PAIRS)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match=r"needs openpyxl: pip install 'taxcheck\[excel\]'"):
        open_pairs(path)
    sink = io.BytesIO()
    monkeypatch.undo()
    with zipfile.ZipFile(tmp_path / "stub.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    for read in (open_pairs, read_source):
        with pytest.raises(InputError, match=r"is an Excel workbook that .* save its sheet as CSV"):
            read(str(tmp_path / "stub.xlsx"))
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("content.xml", "x")
    (tmp_path / "t.ods").write_bytes(sink.getvalue())
    with pytest.raises(InputError, match=r"is an OpenDocument file, .* save its sheet as CSV"):
        open_pairs(str(tmp_path / "t.ods"))


def test_a_merged_cell_is_what_it_shows(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    for row in (["a title"], ["ancestor", "descendant"], ["a", "b"], [None, "c"], [None, "d"],
                ["b", "e"], [None, "f"]):  # fmt: skip
        sheet.append(row)
    sheet.merge_cells("A1:B1")
    sheet.merge_cells("A3:A5")
    made.save(tmp_path / "m.xlsx")
    source = open_pairs(str(tmp_path / "m.xlsx"), mapping_given=False)
    assert rows(source) == [
        (3, "a", "b"), (4, "a", "c"), (5, "a", "d"), (6, "b", "e"), (7, "", "f"),
    ]  # fmt: skip
    told = "In sheet Sheet 2 cells hold what the cell above shows that they are merged with"
    assert any(note.startswith(told) for note in source.table.notes)
