"""A line of a table that has too many cells is refused, and never becomes a label."""

from __future__ import annotations

import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.opening import read_source

TABLES = {
    "terms": "Class ID,Label,Parents\nX:1,root,\nX:2,a,X:1\nX:3,b,X:1,more\n",
    "codes": "code,name\nA,a\nA1,b\nA11,c\nA2,e,more\nA12,d\nA13,d\n",
    "lineage": "kingdom,phylum,class\nA,B,C\nA,B,D,more\nA,E,F\n",
    "edges": "child,parent\na,b\nc,b,more\n",
    "paths": "name,lineage\na,A;B;C\nb,A;B;D,more\nc,A;E;F\n",
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_row_of_too_many_cells(tmp_path, kind):
    (path := tmp_path / "table.csv").write_text(TABLES[kind])
    with pytest.raises(InputError, match=r"row \d cannot be read \(\d fields instead of \d\)"):
        read_source(str(path), kind, columns="code=code,name=name" if kind == "codes" else None)


def test_line_ends_in_cells_are_blanks(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b'id,name,parent\n1,"root\nof all",\n"2 \r\n b","x\ry",1\n3,z,"2 b"\n')
    read = read_source(str(path))
    assert read.identifiers.to_pylist() == ["1", "2 b", "3"]
    assert read.names.to_pylist() == ["root of all", "x y", "z"]
    assert [read.parents.tolist(), read.children.tolist()] == [[0, 1], [1, 2]]
    assert "Line ends in 3 cells are read as blanks" in read.guesses
    assert "2 rows have line ends in quoted cells, from line 2 on" in " ".join(read.notes)
