"""A quote at the start of a TSV cell: of the file where it closes with the cell, else of a name."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from taxcheck.model.errors import InputError
from taxcheck.sources.tables.opening import open_mapping
from taxcheck.sources.tables.quoted_lines import QuotedLines
from taxcheck.sources.tables.table import open_table

NAMES = st.lists(st.text('a" ', min_size=1, max_size=6).filter(str.strip), max_size=8)
AUTHORED = '"Candidatus" x'  # as NCBI writes a name that is not valid


def read(text: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        (path := Path(folder) / "m.tsv").write_text(text)
        (batch,) = open_mapping(str(path)).batches()
        return batch.columns["taxid"].to_pylist()


def lines(names: list[str]) -> str:
    return "".join(f"{name}\t{idx}\n" for idx, name in enumerate(names))


@given(NAMES, NAMES, st.sampled_from(["", "taxid\tidx\n"]))
def test_names_that_begin_with_a_quote_are_read_as_they_stand(before, after, header):
    names = [*before, AUTHORED, *after, "Asterias"]
    assert read(header + lines(names)) == names


@given(
    st.lists(st.text('a"\t ', min_size=1, max_size=6).filter(str.strip), min_size=1, max_size=8),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_cells_that_a_writer_quoted_are_read_without_their_quotes(names, quoting):
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter="\t", lineterminator="\n", quoting=quoting)
    writer.writerow(["taxid", "idx"])
    writer.writerows([name, idx] for idx, name in enumerate(names))
    assert read(sink.getvalue()) == names


@pytest.mark.parametrize("name", ['"open', AUTHORED, '"a" and "b"', '"a""', '"a\'s" b'])
def test_one_such_name_settles_it_for_names_that_are_quoted_whole(name):
    assert read("taxid\tidx\n" + lines(["root", '"full"', name])) == ["root", '"full"', name]


CELLS = st.text('ab\n" ,', min_size=1, max_size=5).filter(str.strip)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6),
    st.sampled_from(["\t", ",", ";"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["taxid", "taxid\nof a taxon"]),
)
def test_quoted_cells_that_hold_line_ends_are_read_as_they_were_written(
    tmp_path_factory, rows, delimiter, end, quoting, name
):
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow([name, "x", "idx"])
    writer.writerows([*row, idx] for idx, row in enumerate(rows))
    path = tmp_path_factory.mktemp("quotes") / "t.csv"
    path.write_bytes(sink.getvalue().encode())
    lines = sink.getvalue().splitlines()
    assume(not any(line.count(delimiter) == 2 and line.count('"') % 2 for line in lines))
    table = open_table(str(path))
    (batch,) = table.batches({f"{column}_taxid": column for column in table.column_names})
    assert [*zip(*(cells.to_pylist() for cells in batch.columns.values()), strict=True)] == [
        (*row, str(idx)) for idx, row in enumerate(rows)
    ]
    assert batch.numbers.tolist() == list(range(2, len(rows) + 2)), "a row counts as one line"
    (part,) = table.parts(10)
    assert part.part.numbers == len(rows) + 1
    several = sum("\n" in "".join(row) for row in rows)
    said = [note for note in table.notes if "in quoted cells" in note]
    assert len(said) == bool(several + ("\n" in name))
    assert (", rows of several lines" in table.format) == bool(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"a,0\nb,1\nc,2\n', "line 2 is never closed"),
        ('"a,0\nb,1\n"c" d,2\n', "line 2 is closed in the middle of a cell"),
        ('x,0\n"a,1\nb,2\nc",3\n', "line 3 takes in lines that are rows as they stand"),
        ('x,0\ny,"1\nb,2\nc,"3\nd",4\n', "line 3 is closed in the middle of a cell"),
    ],
)
def test_a_quote_that_was_left_open_swallows_no_row(text, said):
    with pytest.raises(InputError, match=said):
        read("taxid,idx\n" + text)


@pytest.mark.parametrize("size", range(1, 9))
def test_blocks_may_end_anywhere(size):
    text = b'#"\na,b\n"x\n""y""",1\n5" z,"2\n""\n,"\n"",3'
    rows = QuotedLines(",", 2, skip=1)
    for at in range(0, len(text), size):
        rows.add(text[at : at + size])
    rows.finish()
    assert (rows.total, rows.several, rows.first, rows.doubt) == (5, 2, 3, None)
