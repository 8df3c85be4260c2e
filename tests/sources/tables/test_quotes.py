"""A quote at the start of a TSV cell: of the file where it closes with the cell, else of a name."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.model.errors import InputError
from taxcheck.sources.tables.opening import open_mapping

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


@pytest.mark.parametrize("cell", ['"a\nb"', '"a\tb\nc"'])
def test_a_quoted_cell_of_several_lines_is_refused_by_its_line(cell):
    with pytest.raises(InputError, match=r"the quoted cell that begins in line 2 runs over"):
        read(f"taxid\tidx\n{cell}\t0\nx\t1\n")
